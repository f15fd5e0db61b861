"""The RSA key of a development installation, used to request tokens from the stand-in."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from joserfc.jwk import RSAKey

DEVELOPMENT_CLIENT_ID = "jobbsjanseregisteret-utvikling"
DEVELOPMENT_KEY_ID = "utvikling"
_BITS = 2048


def load_or_create_key(path: Path) -> bytes:
    """The private key in this PEM file, which is created, readable by its owner alone, if it does not exist.

    Several processes may start at once: one complete file is created, and all read it. Raises ValueError if the file
    contains something else, OSError if it can be neither read nor created.
    """
    if not path.exists():
        _create(path)
    pem = path.read_bytes()
    if not RSAKey.import_key(pem).is_private:
        raise ValueError("the key file holds no private key")
    return pem


def public_key_pem(private_key_pem: bytes) -> bytes:
    """The public key, which identifies the client to Maskinporten (here: the stand-in)."""
    return RSAKey.import_key(private_key_pem).as_pem(private=False)


def new_key_pem() -> bytes:
    """A new private key."""
    return RSAKey.generate_key(_BITS, private=True).as_pem(private=True)


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(new_key_pem())
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a renaming, never replaces a file that another process has just created.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
