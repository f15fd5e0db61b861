"""Client of Folkeregisteret: look up one person.

Source: Skatteetaten's documentation of «oppslag» for offentlig myndighet med hjemmel (the parts, the shape of the
response, the error codes). The address contains the number, by their design, so this module never puts an address into
errors or logs.
"""

from __future__ import annotations

import re

from services.registers.errors import AccessDenied, NotFound, RegisterFault, Unavailable, WrongNumber
from services.registers.folkeregisteret.maskinporten import MaskinportenTokens
from services.registers.folkeregisteret.person import PersonRecord
from services.registers.folkeregisteret.wire import ShapeError, read_person
from services.registers.http import (
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    Answer,
    CircuitBreaker,
    RegisterHttp,
    RegisterRequest,
)

PATH = "/folkeregisteret/offentlig-med-hjemmel/api/v1/personer/"
PARTS = (
    "navn",
    "foedsel",
    "sivilstand",
    "innflytting",
    "bostedsadresse",
    "adressebeskyttelse",
    "status",
    "doedsfall",
    "identifikasjonsnummer",
    "kjoenn",
    "historikk",  # without it, earlier innflytting is left out, and the year of arrival would be wrong
)
_NAME = "Folkeregisteret"
_QUERY = tuple(("part", part) for part in PARTS)
_NUMBER = re.compile(r"[0-9]{11}")
# The documentation of the API gives Retry-After in milliseconds, HTTP in seconds. Small numbers are read as seconds,
# since waiting too long is the harmless mistake.
_MILLISECONDS_FROM = 100.0


class FolkeregisteretClient:
    """Looks up persons. Thread-safe. Nothing is stored or logged here.

    base_url: before `/folkeregisteret/…`; timeout: seconds to connect and to wait for the response.
    """

    def __init__(
        self,
        *,
        base_url: str,
        token_source: MaskinportenTokens,
        timeout: tuple[float, float] = (CONNECT_TIMEOUT, READ_TIMEOUT),
        breaker: CircuitBreaker | None = None,
    ) -> None:
        self._tokens = token_source
        self._http = RegisterHttp(
            _NAME, base_url, timeout=timeout, breaker=breaker, milliseconds_from=_MILLISECONDS_FROM
        )

    def look_up(self, national_id: str, *, hurried: bool = False) -> PersonRecord:
        """The person with this number, or with the number that has replaced it (`PersonRecord.national_id`).

        `national_id`: eleven digits; `hurried`: use short time limits and no retry. Raises WrongNumber, NotFound,
        AccessDenied, Busy and Unavailable.
        """
        if not _NUMBER.fullmatch(national_id):
            raise WrongNumber(_NAME, "not eleven digits")
        token = self._tokens.token(hurried=hurried)
        record = self._ask(national_id, token, hurried)
        if record is None:  # the token may have been revoked early: retry with a new one
            self._tokens.drop(token)
            record = self._ask(national_id, self._tokens.token(hurried=hurried), hurried)
        if record is None:
            raise AccessDenied(_NAME, "status 401", RegisterFault.UNKNOWN_CALLER)
        return record

    def _ask(self, national_id: str, token: str, hurried: bool) -> PersonRecord | None:
        """The record, or None if the token was not accepted."""
        headers = {"Accept": "application/json", "Authorization": f"Bearer {token}"}
        question = RegisterRequest("GET", PATH + national_id, headers, _QUERY)
        return self._http.ask(lambda: question, lambda answer: _read(answer, national_id), hurried=hurried)


def _read(answer: Answer, asked: str) -> PersonRecord | None:
    if answer.status == 401:
        return None
    if answer.status == 403:
        raise AccessDenied(_NAME, "status 403", RegisterFault.NOT_ALLOWED)
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Unavailable(_NAME, f"status {answer.status} without a JSON object", RegisterFault.UNREADABLE)
    if answer.status >= 400:
        _refuse(answer.status, body)
    try:
        return read_person(body, asked=asked)
    except ShapeError as error:
        raise Unavailable(_NAME, f"an answer of another shape ({error})", RegisterFault.UNREADABLE) from None


def _refuse(status: int, body: dict[str, object]) -> None:
    """Raise the error for a status from 400 to 499, if the body is the register's own."""
    if isinstance(body.get("kode"), str):
        if status == 400:
            raise WrongNumber(_NAME, "status 400")
        if status == 404:
            raise NotFound(_NAME, "status 404")
    raise Unavailable(_NAME, f"status {status}", RegisterFault.UNREADABLE)
