"""Refreshing data from the outside registers, by one process at a time."""
