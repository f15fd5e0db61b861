"""The help page, with contacts."""

from typing import Any

from flask import Blueprint, g

from app.web.access import public
from app.web.responses import respond
from services.accounts.administration import administrators_for

oversight = Blueprint("oversight", __name__)


@oversight.get("/hjelp")
@public
def help_page() -> Any:
    """The help page, with the viewer's administrators."""
    return respond("oversight/help.html", contacts=administrators_for(g.viewer) if g.viewer else [])
