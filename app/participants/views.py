"""One participant: what is registered, what has been changed, and deleting her."""

from typing import Any

from flask import Blueprint, flash, url_for

from app.access import requires, viewer
from app.registers import registers
from app.test_results import tests_of
from app.web import redirect_to, respond
from services import participants as service
from services.i18n import gettext as _
from services.models import Status
from services.participants import find, find_alone, heading, may_change, opened
from services.refresh import refresh_if_old
from services.registration import json_text, values_of
from services.steps import FIELDS, STEPS
from services.viewer import Right

participants = Blueprint("participants", __name__, url_prefix="/deltakere")


@participants.get("/<id:public_id>/data")
@requires(Right.READ)
def data_page(public_id: str) -> Any:
    """All that is registered of a participant."""
    participation = find(viewer(), public_id)
    is_running = participation.status != Status.DISCHARGED and participation.deleted_at is None
    if is_running and refresh_if_old(participation.person, registers()):
        participation = find(viewer(), public_id)
    opened(viewer(), participation)
    values = values_of(participation)
    pages = [
        (_(step.title), [(q.kind, _(q.label), q.parts(values[q.key])) for q in step.visible(values)]) for step in STEPS
    ]
    return respond(
        "participants/data.html",
        participation=participation,
        heading=heading(participation),
        pages=pages,
        tests=tests_of(participation.person),
        warnings=[text for step in STEPS for text in step.warnings(values).values()],
    )


@participants.get("/<id:public_id>/historikk")
@requires(Right.READ)
def history_page(public_id: str) -> Any:
    """All changes of a participant, newest first."""
    participation = find_alone(viewer(), public_id)
    opened(viewer(), participation)
    lines = [(change.at, change.username, *_change_words(change)) for change in service.history(participation)]
    return respond(
        "participants/history.html", participation=participation, heading=heading(participation), lines=lines
    )


def _change_words(change: service.Changed) -> tuple[str, str, str]:
    if change.field == "deleted":
        return _("Deltakeren"), "", _("Slettet")
    if change.field == "discharged":
        return _("Deltakeren"), "", _("Utskrevet")
    question = FIELDS[change.field]
    return _(question.label), json_text(question, change.old), json_text(question, change.new)


@participants.get("/<id:public_id>/slett")
@requires(Right.REGISTER)
def delete_page(public_id: str) -> Any:
    """The participant's name for a double check, and the button."""
    return _delete_answer(public_id, "participants/delete.html")


@participants.get("/<id:public_id>/slett/bekreft")
@requires(Right.REGISTER)
def confirm_delete(public_id: str) -> Any:
    """The question that is asked once more: a dialog, or a page of its own."""
    return _delete_answer(public_id, "participants/delete_confirm.html", "participants/delete_question.html")


def _delete_answer(public_id: str, page: str, partial: str | None = None) -> Any:
    participation = find_alone(viewer(), public_id)
    if not may_change(viewer(), participation):
        raise service.NotAllowed(public_id)
    return respond(page, partial, participation=participation, heading=heading(participation))


@participants.post("/<id:public_id>/slett")
@requires(Right.REGISTER)
def delete(public_id: str) -> Any:
    """Delete the participant."""
    service.delete(viewer(), public_id)
    flash(_("Deltakeren er slettet."), "success")
    return redirect_to(url_for("overview.overview_page"))
