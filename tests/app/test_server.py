"""What only the production server decides: requests that are none, bodies without a length, two meanings of one.

Each request goes over a connection of its own, byte for byte. The answer is one answer: a second request that is hidden
in the first gets none.
"""

import json
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.web.responses import MAX_BODY, PROGRAM_MARK, SECURITY_HEADERS
from tests.support.server import LiveServer, running_server

HOST = b"Host: localhost\r\nConnection: close\r\n"
FORM = HOST + b"Content-Type: application/x-www-form-urlencoded\r\n"
CHUNKED = FORM + b"Transfer-Encoding: chunked\r\n"
LENGTH_FIRST = FORM + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"
HIDDEN = b"GET /helse HTTP/1.1\r\nHost: localhost\r\n\r\n"
SECONDS = 20


@pytest.fixture(scope="module")
def server(databases: Any, settings: dict[str, str]) -> Iterator[LiveServer]:
    with running_server({**settings, "DATABASE_URL": databases.filled("sqlite", 0)}) as running:
        yield running


@dataclass(frozen=True)
class Answer:
    """Status, all that came, and how many answers were in it."""

    status: int
    whole: bytes

    @property
    def number(self) -> int:
        return self.whole.count(b"HTTP/1.1 ")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names in small letters, and values."""
        lines = self.whole.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        return [(name.lower(), value.strip()) for name, _colon, value in (line.partition(":") for line in lines)]

    @property
    def body(self) -> bytes:
        return self.whole.partition(b"\r\n\r\n")[2]


def asked(server: LiveServer, request: bytes, *, ends: bool = False) -> Answer:
    """What the server answers to these bytes, until it closes the connection. `ends`: it is told that no more come."""
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
    # Two lengths of one body, or one that can be read in two ways: where does the next request begin?
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
    # Lines that are none.
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
    # What the program refuses, behind the server.
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

# What never comes as far as the program: the server's answer is a status and nothing else.
BARE = {
    "a blank before the colon",
    "a control in the coding",
    "a folded header",
    "a header without a name",
    "a length in words",
    "a negative length",
    "a return in a header",
    "a signed length",
    "a version to come",
    "another coding",
    "bytes in the path",
    "no request",
    "no version",
    "NUL in a header",
    "NUL in the path",
    "said to be too large",
    "too many headers",
    "two lengths",
}


LOST = "Skjemaet kom ikke helt fram"
HALF = b"Content-Length: 100\r\n\r\n"
PARTS = b'--b\r\nContent-Disposition: form-data; name="username"\r\n\r\nkari.oslo\r\n'
CUT = {
    "a form": post(FORM, b"")[:-2] + HALF + b"username=kari.oslo&slutt=1",
    "a form without anything of it": post(FORM, b"")[:-2] + HALF,
    "a form but for its last byte": post(FORM, b"")[:-2] + b"Content-Length: 8\r\n\r\nslutt=1",
    "JSON": post(HOST + b"Content-Type: application/json\r\n", b"")[:-2] + HALF + b"{}",
    "no kind": post(HOST, b"")[:-2] + HALF + b"x",
    "parts": post(HOST + b"Content-Type: multipart/form-data; boundary=b\r\n", b"")[:-2] + HALF + PARTS,
    "a page": b"GET /hjelp HTTP/1.1\r\n" + HOST + HALF + b"x",
    "nowhere": b"POST /finnes-ikke HTTP/1.1\r\n" + FORM + HALF + b"x",
    "no form": b"POST /hjelp HTTP/1.1\r\n" + FORM + HALF + b"x",
    "chunks without the last one": post(CHUNKED, b"7\r\nslutt=1\r\n"),
    "chunks without the last line": post(CHUNKED, b"7\r\nslutt=1\r\n0\r\n"),
    "half a chunk": post(CHUNKED, b"9\r\nslutt=1"),
    "chunks with half an end": post(CHUNKED, b"7\r\nslutt=1\r\n0\r\nX-A: b"),
    "an odd trailer": post(CHUNKED, b"7\r\nslutt=1\r\n0\r\nX A b\r\n\r\n"),
}


@pytest.mark.parametrize("what", CUT)
def test_a_request_that_did_not_arrive_whole_is_refused_in_words(server: LiveServer, what: str) -> None:
    """Whatever it is for, and before anything else is wrong with it."""
    answer = asked(server, CUT[what], ends=True)
    assert answer.status == 400
    assert LOST in answer.whole.decode()
    assert ("x-register", "1") in answer.headers


def test_nothing_but_the_head_of_a_page_that_was_cut_off(server: LiveServer) -> None:
    answer = asked(server, b"HEAD /hjelp HTTP/1.1\r\n" + HOST + HALF + b"x", ends=True)
    assert answer.status == 400
    assert LOST not in answer.whole.decode()


def test_a_whole_body_where_none_is_asked_for_does_no_harm(server: LiveServer) -> None:
    for more, body in ((b"Content-Length: 3\r\n", b"a=b"), (b"Transfer-Encoding: chunked\r\n", chunks(b"a=b"))):
        answer = asked(server, b"GET /logg-inn HTTP/1.1\r\n" + HOST + more + b"\r\n" + body)
        assert answer.status == 200
        assert answer.number == 1


@pytest.mark.parametrize("what", REFUSED)
def test_requests_that_are_refused(server: LiveServer, what: str) -> None:
    request, statuses = REFUSED[what]
    answer = asked(server, request)
    assert answer.status in statuses
    assert answer.number == 1, "a second request was hidden in the first"
    if what in BARE:
        assert answer.body == b""
        assert {name for name, _value in answer.headers} == {"content-length", "connection", "date"}
    else:
        for name, value in {**SECURITY_HEADERS, "Cache-Control": "no-store", **dict([PROGRAM_MARK])}.items():
            assert answer.headers.count((name.lower(), value)) == 1
    assert ("connection", "close") in answer.headers
    assert b"hemmelig" not in answer.whole
    assert b"root:" not in answer.whole


def test_nothing_of_a_request_comes_back_as_html(server: LiveServer) -> None:
    for request in (get(b"/<script>\xff"), get(b"/logg-inn", b"<script>: a\r\n"), b"<script> / HTTP/1.1\r\n\r\n"):
        answer = asked(server, request)
        assert answer.status in {400, 404}
        assert b"<script>" not in answer.whole


def test_a_refusal_is_a_page_of_the_program(server: LiveServer) -> None:
    answer = asked(server, get(b"/" + b"a" * 9000))
    assert answer.status == 414
    headers = dict(answer.headers)
    assert headers["content-length"] == str(len(answer.body))
    assert headers["connection"] == "close"
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert '<h1 class="ds-heading">Adressen er for lang</h1>' in answer.body.decode()
    assert "set-cookie" not in headers


def test_nothing_of_a_refused_request_is_logged(server: LiveServer) -> None:
    """What cannot be read may still be the key of a visit, or a name."""
    for request in (
        get(b"/logg-inn", b"Cookie: session=hemmelig-nokkel\x00\r\n"),
        get(b"/logg-inn", b"Cookie session=hemmelig-nokkel\r\n"),
        get(b"/deltakere/hemmelig-nokkel/\xff ? hemmelig-nokkel"),
        b"HEMMELIG-NOKKEL / HTTP/1.1\r\n\r\n",
        b"hemmelig-nokkel\r\n\r\n",
        post(CHUNKED, b"hemmelig-nokkel\r\nabc\r\n0\r\n\r\n"),
    ):
        assert asked(server, request).status in {400, 405}
    logged = server.logged()
    assert "hemmelig-nokkel" not in logged.lower()


def test_a_failure_past_flask_is_a_page_with_the_number_that_is_logged(
    databases: Any, settings: dict[str, str]
) -> None:
    environ = {**settings, "APP_ENV": "development", "DATABASE_URL": databases.filled("sqlite", 0)}
    with running_server(environ, application="tests.support.failing_program:application") as server:
        answer = asked(server, get(b"/brudd?navn=hemmelig"))
        lines = [json.loads(line) for line in server.logged().splitlines() if line.startswith("{")]
    assert answer.status == 500
    for name, value in SECURITY_HEADERS.items():
        assert (name.lower(), value) in answer.headers
    (line,) = [one for one in lines if one["level"] == "ERROR"]
    assert line["exception"] == "ValueError"
    assert line["request"].encode() in answer.whole
    assert "hemmelig" not in json.dumps(line)


def test_a_body_in_chunks_is_read_as_any_other(server: LiveServer) -> None:
    """It has no token, and so gets as far as the form: 400, in our own words and with our headers."""
    answer = asked(server, post(CHUNKED, chunks(b"username=kari", b".oslo&password=x")))
    assert answer.status == 400
    for name, value in SECURITY_HEADERS.items():
        assert (name.lower(), value) in answer.headers


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


def test_no_header_tells_the_program_what_was_asked(server: LiveServer) -> None:
    """From this machine neither: a proxy there may pass on what its users send."""
    with running_server({}, application="tests.support.echo_program:application") as echo:
        plain = asked(echo, get(b"/logg-inn")).body
        assert b'"PATH_INFO": "/logg-inn"' in plain
        for header in FORWARDED:
            told = asked(echo, get(b"/logg-inn", header + b"\r\n")).body
            assert told == plain, header
    for header in FORWARDED:
        asked(server, get(b"/logg-inn", header + b"\r\n"))
        page = asked(server, get(b"/logg-inn")).whole
        assert b"evil" not in page, header
        assert b'action="/logg-inn"' in page, header


def burst(server: LiveServer, number: int) -> Counter[bytes]:
    """How many of so many requests that come at once each process of the server has answered."""
    place = urlsplit(server.base_url)
    connections = [HTTPConnection(str(place.hostname), place.port, timeout=SECONDS) for _ in range(number)]
    for connection in connections:
        connection.request("GET", "/")
    answered = Counter(connection.getresponse().read() for connection in connections)
    for connection in connections:
        connection.close()
    return answered


def test_a_burst_is_shared_by_the_processes_of_the_server() -> None:
    with running_server({}, application="tests.support.slow_program:application", workers=2, threads=4) as server:
        for _try in range(20):  # the one process may have begun before the other
            if len(burst(server, 8)) == 2:
                break
        answered = burst(server, 48)
    assert len(answered) == 2, answered
    assert min(answered.values()) >= 8, answered


def test_the_server_tells_no_version_and_still_answers(server: LiveServer) -> None:
    answer = asked(server, get(b"/logg-inn"))
    assert answer.status == 200
    assert dict(answer.headers)["server"] == "granian"
    assert "Traceback" not in server.logged()
