"""Pages and counts of the participant list.

As quick with a million rows as with a thousand (docs/performance.md):

- A page is found in two steps: the ids in a covering index, then the few rows.
- Each order has its index, which begins with `discharged` and, for users of municipalities, with the municipality. If
  there are several of them, their ranges of the index are merged.
- If few rows match, these are gathered and sorted; if many do, the order's index is scanned until the page is full. The
  last pages are scanned from the end.
- Lists without further criteria are counted in a small table that triggers keep; all others in an index.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import func, select

from services.access.viewer import Viewer
from services.core.clock import today
from services.core.db import read
from services.core.status import Status
from services.listing import statements
from services.listing.columns import Order
from services.listing.criteria import Criteria
from services.listing.earlier_numbers import with_present_numbers
from services.listing.search_terms import Term, TermKind, missed, question
from services.tables.participants import Participation

_NEAR = 500  # the highest offset at which a page is read in one step
_SOME = 200  # rows of the order that are scanned at least


@dataclass(frozen=True)
class ListPage:
    """A page of the list: its rows, and the total number of participants. `missed`: search values and user names
    without a match. `replaced`: present numbers that were found by an earlier number, with that one."""

    rows: list[Any]
    total: int
    page: int
    pages: int
    first: int
    missed: list[Term] = field(default_factory=list)
    replaced: dict[str, str] = field(default_factory=dict)

    @property
    def last(self) -> int:
        """The number of the last row on the page."""
        return self.first + len(self.rows) - 1


# ---- Counts ----


def count(viewer: Viewer, criteria: Criteria) -> int:
    """Count the participants in the list."""
    if criteria.is_plain:
        return _count_from_table(viewer, criteria.municipalities, criteria.statuses)
    if criteria.terms is not None:
        searched = select(func.count()).select_from(Participation).where(statements.listed(viewer, criteria))
        return read(searched).scalar() or 0
    return read(statements.counting(viewer, criteria, today())).scalar() or 0


def _count_from_table(viewer: Viewer, municipalities: tuple[str, ...], statuses: tuple[Status, ...]) -> int:
    """The count from the table that the triggers keep: it has no more rows than there are municipalities and kinds."""
    return read(statements.summing(viewer, municipalities, statuses)).scalar() or 0


# ---- A page ----


def page_of(viewer: Viewer, criteria: Criteria, order: Order, *, page: int, size: int) -> ListPage:
    """One page of the list (from 1); a page beyond the last one is the last one."""
    criteria = replace(criteria, terms=with_present_numbers(criteria.terms))
    found = _page_of(viewer, criteria, order, page, size)
    return replace(found, missed=found.missed + _usernames_without_match(viewer, criteria, found))


def _page_of(viewer: Viewer, criteria: Criteria, order: Order, page: int, size: int) -> ListPage:
    if criteria.terms is not None:
        return _page_of_search(viewer, criteria, order, page, size)
    total = count(viewer, criteria)
    page, pages, offset = _clamped(page, size, total)
    limit = min(size, total - offset)
    rows = _page_rows(viewer, criteria, order, total, offset, limit) if limit else []
    return ListPage(rows=rows, total=total, page=page, pages=pages, first=offset + 1 if rows else 0)


def _usernames_without_match(viewer: Viewer, criteria: Criteria, found: ListPage) -> list[Term]:
    """The filtered user names without a match in the list."""
    lost = set(criteria.changed_by) - {row.changed_by for row in found.rows}
    if lost and len(found.rows) < found.total:  # the others may be on other pages
        rest = replace(criteria, changed_by=tuple(name for name in criteria.changed_by if name in lost))
        lost -= set(read(statements.changers(viewer, rest, today())).scalars())
    return [Term(name, TermKind.NAME, ()) for name in criteria.changed_by if name in lost]


def _clamped(page: int, size: int, total: int) -> tuple[int, int, int]:
    """The page within the limits, the number of pages, and the number of rows before it."""
    pages = max(1, -(-total // size))
    page = min(page, pages)
    return page, pages, (page - 1) * size


def _page_of_search(viewer: Viewer, criteria: Criteria, order: Order, page: int, size: int) -> ListPage:
    """A page of a search, in one statement: matches are counted and sorted once."""
    search = question(criteria.terms or (), statements.places_of(viewer, criteria))
    found = statements.finding(viewer, criteria.without_terms(), order, False, today(), search.shape)
    # SQLAlchemy's compiled form of a large statement is not cached either.
    uncached: dict[str, Any] = {"compiled_cache": None} if search.shape.is_large else {}

    def ask(offset: int) -> list[Any]:
        here = {**search.values, "most": size, "before": offset}
        return list(read(found, here, **uncached))

    rows = ask((page - 1) * size)
    total = rows[0].number if rows else (count(viewer, criteria) if page > 1 else 0)
    page, pages, offset = _clamped(page, size, total)
    if total and not rows:
        rows = ask(offset)
    lost = missed(criteria.terms or (), rows)
    if lost and len(rows) < total:  # the others may be on other pages
        lost = _terms_without_match(viewer, criteria.without_terms(), lost)
    replaced = _replaced(criteria.terms or (), rows)
    return ListPage(rows, total, page, pages, offset + 1 if rows else 0, lost, replaced)


def _replaced(terms: tuple[Term, ...], rows: list[Any]) -> dict[str, str]:
    present = {one.words[1]: one.words[0] for one in terms if one.kind is TermKind.NUMBER and len(one.words) > 1}
    return {row.national_id: present[row.national_id] for row in rows if row.national_id in present}


def _terms_without_match(viewer: Viewer, criteria: Criteria, terms: list[Term]) -> list[Term]:
    """The terms without a match in the list: numbers and PersonIds all at once, the others one by one."""
    exact = [one for one in terms if one.kind in {TermKind.NUMBER, TermKind.PERSON_ID}]
    search = question(exact, None)
    rows = read(statements.searching(viewer, criteria, today(), search.shape), search.values).all() if exact else []
    lost = set(missed(exact, rows))
    for one in terms:
        if one not in exact:
            search = question([one], statements.places_of(viewer, criteria))
            first = statements.searching(viewer, criteria, today(), search.shape).limit(1)
            if read(first, search.values).first() is None:
                lost.add(one)
    return [one for one in terms if one in lost]


def _page_rows(viewer: Viewer, criteria: Criteria, order: Order, total: int, offset: int, limit: int) -> list[Any]:
    """The rows of a page, read from the nearer end of the list."""
    from_the_end = offset > total - offset - limit
    if from_the_end:
        offset = total - offset - limit
    here = {"most": limit, "before": offset}
    if statements.is_along(criteria, order, today()):
        rows = _rows_in_order(viewer, criteria, order, from_the_end, here)
    else:
        rows = _matching_rows(viewer, criteria, order, from_the_end, total, here)
    return rows[::-1] if from_the_end else rows


def _rows_in_order(
    viewer: Viewer, criteria: Criteria, order: Order, from_the_end: bool, here: dict[str, int]
) -> list[Any]:
    asked = viewer, criteria, order, from_the_end, today()
    if (at_once := statements.at_once(*asked, here["before"] <= _NEAR)) is not None:
        return list(read(at_once, here))
    ids = list(read(statements.ids(*asked), here).scalars())
    found = {row.id: row for row in read(statements.THESE, {"ids": ids})} if ids else {}
    return [found[one] for one in ids if one in found]


def _matching_rows(
    viewer: Viewer, criteria: Criteria, order: Order, from_the_end: bool, total: int, here: dict[str, int]
) -> list[Any]:
    """The rows of a page if only some rows match. If one row in n matches, a page takes about n steps per row in the
    order. Matches are unevenly distributed, so it may take more; if the scan gets more expensive than gathering and
    sorting all matches, that is done instead."""
    farthest, wanted = 2 * total, 2 * (here["before"] + here["most"])
    whole = (
        _count_from_table(viewer, criteria.municipalities, criteria.statuses) if farthest > _SOME + wanted else total
    )
    if _SOME + wanted * whole // total < farthest:
        chosen = statements.on_the_way(viewer, criteria, order, from_the_end, today())
        rows = list(read(chosen, {**here, "steps": farthest}))
        if len(rows) == here["most"]:
            return rows
    return list(read(statements.finding(viewer, criteria, order, from_the_end, today(), None), here))
