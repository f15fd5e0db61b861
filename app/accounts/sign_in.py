"""Signing in: user name and password, then the second factor if required.

Between the two steps the session has no user, so it gives no access; it only has the user of the second step.
"""

import time
from dataclasses import dataclass
from typing import Any

from flask import current_app, flash, g, make_response, request, session, url_for
from flask_login import login_user
from werkzeug.exceptions import Unauthorized
from werkzeug.wrappers import Response

from app.accounts.blueprint import (
    SignedIn,
    accounts,
    anew,
    own_address,
    start_page,
    wait_words,
)
from app.accounts.devices import origin, remember
from app.accounts.forms import CodeForm, OnwardForm, SignInForm
from app.accounts.openid import begun_targets
from app.connections.mail import vault
from app.web.access import public, signed_in, viewer
from app.web.csrf import tell_token
from app.web.errors import error_answer
from app.web.form_fields import takes
from app.web.responses import is_partial, redirect_to, respond
from app.web.sessions import PROVIDER, visit
from services.access.viewer import Right, Viewer
from services.accounts import second_factor
from services.accounts.sign_in import check_password, note_refused_sign_in, note_sign_in, password_mark, viewer_of
from services.accounts.throttle import TooFast
from services.core.i18n import gettext as _
from services.core.i18n import ngettext
from services.intake import unfinished as beginnings

_HALFWAY_SECONDS = 600
_HALFWAY = "halfway"
_LED = "led"  # in a session: destinations of sign-ins at providers that an earlier session began, by state
_MOST_LED = 5


@accounts.get("/")
@signed_in
def start() -> Response:
    """The entry: the overview, or the list of users for those who only administer."""
    if viewer().can(Right.REGISTER) and (number := beginnings.ready(viewer())):
        words = ngettext(
            "Navnet er hentet for %(n)s påbegynt registrering. Du finner den under Påbegynte.",
            "Navnet er hentet for %(n)s påbegynte registreringer. Du finner dem under Påbegynte.",
            number,
        )
        flash(words % {"n": number}, "info")
    return redirect_to(start_page(viewer()))


@accounts.get("/logg-inn")
@public
def sign_in() -> Any:
    """The sign-in page; signed-in users are redirected at once."""
    target = request.args.get("neste", "")
    return go_on(g.viewer, target) if g.viewer else _sign_in_page(SignInForm(target=target))


def go_on(who: Viewer, target: str) -> Response:
    """Redirect a signed-in user to the requested address, or to the start page."""
    return redirect_to(own_address(target) or start_page(who))


def _sign_in_page(
    form: SignInForm, *, error: str = "", advice: str = "", status: int = 200, dialog: bool = False
) -> Response:
    """The sign-in page, or the dialog over the page that the user was working on."""
    form.username.data = "".join(filter(str.isprintable, form.username.data))
    return respond(
        "accounts/sign_in.html",
        "accounts/sign_in_dialog.html" if dialog or form.is_over_page else "accounts/sign_in_form.html",
        status=status,
        form=form,
        error=error,
        advice=advice,
    )


def sign_in_dialog(error: str, advice: str = "", *, page_user: str = "") -> Response:
    """The dialog again, over the page that the user was working on."""
    form = SignInForm(formdata=None, kept_for=page_user)
    return _sign_in_page(form, error=error, advice=advice, status=422, dialog=True)


@accounts.app_errorhandler(401)
def signed_out_meanwhile(_error: Unauthorized) -> Response:
    """The sign-in dialog over the page, so that the page's content is not lost; an error page without JavaScript."""
    if not is_partial():
        return error_answer(401)
    answer = respond("accounts/sign_in.html", "accounts/sign_in_dialog.html", status=401, form=SignInForm(None))
    answer.headers["HX-Retarget"] = "#dialog"
    answer.headers["HX-Reswap"] = "innerHTML"
    answer.headers["HX-Push-Url"] = "false"
    return answer


@accounts.post("/logg-inn")
@public
@takes(SignInForm)
def sign_in_submit() -> Any:
    """Check user name and password: continue to the second step or sign in, or show the page again, always with the
    same message."""
    form = SignInForm()
    try:
        user_id = check_password(vault(), form.username.data, form.password.data, place=origin())
    except TooFast as problem:
        return _sign_in_page(form, error=wait_words(problem), status=429)
    if user_id is None:
        return _sign_in_page(form, error=_("Brukernavnet eller passordet er feil."), status=422)
    if g.viewer and g.viewer.user_id == user_id:  # signed in meanwhile, in another tab: both tabs go on with that visit
        return _on_with_the_visit(form)
    return after_password(user_id, form.target.data, form.page_user)


def _on_with_the_visit(form: OnwardForm) -> Response:
    return back_on_the_page(g.viewer) if form.page_user == g.viewer.username else go_on(g.viewer, form.target.data)


@anew("accounts.sign_in_submit")
def _old_sign_in_page() -> Response:
    """The sign-in page again with the typed values, except the password."""
    form = SignInForm()
    if g.viewer:
        return _on_with_the_visit(form)
    advice = _("Skriv passordet på nytt, og logg inn.")
    return _sign_in_page(form, error=_("Siden sto åpen for lenge"), advice=advice, status=422)


def after_password(user_id: int, target: str = "", kept_for: str = "", began: dict[str, Any] | None = None) -> Response:
    """Continue after a right or newly chosen password: to the second step, or sign in. `began`: as for `let_in`."""
    if not current_app.config["SETTINGS"].second_factor:
        return let_in(user_id, target, kept_for, began)
    _begin_visit()
    session[_HALFWAY] = {
        "user": user_id,
        "until": time.time() + _HALFWAY_SECONDS,
        "password": password_mark(vault(), user_id),
        "target": own_address(target),
        "kept_for": kept_for,
        "began": began,
    }
    if kept_for and second_factor.is_set(user_id):
        form = CodeForm(formdata=None, kept_for=kept_for)
        return respond("accounts/code.html", "accounts/code_dialog.html", error="", form=form)
    return _second_step()


def let_in(user_id: int, target: str = "", kept_for: str = "", began: dict[str, Any] | None = None) -> Response:
    """Begin a session of the user under a new key, and redirect to the target, or stay on the page under the dialog.
    `began`: the identity provider, with «name», «mark» and encrypted «id_token»."""
    found = viewer_of(user_id)
    if found is None:  # the user has just been blocked
        note_refused_sign_in(user_id, {"provider": began["name"]} if began else {})
        form = SignInForm(formdata=None, target=target)
        return _sign_in_page(form, error=_("Brukernavnet eller passordet er feil."), status=422)
    _begin_visit()
    login_user(SignedIn(found))
    if began:
        session[PROVIDER] = began
    note_sign_in(user_id, {"provider": began["name"]} if began else None)
    if kept_for and kept_for == found.username:
        return remember(back_on_the_page(found), user_id)
    return remember(redirect_to(own_address(target) or start_page(found)), user_id)


def _begin_visit() -> None:
    """Begin a session under a new key. It keeps the destinations of sign-ins at providers that other tabs have begun:
    when these return, the user is already signed in."""
    led = {**session.get(_LED, {}), **begun_targets()}
    visit().renew()
    if led:
        session[_LED] = dict(list(led.items())[-_MOST_LED:])


def led_on(state: str) -> Response | None:
    """The response to a sign-in that returns from a provider after another tab has signed in; `None` if none has."""
    led = session.get(_LED, {})
    if state not in led or not (g.viewer or halfway()):
        return None
    target = led[state]
    session[_LED] = {one: where for one, where in led.items() if one != state}
    return go_on(g.viewer, target) if g.viewer else _second_step()


def _second_step() -> Response:
    is_set = second_factor.is_set(session[_HALFWAY]["user"])
    return redirect_to(url_for("accounts.code_page" if is_set else "accounts.set_up_page"))


def back_on_the_page(who: Viewer) -> Response:
    """The response after signing in again in the dialog: for the same user the page stays, and its forms get the new
    token."""
    answer = make_response("", 200)
    answer.headers["HX-Reswap"] = "none"
    tell_token(answer, who)
    return answer


@dataclass(frozen=True)
class Halfway:
    """A user between the two steps, and the destination. `kept_for`: the user of the page under the dialog, if any.
    `began`: as for `let_in`."""

    user_id: int
    target: str
    kept_for: str
    began: dict[str, Any] | None


def halfway() -> Halfway | None:
    """The user between the two steps; `None` if there is none, after ten minutes, or if the user is blocked or the
    password has changed."""
    kept = session.get(_HALFWAY)
    if not kept or kept["until"] < time.time() or viewer_of(kept["user"]) is None:
        return None
    if kept["password"] != password_mark(vault(), kept["user"]):
        return None
    return Halfway(kept["user"], kept["target"], kept["kept_for"], kept["began"])


def begin_anew(form: OnwardForm) -> Response:
    """Return to the first step, with the destination of the form that was sent. Users who have signed in meanwhile, in
    another tab, are redirected at once."""
    if g.viewer:
        return _on_with_the_visit(form)
    session.pop(_HALFWAY, None)
    late, advice = _("Det tok for lang tid"), _("Skriv brukernavn og passord på nytt.")
    if form.page_user:
        return sign_in_dialog(late, advice, page_user=form.page_user)
    if request.method == "POST":
        flash(f"{late}. {advice}", "warning")
    return redirect_to(url_for("accounts.sign_in", neste=form.target.data or None))
