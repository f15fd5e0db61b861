"""The settings: read from the environment, checked at start."""
