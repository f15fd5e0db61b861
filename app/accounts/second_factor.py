"""The second step of signing in: a code from the telephone, or its set-up; and the recovery codes."""

from typing import Any

from flask import flash, request, session, url_for

from app.accounts.blueprint import accounts, anew, own_address, start_page, wait_words
from app.accounts.devices import origin, remember
from app.accounts.forms import CodeForm, RecoveryCodesForm, SetUpForm
from app.accounts.sign_in import Halfway, begin_anew, halfway, let_in
from app.connections.mail import vault
from app.web.access import public, signed_in, viewer
from app.web.errors import error_answer
from app.web.form_fields import takes
from app.web.responses import is_partial, redirect_to, respond
from services.accounts import second_factor as factor
from services.accounts import sign_in
from services.accounts.throttle import TooFast
from services.core.i18n import N_
from services.core.i18n import gettext as _

_WRONG = N_("Koden er feil eller brukt. Vent på neste kode i appen, og skriv den.")
_CODES, _AFTER = "recovery_codes", "after_codes"


@accounts.get("/logg-inn/kode")
@public
def code_page() -> Any:
    """The form for the code."""
    who = halfway()
    return _code_page(who, "accounts/code_form.html") if who else begin_anew(CodeForm())


def _code_page(who: Halfway, fragment: str, error: str = "", status: int = 200) -> Any:
    form = CodeForm(formdata=None, target=who.target, kept_for=who.kept_for)
    return respond("accounts/code.html", fragment, error=error, form=form, status=status)


anew("accounts.code_submit")(lambda: begin_anew(CodeForm()))
anew("accounts.set_up_submit")(lambda: begin_anew(SetUpForm()))


@accounts.post("/logg-inn/kode")
@public
@takes(CodeForm)
def code_submit() -> Any:
    """Check the code: sign in, or show the form again."""
    form, who = CodeForm(), halfway()
    if who is None:
        return begin_anew(form)
    fragment = "accounts/code_dialog.html" if who.kept_for else "accounts/code_form.html"
    try:
        is_right = sign_in.check_factor(vault(), who.user_id, form.code.data, place=origin())
    except TooFast as problem:
        return _code_page(who, fragment, wait_words(problem), 429)
    if not is_right:
        return _code_page(who, fragment, _(_WRONG), 422)
    return let_in(who.user_id, who.target, who.kept_for if is_partial() else "", who.began)


@accounts.get("/logg-inn/oppsett")
@public
def set_up_page() -> Any:
    """The set-up page: the secret as a QR code and as text."""
    who = halfway()
    if who is None or factor.is_set(who.user_id):
        return begin_anew(SetUpForm())
    return _set_up_page(who)


def _set_up_page(who: Halfway, error: str = "", status: int = 200) -> Any:
    secret = _secret(who)
    found = sign_in.viewer_of(who.user_id)
    return respond(
        "accounts/set_up.html",
        "accounts/set_up_form.html",
        status=status,
        error=error,
        form=SetUpForm(formdata=None, target=who.target),
        secret=factor.in_groups(secret),
        picture=factor.picture(secret, found.username if found else ""),
    )


def _secret(who: Halfway) -> str:
    """The secret offered in this session, the same until it is used, so that a reload does no harm."""
    purpose = f"totp offered {who.user_id}"
    if "secret" not in session:
        session["secret"] = vault().seal(factor.new_secret(), purpose)
    return vault().open(session["secret"], purpose)


@accounts.post("/logg-inn/oppsett")
@public
@takes(SetUpForm)
def set_up_submit() -> Any:
    """Check the first code of the telephone: sign in, and show recovery codes."""
    form, who = SetUpForm(), halfway()
    if who is None or factor.is_set(who.user_id) or "secret" not in session:
        return begin_anew(form)
    codes = factor.begin_with(vault(), who.user_id, _secret(who), form.code.data)
    if codes is None:
        return _set_up_page(who, _(_WRONG), 422)
    answer = let_in(who.user_id, began=who.began)
    if "_user_id" not in session:  # the user has just been blocked
        return answer
    _keep(codes, who.target)
    return remember(redirect_to(url_for("accounts.recovery_codes")), who.user_id)


def _keep(codes: list[str], target: str) -> None:
    """Keep the codes for the page that shows them, until the user confirms having stored them."""
    session[_CODES] = vault().seal(" ".join(codes), "recovery codes shown")
    session[_AFTER] = target


@accounts.get("/min-bruker/koder")
@signed_in
def recovery_codes() -> Any:
    """The new recovery codes, or how many are left."""
    kept = session.get(_CODES)
    return respond(
        "accounts/recovery_codes.html",
        codes=vault().open(kept, "recovery codes shown").split() if kept else [],
        left=factor.codes_left(viewer().user_id),
        is_set=factor.is_set(viewer().user_id),
        form=RecoveryCodesForm(),
    )


@accounts.post("/min-bruker/koder")
@signed_in
@takes(RecoveryCodesForm)
def recovery_codes_submit() -> Any:
    """«Jeg har tatt vare på kodene»: stop showing them. «Lag nye koder»: make new ones, with a code of the
    telephone."""
    if request.form.get("go") == "lagret":
        session.pop(_CODES, None)
        return redirect_to(own_address(session.pop(_AFTER, "")) or start_page(viewer()))
    if request.form.get("go") != "nye" or not factor.is_set(viewer().user_id):
        return error_answer(400)
    try:
        code = RecoveryCodesForm().code.data
        is_right = sign_in.check_factor(vault(), viewer().user_id, code, place=origin())
    except TooFast as problem:
        flash(wait_words(problem), "danger")
        return redirect_to(url_for("accounts.recovery_codes"))
    if is_right:
        _keep(factor.renew_recovery_codes(vault(), viewer().user_id), url_for("accounts.own_page"))
    else:
        flash(_(_WRONG), "danger")
    return redirect_to(url_for("accounts.recovery_codes"))
