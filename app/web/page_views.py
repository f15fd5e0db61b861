"""Logging pages that show participants (`services.access.page_views`); pages that cannot be logged are not shown."""

from collections.abc import Sequence

from flask import Flask, current_app

from app.web.access import viewer
from services.access import page_views as views
from services.access.page_views import ViewLog

_NAME = "view_log"


def init_shown(app: Flask) -> None:
    """Create the log of shown pages."""
    app.extensions[_NAME] = views.new_log(app.app_context)


def end_shown(app: Flask) -> None:
    """Write waiting lines, if the application ends before its process."""
    views.forget_log(app.extensions[_NAME])


def view_log() -> ViewLog:
    """The log of shown pages of this application."""
    log: ViewLog = current_app.extensions[_NAME]
    return log


def refuse_too_many() -> None:
    """Check before a list is read; raises `TooManyViews`, `NotLogged`."""
    views.refuse_too_many(view_log(), viewer(), current_app.config["SETTINGS"].list_pages_per_hour)


def note_list(what: str, participations: Sequence[int], *, order: str = "") -> None:
    """Log the participants that a page shows, in their order on the page. `what`: list, notices. `order`: the list's
    query as in its address, which has no personal data."""
    if participations:
        detail = {"what": what, "shown": list(participations)}
        view_log().add(viewer().user_id, None, detail | ({"order": order} if order else {}))


def note_number(what: str, number: int) -> None:
    """Log that a page shows a number of persons who are not participants yet."""
    if number:
        view_log().add(viewer().user_id, None, {"what": what, "rows": number})


def note_one(what: str, participation: int) -> None:
    """Log a page that shows one participant by name."""
    refuse_too_many()
    view_log().add(viewer().user_id, participation, {"what": what})
