"""The client of Folkeregisteret, over HTTP against its stand-in."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from services.registers.errors import AccessDenied, Busy, NotFound, RegisterError, Unavailable, WrongNumber
from services.registers.folkeregisteret import FolkeregisteretClient, MaskinportenTokens, PersonRecord
from services.registers.http import CircuitBreaker
from services.standins import control as standin_control
from services.standins.folkeregisteret import Client, FolkeregisteretStandin
from services.standins.keys import new_key_pem, public_key_pem
from services.standins.population import OTHER_KINDS, PUBLISHED_KINDS, people, persons
from services.standins.server import StandinServer

CLIENT_ID, KEY_ID = "en-klient", "en-nokkel"
KEY = new_key_pem()
SOMEBODY = next(persons(1))
UNKNOWN = "03851598730"  # well formed, but unknown


class CountingStandin(FolkeregisteretStandin):
    """Also counts requests, by the beginning of the path."""

    def __init__(self) -> None:
        super().__init__(Client(CLIENT_ID, KEY_ID, public_key_pem(KEY)))
        self.asked: list[str] = []

    def answer(self, request: Request) -> Response:
        self.asked.append("token" if request.path == "/token" else "person")
        return super().answer(request)


@pytest.fixture(scope="module")
def standin() -> CountingStandin:
    return CountingStandin()


@pytest.fixture(scope="module")
def server(standin: CountingStandin) -> Iterator[StandinServer]:
    people()  # made before the first request, so that its time limit does not include it
    server = StandinServer(standin)
    yield server
    server.stop()


@pytest.fixture
def base_url(server: StandinServer, standin: CountingStandin) -> Iterator[str]:
    standin.asked.clear()
    yield server.base_url
    standin_control.heal(server.base_url)


def tokens_for(base_url: str, **changes: object) -> MaskinportenTokens:
    wishes = {"base_url": base_url, "client_id": CLIENT_ID, "key_pem": KEY, "key_id": KEY_ID, **changes}
    return MaskinportenTokens(**wishes)  # type: ignore[arg-type]


def client_for(
    base_url: str,
    *,
    tokens: MaskinportenTokens | None = None,
    read_timeout: float = 5.0,
    breaker: CircuitBreaker | None = None,
) -> FolkeregisteretClient:
    return FolkeregisteretClient(
        base_url=base_url,
        token_source=tokens or tokens_for(base_url),
        timeout=(2.0, read_timeout),
        breaker=breaker,
    )


# Answers


@pytest.mark.parametrize("kind", [*PUBLISHED_KINDS, *OTHER_KINDS])
def test_a_person_of_each_kind_is_read_as_she_is(base_url: str, kind: str) -> None:
    client = client_for(base_url)
    for person in persons(4, kind):
        assert client.look_up(person.number) == person.record()


def test_an_old_number_answers_with_the_new_one(base_url: str) -> None:
    person = next(persons(1, "replaced"))
    record = client_for(base_url).look_up(person.number)
    assert record.national_id == person.current_number != person.number


def test_the_new_number_answers_too(base_url: str) -> None:
    person = next(persons(1, "replaced"))
    assert client_for(base_url).look_up(person.current_number) == person.record()


def test_a_dead_person_and_one_without_name(base_url: str) -> None:
    client = client_for(base_url)
    dead = client.look_up(next(persons(1, "dead")).number)
    assert dead.is_dead
    assert dead.death_date is not None
    ceased = client.look_up(next(persons(1, "no_name")).number)
    assert (ceased.full_name, ceased.birth_date, ceased.status) == ("", None, "opphoert")
    assert not ceased.is_dead


def test_many_threads_share_a_client_and_one_token(base_url: str, standin: CountingStandin) -> None:
    client = client_for(base_url)
    some = people()[:48]
    with ThreadPoolExecutor(8) as pool:
        records = list(pool.map(lambda person: client.look_up(person.number), some))
    assert records == [person.record() for person in some]
    assert standin.asked.count("token") == 1


# Refusals


def test_an_unknown_number_is_not_found(base_url: str) -> None:
    with pytest.raises(NotFound):
        client_for(base_url).look_up(UNKNOWN)


def test_a_wrong_check_digit_is_a_wrong_number(base_url: str) -> None:
    with pytest.raises(WrongNumber):
        client_for(base_url).look_up("20036914712")


@pytest.mark.parametrize("text", ["", "1234567890", "123456789012", "0385159873x", "../../../token", "٠٣٨٥١٥٩٨٧٣٠"])
def test_what_is_not_eleven_digits_is_never_sent(base_url: str, standin: CountingStandin, text: str) -> None:
    with pytest.raises(WrongNumber):
        client_for(base_url).look_up(text)
    assert standin.asked == []


FAILURES = [
    ("401", AccessDenied),
    ("403", AccessDenied),
    ("429", Busy),
    ("500", Unavailable),
    ("html", Unavailable),
    ("broken", Unavailable),
    ("refuse", Unavailable),
]


@pytest.mark.parametrize(("kind", "error"), FAILURES)
@pytest.mark.parametrize("part", ["register", "token"])
def test_each_failure_has_its_own_error_and_passes(
    base_url: str, kind: standin_control.Kind, error: type[RegisterError], part: str
) -> None:
    client = client_for(base_url)
    standin_control.fail(base_url, kind, part=part)  # type: ignore[arg-type]
    with pytest.raises(error):
        client.look_up(SOMEBODY.number)
    standin_control.heal(base_url)
    assert client.look_up(SOMEBODY.number) == SOMEBODY.record()


@pytest.mark.parametrize("status", [200, 403, 404, 500, 503])
def test_a_page_of_a_firewall_is_never_not_found(base_url: str, status: int) -> None:
    standin_control.fail(base_url, "html", status=status)
    with pytest.raises(Unavailable):
        client_for(base_url).look_up(SOMEBODY.number)


def test_a_slow_register_is_given_up(base_url: str) -> None:
    client = client_for(base_url, read_timeout=0.3, tokens=tokens_for(base_url))
    standin_control.fail(base_url, "slow")
    with pytest.raises(Unavailable):
        client.look_up(SOMEBODY.number)


def test_a_failure_may_hold_for_one_number_alone(base_url: str) -> None:
    other = people()[1]
    standin_control.fail(base_url, "403", other.number)
    client = client_for(base_url)
    assert client.look_up(SOMEBODY.number) == SOMEBODY.record()
    with pytest.raises(AccessDenied):
        client.look_up(other.number)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Unavailable):
        client_for(url).look_up(SOMEBODY.number)


def test_a_server_without_tls(base_url: str) -> None:
    client = client_for(base_url.replace("http:", "https:"), tokens=tokens_for(base_url))
    with pytest.raises(Unavailable, match="secure"):
        client.look_up(SOMEBODY.number)


def test_a_certificate_that_nobody_vouches_for(base_url: str, standin: CountingStandin) -> None:
    server = make_server("127.0.0.1", 0, standin, threaded=True, ssl_context="adhoc")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        client = client_for(f"https://127.0.0.1:{server.server_port}", tokens=tokens_for(base_url))
        with pytest.raises(Unavailable, match="secure"):
            client.look_up(SOMEBODY.number)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# One retry


@pytest.mark.parametrize(("kind", "retry_after"), [("500", None), ("refuse", None), ("429", "0"), ("429", "150")])
def test_what_fails_once_is_asked_again(base_url: str, kind: standin_control.Kind, retry_after: str | None) -> None:
    standin_control.fail(base_url, kind, times=1, retry_after=retry_after)
    assert client_for(base_url).look_up(SOMEBODY.number) == SOMEBODY.record()


def test_what_fails_twice_is_given_up(base_url: str) -> None:
    standin_control.fail(base_url, "500", times=2)
    client = client_for(base_url)
    with pytest.raises(Unavailable):
        client.look_up(SOMEBODY.number)
    assert client.look_up(SOMEBODY.number) == SOMEBODY.record()


@pytest.mark.parametrize(("header", "seconds"), [("30", 30.0), ("7000", 7.0), ("60", 60.0)])
def test_a_long_wait_is_told_and_not_sat_out(base_url: str, header: str, seconds: float) -> None:
    standin_control.fail(base_url, "429", times=1, retry_after=header)
    client = client_for(base_url)
    with pytest.raises(Busy) as busy:  # a second request would have succeeded
        client.look_up(SOMEBODY.number)
    assert busy.value.retry_after == seconds


def test_busy_may_say_nothing_of_a_wait(base_url: str) -> None:
    standin_control.fail(base_url, "429", retry_after=None)
    with pytest.raises(Busy) as busy:
        client_for(base_url).look_up(SOMEBODY.number)
    assert busy.value.retry_after is None


# Tokens


def test_a_withdrawn_token_is_fetched_anew_once(base_url: str, standin: CountingStandin) -> None:
    client = client_for(base_url)
    client.look_up(SOMEBODY.number)
    standin.forget_tokens()
    assert client.look_up(SOMEBODY.number) == SOMEBODY.record()
    assert standin.asked == ["token", "person", "person", "token", "person"]


def test_a_token_is_used_until_shortly_before_its_end(base_url: str, standin: CountingStandin) -> None:
    now = 1000.0
    tokens = tokens_for(base_url, clock=lambda: now)
    first = tokens.token()
    now += 100.0
    assert tokens.token() == first
    now += 10.0
    assert tokens.token() != first
    assert standin.asked == ["token", "token"]


def test_dropping_an_old_token_keeps_the_new_one(base_url: str) -> None:
    tokens = tokens_for(base_url)
    first = tokens.token()
    tokens.drop(first)
    second = tokens.token()
    tokens.drop(first)
    assert tokens.token() == second != first


@pytest.mark.parametrize(
    "changes",
    [{"client_id": "en annen"}, {"key_id": "en annen"}, {"key_pem": new_key_pem()}, {"scope": "annet"}],
)
def test_a_client_that_is_not_known_is_refused(base_url: str, changes: dict[str, object]) -> None:
    client = client_for(base_url, tokens=tokens_for(base_url, **changes))
    with pytest.raises(AccessDenied):
        client.look_up(SOMEBODY.number)


# The breaker


def test_after_enough_failures_the_register_is_left_alone_for_a_while(base_url: str, standin: CountingStandin) -> None:
    now = 0.0
    client = client_for(base_url, breaker=CircuitBreaker(threshold=5, cool_down=5.0, clock=lambda: now))
    standin_control.fail(base_url, "broken")
    for _ in range(5):
        with pytest.raises(Unavailable):
            client.look_up(SOMEBODY.number)
    standin_control.heal(base_url)
    standin.asked.clear()
    with pytest.raises(Unavailable, match="not asked"):
        client.look_up(SOMEBODY.number)
    assert "person" not in standin.asked
    now += 5.0
    assert client.look_up(SOMEBODY.number) == SOMEBODY.record()
    assert client.look_up(SOMEBODY.number) == SOMEBODY.record()


def test_refusals_do_not_open_the_breaker(base_url: str) -> None:
    client = client_for(base_url)
    for _ in range(6):
        with pytest.raises(NotFound):
            client.look_up(UNKNOWN)
    assert client.look_up(SOMEBODY.number) == SOMEBODY.record()


# Nothing personal comes out


@pytest.mark.parametrize("kind", [kind for kind, _ in FAILURES])
def test_neither_logs_nor_errors_hold_the_number_or_the_token(
    base_url: str, kind: standin_control.Kind, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tokens = tokens_for(base_url)
    client = client_for(base_url, tokens=tokens)
    client.look_up(SOMEBODY.number)
    token = tokens.token()
    standin_control.fail(base_url, kind)
    with pytest.raises(RegisterError) as caught:
        client.look_up(SOMEBODY.number)
    assert SOMEBODY.number not in f"{caught.value} {caught.value!r}"
    assert caught.value.__context__ is None  # nor does a chained error tell more
    assert "personer/<number>" in caplog.text  # urllib3 does log the path
    assert SOMEBODY.number not in caplog.text
    assert token not in caplog.text


def test_the_record_does_not_show_itself() -> None:
    record = SOMEBODY.record()
    shown = f"{record} {record!r}"
    assert SOMEBODY.number not in shown
    assert SOMEBODY.last_name not in shown


def test_full_name() -> None:
    assert PersonRecord("1", first_name="Áile", middle_name="Å", last_name="Øst").full_name == "Áile Å Øst"
    assert PersonRecord("1", first_name="Áile", last_name="Øst").full_name == "Áile Øst"
    assert PersonRecord("1").full_name == ""
