"""The programme time, compared with a computation day by day."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.listing.criteria import months_before
from services.questions.programme_time import duration_start, months_on, programme_time

DAYS = st.dates(date(2015, 1, 1), date(2029, 12, 31))
LEAVES = st.lists(
    st.tuples(DAYS, st.integers(0, 400)).map(lambda one: (one[0], one[0] + timedelta(days=one[1]))), max_size=4
)


def values(start: date, leaves: list[tuple[date, date]], today: date, **more: str) -> dict[str, object]:
    """Answers as from the pages."""
    rows = [{"from_date": first, "to_date": last} for first, last in leaves]
    return {"start_date": start, "leaves": rows, "today": today, **more}


@given(DAYS, LEAVES, DAYS)
def test_the_last_day_is_the_last_that_the_overview_does_not_count_as_over(
    start: date, leaves: list[tuple[date, date]], today: date
) -> None:
    for more, months in (
        ({}, 24),
        ({"extension": "yes"}, 36),
        ({"extension": "yes", "extra_year": "yes", "literacy": "missing"}, 48),
        ({"extension": "yes", "extra_year": "yes", "literacy": "good"}, 36),
        ({"extension": "no", "extra_year": "yes", "literacy": "missing"}, 24),
    ):
        time = programme_time(values(start, leaves, today, **more))
        assert time is not None
        assert time.months == months
        begins = duration_start(start, leaves)
        assert begins > months_before(time.last_day, months)
        assert begins <= months_before(time.last_day + timedelta(days=1), months)
        assert time.is_over == (begins <= months_before(today, months))


@given(DAYS, LEAVES)
def test_each_day_of_permisjon_after_oppstart_counts_once(start: date, leaves: list[tuple[date, date]]) -> None:
    away, day = 0, start
    while day <= date(2031, 12, 31):
        away += any(first <= day <= last for first, last in leaves)
        day += timedelta(days=1)
    assert duration_start(start, leaves) == start + timedelta(days=away)


def test_what_is_said_before_and_after_the_end() -> None:
    start = date(2025, 3, 15)
    for today, soon, over in (
        (date(2026, 12, 14), False, False),
        (date(2026, 12, 15), True, False),
        (date(2027, 3, 14), True, False),
        (date(2027, 3, 15), False, True),
    ):
        time = programme_time(values(start, [], today))
        assert time is not None
        assert (time.last_day, time.is_soon, time.is_over) == (date(2027, 3, 14), soon, over)
    left = programme_time({**values(start, [], date(2027, 6, 1)), "end_date": date(2027, 2, 1)})
    assert left is not None
    assert (left.has_passed, left.is_over) == (True, False)
    assert programme_time({"today": start}) is None


def test_a_day_that_a_month_does_not_have() -> None:
    assert months_on(date(2024, 2, 29), 24) == date(2026, 3, 1)
    assert months_on(date(2024, 2, 29), 48) == date(2028, 2, 29)
    assert months_on(date(2024, 12, 31), 2) == date(2025, 3, 1)
