"""The blueprint of all views in this package, and their common functions."""

from collections.abc import Callable
from math import ceil
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask_login import UserMixin

from app.web.access import viewer
from app.web.csrf import OldPage
from app.web.errors import error_answer
from app.web.sessions import visit
from services.access.audit import Action, record
from services.access.viewer import Right, Viewer
from services.accounts.administration import NoSuchUser, NotYours
from services.accounts.throttle import TooFast
from services.core.i18n import gettext as _
from services.core.i18n import ngettext
from services.listing.saved_views import start_view

accounts = Blueprint("accounts", __name__)
_LONGEST_ADDRESS = 2000
_IN_MINUTES = 119  # seconds from which a wait is given in minutes


class SignedIn(UserMixin):
    """Flask-Login's user, with the viewer."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    def get_id(self) -> str:
        """The user's id, as Flask-Login stores it in the session."""
        return str(self.viewer.user_id)


def load_user(user_id: str) -> SignedIn | None:
    """The signed-in user of a session, read together with it; None if blocked meanwhile."""
    found: Viewer | None = visit().viewer
    return SignedIn(found) if found and str(found.user_id) == user_id else None


def start_page(of: Viewer) -> str:
    """The start page: the user's start view of the list, or the whole list; the list of users for those who only
    administer; the help page for users without a role."""
    if of.can(Right.READ):
        view = start_view(of)
        return url_for("overview.overview_page") + (f"?{view.query}" if view and view.query else "")
    return url_for("accounts.users" if of.can(Right.SEE_USERS) else "oversight.help_page")


def own_address(target: str) -> str:
    """The address if it is one of our own, to continue to after sign-in, else ''."""
    inside = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if inside and target.isprintable() and 1 < len(target) <= _LONGEST_ADDRESS else ""


def sender_address() -> str:
    """The IP address of the request."""
    return request.remote_addr or "unknown"


def wait_words(problem: TooFast) -> str:
    """The message how long to wait before the next attempt."""
    if problem.seconds > _IN_MINUTES:
        minutes = ceil(problem.seconds / 60)
        return _("For mange forsøk. Vent %(n)s minutter og prøv igjen.") % {"n": minutes}
    text = ngettext(
        "For mange forsøk. Vent %(n)s sekund og prøv igjen.",
        "For mange forsøk. Vent %(n)s sekunder og prøv igjen.",
        problem.seconds,
    )
    return text % {"n": problem.seconds}


_ANEW: dict[str, Callable[..., Any]] = {}
Again = Callable[..., Any]


def anew(endpoint: str) -> Callable[[Again], Again]:
    """Register a function that shows a form's page again, with the typed values, when the form was open for too
    long."""

    def mark(again: Again) -> Again:
        _ANEW[endpoint] = again
        return again

    return mark


@accounts.errorhandler(OldPage)
def _old_page(_error: OldPage) -> Any:
    return _ANEW[str(request.endpoint)](**(request.view_args or {}))


@accounts.errorhandler(NoSuchUser)
def _no_user(_error: NoSuchUser) -> Any:
    return error_answer(404, (_("Siden finnes ikke"), _("Adressen er feil, eller brukeren finnes ikke hos deg.")))


@accounts.errorhandler(NotYours)
def _not_yours(_error: NotYours) -> Any:
    record(
        Action.REFUSED,
        viewer=viewer(),
        detail={"view": request.endpoint, "user": (request.view_args or {}).get("user_id")},
    )
    words = _("Dette kan du ikke gjøre med brukeren"), _("Ta kontakt med IMDi: jobbsjansen.palogging@imdi.no")
    return error_answer(403, words)


@accounts.errorhandler(TooFast)
def _too_fast(problem: TooFast) -> Response:
    return error_answer(429, (_("For mange forsøk"), wait_words(problem)))
