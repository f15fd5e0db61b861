"""Corrections: deleting with a reason, and IMDi's restoring and reopening (domain, sections 3, 9)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import IntegrityError

from services.access.audit import Action, note
from services.access.viewer import Right, Viewer, visible_to
from services.core.db import now, session, writing
from services.core.i18n import N_
from services.core.name_folding import name_words
from services.core.status import Status
from services.participation.answers import count_missing
from services.participation.find import NoSuchParticipant, heading, locked, locked_if
from services.participation.history import note_changes
from services.participation.person_data import name_key
from services.questions.fields import label_options
from services.tables.participants import Notice, Participation

DELETION_REASONS = label_options(
    ("mistake", N_("Registrert ved en feil")),
    ("not_joining", N_("Skal ikke være med likevel")),
    ("duplicate", N_("Dobbeltregistrert")),
    ("other", N_("Annet")),
)
LONGEST_REASON = 200
PAGE = 100  # notices
_ABOUT = Notice.participation_ref == Participation.id


class RunsElsewhere(Exception):
    """The person is in a programme again, so there cannot be another running participation."""


def delete(viewer: Viewer, public_id: str, *, reason: str, text: str = "") -> None:
    """Delete a participation: the municipality no longer sees it, and IMDi sees it as deleted (guide 3.9).

    `reason`: a code of `DELETION_REASONS`; `text`: details. Deleting again does nothing. Raises `NoSuchParticipant`,
    `NotAllowed`.
    """
    try:
        with writing() as work:
            participation = locked(work, viewer, public_id)
            participation.deleted_at = now()
            participation.deleted_by = viewer.username
            participation.deleted_reason, participation.deleted_reason_text = reason, text or None
            participation.version += 1
            note_changes(participation, viewer.username, [("deleted", None, {"reason": reason, "text": text})])
            note(Action.DELETE, user_id=viewer.user_id, participation=participation.id, detail={"reason": reason})
    except NoSuchParticipant:
        own = (Participation.public_id == public_id, Participation.deleted_by == viewer.username)
        if session().scalar(select(Participation.id).where(*own)) is None:
            raise


def may_restore(viewer: Viewer, participation: Participation) -> bool:
    """True if the viewer is an IMDi-administrator and the participation is deleted."""
    return viewer.can(Right.MEND) and participation.deleted_at is not None


def may_reopen(viewer: Viewer, participation: Participation) -> bool:
    """True if the viewer is an IMDi-administrator and the participation is discharged and not deleted."""
    is_discharged = participation.status == Status.DISCHARGED and participation.deleted_at is None
    return viewer.can(Right.MEND) and is_discharged


def restore(viewer: Viewer, public_id: str, *, reason: str) -> None:
    """Undo a deletion and notify the municipality. Raises `NoSuchParticipant`, `NotAllowed`, `RunsElsewhere`."""

    def undelete(participation: Participation) -> None:
        participation.deleted_at = participation.deleted_by = None
        participation.deleted_reason = participation.deleted_reason_text = None

    _mend(viewer, public_id, may_restore, undelete, "restored", Action.RESTORE, reason)


def reopen(viewer: Viewer, public_id: str, *, reason: str) -> None:
    """Undo a discharge and notify the municipality: the name is shown again, and changes are allowed. Raises
    `NoSuchParticipant`, `NotAllowed`, `RunsElsewhere`."""

    def undischarge(participation: Participation) -> None:
        name = participation.person.name
        participation.status = Status.ENDED if participation.end_date else Status.CHANGED
        participation.national_id = participation.person.national_id  # may be a new one
        participation.name, participation.name_key, participation.name_words = name, name_key(name), name_words(name)
        participation.discharged_at = participation.discharged_by = None

    _mend(viewer, public_id, may_reopen, undischarge, "reopened", Action.REOPEN, reason)


def _mend(
    viewer: Viewer,
    public_id: str,
    may: Callable[[Viewer, Participation], bool],
    undo: Callable[[Participation], None],
    what: str,
    action: Action,
    reason: str,
) -> None:
    try:
        with writing() as work:
            participation = locked_if(may, work, viewer, public_id)
            undo(participation)
            count_missing(participation)  # the required fields may have changed since
            participation.version += 1
            note_changes(participation, viewer.username, [(what, None, {"text": reason})])
            note(action, user_id=viewer.user_id, participation=participation.id)
            work.add(
                Notice(
                    municipality_number=participation.municipality_number,
                    participation_ref=participation.id,
                    kind=what,
                    reason=reason,
                    username=viewer.username,
                    at=now(),
                )
            )
    except IntegrityError as error:
        raise RunsElsewhere from error


@dataclass(frozen=True)
class Told:
    """A notice to a municipality: IMDi's correction of a participation, its reason, and who has read the notice."""

    id: int
    participation: int
    public_id: str
    heading: str
    kind: str
    reason: str
    username: str
    at: datetime
    read_at: datetime | None
    read_by: str | None


@dataclass(frozen=True)
class Notices:
    """A page of notices, its number, and the number of pages."""

    told: list[Told]
    page: int
    pages: int


def notices(viewer: Viewer, page: int = 1) -> Notices:
    """A page of the notices to the viewer's municipalities, unread ones first, then the newest. A page beyond the last
    one is the last one."""
    visible = select(func.count()).select_from(Notice).join(Participation, _ABOUT).where(visible_to(viewer))
    pages = max(1, -(-(session().scalar(visible) or 0) // PAGE))
    page = min(page, pages)
    return Notices(_notices(viewer, page=page), page, pages)


def unread_notices(viewer: Viewer, participation: Participation) -> list[Told]:
    """The unread notices about a participation, the newest first; none for viewers who cannot register there."""
    if not viewer.registers_in(participation.municipality_number):
        return []
    return _notices(viewer, Notice.participation_ref == participation.id, Notice.read_at.is_(None))


def _notices(viewer: Viewer, *wanted: ColumnElement[bool], page: int = 1) -> list[Told]:
    rows = session().execute(
        select(Notice, Participation)
        .join(Participation, _ABOUT)
        .where(visible_to(viewer), *wanted)
        .order_by(Notice.read_at.is_not(None), Notice.at.desc(), Notice.id.desc())
        .offset((page - 1) * PAGE)
        .limit(PAGE)
    )
    return [
        Told(
            notice.id,
            participation.id,
            participation.public_id,
            heading(participation),
            notice.kind,
            notice.reason,
            notice.username,
            notice.at,
            notice.read_at,
            notice.read_by,
        )
        for notice, participation in rows
    ]


def mark_read(viewer: Viewer, notice_id: int) -> str:
    """Mark a notice as read; the first reader is kept. Returns the public id of the participation. Raises
    `NoSuchParticipant` if the viewer may not see the notice."""
    found = _notices(viewer, Notice.id == notice_id)
    if not found:
        raise NoSuchParticipant(str(notice_id))
    with writing() as work:
        unread = (Notice.id == notice_id, Notice.read_at.is_(None))
        work.execute(update(Notice).where(*unread).values(read_at=now(), read_by=viewer.username))
    return found[0].public_id
