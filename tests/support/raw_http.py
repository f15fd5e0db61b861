"""HTTP requests byte by byte, and those that must be refused."""

import socket
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.web.responses import MAX_BODY
from tests.support.server import LiveServer

HOST = b"Host: localhost\r\nConnection: close\r\n"


FORM = HOST + b"Content-Type: application/x-www-form-urlencoded\r\n"


CHUNKED = FORM + b"Transfer-Encoding: chunked\r\n"


HIDDEN = b"GET /helse HTTP/1.1\r\nHost: localhost\r\n\r\n"


SECONDS = 20


@dataclass(frozen=True)
class Answer:
    """Status, all received bytes, and the number of responses in them."""

    status: int
    whole: bytes

    @property
    def number(self) -> int:
        return self.whole.count(b"HTTP/1.1 ")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names in lower case, and values."""
        lines = self.whole.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        return [(name.lower(), value.strip()) for name, _colon, value in (line.partition(":") for line in lines)]

    @property
    def body(self) -> bytes:
        return self.whole.partition(b"\r\n\r\n")[2]


def asked(server: LiveServer, request: bytes, *, ends: bool = False) -> Answer:
    """The server's response to these bytes, until it closes the connection. `ends`: shut down the sending side."""
    place = urlsplit(server.base_url)
    whole = b""
    with socket.create_connection((str(place.hostname), place.port or 80), SECONDS) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # it need not read what it refuses
            connection.sendall(request)
            if ends:
                connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                whole += piece
    assert whole, "no answer"
    return Answer(int(whole.split(b" ", 2)[1]), whole)


def get(target: bytes, more: bytes = b"") -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\n" + HOST + more + b"\r\n"


def post(head: bytes, body: bytes) -> bytes:
    return b"POST /logg-inn HTTP/1.1\r\n" + head + b"\r\n" + body


def chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


REFUSED = {
    # Two lengths of one body, or an ambiguous one: the beginning of the next request is unclear.
    "length and chunks": (post(CHUNKED + b"Content-Length: 5\r\n", b"0\r\n\r\n" + HIDDEN), {400}),
    "chunks and length": (
        post(FORM + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + HIDDEN),
        {400},
    ),
    "two lengths": (post(FORM + b"Content-Length: 0\r\nContent-Length: 44\r\n", HIDDEN), {400}),
    "a signed length": (post(FORM + b"Content-Length: +0\r\n", HIDDEN), {400}),
    "a negative length": (post(FORM + b"Content-Length: -1\r\n", HIDDEN), {400}),
    "a length in words": (post(FORM + b"Content-Length: 0x0\r\n", HIDDEN), {400}),
    "chunked twice": (post(FORM + b"Transfer-Encoding: chunked, chunked\r\n", chunks() + HIDDEN), {400}),
    "another coding": (post(FORM + b"Transfer-Encoding: xchunked\r\n", chunks() + HIDDEN), {400, 501}),
    "a blank before the colon": (post(FORM + b"Transfer-Encoding : chunked\r\n", chunks() + HIDDEN), {400}),
    "a folded header": (post(FORM + b"Transfer-Encoding:\r\n chunked\r\n", chunks() + HIDDEN), {400}),
    "a control in the coding": (post(FORM + b"Transfer-Encoding: \x0bchunked\r\n", chunks() + HIDDEN), {400, 501}),
    "chunks of no size": (post(CHUNKED, b"zz\r\nabc\r\n0\r\n\r\n"), {400}),
    "chunks of a signed size": (post(CHUNKED, b"+3\r\na=b\r\n0\r\n\r\n"), {400}),
    "chunks without their end": (post(CHUNKED, b"3\r\na=bXX0\r\n\r\n"), {400}),
    # Malformed lines.
    "no request": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", {400}),
    "no version": (b"GET /logg-inn\r\n\r\n", {400}),
    "a version to come": (b"GET /logg-inn HTTP/3.0\r\n" + HOST + b"\r\n", {400}),
    "small letters": (b"get /logg-inn HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "bytes in the path": (get(b"/\xff\xfe"), {400, 404}),
    "NUL in the path": (get(b"/a\x00b"), {400, 404}),
    "a path too long": (get(b"/" + b"a" * 9000), {414}),
    "a header too long": (get(b"/logg-inn", b"X-A: " + b"a" * 20_000 + b"\r\n"), {431}),
    "too many headers": (get(b"/logg-inn", b"".join(b"X-%d: a\r\n" % n for n in range(200))), {431}),
    "a return in a header": (get(b"/logg-inn", b"X-A: a\rb\r\n"), {400}),
    "NUL in a header": (get(b"/logg-inn", b"X-A: a\x00b\r\n"), {400}),
    "a header without a name": (get(b"/logg-inn", b": a\r\n"), {400}),
    "no host": (b"GET /logg-inn HTTP/1.1\r\nConnection: close\r\n\r\n", {400}),
    "two hosts": (get(b"/logg-inn", b"Host: evil.example\r\n"), {400}),
    "an expectation": (post(FORM + b"Expect: 200-ok\r\nContent-Length: 3\r\n", b"a=b"), {400, 417}),
    # Refused by the program behind the server.
    "TRACE": (b"TRACE /logg-inn HTTP/1.1\r\n" + HOST + b"X-A: hemmelig\r\n\r\n", {405}),
    "TRACE of nothing": (b"TRACE /finnes-ikke HTTP/1.1\r\n" + HOST + b"X-A: hemmelig\r\n\r\n", {404}),
    "CONNECT": (b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n", {400, 404, 405}),
    "up and away": (get(b"/static/../../../etc/passwd"), {400, 404}),
    "up and away, encoded": (get(b"/static/%2e%2e/%2e%2e/etc/passwd"), {400, 404}),
    "another machine": (get(b"http://evil.example/finnes-ikke"), {400, 404}),
    "two slashes": (get(b"//evil.example/deltakere"), {400, 404}),
    "too large": (post(FORM + b"Content-Length: %d\r\n" % (MAX_BODY + 1), b"a" * (MAX_BODY + 1)), {413}),
    "said to be too large": (post(FORM + b"Content-Length: 99999999999999999999\r\n", b""), {400, 413}),
    "chunks too large together": (post(CHUNKED, chunks(*[b"a" * 50_000] * 21)), {413}),
    "a chunk too large": (post(CHUNKED, chunks(b"a" * (MAX_BODY + 1))), {413}),
}


FORWARDED = [
    b"SCRIPT_NAME: //evil.example/x",
    b"Script-Name: //evil.example/x",
    b"PATH_INFO: /tilgangslogg",
    b"Path-Info: /tilgangslogg",
    b"REMOTE_ADDR: 10.0.0.1",
    b"REMOTE_USER: admin.imdi",
    b"X-Forwarded-For: 10.0.0.1",
    b"X-Forwarded-Host: evil.example",
    b"X-Forwarded-Prefix: /evil",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-Protocol: ssl",
    b"X-Forwarded-Ssl: on",
    b"X-Script-Name: /evil",
    b"X-Original-URL: /tilgangslogg",
    b"X-Rewrite-URL: /tilgangslogg",
    b"X-HTTP-Method-Override: DELETE",
    b"Forwarded: for=10.0.0.1;host=evil.example;proto=https",
]
