"""HTTP clients that keep their connection, accept brotli, and time every response."""

import re
import selectors
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode, urlsplit

import brotli

from services.demo import PASSWORD

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
_LONGEST = 600  # seconds that a response may take
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """A response as received. `seconds`: from before the request until the last byte."""

    status: int
    seconds: float
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The decompressed body."""
        packed = self.headers.get("content-encoding") == "br"
        return (brotli.decompress(self.body) if packed else self.body).decode()

    @property
    def line_bytes(self) -> int:
        """Bytes of headers and body together, approximately."""
        return len(self.body) + sum(len(name) + len(value) + 4 for name, value in self.headers.items())


@dataclass
class Client:
    """A client of one server. `headers` are sent with every request."""

    base_url: str
    headers: dict[str, str] = field(default_factory=dict)
    _connection: HTTPConnection | None = None

    def get(self, address: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request, and read the whole response."""
        return self._ask("GET", address, None, headers or {})

    def post(self, address: str, pairs: list[tuple[str, str]], headers: Mapping[str, str] | None = None) -> Answer:
        """Send a form; redirects are not followed."""
        return self._ask("POST", address, urlencode(pairs), {**_FORM, **(headers or {})})

    def token(self, address: str) -> str:
        """The CSRF token of a form on a page."""
        found = _TOKEN.search(self.get(address).text)
        if found is None:
            raise RuntimeError(f"no form at {address}")
        return found[1]

    def sign_in(self, username: str) -> None:
        """Sign in through the form."""
        pairs = [("csrf_token", self.token("/logg-inn")), ("username", username), ("password", PASSWORD)]
        answer = self.post("/logg-inn", pairs)
        if answer.status != 303:
            raise RuntimeError(f"{username} was not let in: {answer.status}")

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def connected(self) -> HTTPConnection:
        """The open connection."""
        if self._connection is None:
            host = urlsplit(self.base_url)
            self._connection = HTTPConnection(str(host.hostname), host.port, timeout=_LONGEST)
            self._connection.connect()
        return self._connection

    def all_headers(self, more: Mapping[str, str]) -> dict[str, str]:
        """The headers of a request."""
        return {"Accept-Encoding": "br", "Accept": "text/html", **self.headers, **more}

    def _ask(self, method: str, address: str, body: str | None, headers: Mapping[str, str]) -> Answer:
        for attempt in (1, 2):
            connection = self.connected()
            started = time.perf_counter()
            try:
                connection.request(method, address, body, self.all_headers(headers))
                came = connection.getresponse()
                content = came.read()
            except (HTTPException, ConnectionError):  # the server may close an idle connection
                self.close()
                if attempt == 2:
                    raise
                continue
            seconds = time.perf_counter() - started
            for cookie in came.headers.get_all("Set-Cookie") or []:
                self.headers["Cookie"] = cookie.partition(";")[0]
            return Answer(came.status, seconds, {k.lower(): v for k, v in came.headers.items()}, content)
        raise AssertionError


@dataclass
class Download:
    """A long response: the times of its first and last byte, in seconds, the number of bytes and lines; `cut` if not
    complete."""

    first: float
    seconds: float
    size: int
    lines: int
    cut: bool


def download(client: Client, address: str, *, patience: float) -> Download:
    """Request a long response and discard it while it arrives; give up after `patience` seconds."""
    client.close()
    connection = client.connected()
    started = time.perf_counter()
    connection.request("GET", address, headers=client.all_headers({}))
    came = connection.getresponse()
    if came.status != 200:
        raise RuntimeError(f"{address} answers {came.status}")
    piece = came.read1(65536)
    first = time.perf_counter() - started
    size, lines, cut = len(piece), piece.count(b"\r\n"), False
    while piece := came.read1(65536):
        size += len(piece)
        lines += piece.count(b"\r\n")
        if time.perf_counter() - started > patience:
            cut = True
            break
    seconds = time.perf_counter() - started
    client.close()
    return Download(first, seconds, size, lines, cut)


# ---- Many at once ----


@contextmanager
def _connections(client: Client, number: int) -> Iterator[list[socket.socket]]:
    host = urlsplit(client.base_url)
    made = [socket.create_connection((str(host.hostname), host.port or 80)) for _ in range(number)]
    try:
        yield made
    finally:
        for one in made:
            one.close()


def answers_a_second(client: Client, address: str, *, connections: int, seconds: float) -> float:
    """Responses per second when so many connections send one request after the other for so long."""
    lines = [f"GET {address} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in client.all_headers({}).items()]
    question = ("\r\n".join(lines) + "\r\n\r\n").encode()
    answered = 0
    with _connections(client, connections) as made, selectors.DefaultSelector() as selector:
        missing = dict.fromkeys(made, -1)  # bytes of the present response; -1: its length is not known yet
        for place, one in enumerate(made):
            selector.register(one, selectors.EVENT_READ, place)
            one.sendall(question)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for key, _events in selector.select(timeout=0.2):
                one = made[key.data]
                missing[one] = _left(one.recv(262_144), missing[one])
                if missing[one] == 0:
                    answered += 1
                    missing[one] = -1
                    one.sendall(question)
    return answered / seconds


def _left(piece: bytes, left: int) -> int:
    """The remaining bytes of a response after a piece of it."""
    if left >= 0:
        return left - len(piece)
    if not piece:
        raise RuntimeError("hung up under load")
    head, _blank, body = piece.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"an answer under load: {head[:60]!r}")
    found = re.search(rb"(?i)content-length: (\d+)", head)
    if found is None:
        raise RuntimeError("an answer under load without its length")
    return int(found[1]) - len(body)
