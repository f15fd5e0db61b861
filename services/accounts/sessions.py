"""A user's own sessions: list, prolong, end."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from services.access.viewer import Viewer
from services.accounts.sign_in import ABSOLUTE, IDLE, digest, end_sessions
from services.core.db import now, session, writing
from services.tables.accounts import UserSession

__all__ = ["IDLE", "MOST_SHOWN", "OwnVisit", "end", "prolong", "visits_of"]

MOST_SHOWN = 100


@dataclass(frozen=True)
class OwnVisit:
    """One of a user's sessions. `handle` identifies it without giving access; `is_this`: it is the current one."""

    handle: str
    began_at: datetime
    seen_at: datetime
    is_this: bool


def visits_of(viewer: Viewer, key: str) -> list[OwnVisit]:
    """The user's running sessions, the last seen first, as many as a page shows; `key`: of the current session."""
    running = (UserSession.seen_at > now() - IDLE, UserSession.created_at > now() - ABSOLUTE)
    mine = select(UserSession).where(UserSession.user_id == viewer.user_id, *running)
    rows = session().scalars(mine.order_by(UserSession.seen_at.desc()).limit(MOST_SHOWN))
    return [OwnVisit(_handle(row), row.created_at, row.seen_at, row.key_hash == digest(key)) for row in rows]


def prolong(key: str) -> None:
    """Record that the session is active now."""
    with writing() as work:
        work.execute(update(UserSession).where(UserSession.key_hash == digest(key)).values(seen_at=now()))


def end(viewer: Viewer, key: str, handle: str | None) -> int:
    """End the user's other session with that handle, or all others for `None`; returns how many have ended."""
    with writing() as work:
        if handle is None:
            return end_sessions(work, viewer.user_id, but=key)
        mine = select(UserSession).where(UserSession.user_id == viewer.user_id, UserSession.key_hash != digest(key))
        chosen = [row for row in work.scalars(mine) if _handle(row) == handle]
        for row in chosen:
            work.delete(row)
        return len(chosen)


def _handle(row: UserSession) -> str:
    return hashlib.sha256(f"visit {row.key_hash}".encode()).hexdigest()[:16]
