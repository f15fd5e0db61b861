"""Pages that show participants leave a line in the access log (`services.access.page_views`); without it they are not
shown."""

from collections.abc import Sequence

from flask import Flask, current_app

from app.web.access import viewer
from services.access import page_views as views
from services.access.page_views import ViewLog

_NAME = "view_log"


def init_shown(app: Flask) -> None:
    """Make the log of the pages that are shown."""
    app.extensions[_NAME] = views.new_log(app.app_context)


def end_shown(app: Flask) -> None:
    """Write what waits, where the program ends before its process."""
    views.forget_log(app.extensions[_NAME])


def view_log() -> ViewLog:
    """The log of this process."""
    log: ViewLog = current_app.extensions[_NAME]
    return log


def refuse_too_many() -> None:
    """Before a list is read: raises `TooManyViews`, `NotLogged`."""
    views.refuse_too_many(view_log(), viewer(), current_app.config["SETTINGS"].list_pages_per_hour)


def note_list(what: str, participations: Sequence[int], *, order: str = "") -> None:
    """Note which participants a page shows, in the order in which it does. `what`: list, notices. `order`: what the
    list was asked for, as its address has it; nothing personal stands in that."""
    if participations:
        detail = {"what": what, "shown": list(participations)}
        view_log().add(viewer().user_id, None, detail | ({"order": order} if order else {}))


def note_number(what: str, number: int) -> None:
    """Note that a page shows so many persons who are no participants yet."""
    if number:
        view_log().add(viewer().user_id, None, {"what": what, "rows": number})


def note_one(what: str, participation: int) -> None:
    """Note a page that shows one participant by name."""
    refuse_too_many()
    view_log().add(viewer().user_id, participation, {"what": what})
