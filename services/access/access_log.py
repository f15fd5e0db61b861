"""Reading the access log: who did what to whom, newest first.

For writing to it, see `services.access.audit`.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select, union

from services.access.viewer import Viewer, unless_protected
from services.core.clock import midnight
from services.core.db import db, session
from services.core.text import username
from services.tables.accounts import User
from services.tables.participants import AccessEntry, Participation, ShownIn

PAGE = 100  # lines
_BATCH = 1_000
_PERSON_ID_DIGITS = 8


@dataclass(frozen=True, kw_only=True)
class LogQuery:
    """The filters of a log search. `whom`: a user name, or the PersonId of a participant; `first` and `last`: the first
    and the last day, both included."""

    whom: str = ""
    action: str = ""
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class Line:
    """One line of the access log, as shown. `username`: '' if nobody was signed in. `person_id` and
    `municipality_number`: '' if the line is not about a participant. `detail`: ids and codes; `about` has the user
    name for its «user». `shown`: the PersonIds of the participants that a page showed, except those the viewer may
    not see."""

    id: int
    at: datetime
    username: str
    action: str
    person_id: str
    municipality_number: str
    detail: dict[str, Any]
    about: str
    shown: tuple[str, ...] = ()


_E, _P, _SHOWN = AccessEntry.__table__.c, Participation.__table__.c, ShownIn.__table__.c
_LINES = (
    select(_E.id, _E.at, _E.action, _E.detail, User.username, _P.person_id, _P.municipality_number)
    .select_from(AccessEntry.__table__)
    .outerjoin(User.__table__, User.id == _E.user_id)
    .outerjoin(Participation.__table__, _P.id == _E.participation_ref)
    .order_by(_E.id.desc())
)


def lines(viewer: Viewer, wanted: LogQuery, *, before: int | None = None, most: int = PAGE) -> list[Line]:
    """The newest lines, or the newest ones older than the line `before`.

    Lines about participants with a protected address are included only if the viewer may see these participants.
    """
    return _lines(session().connection(), viewer, wanted, before, most)


def _lines(connection: Connection, viewer: Viewer, wanted: LogQuery, before: int | None, most: int) -> list[Line]:
    conditions = [*_conditions(connection, viewer, wanted), _unprotected(viewer)]
    if before is not None:
        conditions.append(_E.id < before)
    rows = connection.execute(_LINES.where(*conditions).limit(most)).all()
    names = _usernames(
        connection, {row.detail["user"] for row in rows if row.detail and isinstance(row.detail.get("user"), int)}
    )
    shown = _shown(connection, viewer, rows)
    return [
        Line(
            id=row.id,
            at=row.at,
            username=row.username or "",
            action=row.action,
            person_id=row.person_id or "",
            municipality_number=row.municipality_number or "",
            detail=row.detail or {},
            about=names.get((row.detail or {}).get("user"), ""),
            shown=tuple(shown[one] for one in (row.detail or {}).get("shown", ()) if one in shown),
        )
        for row in rows
    ]


def all_lines(viewer: Viewer, wanted: LogQuery) -> Generator[list[Line], None, None]:
    """All lines that match, in batches, in a separate connection, since the request ends before the file is sent. Each
    batch has its own transaction, so that none stays open in between."""
    with db.engine.connect() as connection:
        before: int | None = None
        while batch := _lines(connection, viewer, wanted, before, _BATCH):
            connection.rollback()
            yield batch
            before = batch[-1].id


def _unprotected(viewer: Viewer) -> ColumnElement[bool]:
    """The condition that leaves out lines about participants whose protection hides them from the viewer."""
    return or_(_P.id.is_(None), unless_protected(viewer, _P.protected, _P.municipality_number))


def _shown(connection: Connection, viewer: Viewer, rows: Sequence[Any]) -> dict[int, str]:
    """PersonIds by id for all participants that these lines' pages showed, except those the viewer may not see."""
    ids = sorted({one for row in rows for one in (row.detail or {}).get("shown", ())})
    found: dict[int, str] = {}
    for place in range(0, len(ids), _BATCH):
        here = select(_P.id, _P.person_id).where(_P.id.in_(ids[place : place + _BATCH]), _unprotected(viewer))
        found |= {row.id: row.person_id for row in connection.execute(here)}
    return found


def _conditions(connection: Connection, viewer: Viewer, wanted: LogQuery) -> Iterator[ColumnElement[bool]]:
    if wanted.whom:
        yield _about(connection, viewer, wanted.whom)
    if wanted.action:
        yield _E.action == wanted.action
    if wanted.first:
        yield _E.at >= midnight(wanted.first)
    if wanted.last:
        yield _E.at < midnight(wanted.last + timedelta(days=1))


def _about(connection: Connection, viewer: Viewer, whom: str) -> ColumnElement[bool]:
    """The condition for lines about a participant (including pages that showed the participant among others), or for
    lines of a user."""
    person_id = whom.replace(" ", "")
    if re.fullmatch(rf"[0-9]{{{_PERSON_ID_DIGITS}}}", person_id):
        ids = _ids(connection, select(_P.id).where(_P.person_id == person_id, _unprotected(viewer)))
        about = select(_E.id).where(_E.participation_ref.in_(ids))
        return _E.id.in_(union(about, select(_SHOWN.line).where(_SHOWN.participation_ref.in_(ids))))
    return _E.user_id.in_(_ids(connection, select(User.id).where(User.username == username(whom))))


def _ids(connection: Connection, question: Any) -> Sequence[int]:
    """Fetch ids in a statement of their own, so that the outer statement can use the log's index."""
    return [row[0] for row in connection.execute(question)]


def _usernames(connection: Connection, ids: set[int]) -> dict[int | None, str]:
    """User names by user id; «nr. » and the id for users who have not chosen a user name yet."""
    if not ids:
        return {}
    found = connection.execute(select(User.id, User.username).where(User.id.in_(ids)))
    return {row.id: row.username or f"nr. {row.id}" for row in found}
