"""Participants as they are found, listed, read and deleted; always through the eyes of a viewer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from services.audit import Action, note, record
from services.db import now, session, writing
from services.i18n import N_
from services.i18n import gettext as _
from services.models import Change, Participation, Status
from services.viewer import Viewer, visible_to


class NoSuchParticipant(LookupError):  # noqa: N818 - says what is the case
    """There is none with that id for this viewer: unknown, another's, deleted and protected alike."""


class NotAllowed(PermissionError):  # noqa: N818 - says what is the case
    """The participant may be seen but not changed by this viewer, or in this state."""


STATUS_LABELS = {
    Status.CREATED: N_("Opprettet"),
    Status.CHANGED: N_("Endret"),
    Status.ENDED: N_("Avsluttet"),
    Status.DISCHARGED: N_("Utskrevet"),
}


class Column(StrEnum):
    """The columns of the participant list, in their order (guide 3.1)."""

    NATIONAL_ID = "national_id"
    NAME = "name"
    MUNICIPALITY = "municipality"
    DISTRICT = "district"
    START = "start"
    END = "end"
    STATUS = "status"
    CHANGED = "changed"
    CHANGED_BY = "changed_by"


_P = Participation
_SORTED_BY: dict[Column, InstrumentedAttribute[Any]] = {
    Column.NATIONAL_ID: _P.national_id,
    Column.NAME: _P.name_key,
    Column.MUNICIPALITY: _P.municipality_key,
    Column.DISTRICT: _P.district_key,
    Column.START: _P.start_date,
    Column.END: _P.end_date,
    Column.STATUS: _P.status,
    Column.CHANGED: _P.changed_at,
    Column.CHANGED_BY: _P.changed_by,
}
_MAY_BE_EMPTY = {Column.NAME, Column.DISTRICT, Column.END}


@dataclass(frozen=True)
class Order:
    """How the list is sorted. Without a column: last changed first (guide 3.2)."""

    column: Column | None = None
    descending: bool = False

    def clauses(self) -> list[ColumnElement[Any]]:
        """For ORDER BY: empty values last both ways, ties by id in the same direction."""
        if self.column is None:
            return [_P.changed_at.desc(), _P.id.desc()]
        by = _SORTED_BY[self.column]
        ties = (by.desc(), _P.id.desc()) if self.descending else (by.asc(), _P.id.asc())
        return [by.is_(None), *ties] if self.column in _MAY_BE_EMPTY else list(ties)


@dataclass(frozen=True)
class Listed:
    """A page of the list: its rows, and how many participants there are in all."""

    rows: list[Row[Any]]
    total: int
    page: int
    pages: int
    first: int

    @property
    def last(self) -> int:
        """The number of the last row on the page."""
        return self.first + len(self.rows) - 1


def columns_for(viewer: Viewer) -> list[Column]:
    """The columns that the viewer sees: Bydel only for those tied to Oslo, and for IMDi."""
    return [column for column in Column if column is not Column.DISTRICT or viewer.sees_districts]


def listed(viewer: Viewer) -> ColumnElement[bool]:
    """What stands in the overview: all that is visible and not discharged (guide 3.1)."""
    return visible_to(viewer) & (_P.status != Status.DISCHARGED)


def rows_query(viewer: Viewer, order: Order) -> Select[*tuple[Any, ...]]:
    """The narrow columns that the list shows, in order."""
    return (
        select(
            _P.id,
            _P.public_id,
            _P.national_id,
            _P.name,
            _P.municipality_number,
            _P.district_number,
            _P.start_date,
            _P.end_date,
            _P.status,
            _P.changed_at,
            _P.changed_by,
            _P.background_missing,
            _P.programme_missing,
            _P.deleted_at,
            _P.deleted_by,
        )
        .where(listed(viewer))
        .order_by(*order.clauses())
    )


def page_of(viewer: Viewer, order: Order, *, page: int, size: int) -> Listed:
    """One page of the list (from 1); a page beyond the last answers as the last."""
    total = session().scalar(select(func.count()).select_from(_P).where(listed(viewer))) or 0
    pages = max(1, -(-total // size))
    page = min(page, pages)
    offset = (page - 1) * size
    rows = list(session().execute(rows_query(viewer, order).limit(size).offset(offset)))
    return Listed(rows=rows, total=total, page=page, pages=pages, first=offset + 1 if rows else 0)


def query_one(viewer: Viewer, public_id: str) -> Select[Participation]:
    """The one participation with that public id, if it exists for the viewer, with all that it holds."""
    return (
        select(_P)
        .where(_P.public_id == public_id, visible_to(viewer))
        .options(
            selectinload(_P.person),
            selectinload(_P.municipality),
            selectinload(_P.district),
            selectinload(_P.activities),
            selectinload(_P.leaves),
        )
    )


def find(viewer: Viewer, public_id: str) -> Participation:
    """The participation with that public id; raises `NoSuchParticipant`, and logs the refusal if
    there is one that this viewer may not see."""
    found = session().scalar(query_one(viewer, public_id))
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
    found = work.scalar(query_one(viewer, public_id).with_for_update(of=_P))
    if found is None:
        raise _not_found(viewer, public_id)
    if not may_change(viewer, found):
        raise NotAllowed(public_id)
    return found


def heading(participation: Participation) -> str:
    """What a participant is called in headings: her name, or after discharge her PersonId."""
    return participation.name or _("Deltaker %(id)s") % {"id": participation.person_id}


def delete(viewer: Viewer, public_id: str) -> None:
    """Delete a participation: it is gone for the municipality, and marked for IMDi (guide 3.9)."""
    with writing() as work:
        participation = locked(work, viewer, public_id)
        participation.deleted_at = now()
        participation.deleted_by = viewer.username
        participation.version += 1
        work.add(change_row(participation, viewer.username, "deleted", None, True))
        note(Action.DELETE, user_id=viewer.user_id, participation=participation.id)


def change_row(participation: Participation, username: str, field: str, old: Any, new: Any) -> Change:
    """A history row for a change that makes the participation's present version."""
    return Change(
        participation_ref=participation.id,
        municipality_number=participation.municipality_number,
        version=participation.version,
        at=now(),
        username=username,
        field=field,
        old=old,
        new=new,
    )


@dataclass(frozen=True)
class Changed:
    """One line of the history, as it is shown."""

    at: datetime
    username: str
    field: str
    old: Any
    new: Any


def history(participation: Participation) -> list[Changed]:
    """All changes of a participation, newest first."""
    rows = session().scalars(
        select(Change)
        .where(Change.participation_ref == participation.id)
        .order_by(Change.version.desc(), Change.id.desc())
    )
    return [Changed(row.at, row.username, row.field, row.old, row.new) for row in rows]
