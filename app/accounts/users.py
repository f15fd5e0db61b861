"""User administration: the list of users, invitations, and one user."""

import re
from typing import Any

from flask import current_app, flash, request, url_for
from werkzeug.wrappers import Response

from app.accounts import letters
from app.accounts.blueprint import accounts
from app.accounts.forms import UserSearchForm
from app.accounts.openid import providers
from app.accounts.user_forms import UserForm, sent, shown
from app.accounts.user_list import UserListRequest, from_address, from_form, listed, row_of
from app.connections.mail import outbox
from app.web.access import requires, viewer
from app.web.errors import error_answer
from app.web.form_fields import reads_its_fields, takes
from app.web.responses import is_partial, redirect_to, respond
from services.access.viewer import Right, Role
from services.accounts import administration, invitations
from services.accounts import external_identities as identities
from services.accounts.administration import Administered, EmailTaken, StaleUser
from services.core.i18n import N_
from services.core.i18n import gettext as _

_EMAIL_TAKEN = N_("Det finnes allerede en bruker med denne e-postadressen.")
_SOMEBODY = "/brukere/<int(max=2147483647):user_id>"


@accounts.get("/brukere")
@requires(Right.SEE_USERS)
def users() -> Any:
    """The list of the users that the viewer administers."""
    return _list(from_address())


def _list(asked: UserListRequest) -> Response:
    answer = respond("accounts/users.html", "accounts/user_list.html", **listed(asked))
    if is_partial():
        answer.headers["HX-Push-Url"] = asked.address
    return answer


@accounts.post("/brukere/sok")
@requires(Right.SEE_USERS)
@takes(UserSearchForm)
def search_users() -> Any:
    """Search the list: names and addresses must not be in an address, so the search is stored and the address has its
    id."""
    asked = from_form()
    return _list(asked) if is_partial() else redirect_to(asked.address)


@accounts.get("/brukere/sok")
@requires(Right.SEE_USERS)
def search_users_page() -> Response:
    """Lead a reload of a search response to the list."""
    return redirect_to(url_for("accounts.users"))


# ---- Invitations ----


@accounts.get("/brukere/ny")
@requires(Right.SEE_USERS)
def invite() -> Any:
    """The form for an invitation."""
    return _invite_page(shown())


def _invite_page(form: UserForm) -> Response:
    return respond(
        "accounts/invite.html",
        "accounts/invite_form.html",
        status=422 if form.errors else 200,
        form=form,
    )


@accounts.post("/brukere/ny")
@requires(Right.SEE_USERS)
@reads_its_fields
def invite_submit() -> Any:
    """Add the user and send the invitation, or show the form again."""
    form = sent()
    if not form.errors and form.details and form.grants:
        try:
            user_id = invitations.invite(viewer(), form.details, form.grants, outbox=outbox(), letters=letters.INVITING)
        except EmailTaken:
            form.email.errors = [_(_EMAIL_TAKEN)]
        else:
            flash(_("Brukeren er lagt inn, og e-posten er på vei."), "success")
            return redirect_to(url_for("accounts.user_page", user_id=user_id))
    return _invite_page(form)


# ---- One user ----


@accounts.get(_SOMEBODY)
@requires(Right.SEE_USERS)
def user_page(user_id: int) -> Any:
    """One user: details, actions, and the form to change the user."""
    one = administration.find(viewer(), user_id)
    return _user_page(one, shown(one))


def _user_page(one: Administered, form: UserForm, *, stale: bool = False) -> Response:
    settings = current_app.config["SETTINGS"]
    form.version.data = one.user.version
    return respond(
        "accounts/user.html",
        "accounts/user_parts.html",
        status=409 if stale else 422 if form.errors else 200,
        one=one,
        row=row_of(one),
        form=form,
        stale=stale,
        is_self=one.user.id == viewer().user_id,
        asks_for_factor=settings.second_factor,
        tied=identities.of_user(one.user.id),
        provider_labels={there.settings.issuer: there.settings.label for there in providers().values()},
        is_national=Role.IMDI_ADMIN in viewer().roles,
    )


@accounts.post(_SOMEBODY)
@requires(Right.SEE_USERS)
@reads_its_fields
def user_change(user_id: int) -> Any:
    """Change the user, or show the form again: with errors, or with another administrator's changes."""
    one = administration.find(viewer(), user_id)
    form = sent(one)
    version = form.version.data
    if not re.fullmatch("[0-9]{1,9}", version):
        return error_answer(400)
    if form.errors:
        return _user_page(one, form)
    try:
        administration.change(
            viewer(),
            user_id,
            version=int(version),
            details=form.details,
            grants=form.grants,
            protected=form.protected,
            outbox=outbox(),
            moved=letters.moved,
        )
    except EmailTaken:
        form.email.errors = [_(_EMAIL_TAKEN)]
        return _user_page(one, form)
    except StaleUser:
        return _user_page(administration.find(viewer(), user_id), form, stale=True)
    flash(_("Endringene er lagret."), "success")
    return _back_to(user_id)


def _back_to(user_id: int) -> Response:
    """The user's page, or the list if the viewer no longer administers the user."""
    try:
        administration.find(viewer(), user_id)
    except administration.NoSuchUser:
        return redirect_to(url_for("accounts.users"))
    return redirect_to(url_for("accounts.user_page", user_id=user_id))


@accounts.post(f"{_SOMEBODY}/handling")
@requires(Right.SEE_USERS)
@takes()
def user_action(user_id: int) -> Any:
    """Perform the action of the pressed button, and confirm it."""
    button = request.form.get("go", "")
    who = viewer()
    administration.find(who, user_id)
    if button == "send":
        invitations.resend(who, user_id, outbox=outbox(), letter=letters.invitation)
        said = _("En ny invitasjon er på vei. Den gamle lenken virker ikke lenger.")
    elif button == "sperr":
        administration.block(who, user_id)
        said = _("Brukeren er sperret og logget ut.")
    elif button == "opphev":
        administration.unblock(who, user_id)
        said = _("Sperringen er opphevet.")
    elif button == "logg-ut":
        administration.sign_out_everywhere(who, user_id)
        said = _("Brukeren er logget ut overalt.")
    elif button == "kode":
        administration.reset_factor(who, user_id, outbox=outbox(), letter=letters.factor_reset)
        said = _("Engangskodene er nullstilt. Brukeren setter opp kode-appen på nytt ved neste innlogging.")
    elif chosen := re.fullmatch(r"identitet-([0-9]{1,9})", button):
        names = {there.settings.issuer: there.name for there in providers().values()}
        identities.remove_for(who, user_id, int(chosen[1]), names=names, outbox=outbox(), letter=letters.untied)
        said = _("Innloggingsmåten er fjernet, og brukeren er logget ut overalt.")
    else:
        return error_answer(400)
    flash(said, "success")
    return redirect_to(url_for("accounts.user_page", user_id=user_id))


@accounts.get(f"{_SOMEBODY}/handling")
@requires(Right.SEE_USERS)
def user_action_page(user_id: int) -> Response:
    """Lead a reload to the user's page."""
    administration.find(viewer(), user_id)
    return redirect_to(url_for("accounts.user_page", user_id=user_id))
