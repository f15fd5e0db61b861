"""The downloads: exactly the participants of the list on screen, in its order, on all its pages."""

from collections.abc import Iterable
from itertools import chain
from typing import Any

from flask import Blueprint, Response

from app.access import requires, viewer
from app.errors import error_answer
from app.overview.asked import Asked, from_address
from app.overview.query import BadQuery, write
from services import export
from services.audit import Action, record
from services.listing import stream, stream_full
from services.viewer import Right

downloads = Blueprint("downloads", __name__)


@downloads.errorhandler(BadQuery)
def _bad_query(_error: BadQuery) -> Response:
    return error_answer(400)


def _asked() -> Asked:
    """What the address asks for, if all of it can be read: a file never holds more than the screen."""
    asked = from_address()
    if asked.faults or asked.is_gone:
        raise BadQuery("a criterion or a search that is none")
    return asked


@downloads.get("/deltakere/oversikt.csv")
@requires(Right.READ)
def download_overview() -> Response:
    """The list as on screen, all pages of it."""
    asked = _asked()
    record(Action.DOWNLOAD, viewer=viewer(), detail={"what": "overview", "order": write(asked.query, with_page=False)})
    fields = export.overview_fields(viewer())
    return _csv("deltakeroversikt.csv", fields, stream(viewer(), asked.criteria, asked.query.order))


@downloads.get("/deltakere/fullt-datasett.csv")
@requires(Right.READ)
def download_full() -> Response:
    """All that is registered of the same participants."""
    asked = _asked()
    record(Action.DOWNLOAD, viewer=viewer(), detail={"what": "full", "order": write(asked.query, with_page=False)})
    fields = export.full_fields(viewer())
    return _csv("fullt-datasett.csv", fields, export.filled(stream_full(viewer(), asked.criteria, asked.query.order)))


def _csv(name: str, fields: list[export.Field], rows: Iterable[Any]) -> Response:
    lines = export.csv_lines(fields, rows)
    first = next(lines)  # what goes wrong at the beginning is still an error, not half a file
    answer = Response(chain([first], lines), mimetype="text/csv")
    answer.call_on_close(lines.close)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
