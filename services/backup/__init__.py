"""Backups of the whole register, and restoring them."""
