"""The fields that a form can have, and the four pages made of them. Saving belongs in `services.participation`."""
