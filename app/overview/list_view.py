"""The list for the templates: headings, pages, numbers of rows, and texts about it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from markupsafe import escape

from app.overview.list_request import ListRequest, address
from app.overview.panel import Wrong
from app.overview.query import PAGE_SIZES, ListQuery, next_order, written_order
from app.web.access import viewer
from app.web.responses import address_of
from services.access.viewer import Right
from services.core.i18n import gettext as _
from services.core.i18n import ngettext
from services.core.national_id import with_lost_zero
from services.core.status import STATUS_LABELS, Status
from services.listing.columns import ListColumn, Order, columns_for
from services.listing.paging import ListPage

_MISSED_SPOKEN = 5  # above this number, values without a match are not read aloud one by one
_FINISHED_BY_TEMPLATE = {"national_id", "name", "status"}
# Colours of the tags.
_COLORS = {Status.ENDED: "warning", Status.CHANGED: "info", Status.CREATED: "neutral", Status.DISCHARGED: "neutral"}


def frame(query: ListQuery) -> dict[str, Any]:
    """The common parts of the rows: headings, and labels of codes."""
    columns = headings(query)
    return {
        "columns": columns,
        "prefix": f"{address_of('overview.overview_page')}/",
        "statuses": {status: _(label) for status, label in STATUS_LABELS.items()},
        "colors": _COLORS,
        "registers": viewer().can(Right.REGISTER),
    }


def drawn_rows(rows: Sequence[Any]) -> list[tuple[Any, tuple[tuple[str, str], ...]]]:
    """Each row with its cells: pairs of a key and HTML. A key names a cell that the template finishes after its start
    tag; '' stands for whole cells, those beside each other in one piece, since most of the page is made here."""
    pieces: list[tuple[str, list[str]]] = []
    for column in columns_for(viewer()):
        start = f'\n<td data-label="{escape(_(column.label))}">'
        if column.key in _FINISHED_BY_TEMPLATE:
            pieces.append((column.key, [start] * len(rows)))
            continue
        cells = _cells(column, start, rows)
        if pieces and not pieces[-1][0]:
            cells = [before + cell for before, cell in zip(pieces.pop()[1], cells, strict=True)]
        pieces.append(("", cells))
    of_columns = ([(key, cell) for cell in cells] for key, cells in pieces)
    return list(zip(rows, zip(*of_columns, strict=True), strict=True))


def _cells(column: ListColumn, start: str, rows: Sequence[Any]) -> list[str]:
    """The whole cells of a column. Many rows say the same, so each value is said once."""
    (source,) = column.sources
    values = [getattr(row, source.key) for row in rows]
    said = {value: f"{start}{escape(column.text(value))}" for value in set(values)}
    return [said[value] for value in values]


def headings(query: ListQuery) -> list[dict[str, str]]:
    """Each column's heading: its label, the address of a click, and the present order."""
    unsorted = address(replace(query, order=Order(), page=1))
    with_order = unsorted + ("&" if "?" in unsorted else "?")
    found = []
    for column in columns_for(viewer()):
        sort = "none"
        if query.order.column is column:
            sort = "descending" if query.order.descending else "ascending"
        after = written_order(next_order(query.order, column))
        url = with_order + after if after else unsorted
        # The key as in the address: a repeated text compresses to nothing.
        key, label = f"sorter={column.word}", _(column.label)
        found.append({"key": key, "label": label, "url": url, "sort": sort})
    return found


def order_text(query: ListQuery) -> str:
    """The order as text."""
    if query.order.column is None:
        return _("Sist endret først")
    how = _("synkende") if query.order.descending else _("stigende")
    return _("Sortert etter %(column)s, %(how)s") % {
        "column": _(query.order.column.label).lower(),
        "how": how,
    }


def spoken(asked: ListRequest, listed: ListPage, wrong: Wrong) -> str:
    """The text of the status line: errors, the number of participants, order, page, and values without a match."""
    query = asked.query
    said = [_("Søket finnes ikke lenger")] if asked.is_gone else []
    said += [_("Feil i %(field)s: %(what)s") % {"field": label, "what": fault} for _name, label, fault in wrong]
    said.append(ngettext("%(n)s deltaker", "%(n)s deltakere", listed.total) % {"n": listed.total})
    said.append(order_text(query))
    said += [_("%(old)s er erstattet av %(new)s") % {"old": old, "new": new} for new, old in listed.replaced.items()]
    if listed.page > 1:
        said.append(_("Side %(page)s av %(pages)s") % {"page": listed.page, "pages": listed.pages})
    if len(listed.missed) > _MISSED_SPOKEN:
        number = len(listed.missed)
        said.append(ngettext("%(n)s verdi ga ingen treff", "%(n)s verdier ga ingen treff", number) % {"n": number})
    elif listed.missed:
        said.append(missed_text(listed))
    return " ".join(one if one.endswith(".") else f"{one}." for one in said)


def count_text(listed: ListPage) -> str:
    """The line with the number of participants (guide 3.4)."""
    return _("Antall deltakere: %(n)s") % {"n": listed.total}


def missed_text(listed: ListPage) -> str:
    """The message about search values and user names without a match, and those that may have lost a zero."""
    said = _("Ingen treff: %(values)s") % {"values": ", ".join(one.text for one in listed.missed)}
    with_zero = [number for one in listed.missed if one.words and (number := with_lost_zero(one.words[0]))]
    if not with_zero:
        return said
    words = _("Regneark fjerner nullen foran fødselsnumre. Søk på %(numbers)s")
    return f"{said}. {words % {'numbers': ', '.join(with_zero)}}"


def pages(listed: ListPage, query: ListQuery) -> dict[str, Any]:
    """The links to pages: first, previous, next and last, and the numbers: first, last, and those around the current
    one."""
    shown = sorted({1, listed.pages, *range(max(1, listed.page - 1), min(listed.pages, listed.page + 1) + 1)})
    numbers: list[tuple[int, str, bool] | None] = []
    for number in shown:
        if numbers and numbers[-1] and number - numbers[-1][0] > 1:
            numbers.append(None)
        numbers.append((number, address(query.at_page(number)), number == listed.page))
    before, after = listed.page > 1, listed.page < listed.pages
    return {
        "first": address(query.at_page(1)) if before else None,
        "previous": address(query.at_page(listed.page - 1)) if before else None,
        "next": address(query.at_page(listed.page + 1)) if after else None,
        "last": address(query.at_page(listed.pages)) if after else None,
        "pages": numbers,
    }


def sizes(query: ListQuery) -> list[tuple[int, str, bool]]:
    """The links to numbers of rows: (rows on a page, address, is the current one)."""
    return [(size, address(query.of_size(size)), size == query.size) for size in PAGE_SIZES]
