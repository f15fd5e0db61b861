"""The overview: one page of the list, whole or as a fragment, and the downloads."""

from itertools import chain
from typing import Any

from flask import Blueprint, Response, request, url_for

from app.access import requires, viewer
from app.errors import error_answer
from app.overview.query import BadQuery, ListQuery, parse, write
from app.web import respond
from services import export
from services.audit import Action, record
from services.db import end_reading
from services.i18n import gettext as _
from services.participants import Column, Listed, columns_for, listed, page_of
from services.viewer import Right

overview = Blueprint("overview", __name__)
PAGE_SIZE = 25
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@overview.errorhandler(BadQuery)
def _bad_query(_error: BadQuery) -> Response:
    return error_answer(400)


@overview.get("/deltakere")
@requires(Right.READ)
def overview_page() -> Any:
    """The participant list."""
    query = _query()
    found = page_of(viewer(), query.order, page=query.page, size=PAGE_SIZE)
    return respond(
        "overview/page.html",
        "overview/results.html",
        listed=found,
        columns=[_heading(column, query) for column in columns_for(viewer())],
        cells=[(column, export.CELLS[column]) for column in columns_for(viewer())],
        column=Column,
        prefix=url_for("overview.overview_page"),
        nav=_pages(found, query),
        downloads=write(query, with_page=False),
        order_text=_order_text(query),
        said=_order_text(query),
    )


def _query() -> ListQuery:
    """The query of this request; columns that the viewer does not have cannot be sorted by."""
    query = parse(request.args)
    if query.order.column and query.order.column not in columns_for(viewer()):
        raise BadQuery("not a column of this viewer")
    return query


def _address(query: ListQuery) -> str:
    written = write(query)
    return url_for("overview.overview_page") + (f"?{written}" if written else "")


def _heading(column: Column, query: ListQuery) -> dict[str, str]:
    """A column's heading: its words, where a click leads, and how the list is sorted by it now."""
    sort = "none"
    if query.order.column is column:
        sort = "descending" if query.order.descending else "ascending"
    return {
        "key": column.value,
        "label": _(export.COLUMN_LABELS[column]),
        "url": _address(query.sorted_by(column)),
        "sort": sort,
    }


def _order_text(query: ListQuery) -> str:
    if query.order.column is None:
        return _("Sist endret først")
    how = _("synkende") if query.order.descending else _("stigende")
    return _("Sortert etter %(column)s, %(how)s") % {
        "column": _(export.COLUMN_LABELS[query.order.column]).lower(),
        "how": how,
    }


def _pages(found: Listed, query: ListQuery) -> dict[str, Any]:
    """Previous and next, and the numbers: first, last, and those around the present one."""
    shown = sorted({1, found.pages, *range(max(1, found.page - 1), min(found.pages, found.page + 1) + 1)})
    pages: list[tuple[int, str, bool] | None] = []
    for number in shown:
        if pages and pages[-1] and number - pages[-1][0] > 1:
            pages.append(None)
        pages.append((number, _address(query.at_page(number)), number == found.page))
    return {
        "previous": _address(query.at_page(found.page - 1)) if found.page > 1 else None,
        "next": _address(query.at_page(found.page + 1)) if found.page < found.pages else None,
        "pages": pages,
    }


@overview.get("/deltakere/oversikt.csv")
@requires(Right.READ)
def download_overview() -> Response:
    """The list as on screen, all pages of it."""
    return _download("overview", "csv")


@overview.get("/deltakere/oversikt.xlsx")
@requires(Right.READ)
def download_overview_book() -> Response:
    """The same as a workbook."""
    return _download("overview", "xlsx")


@overview.get("/deltakere/fullt-datasett.csv")
@requires(Right.READ)
def download_full() -> Response:
    """All that is registered of the same participants."""
    return _download("full", "csv")


@overview.get("/deltakere/fullt-datasett.xlsx")
@requires(Right.READ)
def download_full_book() -> Response:
    """The same as a workbook."""
    return _download("full", "xlsx")


_DOWNLOADS = {
    "overview": ("deltakeroversikt", export.overview_fields),
    "full": ("fullt-datasett", export.full_fields),
}


def _download(what: str, kind: str) -> Response:
    query = _query()
    record(Action.DOWNLOAD, viewer=viewer(), detail={"what": what, "order": write(query), "format": kind})
    name, fields_for = _DOWNLOADS[what]
    make = _csv if kind == "csv" else _xlsx
    answer = make(fields_for(viewer()), listed(viewer()), query.order.clauses())
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return answer


def _csv(fields: list[export.Field], *rows: Any) -> Response:
    lines = export.as_csv(fields, *rows)
    first = next(lines)  # what goes wrong at the beginning is still an error, not half a file
    answer = Response(chain([first], lines), mimetype="text/csv")
    answer.call_on_close(lines.close)
    return answer


def _xlsx(fields: list[export.Field], *rows: Any) -> Response:
    end_reading()  # it takes its time, and reads in a connection of its own
    made = export.as_xlsx(fields, *rows)
    answer = Response(export.pieces(made), mimetype=_XLSX)
    answer.call_on_close(made.close)
    return answer


@overview.errorhandler(export.TooManyRows)
def _too_many_rows(_error: export.TooManyRows) -> Response:
    words = _("Det er for mange deltakere for Excel"), _("Last ned CSV-filen, eller velg ut færre deltakere.")
    return error_answer(413, words)
