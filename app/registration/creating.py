"""Page 1 before the participant exists: look-up, unfinished registrations, creation."""

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
    """The addresses of the form's fragments, and help texts of parts that are not declared as fields."""
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
    """Page 1 for a new participant."""
    return _answer_new(NewForm.blank(viewer()), ready=beginnings.ready(viewer()))


@creating.get("/ny/<id:beginning_id>")
@requires(Right.REGISTER)
def begun_form(beginning_id: str) -> ResponseReturnValue:
    """Page 1 of an unfinished registration. A person found since is shown, but there is no new look-up."""
    return _answer_new(NewForm.begun(viewer(), beginnings.find(viewer(), beginning_id)))


@creating.get("/pabegynte")
@requires(Right.REGISTER)
def begun() -> ResponseReturnValue:
    """«Påbegynte»: the user's unfinished registrations."""
    refuse_too_many()
    found = [(one, NewForm.begun(viewer(), one)) for one in beginnings.all_of(viewer())]
    note_number("begun", len(found))
    return respond("registration/begun.html", found=found, days=beginnings.KEPT_FOR.days)


@creating.post("/ny/<id:beginning_id>/forkast")
@requires(Right.REGISTER)
@takes()
def discard(beginning_id: str) -> ResponseReturnValue:
    """Delete an unfinished registration."""
    beginnings.discard(viewer(), beginning_id)
    flash(_("Den påbegynte registreringen er forkastet."), "success")
    return redirect_to(url_for("creating.begun"))


def _answer_new(
    form: NewForm, *, status: int = 200, kept_as: tuple[str, bool] = ("", False), ready: int = 0
) -> Response:
    """The page with the form. `kept_as`: the id of the stored form, and whether it is new; `ready`: how many other
    registrations have found the name they waited for."""
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
    """Let a reload of the page find a form that was stored for the first time."""
    identity, is_new = kept_as
    if is_new and is_partial():
        answer.headers["HX-Replace-Url"] = url_for("creating.begun_form", beginning_id=identity)
    return answer


@creating.post("/ny/lagre")
@requires(Right.REGISTER)
@reads_its_fields
def keep() -> ResponseReturnValue:
    """Store page 1 as typed, without a look-up."""
    if has_no_key_of_ours():
        abort(400)
    form = NewForm.sent(viewer(), form_data())
    kept_as = form.keep(left_key=sent_while_leaving())
    if not is_partial():  # sent by a page that is being left: nobody reads the response
        return "", 204
    form.recall()  # the user may not be allowed to see the name in the municipality chosen now
    written = form.page.write_in_standard_form(but=request.form.get("skriver", ""))
    answer = respond("registration/new.html", "registration/state_redrawn.html", form=form)
    return _with_address(tell_written(answer, written), kept_as)


@creating.get("/ny/forlatt/<key>")
@requires(Right.REGISTER)
def left(key: str) -> ResponseReturnValue:
    """The result of a form that was sent while a page was left: 303 to it, 204 while it has not arrived."""
    identity = beginnings.left_as(viewer(), key) if is_key(key) else ""
    return redirect_to(url_for("creating.begun_form", beginning_id=identity)) if identity else ("", 204)


@creating.post("/ny/oppslag")
@requires(Right.REGISTER)
@reads_its_fields
def look_up() -> ResponseReturnValue:
    """Look up the number that is being typed: the name, for confirmation."""
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
    """Redraw the fields that depend on an answer, before anything is created."""
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
    """Create the participant, and continue to the requested page. If that fails, the form is stored; if only
    Folkeregisteret's response is missing, it waits."""
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
    if moved and had:  # the screen showed another one
        form.problems["funding"] = _("Finansieringen følger kommunen. Kontroller at den er riktig")
    if first := created_with(viewer(), form.key):  # sent twice, perhaps in parallel
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
    """Continue the user's unfinished registration with the same number, with the answers given here."""
    if not (identity := form.begun_before):
        return _answer_shown(form, "show")
    form.go_on_with(identity)
    return redirect_to(url_for("creating.begun_form", beginning_id=identity))


def _answer_shown(form: NewForm, going: str) -> Response:
    """Show the name of the typed number, of the one that has replaced it, or of the one with a leading zero."""
    if going == "zero" and form.number_with_zero:
        form = form.with_number(form.number_with_zero)
    form.look_up(registers(), typing=not form.number)
    if going == "replaced" and form.found and form.found.replaced_by:
        form = form.with_number(form.found.replaced_by)
        form.look_up(registers())
    form.follow_municipality()
    return _answer_new(form, kept_as=form.keep())
