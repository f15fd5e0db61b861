"""The main menu: what the viewer may go to."""

from flask import Flask, g, request

from app.web import address_of
from services.i18n import N_
from services.i18n import gettext as _
from services.viewer import Right

_ENTRIES = (
    (Right.READ, "overview.overview_page", N_("Deltakere"), "/deltakere"),
    (Right.REGISTER, "creating.begun", N_("Påbegynte"), "/deltakere/pabegynte"),
    (Right.REGISTER, "mending.notices", N_("Meldinger"), "/deltakere/meldinger"),
    (Right.SEE_USERS, "accounts.users", N_("Brukere"), "/brukere"),
    (Right.SEE_LOG, "oversight.log_page", N_("Tilgangslogg"), "/tilgangslogg"),
)


def main_menu() -> list[tuple[str, str, bool]]:
    """(text, address, is the present place) for each entry that the viewer has the right to."""
    place = max((under for *_rest, under in _ENTRIES if request.path.startswith(under)), key=len, default="")
    entries = [
        (_(text), address_of(endpoint), under == place)
        for right, endpoint, text, under in _ENTRIES
        if g.viewer and g.viewer.can(right)
    ]
    help_page = address_of("oversight.help_page")
    return [*entries, (_("Hjelp"), help_page, request.path == help_page)]


def init_menu(app: Flask) -> None:
    """Give the menu, the viewer and the settings that are shown to the templates."""
    app.jinja_env.globals["main_menu"] = main_menu
    app.jinja_env.globals["faq_url"] = app.config["SETTINGS"].faq_url

    @app.context_processor
    def _viewer() -> dict[str, object]:
        return {"viewer": g.get("viewer")}
