"""Registration: creating on page 1, saving the pages, discharging."""

from typing import Any

from flask import Blueprint, Response, abort, flash, request, url_for

from app.access import requires, viewer
from app.registers import registers
from app.registration import forms
from app.registration.new import NewForm, number_help
from app.test_results import tests_of
from app.web import is_partial, redirect_to, respond
from services import registration as service
from services.fields import RowsField
from services.i18n import gettext as _
from services.models import Participation, Status
from services.participants import NotAllowed, find, heading, may_change, opened
from services.registers import fetch_results
from services.registration import Clash, Conflict, Page
from services.steps import BACKGROUND, FIELDS, PERSON, PROGRAMME, STEPS, TERMINATION, Step, step_named
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
        "show_url": url_for("registration.show", **values) if known else url_for("registration.show_new"),
        "rows_url": url_for("registration.rows", **values) if known else "",
        "help": {"name": _(NAME_HELP), "person_id": _(PERSON_ID_HELP), "municipality": _(MUNICIPALITY_HELP)},
        "number_help": number_help(),
    }


def sent_form() -> dict[str, list[str]]:
    """The form as it was sent: every name with its texts."""
    return {name: request.form.getlist(name) for name in request.form}


def page_address(public_id: str, step: Step) -> str:
    """The address of one of a participant's pages."""
    return url_for("registration.step_page", public_id=public_id, word=forms.STEP_WORDS[step.name])


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
        "registration/look_up.html",
        form=form,
        controls=form.controls(),
        steps=forms.new_steps(),
    )


@registration.post("/ny/vis")
@requires(Right.REGISTER)
def show_new() -> Any:
    """The questions that an answer brings or takes away, before anything is created."""
    form = NewForm.sent(viewer(), sent_form())
    return _redrawn(form.controls(), form.page)


@registration.post("/ny")
@requires(Right.REGISTER)
def create() -> Any:
    """Create the participant, and go on to the page that was asked for."""
    form = NewForm.sent(viewer(), sent_form())
    going = request.form.get("go", "next")
    if going not in {"next", "show", *(step.name for step in STEPS)}:
        abort(400)
    if going == "show":
        form.look_up(registers(), typing=True)
        return _answer_new(form)
    if first := service.created_with(viewer(), form.creation_key):
        return redirect_to(page_address(first, BACKGROUND))
    form.look_up(registers())
    form.check()
    if form.problems:
        return _answer_new(form, status=422)
    try:
        public_id = form.create(registers())
    except service.AlreadyRunning:
        form.look_up(registers())
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
    opened(viewer(), participation)
    return _answer(participation, service.page_of(participation, forms.STEP_OF_WORD[word]))


def _answer(
    participation: Participation,
    page: Page,
    *,
    status: int = 200,
    said: dict[str, str] | None = None,
    clashes: dict[str, Clash] | None = None,
    elsewhere: list[tuple[str, str, list[str]]] | None = None,
) -> Response:
    """The page with its form. `said` are the problems to show, if it was refused."""
    title = f"{heading(participation)} · {_(page.step.title)}"
    clash_words = {key: _clash_words(key, clash) for key, clash in (clashes or {}).items()}
    failed = bool(said or clash_words or elsewhere)
    return respond(
        "registration/page.html",
        "registration/form.html",
        status=status,
        participation=participation,
        page=page,
        controls=forms.controls_of(page, said=said, clashes=clash_words),
        steps=forms.steps_of(participation, page.step),
        step_word=forms.STEP_WORDS[page.step.name],
        summary=forms.summary(said or {}) + forms.summary(clash_words),
        elsewhere=elsewhere or [],
        ready=page.step is TERMINATION and not service.obstacles(participation, page),
        missing_words=_missing_words(participation, page),
        heading=heading(participation),
        tests=tests_of(participation.person),
        title=f"{_('Feil:')} {title}" if failed else title,
    )


def _missing_words(participation: Participation, page: Page) -> str:
    """«Mangler: …» beside the button that discharges."""
    if page.step is not TERMINATION:
        return ""
    words = []
    for name, problems in service.obstacles(participation, page).items():
        step = step_named(name)
        if step is page.step:
            words += list(forms.labels(problems).values())
        else:
            words.append(_(step.title))
    return ", ".join(words)


def _clash_words(key: str, clash: Clash) -> str:
    theirs = service.json_text(FIELDS[key], clash.value) or _("ikke noe svar")
    return _("%(who)s har endret dette til «%(theirs)s» mens du skrev. Velg hva som skal stå, og gå videre") % {
        "who": clash.username,
        "theirs": theirs,
    }


@registration.post(f"/<id:public_id>/{_PAGES}/vis")
@requires(Right.REGISTER)
def show(public_id: str, word: str) -> Any:
    """The questions that an answer brings or takes away; nothing is saved."""
    participation = _changeable(public_id)
    page = service.read_page(forms.STEP_OF_WORD[word], sent_form(), service.values_of(participation))
    if not is_partial():
        return _answer(participation, page)
    ready = page.step is TERMINATION and not service.obstacles(participation, page)
    return _redrawn(forms.controls_of(page), page, ready=ready, missing_words=_missing_words(participation, page))


def _redrawn(controls: list[forms.Control], page: Page, **more: Any) -> Response:
    """Only what has changed against what the form says that it shows: text that is being typed
    elsewhere is never touched."""
    drawn = {mark.rstrip("!"): mark for mark in request.form.getlist("vist")}
    changed = [c for c in controls if c.redrawn and drawn.get(c.name) != (c.mark if c.shown else None)]
    return respond(
        "registration/redrawn.html",
        "registration/redrawn.html",
        controls=changed,
        page=page,
        step_word=forms.STEP_WORDS[page.step.name],
        **more,
    )


@registration.post(f"/<id:public_id>/{_PAGES}/rader")
@requires(Right.REGISTER)
def rows(public_id: str, word: str) -> Any:
    """A row more or less of a repeatable question; nothing is saved."""
    participation = _changeable(public_id)
    page, key, focus = _with_rows_changed(participation, forms.STEP_OF_WORD[word], request.form.get("go", ""))
    control = next(c for c in forms.controls_of(page) if c.name == key)
    if not is_partial():
        return _answer(participation, page)
    return respond("registration/page.html", "registration/rows.html", control=control, focus=focus)


def _with_rows_changed(participation: Participation, step: Step, going: str) -> tuple[Page, str, str]:
    """The page with a row added or removed, which rows these are, and where the focus belongs."""
    verb, _dash, rest = going.partition("-")
    key, _dash, index = rest.partition("-")
    question = next((q for q in step.fields if q.key == key), None)
    form = sent_form()
    if not isinstance(question, RowsField) or verb not in {"add", "remove"}:
        abort(400)
    raw = question.read(form)
    if verb == "add":
        raw.append(question.blank())
    elif index.isdecimal() and int(index) < len(raw):
        del raw[int(index)]
    page = service.read_page(step, form, service.values_of(participation))
    page = service.with_rows(page, key, raw)
    return page, key, question.control(len(raw) - 1, question.fields[0].key) if verb == "add" else ""


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
    participation = _changeable(public_id)
    step, going = forms.STEP_OF_WORD[word], request.form.get("go", "next")
    if going.startswith(("add-", "remove-")):
        return _answer(participation, _with_rows_changed(participation, step, going)[0])
    page = service.read_page(step, sent_form(), service.values_of(participation))
    _refuse_unknown(page)
    if going == "show":
        return _answer(participation, page)
    if going == "discharge":
        return _ask_discharge(participation, page)
    forwards = _leads_forwards(step, going)
    if forwards and not page.is_complete:
        return _answer(participation, page, status=422, said=page.problems)
    try:
        service.save(viewer(), public_id, page, seen=_seen_version(), keep_unread=not forwards)
    except Conflict as conflict:
        return _answer_conflict(public_id, page, conflict)
    if going == "fetch":
        fetch_results(viewer(), public_id, registers())
    return redirect_to(_next_address(public_id, step, going))


def _seen_version() -> int:
    given = request.form.get("version", "")
    if not (given.isascii() and given.isdecimal() and len(given) < 9):
        abort(400)
    return int(given)


def _refuse_unknown(page: Page) -> None:
    """Fields that are not on the page are not ours: nothing is stored."""
    known = page.names() | {"csrf_token", "version", "go", "vist"}
    if set(request.form) - known:
        abort(400)


def _leads_forwards(step: Step, going: str) -> bool:
    """True for «Neste», «Fullfør» and the buttons of later pages, but for Avslutning, which is
    always open (people leave early)."""
    if going == "next":
        return step is not TERMINATION
    if going in {"overview", "fetch", TERMINATION.name}:
        return False
    if going not in {s.name for s in STEPS}:
        abort(400)
    return STEPS.index(step_named(going)) > STEPS.index(step)


def _next_address(public_id: str, step: Step, going: str) -> str:
    """Where a button leads. Going forwards stops at the first page that is not complete."""
    if going == "overview" or (going == "next" and step is PROGRAMME):
        return url_for("overview.overview_page")
    if going in {"fetch", step.name} or (going == "next" and step is TERMINATION):
        return page_address(public_id, step)
    wanted = STEPS[STEPS.index(step) + 1] if going == "next" else step_named(going)
    if wanted is not TERMINATION:
        participation = find(viewer(), public_id)
        for between in STEPS[STEPS.index(step) + 1 : STEPS.index(wanted)]:
            if not service.page_of(participation, between).is_complete:
                return page_address(public_id, between)
    return page_address(public_id, wanted)


def _answer_conflict(public_id: str, page: Page, conflict: Conflict) -> Response:
    """The form again with what was typed here, and beside it what the other wrote."""
    participation = find(viewer(), public_id)
    current = service.page_of(participation, page.step)
    merged = service.merged_page(page, current, conflict.kept)
    return _answer(participation, merged, status=409, clashes=conflict.clashes)


# ---- Discharge ----


def _ask_discharge(participation: Participation, page: Page) -> Any:
    """«Utskriv og registrer ferdig»: what is missing, or the question whether all is right."""
    public_id = participation.public_id
    obstacles = service.obstacles(participation, page)
    if obstacles:
        elsewhere = [
            (
                page_address(public_id, step_named(name)),
                _(step_named(name).title),
                list(forms.labels(problems).values()),
            )
            for name, problems in obstacles.items()
            if name != page.step.name
        ]
        own = obstacles.get(page.step.name, {})
        return _answer(participation, page, status=422, said=own, elsewhere=elsewhere)
    try:
        saved = service.save(viewer(), public_id, page, seen=_seen_version())
    except Conflict as conflict:
        return _answer_conflict(public_id, page, conflict)
    if not is_partial():
        return redirect_to(url_for("registration.confirm_discharge", public_id=public_id))
    answer = _discharge_question(find(viewer(), public_id), saved.version)
    answer.headers["HX-Retarget"] = "#dialog"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer


@registration.get("/<id:public_id>/avslutning/utskriv")
@requires(Right.REGISTER)
def confirm_discharge(public_id: str) -> Any:
    """The question whether all is right, as a page of its own."""
    participation = _changeable(public_id)
    if service.obstacles(participation):
        return redirect_to(page_address(public_id, TERMINATION))
    return _discharge_question(participation, participation.version)


def _discharge_question(participation: Participation, version: int) -> Response:
    page = service.page_of(participation, TERMINATION)
    return respond(
        "registration/discharge.html",
        "registration/discharge_question.html",
        participation=participation,
        heading=heading(participation),
        version=version,
        answers=[(_(q.label), q.text(page.answers[q.key])) for q in TERMINATION.visible(page.answers)],
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
        service.discharge(viewer(), public_id, seen=_seen_version())
    except (Conflict, service.Incomplete):
        flash(_("Noe er endret siden spørsmålet ble stilt. Se over siden og prøv igjen."), "warning")
        return redirect_to(page_address(public_id, TERMINATION))
    flash(_("Deltaker %(id)s er skrevet ut.") % {"id": person_id}, "success")
    return redirect_to(url_for("overview.overview_page"))
