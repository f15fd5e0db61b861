"""Signing in and out: user name and password, then the second factor where it is demanded.

Between the two steps the visit has no user, so it opens nothing; it only knows who may go on to the second step.
"""

import time
from dataclasses import dataclass
from typing import Any

from flask import current_app, g, request, session, url_for
from flask_login import login_user
from werkzeug.wrappers import Response

from app.access import public, signed_in, viewer
from app.accounts.blueprint import (
    SignedIn,
    accounts,
    given,
    own_address,
    sender_address,
    start_page,
    wait_words,
)
from app.outgoing import vault
from app.web import redirect_to, respond
from services import accounts as service
from services import second_factor
from services.audit import Action, record
from services.i18n import gettext as _
from services.throttle import TooFast

_HALFWAY_SECONDS = 600
_HALFWAY = "halfway"


@accounts.get("/")
@signed_in
def start() -> Response:
    """The way in: the overview, or the users for those who only administer."""
    return redirect_to(start_page(viewer()))


@accounts.get("/logg-inn")
@public
def sign_in() -> Any:
    """The sign-in page; those who are signed in go on at once."""
    if g.viewer:
        return redirect_to(start_page(g.viewer))
    return _sign_in_page("", request.args.get("neste", ""))


def _sign_in_page(username: str, target: str, *, error: str = "", status: int = 200) -> Response:
    return respond(
        "accounts/sign_in.html",
        "accounts/sign_in_form.html",
        status=status,
        username="".join(character for character in username if character.isprintable()),
        target=own_address(target),
        error=error,
    )


@accounts.post("/logg-inn")
@public
def sign_in_submit() -> Any:
    """Take user name and password: on to the second step or in, or the page again with one and the same message."""
    username, target = request.form.get("username", ""), request.form.get("neste", "")
    try:
        user_id = service.check_password(vault(), username, given("password"), address=sender_address())
    except TooFast as problem:
        return _sign_in_page(username, target, error=wait_words(problem), status=429)
    if user_id is None:
        return _sign_in_page(username, target, error=_("Brukernavnet eller passordet er feil."), status=422)
    return after_password(user_id, target)


def after_password(user_id: int, target: str = "") -> Response:
    """What comes when the password is known to be right, or has just been chosen: the second step, or in."""
    if not current_app.config["SETTINGS"].second_factor:
        return let_in(user_id, target)
    session.renew()  # type: ignore[attr-defined]
    session[_HALFWAY] = {
        "user": user_id,
        "until": time.time() + _HALFWAY_SECONDS,
        "password": service.password_mark(vault(), user_id),
        "target": own_address(target),
    }
    is_set = second_factor.is_set(user_id)
    return redirect_to(url_for("accounts.code_page" if is_set else "accounts.set_up_page"))


def let_in(user_id: int, target: str = "") -> Response:
    """Begin a visit of the user under a new key, and go on to where she wanted."""
    found = service.viewer_of(user_id)
    if found is None:  # she has been blocked this very moment
        return _sign_in_page("", target, error=_("Brukernavnet eller passordet er feil."), status=422)
    session.renew()  # type: ignore[attr-defined]
    login_user(SignedIn(found))
    service.note_sign_in(user_id)
    return redirect_to(own_address(target) or start_page(found))


@dataclass(frozen=True)
class Halfway:
    """Who has given her password in this visit and not yet the second factor, and where she wants to go."""

    user_id: int
    target: str


def halfway() -> Halfway | None:
    """Who stands between the two steps; `None` if nobody does, or not any more: after ten minutes, when she is
    blocked, or when her password has been changed meanwhile."""
    kept = session.get(_HALFWAY)
    if not kept or kept["until"] < time.time() or service.viewer_of(kept["user"]) is None:
        return None
    if kept["password"] != service.password_mark(vault(), kept["user"]):
        return None
    return Halfway(kept["user"], kept["target"])


def begin_anew() -> Response:
    """Back to the first step."""
    session.pop(_HALFWAY, None)
    return redirect_to(url_for("accounts.sign_in"))


@accounts.post("/logg-ut")
@signed_in
def sign_out() -> Any:
    """End the visit."""
    record(Action.SIGN_OUT, viewer=viewer())
    session.clear()
    return redirect_to(url_for("accounts.sign_in"))
