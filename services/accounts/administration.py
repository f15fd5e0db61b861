"""User administration: which users an administrator may see and change.

A kommuneadministrator sees the users of their own municipalities; an IMDi-administrator sees all. For any other user
the program answers as if the user did not exist. A kommuneadministrator grants and revokes the role kommunebruker in
their own municipalities, nothing else (domain, section 3). They may change the user's own data (name, address,
blocking, second factor) only if the user has no role elsewhere and does not see protected participants: otherwise an
administrator who changes the address and resets the second factor would take over rights that they may not grant.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.sql.base import ExecutableOption

from services.access.audit import Action, note, record
from services.access.viewer import RIGHTS, Right, Role, Viewer
from services.accounts import second_factor
from services.accounts.one_time_links import kill_links
from services.accounts.sign_in import end_sessions
from services.core.collation import sort_key
from services.core.db import hold, now, session, writing
from services.mail.outbox import Outbox
from services.mail.smtp import Letter
from services.tables.accounts import AccountLink, Identity, RoleGrant, User

SEEING = frozenset(role for role, rights in RIGHTS.items() if Right.READ in rights)
Grant = tuple[Role, str | None]  # a role and its municipality; None for IMDi's roles
LetterFor = Callable[[User], Letter]


class UserState(StrEnum):
    """The state of an account."""

    INVITED = "invited"
    ACTIVE = "active"
    EXPIRED = "expired"  # the link of the invitation no longer works
    BLOCKED = "blocked"


class NoSuchUser(LookupError):
    """The viewer administers no user with that id."""


class NotYours(PermissionError):
    """The viewer may see the user, but may not do this."""


class StaleUser(Exception):
    """Another administrator has changed the user since the form was shown."""


class EmailTaken(ValueError):
    """Another user has that e-mail address."""


@dataclass(frozen=True, kw_only=True)
class Details:
    """A user's contact details. `email` is in lower case."""

    name: str
    email: str
    phone: str


@dataclass(frozen=True)
class Administered:
    """A user as an administrator sees it; `governed`: the administrator may change the user's own data, not only
    roles."""

    user: User
    state: UserState
    governed: bool

    @property
    def grants(self) -> frozenset[Grant]:
        """The user's roles."""
        return grants_of(self.user)


def grants_of(user: User) -> frozenset[Grant]:
    """A user's roles."""
    return frozenset((Role(grant.role), grant.municipality_number) for grant in user.grants)


def may_give(viewer: Viewer, grant: Grant) -> bool:
    """True if the viewer may grant and revoke this role."""
    if Role.IMDI_ADMIN in viewer.roles:
        return True
    return grant[0] is Role.CASEWORKER and any(place.number == grant[1] for place in viewer.administers)


def governs(viewer: Viewer, user: User) -> bool:
    """True if the viewer may change the user's own data (see the module's docstring)."""
    if Role.IMDI_ADMIN in viewer.roles:
        return True
    own = {place.number for place in viewer.administers}
    return not user.sees_some_protected and all(grant.municipality_number in own for grant in user.grants)


def may_see(viewer: Viewer, user: User) -> bool:
    """True if the viewer administers the user."""
    own = {place.number for place in viewer.administers}
    return Role.IMDI_ADMIN in viewer.roles or any(grant.municipality_number in own for grant in user.grants)


def within_reach(viewer: Viewer) -> ColumnElement[bool]:
    """The condition for users whom the viewer administers."""
    if Role.IMDI_ADMIN in viewer.roles:
        return true()
    own = [place.number for place in viewer.administers]
    return User.grants.any(RoleGrant.municipality_number.in_(own))


def living_links() -> ColumnElement[bool]:
    """The condition for users who have a link that still works."""
    return exists().where(
        AccountLink.user_id == User.id,
        AccountLink.used_at.is_(None),
        AccountLink.replaced_at.is_(None),
        AccountLink.expires_at >= now(),
    )


def _with_grants() -> ExecutableOption:
    return selectinload(User.grants).joinedload(RoleGrant.municipality)


def state_of(user: User | Row[Any], has_link: bool) -> UserState:
    """The state of a user; `has_link`: the user has a link that still works."""
    if user.blocked_at:
        return UserState.BLOCKED
    if user.activated_at:
        return UserState.ACTIVE
    return UserState.INVITED if has_link else UserState.EXPIRED


def find(viewer: Viewer, user_id: int) -> Administered:
    """Find a user whom the viewer administers; raises `NoSuchUser`, and logs the refusal if the user exists."""
    found = select(User, living_links()).where(User.id == user_id, within_reach(viewer)).options(_with_grants())
    row = session().execute(found.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        if session().scalar(select(User.id).where(User.id == user_id)) is not None:
            record(Action.REFUSED, viewer=viewer, detail={"user": user_id})
        raise NoSuchUser(user_id)
    return Administered(row[0], state_of(row[0], row[1]), governs(viewer, row[0]))


def locked(work: Session, viewer: Viewer, user_id: int) -> User:
    """The user, locked until the end of the caller's transaction; raises `NoSuchUser`."""
    found = select(User).where(User.id == user_id, within_reach(viewer)).options(_with_grants())
    user = work.scalar(found.with_for_update(of=User).execution_options(populate_existing=True))
    if user is None:
        raise NoSuchUser(user_id)
    return user


def change(
    viewer: Viewer,
    user_id: int,
    *,
    version: int,
    details: Details | None,
    grants: Iterable[Grant] | None,
    protected: Iterable[Grant] | None = None,
    outbox: Outbox,
    moved: LetterFor,
) -> None:
    """Change a user's details and roles; `None` leaves a part unchanged.

    `grants`: the roles the user shall have among those that the viewer may grant; other roles stay. `protected`: those
    of the roles that include the right to protected addresses; only an IMDi-administrator decides this. `moved`: the
    letter to the old address when it is replaced. Raises `NoSuchUser`, `NotYours`, `StaleUser`, `EmailTaken`.
    """
    find(viewer, user_id)
    try:
        with writing() as work:
            if details:
                hold(work, details.email)
            user = locked(work, viewer, user_id)
            if user.version != version:
                raise StaleUser
            changed = _change_details(viewer, user, details, outbox, moved, work) if details else []
            if grants is not None:
                changed += set_grants(work, viewer, user, grants)
            if protected is not None:
                changed += _set_protected(viewer, user, frozenset(protected))
            if changed:
                user.version += 1
                note(Action.CHANGE_USER, user_id=viewer.user_id, detail={"user": user_id, "what": changed})
    except IntegrityError:
        raise EmailTaken from None


def _require(allowed: bool) -> None:
    if not allowed:
        raise NotYours


def _change_details(
    viewer: Viewer, user: User, details: Details, outbox: Outbox, moved: LetterFor, work: Session
) -> list[str]:
    changed = [name for name in ("name", "email", "phone") if getattr(user, name) != getattr(details, name)]
    if not changed:
        return []
    _require(governs(viewer, user))
    if "email" in changed:
        if work.scalar(select(User.id).where(User.email == details.email, User.id != user.id)) is not None:
            raise EmailTaken
        kill_links(work, user.id)  # they were sent to the old address
        outbox.put(work, user_id=user.id, recipient=user.email, letter=moved(user))
    user.name, user.email, user.phone = details.name, details.email, details.phone
    return changed


def set_grants(work: Session, viewer: Viewer, user: User, wanted: Iterable[Grant]) -> list[str]:
    """Grant and revoke roles within the caller's transaction; returns the changes as codes for the log. Raises
    `NotYours`, also if the viewer would change their own roles."""
    before, wanted = grants_of(user), frozenset(wanted)
    _require(all(may_give(viewer, grant) for grant in wanted))
    mine = {grant for grant in before if may_give(viewer, grant)}
    given, taken = wanted - mine, mine - wanted
    if not given and not taken:
        return []
    _require(user.id != viewer.user_id)
    for one in list(user.grants):
        if (Role(one.role), one.municipality_number) in taken:
            user.grants.remove(one)
            work.delete(one)
    user.grants += [
        RoleGrant(role=role.value, municipality_number=number, sees_protected=False) for role, number in given
    ]
    _tell_older_programs(user)
    return [f"+{_code(one)}" for one in sorted(given, key=str)] + [f"-{_code(one)}" for one in sorted(taken, key=str)]


def _set_protected(viewer: Viewer, user: User, wanted: frozenset[Grant]) -> list[str]:
    changed = []
    for one in sorted(user.grants, key=lambda grant: (grant.municipality_number or "", grant.role)):
        grant = (Role(one.role), one.municipality_number)
        sees = grant in wanted and grant[0] in SEEING
        if sees != one.sees_protected:
            _require(Role.IMDI_ADMIN in viewer.roles and user.id != viewer.user_id)
            one.sees_protected = sees
            changed.append(" ".join(filter(None, ("+sees_protected" if sees else "-sees_protected", grant[1]))))
    _tell_older_programs(user)
    return changed


def _tell_older_programs(user: User) -> None:
    seeing = [grant.sees_protected for grant in user.grants if Role(grant.role) in SEEING]
    user.sees_protected = bool(seeing) and all(seeing)


def _code(grant: Grant) -> str:
    return grant[0].value if grant[1] is None else f"{grant[0].value} {grant[1]}"


@contextmanager
def acting_on(viewer: Viewer, user_id: int, action: Action | None) -> Iterator[tuple[Session, User]]:
    """A transaction for an action on another user whom the viewer governs; logged as `action` unless it is None."""
    find(viewer, user_id)
    with writing() as work:
        user = locked(work, viewer, user_id)
        _require(governs(viewer, user) and user_id != viewer.user_id)
        user.version += 1
        if action:
            note(action, user_id=viewer.user_id, detail={"user": user_id})
        yield work, user


def forget_identities(work: Session, user_id: int, *, by: int) -> None:
    """Delete the user's external identities within the caller's transaction: after a recovery, an identity that an
    intruder may have connected must not work."""
    gone = work.execute(delete(Identity).where(Identity.user_id == user_id).returning(Identity.id)).all()
    if gone:
        note(Action.IDENTITY_REMOVED, user_id=by, detail={"user": user_id, "number": len(gone)})


def block(viewer: Viewer, user_id: int) -> None:
    """Block a user, and end the user's sessions and links. Raises `NoSuchUser`, `NotYours` (also for the viewer's own
    user)."""
    with acting_on(viewer, user_id, Action.BLOCK) as (work, user):
        by_imdi = Role.IMDI_ADMIN in viewer.roles
        if user.blocked_at is None or (by_imdi and not user.blocked_by_imdi):
            user.blocked_at = user.blocked_at or now()
            user.blocked_by, user.blocked_by_imdi = viewer.user_id, by_imdi
        kill_links(work, user_id)
        forget_identities(work, user_id, by=viewer.user_id)
        end_sessions(work, user_id)


def unblock(viewer: Viewer, user_id: int) -> None:
    """Unblock a user. Raises `NoSuchUser`, `NotYours` (also if IMDi has blocked the user and the viewer is not from
    IMDi)."""
    with acting_on(viewer, user_id, Action.UNBLOCK) as (_work, user):
        _require(not user.blocked_by_imdi or Role.IMDI_ADMIN in viewer.roles)
        user.blocked_at = user.blocked_by = None
        user.blocked_by_imdi = False


def sign_out_everywhere(viewer: Viewer, user_id: int) -> None:
    """End a user's sessions. Raises `NoSuchUser`, `NotYours`."""
    with acting_on(viewer, user_id, Action.END_SESSIONS) as (work, _user):
        end_sessions(work, user_id)


def reset_factor(viewer: Viewer, user_id: int, *, outbox: Outbox, letter: LetterFor) -> None:
    """Reset a user's second factor and inform the user by e-mail. Raises `NoSuchUser`, `NotYours`."""
    with acting_on(viewer, user_id, Action.FACTOR_RESET) as (work, user):
        second_factor.forget(work, user_id)
        forget_identities(work, user_id, by=viewer.user_id)
        end_sessions(work, user_id)
        outbox.put(work, user_id=user_id, recipient=user.email, letter=letter(user))


@dataclass(frozen=True)
class Contacts:
    """The administrators of a municipality: name and e-mail address of each."""

    place: str
    administrators: tuple[tuple[str, str], ...]


def administrators_for(viewer: Viewer) -> list[Contacts]:
    """The kommuneadministratorer of the viewer's municipalities, in the order of these."""
    numbers = [place.number for place in viewer.places + viewer.administers]
    found = (
        select(RoleGrant.municipality_number, User.name, User.email)
        .join(User, User.id == RoleGrant.user_id)
        .where(
            RoleGrant.role == Role.MUNICIPAL_ADMIN.value,
            RoleGrant.municipality_number.in_(numbers),
            User.blocked_at.is_(None),
            User.activated_at.is_not(None),
        )
    )
    rows = session().execute(found).all()
    by_place: dict[str | None, list[tuple[str, str]]] = {}
    for row in sorted(rows, key=lambda row: sort_key(row.name)):
        by_place.setdefault(row.municipality_number, []).append((row.name, row.email))
    return [
        Contacts(place.name, tuple(by_place.get(place.number, ())))
        for place in dict.fromkeys(viewer.places + viewer.administers)
    ]
