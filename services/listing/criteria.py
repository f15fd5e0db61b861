"""The criteria of the participant list (guide 3.7, domain section 4), as conditions on its table."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, and_, false, literal_column, or_
from sqlalchemy.orm import InstrumentedAttribute

from services.access.viewer import OSLO
from services.core.clock import midnight
from services.core.code_lists import district_key
from services.core.status import Status
from services.listing.search_terms import Term
from services.tables.participants import Participation

OPEN_STATUSES = (Status.CREATED, Status.CHANGED, Status.ENDED)
FUNDINGS = ("ordinary", "per_capita")
MISSING_PAGES = ("background", "programme", "termination")
LONG_STAYS = (24, 36, 48)  # months
_P = Participation
_ZERO: ColumnElement[int] = literal_column("0")  # as a literal, as in the partial indexes
_MISSING = {
    "background": _P.background_missing,
    "programme": _P.programme_missing,
    "termination": _P.termination_missing,
}


@dataclass(frozen=True)
class Span:
    """A range of days, both included; `None` leaves that end open."""

    first: date | None = None
    last: date | None = None

    def __bool__(self) -> bool:
        return self.first is not None or self.last is not None


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """The criteria of the list. Empty ones do not filter; several values of one criterion are alternatives.

    `period`: took part on some of these days. `missing`: pages with missing fields. `months`: still in the programme
    after so many. `terms`: the search; `None` without one.
    """

    municipalities: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()
    fundings: tuple[str, ...] = ()
    period: Span = field(default_factory=Span)
    start: Span = field(default_factory=Span)
    end: Span = field(default_factory=Span)
    changed: Span = field(default_factory=Span)
    changed_by: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    months: int | None = None
    terms: tuple[Term, ...] | None = None

    @property
    def is_plain(self) -> bool:
        """True if only municipality and status are filtered, which the table of counts covers."""
        return self == Criteria(municipalities=self.municipalities, statuses=self.statuses)

    @property
    def places(self) -> tuple[str, ...] | None:
        """The municipalities selected; `None` for all. Bydeler are Oslo's."""
        if not self.districts:
            return self.municipalities or None
        return (OSLO,) if not self.municipalities or OSLO in self.municipalities else ()

    @property
    def open_statuses(self) -> tuple[Status, ...]:
        """The statuses selected, without Utskrevet; all three by default."""
        return tuple(s for s in OPEN_STATUSES if s in self.statuses) if self.statuses else OPEN_STATUSES

    @property
    def with_discharged(self) -> bool:
        """True if discharged participants are included, which must be requested (guide 3.1)."""
        return Status.DISCHARGED in self.statuses

    def without_terms(self) -> "Criteria":
        """The criteria without the search."""
        return replace(self, terms=None)


def months_before(day: date, months: int) -> date:
    """The same day of the month so many months earlier, or the last of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


Rule: TypeAlias = tuple[InstrumentedAttribute[Any] | None, ColumnElement[bool]]


def conditions(criteria: Criteria, day: date) -> Iterator[Rule]:
    """The conditions beside municipality, status and search: each with its column if the list can be sorted by it.
    `day`: today."""
    yield from _chosen(criteria)
    for column, span in ((_P.start_date, criteria.start), (_P.end_date, criteria.end)):
        if span:
            yield column, _within(column, span.first, span.last)
    if criteria.changed:
        yield _P.changed_at, _moments(criteria.changed)
    if criteria.period.last:
        yield _P.start_date, _P.start_date <= criteria.period.last
    if criteria.period.first:
        yield None, _there_after(criteria.period.first)
    if criteria.months:
        yield None, and_(_P.duration_start <= months_before(day, criteria.months), _there_after(day))


def _chosen(criteria: Criteria) -> Iterator[Rule]:
    if criteria.districts:
        yield _P.district_key, _P.district_key.in_([district_key(number) for number in criteria.districts])
    if criteria.fundings:
        yield None, _P.funding.in_(criteria.fundings)
    if criteria.changed_by:
        yield _P.changed_by, _P.changed_by.in_(criteria.changed_by)
    if criteria.missing:
        yield None, or_(*(_MISSING[page] > _ZERO for page in criteria.missing))


def _there_after(day: date) -> ColumnElement[bool]:
    """The condition that a participant takes part on that day or later."""
    return or_(_P.end_date.is_(None), _P.end_date >= day)


def _within(column: InstrumentedAttribute[Any], first: Any, last: Any) -> ColumnElement[bool]:
    bounds = [column >= first] if first else []
    bounds += [column <= last] if last else []
    return and_(*bounds)


def _moments(days: Span) -> ColumnElement[bool]:
    """The condition that a change falls on days in Norway: the last day ends where the next begins."""
    bounds = [_P.changed_at >= midnight(days.first)] if days.first else []
    bounds += [_P.changed_at < midnight(days.last + timedelta(days=1))] if days.last else []
    return and_(*bounds)


def status_condition(criteria: Criteria, *, discharged: bool) -> ColumnElement[bool] | None:
    """The condition for the statuses, among open or discharged participations; `None` if all are selected."""
    if discharged or criteria.open_statuses == OPEN_STATUSES:
        return None
    return _P.status.in_(criteria.open_statuses) if criteria.open_statuses else false()
