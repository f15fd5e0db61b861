"""The accepted fields of forms. A field that no form of ours has is refused before the view runs (400), so that a
manipulated form cannot set more than the user's own form. A view with forms that is not in the table accepts no fields;
no view accepts files.

A form must also have its end mark. Without it, its end is missing, and nothing of it is saved.
"""

from io import BytesIO

from flask import Flask, abort, request
from markupsafe import Markup

from app.overview.list_request import BESIDE
from app.overview.query import NAMES
from app.web.csrf import PAGE_FIELD
from app.web.responses import END_MARK, NotWhole

# The token, the button that was pressed, the end mark.
MOST_FIELDS = 3_000  # in a form; a page with 50 tiltak and 20 permisjoner has a fifth of them
_EVERY_FORM = frozenset({"csrf_token", "go", END_MARK})
_END = Markup(f'<input type="hidden" name="{END_MARK}" value="1" autocomplete="off">')  # noqa: S704 - ours
# These save nothing: a page from before the end mark was introduced still signs its user in or out.
ONLY_SIGNING = frozenset({"accounts.sign_in_submit", "accounts.code_submit", "accounts.sign_out"})
# These check the fields of their form themselves: they depend on the page, on the answers, or on the role.
BY_THEMSELVES = frozenset(
    {
        "accounts.invite_submit",
        "accounts.user_change",
        "creating.create",
        "creating.keep",
        "creating.look_up",
        "creating.show_new",
        "registration.keep",
        "registration.save",
    }
)
_OF_THE_LIST = NAMES | {*BESIDE, "kryss"}
TAKEN: dict[str, frozenset[str]] = {
    "accounts.code_submit": frozenset({"code", "neste", "kept_for", PAGE_FIELD}),
    "accounts.end_visits": frozenset({"innlogging"}),
    "accounts.forgotten_submit": frozenset({"whom", PAGE_FIELD}),
    "accounts.invitation_anew": frozenset({PAGE_FIELD}),
    "accounts.confirm_invitation_submit": frozenset({PAGE_FIELD}),
    "accounts.invitation_by": frozenset({PAGE_FIELD}),
    "accounts.invitation_submit": frozenset({"username", "password", "repeated", PAGE_FIELD}),
    "accounts.own_password_submit": frozenset({"present", "password", "repeated"}),
    "accounts.prolong": frozenset(),
    "accounts.recovery_codes_submit": frozenset({"code"}),
    "accounts.reset_submit": frozenset({"password", "repeated", PAGE_FIELD}),
    "accounts.search_users": frozenset({"q", "visning"}),
    "accounts.set_up_submit": frozenset({"code", "neste", PAGE_FIELD}),
    "accounts.sign_in_submit": frozenset({"username", "password", "neste", "kept_for", PAGE_FIELD}),
    "accounts.sign_out": frozenset(),
    "accounts.tie_submit": frozenset({"password", "code"}),
    "accounts.untie": frozenset(),
    "accounts.user_action": frozenset(),
    "creating.discard": frozenset(),
    "mending.delete": frozenset({"reason", "text"}),
    "mending.mark_read": frozenset({"fra"}),
    "mending.reopen": frozenset({"reason"}),
    "mending.restore": frozenset({"reason"}),
    "oversight.search_log": frozenset({"hvem", "handling", "fra", "til", "feil"}),
    "overview.panel": _OF_THE_LIST,
    "overview.search": _OF_THE_LIST,
    "registration.discharge": frozenset({"version"}),
    "saved_views.change": frozenset({"navn", "visning"}),
    "saved_views.save": frozenset({"navn", "visning"}),
}


def _sent() -> bytes:
    """The body, which was read before."""
    body = request.stream
    return body.getvalue() if isinstance(body, BytesIO) else b""


def init_taken(app: Flask) -> None:
    """Refuse unknown fields, and forms without an end mark, in all views of the program. Templates get `end_mark`, the
    last element of each form."""
    app.jinja_env.globals["end_mark"] = _END

    def _refuse_foreign_fields() -> None:
        if request.method != "POST" or request.endpoint is None:
            return
        if _sent().count(b"&") >= MOST_FIELDS:  # before they are parsed
            abort(413)
        if request.endpoint not in ONLY_SIGNING and request.form.getlist(END_MARK) != ["1"]:
            raise NotWhole
        names = frozenset() if request.endpoint in BY_THEMSELVES else set(request.form) - _EVERY_FORM
        if request.files or names - TAKEN.get(request.endpoint, frozenset()):
            abort(400)

    # After the checks of the body and of access, before the check of the token: the response to a form that is not ours
    # contains no form.
    app.before_request_funcs.setdefault(None, []).insert(2, _refuse_foreign_fields)
