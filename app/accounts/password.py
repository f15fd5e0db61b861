"""Forgotten passwords, and the user's own page."""

from collections.abc import Sequence
from typing import Any

from flask import flash, url_for
from werkzeug.wrappers import Response

from app.accounts import letters
from app.accounts.blueprint import accounts, anew, given, sender_address, wait_words
from app.accounts.devices import origin
from app.accounts.openid import providers
from app.connections.mail import outbox, vault
from app.web.access import public, signed_in, viewer
from app.web.responses import redirect_to, respond
from app.web.sessions import visit
from services.accounts import external_identities as identities
from services.accounts import new_passwords, second_factor
from services.accounts import sign_in as service
from services.accounts.password_rules import fault_of, normalised
from services.accounts.throttle import TooFast
from services.core.i18n import gettext as _
from services.core.text import is_blank
from services.questions.fields import legible


def choice_fault(password: str, repeated: str, about_user: Sequence[str]) -> dict[str, str]:
    """Errors in a newly chosen password, by field."""
    if fault := fault_of(password, about_user=about_user):
        return {"password": fault}
    if normalised(repeated) != normalised(password):
        return {"repeated": _("De to passordene er ikke like.")}
    return {}


@accounts.get("/glemt-passord")
@public
def forgotten() -> Any:
    """The form to request a link to a new password."""
    return _forgotten_page()


def _forgotten_page(*, error: str = "", whom: str = "", asked: bool = False, status: int = 200) -> Response:
    return respond(
        "accounts/forgotten.html",
        "accounts/forgotten_form.html",
        error=error,
        whom=whom,
        asked=asked,
        status=status,
    )


@anew("accounts.forgotten_submit")
def _old_forgotten_page() -> Response:
    problem = _("Siden sto åpen for lenge. Send på nytt.")
    return _forgotten_page(error=problem, whom=legible(given("whom")), status=422)


@accounts.post("/glemt-passord")
@public
def forgotten_submit() -> Any:
    """Send a link if the user exists, and respond the same if not."""
    whom = legible(given("whom"))
    if is_blank(whom):
        return _forgotten_page(error=_("Skriv brukernavnet eller e-postadressen din."), status=422)
    try:
        new_passwords.ask(
            whom,
            address=sender_address(),
            outbox=outbox(),
            invitation=letters.invitation,
            reset=letters.reset,
        )
    except TooFast as problem:
        return _forgotten_page(error=wait_words(problem), whom=whom, status=429)
    return _forgotten_page(asked=True)


@accounts.get("/min-bruker")
@signed_in
def own_page() -> Any:
    """The user's own page, with the user's password and identity providers."""
    return own_page_answer({})


def own_page_answer(
    errors: dict[str, str],
    status: int = 200,
    *,
    at_provider: dict[str, str] | None = None,
    code_fault: dict[str, str] | None = None,
) -> Response:
    """The own page with errors: `errors` of the password form by field; `at_provider` and `code_fault` of the form to
    connect a provider, by its name."""
    user_id = viewer().user_id
    tied = identities.issuers_of(user_id) if providers() else set()
    return respond(
        "accounts/own_page.html",
        "accounts/own_password_form.html",
        status=status,
        errors=errors,
        provider_errors=at_provider or {},
        code_errors=code_fault or {},
        has_factor=second_factor.is_set(user_id),
        has_password=identities.has_password(user_id),
        providers=[(one.settings, one.settings.issuer in tied) for one in providers().values()],
    )


@accounts.post("/min-bruker")
@signed_in
def own_password_submit() -> Any:
    """Change the password: requires the present one, and ends other sessions."""
    who = viewer()
    try:
        user_id = service.check_password(vault(), who.username, given("present"), place=origin())
    except TooFast as problem:
        return own_page_answer({"present": wait_words(problem)}, 429)
    if user_id != who.user_id:
        return own_page_answer({"present": _("Passordet er feil.")}, 422)
    errors = choice_fault(given("password"), given("repeated"), (who.name, who.username))
    if errors:
        return own_page_answer(errors, 422)
    key: str | None = visit().key
    new_passwords.by_herself(who, given("password"), this_session=key, outbox=outbox(), letter=letters.password_changed)
    flash(_("Passordet er endret. Du er logget ut alle andre steder."), "success")
    return redirect_to(url_for("accounts.own_page"))
