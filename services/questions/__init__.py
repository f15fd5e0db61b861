"""The kinds of form fields, and the four pages declared with them. Saving belongs in `services.participation`."""
