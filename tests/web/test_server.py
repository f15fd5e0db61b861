"""Decisions of the production server alone: malformed requests, bodies without a length, ambiguous requests.

Each request has a connection of its own, byte for byte. There is one response: a second request hidden in the first
gets none.
"""

import json
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.web.responses import PROGRAM_MARK, SECURITY_HEADERS
from tests.support.raw_http import CHUNKED, FORM, FORWARDED, HOST, REFUSED, SECONDS, asked, chunks, get, post
from tests.support.server import LiveServer, running_server

LENGTH_FIRST = FORM + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"


@pytest.fixture(scope="module")
def server(databases: Any, settings: dict[str, str]) -> Iterator[LiveServer]:
    with running_server({**settings, "DATABASE_URL": databases.filled("sqlite", 0)}) as running:
        yield running


# Requests that never reach the program: the server's response is a status and nothing else.
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
    """Whatever it is for, and before any other error is reported."""
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
    """An unreadable request may still contain a session key, or a name."""
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


def test_no_header_tells_the_program_what_was_asked(server: LiveServer) -> None:
    """Not from this machine either: a proxy there may pass on its users' headers."""
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
    """The number of simultaneous requests that each process of the server has answered."""
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
        for _try in range(20):  # one process may have begun before the other
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
