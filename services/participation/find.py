"""Finding one participation that the viewer may see. For the list, see `services.listing`."""

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
    """The viewer can see no participation with that id: it is unknown, elsewhere, deleted or protected."""


class NotAllowed(PermissionError):
    """The viewer may see the participation but not change it, or not in its present state."""


_P = Participation


# Built once, since building the statements takes longer than executing them.
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
    """Load the related rows of a participation. Few participations have all kinds, so one statement first checks which
    exist."""
    has_some = work.execute(_HAS_SOME, {"id": participation.id}).one()._mapping
    for name, rows in _ROWS.items():
        found = work.scalars(rows, {"id": participation.id}).all() if has_some[name] else []
        set_committed_value(participation, name, found)
    return participation


def find(viewer: Viewer, public_id: str) -> Participation:
    """Find a participation with all answers; raises `NoSuchParticipant`, and logs the refusal if it exists but the
    viewer may not see it."""
    return _with_rows(session(), _found(_ONE, viewer, public_id))


def find_alone(viewer: Viewer, public_id: str) -> Participation:
    """Find a participation without loading its person, tiltak, permisjon and drafts; otherwise as `find`."""
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
    """Log that the viewer opened a participation; the loaded objects stay usable."""
    work = session()
    key = participation.id
    work.expunge_all()
    record(Action.OPEN, viewer=viewer, participation=key)


def may_change(viewer: Viewer, participation: Participation) -> bool:
    """True for caseworkers of the municipality, unless the participation is discharged or deleted."""
    return (
        viewer.registers_in(participation.municipality_number)
        and participation.status != Status.DISCHARGED
        and participation.deleted_at is None
    )


def locked(work: Session, viewer: Viewer, public_id: str) -> Participation:
    """The participation, its row locked for changing; raises `NoSuchParticipant` as `find` does, or `NotAllowed`."""
    return locked_if(may_change, work, viewer, public_id)


def locked_if(
    may: Callable[[Viewer, Participation], bool], work: Session, viewer: Viewer, public_id: str
) -> Participation:
    """The participation, its row locked for what `may` allows; raises as `locked`."""
    found = _found(_LOCKED, viewer, public_id)
    if not may(viewer, found):
        raise NotAllowed(public_id)
    return _with_rows(work, found)


def heading(participation: Participation) -> str:
    """The heading of a participant's pages: the name, or after discharge the PersonId."""
    return participation.name or _("Deltaker %(id)s") % {"id": participation.person_id}


def funding_of(municipality_number: str) -> str:
    """The default financing model of a municipality's participants."""
    return session().get_one(Municipality, municipality_number).funding


def is_known(number: str) -> bool:
    """True if the register has a person with this national id, with or without a running participation."""
    return session().scalar(select(Person.id).where(Person.national_id == number)) is not None
