"""Cheap password hashes: a real hash takes a tenth of a second of all cores, and tests sign in thousands of times.

The real one is tested by `tests.accounts.test_passwords` (`real_hashing`). The program does not know about this.
"""

from argon2 import PasswordHasher

from services.accounts import passwords

REAL = passwords._hasher
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def hash_cheaply() -> None:
    """Use cheap hashes in this process from now on. Existing hashes are verified with their own parameters."""
    use(_CHEAP)


def use(hasher: PasswordHasher) -> None:
    """Use this hasher from now on, for unknown users too."""
    passwords._hasher = hasher
    passwords._DECOY = hasher.hash("nobody has this password")
