"""Corrections: deleting a participant, and IMDi's restoring and reopening, with notices to the municipality."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, flash, url_for

from app.participants.forms import DeletionForm, MarkReadForm, ReasonForm
from app.web.access import requires, viewer
from app.web.form_fields import takes
from app.web.page_views import note_list, note_one, refuse_too_many
from app.web.responses import page_number, redirect_to, respond
from app.web.way_back import list_address
from services.access.viewer import Right, Viewer
from services.core.i18n import gettext as _
from services.participation import corrections
from services.participation.find import NotAllowed, find_alone, heading, may_change

if TYPE_CHECKING:
    from services.tables.participants import Participation

mending = Blueprint("mending", __name__, url_prefix="/deltakere")


# ---- Deleting ----


@mending.get("/<id:public_id>/slett")
@requires(Right.REGISTER)
def delete_page(public_id: str) -> Any:
    """The page with the participant's name for a double check, and the delete button."""
    participation = _changeable(public_id)
    note_one("delete", participation.id)
    return respond("participants/delete.html", participation=participation, heading=heading(participation))


@mending.get("/<id:public_id>/slett/bekreft")
@requires(Right.REGISTER)
def confirm_delete(public_id: str) -> Any:
    """The confirmation of a deletion, with its reason: a dialog, or a page of its own."""
    participation = _changeable(public_id)
    note_one("delete", participation.id)
    return _delete_question(participation, DeletionForm())


def _changeable(public_id: str) -> Participation:
    participation = find_alone(viewer(), public_id)
    if not may_change(viewer(), participation):
        raise NotAllowed(public_id)
    return participation


def _delete_question(participation: Participation, form: DeletionForm) -> Response:
    return respond(
        "participants/delete_confirm.html",
        "participants/delete_question.html",
        status=422 if form.errors else 200,
        participation=participation,
        heading=heading(participation),
        form=form,
    )


@mending.post("/<id:public_id>/slett")
@requires(Right.REGISTER)
@takes(DeletionForm)
def delete(public_id: str) -> Any:
    """Delete the participant, for one of the reasons."""
    form = DeletionForm()
    if not form.validate():
        return _delete_question(_changeable(public_id), form)
    corrections.delete(viewer(), public_id, reason=form.reason.data, text=form.text.data)
    flash(_("Deltakeren er slettet."), "success")
    return redirect_to(list_address(place=False))


# ---- Restoring and reopening ----


@mending.get("/<id:public_id>/gjenopprett")
@requires(Right.MEND)
def restore_page(public_id: str) -> Any:
    """The form for restoring a deleted participant, with the reason."""
    participation = _mendable(public_id, corrections.may_restore)
    note_one("restore", participation.id)
    return _mend_page(participation, "restore", ReasonForm())


@mending.post("/<id:public_id>/gjenopprett")
@requires(Right.MEND)
@takes(ReasonForm)
def restore(public_id: str) -> Any:
    """Restore a deleted participant."""
    return _mend(public_id, "restore", corrections.may_restore, corrections.restore, _("Deltakeren er gjenopprettet."))


@mending.get("/<id:public_id>/gjenapne")
@requires(Right.MEND)
def reopen_page(public_id: str) -> Any:
    """The form for reopening a discharged participant, with the reason."""
    participation = _mendable(public_id, corrections.may_reopen)
    note_one("reopen", participation.id)
    return _mend_page(participation, "reopen", ReasonForm())


@mending.post("/<id:public_id>/gjenapne")
@requires(Right.MEND)
@takes(ReasonForm)
def reopen(public_id: str) -> Any:
    """Reopen a discharged participant."""
    return _mend(public_id, "reopen", corrections.may_reopen, corrections.reopen, _("Deltakeren er gjenåpnet."))


def _mendable(public_id: str, may: Callable[[Viewer, Participation], bool]) -> Participation:
    participation = find_alone(viewer(), public_id)
    if not may(viewer(), participation):
        raise NotAllowed(public_id)
    return participation


def _mend_page(participation: Participation, verb: str, form: ReasonForm) -> Response:
    what = _("Gjenopprett deltaker") if verb == "restore" else _("Gjenåpne deltaker")
    title = f"{heading(participation)} · {what}"
    return respond(
        "participants/mend.html",
        "participants/mend_form.html",
        status=422 if form.errors else 200,
        what=what,
        title=f"{_('Feil:')} {title}" if form.errors else title,
        participation=participation,
        heading=heading(participation),
        verb=verb,
        form=form,
    )


def _mend(
    public_id: str,
    verb: str,
    may: Callable[[Viewer, Participation], bool],
    carry_out: Callable[..., None],
    done: str,
) -> Any:
    form = ReasonForm()
    participation = find_alone(viewer(), public_id)
    if not may(viewer(), participation):  # pressed twice, or never possible: the page shows the present state
        return redirect_to(url_for("participants.data_page", public_id=public_id))
    if not form.validate():
        return _mend_page(participation, verb, form)
    try:
        carry_out(viewer(), public_id, reason=form.reason.data)
    except NotAllowed:  # pressed twice at the same moment
        return redirect_to(url_for("participants.data_page", public_id=public_id))
    except corrections.RunsElsewhere:
        form.reason.errors = [
            _("Personen er med i Jobbsjansen på nytt. Den deltakelsen må avsluttes eller slettes først")
        ]
        return _mend_page(participation, verb, form)
    flash(done, "success")
    return redirect_to(url_for("participants.data_page", public_id=public_id))


# ---- Notices to municipalities ----


@mending.get("/meldinger")
@requires(Right.REGISTER)
def notices() -> Any:
    """The notices from IMDi to the user's municipalities, page by page."""
    page = page_number()
    refuse_too_many()
    found = corrections.notices(viewer(), page)
    note_list("notices", list(dict.fromkeys(one.participation for one in found.told)))
    return respond("participants/notices.html", notices=found.told, page=found.page, pages=found.pages)


@mending.post("/meldinger/<int(max=2147483647):notice_id>/lest")
@requires(Right.REGISTER)
@takes(MarkReadForm)
def mark_read(notice_id: int) -> Any:
    """Mark a notice as read."""
    public_id = corrections.mark_read(viewer(), notice_id)
    if MarkReadForm().page.data == "data":  # on the participant's own page
        return redirect_to(url_for("participants.data_page", public_id=public_id))
    return redirect_to(url_for("mending.notices"))
