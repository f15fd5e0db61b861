"""The main menu for the viewer."""

from flask import Flask, g, request

from app.web.responses import address_of
from app.web.sessions import visit
from app.web.way_back import leads_back, list_address
from services.access.viewer import Right, Viewer
from services.core.i18n import N_
from services.core.i18n import gettext as _

_ENTRIES = (
    (Right.READ, "overview.overview_page", N_("Deltakere"), "/deltakere"),
    (Right.REGISTER, "creating.begun", N_("Påbegynte"), "/deltakere/pabegynte"),
    (Right.REGISTER, "mending.notices", N_("Meldinger"), "/deltakere/meldinger"),
    (Right.SEE_USERS, "accounts.users", N_("Brukere"), "/brukere"),
    (Right.SEE_LOG, "oversight.log_page", N_("Tilgangslogg"), "/tilgangslogg"),
)
_HELP = "/hjelp"
_SECONDS_TOLD = 1700  # a session has 1 800 left after a request, unless its absolute limit is near


def _place() -> str:
    """The menu entry of the current page."""
    under = [*(place for *_rest, place in _ENTRIES), _HELP]
    return max((place for place in under if request.path.startswith(place)), key=len, default="")


def _entries(viewer: Viewer) -> list[tuple[str, str, bool]]:
    """The menu entries by the viewer's rights: (text, address, is the current place). On a participant's pages, the
    list entry leads to the list that the participant was opened from."""
    place = _place()
    entries = [(_(text), address_of(endpoint), under) for right, endpoint, text, under in _ENTRIES if viewer.can(right)]
    if leads_back() and viewer.can(Right.READ):
        entries[0] = (entries[0][0], list_address(), entries[0][2])
    entries.append((_("Hjelp"), address_of("oversight.help_page"), _HELP))
    return [(text, address, under == place) for text, address, under in entries]


def init_menu(app: Flask) -> None:
    """Give the menu, the viewer and some settings to the templates."""

    def menu() -> dict[str, object]:
        """The menu for its template: its entries, and the remaining seconds of a session that ends soon."""
        left = visit().seconds_left
        return {"entries": _entries(g.viewer), "left": left if left < _SECONDS_TOLD else None}

    app.jinja_env.globals["menu"] = menu
    app.jinja_env.globals["faq_url"] = app.config["SETTINGS"].faq_url

    @app.context_processor
    def _viewer() -> dict[str, object]:
        return {"viewer": g.get("viewer")}
