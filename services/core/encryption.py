"""Encryption of values that must be readable again but not from the database alone; the key is derived from
SECRET_KEY."""

import base64
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12  # bytes


class Unreadable(ValueError):
    """The text was encrypted with another SECRET_KEY or for another purpose, or has been changed."""


class Vault:
    """Encrypts texts (AES-256-GCM) and makes digests (HMAC-SHA-256), with separate derived keys (HKDF)."""

    def __init__(self, secret_key: str) -> None:
        self._sealing = AESGCM(_derived(secret_key, b"sealing"))
        self._digests = _derived(secret_key, b"digests")

    def seal(self, text: str, purpose: str) -> str:
        """Encrypt a text; it can be decrypted for the same purpose only, such as «totp 17»."""
        nonce = secrets.token_bytes(_NONCE)
        return base64.b64encode(nonce + self._sealing.encrypt(nonce, text.encode(), purpose.encode())).decode()

    def open(self, sealed: str, purpose: str) -> str:
        """Decrypt a text; raises `Unreadable`."""
        try:
            raw = base64.b64decode(sealed, validate=True)
            return self._sealing.decrypt(raw[:_NONCE], raw[_NONCE:], purpose.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise Unreadable(purpose) from error

    def digest(self, *parts: object) -> str:
        """A keyed digest of 64 hexadecimal digits, which reveals nothing of the parts without the key."""
        text = "\0".join(str(part) for part in parts)
        return hmac.new(self._digests, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _derived(secret_key: str, use: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"jobbsjanseregisteret " + use).derive(
        secret_key.encode()
    )
