"""The destinations of a form's buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.registration.responses import page_address
from app.web.access import viewer
from app.web.way_back import list_address
from services.participation.find import find
from services.participation.page import page_of
from services.questions.pages import PROGRAMME, STEPS, TERMINATION, Step, step_named

if TYPE_CHECKING:
    from services.tables.participants import Participation


def leads_forwards(step: Step, going: str) -> bool:
    """True for «Neste», «Fullfør» and the buttons of later pages, except Avslutning, which is always open (people leave
    early)."""
    if going == "next":
        return step is not TERMINATION
    if going in {"overview", "fetch", TERMINATION.name}:
        return False
    return STEPS.index(step_named(going)) > STEPS.index(step)


def next_address(public_id: str, step: Step, going: str, saved: Participation | None = None) -> str:
    """The address a button leads to. Forwards it stops at the first incomplete page; a page just `saved` on the way
    forwards counts as complete."""
    if going == "overview" or (going == "next" and step is PROGRAMME):
        return list_address(public_id)
    if going in {"fetch", step.name} or (going == "next" and step is TERMINATION):
        return page_address(public_id, step)
    wanted = STEPS[STEPS.index(step) + 1] if going == "next" else step_named(going)
    if wanted is not TERMINATION:
        participation = saved or find(viewer(), public_id)
        first = STEPS.index(step) + (1 if saved else 0)
        for between in STEPS[first : STEPS.index(wanted)]:
            if not page_of(participation, between).is_complete:
                return page_address(public_id, between)
    return page_address(public_id, wanted)
