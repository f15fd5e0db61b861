"""Reading the outside registers anew, by one process at a time."""
