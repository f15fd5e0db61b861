"""The accepted fields of forms. A view with forms says which fields it accepts, by `@takes(SignInForm)` or
`@reads_its_fields`; without either it accepts no fields, and no view accepts files. A field that no form of ours has is
refused before the view runs (400), so that a manipulated form cannot set more than the user's own form.

A form must also have its end mark. Without it, its end is missing, and nothing of it is saved.
"""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, TypeVar

from flask import Flask, abort, current_app, request
from markupsafe import Markup

from app.web.access import is_public
from app.web.csrf import PAGE_FIELD
from app.web.forms import SmallForm
from app.web.responses import END_MARK, NotWhole

View = TypeVar("View", bound=Callable[..., Any])
MOST_FIELDS = 3_000  # in a form; a page with 50 tiltak and 20 permisjoner has a fifth of them
EVERY_FORM = frozenset({"csrf_token", "go", END_MARK})  # the token, the button that was pressed, the end mark
_END = Markup(f'<input type="hidden" name="{END_MARK}" value="1" autocomplete="off">')  # noqa: S704 - ours
# These save nothing: a page from before the end mark was introduced still signs its user in or out.
ONLY_SIGNING = frozenset({"accounts.sign_in_submit", "accounts.code_submit", "accounts.sign_out"})


def takes(*declared: type[SmallForm] | Iterable[str]) -> Callable[[View], View]:
    """Mark a view that accepts the fields of these forms, or of these names; without any, those of every form alone."""
    names = (one.names() if isinstance(one, type) else one for one in declared)
    fields = frozenset().union(*names)

    def mark(view: View) -> View:
        view.fields = fields  # type: ignore[attr-defined]
        return view

    return mark


def reads_its_fields(view: View) -> View:
    """Mark a view that checks the fields of its form itself: they depend on the page, the answers, or the role."""
    view.fields = None  # type: ignore[attr-defined]
    return view


def fields_of(view: Any) -> frozenset[str] | None:
    """The fields that a view accepts beside those of every form, `None` if it checks them itself. Forms of public views
    also have the token of their page."""
    fields: frozenset[str] | None = getattr(view, "fields", frozenset())
    return fields | {PAGE_FIELD} if fields is not None and is_public(view) else fields


def _sent() -> bytes:
    """The body, which is read already."""
    body = request.stream
    return body.getvalue() if isinstance(body, BytesIO) else b""


def init_form_fields(app: Flask) -> None:
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
        fields = fields_of(current_app.view_functions[request.endpoint])
        if request.files or (fields is not None and set(request.form) - EVERY_FORM - fields):
            abort(400)

    # After the checks of the body and of access, before the check of the token: the response to a form that is not ours
    # contains no form.
    app.before_request_funcs.setdefault(None, []).insert(2, _refuse_foreign_fields)
