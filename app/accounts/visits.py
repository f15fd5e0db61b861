"""The user's sessions: the remaining time of the current one, and «Mine innlogginger»."""

import json
from typing import Any

from flask import Response, flash, make_response, url_for

from app.accounts.blueprint import accounts
from app.accounts.forms import EndVisitsForm
from app.web.access import signed_in, viewer
from app.web.form_fields import takes
from app.web.responses import redirect_to, respond
from app.web.sessions import visit
from services.access.audit import Action, record
from services.accounts import sessions as visits
from services.core.i18n import gettext as _

WARNED_SECONDS = 120  # before a session ends


@accounts.get("/innlogget")
@signed_in
def time_left() -> Any:
    """The remaining time of the session; asking does not prolong it. Two minutes before the end there is a warning."""
    left = visit().seconds_left
    if left > WARNED_SECONDS + 5:
        return _told(left)
    minutes = max(1, round(left / 60))
    answer = respond("accounts/visits.html", "accounts/visit_ends.html", **_own_visits(), minutes=minutes)
    answer.headers["HX-Trigger"] = _duration(left, warned=True)
    return answer


@accounts.post("/forleng")
@signed_in
@takes()
def prolong() -> Any:
    """«Forleng»: prolong the session."""
    visits.prolong(visit().own_key)
    answer = _told(visits.IDLE.seconds)
    answer.status_code = 200  # removes the warning
    return answer


def _told(seconds: int) -> Response:
    answer = make_response("", 204)
    answer.headers["HX-Trigger"] = _duration(seconds)
    return answer


def _duration(seconds: int, *, warned: bool = False) -> str:
    """The remaining time for the page's script; `warned`: the warning is shown."""
    return json.dumps({"varighet": {"target": "body", "seconds": seconds, "warned": warned}})


@accounts.get("/innlogginger")
@signed_in
def own_visits() -> Any:
    """«Mine innlogginger»: the user's sessions, which the user can end."""
    return respond("accounts/visits.html", **_own_visits())


def _own_visits() -> dict[str, Any]:
    return {"visits": visits.visits_of(viewer(), visit().own_key), "most": visits.MOST_SHOWN}


@accounts.post("/innlogginger/avslutt")
@signed_in
@takes(EndVisitsForm)
def end_visits() -> Any:
    """End one of the user's other sessions, or all of them."""
    ended = visits.end(viewer(), visit().own_key, EndVisitsForm().handle.data or None)
    if ended:
        record(Action.SIGN_OUT, viewer=viewer(), detail={"others": ended})
        flash(_("Innloggingen er avsluttet.") if ended == 1 else _("Innloggingene er avsluttet."), "success")
    return redirect_to(url_for("accounts.own_visits"))
