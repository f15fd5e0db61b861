"""HTTP to the outside registers: short time limits, one retry, a circuit breaker, no personal data in logs.

Requests only read, so repeating them does no harm. Callers must not hold a database transaction open meanwhile: a
request can take some seconds.
"""

from __future__ import annotations

import json
import logging
import math
import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import TypeVar
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from services.core.text import is_encodable
from services.registers.errors import Busy, RegisterError, RegisterFault, Unavailable

T = TypeVar("T")

CONNECT_TIMEOUT = 2.0
READ_TIMEOUT = 5.0
HURRIED_TIMEOUT = (1.0, 1.5)  # for pages that can do without the response
LONGEST_WAIT = 2.0  # seconds that a user may wait before the one retry
_SHORTEST_WAIT = 0.2
_LARGEST_BODY = 2_000_000  # bytes; a record with its history is some ten thousand
_CHUNK = 65_536
_RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})

_ELEVEN_DIGITS = re.compile(r"(?<!\d)\d{11}(?!\d)")
_TALKATIVE_LOGGERS = (
    "urllib3.connectionpool",
    "urllib3.connection",
    "urllib3.response",
    "urllib3.util.retry",
)


class _HideNumbers(logging.Filter):
    """Removes national ids from log records; urllib3 logs the path of every request."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        hidden = _ELEVEN_DIGITS.sub("<number>", text)
        if hidden != text:
            record.msg, record.args = hidden, ()
        return True


def _quieten_loggers() -> None:
    # A filter on a logger does not apply to its children, so each logger that names addresses gets it.
    for name in _TALKATIVE_LOGGERS:
        logging.getLogger(name).addFilter(_HideNumbers())


_quieten_loggers()


class CircuitBreaker:
    """Stops requests to a register that keeps failing, so that its outage does not block all our threads.

    After `threshold` failures in a row it opens for `cool_down` seconds. Then one caller tries: success closes it,
    failure opens it for twice as long, up to `longest`. `clock`: a monotonic clock in seconds.
    """

    def __init__(
        self,
        *,
        threshold: int = 12,
        cool_down: float = 2.0,
        longest: float = 15.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threshold = threshold
        self._first_cool_down = self._cool_down = cool_down
        self._longest = longest
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._next_trial: float | None = None  # set while the breaker is open
        self._on_trial = False

    def may_ask(self) -> bool:
        """True if a request is allowed now. An open breaker allows one per cool-down."""
        with self._lock:
            if self._next_trial is None:
                return True
            now = self._clock()
            if now < self._next_trial:
                return False
            # Others are refused during the trial. If its caller never reports back, the next one tries.
            self._next_trial = now + self._cool_down
            self._on_trial = True
            return True

    def succeeded(self) -> None:
        """Record a usable response."""
        with self._lock:
            self._failures = 0
            self._next_trial = None
            self._on_trial = False
            self._cool_down = self._first_cool_down

    def failed(self) -> None:
        """Record a failure."""
        with self._lock:
            self._failures += 1
            if self._next_trial is None:
                if self._failures < self._threshold:
                    return
            elif self._on_trial:
                self._on_trial = False
                self._cool_down = min(self._cool_down * 2, self._longest)
            else:
                return  # requested before the breaker opened
            self._next_trial = self._clock() + self._cool_down


@dataclass(frozen=True)
class RegisterRequest:
    """A request to a register. `query` has pairs, since a name may occur several times."""

    method: str
    path: str = field(repr=False)  # may contain a national id
    headers: Mapping[str, str] = field(repr=False)  # may contain a token
    query: tuple[tuple[str, str], ...] = ()
    form: Mapping[str, str] | None = field(default=None, repr=False)
    json: object = field(default=None, repr=False)


@dataclass(frozen=True)
class Answer:
    """A response, whatever its status."""

    status: int
    content_type: str
    body: bytes = field(repr=False)
    retry_after: float | None  # seconds

    def json(self) -> object:
        """The body as JSON; raises ValueError if it is not JSON, too deeply nested, or contains text that cannot be
        stored."""
        try:
            value: object = json.loads(self.body)
        except RecursionError:
            raise ValueError("too deep") from None
        if not is_encodable(value):
            raise ValueError("no text")
        return value

    def looks_like_html(self) -> bool:
        """True if a firewall or proxy seems to have responded instead of the register."""
        return "html" in self.content_type.lower() or self.body.lstrip()[:1] == b"<"


class _OwnHeaders(requests.auth.AuthBase):
    """Prevents `requests` from replacing our headers with passwords of a .netrc file."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        return r


@dataclass(frozen=True)
class _Failure:
    reason: str
    fault: RegisterFault
    again: bool  # whether to retry


class RegisterHttp:
    """Sends requests to one register. Thread-safe: each thread has its own connections.

    name: for errors and logs. base_url: scheme, host and perhaps a path, with or without a slash at the end. timeout:
    seconds to connect, and to wait for the response. milliseconds_from: a number in `Retry-After` means seconds, as in
    HTTP, unless it is at least this, then milliseconds.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        timeout: tuple[float, float] = (CONNECT_TIMEOUT, READ_TIMEOUT),
        milliseconds_from: float = math.inf,
        breaker: CircuitBreaker | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self._base = base_url.rstrip("/")
        self._timeout = timeout
        self._milliseconds_from = milliseconds_from
        self.breaker = breaker or CircuitBreaker()
        self._wait = wait
        self._local = threading.local()
        # Proxies of the environment are for outside addresses; the stand-ins listen on this machine.
        host = urlsplit(self._base).hostname or ""
        self._proxies = {"no_proxy": host} if host in {"127.0.0.1", "localhost", "::1"} else None

    def ask(
        self, make_question: Callable[[], RegisterRequest], read: Callable[[Answer], T], *, hurried: bool = False
    ) -> T:
        """Send a request and return the result of `read`. A first try with a temporary failure is repeated once, unless
        `hurried`, which also shortens the time limits.

        `make_question` is called for each try, to renew one-time parts. `read` gets responses that are neither 5xx nor
        429 nor HTML nor a redirection, and raises a RegisterError if it cannot use one. Also raises Unavailable (no
        response, 5xx, HTML, or the breaker is open) and Busy (429 twice, or too long a wait requested).
        """
        if not self.breaker.may_ask():
            raise Unavailable(self.name, "not asked, it has failed several times in a row", RegisterFault.RESTING)
        try:
            result = read(self._answer(make_question, hurried))
        except RegisterError as error:
            error.__context__ = error.__cause__ = None  # parsers' errors contain the text they could not parse
            if isinstance(error, Unavailable):
                self.breaker.failed()
            else:
                self.breaker.succeeded()  # a refusal shows that the register works
            raise
        self.breaker.succeeded()
        return result

    def _answer(self, make_question: Callable[[], RegisterRequest], hurried: bool) -> Answer:
        timeout = HURRIED_TIMEOUT if hurried else self._timeout
        outcome = self._try(make_question(), timeout)
        wait = None if hurried else _wait_before_retry(outcome)
        if wait is not None:
            self._session().close()  # a reused connection may have been the failure, or be closed by now
            self._wait(wait)
            outcome = self._try(make_question(), timeout)
        if isinstance(outcome, _Failure):
            raise Unavailable(self.name, outcome.reason, outcome.fault)
        if outcome.status == 429:
            raise Busy(self.name, outcome.retry_after)
        is_html = outcome.looks_like_html()
        if not (200 <= outcome.status < 300 or 400 <= outcome.status < 500):
            raise Unavailable(
                self.name, f"status {outcome.status}", RegisterFault.HTML if is_html else RegisterFault.INTERNAL
            )
        if is_html:
            words = f"status {outcome.status} with HTML, not the register's own words"
            raise Unavailable(self.name, words, RegisterFault.HTML)
        return outcome

    def _try(self, question: RegisterRequest, timeout: tuple[float, float]) -> Answer | _Failure:
        """Send one request. Errors of the libraries are caught here, since their texts contain the address."""
        try:
            return self._send(question, timeout)
        except (requests.exceptions.SSLError, ssl.SSLError):
            return _Failure("the secure connection failed", RegisterFault.NO_TLS, again=False)
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError):
            return _Failure("no answer in time", RegisterFault.SLOW, again=False)  # the time is used up
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError):
            return _Failure("the connection failed", RegisterFault.NO_CONTACT, again=True)

    def _send(self, question: RegisterRequest, timeout: tuple[float, float]) -> Answer:
        with self._session().request(
            question.method,
            self._base + question.path,
            params=question.query,
            headers={"Accept-Encoding": "identity", **question.headers},
            data=question.form,
            json=question.json,
            timeout=timeout,
            proxies=self._proxies,
            auth=_OwnHeaders(),
            allow_redirects=False,  # do not send the number or token elsewhere
            stream=True,
        ) as response:
            return Answer(
                response.status_code,
                response.headers.get("Content-Type", ""),
                self._read_body(response, timeout[1]),
                self._retry_after(response.headers.get("Retry-After")),
            )

    def _session(self) -> requests.Session:
        """This thread's session: `requests` does not guarantee thread safety."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return session

    def _read_body(self, response: requests.Response, seconds: float) -> bytes:
        """Read the whole body within a deadline: the time limit of the socket restarts with each byte."""
        deadline = time.monotonic() + seconds
        body = bytearray()
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if time.monotonic() > deadline:
                raise TimeoutError
            if len(body) > _LARGEST_BODY:
                raise urllib3.exceptions.HTTPError("too large")
        return bytes(body)

    def _retry_after(self, header: str | None) -> float | None:
        """Seconds to wait, from a number or a date; None if missing or invalid."""
        text = (header or "").strip()
        if re.fullmatch(r"[0-9]{1,9}", text):
            value = float(text)
            return value / 1000 if value >= self._milliseconds_from else value
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _wait_before_retry(outcome: Answer | _Failure) -> float | None:
    """Seconds until the one retry; None if there is none."""
    if isinstance(outcome, _Failure):
        return _SHORTEST_WAIT if outcome.again else None
    if outcome.status not in _RETRIED_STATUSES:
        return None
    wait = max(outcome.retry_after or 0.0, _SHORTEST_WAIT)
    return wait if wait <= LONGEST_WAIT else None
