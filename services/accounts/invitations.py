"""Invitations: an administrator adds a user, who gets a link by e-mail to choose a user name and a password."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from sqlalchemy import exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from services.access.audit import Action, note
from services.access.viewer import Role, Viewer
from services.accounts import administration as users
from services.accounts import throttle
from services.accounts.administration import Details, EmailTaken, Grant, LetterFor, NotYours
from services.accounts.one_time_links import LinkPurpose, last_known, new_link, use_link
from services.accounts.passwords import hash_password
from services.core import text
from services.core.db import hold, now, session, writing
from services.mail.outbox import Outbox
from services.mail.smtp import Letter
from services.tables.accounts import RoleGrant, User
from services.tables.participants import AccessEntry

LetterWithLink = Callable[[User, str], Letter]  # the user, and the token of the link
MOST_AN_HOUR = 60  # invitations that one user may send
RENEWABLE_FOR = timedelta(days=30)
SHORTEST_USERNAME, LONGEST_USERNAME = 3, 60


class UsernameTaken(ValueError):
    """Another user has that user name."""


class AdministratorExists(RuntimeError):
    """There is already an IMDi-administrator."""


@dataclass(frozen=True, kw_only=True)
class Letters:
    """The letters of an invitation. `known`: for a person who is a user already and gets another role."""

    invitation: LetterWithLink
    known: LetterFor


def invite(viewer: Viewer, details: Details, grants: Iterable[Grant], *, outbox: Outbox, letters: Letters) -> int:
    """Add a user with these roles and send an invitation; returns the user's id.

    A person who is already a user elsewhere, by the e-mail address, gets the additional roles; name and telephone stay
    unchanged. Raises `EmailTaken` if the viewer already administers the user, `NotYours` for roles that the viewer may
    not grant, or not to this user.
    """
    wanted = list(grants)
    if not wanted or not all(users.may_give(viewer, grant) for grant in wanted):
        raise NotYours
    try:
        with writing() as work:
            _count_letter(work, viewer)
            hold(work, details.email)
            user = _user_with(work, details.email)
            if user is None:
                user = _enter(work, details)
            elif users.may_see(viewer, user):
                raise EmailTaken
            elif any(grant.municipality_number is None for grant in user.grants):
                raise NotYours
            given = users.set_grants(work, viewer, user, wanted)
            detail = {"user": user.id, "what": given}
            note(Action.INVITE, user_id=viewer.user_id, detail=detail)
            _write(work, user, by=viewer.user_id, outbox=outbox, letters=letters)
    except IntegrityError:  # a parallel request was faster
        raise EmailTaken from None
    return user.id


def _count_letter(work: Session, viewer: Viewer) -> None:
    """Enforce the hourly limit on invitations; raises `TooFast`."""
    since = now() - timedelta(hours=1)
    written = (AccessEntry.action.in_((Action.INVITE.value, Action.RESEND.value)), AccessEntry.at > since)
    mine = select(func.count(), func.min(AccessEntry.at)).where(AccessEntry.user_id == viewer.user_id, *written)
    number, first = work.execute(mine).one()
    if number >= MOST_AN_HOUR:
        raise throttle.TooFast(max(1, ceil((first - since).total_seconds())))


def _user_with(work: Session, email: str) -> User | None:
    found = select(User).where(User.email == email).options(selectinload(User.grants))
    return work.scalar(found.with_for_update(of=User).execution_options(populate_existing=True))


def _enter(work: Session, details: Details) -> User:
    user = User(name=details.name, email=details.email, phone=details.phone, created_at=now(), grants=[])
    work.add(user)
    work.flush()
    return user


def _write(work: Session, user: User, *, by: int | None, outbox: Outbox, letters: Letters) -> None:
    if user.activated_at is None:
        _send_link(work, user, by=by, outbox=outbox, letter=letters.invitation)
    else:
        outbox.put(work, user_id=user.id, recipient=user.email, letter=letters.known(user))


def _send_link(work: Session, user: User, *, by: int | None, outbox: Outbox, letter: LetterWithLink) -> None:
    token = new_link(work, user, LinkPurpose.INVITE, by=by)
    outbox.put(work, user_id=user.id, recipient=user.email, letter=letter(user, token))


def resend(viewer: Viewer, user_id: int, *, outbox: Outbox, letter: LetterWithLink) -> None:
    """Send an invited user a new link, which replaces the old one. Raises `NoSuchUser`, `NotYours` if the user is
    blocked or already active."""
    users.find(viewer, user_id)
    with writing() as work:
        user = users.locked(work, viewer, user_id)
        if user.activated_at or user.blocked_at:
            raise NotYours
        _count_letter(work, viewer)
        note(Action.RESEND, user_id=viewer.user_id, detail={"user": user_id})
        _send_link(work, user, by=viewer.user_id, outbox=outbox, letter=letter)


def ask_anew(token: str, *, address: str, outbox: Outbox, letter: LetterWithLink) -> None:
    """Send a new link to the address of an expired invitation, within 30 days of the invitation. The caller learns
    nothing about the token. Raises `TooFast`."""
    throttle.count(
        outbox.vault, (throttle.RESET, f"{token[:100]} {address}"), (throttle.ADDRESS, throttle.network_of(address))
    )
    link = last_known(token)
    if link is None or link.purpose != LinkPurpose.INVITE.value or link.created_at < now() - RENEWABLE_FOR:
        return
    with writing() as work:
        user = work.get_one(User, link.user_id, with_for_update=True, populate_existing=True)
        if user.activated_at is None and user.blocked_at is None:
            note(Action.RESEND, user_id=None, detail={"user": user.id})
            _send_link(work, user, by=link.created_by, outbox=outbox, letter=letter)


def is_username(name: str) -> bool:
    """True for 3 to 60 letters, digits, full stops, hyphens and underscores, a letter first."""
    fits = SHORTEST_USERNAME <= len(name) <= LONGEST_USERNAME
    return fits and re.fullmatch(r"[a-zæøåäöü][a-zæøåäöü0-9._-]*", name) is not None


def suggested_username(name: str) -> str:
    """A free user name derived from a name, such as «kari.nordmann»; '' if none is found."""
    words = re.findall(r"[a-zæøåäöü0-9]+", text.username(name))
    plain = ".".join(dict.fromkeys((words[0], words[-1]))) if words else ""
    if not is_username(plain):
        return ""
    for number in ("", *range(2, 10)):
        found = f"{plain[: LONGEST_USERNAME - 1]}{number}"
        if not session().scalar(select(exists().where(User.username == found))):
            return found
    return ""


def take_free_username(work: Session, user: User) -> None:
    """Give the user a free user name derived from the name or from a number, and lock it for the transaction."""
    for number in range(10):  # repeats if another transaction has taken the suggestion
        found = suggested_username(user.name) or f"bruker{user.id}{'.' * bool(number)}{number or ''}"
        hold(work, found)
        if not work.scalar(select(exists().where(User.username == found))):
            user.username = found
            return
    raise UsernameTaken


def accept(token: str, *, username: str, password: str) -> int:
    """Activate the user that a link invites; returns the user's id. The name and the password have been validated.
    Raises `DeadLink`, `UsernameTaken`; the link then still works.
    """
    hashed = hash_password(password)  # slow by design, so before the transaction
    try:
        with writing() as work:
            hold(work, username)
            if work.scalar(select(exists().where(User.username == username))):
                raise UsernameTaken
            user = use_link(work, token, LinkPurpose.INVITE)
            user.username, user.password_hash, user.activated_at = username, hashed, now()
            user.version += 1
            note(Action.ACCEPT, user_id=user.id, detail={"user": user.id})
            work.flush()
    except IntegrityError:
        raise UsernameTaken from None
    return user.id


def create_admin(details: Details, *, outbox: Outbox, letter: LetterWithLink, force: bool = False) -> int:
    """Add an IMDi-administrator and send an invitation, when there is no administrator to do so; returns the user's id.

    Raises `AdministratorExists` if there is one already (unless `force`), `EmailTaken`.
    """
    try:
        with writing() as work:
            is_admin = RoleGrant.role == Role.IMDI_ADMIN.value
            if not force and work.scalar(select(exists().where(is_admin))):
                raise AdministratorExists
            hold(work, details.email)
            if _user_with(work, details.email) is not None:
                raise EmailTaken
            user = _enter(work, details)
            work.add(RoleGrant(user_id=user.id, role=Role.IMDI_ADMIN.value))
            note(Action.INVITE, user_id=None, detail={"user": user.id, "what": [f"+{Role.IMDI_ADMIN.value}"]})
            _send_link(work, user, by=None, outbox=outbox, letter=letter)
    except IntegrityError:
        raise EmailTaken from None
    return user.id
