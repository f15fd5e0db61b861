"""The time limits, the retry and the circuit breaker of both registers, over real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from services.registers.errors import Busy, NotFound, Unavailable
from services.registers.http import Answer, CircuitBreaker, RegisterHttp, RegisterRequest
from tests.support.answering import serving

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def question() -> RegisterRequest:
    return RegisterRequest("GET", "/", {})


def status(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {line}", "Content-Length: 0", *headers, "", ""]).encode()


def answering(*answers: bytes) -> Callable[[socket.socket, int], None]:
    """Sends the responses in turn, the last one for ever; closes after each."""

    def talk(connection: socket.socket, count: int) -> None:
        connection.sendall(answers[min(count, len(answers) - 1)])

    return talk


def ask(url: str, *, read_timeout: float = 5.0, waits: list[float] | None = None, **options: object) -> Answer:
    record = waits.append if waits is not None else lambda seconds: None
    http = RegisterHttp("Prøve", url, timeout=(2.0, read_timeout), wait=record, **options)  # type: ignore[arg-type]
    return http.ask(question, lambda answer: answer)


@pytest.mark.parametrize(
    ("line", "headers", "wait"),
    [
        ("429 Too Many", ("Retry-After: 1",), 1.0),
        ("429 Too Many", ("Retry-After: 2",), 2.0),
        ("429 Too Many", (), 0.2),
        ("429 Too Many", ("Retry-After: sometime",), 0.2),
        ("429 Too Many", ("Retry-After: Wed, 21 Oct 2015 07:28:00 GMT",), 0.2),
        ("503 Unavailable", ("Retry-After: 1",), 1.0),
        ("500 Error", (), 0.2),
        ("502 Bad Gateway", (), 0.2),
    ],
)
def test_one_retry_after_a_bounded_wait(line: str, headers: tuple[str, ...], wait: float) -> None:
    waits: list[float] = []
    with serving(answering(status(line, *headers), OK)) as url:
        assert ask(url, waits=waits).status == 200
    assert waits == [wait]


@pytest.mark.parametrize("header", ["3", "86400", "in an hour"])
def test_no_retry_when_asked_to_wait_long(header: str) -> None:
    if header == "in an hour":
        header = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    waits: list[float] = []
    with serving(answering(status("429 Too Many", f"Retry-After: {header}"), OK)) as url, pytest.raises(Busy) as busy:
        ask(url, waits=waits)
    assert waits == []
    assert busy.value.retry_after is not None
    assert busy.value.retry_after > 2


def test_milliseconds_are_read_where_the_register_gives_them() -> None:
    waits: list[float] = []
    with serving(answering(status("429 Too Many", "Retry-After: 1500"), OK)) as url:
        ask(url, waits=waits, milliseconds_from=100.0)
    assert waits == [1.5]


def test_each_try_has_a_question_of_its_own() -> None:
    made: list[RegisterRequest] = []

    def make() -> RegisterRequest:
        made.append(question())
        return made[-1]

    with serving(answering(status("500 Error"), OK)) as url:
        RegisterHttp("Prøve", url, wait=lambda seconds: None).ask(make, lambda answer: answer)
    assert len(made) == 2


@pytest.mark.parametrize("line", ["301 Moved", "302 Found", "304 Not Modified"])
def test_redirections_are_not_followed(line: str) -> None:
    def never(connection: socket.socket, count: int) -> None:
        raise AssertionError("followed")

    with serving(never) as elsewhere:
        answer = status(line, f"Location: {elsewhere}/")
        with serving(answering(answer)) as url, pytest.raises(Unavailable):
            ask(url)


def test_an_answer_that_drips_is_given_up() -> None:
    stop = threading.Event()

    def drip(connection: socket.socket, count: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not stop.wait(0.02):
            connection.sendall(b" ")

    with serving(drip) as url:
        try:
            with pytest.raises(Unavailable, match="in time"):
                ask(url, read_timeout=0.4)
        finally:
            stop.set()


def test_an_endless_answer_is_given_up() -> None:
    def flood(connection: socket.socket, count: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b" " * 65536)

    with serving(flood) as url, pytest.raises(Unavailable):
        ask(url, read_timeout=30.0)


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", b"HTTP/1.1 999 X\r\n\r\n"]
)
def test_what_is_no_whole_answer(answer: bytes) -> None:
    with serving(answering(answer)) as url, pytest.raises(Unavailable):
        ask(url)


def test_html_without_the_right_content_type_is_html() -> None:
    body = b"HTTP/1.1 404 Not Found\r\nContent-Length: 8\r\nContent-Type: application/json\r\n\r\n <html/>"
    with serving(answering(body)) as url, pytest.raises(Unavailable, match="HTML"):
        ask(url)


def test_cookies_are_not_kept() -> None:
    requests: list[bytes] = []
    answer = OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n")
    with serving(answering(answer), requests) as url:
        http = RegisterHttp("Prøve", url)
        for _ in range(2):
            http.ask(question, lambda answer: answer)
    assert len(requests) == 2
    assert b"cookie" not in requests[1].lower()


def test_a_netrc_file_does_not_replace_our_authorization(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    requests: list[bytes] = []
    bearer = RegisterRequest("GET", "/", {"Authorization": "Bearer abc"})
    with serving(answering(OK), requests) as url:
        RegisterHttp("Prøve", url).ask(lambda: bearer, lambda answer: answer)
    assert b"Authorization: Bearer abc\r\n" in requests[0]


def test_a_proxy_of_the_environment_is_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serving(answering(OK)) as url:
        assert ask(url).status == 200


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> CircuitBreaker:
    breaker = CircuitBreaker(threshold=3, cool_down=5.0, longest=12.0, clock=clock)
    for _ in range(3):
        assert breaker.may_ask()
        breaker.failed()
    return breaker


def test_the_breaker_opens_and_lets_one_try_after_the_cool_down() -> None:
    clock = Clock()
    breaker = opened(clock)
    assert not breaker.may_ask()
    clock.now = 5.0
    assert breaker.may_ask()
    assert not breaker.may_ask()  # the others wait for the outcome
    breaker.succeeded()
    assert breaker.may_ask()
    assert breaker.may_ask()


def test_the_breaker_waits_longer_after_each_failed_trial_up_to_a_bound() -> None:
    clock = Clock()
    breaker = opened(clock)
    for pause in (5.0, 10.0, 12.0, 12.0):
        clock.now += pause - 0.1
        assert not breaker.may_ask()
        clock.now += 0.1
        assert breaker.may_ask()
        breaker.failed()


def test_failures_of_earlier_questions_do_not_lengthen_the_pause() -> None:
    clock = Clock()
    breaker = opened(clock)
    breaker.failed()
    breaker.failed()
    clock.now = 5.0
    assert breaker.may_ask()


def test_a_trial_that_never_reports_does_not_block_for_ever() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 5.0
    assert breaker.may_ask()
    clock.now = 10.0
    assert breaker.may_ask()


def test_success_between_failures_keeps_the_breaker_closed() -> None:
    breaker = CircuitBreaker(threshold=2)
    for _ in range(5):
        breaker.failed()
        breaker.succeeded()
    assert breaker.may_ask()


def test_what_the_reader_refuses_as_unreadable_counts_as_a_failure() -> None:
    breaker = CircuitBreaker(threshold=2)

    def unreadable(answer: Answer) -> None:
        raise Unavailable("Prøve", "unreadable")

    def not_found(answer: Answer) -> None:
        raise NotFound("Prøve", "status 404")

    with serving(answering(OK)) as url:
        http = RegisterHttp("Prøve", url, breaker=breaker)
        for _ in range(3):
            with pytest.raises(NotFound):
                http.ask(question, not_found)
        for _ in range(2):
            with pytest.raises(Unavailable):
                http.ask(question, unreadable)
    assert not breaker.may_ask()
