"""Slow clients do not delay others; and signals to the server: to stop, and to reload.

No time is measured: an endless wait fails by the limit of its connection.
"""

import json
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection, HTTPSConnection, IncompleteRead
from pathlib import Path
from select import select
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.serving.adapter import BODY_GRACE, BODY_RATE, MOST_HELD
from tests.support.certificates import make_certificate
from tests.support.commands import answers, free_ports, started, until
from tests.support.server import LiveServer, running_server

SLOW = 60  # connections, to a server that works on two requests at once
SECONDS = 30
FORM = b"POST /logg-inn HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
STREAMS = "tests.support.streaming_program:application"


@pytest.fixture(scope="module")
def server(databases: Any, settings: dict[str, str]) -> Iterator[LiveServer]:
    environ = {**settings, "DATABASE_URL": databases.filled("sqlite", 0)}
    with running_server(environ, threads=2) as running:
        yield running


@contextmanager
def connected(server: LiveServer, sent: bytes = b"") -> Iterator[socket.socket]:
    place = urlsplit(server.base_url)
    with socket.create_connection((str(place.hostname), place.port or 80), SECONDS) as connection:
        connection.sendall(sent)
        yield connection


def get(server: LiveServer, path: str) -> tuple[int, bytes]:
    place = urlsplit(server.base_url)
    connection = HTTPConnection(str(place.hostname), place.port, timeout=SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


UNFINISHED = {
    "nothing": b"",
    "half a line": b"GET /he",
    "half a head": FORM,
    "a head alone": FORM + b"Content-Length: 500\r\n\r\n",
    "half a body": FORM + b"Content-Length: 500\r\n\r\nusername=kari",
    "chunks": FORM + b"Transfer-Encoding: chunked\r\n\r\n5\r\nusern\r\n",
}


@pytest.mark.parametrize("what", UNFINISHED)
def test_unfinished_requests_keep_nobody_waiting(server: LiveServer, what: str) -> None:
    with ExitStack() as stack:
        for _number in range(SLOW):
            stack.enter_context(connected(server, UNFINISHED[what]))
        assert get(server, "/helse") == (200, b"ok")
        assert get(server, "/logg-inn")[0] == 200


def test_readers_that_do_not_read_keep_nobody_waiting() -> None:
    """And work for clients that have disconnected stops."""
    with running_server({}, application=STREAMS, threads=2) as server:
        with ExitStack() as stack:
            for _number in range(SLOW):
                stack.enter_context(connected(server, b"GET /stykker/1000000 HTTP/1.1\r\nHost: a\r\n\r\n"))
            while get(server, "/") != (200, str(SLOW).encode()):
                time.sleep(0.05)
        while get(server, "/") != (200, b"0"):
            time.sleep(0.05)


def test_an_answer_that_breaks_off_is_seen_to_be_no_whole_one(databases: Any, settings: dict[str, str]) -> None:
    environ = {**settings, "APP_ENV": "development", "DATABASE_URL": databases.filled("sqlite", 0)}
    with running_server(environ, application="tests.support.failing_program:application") as server:
        with pytest.raises(IncompleteRead):
            get(server, "/brudd-midt")
        assert get(server, "/helse") == (200, b"ok")
        logged = server.logged()
    assert "hemmelig" not in logged
    assert [line["exception"] for line in map(json.loads, logged.splitlines()) if "exception" in line] == ["ValueError"]


def test_a_busy_program_keeps_no_probe_waiting() -> None:
    """All threads work, and others wait for them, for longer than a probe waits."""
    with (
        running_server({}, application="tests.support.slow_program:application", threads=1) as server,
        ExitStack() as stack,
    ):
        for _number in range(SLOW):
            stack.enter_context(connected(server, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        place = urlsplit(server.base_url)
        probe = HTTPConnection(str(place.hostname), place.port, timeout=10)
        probe.request("GET", "/helse/klar")
        assert probe.getresponse().status == 200
        probe.close()


# ---- Slow bodies ----


def sent_slowly(server: LiveServer, size: int, rate: int) -> bytes:
    """The response to a form of so many bytes, sent at so many per second; it may come before its end."""
    body = (b"username=kari.oslo&password=" + b"x" * size)[:size]
    heard = threading.Event()
    with connected(server, FORM + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % size) as connection:

        def send() -> None:
            with suppress(OSError):
                for place in range(0, size, rate // 4):
                    connection.sendall(body[place : place + rate // 4])
                    if heard.wait(0.25):
                        return

        sending = threading.Thread(target=send)
        sending.start()
        whole = b""
        with suppress(ConnectionResetError):
            while piece := connection.recv(65_536):
                heard.set()
                whole += piece
        sending.join()
    return whole


def test_a_body_that_comes_too_slowly_is_refused(server: LiveServer) -> None:
    """Nor may it pause for long."""
    answer = sent_slowly(server, 100_000, BODY_RATE // 10).decode()
    assert answer.startswith("HTTP/1.1 408 ")
    assert "Forbindelsen er for treg" in answer
    assert "\r\nx-register: 1\r\n" in answer
    assert "\r\nconnection: close\r\n" in answer
    assert "a body came too slowly" in server.logged()


def test_a_body_on_a_slow_line_is_taken(server: LiveServer) -> None:
    """For longer than a connection may pause. Without a token it is refused for another reason."""
    answer = sent_slowly(server, BODY_RATE * 2 * (BODY_GRACE + 2), BODY_RATE * 2).decode()
    assert answer.startswith("HTTP/1.1 400 ")
    assert "Skjemaet kom ikke helt fram" not in answer


def first_of(line: socket.socket) -> bytes:
    """The beginning of a response; b"" if the connection was closed before it was read."""
    with suppress(ConnectionError):
        return line.recv(13)
    return b""


def test_large_bodies_fill_no_memory_and_forms_are_still_taken(server: LiveServer) -> None:
    """More of them than one process may hold, each without its last byte."""
    large = FORM + b"Content-Length: 1000000\r\n\r\n" + b"x" * 999_999
    with ExitStack() as stack:
        lines = [stack.enter_context(connected(server)) for _number in range(MOST_HELD // 1_000_000 + 4)]
        for line in lines:
            with suppress(ConnectionError):  # a refused body is not read to its end
                line.sendall(large)
        refused, _writable, _failed = select(lines, [], [], SECONDS)
        assert refused
        assert {first_of(line) for line in refused} <= {b"HTTP/1.1 503 ", b""}
        assert sent_slowly(server, 2_000, 2_000).startswith(b"HTTP/1.1 400 ")  # it has no token
    assert sent_slowly(server, 100_000, 1_000_000).startswith(b"HTTP/1.1 400 ")


# ---- Signals ----


def takes_more(server: LiveServer) -> bool:
    try:
        return get(server, "/")[0] == 200
    except ConnectionError:
        return False


def test_told_to_end_it_finishes_what_is_under_way_and_takes_nothing_more() -> None:
    with running_server({}, application=STREAMS, workers=2) as server:
        with connected(server, b"GET /stykker/20000 HTTP/1.0\r\n\r\n") as connection:
            whole = len(connection.recv(1000))
            os.kill(server.process_id, signal.SIGTERM)
            while takes_more(server):
                time.sleep(0.05)
            while piece := connection.recv(1_000_000):
                whole += len(piece)
        assert whole > 20_000 * 8_000


def test_told_to_begin_anew_it_reads_the_program_and_refuses_nobody(tmp_path: Path) -> None:
    program = tmp_path / "program_of_a_test.py"
    text = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "3")])
    return [b"%s"]
"""
    program.write_text(text % "old")
    environ = {"PYTHONPATH": str(tmp_path)}
    with running_server(environ, application="program_of_a_test:application", workers=2) as server:
        assert get(server, "/") == (200, b"old")
        program.write_text(text % "new")
        os.kill(server.process_id, signal.SIGHUP)
        run = 0
        while run < 40:
            with suppress(ConnectionResetError):  # it waited in the queue of a process that has ended (0041)
                status, body = get(server, "/")
                assert status == 200
                run = run + 1 if body == b"new" else 0


def test_a_process_that_dies_is_replaced() -> None:
    with running_server({}, application="tests.support.slow_program:application", workers=1) as server:
        time.sleep(6)  # a process that dies within seconds of its start counts as broken
        first = get(server, "/")[1]
        os.kill(int(first), signal.SIGKILL)
        second = b""
        while not second:
            with suppress(ConnectionError):
                second = get(server, "/")[1]
        assert second != first


# ---- The command ----


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for this machine, and its key."""
    return make_certificate(tmp_path)


def test_serve_over_tls(pair: tuple[Path, Path], databases: Any, settings: dict[str, str], tmp_path: Path) -> None:
    certificate, key = pair
    port = free_ports()[0]
    environ = {**settings, "APP_ENV": "development", "DATABASE_URL": databases.filled("sqlite", 0)}
    words = ("serve", "--port", str(port), "--certificate", str(certificate), "--key", str(key))
    with started(environ, tmp_path / "log", *words) as serving:
        context = ssl.create_default_context(cafile=str(certificate))

        def ready() -> bool:
            connection = HTTPSConnection("localhost", port, timeout=SECONDS, context=context)
            try:
                connection.request("GET", "/helse/klar")
                return connection.getresponse().status == 200
            except ConnectionError:
                return False
            finally:
                connection.close()

        until(ready, serving)
        os.kill(serving.process.pid, signal.SIGTERM)
        assert serving.process.wait(SECONDS) == 0, serving.said()
        assert serving.said() == ""


def test_serve_says_what_is_missing(settings: dict[str, str], pair: tuple[Path, Path], tmp_path: Path) -> None:
    environ = {**settings, "DATABASE_URL": "sqlite://"}
    with started(environ, tmp_path / "log", "serve", "--certificate", str(pair[0])) as serving:
        assert serving.process.wait(SECONDS) == 2
        assert "--certificate and --key go together" in serving.said()


def test_nothing_outlives_a_killed_server(databases: Any, settings: dict[str, str], tmp_path: Path) -> None:
    port = free_ports()[0]
    environ = {**settings, "APP_ENV": "development", "DATABASE_URL": databases.filled("sqlite", 0)}
    with started(environ, tmp_path / "log", "serve", "--port", str(port)) as serving:
        until(lambda: answers(port, "/helse"), serving)
        os.kill(serving.process.pid, signal.SIGKILL)
        until(serving.is_gone, serving)
