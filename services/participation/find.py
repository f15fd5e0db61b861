"""One participant as she is found and read; always through the eyes of a viewer. The list: `listing`."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session, contains_eager
from sqlalchemy.orm.attributes import set_committed_value

from services.access.audit import Action, record
from services.access.viewer import Viewer, visible_to
from services.core.db import session
from services.core.i18n import gettext as _
from services.core.status import Status
from services.tables.participants import Activity, DraftValue, Leave, Municipality, Participation, Person


class NoSuchParticipant(LookupError):
    """There is none with that id for this viewer: unknown, another's, deleted and protected alike."""


class NotAllowed(PermissionError):
    """The participant may be seen but not changed by this viewer, or in this state."""


_P = Participation


# Made once, since making them takes longer than running them.
_ALONE = select(_P).where(_P.public_id == bindparam("public_id"))
_ONE = _ALONE.join(_P.person).options(contains_eager(_P.person))
_LOCKED = _ONE.with_for_update(of=_P)
_ROWS: dict[str, Select[Any]] = {
    "activities": select(Activity).where(Activity.participation_ref == bindparam("id")).order_by(Activity.position),
    "leaves": select(Leave).where(Leave.participation_ref == bindparam("id")).order_by(Leave.position),
    "drafts": select(DraftValue).where(DraftValue.participation_ref == bindparam("id")),
}
_HAS_SOME = select(*(rows.exists().label(name) for name, rows in _ROWS.items()))


def _with_rows(work: Session, participation: Participation) -> Participation:
    """The participation with all that belongs to her pages. Few have all kinds of rows, so it is asked first which."""
    has_some = work.execute(_HAS_SOME, {"id": participation.id}).one()._mapping
    for name, rows in _ROWS.items():
        found = work.scalars(rows, {"id": participation.id}).all() if has_some[name] else []
        set_committed_value(participation, name, found)
    return participation


def find(viewer: Viewer, public_id: str) -> Participation:
    """The participation with that public id, and all answers; raises `NoSuchParticipant`, and logs the refusal if
    there is one that this viewer may not see."""
    return _with_rows(session(), _found(_ONE, viewer, public_id))


def find_alone(viewer: Viewer, public_id: str) -> Participation:
    """The same without her person, tiltak, permisjon and what is kept as typed."""
    return _found(_ALONE, viewer, public_id)


def _found(question: Select[Participation], viewer: Viewer, public_id: str) -> Participation:
    found = session().scalar(question.where(visible_to(viewer)), {"public_id": public_id})
    if found is None:
        raise _not_found(viewer, public_id)
    return found


def _not_found(viewer: Viewer, public_id: str) -> NoSuchParticipant:
    hidden = session().scalar(select(_P.id).where(_P.public_id == public_id))
    if hidden is not None:
        record(Action.REFUSED, viewer=viewer, participation=hidden)
    return NoSuchParticipant(public_id)


def opened(viewer: Viewer, participation: Participation) -> None:
    """Log that the viewer opened a participant; the participation is loaded already and stays so."""
    work = session()
    key = participation.id
    work.expunge_all()
    record(Action.OPEN, viewer=viewer, participation=key)


def may_change(viewer: Viewer, participation: Participation) -> bool:
    """True for caseworkers of her municipality while she is neither discharged nor deleted."""
    return (
        viewer.registers_in(participation.municipality_number)
        and participation.status != Status.DISCHARGED
        and participation.deleted_at is None
    )


def locked(work: Session, viewer: Viewer, public_id: str) -> Participation:
    """The participation for changing, its row locked; raises `NoSuchParticipant` as `find` does, or
    `NotAllowed`."""
    return locked_if(may_change, work, viewer, public_id)


def locked_if(
    may: Callable[[Viewer, Participation], bool], work: Session, viewer: Viewer, public_id: str
) -> Participation:
    """The same for what `may` allows in place of changing."""
    found = _found(_LOCKED, viewer, public_id)
    if not may(viewer, found):
        raise NotAllowed(public_id)
    return _with_rows(work, found)


def heading(participation: Participation) -> str:
    """What a participant is called in headings: her name, or after discharge her PersonId."""
    return participation.name or _("Deltaker %(id)s") % {"id": participation.person_id}


def funding_of(municipality_number: str) -> str:
    """The financing model that a municipality's participants have by default."""
    return session().get_one(Municipality, municipality_number).funding


def is_known(number: str) -> bool:
    """True if the register has a person with this number, running or not."""
    return session().scalar(select(Person.id).where(Person.national_id == number)) is not None
