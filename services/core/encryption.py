"""What must be read again but shall not lie open in the database: sealed under a key made of SECRET_KEY."""

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
    """It was sealed under another SECRET_KEY, for another purpose, or has been changed."""


class Vault:
    """Seals texts (AES-256-GCM) and makes digests (HMAC-SHA-256), with keys of their own (HKDF)."""

    def __init__(self, secret_key: str) -> None:
        self._sealing = AESGCM(_derived(secret_key, b"sealing"))
        self._digests = _derived(secret_key, b"digests")

    def seal(self, text: str, purpose: str) -> str:
        """The text sealed; it can be opened for the same purpose only, such as «totp 17»."""
        nonce = secrets.token_bytes(_NONCE)
        return base64.b64encode(nonce + self._sealing.encrypt(nonce, text.encode(), purpose.encode())).decode()

    def open(self, sealed: str, purpose: str) -> str:
        """The text that was sealed; raises `Unreadable`."""
        try:
            raw = base64.b64decode(sealed, validate=True)
            return self._sealing.decrypt(raw[:_NONCE], raw[_NONCE:], purpose.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise Unreadable(purpose) from error

    def digest(self, *parts: object) -> str:
        """64 hexadecimal digits that tell nothing of the parts to whoever lacks the key."""
        text = "\0".join(str(part) for part in parts)
        return hmac.new(self._digests, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _derived(secret_key: str, use: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"jobbsjanseregisteret " + use).derive(
        secret_key.encode()
    )
