"""Accounts: signing in, second factor, invitations, passwords, and user administration."""

from app.accounts import (  # noqa: F401 - their views hang on it
    links,
    password,
    second_factor,
    sign_in,
    sign_out,
    single_sign_on,
    users,
    visits,
)
from app.accounts.blueprint import accounts, load_user
from app.accounts.openid import init_providers

__all__ = ["accounts", "init_providers", "load_user"]
