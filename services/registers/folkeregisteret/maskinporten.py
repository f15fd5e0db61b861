"""Access tokens from Maskinporten: the JWT grant of a client with its own key.

Source: Maskinporten's guide for API consumers; RFC 7523. An assertion is valid for two minutes at most and used once,
so each try makes a new one.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable

from joserfc import jwt
from joserfc.jwk import RSAKey

from services.registers.errors import AccessDenied, RegisterFault, Unavailable
from services.registers.http import (
    CONNECT_TIMEOUT,
    HURRIED_TIMEOUT,
    READ_TIMEOUT,
    Answer,
    CircuitBreaker,
    RegisterHttp,
    RegisterRequest,
)

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "folkeregister:deling/offentligmedhjemmel"
ASSERTION_LIFETIME = 100  # seconds; 120 are allowed, the rest is for clock differences
_MARGIN = 15.0  # seconds before its expiry from which a token is no longer used
_LONGEST_LIFETIME = 24 * 3600  # seconds; guards against numbers too large to calculate with
_NAME = "Maskinporten"
# Error codes of a server that may be logged (RFC 6749, section 5.2, and RFC 7523).
_KNOWN_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)


class MaskinportenTokens:
    """Provides a valid token, and fetches a new one before it expires. Thread-safe.

    base_url: Maskinporten's issuer, before `/token`; with one slash at its end it is the assertion's `aud`.
    key_pem: the client's private RSA key; key_id: the `kid` that Maskinporten knows it by.
    Raises ValueError if the key is no RSA key.
    """

    def __init__(
        self,
        *,
        base_url: str,
        client_id: str,
        key_pem: bytes,
        key_id: str,
        scope: str = SCOPE,
        timeout: tuple[float, float] = (CONNECT_TIMEOUT, READ_TIMEOUT),
        breaker: CircuitBreaker | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._audience = base_url.rstrip("/") + "/"
        self._client_id = client_id
        self._key = RSAKey.import_key(key_pem)
        self._key_id = key_id
        self._scope = scope
        self._http = RegisterHttp(_NAME, base_url, timeout=timeout, breaker=breaker)
        self._patience = 2 * sum(timeout) + 1
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = -1.0

    def token(self, *, hurried: bool = False) -> str:
        """A bearer token; `hurried`: with short time limits. Raises AccessDenied (refused), Busy and Unavailable."""
        # One thread fetches while the others wait for it, within a time limit.
        if not self._lock.acquire(timeout=sum(HURRIED_TIMEOUT) if hurried else self._patience):
            raise Unavailable(_NAME, "no token in time", RegisterFault.SLOW)
        try:
            if not self._token or self._clock() >= self._good_until:
                asked_at = self._clock()
                self._token, lifetime = self._http.ask(self._question, _read_token, hurried=hurried)
                self._good_until = asked_at + lifetime - min(_MARGIN, lifetime / 2)
            return self._token
        finally:
            self._lock.release()

    def drop(self, token: str) -> None:
        """Discard this token, which the register did not accept; a newer one is kept."""
        with self._lock:
            if self._token == token:
                self._token = ""

    def _question(self) -> RegisterRequest:
        form = {"grant_type": GRANT_TYPE, "assertion": self._assertion()}
        return RegisterRequest("POST", "/token", {"Accept": "application/json"}, form=form)

    def _assertion(self) -> str:
        now = int(time.time())
        claims = {
            "aud": self._audience,
            "iss": self._client_id,
            "scope": self._scope,
            "iat": now,
            "exp": now + ASSERTION_LIFETIME,
            "jti": secrets.token_urlsafe(24),
        }
        return jwt.encode({"alg": "RS256", "kid": self._key_id}, claims, self._key, algorithms=["RS256"])


def _read_token(answer: Answer) -> tuple[str, float]:
    """The token and its lifetime in seconds."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Unavailable(_NAME, f"status {answer.status} without a JSON object", RegisterFault.UNREADABLE)
    if answer.status >= 400:
        error = body.get("error")
        reason = error if isinstance(error, str) and error in _KNOWN_ERRORS else f"status {answer.status}"
        raise AccessDenied(_NAME, reason, RegisterFault.NO_TOKEN)
    token, kind, lifetime = body.get("access_token"), body.get("token_type"), body.get("expires_in")
    if (
        not isinstance(token, str)
        or not token.isascii()
        or not token.isprintable()
        or not token.strip()
        or not isinstance(kind, str)
        or kind.lower() != "bearer"
        or type(lifetime) is not int
        or lifetime <= 0
    ):
        raise Unavailable(_NAME, "an answer that is no bearer token", RegisterFault.UNREADABLE)
    return token, float(min(lifetime, _LONGEST_LIFETIME))
