"""Password hashes: Argon2id, verified in the same time whether or not the user exists."""

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.accounts.password_rules import normalised

_hasher = PasswordHasher()  # Argon2id, with the parameters of RFC 9106 (low memory)
# Verified for unknown users too, so that the response time does not reveal whether a user exists.
_DECOY = _hasher.hash(secrets.token_hex(16))


def hash_password(password: str) -> str:
    """The Argon2id hash to store."""
    return _hasher.hash(normalised(password))


def is_right(stored: str | None, password: str) -> bool:
    """True if the password matches the stored hash; takes as long if there is none."""
    try:
        _hasher.verify(stored or _DECOY, normalised(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None
