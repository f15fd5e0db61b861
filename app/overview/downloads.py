"""The downloads: the participants of the list on screen, in its order, on all its pages."""

from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from typing import Any

from flask import Blueprint, Response, current_app, request

from app.overview.list_request import from_address
from app.overview.query import BadQuery, write
from app.settings.config import Settings
from app.web.access import requires, viewer
from app.web.errors import error_answer
from services import export
from services.access.hourly_limits import log_download
from services.access.viewer import Right, Viewer
from services.core.db import end_reading
from services.core.i18n import gettext as _
from services.listing.earlier_numbers import with_present_numbers
from services.listing.statements import listed

downloads = Blueprint("downloads", __name__)
_TYPES = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@downloads.errorhandler(BadQuery)
def _bad_query(_error: BadQuery) -> Response:
    return error_answer(400)


@downloads.errorhandler(export.TooManyRows)
def _too_many_rows(_error: export.TooManyRows) -> Response:
    words = _("Det er for mange rader for Excel"), _("Last ned CSV-filen, eller velg ut færre deltakere.")
    return error_answer(413, words)


@downloads.get("/deltakere/oversikt.csv")
@requires(Right.READ)
def overview_csv() -> Response:
    """The list as on screen, all pages, as CSV."""
    return _download("overview", "csv")


@downloads.get("/deltakere/oversikt.xlsx")
@requires(Right.READ)
def overview_xlsx() -> Response:
    """The list as on screen, all pages, as a workbook."""
    return _download("overview", "xlsx")


@downloads.get("/deltakere/fullt-datasett.csv")
@requires(Right.READ)
def full_csv() -> Response:
    """The full data set of the same participants, as CSV."""
    return _download("full", "csv")


@downloads.get("/deltakere/fullt-datasett.xlsx")
@requires(Right.READ)
def full_xlsx() -> Response:
    """The full data set of the same participants, as a workbook."""
    return _download("full", "xlsx")


@downloads.get("/deltakere/tiltak.csv")
@requires(Right.READ)
def rows_csv() -> Response:
    """The tiltak and permisjoner of the same participants, a line for each, as CSV."""
    return _download("rows", "csv")


@downloads.get("/deltakere/tiltak.xlsx")
@requires(Right.READ)
def rows_xlsx() -> Response:
    """The tiltak and permisjoner of the same participants, a line for each, as a workbook."""
    return _download("rows", "xlsx")


_DOWNLOADS: dict[str, tuple[str, Callable[[Viewer], export.Fields]]] = {
    "overview": ("deltakeroversikt", export.overview_fields),
    "full": ("fullt-datasett", export.full_fields),
    "rows": ("tiltak", export.row_fields),
}


def _download(what: str, kind: str) -> Response:
    asked = from_address()
    if asked.is_gone:  # a file never contains more than the screen
        words = (
            _("Søket finnes ikke lenger"),
            _("Et søk slettes når det ikke er brukt på 30 dager. Søk på nytt og last ned."),
        )
        return error_answer(400, words)
    if asked.faults:
        raise BadQuery("a criterion that is none")
    name, fields_for = _DOWNLOADS[what]
    disposition = f'attachment; filename="{name}.{kind}"'
    if request.method == "HEAD":  # only the file's name: nothing is read, so nothing counts as downloaded
        return Response(iter(()), mimetype=_TYPES[kind], headers={"Content-Disposition": disposition})
    log_download(viewer(), what, kind, order=write(asked.query, with_page=False), most=_most_an_hour())
    make = _csv if kind == "csv" else _xlsx
    criteria = replace(asked.criteria, terms=with_present_numbers(asked.criteria.terms))
    answer = make(fields_for(viewer()), listed(viewer(), criteria), asked.query.order.clauses())
    answer.headers["Content-Disposition"] = disposition
    return answer


def _most_an_hour() -> int:
    settings: Settings = current_app.config["SETTINGS"]
    return settings.downloads_per_hour


def _csv(fields: export.Fields, *rows: Any) -> Response:
    lines = export.as_csv(fields, *rows)
    first = next(lines)  # an error at the beginning is then a response of its own, not half a file
    answer = Response(chain([first], lines), mimetype=_TYPES["csv"])
    answer.call_on_close(lines.close)
    return answer


def _xlsx(fields: export.Fields, *rows: Any) -> Response:
    end_reading()  # the download takes its time, and reads in a connection of its own
    made = export.as_xlsx(fields, *rows)
    answer = Response(export.pieces(made), mimetype=_TYPES["xlsx"])
    answer.call_on_close(made.close)
    return answer
