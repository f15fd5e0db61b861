"""Counting months and days of permisjon, and properties of criteria."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.access.viewer import OSLO
from services.core.status import Status
from services.listing.criteria import FUNDINGS, LONG_STAYS, OPEN_STATUSES, Criteria, Span, months_before
from services.listing.search_terms import term
from services.questions.programme_time import duration_start

days = st.dates(date(1990, 1, 1), date(2099, 12, 31))


@pytest.mark.parametrize(
    ("day", "months", "wanted"),
    [
        (date(2026, 11, 24), 24, date(2024, 11, 24)),
        (date(2026, 11, 24), 36, date(2023, 11, 24)),
        (date(2026, 1, 1), 1, date(2025, 12, 1)),
        (date(2026, 12, 31), 12, date(2025, 12, 31)),
        (date(2026, 12, 31), 1, date(2026, 11, 30)),
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2024, 3, 31), 1, date(2024, 2, 29)),
        (date(2028, 2, 29), 24, date(2026, 2, 28)),
        (date(2028, 2, 29), 48, date(2024, 2, 29)),
        (date(2026, 2, 28), 24, date(2024, 2, 28)),
        (date(2026, 3, 1), 24, date(2024, 3, 1)),
        (date(2026, 5, 5), 0, date(2026, 5, 5)),
    ],
)
def test_months_before(day: date, months: int, wanted: date) -> None:
    assert months_before(day, months) == wanted


@given(days, st.integers(0, 120))
def test_months_before_is_in_the_month_that_it_says(day: date, months: int) -> None:
    before = months_before(day, months)
    assert (day.year * 12 + day.month) - (before.year * 12 + before.month) == months
    assert before.day == day.day or (before.day < day.day and (before + timedelta(days=1)).day == 1)


@given(days, st.sampled_from(LONG_STAYS))
def test_who_has_been_there_long_enough_stays_so(day: date, months: int) -> None:
    assert months_before(day, months) <= months_before(day + timedelta(days=1), months)
    assert months_before(day, months) > months_before(day, months + 12)


START = date(2024, 2, 1)


def leave(first: int, last: int) -> tuple[date, date]:
    """Permisjon from so many days after oppstart to so many."""
    return START + timedelta(days=first), START + timedelta(days=last)


@pytest.mark.parametrize(
    ("leaves", "moved"),
    [
        ([], 0),
        ([(10, 10)], 1),
        ([(10, 19)], 10),
        ([(10, 19), (30, 34)], 15),
        ([(10, 19), (15, 24)], 15),
        ([(10, 19), (10, 19)], 10),
        ([(10, 39), (15, 20)], 30),
        ([(10, 19), (20, 29)], 20),
        ([(-20, -1)], 0),
        ([(-20, 0)], 1),
        ([(-20, 4), (3, 6)], 7),
        ([(9, 5)], 0),
    ],
)
def test_days_of_leave_move_the_beginning_each_once(leaves: list[tuple[int, int]], moved: int) -> None:
    assert duration_start(START, [leave(*one) for one in leaves]) == START + timedelta(days=moved)


@given(st.lists(st.tuples(st.integers(-50, 400), st.integers(0, 90)), max_size=6))
def test_leaves_in_any_order_and_cut_anyhow(spans: list[tuple[int, int]]) -> None:
    whole = [leave(first, first + length) for first, length in spans]
    cut = [leave(day, day) for first, length in spans for day in range(first, first + length + 1)]
    wanted = duration_start(START, whole)
    assert duration_start(START, reversed(whole)) == wanted
    assert duration_start(START, cut) == wanted
    assert START <= wanted <= START + timedelta(days=sum(length + 1 for _first, length in spans))


def test_a_span_is_there_with_one_end() -> None:
    assert not Span()
    assert Span(first=START)
    assert Span(last=START)


def test_the_plain_criteria_are_those_that_the_counts_know() -> None:
    assert Criteria().is_plain
    assert Criteria(municipalities=("0301",), statuses=(Status.ENDED, Status.DISCHARGED)).is_plain
    others = [
        Criteria(districts=("030101",)),
        Criteria(fundings=FUNDINGS[:1]),
        Criteria(period=Span(first=START)),
        Criteria(start=Span(last=START)),
        Criteria(end=Span(last=START)),
        Criteria(changed=Span(last=START)),
        Criteria(changed_by=("kari.oslo",)),
        Criteria(missing=("background",)),
        Criteria(months=24),
        Criteria(terms=(term("kari"),)),
        Criteria(terms=()),
    ]
    assert not [one for one in others if one.is_plain]


def test_the_discharged_are_there_when_they_are_asked_for() -> None:
    assert (Criteria().open_statuses, Criteria().with_discharged) == (OPEN_STATUSES, False)
    both = Criteria(statuses=(Status.CREATED, Status.DISCHARGED))
    assert (both.open_statuses, both.with_discharged) == ((Status.CREATED,), True)
    alone = Criteria(statuses=(Status.DISCHARGED,))
    assert (alone.open_statuses, alone.with_discharged) == ((), True)


def test_districts_are_within_oslo() -> None:
    assert Criteria().places is None
    assert Criteria(municipalities=("4601", OSLO)).places == ("4601", OSLO)
    assert Criteria(districts=("030101",)).places == (OSLO,)
    assert Criteria(districts=("030101",), municipalities=("4601", OSLO)).places == (OSLO,)
    assert Criteria(districts=("030101",), municipalities=("4601",)).places == ()
