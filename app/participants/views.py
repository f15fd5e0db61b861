"""One participant: registered data and history. For deleting, see `app.participants.corrections`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue

from app.connections.registers import registers
from app.participants.labels import deletion_reason, event_label, field_label, from_and_to, who
from app.web.access import requires, viewer
from app.web.formatting import moment_text
from app.web.responses import page_number, respond
from app.web.test_results import tests_of
from services.access.viewer import Right
from services.core.db import now
from services.core.i18n import gettext as _
from services.core.status import Status
from services.participation import corrections as mending
from services.participation import history
from services.participation.answers import values_of
from services.participation.find import find, find_alone, heading, opened
from services.participation.page import Page, pages_of
from services.questions.pages import FIELDS, STEPS, TERMINATION
from services.questions.programme_time import programme_time
from services.refresh.refresh import refresh_if_old

if TYPE_CHECKING:
    from services.tables.participants import Participation

participants = Blueprint("participants", __name__, url_prefix="/deltakere")
_ORDER = {field: place for place, field in enumerate(FIELDS)}


@participants.get("/<id:public_id>/data")
@requires(Right.READ)
def data_page(public_id: str) -> ResponseReturnValue:
    """The registered data of a participant, with their sources."""
    participation = _fresh(public_id)
    opened(viewer(), participation)
    values, sources = values_of(participation), history.last_sources(participation)
    standing = pages_of(participation)
    pages = [
        (
            _(step.title),
            [(q.kind, _(q.label), q.parts(values[q.key]), _source(sources.get(q.key))) for q in step.visible(values)],
            _labels_with_problems(standing[step.name]),
        )
        for step in STEPS
    ]
    return respond(
        "participants/data.html",
        participation=participation,
        heading=heading(participation),
        pages=pages,
        time=programme_time(values),
        tests=tests_of(participation.person),
        warnings=[text for step in STEPS for text in step.warnings(values).values()],
        printed_at=now(),
        reason=deletion_reason(participation),
        notices=mending.unread_notices(viewer(), participation),
        may_restore=mending.may_restore(viewer(), participation),
        may_reopen=mending.may_reopen(viewer(), participation),
    )


def _fresh(public_id: str) -> Participation:
    """The participation, refreshed from the registers if its data are a day old and it is running."""
    participation = find(viewer(), public_id)
    is_running = participation.status != Status.DISCHARGED and participation.deleted_at is None
    if is_running and refresh_if_old(participation.person, registers()):
        return find(viewer(), public_id)
    return participation


def _source(change: history.Changed | None) -> str:
    return f"{who(change)}, {moment_text(change.at)}" if change else ""


def _labels_with_problems(page: Page) -> list[str]:
    """The labels of a page's fields with problems; for the last page only if the participant is to leave."""
    if page.step is TERMINATION and not page.answers["end_date"]:
        return []
    keys = {name.partition("-")[0] for name in page.problems}
    return [_(question.label) for question in page.step.fields if question.key in keys]


@participants.get("/<id:public_id>/historikk")
@requires(Right.READ)
def history_page(public_id: str) -> ResponseReturnValue:
    """The history of a participant, newest first: of all fields, or of one."""
    participation = find_alone(viewer(), public_id)
    field = request.args.get("felt", "")
    lines = history.history(viewer(), participation, field=field or None, page=page_number())
    if field and field not in lines.fields:
        abort(400)
    opened(viewer(), participation)
    return respond(
        "participants/history.html",
        "participants/history_lines.html",
        participation=participation,
        heading=heading(participation),
        lines=[(change.at, who(change), field_label(change.field), *from_and_to(change)) for change in lines.lines],
        choices=_choices(lines.fields),
        field=field,
        page=lines.page,
        pages=lines.pages,
        address=url_for("participants.history_page", public_id=public_id),
        said=_("Viser endringer av %(label)s") % {"label": field_label(field)} if field else _("Viser alle endringer"),
    )


def _choices(fields: list[str]) -> list[tuple[str, str]]:
    """The fields to choose from, in the order of the pages; events of the whole participation come last."""
    ordered = sorted(fields, key=lambda field: (_ORDER.get(field, len(_ORDER)), field_label(field), field))
    events = [field for field in ordered if field_label(field) == _("Deltakeren")]
    return [(field, field_label(field)) for field in ordered if field not in events] + [
        (field, event_label(field)) for field in events
    ]
