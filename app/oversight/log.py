"""The access log for IMDi-administrators: searched, page by page, and as a file."""

from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from flask import Response, abort, current_app, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.oversight.forms import LogSearchForm
from app.oversight.log_words import action_word, detail_text
from app.oversight.views import oversight
from app.web.access import requires, viewer
from app.web.form_fields import takes
from app.web.responses import is_partial, redirect_to, respond
from services.access import access_log
from services.access.access_log import Line, LogQuery
from services.access.audit import Action, record
from services.access.hourly_limits import log_download
from services.access.viewer import Right
from services.core.clock import OSLO_TIME
from services.core.code_lists import municipality_name
from services.core.days import date_text
from services.core.i18n import N_
from services.core.i18n import gettext as _
from services.export import csv_file
from services.export.reading import Cells
from services.listing import stored_searches as searches
from services.listing.stored_searches import StoredSearch
from services.questions.fields import EARLIEST, LATEST

_COLUMNS = (N_("Når"), N_("Hvem"), N_("Hva"), N_("PersonId"), N_("Kommune"), N_("Mer"))
_NAMED = 25  # participants that one line of the page names; the file names all


@dataclass(frozen=True)
class LogRequest:
    """A request of the log: the search is stored, since it may be a user name, and the address has only its id.
    `before`: the page begins after this line."""

    wanted: LogQuery
    search: str = ""
    before: int | None = None

    @property
    def query(self) -> str:
        """The query string of these lines, for their first page."""
        wanted = self.wanted
        pairs = {
            "sok": self.search,
            "handling": wanted.action,
            "fra": wanted.first.isoformat() if wanted.first else "",
            "til": wanted.last.isoformat() if wanted.last else "",
        }
        return urlencode({name: value for name, value in pairs.items() if value})

    def address(self, endpoint: str = "oversight.log_page", before: int | None = None) -> str:
        """The address of these lines, from the one after `before`."""
        query = "&".join(filter(None, (self.query, f"eldre={before}" if before else "")))
        return url_for(endpoint) + (f"?{query}" if query else "")


def _from_address() -> LogRequest:
    pairs = request.args
    action, before, search = pairs.get("handling", ""), pairs.get("eldre", ""), pairs.get("sok", "")
    if (action and action not in set(Action)) or (before and not _is_number(before)):
        abort(400)
    kept = searches.recall(viewer(), search) if search else None
    whom = kept.words[0] if kept and kept.words else ""
    wanted = LogQuery(whom=whom, action=action, first=_day(pairs.get("fra", "")), last=_day(pairs.get("til", "")))
    return LogRequest(wanted, search if whom else "", int(before) if before else None)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        abort(400)
    return abort(400) if day and not EARLIEST <= day <= LATEST else day


@oversight.get("/tilgangslogg")
@requires(Right.SEE_LOG)
def log_page() -> Any:
    """A page of the log."""
    return _page(_from_address())


def _page(asked: LogRequest, sent: LogSearchForm | None = None) -> Response:
    """The page, or its lines. `sent`: the search form, shown as typed if it has errors."""
    wanted = asked.wanted
    form = sent or LogSearchForm(formdata=None, whom=wanted.whom, action=wanted.action)
    errors, redrawn = form.errors, form.redrawn() if is_partial() else []
    if not errors:
        form.first.data, form.last.data = date_text(wanted.first), date_text(wanted.last)
    record(Action.READ_LOG, viewer=viewer())
    found = [] if errors else access_log.lines(viewer(), asked.wanted, before=asked.before, most=access_log.PAGE + 1)
    lines = found[: access_log.PAGE]
    answer = respond(
        "oversight/log.html",
        "oversight/log_lines.html",
        status=422 if errors else 200,
        asked=asked,
        form=form,
        redrawn=redrawn,
        title=(_("Feil: Tilgangslogg") if errors else _("Tilgangslogg")) if redrawn else "",
        labels=[_(label) for label in _COLUMNS],
        lines=[_cells(line, most=_NAMED) for line in lines],
        older=asked.address(before=lines[-1].id) if len(found) > len(lines) else "",
        newest=asked.address() if asked.before else "",
        said="" if errors else _("Tilgangsloggen er oppdatert."),
    )
    if is_partial() and not errors:
        answer.headers["HX-Push-Url"] = asked.address(before=asked.before)
    return answer


def _cells(line: Line, *, most: int | None = None) -> list[str]:
    return [
        f"{line.at.astimezone(OSLO_TIME):%d.%m.%Y kl. %H.%M.%S}",
        line.username,
        action_word(line.action),
        line.person_id,
        municipality_name(line.municipality_number) if line.municipality_number else "",
        detail_text(line, most=most),
    ]


@oversight.post("/tilgangslogg/sok")
@requires(Right.SEE_LOG)
@takes(LogSearchForm)
def search_log() -> Any:
    """Search by user name or PersonId, action and days; invalid days are shown as errors."""
    form = LogSearchForm()
    form.validate()
    whom, action = form.whom.data, form.action.data
    if action and action not in set(Action):
        abort(400)
    wanted = LogQuery(whom=whom, action=action, first=form.first_day, last=form.last_day)
    if form.errors:
        return _page(LogRequest(wanted), form)
    asked = LogRequest(wanted, searches.keep(viewer(), StoredSearch((whom,))) if whom else "")
    return _page(asked, form) if is_partial() else redirect_to(asked.address())


@oversight.get("/tilgangslogg/sok")
@requires(Right.SEE_LOG)
def search_log_page() -> BaseResponse:
    """Lead a reload of a search response to the log."""
    return redirect_to(url_for("oversight.log_page"))


@oversight.get("/tilgangslogg.csv")
@requires(Right.SEE_LOG)
def log_csv() -> Response:
    """The same lines, all pages, as a CSV file."""
    asked = _from_address()
    disposition = {"Content-Disposition": 'attachment; filename="tilgangslogg.csv"'}
    if request.method == "HEAD":  # nothing is read, so nothing counts as downloaded
        return Response(iter(()), mimetype="text/csv", headers=disposition)
    most = current_app.config["SETTINGS"].downloads_per_hour
    log_download(viewer(), "access_log", "csv", order=asked.query, most=most)
    batches = access_log.all_lines(viewer(), asked.wanted)
    made = csv_file.lines(_COLUMNS, (_columns(batch) for batch in batches))
    first = next(made)  # an error at the beginning is then a response of its own, not half a file
    answer = Response(chain([first], made), mimetype="text/csv", headers=disposition)
    answer.call_on_close(batches.close)
    return answer


def _columns(batch: list[Line]) -> list[Cells]:
    guards = [csv_file.disarmed, csv_file.disarmed, csv_file.disarmed, csv_file.with_tab, *[csv_file.disarmed] * 2]
    columns = zip(*map(_cells, batch), strict=True)
    return [[guard(cell).replace('"', '""') for cell in column] for guard, column in zip(guards, columns, strict=True)]
