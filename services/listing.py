"""The participant list: its columns and orders, how many there are, and the rows of a page.

Built to stay as quick with a million rows as with a thousand (docs/performance.md):

- A page is found in two steps: the ids in an index that holds everything the question needs, then the few rows.
- Each order has its index, which begins with `discharged` and, for those tied to municipalities, with the
  municipality. Where there are several of them, their ranges of the index are merged.
- Where few fit the criteria these are gathered and sorted; where many do, the index of the order is walked until
  the page is full. The last pages are walked to from the end.
- The plain lists are counted in a small table that triggers keep; all else is counted in an index.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
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

from services.criteria import Criteria, conditions, status_condition
from services.db import on_sqlite, session
from services.models import Participation, ParticipationCount, Status
from services.registration import today
from services.search_terms import Shape, Term, TermKind, found_by, hits, missed, question
from services.viewer import Right, Viewer, visible_to

_Asked = TypeVarTuple("_Asked")
_Made = TypeVar("_Made")
_P = Participation
_MOST_RANGES = 24  # ranges of an index that are merged; more are sorted
_NEAR = 500  # rows that are passed over at most where a page is read in one step
_SOME = 200  # rows of the order that are looked through at least


class Column(StrEnum):
    """The columns of the participant list, in their order (guide 3.1)."""

    NATIONAL_ID = "national_id"
    NAME = "name"
    MUNICIPALITY = "municipality"
    DISTRICT = "district"
    START = "start"
    END = "end"
    STATUS = "status"
    CHANGED = "changed"
    CHANGED_BY = "changed_by"


_SORTED_BY: dict[Column, InstrumentedAttribute[Any]] = {
    Column.NATIONAL_ID: _P.national_id,
    Column.NAME: _P.name_key,
    Column.MUNICIPALITY: _P.municipality_key,
    Column.DISTRICT: _P.district_key,
    Column.START: _P.start_date,
    Column.END: _P.end_date,
    Column.STATUS: _P.status,
    Column.CHANGED: _P.changed_at,
    Column.CHANGED_BY: _P.changed_by,
}
_MAY_BE_EMPTY = {Column.NAME, Column.DISTRICT, Column.END}


@dataclass(frozen=True)
class Order:
    """How the list is sorted. Without a column: last changed first (guide 3.2). Empty values stand last both
    ways; ties are in the order of registration, in the same direction."""

    column: Column | None = None
    descending: bool = False

    @property
    def key(self) -> InstrumentedAttribute[Any]:
        """The column of the table that it goes by."""
        return _SORTED_BY[self.column or Column.CHANGED]

    def clauses(self, key: Any = None, tie: Any = None, *, from_the_end: bool = False) -> list[ColumnElement[Any]]:
        """For ORDER BY: by the table's own columns, or by these of a subquery; or all the other way round."""
        key, tie = self.key if key is None else key, _P.id if tie is None else tie
        falls = (self.descending or self.column is None) != from_the_end
        first, then = (key.desc(), tie.desc()) if falls else (key.asc(), tie.asc())
        if self.column in _MAY_BE_EMPTY:
            first = first.nulls_first() if from_the_end else first.nulls_last()
        return [first, then]


@dataclass(frozen=True)
class Listed:
    """A page of the list: its rows, and how many participants there are in all. `missed`: the terms of the
    search that found nobody."""

    rows: list[Any]
    total: int
    page: int
    pages: int
    first: int
    missed: list[Term] = field(default_factory=list)

    @property
    def last(self) -> int:
        """The number of the last row on the page."""
        return self.first + len(self.rows) - 1


def columns_for(viewer: Viewer) -> list[Column]:
    """The columns that the viewer sees: Bydel only for those tied to Oslo, and for IMDi."""
    return [column for column in Column if column is not Column.DISTRICT or viewer.sees_districts]


# ---- Who is in the list ----


def listed(viewer: Viewer, criteria: Criteria, day: date | None = None) -> ColumnElement[bool]:
    """What stands in the list: all that is visible and fits the criteria (guide 3.1: the discharged only when
    they are asked for)."""
    parts = or_(*_ranges(viewer, criteria, apart=False))
    fits = and_(parts, *(condition for _column, condition in conditions(criteria, day or today())))
    if criteria.terms is None:
        return fits
    asked = question(criteria.terms, _places(viewer, criteria))
    if on_sqlite():
        return and_(fits, _P.id.in_(hits(asked.shape, asked.values)))
    return and_(fits, found_by(asked.shape, asked.values))


def _places(viewer: Viewer, criteria: Criteria) -> tuple[str, ...] | None:
    """The municipalities that the list is about, `None` for the whole country."""
    chosen = criteria.places
    if viewer.is_national:
        return chosen
    return tuple(place.number for place in viewer.places if chosen is None or place.number in chosen)


def _ranges(viewer: Viewer, criteria: Criteria, *, apart: bool = True) -> list[ColumnElement[bool]]:
    """The parts of the table that lie together in the indexes: the open and the discharged, as asked for; with
    `apart` those of each municipality by themselves."""
    places = _places(viewer, criteria)
    groups: list[Sequence[str] | None] = [[n] for n in places] if apart and places is not None else [places]
    states = [False, True] if criteria.with_discharged else [False]
    if criteria.with_discharged and not criteria.open_statuses:
        states = [True]
    return [_range(viewer, criteria, group, discharged) for group in groups for discharged in states]


def _range(viewer: Viewer, criteria: Criteria, places: Sequence[str] | None, discharged: bool) -> ColumnElement[bool]:
    # As a literal: what is bound later does not help PostgreSQL to choose an index.
    state = _P.discharged == literal_column("true" if discharged else "false")
    status = status_condition(criteria, discharged=discharged)
    return and_(state, visible_to(viewer, places), *([] if status is None else [status]))


# ---- How many ----

# Statements are put together once and kept by what they ask; to build one anew takes as long as to answer it. What
# was searched for is personal and never kept here, only its shape. `day` is today: some criteria count from it.


def _kept(make: Callable[[*_Asked], _Made]) -> Callable[[*_Asked], _Made]:
    """Each database has statements of its own: a process may serve both. Those of large searches are not kept."""

    def made(_for_sqlite: bool, *args: *_Asked) -> _Made:
        return make(*args)

    known = lru_cache(maxsize=500)(made)

    @wraps(make)
    def kept(*args: *_Asked) -> _Made:
        if any(isinstance(one, Shape) and one.is_large for one in args):
            return make(*args)
        return known(on_sqlite(), *args)

    return kept


def count(viewer: Viewer, criteria: Criteria) -> int:
    """How many participants stand in the list."""
    if criteria.is_plain:
        return _count_kept(viewer, criteria.municipalities, criteria.statuses)
    if criteria.terms is not None:
        return session().scalar(select(func.count()).select_from(_P).where(listed(viewer, criteria))) or 0
    return session().scalar(_counting(viewer, criteria, today())) or 0


@_kept
def _counting(viewer: Viewer, criteria: Criteria, day: date) -> Select[int]:
    counting = select(func.count()).select_from(_P).where(listed(viewer, criteria, day))
    return _by_facets(counting, viewer, criteria, day)


def _count_kept(viewer: Viewer, municipalities: tuple[str, ...], statuses: tuple[Status, ...]) -> int:
    """From the table that the triggers keep: no more rows than there are municipalities and kinds."""
    return session().scalar(_summing(viewer, municipalities, statuses)) or 0


@_kept
def _summing(viewer: Viewer, municipalities: tuple[str, ...], statuses: tuple[Status, ...]) -> Select[int]:
    counts, criteria = ParticipationCount.__table__.c, Criteria(municipalities=municipalities, statuses=statuses)
    asked = [*criteria.open_statuses, *([Status.DISCHARGED] if criteria.with_discharged else ())]
    places = _places(viewer, criteria)
    found = select(func.sum(counts.number)).where(counts.status.in_(asked))
    if not viewer.can(Right.READ):
        return found.where(false())
    if places is not None:
        found = found.where(counts.municipality_number.in_(places))
    if not viewer.sees_protected:
        found = found.where(counts.protected == false())
    if not viewer.can(Right.SEE_DELETED):
        found = found.where(counts.deleted == false())
    return found


# ---- A page ----

# The narrow columns that the list shows.
_SHOWN: tuple[InstrumentedAttribute[Any], ...] = (
    _P.id,
    _P.public_id,
    _P.national_id,
    _P.person_id,
    _P.name,
    _P.municipality_number,
    _P.district_number,
    _P.start_date,
    _P.end_date,
    _P.status,
    _P.discharged,
    _P.changed_at,
    _P.changed_by,
    _P.background_missing,
    _P.programme_missing,
    _P.deleted_at,
    _P.deleted_by,
)


def page_of(viewer: Viewer, criteria: Criteria, order: Order, *, page: int, size: int) -> Listed:
    """One page of the list (from 1); a page beyond the last answers as the last."""
    if criteria.terms is not None:
        return _page_of_search(viewer, criteria, order, page, size)
    total = count(viewer, criteria)
    page, pages, offset = _clamped(page, size, total)
    limit = min(size, total - offset)
    rows = _page_rows(viewer, criteria, order, total, offset, limit) if limit else []
    return Listed(rows=rows, total=total, page=page, pages=pages, first=offset + 1 if rows else 0)


def _clamped(page: int, size: int, total: int) -> tuple[int, int, int]:
    """The page that there is, the number of pages, and how many rows stand before."""
    pages = max(1, -(-total // size))
    page = min(page, pages)
    return page, pages, (page - 1) * size


def _page_of_search(viewer: Viewer, criteria: Criteria, order: Order, page: int, size: int) -> Listed:
    """In one question: those who are found are counted and sorted once."""
    asked = question(criteria.terms or (), _places(viewer, criteria))
    found = _finding(viewer, criteria.without_terms(), order, False, today(), asked.shape)
    # What SQLAlchemy makes of a large one is not kept either.
    uncached = {"compiled_cache": None} if asked.shape.is_large else {}

    def ask(offset: int) -> list[Any]:
        here = {**asked.values, "most": size, "before": offset}
        return list(session().execute(found, here, execution_options=uncached))

    rows = ask((page - 1) * size)
    total = rows[0].number if rows else (count(viewer, criteria) if page > 1 else 0)
    page, pages, offset = _clamped(page, size, total)
    if total and not rows:
        rows = ask(offset)
    lost = missed(criteria.terms or (), rows)
    if lost and len(rows) < total:  # others stand on other pages
        lost = _nowhere(viewer, criteria.without_terms(), lost)
    return Listed(rows, total, page, pages, offset + 1 if rows else 0, lost)


def _nowhere(viewer: Viewer, criteria: Criteria, terms: list[Term]) -> list[Term]:
    """The terms that find nobody in the list: numbers and PersonIds all at once, the others one by one."""
    exact = [one for one in terms if one.kind in {TermKind.NUMBER, TermKind.PERSON_ID}]
    asked = question(exact, None)
    rows = session().execute(_searching(viewer, criteria, today(), asked.shape), asked.values).all() if exact else []
    lost = set(missed(exact, rows))
    for one in terms:
        if one not in exact:
            asked = question([one], _places(viewer, criteria))
            first = _searching(viewer, criteria, today(), asked.shape).limit(1)
            if session().execute(first, asked.values).first() is None:
                lost.add(one)
    return [one for one in terms if one in lost]


_IDENTITY: tuple[InstrumentedAttribute[Any], ...] = (_P.national_id, _P.person_id, _P.discharged)


@_kept
def _searching(viewer: Viewer, criteria: Criteria, day: date, searched: Shape) -> Select[Any]:
    """Those who fit and are found by a search of that shape. PostgreSQL brings the indexes together by itself;
    SQLite goes from the hits to the rows by their ids, and never the other way round."""
    asked: Select[Any] = select(_P.id.label("id"), *_IDENTITY).where(listed(viewer, criteria, day))
    if not on_sqlite():
        return asked.where(found_by(searched))
    hit = hits(searched).cte("hit").prefix_with("MATERIALIZED")
    one = select(hit.c.id).distinct().subquery("one")
    return asked.join_from(one, _P, _P.id == one.c.id).with_hint(_P, "NOT INDEXED", "sqlite")


def _page_rows(viewer: Viewer, criteria: Criteria, order: Order, total: int, offset: int, limit: int) -> list[Any]:
    """The rows of a page, from whichever end of the list is nearer."""
    from_the_end = offset > total - offset - limit
    if from_the_end:
        offset = total - offset - limit
    here = {"most": limit, "before": offset}
    if criteria.is_plain:
        rows = _along(viewer, criteria, order, from_the_end, here)
    else:
        rows = _those_who_fit(viewer, criteria, order, from_the_end, total, here)
    return rows[::-1] if from_the_end else rows


def _along(viewer: Viewer, criteria: Criteria, order: Order, from_the_end: bool, here: dict[str, int]) -> list[Any]:
    """The rows of a page of the whole list: near its beginning at once, farther on by their ids first, since only
    the index need be passed through for these."""
    if here["before"] <= _NEAR and (near := _near(viewer, criteria, order, from_the_end)) is not None:
        return list(session().execute(near, here))
    ids = _way(viewer, criteria, order, from_the_end, today(), False).offset(_BEFORE)
    return _rows(list(session().scalars(ids, here)))


def _those_who_fit(
    viewer: Viewer, criteria: Criteria, order: Order, from_the_end: bool, total: int, here: dict[str, int]
) -> list[Any]:
    """Where one row in so many fits, a page is full after so many steps through the order. They do not lie evenly,
    so it may take more; but before that is more than to gather all that fit and sort them, this is done."""
    whole = _count_kept(viewer, criteria.municipalities, criteria.statuses)
    steps = _SOME + 2 * (here["before"] + here["most"]) * whole // total
    while steps < 2 * total:
        chosen = _on_the_way(viewer, criteria, order, from_the_end, today())
        rows = list(session().execute(chosen, {**here, "steps": steps}))
        if len(rows) == here["most"]:
            return rows
        steps *= 8
    return list(session().execute(_finding(viewer, criteria, order, from_the_end, today(), None), here))


# Where a page begins in what is in order, and how many rows it has; how far to walk for it.
_BEFORE, _MOST, _STEPS = (bindparam(name, type_=Integer) for name in ("before", "most", "steps"))


@_kept
def _way(
    viewer: Viewer, criteria: Criteria, order: Order, from_the_end: bool, day: date, in_steps: bool
) -> Select[Any]:
    """The ids of the whole list in order, by its index, up to the end of the page, or so many `steps`; of the criteria
    only municipality and status count, and what is about the column that it is sorted by.

    The ranges of several municipalities are merged. SQLite does so as it goes; PostgreSQL must be told to go no
    farther in each of them.
    """
    narrowing = [condition for column, condition in conditions(criteria, day) if column is order.key]
    asked = select(_P.id.label("id"), order.key.label("key")).where(*narrowing)
    ranges = _ranges(viewer, criteria)
    if len(ranges) > _MOST_RANGES:
        ranges = _ranges(viewer, criteria, apart=False)
    parts = [_by_order(asked.where(part), viewer, criteria, order) for part in ranges]
    most = _STEPS if in_steps else _MOST
    clauses = order.clauses(from_the_end=from_the_end)
    if len(parts) == 1:
        return parts[0].order_by(*clauses).limit(most)
    if not on_sqlite():
        parts = [part.order_by(*clauses).limit(most if in_steps else _BEFORE + _MOST) for part in parts]
    merged = union_all(*parts).subquery("merged")
    clauses = order.clauses(merged.c.key, merged.c.id, from_the_end=from_the_end)
    return select(merged.c.id, merged.c.key).order_by(*clauses).limit(most)


def _by_order(asked: Any, viewer: Viewer, criteria: Criteria, order: Order) -> Select[Any]:
    """Through the index of the order."""
    scope = "municipal" if _places(viewer, criteria) is not None else "national"
    hinted: Select[Any] = asked.with_hint(
        _P, f"INDEXED BY ix_participation_{scope}_{order.column or Column.CHANGED}", "sqlite"
    )
    return hinted


@_kept
def _near(viewer: Viewer, criteria: Criteria, order: Order, from_the_end: bool) -> Select[Any] | None:
    """The rows of a page in one step, if the list is one range of the index; `None` if it is several."""
    ranges = _ranges(viewer, criteria)
    if len(ranges) > 1:
        return None
    asked = _by_order(select(*_SHOWN).where(ranges[0]), viewer, criteria, order)
    return asked.order_by(*order.clauses(from_the_end=from_the_end)).limit(_MOST).offset(_BEFORE)


@_kept
def _on_the_way(viewer: Viewer, criteria: Criteria, order: Order, from_the_end: bool, day: date) -> Select[Any]:
    """The rows of a page of those who fit among the first `steps` of the whole list."""
    first = _way(viewer, criteria, order, from_the_end, day, True).subquery("first")
    fits = (condition for _column, condition in conditions(criteria, day))
    chosen = select(first.c.id, first.c.key).join(_P, _P.id == first.c.id).where(*fits)
    return _page(chosen, first, order, from_the_end)


@_kept
def _finding(
    viewer: Viewer, criteria: Criteria, order: Order, from_the_end: bool, day: date, searched: Shape | None
) -> Select[Any]:
    """The rows of a page of all that fit, and are found by a search of that shape, each with the number of all:
    worked out once, in a table of its own."""
    if searched is None:
        everybody = select(_P.id.label("id"), order.key.label("key")).where(listed(viewer, criteria, day))
        found = _by_facets(everybody, viewer, criteria, day)
    else:
        found = _searching(viewer, criteria, day, searched)
        found = found.with_only_columns(_P.id.label("id"), order.key.label("key"), maintain_column_froms=True)
    table = found.cte("found").prefix_with("MATERIALIZED")
    number = select(func.count()).select_from(table).scalar_subquery().label("number")
    return _page(select(table.c.id, table.c.key, number), table, order, from_the_end)


def _page(chosen: Any, source: FromClause, order: Order, from_the_end: bool) -> Select[Any]:
    """The rows of a page of what is chosen from a source with `id` and `key`: sorted and cut first, so that only
    the rows of the page are fetched."""
    cut = chosen.order_by(*order.clauses(source.c.key, source.c.id, from_the_end=from_the_end))
    page = cut.limit(_MOST).offset(_BEFORE).subquery("page")
    number = [page.c.number] if "number" in page.c else []
    rows: Select[Any] = (
        select(*_SHOWN, *number).join_from(page, _P, _P.id == page.c.id).with_hint(_P, "NOT INDEXED", "sqlite")
    )
    return rows.order_by(*order.clauses(page.c.key, page.c.id, from_the_end=from_the_end))


def _by_facets(asked: Select[Any], viewer: Viewer, criteria: Criteria, day: date) -> Select[Any]:
    """Through the index that holds all criteria of a municipality, unless there is one of what is asked. SQLite does
    not see its worth: beyond the 63rd column of a table it takes no index to hold all that is needed."""
    has_own = any(column is not None for column, _condition in conditions(criteria, day))
    if has_own or _places(viewer, criteria) is None:
        return asked
    return asked.with_hint(_P, "INDEXED BY ix_participation_facets", "sqlite")


_ROWS = select(*_SHOWN).where(_P.id.in_(bindparam("ids", expanding=True)))


def _rows(ids: Sequence[int]) -> list[Any]:
    """Of these participations, in this order."""
    if not ids:
        return []
    found = {row.id: row for row in session().execute(_ROWS, {"ids": ids})}
    return [found[one] for one in ids if one in found]
