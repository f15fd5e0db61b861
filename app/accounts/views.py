"""Sign-in, sign-out, and the list of users."""

import json
from typing import Any

from flask import Blueprint, flash, g, make_response, request, session, url_for
from flask_login import UserMixin, login_user
from flask_wtf import FlaskForm
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField

from app.access import public, requires, signed_in, viewer
from app.web import is_partial, redirect_to, respond
from services import accounts as users_service
from services import beginnings
from services.audit import Action, record
from services.fields import legible
from services.i18n import gettext as _
from services.i18n import ngettext
from services.saved_views import start_view
from services.viewer import Right, Viewer

accounts = Blueprint("accounts", __name__)
_LONGEST_ADDRESS = 2000


class SignedIn(UserMixin):
    """Flask-Login's user: holds the viewer, nothing else."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    def get_id(self) -> str:
        """The user's id, as Flask-Login stores it in the session."""
        return str(self.viewer.user_id)


def load_user(user_id: str) -> SignedIn | None:
    """The signed-in user of a visit, unless she has been blocked meanwhile. She was read together with it."""
    found: Viewer | None = session.viewer  # type: ignore[attr-defined]
    return SignedIn(found) if found and str(found.user_id) == user_id else None


class SignInForm(FlaskForm):
    """User name and password."""

    username = StringField()
    password = PasswordField()


def start_page(of: Viewer) -> str:
    """Where a user begins: with the view of the list that she has chosen for it, or the whole list; those who only
    administer with the users."""
    if not of.can(Right.READ):
        return url_for("accounts.users")
    view = start_view(of)
    return url_for("overview.overview_page") + (f"?{view.query}" if view and view.query else "")


@accounts.get("/")
@signed_in
def start() -> Response:
    """The way in: the overview, or the users for those who only administer."""
    if viewer().can(Right.REGISTER) and (number := beginnings.ready(viewer())):
        words = ngettext(
            "Navnet er hentet for %(n)s påbegynt registrering. Du finner den under Påbegynte.",
            "Navnet er hentet for %(n)s påbegynte registreringer. Du finner dem under Påbegynte.",
            number,
        )
        flash(words % {"n": number}, "info")
    return redirect_to(start_page(viewer()))


def own_address(target: str) -> str:
    """The address if it is one of ours to go on to after sign-in, else ''."""
    inside = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if inside and target.isprintable() and 1 < len(target) <= _LONGEST_ADDRESS else ""


@accounts.get("/logg-inn")
@public
def sign_in() -> Any:
    """The sign-in page; those who are signed in go on at once."""
    if g.viewer:
        return redirect_to(start_page(g.viewer))
    return _sign_in_page(SignInForm(), request.args.get("neste", ""))


def _sign_in_page(form: SignInForm, target: str, *, error: str = "") -> Response:
    return respond(
        "accounts/sign_in.html",
        "accounts/sign_in_form.html",
        status=422 if error else 200,
        username="".join(character for character in form.username.data or "" if character.isprintable()),
        target=own_address(target),
        error=error,
    )


@accounts.post("/logg-inn")
@public
def sign_in_submit() -> Any:
    """Sign in: a new visit under a new key, or the page again with one and the same message."""
    form = SignInForm()
    username, password = form.username.data or "", form.password.data or ""
    user_id = users_service.authenticate(username, password) if len(username) < 100 and len(password) < 200 else None
    found = users_service.viewer_of(user_id) if user_id else None
    over_page = is_partial() and "kept_for" in request.form
    if found is None:
        answer = _dialog_again if over_page else _sign_in_page
        return answer(form, request.form.get("neste", ""), error=_("Brukernavnet eller passordet er feil."))
    session.renew()  # type: ignore[attr-defined]
    login_user(SignedIn(found))
    if over_page and request.form["kept_for"] == found.username:
        return _back_on_the_page()
    return redirect_to(own_address(request.form.get("neste", "")) or start_page(found))


def _dialog_again(form: SignInForm, _target: str, *, error: str) -> Response:
    kept_for, username = request.form["kept_for"], form.username.data or ""
    return respond(
        "accounts/sign_in.html",
        "accounts/sign_in_dialog.html",
        status=422,
        kept_for=legible(kept_for),
        username=legible(username),
        error=error,
    )


def _back_on_the_page() -> Response:
    """She is signed in again as before: the page stays, its forms get the new visit's token."""
    g.pop("csrf_token", None)  # it was made for the visit before
    answer = make_response("", 200)
    answer.headers["HX-Reswap"] = "none"
    answer.headers["HX-Trigger"] = json.dumps({"innlogget": {"target": "body", "token": generate_csrf()}})
    return answer


@accounts.post("/logg-ut")
@signed_in
def sign_out() -> Any:
    """End the visit."""
    record(Action.SIGN_OUT, viewer=viewer())
    session.clear()
    return redirect_to(url_for("accounts.sign_in"))


@accounts.get("/brukere")
@requires(Right.SEE_USERS)
def users() -> Any:
    """The users that the viewer answers for."""
    return respond("accounts/users.html", users=users_service.users_for(viewer()))
