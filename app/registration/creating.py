"""Page 1 before the participant exists: looking her up, keeping what is typed, creating her."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, abort, flash, request, url_for
from flask.typing import ResponseReturnValue

from app.connections.registers import registers
from app.registration import forms
from app.registration.autosave_response import tell_written
from app.registration.destinations import next_address
from app.registration.help import help_texts, number_help
from app.registration.leaving import has_no_key_of_ours, is_key, sent_while_leaving
from app.registration.new_form import NewForm
from app.registration.responses import answer_redrawn
from app.registration.sent import form_data
from app.web.access import requires, viewer
from app.web.errors import error_answer
from app.web.form_fields import reads_its_fields, takes
from app.web.page_views import note_number, refuse_too_many
from app.web.responses import is_partial, redirect_to, respond
from app.web.way_back import pass_list_on, remember_list
from services.access.viewer import Right
from services.core.i18n import gettext as _
from services.intake import unfinished as beginnings
from services.intake.unfinished import MOST_BEGUN, NoSuchBeginning, TooManyBegun, TooMuchBegun
from services.participation.create import AlreadyRunning, created_with, new_creation_key
from services.questions.pages import PERSON, STEPS

creating = Blueprint("creating", __name__, url_prefix="/deltakere")


@creating.context_processor
def _addresses() -> dict[str, Any]:
    """The addresses of the form's fragments, and the help texts of what is not a question."""
    urls = {"show": url_for("creating.show_new"), "keep": url_for("creating.keep")}
    return {"urls": urls, "help": help_texts(), "number_help": number_help}


@creating.errorhandler(NoSuchBeginning)
def _no_such_beginning(_error: NoSuchBeginning) -> Response:
    flash(_("Den påbegynte registreringen finnes ikke lenger."), "warning")
    return redirect_to(url_for("creating.begun"))


@creating.errorhandler(TooManyBegun)
def _too_many_begun(_error: TooManyBegun) -> Response:
    advice = _("Du har %(n)s påbegynte registreringer. Forkast noen av dem, og prøv igjen.") % {"n": MOST_BEGUN}
    return error_answer(422, (_("Registreringen kan ikke tas vare på"), advice))


@creating.errorhandler(TooMuchBegun)
def _too_much_begun(_error: TooMuchBegun) -> Response:
    return error_answer(413)


@creating.get("/ny")
@requires(Right.REGISTER)
def new() -> ResponseReturnValue:
    """Page 1 for a participant who does not exist yet."""
    return _answer_new(NewForm.blank(viewer()), ready=beginnings.ready(viewer()))


@creating.get("/ny/<id:beginning_id>")
@requires(Right.REGISTER)
def begun_form(beginning_id: str) -> ResponseReturnValue:
    """Page 1 as it was left. Whom Folkeregisteret has found since is shown, but it is not asked anew."""
    return _answer_new(NewForm.begun(viewer(), beginnings.find(viewer(), beginning_id)))


@creating.get("/pabegynte")
@requires(Right.REGISTER)
def begun() -> ResponseReturnValue:
    """«Påbegynte»: what the user has begun and not created."""
    refuse_too_many()
    found = [(one, NewForm.begun(viewer(), one)) for one in beginnings.all_of(viewer())]
    note_number("begun", len(found))
    return respond("registration/begun.html", found=found, days=beginnings.KEPT_FOR.days)


@creating.post("/ny/<id:beginning_id>/forkast")
@requires(Right.REGISTER)
@takes()
def discard(beginning_id: str) -> ResponseReturnValue:
    """Throw away what was begun."""
    beginnings.discard(viewer(), beginning_id)
    flash(_("Den påbegynte registreringen er forkastet."), "success")
    return redirect_to(url_for("creating.begun"))


def _answer_new(
    form: NewForm, *, status: int = 200, kept_as: tuple[str, bool] = ("", False), ready: int = 0
) -> Response:
    """The page. `kept_as`: under which id the form is kept, and whether it was not before; `ready`: how many others
    of the user's have waited and found their name."""
    remember_list(form.creation_key)
    answer = respond(
        "registration/new.html",
        "registration/new_form_answer.html",
        status=status,
        form=form,
        controls=form.controls(),
        steps=forms.new_steps(),
        title=form.title,
        ready=ready,
    )
    return _with_address(answer, kept_as)


def _with_address(answer: Response, kept_as: tuple[str, bool]) -> Response:
    """Let a reload of the page find the form again that was kept for the first time."""
    identity, is_new = kept_as
    if is_new and is_partial():
        answer.headers["HX-Replace-Url"] = url_for("creating.begun_form", beginning_id=identity)
    return answer


@creating.post("/ny/lagre")
@requires(Right.REGISTER)
@reads_its_fields
def keep() -> ResponseReturnValue:
    """Keep page 1 as it is typed. Nobody is looked up for it."""
    if has_no_key_of_ours():
        abort(400)
    form = NewForm.sent(viewer(), form_data())
    kept_as = form.keep(left_key=sent_while_leaving())
    if not is_partial():  # sent by a page that is being left: nobody reads the answer
        return "", 204
    form.recall()  # in the municipality that is chosen now the name may not be the user's to know
    written = form.page.write_in_standard_form(but=request.form.get("skriver", ""))
    answer = respond("registration/new.html", "registration/state_redrawn.html", form=form)
    return _with_address(tell_written(answer, written), kept_as)


@creating.get("/ny/forlatt/<key>")
@requires(Right.REGISTER)
def left(key: str) -> ResponseReturnValue:
    """What became of the form that a page sent when it was left: 303 to it, 204 while it has not arrived."""
    identity = beginnings.left_as(viewer(), key) if is_key(key) else ""
    return redirect_to(url_for("creating.begun_form", beginning_id=identity)) if identity else ("", 204)


@creating.post("/ny/oppslag")
@requires(Right.REGISTER)
@reads_its_fields
def look_up() -> ResponseReturnValue:
    """Who bears the number that is being typed: the name, for confirmation."""
    form = NewForm.sent(viewer(), form_data())
    form.look_up(registers(), typing=True)
    kept_as = form.keep()
    answer = respond(
        "registration/new.html",
        "registration/look_up_answer.html",
        form=form,
        controls=form.controls(),
        steps=forms.new_steps(),
    )
    return _with_address(answer, kept_as)


@creating.post("/ny/vis")
@requires(Right.REGISTER)
@reads_its_fields
def show_new() -> ResponseReturnValue:
    """The questions that an answer brings or takes away, before anything is created."""
    form = NewForm.sent(viewer(), form_data())
    answered = form.follow_municipality()
    form.recall()
    controls = form.controls()
    wrong = {control.name for control in controls if control.has_error} | set(request.form.getlist("sagt"))
    return answer_redrawn(controls, form.page, answered, frozenset(wrong), form=form)


@creating.post("/ny")
@requires(Right.REGISTER)
@reads_its_fields
def create() -> ResponseReturnValue:
    """Create the participant, and go on to the page that was asked for. If that cannot be, the form is kept; if
    nothing but Folkeregisteret is missing, it waits."""
    form = NewForm.sent(viewer(), form_data())
    going = request.form.get("go", "next")
    if going not in {"next", "show", "replaced", "zero", "begun", *(step.name for step in STEPS)}:
        abort(400)
    if going == "begun":
        return _go_on_with_begun(form)
    if going in {"show", "replaced", "zero"}:
        return _answer_shown(form, going)
    had = form.page.raw["funding"]
    moved = form.follow_municipality()
    form.look_up(registers())
    form.check()
    if moved and had:  # another one stood on screen
        form.problems["funding"] = _("Finansieringen følger kommunen. Kontroller at den er riktig")
    if first := created_with(viewer(), form.key):  # sent twice, perhaps at the same moment
        return redirect_to(next_address(first, PERSON, going))
    if form.can_wait:
        return redirect_to(url_for("creating.begun_form", beginning_id=form.keep(waits=True)[0]))
    if form.problems:
        return _answer_new(form, status=422, kept_as=form.keep())
    try:
        public_id = form.create(registers())
    except AlreadyRunning:
        form = replace(form, creation_key=new_creation_key())
        form.look_up(registers())
        form.check()
        return _answer_new(form, status=409, kept_as=form.keep())
    pass_list_on(request.form["creation_key"], public_id)
    return redirect_to(next_address(public_id, PERSON, going))


def _go_on_with_begun(form: NewForm) -> Response:
    """On to what the user has begun with the same number before, with what has been answered here since."""
    if not (identity := form.begun_before):
        return _answer_shown(form, "show")
    form.go_on_with(identity)
    return redirect_to(url_for("creating.begun_form", beginning_id=identity))


def _answer_shown(form: NewForm, going: str) -> Response:
    """The name of the number that was typed, or of the one that has replaced it, or has a zero in front."""
    if going == "zero" and form.number_with_zero:
        form = form.with_number(form.number_with_zero)
    form.look_up(registers(), typing=not form.number)
    if going == "replaced" and form.found and form.found.replaced_by:
        form = form.with_number(form.found.replaced_by)
        form.look_up(registers())
    form.follow_municipality()
    return _answer_new(form, kept_as=form.keep())
