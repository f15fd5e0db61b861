"""Passwords hashed cheaply: a real hash takes a tenth of a second of all cores, and tests sign in thousands of times.

The real one is tested by `tests.accounts.test_passwords` (`real_hashing`). Nothing of the program knows of this.
"""

from argon2 import PasswordHasher

from services.accounts import passwords

REAL = passwords._hasher
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def hash_cheaply() -> None:
    """From now on, in this process. What is hashed already is verified with its own parameters."""
    use(_CHEAP)


def use(hasher: PasswordHasher) -> None:
    """Hash with this one from now on, unknown users too."""
    passwords._hasher = hasher
    passwords._DECOY = hasher.hash("nobody has this password")
