"""Parsing and formatting of days and months: dd.mm.åååå and mm.åååå.

Accepted, with the month also as a word: 1.2.2026, 1.2.26, 01.02.26, 1/2-2026, 1. 2. 2026, 01022026, 010226, 2026-02-01;
6.2022, 06/2022, 6.22, 062022, 2022-06. The day comes before the month, and both before the year, unless a year of four
digits comes first. Ambiguous values are refused: a month without a separator has a year of four digits (0612 and 010622
are refused).

A year of two digits is at most five years ahead of today, otherwise in the last century.
"""

import re
from datetime import date, datetime

from services.core.clock import OSLO_TIME
from services.core.text import plain_line

AHEAD = 5  # years that a year of two digits may be ahead
_BETWEEN = r"[.,/ -]+"
_YEAR = r"(?P<year>[0-9]{4}|[0-9]{2})"
_MONTH = r"(?P<month>[0-9]{1,2}|[a-z]{3,9}\.?)"
_DAYS = (
    re.compile(rf"(?P<day>[0-9]{{1,2}}){_BETWEEN}{_MONTH}{_BETWEEN}{_YEAR}"),
    re.compile(rf"(?P<day>[0-9]{{2}})(?P<month>[0-9]{{2}}){_YEAR}"),
    re.compile(rf"(?P<year>[0-9]{{4}}){_BETWEEN}(?P<month>[0-9]{{1,2}}){_BETWEEN}(?P<day>[0-9]{{1,2}})"),
)
_MONTHS = (
    re.compile(rf"{_MONTH}{_BETWEEN}{_YEAR}"),
    re.compile(r"(?P<month>[0-9]{2})(?P<year>[0-9]{4})"),
    re.compile(rf"(?P<year>[0-9]{{4}}){_BETWEEN}(?P<month>[0-9]{{1,2}})"),
)
_NAMES = (
    "januar",
    "februar",
    "mars",
    "april",
    "mai",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "desember",
)


def parse_date(given: str, today: date) -> date | None:
    """Parse a day; `None` if it is not one, or does not exist."""
    return _read(_DAYS, given, today)


def parse_month(given: str, today: date) -> date | None:
    """Parse a month; returns its first day, or `None`."""
    return _read(_MONTHS, given, today)


def _read(forms: tuple[re.Pattern[str], ...], given: str, today: date) -> date | None:
    line = plain_line(given).lower()
    match = next(filter(None, (form.fullmatch(line) for form in forms)), None)
    if match is None:
        return None
    parts = {"day": "1", **match.groupdict()}
    month = _month(parts["month"])
    try:
        return date(_year(parts["year"], today), month, int(parts["day"]))
    except ValueError:
        return None


def _month(typed: str) -> int:
    """The number of a month typed as a number, a name or the beginning of a name; 0 if it is none."""
    if typed.isdecimal():
        return int(typed)
    word = typed.removesuffix(".")
    return next((n for n, name in enumerate(_NAMES, start=1) if name.startswith(word)), 0)


def _year(typed: str, today: date) -> int:
    if len(typed) == 4:
        return int(typed)
    in_this_century = 2000 + int(typed)
    return in_this_century if in_this_century <= today.year + AHEAD else in_this_century - 100


def date_text(day: date | None) -> str:
    """Format a day as `dd.mm.åååå`; '' for None."""
    return "" if day is None else f"{day.day:02}.{day.month:02}.{day.year:04}"


def month_text(month: date | None) -> str:
    """Format a month as `mm.åååå`; '' for None."""
    return "" if month is None else f"{month.month:02}.{month.year:04}"


def norwegian_day(moment: datetime | None) -> date | None:
    """The date in Norway at a moment."""
    return moment.astimezone(OSLO_TIME).date() if moment else None


def moment_date(moment: datetime | None) -> str:
    """Format a moment's date in Norway as dd.mm.åååå; '' for None."""
    return date_text(norwegian_day(moment))
