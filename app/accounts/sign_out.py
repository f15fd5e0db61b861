"""Signing out: here, and at the identity provider that the session began at; or at the provider, which also ends the
session here."""

from typing import Any

from flask import make_response, request, session, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import Unauthorized
from werkzeug.wrappers import Response

from app.accounts.blueprint import accounts
from app.accounts.openid import Refused, onward, providers
from app.accounts.sign_in import signed_out_meanwhile
from app.connections.mail import vault
from app.web.access import public, signed_in, viewer
from app.web.errors import error_answer, wrong_token
from app.web.form_fields import takes
from app.web.responses import is_partial, redirect_to, respond
from app.web.sessions import PROVIDER, visit
from services.access.audit import Action, record
from services.accounts import sign_in
from services.accounts.external_identities import mark_of
from services.core.encryption import Unreadable
from services.core.i18n import gettext as _

_ONWARD = "onward"


@accounts.errorhandler(CSRFError)
def _wrong_token(_error: CSRFError) -> Response:
    """Ask for confirmation if the form is from an earlier session."""
    if request.endpoint != "accounts.sign_out":
        return wrong_token()
    if is_partial():
        return error_answer(400, (_("Vil du logge ut?"), _("Last siden på nytt, og logg ut derfra.")))
    return respond("accounts/sign_out.html", status=400)


@accounts.errorhandler(401)
def _no_visit(error: Unauthorized) -> Response:
    """Signing out of an expired session has the same result."""
    return (
        redirect_to(url_for("accounts.sign_in"))
        if request.endpoint == "accounts.sign_out"
        else signed_out_meanwhile(error)
    )


@accounts.post("/logg-ut")
@signed_in
@takes()
def sign_out() -> Any:
    """End the session. One that began at a provider continues to be ended there."""
    who, began = viewer(), session.get(PROVIDER)
    record(Action.SIGN_OUT, viewer=who)
    there = providers().get(began["name"]) if began else None
    if began is None or there is None:
        session.clear()
        return redirect_to(url_for("accounts.sign_in"))
    try:
        address = there.sign_out_address(vault().open(began["id_token"], f"id token {who.user_id}"))
    except (Refused, Unreadable):
        address = ""
    visit().renew()
    # The address contains the provider's signed token, which may have the person's name.
    session[_ONWARD] = {"address": vault().seal(address, _ONWARD), "name": there.name}
    return redirect_to(url_for("accounts.signed_out"))


@accounts.get("/logget-ut")
@public
def signed_out() -> Any:
    """The page after signing out: continues to the provider automatically. The provider also sends users back here."""
    kept = session.pop(_ONWARD, None)
    there = providers().get(kept["name"]) if kept else None
    if kept is None or there is None:
        return respond("accounts/signed_out.html", label="")
    address = vault().open(kept["address"], _ONWARD)
    if address:
        return onward(there.settings, address, is_out=True)
    return respond("accounts/signed_out.html", label=there.settings.label)


@accounts.get("/logg-ut/med/<name>")
@public
def provider_signs_out(name: str) -> Response:
    """The front-channel logout: the provider's page opens this, in a frame and without our cookie, when the user signs
    out there. Source: OpenID Connect Front-Channel Logout 1.0."""
    there, sid = providers().get(name), request.args.get("sid", "")
    if there is None:
        return error_answer(404)
    if not 0 < len(sid) <= 255 or request.args.get("iss", there.settings.issuer) != there.settings.issuer:
        return error_answer(400)
    sign_in.end_marked(mark_of(vault(), there.settings.issuer, sid))
    return make_response("", 200)
