"""Access control of views. A view is marked with `@public`, `@signed_in` or `@requires(...)`; unmarked ones are
refused."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, abort, current_app, g, has_request_context, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.web.responses import is_partial, redirect_to, this_address
from app.web.sessions import visit
from services.access.audit import Action, record
from services.access.viewer import Right, Viewer
from services.accounts.sign_in import Visit, read_visit
from services.core.db import after_waiting, before_writing

View = TypeVar("View", bound=Callable[..., Any])
_PUBLIC = "public"
_SIGNED_IN = "signed in"
_LONGEST_ADDRESS = 2000
_OWN_SITES = {"same-origin", "none"}
_ROOT_FILE = re.compile(r"^/([^/?]+)\.(csv|xlsx)(?=\?|$)")
_FILE = re.compile(r"/[^/?]+\.(csv|xlsx)(?=\?|$)")  # not a page to come back to, unlike the page it belongs to


def public(view: View) -> View:
    """Allow the view to everybody."""
    view.access = _PUBLIC  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """Allow the view to all signed-in users."""
    view.access = _SIGNED_IN  # type: ignore[attr-defined]
    return view


def requires(right: Right) -> Callable[[View], View]:
    """Allow the view to users with the right."""

    def mark(view: View) -> View:
        view.access = right  # type: ignore[attr-defined]
        return view

    return mark


def mark_of(view: Any) -> Right | str | None:
    """The access mark of a view, `None` if it has none."""
    mark: Right | str | None = getattr(view, "access", None)
    return mark


def is_public(view: Any) -> bool:
    """True for a view that is open to everybody."""
    return mark_of(view) == _PUBLIC


def viewer() -> Viewer:
    """The signed-in user of this request. Only for views that are not public."""
    found: Viewer = g.viewer
    return found


def _guard() -> Response | tuple[str, int] | None:
    """Refuse users without access: runs before every view."""
    g.viewer = current_user.viewer if current_user.is_authenticated else None
    if request.endpoint is None:  # unknown address: the same response for everybody
        return None
    view = _view(request.endpoint)
    mark = mark_of(view)
    if is_public(view):
        return None
    if visit().is_unknown:
        abort(503)
    if g.viewer is None:
        if is_partial() or request.method not in {"GET", "HEAD"}:
            abort(401)
        return redirect_to(_sign_in_address())
    if is_partial() and request.headers.get("X-Hvem", g.viewer.username) != g.viewer.username:
        return redirect_to("/")  # the page on screen belongs to another user, who was signed in here before
    if mark == _SIGNED_IN or (mark is not None and g.viewer.can(mark)):
        g.let_in = (visit().key, g.viewer)
        return _refuse_cross_site()
    record(Action.REFUSED, viewer=g.viewer, detail={"view": request.endpoint})
    return abort(403)


@before_writing
def _recheck_rights() -> None:
    """Check the user's rights again within a writing transaction. A user may be blocked, demoted or signed out between
    the guard and the transaction: 401 without a session, 403 with other rights."""
    if let_in := _accepted_visit():
        key, held = let_in
        _refuse_unless(held, read_visit(key))


@after_waiting
def _recheck_rights_before_commit() -> None:
    """Check the user's rights before the commit: PostgreSQL lets others commit a block while this transaction waits for
    a row lock."""
    if let_in := _accepted_visit():
        key, held = let_in
        with current_app.app_context():  # to get a connection of its own
            found = read_visit(key)
        _refuse_unless(held, found)


def _accepted_visit() -> tuple[str, Viewer] | None:
    """Key and user of the session that the guard has accepted; None for a job, a public view, and if the view has begun
    another session."""
    let_in: tuple[str, Viewer] | None = g.get("let_in") if has_request_context() else None
    return let_in if let_in and let_in[0] == visit().key else None


def _refuse_unless(held: Viewer, found: Visit | None) -> None:
    if found is None or found.viewer is None:
        abort(401)
    if found.viewer != held:
        abort(403)


def _after_the_view(answer: Response) -> Response:
    """Stop checking rights: later writes (the session itself) need none."""
    g.pop("let_in", None)
    return answer


def _page_of(address: str) -> str:
    """The page that a file belongs to: above it, or at the root the one of the same name."""
    return _FILE.sub("", _ROOT_FILE.sub(r"/\1", address))


def _refuse_cross_site() -> Response | None:
    """Refuse cross-site downloads and fetches; another site may only link to a page. A user who returns from a
    provider's sign-in comes from another site, and is led to the page that the file belongs to."""
    if request.method not in {"GET", "HEAD"} or request.headers.get("Sec-Fetch-Site", "none") in _OWN_SITES:
        return None
    if _FILE.search(request.path):
        return redirect_to(_page_of(this_address()))
    return None if request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate" else abort(403)


def _sign_in_address() -> str:
    """The sign-in address that leads back here; to the page alone, if a handmade address is too long for that."""
    whole = url_for("accounts.sign_in", neste=_page_of(this_address()))
    page = _page_of(this_address().partition("?")[0])
    return whole if len(whole) <= _LONGEST_ADDRESS else url_for("accounts.sign_in", neste=page)


def _view(endpoint: str) -> Any:
    return current_app.view_functions[endpoint]


def init_access(app: Flask) -> None:
    """Put the guard before all views, and before the check of a form's token: a signed-out user must be told so, and
    not that the token is wrong."""
    app.before_request_funcs.setdefault(None, []).insert(0, _guard)
    app.after_request(_after_the_view)
