"""What concerns the register as a whole; so far the help page."""
