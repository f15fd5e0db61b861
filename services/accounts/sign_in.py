"""Signing in: passwords, second factor, sessions, and the viewer of a session."""

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from services.access.audit import Action, may_note_anonymous, note
from services.access.viewer import Place, Role, Viewer
from services.accounts import passwords, second_factor, throttle
from services.accounts.throttle import Pace
from services.core import text
from services.core.db import now, read, session, writing
from services.core.encryption import Vault
from services.mail.outbox import Outbox
from services.mail.smtp import Letter
from services.tables.accounts import RoleGrant, User, UserSession
from services.tables.participants import Municipality

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
ANONYMOUS = timedelta(hours=1)  # before sign-in, a session holds only the CSRF secret
_SEEN_STEP = timedelta(minutes=1)  # how often a session's `seen_at` is written


@dataclass(frozen=True, kw_only=True)
class AttemptOrigin:
    """Where a sign-in attempt comes from: an IP address, and the device's ids by the users who have signed in on it
    before. `warning`: the letter to a user after many wrong attempts."""

    address: str
    devices: Mapping[int, str]
    outbox: Outbox
    warning: Callable[[User], Letter]

    def counts(self, pace: Pace, user_id: int | None, about: str) -> tuple[tuple[Pace, str], ...]:
        """The counters that limit an attempt for that user."""
        if user_id is not None and user_id in self.devices:
            return ((pace, f"{user_id} on {self.devices[user_id]}"),)
        return (pace, about), (throttle.NETWORK, throttle.network_of(self.address))


def check_password(vault: Vault, username: str, password: str, *, place: AttemptOrigin) -> int | None:
    """The id of the user if name and password match and the user is not blocked. A failure is logged; after many, the
    user is informed by e-mail. Raises `TooFast` if the attempt comes too soon after failures."""
    typed = text.username(username)
    known = select(User.id, User.password_hash, User.blocked_at).where(User.username == typed)
    user = session().execute(known).one_or_none() if re.fullmatch(r"[\w.@+-]{1,60}", typed) else None
    counts = place.counts(throttle.PASSWORD, user.id if user else None, typed[:200])
    counted = throttle.count(vault, *counts)
    session().rollback()  # no transaction stays open during the slow verification
    is_known = user is not None and not user.blocked_at
    fits = passwords.is_right(user.password_hash if user and is_known else None, password)
    with writing() as work:
        if fits:
            counted.forgive(work)
        else:
            why = {"why": "blocked"} if user and user.blocked_at else None
            note(Action.SIGN_IN_FAILED, user_id=user.id if user else None, detail=why)
            if user and is_known and counted.number == throttle.PASSWORD.free:
                _warn(work, user.id, place)
    return user.id if user and fits else None


def _warn(work: Session, user_id: int, place: AttemptOrigin) -> None:
    user = work.get_one(User, user_id)
    place.outbox.put(work, user_id=user_id, recipient=user.email, letter=place.warning(user))


def check_factor(vault: Vault, user_id: int, code: str, *, place: AttemptOrigin) -> bool:
    """True if the code is valid (see `second_factor.is_right`). Raises `TooFast` as `check_password`."""
    counted = throttle.count(vault, *place.counts(throttle.FACTOR, user_id, str(user_id)))
    is_right = second_factor.is_right(vault, user_id, code)
    with writing() as work:
        if is_right:
            counted.forgive(work)
        else:
            note(Action.SIGN_IN_FAILED, user_id=user_id, detail={"step": "factor"})
            if counted.number == throttle.FACTOR.free:
                _warn(work, user_id, place)
    return is_right


def note_refused_sign_in(user_id: int | None, detail: dict[str, Any]) -> None:
    """Log a refused sign-in and its reason, with the user if known."""
    with writing() as work:
        if user_id is not None and viewer_of(user_id) is None:
            detail = {**detail, "why": "blocked"}
        if user_id is not None or may_note_anonymous(work):
            note(Action.SIGN_IN_FAILED, user_id=user_id, detail=detail)


def note_sign_in(user_id: int, detail: dict[str, Any] | None = None) -> None:
    """Log a sign-in and record its time. `detail`: the method, if not by password."""
    with writing() as work:
        work.execute(update(User).where(User.id == user_id).values(signed_in_at=now()))
        note(Action.SIGN_IN, user_id=user_id, detail=detail)


def password_mark(vault: Vault, user_id: int) -> str:
    """A digest that changes with the password: a session that waits for the second factor stores it."""
    return vault.digest("password", session().scalar(select(User.password_hash).where(User.id == user_id)))


_GRANTED = User.__table__.outerjoin(RoleGrant.__table__, RoleGrant.user_id == User.id).outerjoin(
    Municipality.__table__, Municipality.number == RoleGrant.municipality_number
)
_VIEWER_COLUMNS = (
    User.__table__.c.id,
    User.__table__.c.username,
    User.__table__.c.name,
    User.__table__.c.blocked_at,
    RoleGrant.__table__.c.role,
    RoleGrant.__table__.c.sees_protected,
    Municipality.__table__.c.number.label("place_number"),
    Municipality.__table__.c.name.label("place_name"),
)
_VIEWER = select(*_VIEWER_COLUMNS).select_from(_GRANTED).order_by(Municipality.__table__.c.name_key)


def viewer_of(user_id: int) -> Viewer | None:
    """The user as a viewer; `None` if the user does not exist or is blocked."""
    return _viewer(session().execute(_VIEWER.where(User.__table__.c.id == user_id)).all())


def _viewer(grants: Sequence[Any]) -> Viewer | None:
    """The viewer from these rows, one for each grant, with municipalities in alphabetical order."""
    if not grants or grants[0].id is None or grants[0].blocked_at:
        return None

    def places(role: Role) -> tuple[Place, ...]:
        return tuple(Place(row.place_number, row.place_name) for row in grants if row.role == role)

    user = grants[0]
    return Viewer(
        user_id=user.id,
        username=user.username,
        name=user.name,
        roles=frozenset(Role(row.role) for row in grants if row.role),
        places=places(Role.CASEWORKER),
        administers=places(Role.MUNICIPAL_ADMIN),
        protected_in=frozenset(
            row.place_number for row in grants if row.sees_protected and row.role == Role.CASEWORKER
        ),
        sees_all_protected=any(row.sees_protected and row.place_number is None for row in grants),
    )


def digest(key: str) -> str:
    """The stored digest of a session's key."""
    return hashlib.sha256(key.encode()).hexdigest()


def new_session_key() -> str:
    """A random key for the session cookie."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Visit:
    """A running session: its data, its viewer (`None` before sign-in, or if the user is blocked), the last recorded
    activity, and when the session ends without further activity."""

    data: dict[str, Any]
    viewer: Viewer | None
    seen_at: datetime
    until: datetime


_SESSION = UserSession.__table__.c
_VISIT = (
    select(_SESSION.user_id, _SESSION.data, _SESSION.created_at, _SESSION.seen_at, *_VIEWER_COLUMNS)
    .select_from(UserSession.__table__.outerjoin(_GRANTED, _SESSION.user_id == User.id))
    .where(_SESSION.key_hash == bindparam("key_hash"))
    .order_by(Municipality.__table__.c.name_key)
)


def read_visit(key: str) -> Visit | None:
    """Read the running session with that key in one statement; `None` if it is unknown or has ended."""
    rows = read(_VISIT, {"key_hash": digest(key)}).all()
    if not rows or now() > (until := _until(rows[0].user_id, rows[0].created_at, rows[0].seen_at)):
        return None
    return Visit(dict(rows[0].data), _viewer(rows), rows[0].seen_at, until)


def _until(user_id: int | None, created_at: datetime, seen_at: datetime) -> datetime:
    return min(created_at + (ABSOLUTE if user_id else ANONYMOUS), seen_at + IDLE)


def write_session(
    key: str, data: dict[str, Any], user_id: int | None, *, is_new: bool, provider_mark: str | None = None
) -> None:
    """Store the data of a session, new or running. A session that has ended meanwhile is not restarted."""
    with writing() as work:
        visit = work.get(UserSession, digest(key))
        if visit is None and is_new:
            visit = UserSession(key_hash=digest(key), created_at=now())
            work.add(visit)
        if visit is not None:
            visit.data, visit.user_id, visit.seen_at, visit.provider_mark = data, user_id, now(), provider_mark


def touch_session(key: str, seen_at: datetime) -> None:
    """Record that the session is active, at most once a minute; `seen_at`: the last recorded activity."""
    if seen_at < now() - _SEEN_STEP:
        with writing() as work:
            work.execute(update(UserSession).where(UserSession.key_hash == digest(key)).values(seen_at=now()))


def end_session(key: str) -> None:
    """End a session, and delete expired ones."""
    with writing() as work:
        work.execute(
            delete(UserSession).where(
                (UserSession.key_hash == digest(key))
                | (UserSession.seen_at < now() - IDLE)
                | (UserSession.created_at < now() - ABSOLUTE)
            )
        )


def end_marked(provider_mark: str) -> list[int]:
    """End the sessions that began with this session at an identity provider; returns the ids of their users."""
    with writing() as work:
        marked = delete(UserSession).where(UserSession.provider_mark == provider_mark)
        users = [user for user in work.scalars(marked.returning(UserSession.user_id)) if user is not None]
        for user in users:
            note(Action.SIGN_OUT, user_id=user, detail={"by": "provider"})
    return users


def end_sessions(work: Session, user_id: int, *, but: str | None = None) -> int:
    """End the user's sessions, except the one with the key `but`, within the caller's transaction; returns how many."""
    others = UserSession.user_id == user_id
    if but is not None:
        others &= UserSession.key_hash != digest(but)
    return len(work.execute(delete(UserSession).where(others).returning(UserSession.key_hash)).all())
