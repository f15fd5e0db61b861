"""The pages that links in e-mails lead to: accepting an invitation, and choosing a new password.

Opening a link does not use it up, since mail filters open links too; sending its form does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import flash, g, url_for
from werkzeug.wrappers import Response

from app.accounts import letters
from app.accounts.blueprint import accounts, anew, sender_address
from app.accounts.forms import InvitationForm, ResetForm
from app.accounts.sign_in import after_password
from app.connections.mail import outbox
from app.web.access import public
from app.web.form_fields import takes
from app.web.responses import redirect_to, respond
from services.accounts import invitations, new_passwords
from services.accounts.one_time_links import DeadLink, LinkPurpose, user_of
from services.core.i18n import N_
from services.core.i18n import gettext as _

if TYPE_CHECKING:
    from services.tables.accounts import User

_TOO_OLD = N_("Siden sto åpen for lenge. Skriv passordet på nytt.")


@accounts.get("/invitasjon/<token>")
@public
def invitation(token: str) -> Any:
    """The form to accept an invitation."""
    try:
        user = user_of(token, LinkPurpose.INVITE)
    except DeadLink:
        return respond("accounts/dead_link.html", status=410, token=token)
    if _is_somebody_else(user):
        return somebody_else(user)
    return _invitation_page(token, user, InvitationForm(username=invitations.suggested_username(user.name)))


def somebody_else(whose: User) -> Response:
    """The page for a signed-in user who follows another user's link: nobody becomes another user that way."""
    return respond("accounts/somebody_else.html", status=409, whose=whose)


def _is_somebody_else(whose: User) -> bool:
    return g.viewer is not None and g.viewer.user_id != whose.id


def _invitation_page(token: str, user: User, form: InvitationForm) -> Response:
    return respond(
        "accounts/invitation.html",
        "accounts/invitation_form.html",
        status=422 if form.errors else 200,
        token=token,
        user=user,
        form=form,
    )


@accounts.post("/invitasjon/<token>")
@public
@takes(InvitationForm)
def invitation_submit(token: str) -> Any:
    """Accept an invitation and continue as after signing in, or show the form again."""
    try:
        user = user_of(token, LinkPurpose.INVITE)
        if _is_somebody_else(user):
            return somebody_else(user)
        form = InvitationForm((user.name, user.email))
        if form.validate():
            username, password = form.username.data, form.password.data
            return after_password(invitations.accept(token, username=username, password=password))
    except DeadLink:
        return redirect_to(url_for("accounts.invitation", token=token))
    except invitations.UsernameTaken:
        form.username.errors = [_("Brukernavnet er opptatt. Velg et annet.")]
    return _invitation_page(token, user, form)


@anew("accounts.invitation_submit")
def _old_invitation_page(token: str) -> Any:
    try:
        user = user_of(token, LinkPurpose.INVITE)
    except DeadLink:
        return redirect_to(url_for("accounts.invitation", token=token))
    if _is_somebody_else(user):
        return somebody_else(user)
    form = InvitationForm()
    form.password.errors = [_(_TOO_OLD)]
    return _invitation_page(token, user, form)


@anew("accounts.invitation_anew")
def _old_dead_link(token: str) -> Response:
    flash(_("Siden sto åpen for lenge. Be om ny lenke en gang til."), "warning")
    return redirect_to(url_for("accounts.invitation", token=token))


@accounts.post("/invitasjon/<token>/ny")
@public
@takes()
def invitation_anew(token: str) -> Response:
    """Send a new link for an expired invitation; the response does not depend on the token."""
    invitations.ask_anew(token, address=sender_address(), outbox=outbox(), letter=letters.invitation)
    flash(
        _("Er invitasjonen fortsatt ubrukt, kommer det straks en ny e-post. Se også i søppelpost (spam)."),
        "success",
    )
    return redirect_to(url_for("accounts.invitation", token=token))


@accounts.get("/invitasjon/<token>/ny")
@public
def invitation_anew_page(token: str) -> Response:
    """Lead a reload to the link itself."""
    return redirect_to(url_for("accounts.invitation", token=token))


@accounts.get("/nytt-passord/<token>")
@public
def reset(token: str) -> Any:
    """The form to choose a new password."""
    try:
        user = user_of(token, LinkPurpose.RESET)
        return somebody_else(user) if _is_somebody_else(user) else _reset_page(token, user, ResetForm())
    except DeadLink:
        return respond("accounts/dead_reset.html", status=410)


def _reset_page(token: str, user: User, form: ResetForm) -> Response:
    return respond(
        "accounts/reset.html",
        "accounts/reset_form.html",
        status=422 if form.errors else 200,
        token=token,
        username=user.username,
        form=form,
    )


@anew("accounts.reset_submit")
def _old_reset_page(token: str) -> Any:
    form = ResetForm()
    form.password.errors = [_(_TOO_OLD)]
    try:
        user = user_of(token, LinkPurpose.RESET)
        return somebody_else(user) if _is_somebody_else(user) else _reset_page(token, user, form)
    except DeadLink:
        return redirect_to(url_for("accounts.reset", token=token))


@accounts.post("/nytt-passord/<token>")
@public
@takes(ResetForm)
def reset_submit(token: str) -> Any:
    """Set the new password and continue as after signing in, or show the form again."""
    try:
        user = user_of(token, LinkPurpose.RESET)
        if _is_somebody_else(user):
            return somebody_else(user)
        form = ResetForm((user.name, user.email, user.username or ""))
        if not form.validate():
            return _reset_page(token, user, form)
        return after_password(new_passwords.by_link(token, form.password.data))
    except DeadLink:
        return redirect_to(url_for("accounts.reset", token=token))
