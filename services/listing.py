"""The participant list: its columns and orders, how many there are, the rows of a page, and all of them in a stream.

Built to stay as quick with a million rows as with a thousand (docs/performance.md):

- A page is found in two steps: the ids in an index that holds everything the question needs, then the few rows.
- Each order has its index, which begins with `discharged` and, for those tied to municipalities, with the
  municipality. Where there are several of them, their ranges of the index are merged.
- Where few fit the criteria these are gathered and sorted; where many do, the index of the order is walked until
  the page is full. The last pages are walked to from the end.
- The plain lists are counted in a small table that triggers keep; all else is counted in an index.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Row,
    Select,
    UnaryExpression,
    and_,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from services.criteria import Criteria, conditions, status_condition
from services.db import session
from services.models import Participation, ParticipationCount, Status
from services.search_terms import Term, hits, missed
from services.viewer import Right, Viewer, visible_to

_P = Participation
_BATCH = 500  # rows that a long answer reads at a time
_MOST_RANGES = 24  # ranges of an index that are merged; more are sorted


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


def listed(viewer: Viewer, criteria: Criteria = Criteria()) -> ColumnElement[bool]:  # noqa: B008 - it is frozen
    """What stands in the list: all that is visible and fits the criteria (guide 3.1: the discharged only when
    they are asked for)."""
    parts = or_(*_ranges(viewer, criteria, apart=False))
    searched = [_P.id.in_(hits(criteria.terms, _places(viewer, criteria)))] if criteria.terms is not None else []
    return and_(parts, *(condition for _column, condition in conditions(criteria)), *searched)


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


def count(viewer: Viewer, criteria: Criteria) -> int:
    """How many participants stand in the list."""
    if criteria.is_plain:
        return _count_kept(viewer, criteria)
    return session().scalar(select(func.count()).select_from(_P).where(listed(viewer, criteria))) or 0


def _count_kept(viewer: Viewer, criteria: Criteria) -> int:
    """From the table that the triggers keep: no more rows than there are municipalities and kinds."""
    counts, places = ParticipationCount, _places(viewer, criteria)
    statuses = [*criteria.open_statuses, *([Status.DISCHARGED] if criteria.with_discharged else ())]
    if not viewer.can(Right.READ):
        return 0
    found = select(func.sum(counts.number)).where(counts.status.in_(statuses))
    if places is not None:
        found = found.where(counts.municipality_number.in_(places))
    if not viewer.sees_protected:
        found = found.where(counts.protected == literal_column("false"))
    if not viewer.can(Right.SEE_DELETED):
        found = found.where(counts.deleted == literal_column("false"))
    return session().scalar(found) or 0


# ---- A page ----


def page_of(viewer: Viewer, criteria: Criteria, order: Order, *, page: int, size: int) -> Listed:
    """One page of the list (from 1); a page beyond the last answers as the last."""
    if criteria.terms is not None:
        return _page_of_search(viewer, criteria, order, page, size)
    total = count(viewer, criteria)
    page, pages, offset = _clamped(page, size, total)
    limit = min(size, total - offset)
    if not limit:
        ids: list[int] = []
    elif criteria.is_plain or _walking_is_shorter(viewer, criteria, total, offset + size):
        ids = _walk(viewer, criteria, order, total, offset, limit)
    else:
        ids = list(session().scalars(_gather(_found(viewer, criteria, order), order, limit, offset)))
    return Listed(rows=_rows(ids), total=total, page=page, pages=pages, first=offset + 1 if ids else 0)


def _clamped(page: int, size: int, total: int) -> tuple[int, int, int]:
    """The page that there is, the number of pages, and how many rows stand before."""
    pages = max(1, -(-total // size))
    page = min(page, pages)
    return page, pages, (page - 1) * size


def _page_of_search(viewer: Viewer, criteria: Criteria, order: Order, page: int, size: int) -> Listed:
    """In one question: those who are found are counted and sorted once."""
    found = _found(viewer, criteria, order)
    number = select(func.count()).select_from(found).scalar_subquery()

    def ask(offset: int) -> list[Any]:
        return list(session().execute(_gather(found, order, size, offset).add_columns(number.label("number"))))

    pairs = ask((page - 1) * size)
    total = pairs[0].number if pairs else (count(viewer, criteria) if page > 1 else 0)
    page, pages, offset = _clamped(page, size, total)
    if total and not pairs:
        pairs = ask(offset)
    rows = _rows([pair.id for pair in pairs])
    lost = missed(criteria.terms or (), rows)
    if lost and len(rows) < total:  # others stand on other pages
        lost = [one for one, is_there in zip(lost, _exist(viewer, criteria, lost), strict=True) if not is_there]
    return Listed(rows, total, page, pages, offset + 1 if rows else 0, lost)


def _exist(viewer: Viewer, criteria: Criteria, terms: list[Term]) -> Sequence[bool]:
    """For each term whether it finds anybody in the list."""
    among = listed(viewer, criteria.without_terms())
    places = _places(viewer, criteria)
    asked = [select(_P.id).where(_P.id.in_(hits([one], places)), among).exists() for one in terms]
    return tuple(session().execute(select(*asked)).one())


def _walking_is_shorter(viewer: Viewer, criteria: Criteria, total: int, wanted: int) -> bool:
    """Whether the page is full sooner by walking through the order, where one row in so many fits, than by
    gathering and sorting all that fit."""
    whole = _count_kept(viewer, Criteria(municipalities=criteria.municipalities, statuses=criteria.statuses))
    return wanted * whole <= 2 * total * total


def _walk(viewer: Viewer, criteria: Criteria, order: Order, total: int, offset: int, limit: int) -> list[int]:
    """Ids of a page along the index of the order, from whichever end is nearer."""
    backwards = offset > total - offset - limit
    if backwards:
        offset = total - offset - limit
    ids = list(session().scalars(_steps(viewer, criteria, order, from_the_end=backwards).limit(limit).offset(offset)))
    return ids[::-1] if backwards else ids


def _steps(viewer: Viewer, criteria: Criteria, order: Order, *, from_the_end: bool) -> Select[Any]:
    """The ids in order, for a walk: the ranges merged."""
    ranges = _ranges(viewer, criteria)
    if len(ranges) > _MOST_RANGES:
        fits = listed(viewer, criteria)
        return select(_P.id).where(fits).order_by(*order.clauses(from_the_end=from_the_end))
    rules = list(conditions(criteria))
    narrowing = [condition for column, condition in rules if column is order.key]
    filters = [condition for column, condition in rules if column is not order.key]
    checked = [*narrowing, *([_InPassing(and_(*filters))] if filters else ())]
    if len(ranges) == 1:
        one = select(_P.id).where(ranges[0], *checked)
        return one.order_by(*order.clauses(from_the_end=from_the_end))
    parts = (select(_P.id.label("id"), order.key.label("key")).where(part, *checked) for part in ranges)
    merged = union_all(*parts).subquery("merged")
    clauses = order.clauses(merged.c.key, merged.c.id, from_the_end=from_the_end)
    return select(merged.c.id, merged.c.key).order_by(*clauses)


class _InPassing(UnaryExpression[bool]):
    """A condition that is checked on the way, and never chooses the way: SQLite knows no better than to take an
    index that serves it, and to sort afterwards."""

    inherit_cache = True

    def __init__(self, condition: ColumnElement[bool]) -> None:
        super().__init__(condition.self_group(), type_=condition.type)


@compiles(_InPassing)
def _plainly(element: _InPassing, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(element.element, **options)})"


@compiles(_InPassing, "sqlite")
def _with_plus(element: _InPassing, compiler: Any, **options: Any) -> str:
    """A unary plus before a term keeps SQLite from using an index for it (its query planner's documentation)."""
    return f"+({compiler.process(element.element, **options)})"


def _found(viewer: Viewer, criteria: Criteria, order: Order) -> CTE:
    """All that fit, with what they are sorted by, worked out once."""
    asked = select(_P.id.label("id"), order.key.label("key"))
    if criteria.terms is None:
        return asked.where(listed(viewer, criteria)).cte("found").prefix_with("MATERIALIZED")
    within = hits(criteria.terms, _places(viewer, criteria)).cte("hit").prefix_with("MATERIALIZED")
    ids = select(within.c.id).distinct() if len(criteria.terms) > 1 else select(within.c.id)
    one = ids.subquery("one")
    fits = listed(viewer, criteria.without_terms())
    # From the hits to the rows by their ids, never the other way: to SQLite a condition counts for little then.
    near = asked.select_from(one).join(_P, _P.id == one.c.id).where(_InPassing(fits))
    return near.cte("found").prefix_with("MATERIALIZED")


def _gather(found: CTE, order: Order, limit: int, offset: int) -> Select[Any]:
    """Ids of a page of what was found."""
    return select(found.c.id).order_by(*order.clauses(found.c.key, found.c.id)).limit(limit).offset(offset)


_SHOWN = (
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


def _rows(ids: Sequence[int]) -> list[Any]:
    """The narrow columns that the list shows, of these participations in this order."""
    if not ids:
        return []
    found = {row.id: row for row in session().execute(select(*_SHOWN).where(_P.id.in_(ids)))}
    return [found[one] for one in ids if one in found]


# ---- All of them ----


def stream(viewer: Viewer, criteria: Criteria, order: Order) -> Iterator[Row[Any]]:
    """All rows of the list, in order, in constant memory."""
    return _one_by_one(select(*_SHOWN).where(listed(viewer, criteria)).order_by(*order.clauses()))


def stream_full(viewer: Viewer, criteria: Criteria, order: Order) -> Iterator[Participation]:
    """All participations of the list with every answer, in order, in constant memory."""
    found = (
        select(_P)
        .where(listed(viewer, criteria))
        .order_by(*order.clauses())
        .options(selectinload(_P.person), selectinload(_P.activities), selectinload(_P.leaves))
    )
    return (row[0] for row in _one_by_one(found))


def _one_by_one(query: Select[*tuple[Any, ...]]) -> Iterator[Row[Any]]:
    """The rows from a server-side cursor, in a session of their own: the request's is closed before the
    last row is sent."""
    in_pieces = {"yield_per": _BATCH}
    with Session(session().get_bind()) as reading, closing(reading.execute(query, execution_options=in_pieces)) as rows:
        yield from rows
