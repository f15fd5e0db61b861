"""The client of PAD, over HTTP against its stand-in, and the choice of the best results."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wrappers import Request, Response

from services.registers.errors import AccessDenied, Busy, NotFound, RegisterError, Unavailable, WrongNumber
from services.registers.http import CircuitBreaker
from services.registers.pad import PadClient, TestResult, best_per_part, newest_first
from services.registers.pad.client import CITIZENSHIP_TEST, CIVICS_TEST, LEVELS, NORWEGIAN_TEST, PARTS, TESTS
from services.standins import control as standin_control
from services.standins.pad import PadStandin, results_of
from services.standins.population import people, persons
from services.standins.server import StandinServer, json_answer

WITH_RESULTS = next(person for person in persons(50) if results_of(person))
UNKNOWN = "03851598730"


@pytest.fixture(scope="module")
def server() -> Iterator[StandinServer]:
    people()
    server = StandinServer(PadStandin())
    yield server
    server.stop()


@pytest.fixture
def base_url(server: StandinServer) -> Iterator[str]:
    yield server.base_url
    standin_control.heal(server.base_url)


def test_the_results_of_people_are_read_as_they_are(base_url: str) -> None:
    client = PadClient(base_url=base_url)
    for person in people()[:80]:
        assert client.results(person.number) == results_of(person)


def test_an_old_number_has_the_same_results(base_url: str) -> None:
    client = PadClient(base_url=base_url)
    person = next(person for person in persons(50, "replaced") if results_of(person))
    assert client.results(person.number) == client.results(person.current_number) == results_of(person)


def test_somebody_without_results_has_an_empty_list(base_url: str) -> None:
    client = PadClient(base_url=base_url)
    person = next(person for person in persons(50) if not results_of(person))
    assert client.results(person.number) == []
    assert client.results(UNKNOWN) == []


def test_nothing_is_kept_from_one_question_to_the_next(base_url: str) -> None:
    client = PadClient(base_url=base_url)
    assert client.results(WITH_RESULTS.number)
    standin_control.fail(base_url, "403")
    with pytest.raises(AccessDenied):
        client.results(WITH_RESULTS.number)


@pytest.mark.parametrize("text", ["20036914712", "", "123", "0385159873x"])
def test_a_wrong_number(base_url: str, text: str) -> None:
    with pytest.raises(WrongNumber):
        PadClient(base_url=base_url).results(text)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("401", AccessDenied),
        ("403", AccessDenied),
        ("429", Busy),
        ("500", Unavailable),
        ("html", Unavailable),
        ("broken", Unavailable),
        ("refuse", Unavailable),
    ],
)
def test_each_failure_has_its_own_error_tells_no_number_and_passes(
    base_url: str,
    kind: standin_control.Kind,
    error: type[RegisterError],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    client = PadClient(base_url=base_url)
    standin_control.fail(base_url, kind, WITH_RESULTS.number)
    assert client.results(UNKNOWN) == []
    with pytest.raises(error) as caught:
        client.results(WITH_RESULTS.number)
    standin_control.heal(base_url)
    assert client.results(WITH_RESULTS.number)
    assert caught.value.__context__ is None
    assert WITH_RESULTS.number not in f"{caught.value!r} {caplog.text}"


def test_a_slow_register_is_given_up(base_url: str) -> None:
    standin_control.fail(base_url, "slow")
    with pytest.raises(Unavailable):
        PadClient(base_url=base_url, timeout=(2.0, 0.3)).results(WITH_RESULTS.number)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Unavailable):
        PadClient(base_url=url).results(WITH_RESULTS.number)


@pytest.mark.parametrize("kind", ["500", "refuse"])
def test_what_fails_once_is_asked_again(base_url: str, kind: standin_control.Kind) -> None:
    standin_control.fail(base_url, kind, times=1)
    assert PadClient(base_url=base_url).results(WITH_RESULTS.number) == results_of(WITH_RESULTS)


def test_the_wait_is_in_seconds(base_url: str) -> None:
    standin_control.fail(base_url, "429", retry_after="200")
    with pytest.raises(Busy) as busy:
        PadClient(base_url=base_url).results(WITH_RESULTS.number)
    assert busy.value.retry_after == 200.0


def test_the_breaker_of_one_register_is_not_that_of_another(base_url: str) -> None:
    broken = PadClient(base_url=base_url, breaker=CircuitBreaker(threshold=1))
    standin_control.fail(base_url, "broken", times=1)
    for _ in range(2):
        with pytest.raises(Unavailable):
            broken.results(WITH_RESULTS.number)
    assert PadClient(base_url=base_url).results(WITH_RESULTS.number)


class Canned(PadStandin):
    """A stand-in with a predetermined response."""

    def __init__(self, body: object, status: int = 200) -> None:
        super().__init__()
        self.canned = body, status

    def answer(self, request: Request) -> Response:
        return json_answer(*self.canned)


GOOD = {"prove": NORWEGIAN_TEST, "delprove": "lese", "dato": "2024-02-29", "resultat": "A2", "spraakform": None}


def ask(body: object, status: int = 200) -> list[TestResult]:
    server = StandinServer(Canned(body, status))
    try:
        return PadClient(base_url=server.base_url).results(UNKNOWN)
    finally:
        server.stop()


def test_unknown_fields_are_ignored_and_missing_texts_are_none() -> None:
    expected = TestResult(NORWEGIAN_TEST, "lese", date(2024, 2, 29), "A2", None)
    assert ask([GOOD | {"nytt": {"a": 1}, "spraakform": " "}]) == [expected]


@pytest.mark.parametrize(
    "body",
    [
        {},
        None,
        "[]",
        {"resultater": []},
        ["A2"],
        [None],
        [GOOD | {"dato": "2023-02-29"}],
        [GOOD | {"dato": "20240229"}],
        [GOOD | {"dato": 2024}],
        [GOOD | {"prove": ""}],
        [GOOD | {"resultat": None}],
        [GOOD | {"delprove": ["lese"]}],
        [GOOD, {}],
    ],
)
def test_other_shapes_are_unavailable_never_no_results(body: object) -> None:
    with pytest.raises(Unavailable):
        ask(body)


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"kode": "PAD-404", "melding": "Ukjent"}, 404, NotFound),
        ({"kode": "PAD-400", "melding": "Feil"}, 400, WrongNumber),
        ({"error": "Not Found", "path": "/resultater"}, 404, Unavailable),
        ([], 400, Unavailable),
        ({"kode": "PAD-410", "melding": "Borte"}, 410, Unavailable),
    ],
)
def test_refusals_count_in_the_own_words_of_pad_alone(body: object, status: int, error: type[RegisterError]) -> None:
    with pytest.raises(error):
        ask(body, status)


# The best of each part


def result(level: str, day: str, *, part: str | None = "lese", test: str = NORWEGIAN_TEST) -> TestResult:
    return TestResult(test, part, date.fromisoformat(day), level, "bokmål")


def test_the_best_counts_not_the_newest() -> None:
    results = [result("A2", "2022-01-01"), result("B1", "2023-01-01"), result("A1", "2024-01-01")]
    assert best_per_part(results) == [results[1]]


def test_of_equals_the_newest_counts() -> None:
    results = [result("A2", "2022-01-01"), result("A2", "2024-01-01"), result("A2", "2023-01-01")]
    assert best_per_part(results) == [results[1]]


def test_passed_beats_failed_and_an_unknown_result_beats_nothing() -> None:
    passed = result("Bestått", "2020-01-01", part=None, test=CIVICS_TEST)
    failed = result("Ikke bestått", "2024-01-01", part=None, test=CIVICS_TEST)
    odd = result("Avbrutt", "2025-01-01", part=None, test=CIVICS_TEST)
    assert best_per_part([failed, passed, odd]) == [passed]
    assert best_per_part([odd, failed]) == [failed]
    assert best_per_part([odd]) == [odd]


def test_tests_and_parts_stand_in_their_own_order_and_others_after_them() -> None:
    day = "2024-01-01"
    ordered = [
        *(result("A1", day, part=part) for part in PARTS),
        result("Bestått", day, part=None, test=CIVICS_TEST),
        result("Bestått", day, part=None, test=CITIZENSHIP_TEST),
        result("B2", day, part=None, test="Bergenstesten"),
    ]
    assert best_per_part(ordered[::-1]) == ordered
    assert newest_first(ordered[::-1]) == ordered
    assert best_per_part([]) == []


results_strategy = st.lists(
    st.builds(
        TestResult,
        test=st.sampled_from(TESTS),
        part=st.sampled_from([*PARTS, None]),
        date=st.dates(date(2015, 1, 1), date(2026, 1, 1)),
        result=st.sampled_from([*LEVELS, "Bestått", "Ikke bestått", "C1"]),
        written_form=st.sampled_from(["bokmål", "nynorsk", None]),
    ),
    max_size=12,
)


@given(results_strategy)
def test_every_part_is_there_once_with_nothing_better_left_out(results: list[TestResult]) -> None:
    best = best_per_part(results)
    parts = [(each.test, each.part) for each in best]
    assert sorted(parts, key=str) == sorted({(each.test, each.part) for each in results}, key=str)
    order = [*LEVELS, "Ikke bestått", "Bestått", "C1"]
    for one in best:
        rivals = [each for each in results if (each.test, each.part) == (one.test, one.part)]
        assert max(order.index(each.result) for each in rivals) == order.index(one.result)
    assert best_per_part(best) == best


# The seeded results


def test_about_sixty_percent_have_results_of_the_known_kinds() -> None:
    sample = list(persons(1000))
    lists = [results_of(person) for person in sample]
    assert 0.5 < sum(map(bool, lists)) / len(lists) < 0.7
    every = [each for results in lists for each in results]
    assert {each.test for each in every} == set(TESTS)
    assert {each.part for each in every} == {*PARTS, None}
    assert {each.result for each in every} == {*LEVELS, "Bestått", "Ikke bestått", "C1"}
    assert {each.written_form for each in every} == {"bokmål", "nynorsk", None}
    assert lists == [results_of(person) for person in sample]


def test_nobody_is_tested_before_she_came_and_the_newest_stand_first() -> None:
    for person in persons(500):
        results = results_of(person)
        if person.arrivals and results:
            assert min(each.date for each in results) >= person.arrivals[0].day + timedelta(days=1)
        assert all(first.date >= second.date for first, second in pairwise(results))
