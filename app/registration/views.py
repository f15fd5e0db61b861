"""Registration: creating on page 1, saving the pages, discharging."""

import re
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, abort, flash, request, url_for

from app.access import requires, viewer
from app.registers import registers
from app.registration import forms
from app.registration.answers import (
    answer_conflict,
    answer_obstacles,
    answer_page,
    answer_redrawn,
    answer_unfinished,
    obstacle_words,
    page_address,
    sent_form,
    with_registered,
)
from app.registration.new import NewForm, number_help
from app.web import is_partial, redirect_to, respond
from services import registration as service
from services import saving
from services.i18n import gettext as _
from services.models import Participation, Status
from services.participants import NotAllowed, find, heading, may_change, opened
from services.registers import fetch_results
from services.registration import Page
from services.row_fields import RowsField
from services.saving import Conflict, NoSuchVersion, Unfinished
from services.steps import PERSON, PROGRAMME, STEPS, TERMINATION, Step, step_named
from services.steps.person import MUNICIPALITY_HELP, NAME_HELP, PERSON_ID_HELP
from services.viewer import Right

registration = Blueprint("registration", __name__, url_prefix="/deltakere")
_PAGES = f"<any({', '.join(forms.STEP_OF_WORD)}):word>"


@registration.context_processor
def _addresses() -> dict[str, Any]:
    """The addresses of a page's fragments, and the help texts of what is not a question."""
    values = dict(request.view_args or {})
    known = "public_id" in values and "word" in values
    return {
        "urls": {
            "show": url_for("registration.show", **values) if known else url_for("registration.show_new"),
            "rows": url_for("registration.rows", **values) if known else "",
        },
        "help": {"name": _(NAME_HELP), "person_id": _(PERSON_ID_HELP), "municipality": _(MUNICIPALITY_HELP)},
        "number_help": number_help,
    }


# ---- Creating ----


@registration.get("/ny")
@requires(Right.REGISTER)
def new() -> Any:
    """Page 1 for a participant who does not exist yet."""
    return _answer_new(NewForm.blank(viewer()))


def _answer_new(form: NewForm, *, status: int = 200) -> Response:
    return respond(
        "registration/new.html",
        "registration/new_form.html",
        status=status,
        form=form,
        controls=form.controls(),
        steps=forms.new_steps(),
        title=form.title,
    )


@registration.post("/ny/oppslag")
@requires(Right.REGISTER)
def look_up() -> Any:
    """Who bears the number that is being typed: the name, for confirmation."""
    form = NewForm.sent(viewer(), sent_form())
    form.look_up(registers(), typing=True)
    return respond(
        "registration/new.html",
        "registration/look_up_answer.html",
        form=form,
        controls=form.controls(),
        steps=forms.new_steps(),
    )


@registration.post("/ny/vis")
@requires(Right.REGISTER)
def show_new() -> Any:
    """The questions that an answer brings or takes away, before anything is created."""
    form = NewForm.sent(viewer(), sent_form())
    answered = form.preselect_funding()
    return answer_redrawn(form.controls(), form.page, answered, form=form)


@registration.post("/ny")
@requires(Right.REGISTER)
def create() -> Any:
    """Create the participant, and go on to the page that was asked for."""
    form = NewForm.sent(viewer(), sent_form())
    going = request.form.get("go", "next")
    if going not in {"next", "show", *(step.name for step in STEPS)}:
        abort(400)
    if going == "show":
        form.look_up(registers(), typing=not form.number)
        if not form.page.raw["funding"]:
            form.preselect_funding()
        return _answer_new(form)
    form.look_up(registers())
    form.check()
    if first := service.created_with(viewer(), form.key):  # sent twice, perhaps at the same moment
        return redirect_to(_next_address(first, PERSON, going))
    if form.problems:
        return _answer_new(form, status=422)
    try:
        public_id = form.create(registers())
    except service.AlreadyRunning:
        form = replace(form, creation_key=service.new_creation_key())
        form.look_up(registers())
        form.check()
        return _answer_new(form, status=409)
    return redirect_to(_next_address(public_id, PERSON, going))


# ---- The pages ----


@registration.get(f"/<id:public_id>/{_PAGES}")
@requires(Right.READ)
def step_page(public_id: str, word: str) -> Any:
    """One of the four pages; those who may not change are shown the registered data instead."""
    participation = find(viewer(), public_id)
    if not may_change(viewer(), participation):
        return redirect_to(url_for("participants.data_page", public_id=public_id))
    pages = service.pages_of(participation)
    opened(viewer(), participation)
    return answer_page(participation, pages[forms.STEP_OF_WORD[word].name], pages=pages)


@registration.post(f"/<id:public_id>/{_PAGES}/vis")
@requires(Right.REGISTER)
def show(public_id: str, word: str) -> Any:
    """The questions that an answer brings or takes away; nothing is saved."""
    participation = _changeable(public_id)
    page = with_registered(participation, _sent_page(participation, forms.STEP_OF_WORD[word]))
    if not is_partial():
        return answer_page(participation, page, version=_seen_version(participation))
    obstacles = obstacle_words(service.pages_of(participation, page))
    return answer_redrawn(forms.controls_of(page), page, obstacles=obstacles)


def _sent_page(participation: Participation, step: Step) -> Page:
    """The page that was sent. Fields and choices that it does not have are not ours: nothing is done."""
    page = service.read_page(step, sent_form(), service.values_of(participation))
    if not _is_ours(page):
        abort(400)
    return page


def _is_ours(page: Page) -> bool:
    return page.is_ours and not set(request.form) - page.names() - {"csrf_token", "version", "go", "vist"}


@registration.post(f"/<id:public_id>/{_PAGES}/rader")
@requires(Right.REGISTER)
def rows(public_id: str, word: str) -> Any:
    """A row more or less of a repeatable question; nothing is saved."""
    participation = _changeable(public_id)
    page = _sent_page(participation, forms.STEP_OF_WORD[word])
    return _answer_rows(participation, page, request.form.get("go", ""))


def _answer_rows(participation: Participation, page: Page, going: str) -> Response:
    """The page, or of it the repeatable question, with a row added or removed."""
    verb, _dash, rest = going.partition("-")
    key, _dash, number = rest.partition("-")
    question = next((q for q in page.step.fields if q.key == key), None)
    if not isinstance(question, RowsField) or verb not in {"add", "remove"}:
        abort(400)
    raw, focus = list(page.raw[key]), ""
    if verb == "add":
        focus = question.control(len(raw), question.fields[0].key)
        raw.append(question.blank())
    elif re.fullmatch("[0-9]{1,4}", number):
        del raw[int(number) : int(number) + 1]
    page = service.page_again(page, {key: raw}, service.values_of(participation))
    if not is_partial():
        return answer_page(participation, page, version=_seen_version(participation))
    control = next(c for c in forms.controls_of(page) if c.name == key)
    return respond("registration/page.html", "registration/rows.html", control=control, focus=focus)


def _changeable(public_id: str) -> Participation:
    participation = find(viewer(), public_id)
    if not may_change(viewer(), participation):
        raise NotAllowed(public_id)
    return participation


@registration.post(f"/<id:public_id>/{_PAGES}")
@requires(Right.REGISTER)
def save(public_id: str, word: str) -> Any:
    """Save the page and go where the pressed button leads. What is wrong stops the way forwards;
    backwards, and out, what cannot be registered is kept as typed."""
    step, going = forms.STEP_OF_WORD[word], request.form.get("go", "next")
    if going == "show" or going.startswith(("add-", "remove-")):
        return _answer_unsaved(public_id, step, going)
    page = _page_to_save(public_id, step, going)
    try:
        if going == "discharge":
            return _ask_discharge(public_id, page, _version())
        forwards = _leads_forwards(step, going)
        saved = saving.save(viewer(), public_id, page, seen=_version(), keep_unread=not forwards)
    except Unfinished as unfinished:
        return answer_unfinished(public_id, unfinished)
    except Conflict as conflict:
        return answer_conflict(public_id, conflict)
    except NoSuchVersion:
        abort(400)
    if going == "fetch" and not fetch_results(viewer(), public_id, registers()):
        flash(_("PAD svarer ikke. Prøv igjen om litt."), "warning")
    return redirect_to(_next_address(public_id, step, going, saved))


def _answer_unsaved(public_id: str, step: Step, going: str) -> Response:
    """The form again: without script, what belongs to the answers, or a row more or less."""
    participation = _changeable(public_id)
    page, seen = _sent_page(participation, step), _seen_version(participation)
    if going == "show":
        return answer_page(participation, with_registered(participation, page), version=seen)
    return _answer_rows(participation, page, going)


def _page_to_save(public_id: str, step: Step, going: str) -> Page:
    """The page as it came; saving will read it. What no form of ours sends is refused, but that is not said to
    those who may not change her."""
    page = service.raw_page(step, sent_form())
    known = {"next", "overview", "fetch", *(s.name for s in STEPS), *(["discharge"] if step is TERMINATION else [])}
    if going not in known or _version() < 0 or not _is_ours(page):
        _changeable(public_id)
        abort(400)
    return page


def _version() -> int:
    """The version that the form says that it showed; below zero if it says none."""
    given = request.form.get("version", "")
    return int(given) if re.fullmatch("[0-9]{1,8}", given) else -1


def _seen_version(participation: Participation) -> int:
    """The version that the form showed."""
    if not 0 <= _version() <= participation.version:
        abort(400)
    return _version()


def _leads_forwards(step: Step, going: str) -> bool:
    """True for «Neste», «Fullfør» and the buttons of later pages, but for Avslutning, which is
    always open (people leave early)."""
    if going == "next":
        return step is not TERMINATION
    if going in {"overview", "fetch", TERMINATION.name}:
        return False
    return STEPS.index(step_named(going)) > STEPS.index(step)


def _next_address(public_id: str, step: Step, going: str, saved: Participation | None = None) -> str:
    """Where a button leads. Going forwards stops at the first page that is not complete."""
    if going == "overview" or (going == "next" and step is PROGRAMME):
        return url_for("overview.overview_page")
    if going in {"fetch", step.name} or (going == "next" and step is TERMINATION):
        return page_address(public_id, step)
    wanted = STEPS[STEPS.index(step) + 1] if going == "next" else step_named(going)
    if wanted is not TERMINATION:
        participation = saved or find(viewer(), public_id)
        for between in STEPS[STEPS.index(step) : STEPS.index(wanted)]:
            if not service.page_of(participation, between).is_complete:
                return page_address(public_id, between)
    return page_address(public_id, wanted)


# ---- Discharge ----


def _ask_discharge(public_id: str, page: Page, seen: int) -> Any:
    """«Utskriv og registrer ferdig»: what is missing, or the question whether all is right."""
    try:
        participation = saving.save(viewer(), public_id, page, seen=seen)
        page, version = service.page_again(page, page.raw, service.values_of(participation)), participation.version
    except Unfinished as unfinished:
        page, version = unfinished.page, unfinished.version
        participation = find(viewer(), public_id)
    if obstacles := saving.obstacles(service.pages_of(participation, page)):
        return answer_obstacles(participation, page, version, obstacles)
    if not is_partial():
        return redirect_to(url_for("registration.confirm_discharge", public_id=public_id))
    answer = _discharge_question(participation)
    answer.headers["HX-Retarget"] = "#dialog"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer


@registration.get("/<id:public_id>/avslutning/utskriv")
@requires(Right.REGISTER)
def confirm_discharge(public_id: str) -> Any:
    """The question whether all is right, as a page of its own."""
    participation = _changeable(public_id)
    if saving.obstacles(service.pages_of(participation)):
        return redirect_to(page_address(public_id, TERMINATION))
    return _discharge_question(participation)


def _discharge_question(participation: Participation) -> Response:
    page = service.page_of(participation, TERMINATION)
    return respond(
        "registration/discharge.html",
        "registration/discharge_question.html",
        participation=participation,
        heading=heading(participation),
        version=participation.version,
        answers=[(_(q.label), q.sentence(page.answers[q.key])) for q in TERMINATION.visible(page.answers)],
    )


@registration.post("/<id:public_id>/avslutning/utskriv")
@requires(Right.REGISTER)
def discharge(public_id: str) -> Any:
    """«Det er OK»: end the participation for good."""
    participation = find(viewer(), public_id)
    if participation.status == Status.DISCHARGED:  # pressed twice: it is done
        return redirect_to(url_for("overview.overview_page"))
    person_id = participation.person_id
    try:
        saving.discharge(viewer(), public_id, seen=_seen_version(participation))
    except (saving.Stale, saving.Incomplete):
        flash(_("Noe er endret siden spørsmålet ble stilt. Se over siden og prøv igjen."), "warning")
        return redirect_to(page_address(public_id, TERMINATION))
    flash(_("Deltaker %(id)s er skrevet ut.") % {"id": person_id}, "success")
    return redirect_to(url_for("overview.overview_page"))
