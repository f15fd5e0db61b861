"""What precedes a participation: the look-up of a person, and registrations that are not finished."""
