"""Users: passwords, the sessions of their visits, and the viewer that the register asks for."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import selectinload

from services.audit import Action, note
from services.db import now, read, session, writing
from services.models import Municipality, RoleGrant, User, UserSession
from services.norwegian_order import sort_key
from services.viewer import Place, Role, Viewer

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
ANONYMOUS = timedelta(hours=1)  # before sign-in a session holds only what protects the form
_SEEN_STEP = timedelta(minutes=1)  # how often a visit's «last seen» is written

_hasher = PasswordHasher()
# Verified for unknown users too, so that the time tells nothing.
_DECOY = _hasher.hash(secrets.token_hex(16))


def hash_password(password: str) -> str:
    """The Argon2id hash to store."""
    return _hasher.hash(password)


def authenticate(username: str, password: str) -> int | None:
    """The user's id if name and password fit and she is not blocked; the attempt is logged."""
    typed = username.strip().lower()
    known = select(User).where(User.username == typed)
    user = session().scalar(known) if re.fullmatch(r"[\w.@+-]{1,60}", typed) else None
    user_id, stored = (user.id, user.password_hash) if user and not user.blocked_at else (None, None)
    session().rollback()  # no transaction is open while the password is worked on
    try:
        _hasher.verify(stored or _DECOY, password)
        signed_in = user_id if stored else None
    except (VerificationError, InvalidHashError):
        signed_in = None
    with writing() as work:
        if signed_in:
            work.execute(update(User).where(User.id == signed_in).values(signed_in_at=now()))
        note(Action.SIGN_IN if signed_in else Action.SIGN_IN_FAILED, user_id=user_id)
    return signed_in


_GRANTED = User.__table__.outerjoin(RoleGrant.__table__, RoleGrant.user_id == User.id).outerjoin(
    Municipality.__table__, Municipality.number == RoleGrant.municipality_number
)
_VIEWER_COLUMNS = (
    User.__table__.c.id,
    User.__table__.c.username,
    User.__table__.c.name,
    User.__table__.c.sees_protected,
    User.__table__.c.blocked_at,
    RoleGrant.__table__.c.role,
    Municipality.__table__.c.number.label("place_number"),
    Municipality.__table__.c.name.label("place_name"),
)
_VIEWER = select(*_VIEWER_COLUMNS).select_from(_GRANTED).order_by(Municipality.__table__.c.name_key)


def viewer_of(user_id: int) -> Viewer | None:
    """The user as a viewer, or `None` if there is none or she is blocked."""
    return _viewer(session().execute(_VIEWER.where(User.__table__.c.id == user_id)).all())


def _viewer(grants: Sequence[Any]) -> Viewer | None:
    """The viewer that these rows make, one for each grant of a user, her municipalities in alphabetical order."""
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
        sees_protected=user.sees_protected,
    )


def users_for(viewer: Viewer) -> list[User]:
    """The users that the viewer administers: her municipalities', or all for IMDi. By name."""
    found = select(User).options(selectinload(User.grants).joinedload(RoleGrant.municipality))
    if not viewer.is_national:
        own = [place.number for place in viewer.administers]
        found = found.where(User.grants.any(RoleGrant.municipality_number.in_(own)))
    return sorted(session().scalars(found), key=lambda user: sort_key(user.name))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def new_session_key() -> str:
    """A key that nobody can guess, for the browser's cookie."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Visit:
    """A running visit: its data, its user as a viewer (`None` before sign-in, or if she is blocked), and when it
    was noted last that it is alive."""

    data: dict[str, Any]
    viewer: Viewer | None
    seen_at: datetime


_SESSION = UserSession.__table__.c
_VISIT = (
    select(_SESSION.user_id, _SESSION.data, _SESSION.created_at, _SESSION.seen_at, *_VIEWER_COLUMNS)
    .select_from(UserSession.__table__.outerjoin(_GRANTED, _SESSION.user_id == User.id))
    .where(_SESSION.key_hash == bindparam("key_hash"))
    .order_by(Municipality.__table__.c.name_key)
)


def read_visit(key: str) -> Visit | None:
    """The running visit with that key, all in one question; `None` if it is unknown or has ended."""
    rows = read(_VISIT, {"key_hash": _digest(key)}).all()
    if not rows or _has_ended(rows[0].user_id, rows[0].created_at, rows[0].seen_at):
        return None
    return Visit(dict(rows[0].data), _viewer(rows), rows[0].seen_at)


def _has_ended(user_id: int | None, created_at: datetime, seen_at: datetime) -> bool:
    limit = ABSOLUTE if user_id else ANONYMOUS
    return now() > min(created_at + limit, seen_at + IDLE)


def write_session(key: str, data: dict[str, Any], user_id: int | None) -> None:
    """Store the data of a visit, new or running."""
    with writing() as work:
        visit = work.get(UserSession, _digest(key))
        if visit is None:
            work.add(UserSession(key_hash=_digest(key), user_id=user_id, data=data, created_at=now(), seen_at=now()))
        else:
            visit.data, visit.user_id, visit.seen_at = data, user_id, now()


def touch_session(key: str, seen_at: datetime) -> None:
    """Note that the visit is alive, at most once a minute; `seen_at`: when it was noted last."""
    if seen_at < now() - _SEEN_STEP:
        with writing() as work:
            work.execute(update(UserSession).where(UserSession.key_hash == _digest(key)).values(seen_at=now()))


def end_session(key: str) -> None:
    """End a visit, and clear away those that ended by themselves."""
    with writing() as work:
        work.execute(
            delete(UserSession).where(
                (UserSession.key_hash == _digest(key))
                | (UserSession.seen_at < now() - IDLE)
                | (UserSession.created_at < now() - ABSOLUTE)
            )
        )
