"""Links that work once, for 72 hours. Only the SHA-256 of their token is stored."""

import hashlib
import secrets
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from services.core.db import now, session
from services.tables.accounts import AccountLink, User

LIFE = timedelta(hours=72)


class LinkPurpose(StrEnum):
    """The purposes of a link."""

    INVITE = "invite"  # choose a user name and a password
    RESET = "reset"  # choose a new password


class DeadLink(LookupError):
    """The link is used, replaced, tampered with or expired, or its user is blocked."""


def new_link(work: Session, user: User, purpose: LinkPurpose, *, by: int | None) -> str:
    """Create a link and invalidate the user's older ones, within the caller's transaction; returns its token."""
    kill_links(work, user.id)
    token, moment = secrets.token_urlsafe(32), now()
    work.add(
        AccountLink(
            token_hash=_digest(token),
            user_id=user.id,
            purpose=purpose.value,
            created_by=by,
            created_at=moment,
            expires_at=moment + LIFE,
        )
    )
    return token


def kill_links(work: Session, user_id: int) -> None:
    """Invalidate all links of the user."""
    alive = (AccountLink.user_id == user_id) & AccountLink.used_at.is_(None) & AccountLink.replaced_at.is_(None)
    work.execute(update(AccountLink).where(alive).values(replaced_at=now()))


def user_of(token: str, purpose: LinkPurpose) -> User:
    """The user of a link that still works, without using it up. Raises `DeadLink`."""
    return _living(session(), token, purpose).user


def use_link(work: Session, token: str, purpose: LinkPurpose) -> User:
    """Use up a link within the caller's transaction; returns its user. Raises `DeadLink`, also for the slower of two
    parallel requests."""
    link = _living(work, token, purpose)
    link.used_at = now()
    kill_links(work, link.user_id)
    return link.user


def last_known(token: str) -> AccountLink | None:
    """The link with that token and its user, whether or not it still works; `None` if there never was one."""
    found = select(AccountLink).where(AccountLink.token_hash == _digest(token))
    return session().scalar(found.options(joinedload(AccountLink.user)))


def _living(work: Session, token: str, purpose: LinkPurpose) -> AccountLink:
    found = select(AccountLink).where(AccountLink.token_hash == _digest(token), AccountLink.purpose == purpose.value)
    locked = found.options(joinedload(AccountLink.user, innerjoin=True)).with_for_update()
    link = work.scalar(locked.execution_options(populate_existing=True))
    if link is None or link.used_at or link.replaced_at or link.expires_at < now() or link.user.blocked_at:
        raise DeadLink
    is_new = link.user.activated_at is None
    if is_new != (purpose is LinkPurpose.INVITE):
        raise DeadLink
    return link


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
