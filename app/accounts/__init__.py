"""Signing in and out; the users that an administrator answers for."""
