"""The length of the programme: up to 24 months from oppstart, 36 when prolonged, 48 for participants without basic
reading and writing; days of permisjon are not counted (domain, sections 1 and 5)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from services.questions.fields import Values

ORDINARY, PROLONGED, LONGEST = 24, 36, 48  # months
SOON = 3  # months before the end, for the warning


@dataclass(frozen=True)
class Stay:
    """A stay in the programme: the municipality, the first day and, if known, the last day."""

    municipality_number: str
    start: date
    end: date | None


def duration_start(start: date, leaves: Iterable[tuple[date, date]]) -> date:
    """The day from which months in the programme are counted: oppstart, later by the days of permisjon (first and last
    day of each). A day in two permisjoner counts once."""
    return start + timedelta(days=_days_away(start, leaves))


def _days_away(start: date, leaves: Iterable[tuple[date, date]]) -> int:
    away: set[int] = set()
    for first, last in leaves:
        away.update(range(max(first, start).toordinal(), last.toordinal() + 1))
    return len(away)


def months_on(day: date, months: int) -> date:
    """The same day so many months later; the first of the next month if there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        return day.replace(year=year, month=month + 1)
    except ValueError:
        year, month = divmod(year * 12 + month + 1, 12)
        return date(year, month + 1, 1)


def months_between(start: date, day: date) -> int:
    """Whole months from one day to another."""
    return (day.year - start.year) * 12 + day.month - start.month - (day.day < start.day)


@dataclass(frozen=True)
class ProgrammeTime:
    """The programme time of a participant: `months` from `start`, plus `days_away` of permisjon. `last_day`: its last
    day; `has_passed`: that day is over; `is_soon`: less than three months are left; `is_over`: the participant takes
    part longer than allowed. The latter two are False after the participant has left."""

    start: date
    months: int
    days_away: int
    last_day: date
    has_passed: bool
    is_soon: bool
    is_over: bool


def programme_time(values: Values) -> ProgrammeTime | None:
    """The programme time by the answers; `None` without oppstart."""
    start: date | None = values.get("start_date")
    if start is None:
        return None
    away = _days_away(start, _leaves(values))
    months = _months(values)
    first_after = months_on(start + timedelta(days=away), months)
    end, today = values.get("end_date"), values["today"]
    has_left = end is not None and end <= today
    return ProgrammeTime(
        start=start,
        months=months,
        days_away=away,
        last_day=first_after - timedelta(days=1),
        has_passed=today >= first_after,
        is_soon=not has_left and today < first_after <= months_on(today, SOON),
        is_over=not has_left and today >= first_after,
    )


def months_served(values: Values) -> int:
    """Whole months in the programme until today, without permisjon; 0 without oppstart."""
    start = values.get("start_date")
    return months_between(duration_start(start, _leaves(values)), values["today"]) if start else 0


def _months(values: Values) -> int:
    if values.get("extension") != "yes":
        return ORDINARY
    return LONGEST if values.get("extra_year") == "yes" and values.get("literacy") == "missing" else PROLONGED


def _leaves(values: Values) -> list[tuple[date, date]]:
    return [(row["from_date"], row["to_date"]) for row in values.get("leaves") or []]
