"""Single sign-on: signing in by an identity provider, and connecting one to the signed-in user.

The way to the provider begins with a link, not a form: the content policy allows forms to the register itself only. If
something must be sent first (a password, signing out), a page of ours lies between and continues automatically.
"""

import json
from typing import Any

from flask import current_app, flash, g, request, session, url_for
from werkzeug.wrappers import Response

from app.accounts import letters
from app.accounts.blueprint import accounts, anew, own_address, wait_words
from app.accounts.devices import origin
from app.accounts.forms import TieForm
from app.accounts.links import somebody_else
from app.accounts.openid import PendingSignIn, Provider, Refused, onward, providers
from app.accounts.password import own_page_answer
from app.accounts.sign_in import after_password, back_on_the_page, led_on, let_in, sign_in_dialog
from app.connections.mail import outbox, vault
from app.web.access import public, signed_in, viewer
from app.web.errors import error_answer
from app.web.form_fields import takes
from app.web.responses import is_partial, redirect_to, respond
from services.access.viewer import Viewer
from services.accounts import external_identities as identities
from services.accounts import second_factor, sign_in
from services.accounts.external_identities import IdentityTaken, OnlyWayIn, Outdated, ProviderUser
from services.accounts.one_time_links import DeadLink, LinkPurpose, user_of
from services.accounts.throttle import TooFast
from services.core.encryption import Unreadable
from services.core.i18n import gettext as _

_INVITATION = "invitation"  # the purpose for encrypting the link's token
_MAY_TIE = "may_tie"
_CONFIRMS = "confirms"  # in a session: the identity of an invitation that is not confirmed yet, encrypted
_MAY_TRY_AGAIN = {"down", "cancelled", "state", "token"}


def _provider(name: str) -> Provider | None:
    return providers().get(name)


@accounts.get("/logg-inn/med/<name>")
@public
def provider(name: str) -> Any:
    """Redirect to a provider for signing in."""
    if (there := _provider(name)) is None:
        return error_answer(404)
    return _leave(there, PendingSignIn("sign-in", own_address(request.args.get("neste", ""))))


def _leave(there: Provider, begun: PendingSignIn) -> Response:
    try:
        return redirect_to(there.begin(begun))
    except Refused as problem:
        return _refused(there, problem.why, begun.target if begun.purpose == "sign-in" else "")


@accounts.get("/logg-inn/med/<name>/tilbake")
@public
def provider_back(name: str) -> Any:
    """The response to a provider's redirect back: sign in, or show the reason for a refusal."""
    if (there := _provider(name)) is None:
        return error_answer(404)
    if (answer := led_on(request.args.get("state", ""))) is not None:
        return answer
    try:
        person, begun = there.finish()
    except Refused as problem:
        sign_in.note_refused_sign_in(None, {"provider": name, "why": problem.why})
        return _refused(there, problem.why, problem.target)
    if begun.purpose == "accept":
        return _accept(there, person, begun.target)
    if begun.purpose == "tie":
        return _tie(there, person, begun.target)
    user_id = identities.user_of(person)
    if user_id is None or sign_in.viewer_of(user_id) is None:
        sign_in.note_refused_sign_in(user_id, {"provider": name, "why": "unknown"})
        return _refused(there, "unknown")
    return _let_in(there, person, user_id, begun.target)


def _refused(there: Provider, why: str, target: str = "") -> Response:
    """The page for a refused sign-in. `target`: the destination, for another attempt."""
    status = {"down": 503, "cancelled": 200}.get(why, 403)
    label, again = there.settings.label, why in _MAY_TRY_AGAIN
    return respond(
        "accounts/provider_refused.html",
        status=status,
        why=why,
        label=label,
        again=url_for("accounts.provider", name=there.name, neste=own_address(target) or None) if again else "",
    )


def _let_in(there: Provider, person: ProviderUser, user_id: int, target: str = "") -> Response:
    """Sign in if the provider guarantees more than a password; otherwise the second factor comes first."""
    known = {
        "name": there.name,
        "mark": person.mark(vault()),
        "id_token": vault().seal(person.id_token, f"id token {user_id}"),
    }
    go_on = let_in if there.settings.acr else after_password
    return go_on(user_id, target, began=known)


@accounts.post("/invitasjon/<token>/med/<name>")
@public
@takes()
def invitation_by(token: str, name: str) -> Any:
    """Continue from our own page about an invitation to a provider. A link must not lead there directly: nobody else
    may decide which user the owner of a browser becomes."""
    if (there := _provider(name)) is None:
        return error_answer(404)
    try:
        whose = user_of(token, LinkPurpose.INVITE)
        if g.viewer is not None:
            return somebody_else(whose)
        address = there.begin(PendingSignIn("accept", vault().seal(token, _INVITATION)))
    except DeadLink:
        return redirect_to(url_for("accounts.invitation", token=token))
    except Refused as problem:
        return _refused(there, problem.why)
    return onward(there.settings, address)


@anew("accounts.invitation_by")
def _old_invitation_by(token: str, name: str) -> Response:
    return redirect_to(url_for("accounts.invitation", token=token))


def _accept(there: Provider, person: ProviderUser, sealed: str) -> Response:
    """After the provider: ask whether this is the invited person, before the identity is connected to the user."""
    try:
        token = vault().open(sealed, _INVITATION)
        whose = user_of(token, LinkPurpose.INVITE)
    except Unreadable:
        return _refused(there, "state")
    except DeadLink:
        return redirect_to(url_for("accounts.invitation", token=token))
    if g.viewer is not None:
        return somebody_else(whose)
    if identities.user_of(person) is not None:
        return _refused(there, "taken")
    kept = {"token": token, "subject": person.subject, "sid": person.sid, "id_token": person.id_token}
    session[_CONFIRMS] = {"name": there.name, "kept": vault().seal(json.dumps(kept), _CONFIRMS)}
    return redirect_to(url_for("accounts.confirm_invitation"))


def _confirming() -> tuple[Provider, str, ProviderUser] | None:
    """The provider, token and identity of an invitation that waits for confirmation; None if there is none."""
    asked = session.get(_CONFIRMS)
    there = _provider(asked["name"]) if asked else None
    if asked is None or there is None:
        return None
    kept = json.loads(vault().open(asked["kept"], _CONFIRMS))
    return there, kept.pop("token"), ProviderUser(there.name, there.settings.issuer, **kept)


@accounts.get("/invitasjon/bekreft")
@public
def confirm_invitation() -> Any:
    """The page that names the invited user and asks for confirmation."""
    if (found := _confirming()) is None:
        return redirect_to(url_for("accounts.sign_in"))
    there, token, _person = found
    try:
        whose = user_of(token, LinkPurpose.INVITE)
    except DeadLink:
        return redirect_to(url_for("accounts.invitation", token=token))
    if g.viewer is not None:
        return somebody_else(whose)
    return respond("accounts/confirm_invitation.html", user=whose, label=there.settings.label, token=token)


@accounts.post("/invitasjon/bekreft")
@public
@takes()
def confirm_invitation_submit() -> Any:
    """«Ja»: activate the user with the identity."""
    found = _confirming()
    if found is None or g.viewer is not None:
        return redirect_to(url_for("accounts.confirm_invitation"))
    there, token, person = found
    session.pop(_CONFIRMS)
    try:
        return _let_in(there, person, identities.accept(token, person))
    except DeadLink:
        return redirect_to(url_for("accounts.invitation", token=token))
    except IdentityTaken:
        return _refused(there, "taken")


@anew("accounts.confirm_invitation_submit")
def _old_confirmation() -> Response:
    return redirect_to(url_for("accounts.confirm_invitation"))


# ---- Connecting a provider to the signed-in user ----


@accounts.post("/min-bruker/med/<name>")
@signed_in
@takes(TieForm)
def tie_submit(name: str) -> Any:
    """Check the user's password, then continue to the provider."""
    if (there := _provider(name)) is None:
        return error_answer(404)
    form, who = TieForm(), viewer()
    try:
        user_id = sign_in.check_password(vault(), who.username, form.password.data, place=origin())
    except TooFast as problem:
        form.password.errors = [wait_words(problem)]
        return own_page_answer(status=429, tie=(name, form))
    if user_id != who.user_id:
        form.password.errors = [_("Passordet er feil.")]
        return own_page_answer(status=422, tie=(name, form))
    if wrong := _factor_fault(who, form.code.data):
        form.code.errors = [wrong[0]]
        return own_page_answer(status=wrong[1], tie=(name, form))
    session[_MAY_TIE] = name
    return redirect_to(url_for("accounts.tie_page", name=there.name))


def _factor_fault(who: Viewer, code: str) -> tuple[str, int] | None:
    """What is wrong with the code that was sent with the password, and the status; `None` if nothing is."""
    if not second_factor.is_set(who.user_id):
        must = current_app.config["SETTINGS"].second_factor
        return (_("Logg ut, og logg inn med passordet. Da setter du opp engangskoder først."), 422) if must else None
    try:
        is_right = sign_in.check_factor(vault(), who.user_id, code, place=origin())
    except TooFast as problem:
        return wait_words(problem), 429
    return None if is_right else (_("Koden er feil eller brukt. Vent på neste kode i appen, og skriv den."), 422)


@accounts.get("/min-bruker/med/<name>")
@signed_in
def tie_page(name: str) -> Any:
    """The page between the password and the provider; without the password it redirects back."""
    there = _provider(name)
    if there is None or session.pop(_MAY_TIE, "") != name:
        return redirect_to(url_for("accounts.own_page"))
    try:
        address = there.begin(
            PendingSignIn("tie", f"{viewer().user_id} {sign_in.password_mark(vault(), viewer().user_id)}")
        )
    except Refused as problem:
        return _refused(there, problem.why)
    return onward(there.settings, address)


def _tie(there: Provider, person: ProviderUser, target: str) -> Response:
    who, (user_id, _blank, mark) = g.viewer, target.partition(" ")
    if who is None or str(who.user_id) != user_id:  # signed out meanwhile, or another user is signed in
        return _refused(there, "state")
    try:
        identities.tie(who.user_id, person, mark=mark, outbox=outbox(), letter=letters.tied)
    except IdentityTaken:
        return _refused(there, "taken")
    except Outdated:
        return _refused(there, "state")
    flash(_("Du kan nå logge inn med %(provider)s.") % {"provider": there.settings.label}, "success")
    return redirect_to(url_for("accounts.own_page"))


@accounts.post("/min-bruker/med/<name>/fjern")
@signed_in
@takes()
def untie(name: str) -> Any:
    """Remove the provider from the user."""
    if (there := _provider(name)) is None:
        return error_answer(404)
    try:
        identities.remove(viewer().user_id, there.settings.issuer, provider=name)
    except OnlyWayIn:
        flash(_("Du har ikke noe passord, så dette er den eneste måten du kan logge inn på."), "warning")
    else:
        flash(_("Du logger ikke lenger inn med %(provider)s.") % {"provider": there.settings.label}, "success")
    return redirect_to(url_for("accounts.own_page"))


# ---- Signing in again while working on a page: in another tab, since the provider needs a whole page ----


@accounts.get("/logg-inn/ferdig")
@signed_in
def signed_in_again() -> Any:
    """The page of the other tab after signing in."""
    return respond("accounts/signed_in_again.html")


@accounts.get("/logg-inn/igjen")
@public
def go_on_signed_in() -> Any:
    """Confirm to the tab with the work that the user is signed in; its script checks that it is the same user."""
    if not is_partial():
        return redirect_to(url_for("accounts.sign_in"))
    if g.viewer is None:
        return sign_in_dialog(_("Du er ikke logget inn ennå."))
    answer = back_on_the_page(g.viewer)
    answer.status_code = 204  # no page contains it
    return answer
