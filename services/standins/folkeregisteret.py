"""A stand-in for Folkeregisteret and Maskinporten: one server with the synthetic people.

It checks the same as the real ones, so that a client that works here sends correct requests.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from dataclasses import dataclass

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from werkzeug.wrappers import Request, Response

from services.core import national_id
from services.registers.folkeregisteret.client import PATH
from services.registers.folkeregisteret.maskinporten import GRANT_TYPE, SCOPE
from services.standins.population import SEED, by_number
from services.standins.records import PARTS, person_document
from services.standins.server import Standin, json_answer

_LONGEST_ASSERTION = 120  # seconds
_CLOCK_DIFFERENCE = 10
_TOKEN_LIFETIME = 120
_ERRORS = {
    400: ("FREG-004", "Feil i mottatte data."),
    401: ("FREG-002", "Autentiseringsinformasjon mangler."),
    403: ("FREG-003", "Virksomheten mangler autorisasjon for tjenesten."),
    404: ("FREG-005", "Fant ikke forespurt ressurs."),
    406: ("FREG-006", "Accept-header inneholder ikke et støttet format."),
    429: ("FREG-007", "For mange kall på for kort tid."),
    500: ("FREG-001", "Feil i tjenesten. Vennligst prøv igjen seinere."),
}


class _RefusalError(Exception):
    """A token request is not in order; the argument is OAuth's error code."""


@dataclass(frozen=True)
class Client:
    """The client that the stand-in accepts: its id, the id of its key, and the public key."""

    client_id: str
    key_id: str
    public_key_pem: bytes


class FolkeregisteretStandin(Standin):
    """`POST /token` and `GET /folkeregisteret/offentlig-med-hjemmel/api/v1/personer/{number}`."""

    def __init__(self, client: Client, seed: int = SEED) -> None:
        super().__init__()
        self._client = client
        self._key = RSAKey.import_key(client.public_key_pem)
        self._seed = seed
        self._state = threading.Lock()
        self._used: dict[str, float] = {}  # jti → its expiry
        self._tokens: dict[str, float] = {}  # token → its expiry

    def answer(self, request: Request) -> Response:
        """A token, a person document, or an error."""
        if request.path == "/token" and request.method == "POST":
            return self._token(request)
        if request.path.startswith(PATH) and request.method == "GET":
            return self._person(request)
        return self.failure_answer(404)

    def failure_answer(self, status: int) -> Response:
        """An error in Folkeregisteret's form."""
        code, message = _ERRORS[status]
        return json_answer({"kode": code, "melding": message}, status)

    def number_asked_for(self, request: Request) -> str | None:
        """The number at the end of the path."""
        return request.path.removeprefix(PATH) if request.path.startswith(PATH) else None

    def forget_tokens(self) -> None:
        """Revoke all tokens, as a restart would."""
        with self._state:
            self._tokens.clear()

    # Maskinporten

    def _token(self, request: Request) -> Response:
        try:
            self._check(request)
        except _RefusalError as refusal:
            status = 401 if refusal.args[0] == "invalid_client" else 400
            return json_answer({"error": refusal.args[0], "error_description": "Se feilkoden"}, status)
        token = secrets.token_urlsafe(32)
        with self._state:
            self._tokens[token] = time.time() + _TOKEN_LIFETIME
        return json_answer(
            {"access_token": token, "token_type": "Bearer", "expires_in": _TOKEN_LIFETIME, "scope": SCOPE}
        )

    def _check(self, request: Request) -> None:
        if request.form.get("grant_type") != GRANT_TYPE:
            raise _RefusalError("unsupported_grant_type")
        try:
            token = jwt.decode(request.form.get("assertion", ""), self._key, algorithms=["RS256"])
        except (JoseError, ValueError):
            raise _RefusalError("invalid_grant") from None
        claims = token.claims
        if token.header.get("kid") != self._client.key_id or claims.get("iss") != self._client.client_id:
            raise _RefusalError("invalid_client")
        if claims.get("scope") != SCOPE:
            raise _RefusalError("invalid_scope")
        if claims.get("aud") != request.host_url or "resource" in claims:  # host_url ends with a slash
            raise _RefusalError("invalid_grant")
        self._check_time(claims.get("iat"), claims.get("exp"), claims.get("jti"))

    def _check_time(self, issued: object, expires: object, identifier: object) -> None:
        now = time.time()
        if type(issued) is not int or type(expires) is not int or not isinstance(identifier, str) or not identifier:
            raise _RefusalError("invalid_grant")
        if issued > now + _CLOCK_DIFFERENCE or expires < now or not 0 < expires - issued <= _LONGEST_ASSERTION:
            raise _RefusalError("invalid_grant")
        with self._state:
            self._used = {each: end for each, end in self._used.items() if end > now}
            self._tokens = {each: end for each, end in self._tokens.items() if end > now}
            if identifier in self._used:
                raise _RefusalError("invalid_grant")
            self._used[identifier] = float(expires + _CLOCK_DIFFERENCE)

    # Folkeregisteret

    def _person(self, request: Request) -> Response:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        with self._state:
            end = self._tokens.get(token, 0.0)
        if kind != "Bearer" or end < time.time():
            return self.failure_answer(401)
        if not re.search(r"\bapplication/json\b", request.headers.get("Accept", "")):
            return self.failure_answer(406)
        parts = request.args.getlist("part")
        number = request.path.removeprefix(PATH)
        if not PARTS.issuperset(parts) or not _well_formed(number):
            return self.failure_answer(400)
        person = by_number(self._seed).get(number)
        if person is None:
            return self.failure_answer(404)
        return json_answer(person_document(person, parts))


def _well_formed(number: str) -> bool:
    try:
        return national_id.parse(number).number == number
    except national_id.InvalidNationalId:
        return False
