"""Forgotten passwords, and the user's own page."""

from typing import Any

from flask import flash, url_for
from werkzeug.wrappers import Response

from app.accounts import letters
from app.accounts.blueprint import accounts, anew, sender_address, wait_words
from app.accounts.devices import origin
from app.accounts.forms import ForgottenForm, OwnPasswordForm, TieForm
from app.accounts.openid import providers
from app.connections.mail import outbox, vault
from app.web.access import public, signed_in, viewer
from app.web.form_fields import takes
from app.web.responses import redirect_to, respond
from app.web.sessions import visit
from services.accounts import external_identities as identities
from services.accounts import new_passwords, second_factor, sign_in
from services.accounts.throttle import TooFast
from services.core.i18n import gettext as _


@accounts.get("/glemt-passord")
@public
def forgotten() -> Any:
    """The form to request a link to a new password."""
    return _forgotten_page(ForgottenForm())


def _forgotten_page(form: ForgottenForm, *, error: str = "", asked: bool = False, status: int = 200) -> Response:
    if error:
        form.whom.errors = [error]
    return respond("accounts/forgotten.html", "accounts/forgotten_form.html", form=form, asked=asked, status=status)


@anew("accounts.forgotten_submit")
def _old_forgotten_page() -> Response:
    return _forgotten_page(ForgottenForm(), error=_("Siden sto åpen for lenge. Send på nytt."), status=422)


@accounts.post("/glemt-passord")
@public
@takes(ForgottenForm)
def forgotten_submit() -> Any:
    """Send a link if the user exists, and respond the same if not."""
    form = ForgottenForm()
    if not form.validate():
        return _forgotten_page(form, status=422)
    try:
        new_passwords.ask(
            form.whom.data,
            address=sender_address(),
            outbox=outbox(),
            invitation=letters.invitation,
            reset=letters.reset,
        )
    except TooFast as problem:
        return _forgotten_page(form, error=wait_words(problem), status=429)
    return _forgotten_page(form, asked=True)


@accounts.get("/min-bruker")
@signed_in
def own_page() -> Any:
    """The user's own page, with the user's password and identity providers."""
    return own_page_answer()


def own_page_answer(
    form: OwnPasswordForm | None = None, status: int = 200, *, tie: tuple[str, TieForm] | None = None
) -> Response:
    """The own page, with errors in the form for the password, or in the form that connects a provider, by its name."""
    user_id = viewer().user_id
    tied = identities.issuers_of(user_id) if providers() else set()
    return respond(
        "accounts/own_page.html",
        "accounts/own_password_form.html",
        status=status,
        form=form or OwnPasswordForm(formdata=None),
        tying=dict([tie]) if tie else {},
        tie_form=TieForm(formdata=None),
        has_factor=second_factor.is_set(user_id),
        has_password=identities.has_password(user_id),
        providers=[(one.settings, one.settings.issuer in tied) for one in providers().values()],
    )


@accounts.post("/min-bruker")
@signed_in
@takes(OwnPasswordForm)
def own_password_submit() -> Any:
    """Change the password: requires the present one, and ends other sessions."""
    who = viewer()
    form = OwnPasswordForm((who.name, who.username))
    try:
        user_id = sign_in.check_password(vault(), who.username, form.present.data, place=origin())
    except TooFast as problem:
        form.present.errors = [wait_words(problem)]
        return own_page_answer(form, 429)
    if user_id != who.user_id:
        form.present.errors = [_("Passordet er feil.")]
        return own_page_answer(form, 422)
    if not form.validate():
        return own_page_answer(form, 422)
    key: str | None = visit().key
    new_passwords.by_herself(
        who, form.password.data, this_session=key, outbox=outbox(), letter=letters.password_changed
    )
    flash(_("Passordet er endret. Du er logget ut alle andre steder."), "success")
    return redirect_to(url_for("accounts.own_page"))
