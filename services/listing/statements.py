"""The SQL statements of the participant list (see `services.listing.paging`)."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache, wraps
from typing import Any, TypeVar, TypeVarTuple

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    and_,
    bindparam,
    false,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute

from services.access.protection_grade import GRADE_OF_ROW
from services.access.viewer import Right, Viewer, unless_protected, visible_to
from services.core.clock import today
from services.core.db import on_sqlite
from services.core.status import Status
from services.listing.columns import LIST_COLUMNS, Order
from services.listing.criteria import Criteria, conditions, status_condition
from services.listing.search_terms import Shape, found_by, hits, question
from services.tables.participants import Participation, ParticipationCount

_Asked = TypeVarTuple("_Asked")
_Made = TypeVar("_Made")
_P = Participation
_MOST_RANGES = 24  # ranges of an index that are merged; more are sorted


# ---- Participants in the list ----


def listed(viewer: Viewer, criteria: Criteria, day: date | None = None) -> ColumnElement[bool]:
    """The condition for participations in the list: visible and matching the criteria (guide 3.1: discharged ones only
    on request)."""
    parts = or_(*_ranges(viewer, criteria, apart=False))
    fits = and_(parts, *(condition for _column, condition in conditions(criteria, day or today())))
    if criteria.terms is None:
        return fits
    search = question(criteria.terms, places_of(viewer, criteria))
    if on_sqlite():
        return and_(fits, _P.id.in_(hits(search.shape, search.values)))
    return and_(fits, found_by(search.shape, search.values))


def places_of(viewer: Viewer, criteria: Criteria) -> tuple[str, ...] | None:
    """The municipalities of the list, `None` for the whole country."""
    chosen = criteria.places
    if viewer.is_national:
        return chosen
    return tuple(place.number for place in viewer.places if chosen is None or place.number in chosen)


def _ranges(viewer: Viewer, criteria: Criteria, *, apart: bool = True) -> list[ColumnElement[bool]]:
    """The contiguous index ranges: open and discharged participations, as requested; with `apart` for each municipality
    separately."""
    places = places_of(viewer, criteria)
    groups: list[Sequence[str] | None] = [[n] for n in places] if apart and places is not None else [places]
    states = [False, True] if criteria.with_discharged else [False]
    if criteria.with_discharged and not criteria.open_statuses:
        states = [True]
    return [_range(viewer, criteria, group, discharged) for group in groups for discharged in states]


def _range(viewer: Viewer, criteria: Criteria, places: Sequence[str] | None, discharged: bool) -> ColumnElement[bool]:
    # A literal: a bound parameter does not help PostgreSQL to choose an index.
    state = _P.discharged == literal_column("true" if discharged else "false")
    status = status_condition(criteria, discharged=discharged)
    return and_(state, visible_to(viewer, places), *([] if status is None else [status]))


# ---- Counts ----

# Statements are built once and cached by their parameters; building one takes as long as executing it. Search values
# are personal and never cached here, only their shape. `day` is today: some criteria count from it.


def _cached(make: Callable[[*_Asked], _Made]) -> Callable[[*_Asked], _Made]:
    """Cache statements separately for each database, since a process may use both. Large searches are not cached."""

    def made(_for_sqlite: bool, *args: *_Asked) -> _Made:
        return make(*args)

    known = lru_cache(maxsize=500)(made)

    @wraps(make)
    def kept(*args: *_Asked) -> _Made:
        if any(isinstance(one, Shape) and one.is_large for one in args):
            return make(*args)
        return known(on_sqlite(), *args)

    return kept


@_cached
def counting(viewer: Viewer, criteria: Criteria, day: date) -> Select[int]:
    """The statement for the number of matching participations."""
    counting = select(func.count()).select_from(_P).where(listed(viewer, criteria, day))
    return _by_facets(counting, viewer, criteria, day)


def changers(viewer: Viewer, criteria: Criteria, day: date) -> Select[Any]:
    """The statement for the user names, among those filtered, that were the last to change a matching participation."""
    if criteria.terms is None:
        return _changers(viewer, criteria, day)
    return select(_P.changed_by).where(listed(viewer, criteria, day)).distinct()


@_cached
def _changers(viewer: Viewer, criteria: Criteria, day: date) -> Select[Any]:
    return select(_P.changed_by).where(listed(viewer, criteria, day)).distinct()


@_cached
def summing(viewer: Viewer, municipalities: tuple[str, ...], statuses: tuple[Status, ...]) -> Select[int]:
    """The statement for the number of participations by municipality and status, from the table that triggers keep."""
    counts, criteria = ParticipationCount.__table__.c, Criteria(municipalities=municipalities, statuses=statuses)
    statuses_counted = [*criteria.open_statuses, *([Status.DISCHARGED] if criteria.with_discharged else ())]
    places = places_of(viewer, criteria)
    found = select(func.sum(counts.number)).where(counts.status.in_(statuses_counted))
    if not viewer.can(Right.READ):
        return found.where(false())
    if places is not None:
        found = found.where(counts.municipality_number.in_(places))
    found = found.where(unless_protected(viewer, counts.protected, counts.municipality_number, places))
    if not viewer.can(Right.SEE_DELETED):
        found = found.where(counts.deleted == false())
    return found


# ---- A page ----

# The columns of a row: the sources of the list's columns, and others needed to show a row.
_SHOWN: tuple[ColumnElement[Any] | InstrumentedAttribute[Any], ...] = (
    _P.id,
    _P.public_id,
    _P.person_id,
    _P.discharged,
    _P.background_missing,
    _P.programme_missing,
    *dict.fromkeys(source for column in LIST_COLUMNS for source in column.sources),
    GRADE_OF_ROW,
)


_IDENTITY: tuple[InstrumentedAttribute[Any], ...] = (_P.national_id, _P.person_id, _P.discharged)


@_cached
def searching(viewer: Viewer, criteria: Criteria, day: date, searched: Shape) -> Select[Any]:
    """The statement for matching participations that a search of that shape finds. PostgreSQL combines the indexes by
    itself; SQLite is made to go from the hits to the rows by id, never the reverse."""
    statement: Select[Any] = select(_P.id.label("id"), *_IDENTITY).where(listed(viewer, criteria, day))
    if not on_sqlite():
        return statement.where(found_by(searched))
    hit = hits(searched).cte("hit").prefix_with("MATERIALIZED")
    one = select(hit.c.id).distinct().subquery("one")
    return statement.join_from(one, _P, _P.id == one.c.id).with_hint(_P, "NOT INDEXED", "sqlite")


# The offset and the number of rows of a page; the number of steps to scan.
_BEFORE, _MOST, _STEPS = (bindparam(name, type_=Integer) for name in ("before", "most", "steps"))


@_cached
def _ordered_scan(
    viewer: Viewer, criteria: Criteria, order: Order, from_the_end: bool, day: date, in_steps: bool
) -> Select[Any]:
    """Scan the whole list by the order's index; returns the ids up to the end of the page, or so many `steps`. Of the
    criteria, only municipality, status and those on the sorted column apply.

    The ranges of several municipalities are merged. SQLite does so incrementally; PostgreSQL needs a limit in each of
    them.
    """
    statement = select(_P.id.label("id"), order.key.label("key")).where(*_narrowing(criteria, order, day))
    ranges = _ranges(viewer, criteria)
    if len(ranges) > _MOST_RANGES:
        ranges = _ranges(viewer, criteria, apart=False)
    parts = [_by_order(statement.where(part), viewer, criteria, order) for part in ranges]
    most = _STEPS if in_steps else _MOST
    clauses = order.clauses(from_the_end=from_the_end)
    if len(parts) == 1:
        return parts[0].order_by(*clauses).limit(most)
    if not on_sqlite():
        parts = [part.order_by(*clauses).limit(most if in_steps else _BEFORE + _MOST) for part in parts]
    merged = union_all(*parts).subquery("merged")
    clauses = order.clauses(merged.c.key, merged.c.id, from_the_end=from_the_end)
    return select(merged.c.id, merged.c.key).order_by(*clauses).limit(most)


def _narrowing(criteria: Criteria, order: Order, day: date) -> list[ColumnElement[bool]]:
    return [condition for column, condition in conditions(criteria, day) if column is order.key]


def _by_order(asked: Any, viewer: Viewer, criteria: Criteria, order: Order) -> Select[Any]:
    """Add a hint to use the order's index."""
    scope = "municipal" if places_of(viewer, criteria) is not None else "national"
    hinted: Select[Any] = asked.with_hint(_P, f"INDEXED BY ix_participation_{scope}_{order.sorted_by.key}", "sqlite")
    return hinted


def is_along(criteria: Criteria, order: Order, day: date) -> bool:
    """True if the order's index covers all criteria: the scan then skips no rows."""
    asked_about = [column for column, _condition in conditions(criteria, day)]
    is_one_range = len(criteria.districts) < 2 and len(criteria.changed_by) < 2
    return is_one_range and all(column is order.key for column in asked_about)


@_cached
def at_once(
    viewer: Viewer, criteria: Criteria, order: Order, from_the_end: bool, day: date, is_near: bool
) -> Select[Any] | None:
    """The rows of a page in one statement, for an order that `is_along`; `None` if two statements are needed. Far from
    the beginning of the index, or if several ranges are merged, the ids come first, since they need the index only;
    SQLite would then sort the rows once more."""
    ranges = _ranges(viewer, criteria)
    if is_near and len(ranges) == 1:
        narrowed = select(*_SHOWN).where(*_narrowing(criteria, order, day), ranges[0])
        statement = _by_order(narrowed, viewer, criteria, order)
        return statement.order_by(*order.clauses(from_the_end=from_the_end)).limit(_MOST).offset(_BEFORE)
    if on_sqlite():
        return None
    return _rows(ids(viewer, criteria, order, from_the_end, day).subquery("page"), order, from_the_end)


def ids(viewer: Viewer, criteria: Criteria, order: Order, from_the_end: bool, day: date) -> Select[Any]:
    """The statement for the ids of a page's rows, in order."""
    return _ordered_scan(viewer, criteria, order, from_the_end, day, False).offset(_BEFORE)


THESE = select(*_SHOWN).where(_P.id.in_(bindparam("ids", expanding=True)))


@_cached
def on_the_way(viewer: Viewer, criteria: Criteria, order: Order, from_the_end: bool, day: date) -> Select[Any]:
    """The statement for a page of matching rows among the first `steps` of the whole list. Neither database scans
    beyond the end of the page: PostgreSQL knows that `first` is in order, and SQLite reads it row by row, as long as
    nothing has to be sorted or joined."""
    first = _ordered_scan(viewer, criteria, order, from_the_end, day, True).subquery("first")
    fits = [condition for _column, condition in conditions(criteria, day)]
    if on_sqlite():
        who_fit = select(first.c.id, first.c.key).where(select(_P.id).where(_P.id == first.c.id, *fits).exists())
        return _rows(who_fit.limit(_MOST).offset(_BEFORE).subquery("page"), order, from_the_end)
    return _rows(first, order, from_the_end).where(*fits).limit(_MOST).offset(_BEFORE)


@_cached
def finding(
    viewer: Viewer, criteria: Criteria, order: Order, from_the_end: bool, day: date, searched: Shape | None
) -> Select[Any]:
    """The statement for a page of all rows that match, and that a search of that shape finds, each with the total
    number, computed once in a common table expression."""
    if searched is None:
        everybody = select(_P.id.label("id"), order.key.label("key")).where(listed(viewer, criteria, day))
        found = _by_facets(everybody, viewer, criteria, day)
    else:
        found = searching(viewer, criteria, day, searched)
        found = found.with_only_columns(_P.id.label("id"), order.key.label("key"), maintain_column_froms=True)
    table = found.cte("found").prefix_with("MATERIALIZED")
    number = select(func.count()).select_from(table).scalar_subquery().label("number")
    return _page(select(table.c.id, table.c.key, number), table, order, from_the_end)


def _page(chosen: Any, source: FromClause, order: Order, from_the_end: bool) -> Select[Any]:
    """The rows of a page, chosen from a source with `id` and `key`: sorted and cut first, so that only the page's rows
    are fetched."""
    cut = chosen.order_by(*order.clauses(source.c.key, source.c.id, from_the_end=from_the_end))
    page = cut.limit(_MOST).offset(_BEFORE).subquery("page")
    return _rows(page, order, from_the_end)


def _rows(page: FromClause, order: Order, from_the_end: bool) -> Select[Any]:
    """The rows of a source with `id` and `key`, in order; with the total `number` if the source has it."""
    number = [page.c.number] if "number" in page.c else []
    rows: Select[Any] = (
        select(*_SHOWN, *number).join_from(page, _P, _P.id == page.c.id).with_hint(_P, "NOT INDEXED", "sqlite")
    )
    return rows.order_by(*order.clauses(page.c.key, page.c.id, from_the_end=from_the_end))


def _by_facets(asked: Select[Any], viewer: Viewer, criteria: Criteria, day: date) -> Select[Any]:
    """Add a hint to use the index with all criteria of a municipality, unless a criterion has its own index. SQLite
    underestimates it: beyond the 63rd column of a table it regards no index as covering."""
    has_own = any(column is not None for column, _condition in conditions(criteria, day))
    if has_own or places_of(viewer, criteria) is None:
        return asked
    return asked.with_hint(_P, "INDEXED BY ix_participation_facets", "sqlite")
