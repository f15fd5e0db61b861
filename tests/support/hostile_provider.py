"""An identity provider over HTTP that lies as configured. It signs without a library, so it can write tokens that no
library would.

`claims`, `header`, `metadata` change its statements; `sign`: how it signs; `answer` replaces a whole response.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CLIENT_ID, SECRET = "registeret", "hemmelig-mellom-de-to"
Pairs = dict[str, str]
Answer = tuple[int, dict[str, str], bytes]


def b64(raw: bytes) -> str:
    """base64url without padding, as RFC 7515 wants it."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@dataclass
class HostileProvider:
    """The state of the provider: its statements and the requests so far. Honest unless configured otherwise."""

    issuer: str = ""
    subject: str = "nora-hos-leverandoren"
    sid: str = ""
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    kid: str = "nokkel-1"
    sign: str = "right"  # other-key, none, hmac-public, hmac-secret
    claims: dict[str, Any] = field(default_factory=dict)  # None removes one
    header: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Answer] = field(default_factory=dict)  # by the path
    asked: int = 0  # number of requests
    checks_verifier: bool = True
    signed: list[str] = field(default_factory=list)
    begun: list[dict[str, str]] = field(default_factory=list)  # requests to /authorize
    exchanged: list[tuple[dict[str, str], str]] = field(default_factory=list)  # form and Authorization at /token
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def description(self) -> dict[str, Any]:
        """The discovery document."""
        honest = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/endsession",
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return {name: value for name, value in (honest | self.metadata).items() if value is not None}

    def keys(self) -> dict[str, Any]:
        """The public key as a set."""
        public = self.key.public_key().public_numbers()
        one = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid}
        return {"keys": [one | {"n": _number(public.n), "e": _number(public.e)}]}

    def authorize(self, asked: dict[str, str], extra: dict[str, str] | None = None) -> str:
        """The redirect back after the user has signed in. `extra`: more parameters for the address."""
        self.begun.append(asked)
        code = secrets.token_urlsafe(12)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']} | (extra or {}))}"

    def exchange(self, form: dict[str, str], authorization: str) -> Answer:
        """Exchange a code for a token."""
        self.exchanged.append((form, authorization))
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or (self.checks_verifier and not _fits(asked, form)):
            return _json(400, {"error": "invalid_grant"})
        self.signed.append(self.token(asked))
        token = {"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": self.signed[-1]}
        return _json(200, token)

    def token(self, asked: dict[str, str]) -> str:
        """The signed token for a request."""
        moment = int(time.time())
        honest = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": asked["client_id"],
            "iat": moment,
            "exp": moment + 120,
            "nonce": asked.get("nonce"),
            "acr": asked.get("acr_values"),
            "sid": self.sid or None,
        }
        claims = {name: value for name, value in (honest | self.claims).items() if value is not None}
        algorithm = {"none": "none", "hmac-public": "HS256", "hmac-secret": "HS256"}.get(self.sign, "RS256")
        header = {"alg": algorithm, "kid": self.kid} | self.header
        text = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
        return f"{text}.{b64(self._signature(text.encode()))}"

    def _signature(self, text: bytes) -> bytes:
        if self.sign == "none":
            return b""
        if self.sign.startswith("hmac"):
            pem = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            mac = HMAC(pem if self.sign == "hmac-public" else SECRET.encode(), SHA256())
            mac.update(text)
            return mac.finalize()
        key = rsa.generate_private_key(65537, 2048) if self.sign == "other-key" else self.key
        return key.sign(text, padding.PKCS1v15(), SHA256())

    def respond(
        self, method: str, path: str, query: dict[str, str], form: dict[str, str], authorization: str
    ) -> Answer:
        """The response to a request."""
        self.asked += 1
        if path in self.answer:
            return self.answer[path]
        known: dict[tuple[str, str], Callable[[], Answer]] = {
            ("GET", "/.well-known/openid-configuration"): lambda: _json(200, self.description()),
            ("GET", "/jwks"): lambda: _json(200, self.keys()),
            ("GET", "/authorize"): lambda: (303, {"Location": self.authorize(query)}, b""),
            ("POST", "/token"): lambda: self.exchange(form, authorization),
            ("GET", "/endsession"): lambda: (303, {"Location": query["post_logout_redirect_uri"]}, b""),
        }
        return known.get((method, path), lambda: _json(404, {}))()


def _fits(asked: dict[str, str], form: dict[str, str]) -> bool:
    """True if the verifier's digest is the challenge (RFC 7636)."""
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    return asked.get("code_challenge_method") == "S256" and b64(digest) == asked.get("code_challenge")


def _json(status: int, body: Any) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


@contextmanager
def hostile_provider() -> Iterator[HostileProvider]:
    """Start one on a free port."""
    provider = HostileProvider()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            status, headers, content = provider.respond(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query)),
                dict(parse_qsl(body)),
                self.headers.get("Authorization", ""),
            )
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _serve  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
