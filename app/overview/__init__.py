"""The participant list."""
