"""The main menu: what the viewer may go to."""

from functools import lru_cache

from flask import Flask, g, request
from markupsafe import Markup, escape

from app.web.csrf import csrf_token
from app.web.responses import address_of
from app.web.sessions import visit
from app.web.way_back import leads_back, list_address
from services.access.viewer import Right, Viewer
from services.core.i18n import N_, current_language
from services.core.i18n import gettext as _

_ENTRIES = (
    (Right.READ, "overview.overview_page", N_("Deltakere"), "/deltakere"),
    (Right.REGISTER, "creating.begun", N_("Påbegynte"), "/deltakere/pabegynte"),
    (Right.REGISTER, "mending.notices", N_("Meldinger"), "/deltakere/meldinger"),
    (Right.SEE_USERS, "accounts.users", N_("Brukere"), "/brukere"),
    (Right.SEE_LOG, "oversight.log_page", N_("Tilgangslogg"), "/tilgangslogg"),
)
_HELP = "/hjelp"
_MARK = "in-the-place-of-the-token"
_WAY_BACK = "in-the-place-of-the-way-back"
_SECONDS_TOLD = 1700  # a visit has 1 800 from now on, unless it is over sooner


def _place() -> str:
    """Which entry of the menu the present page belongs to."""
    under = [*(place for *_rest, place in _ENTRIES), _HELP]
    return max((place for place in under if request.path.startswith(place)), key=len, default="")


def _entries(viewer: Viewer, place: str, *, inside: bool) -> list[tuple[str, str, bool]]:
    """(text, address, is the present place) for each entry that the viewer has the right to; `inside` a participant's
    pages the list is the one that the participant was opened from."""
    entries = [(_(text), address_of(endpoint), under) for right, endpoint, text, under in _ENTRIES if viewer.can(right)]
    if inside and viewer.can(Right.READ):
        entries[0] = (entries[0][0], _WAY_BACK, entries[0][2])
    entries.append((_("Hjelp"), address_of("oversight.help_page"), _HELP))
    return [(text, address, under == place) for text, address, under in entries]


def init_menu(app: Flask) -> None:
    """Give the menu, the viewer and the settings that are shown to the templates."""

    @lru_cache(maxsize=1000)
    def drawn(viewer: Viewer, place: str, left: int | None, _language: str, inside: bool) -> str:
        template = app.jinja_env.get_template("ui/top_menu.html")
        return template.render(viewer=viewer, entries=_entries(viewer, place, inside=inside), left=left, token=_MARK)

    def top_menu() -> Markup:
        """The menu and who is signed in: drawn once for each viewer and place, since it would take a twentieth of a
        page's time. Only the token, and the way back, are others in each answer."""
        left = visit().seconds_left
        menu = drawn(g.viewer, _place(), left if left < _SECONDS_TOLD else None, current_language(), leads_back())
        if leads_back():
            menu = menu.replace(_WAY_BACK, escape(list_address()))
        return Markup(menu.replace(_MARK, csrf_token()))  # noqa: S704 - a template of ours

    app.jinja_env.globals["top_menu"] = top_menu
    app.jinja_env.globals["faq_url"] = app.config["SETTINGS"].faq_url

    @app.context_processor
    def _viewer() -> dict[str, object]:
        return {"viewer": g.get("viewer")}
