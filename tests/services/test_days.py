"""Parsing days and months. «Today» is given, so that the tests do not depend on the year."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.days import date_text, month_text, parse_date, parse_month

TODAY = date(2026, 11, 30)
FIRST_OF_FEBRUARY = date(2026, 2, 1)
DAYS = st.dates(date(1950, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    "typed",
    [
        "01.02.2026",
        "1.2.2026",
        "1.2.26",
        "01.02.26",
        "010226",
        "01022026",
        "1/2-2026",
        "1/2-26",
        "1/2/26",
        "1-2-2026",
        "1–2–2026",
        "1. 2. 2026",
        "1 2 2026",
        "1,2,2026",
        "2026-02-01",
        "2026-2-1",
        "2026/02/01",
        "2026.02.01",
        "1. februar 2026",
        "1.feb.26",
        "1. FEBR. 2026",
        "\ufeff01.02.2026\u200b",
        "01\u00a002\u00a02026",
        "０１．０２．２０２６",
        "٠١.٠٢.٢٠٢٦",
    ],
)
def test_a_day(typed: str) -> None:
    assert parse_date(typed, TODAY) == FIRST_OF_FEBRUARY


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "31.02.2026",
        "29.02.2025",
        "290225",
        "00.01.2026",
        "1.13.2026",
        "0102",
        "1.2.",
        "1.2.2",
        "1.2.026",
        "10226",
        "1022026",
        "20260201",
        "-1.2.2026",
        "\u22121.2.2026",
        "1.2.-",
        "1.2.2026x",
        "²1.2.2026",
        "1. foo 2026",
        "1. ju 2026",
        "2026",
    ],
)
def test_no_day(typed: str) -> None:
    assert parse_date(typed, TODAY) is None


@pytest.mark.parametrize(
    "typed", ["06.2022", "6.2022", "062022", "6.22", "06.22", "6/22", "06/2022", "6-2022", "6 2022"]
)
def test_a_month(typed: str) -> None:
    assert parse_month(typed, TODAY) == date(2022, 6, 1)


@pytest.mark.parametrize(
    "typed", ["2022-06", "2022-6", "2022/06", "juni 2022", "Jun. 22", "\u200e０６２０２２", "06\u00a02022"]
)
def test_a_month_otherwise_typed(typed: str) -> None:
    assert parse_month(typed, TODAY) == date(2022, 6, 1)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "0622",  # the sixth month, or the sixth of the twenty-second?
        "2206",
        "2022",
        "202206",  # ambiguous: 20 December 2006 could be 201206
        "201206",
        "62022",
        "13.2022",
        "00.2022",
        "132022",
        "01.06.2022",  # a day
        "2022-06-01",
        "6.022",
        "-6.2022",
        "6",
    ],
)
def test_no_month(typed: str) -> None:
    assert parse_month(typed, TODAY) is None


def test_six_digits_of_a_day_are_no_month() -> None:
    """They are read as a year long ago, which no field accepts."""
    read = parse_month("010622", TODAY)
    assert read == date(622, 1, 1)


@pytest.mark.parametrize(
    ("year", "wanted"), [("00", 2000), ("26", 2026), ("31", 2031), ("32", 1932), ("50", 1950), ("99", 1999)]
)
def test_the_century_of_a_year_of_two_digits(year: str, wanted: int) -> None:
    for typed in (f"1.2.{year}", f"0102{year}"):
        assert parse_date(typed, TODAY) == date(wanted, 2, 1)
    assert parse_month(f"2.{year}", TODAY) == date(wanted, 2, 1)


@given(DAYS, DAYS)
def test_the_rule_of_five_years_on_every_day(day: date, today: date) -> None:
    if 2000 <= today.year < 2095:
        read = parse_date(f"{day:%d%m%y}", today)
        assert read is None or (today.year - 95 < read.year <= today.year + 5 and read.year % 100 == day.year % 100)


@given(DAYS, st.integers(-20_000, 20_000))
def test_what_is_shown_is_read_whatever_day_it_is(day: date, away: int) -> None:
    today = TODAY + timedelta(days=away)
    for typed in (date_text(day), day.isoformat(), f"{day:%d%m%Y}", f"{day.day}/{day.month}-{day.year}"):
        assert parse_date(typed, today) == day
    month = day.replace(day=1)
    for typed in (month_text(month), f"{day:%Y-%m}", f"{day:%m%Y}", f"{day.month}/{day.year}"):
        assert parse_month(typed, today) == month


@given(st.text("0123456789", max_size=9))
def test_digits_alone_mean_one_thing_at_most(typed: str) -> None:
    """Typed on a numeric keypad: ddmmåååå or ddmmåå, and mmåååå."""
    assert parse_date(typed, TODAY) is None or len(typed) in {6, 8}
    assert parse_month(typed, TODAY) is None or len(typed) == 6
