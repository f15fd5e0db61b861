"""Before a participation exists: the look-up of a person, and unfinished registrations."""
