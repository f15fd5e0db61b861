"""Registration: saving the four pages, and discharging. For creating, see `app.registration.creating`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, flash, request, url_for
from flask.typing import ResponseReturnValue

from app.connections.registers import registers
from app.registration import forms
from app.registration.autosave_response import answer_kept
from app.registration.destinations import leads_forwards, next_address
from app.registration.help import help_texts
from app.registration.leaving import tell_what_became
from app.registration.responses import (
    answer_conflict,
    answer_obstacles,
    answer_page,
    answer_unfinished,
    page_address,
    removed_words,
)
from app.registration.sent import VERSION_FIELD, SentPage, read_sent, refuse, shown_by_form
from app.web.access import requires, viewer
from app.web.form_fields import reads_its_fields, takes
from app.web.responses import is_partial, redirect_to, respond
from services.access.viewer import Right
from services.core.i18n import gettext as _
from services.core.status import Status
from services.participation import save as saving
from services.participation.answers import values_of
from services.participation.find import NotAllowed, find, find_alone, heading, may_change, opened
from services.participation.merge import NoSuchVersion
from services.participation.page import page_again, page_of, pages_of
from services.participation.save import Conflict, Saved, Unfinished
from services.participation.sent_form import SentForm, ShownForm
from services.questions.pages import FIELDS, STEPS, TERMINATION
from services.refresh.refresh import fetch_results, refresh_if_old

if TYPE_CHECKING:
    from services.tables.participants import Participation

registration = Blueprint("registration", __name__, url_prefix="/deltakere")
_PAGES = f"<any({', '.join(forms.STEP_OF_WORD)}):word>"


@registration.context_processor
def _addresses() -> dict[str, Any]:
    """The address for a page's saves, and help texts of parts that are not declared as fields."""
    values = dict(request.view_args or {})
    known = "public_id" in values and "word" in values
    return {"urls": {"keep": url_for("registration.keep", **values) if known else ""}, "help": help_texts()}


# ---- The pages ----


@registration.get(f"/<id:public_id>/{_PAGES}")
@requires(Right.READ)
def step_page(public_id: str, word: str) -> ResponseReturnValue:
    """One of the four pages; users who may not change it are redirected to the registered data."""
    participation = find(viewer(), public_id)
    if not may_change(viewer(), participation):
        return redirect_to(url_for("participants.data_page", public_id=public_id))
    if refresh_if_old(participation.person, registers()):
        participation = find(viewer(), public_id)
    pages = pages_of(participation, username=viewer().username)
    opened(viewer(), participation)
    return answer_page(participation, pages[forms.STEP_OF_WORD[word].name], pages=pages)


@registration.post(f"/<id:public_id>/{_PAGES}/lagre")
@requires(Right.REGISTER)
@reads_its_fields
def keep(public_id: str, word: str) -> ResponseReturnValue:
    """Save valid values automatically; others are kept as drafts."""
    sent = read_sent(public_id, forms.STEP_OF_WORD[word])
    if sent.going and not sent.keeps_only:
        refuse(public_id)
    try:
        kept = saving.keep(viewer(), public_id, sent.form)
    except NoSuchVersion:
        abort(400)
    if not is_partial():  # sent by a page that is being left: nobody reads the response
        return "", 204
    answer = answer_kept(kept, typing=request.form.get("skriver", ""), rows=sent.rows)
    return tell_what_became(answer, kept.participation)


@registration.post(f"/<id:public_id>/{_PAGES}")
@requires(Right.REGISTER)
@reads_its_fields
def save(public_id: str, word: str) -> ResponseReturnValue:
    """Save the page and continue to the pressed button's destination. Errors stop the way forwards; backwards, and out,
    invalid values are kept as drafts."""
    sent = read_sent(public_id, forms.STEP_OF_WORD[word], default="next")
    try:
        if sent.form.choice:
            saving.keep(viewer(), public_id, sent.form)
            return redirect_to(page_address(public_id, sent.page.step))
        if sent.keeps_only or sent.going == "show":
            return _answer_kept_whole(public_id, sent)
        return _save(public_id, sent)
    except Unfinished as unfinished:
        return answer_unfinished(public_id, sent.form.shown, unfinished)
    except Conflict as conflict:
        return answer_conflict(public_id, sent.form.shown, conflict)
    except NoSuchVersion:
        abort(400)


def _save(public_id: str, sent: SentPage) -> ResponseReturnValue:
    step, going = sent.page.step, sent.going
    known = {"next", "overview", "fetch", *(s.name for s in STEPS), *(["discharge"] if step is TERMINATION else [])}
    if going not in known:
        refuse(public_id)
    if going == "discharge":
        return _ask_discharge(public_id, sent.form)
    saved = _save_whole(public_id, sent.form, keep_unread=not leads_forwards(step, going)).participation
    if going == "fetch" and (words := fetch_results(viewer(), public_id, registers())):
        flash(words, "warning")
    return redirect_to(next_address(public_id, step, going, saved))


def _save_whole(public_id: str, form: SentForm, *, keep_unread: bool = False) -> Saved:
    saved = saving.save(viewer(), public_id, form, keep_unread=keep_unread)
    if words := removed_words(saved.removed):
        flash(words, "warning")
    return saved


def _answer_kept_whole(public_id: str, sent: SentPage) -> Response:
    """The form again, for browsers without script: with the fields that the answers require, or a row more or less.
    Valid values are saved, as automatically."""
    kept = saving.keep(viewer(), public_id, replace(sent.form, left_as=None))
    return answer_page(
        kept.participation,
        kept.page,
        shown=ShownForm(kept.participation.version, sent.form.shown.key),
        rows=sent.rows,
        clashes=kept.clashes,
        removed=removed_words(kept.removed),
    )


# ---- Discharge ----


def _ask_discharge(public_id: str, form: SentForm) -> ResponseReturnValue:
    """«Utskriv og registrer ferdig»: show the obstacles, or the confirmation."""
    try:
        participation = _save_whole(public_id, form).participation
        page, version = page_again(form.page, form.page.raw, values_of(participation)), participation.version
    except Unfinished as unfinished:
        page, version = unfinished.page, unfinished.version
        participation = find(viewer(), public_id)
    if obstacles := saving.obstacles(pages_of(participation, page, username=viewer().username)):
        return answer_obstacles(participation, page, ShownForm(version, form.shown.key), obstacles)
    if not is_partial():
        return redirect_to(url_for("registration.confirm_discharge", public_id=public_id))
    answer = _discharge_question(participation)
    answer.headers["HX-Retarget"] = "#dialog"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer


def _changeable(public_id: str) -> Participation:
    participation = find(viewer(), public_id)
    if not may_change(viewer(), participation):
        raise NotAllowed(public_id)
    return participation


@registration.get("/<id:public_id>/avslutning/utskriv")
@requires(Right.REGISTER)
def confirm_discharge(public_id: str) -> ResponseReturnValue:
    """The confirmation of a discharge, as a page of its own."""
    participation = _changeable(public_id)
    if saving.obstacles(pages_of(participation, username=viewer().username)):
        return redirect_to(page_address(public_id, TERMINATION))
    return _discharge_question(participation)


def _discharge_question(participation: Participation) -> Response:
    page, values = page_of(participation, TERMINATION, viewer().username), values_of(participation)
    return respond(
        "registration/discharge.html",
        "registration/discharge_question.html",
        participation=participation,
        heading=heading(participation),
        version=participation.version,
        answers=[(_(q.label), q.sentence(page.answers[q.key])) for q in TERMINATION.visible(page.answers)],
        thrown_away=_discarded_drafts(participation),
        warnings=[text for step in STEPS for text in step.warnings(values).values()],
    )


def _discarded_drafts(participation: Participation) -> list[str]:
    """Other users' drafts, which a discharge discards."""
    typed = [draft for draft in participation.drafts if draft.username != viewer().username]
    return [f"{draft.username}: {_(FIELDS[draft.field].label)}" for draft in typed if draft.field in FIELDS]


@registration.post("/<id:public_id>/avslutning/utskriv")
@requires(Right.REGISTER)
@takes({VERSION_FIELD})
def discharge(public_id: str) -> ResponseReturnValue:
    """«Det er OK»: end the participation for good."""
    participation = find(viewer(), public_id)
    receipt_page = url_for("registration.receipt", public_id=public_id)
    if participation.status == Status.DISCHARGED:  # pressed twice
        return redirect_to(receipt_page)
    version = shown_by_form().version
    if not 0 <= version <= participation.version:
        abort(400)
    try:
        saving.discharge(viewer(), public_id, seen=version)
    except (saving.StaleParticipation, saving.Incomplete):
        flash(_("Noe er endret siden spørsmålet ble stilt. Se over siden og prøv igjen."), "warning")
        return redirect_to(page_address(public_id, TERMINATION))
    return redirect_to(receipt_page)


@registration.get("/<id:public_id>/kvittering")
@requires(Right.READ)
def receipt(public_id: str) -> ResponseReturnValue:
    """The receipt of a discharge, with the PersonId to find the participant by; the name is not shown any more."""
    participation = find_alone(viewer(), public_id)
    if participation.status != Status.DISCHARGED:
        return redirect_to(page_address(public_id, TERMINATION))
    return respond("registration/receipt.html", participation=participation, heading=heading(participation))
