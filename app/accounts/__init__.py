"""Accounts: signing in, second factor, invitations, passwords, and the users that an administrator answers for."""

from app.accounts import links, password, second_factor, sign_in, users, visits  # noqa: F401 - their views hang on it
from app.accounts.blueprint import accounts, load_user

__all__ = ["accounts", "load_user"]
