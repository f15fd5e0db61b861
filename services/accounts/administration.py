"""Administering users: who sees whom, and who may change what.

A kommuneadministrator reaches the users of her own municipalities; an IMDi-administrator reaches all. Somebody else's
user answers exactly as one that does not exist. A kommuneadministrator gives and takes the role kommunebruker in her
own municipalities, nothing else (domain, section 3). The user herself (name, address, blocking, second factor) is
hers to change only if the user belongs nowhere else and does not see protected participants: else whoever changes the
address, and resets the second factor, would take over rights that are not hers to give.
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
Grant = tuple[Role, str | None]  # a role and its municipality; none for IMDi's roles
LetterFor = Callable[[User], Letter]


class UserState(StrEnum):
    """Where a user stands."""

    INVITED = "invited"
    ACTIVE = "active"
    EXPIRED = "expired"  # the invitation's link is dead
    BLOCKED = "blocked"


class NoSuchUser(LookupError):
    """There is none with that id among those whom the viewer administers."""


class NotYours(PermissionError):
    """The viewer sees the user, but may not do this to her."""


class StaleUser(Exception):
    """Somebody else has changed the user since the form was shown."""


class EmailTaken(ValueError):
    """Another user has that address."""


@dataclass(frozen=True, kw_only=True)
class Details:
    """What is entered about a user. `email` is in small letters."""

    name: str
    email: str
    phone: str


@dataclass(frozen=True)
class Administered:
    """A user as her administrator sees her; `governed`: the user herself may be changed, not only her roles."""

    user: User
    state: UserState
    governed: bool

    @property
    def grants(self) -> frozenset[Grant]:
        """Her roles."""
        return grants_of(self.user)


def grants_of(user: User) -> frozenset[Grant]:
    """The roles of a user."""
    return frozenset((Role(grant.role), grant.municipality_number) for grant in user.grants)


def may_give(viewer: Viewer, grant: Grant) -> bool:
    """True if the viewer gives and takes this role."""
    if Role.IMDI_ADMIN in viewer.roles:
        return True
    return grant[0] is Role.CASEWORKER and any(place.number == grant[1] for place in viewer.administers)


def governs(viewer: Viewer, user: User) -> bool:
    """True if the user herself is the viewer's to change (see the module's text)."""
    if Role.IMDI_ADMIN in viewer.roles:
        return True
    own = {place.number for place in viewer.administers}
    return not user.sees_some_protected and all(grant.municipality_number in own for grant in user.grants)


def may_see(viewer: Viewer, user: User) -> bool:
    """True if the user is among those whom the viewer administers."""
    own = {place.number for place in viewer.administers}
    return Role.IMDI_ADMIN in viewer.roles or any(grant.municipality_number in own for grant in user.grants)


def within_reach(viewer: Viewer) -> ColumnElement[bool]:
    """For a statement: the users whom the viewer administers."""
    if Role.IMDI_ADMIN in viewer.roles:
        return true()
    own = [place.number for place in viewer.administers]
    return User.grants.any(RoleGrant.municipality_number.in_(own))


def living_links() -> ColumnElement[bool]:
    """For a statement: those to whom a link leads that still works."""
    return exists().where(
        AccountLink.user_id == User.id,
        AccountLink.used_at.is_(None),
        AccountLink.replaced_at.is_(None),
        AccountLink.expires_at >= now(),
    )


def _with_grants() -> ExecutableOption:
    return selectinload(User.grants).joinedload(RoleGrant.municipality)


def state_of(user: User | Row[Any], has_link: bool) -> UserState:
    """Where a user stands; `has_link`: whether a link to the user still works."""
    if user.blocked_at:
        return UserState.BLOCKED
    if user.activated_at:
        return UserState.ACTIVE
    return UserState.INVITED if has_link else UserState.EXPIRED


def find(viewer: Viewer, user_id: int) -> Administered:
    """One of the users that the viewer administers; raises `NoSuchUser`, and logs it if there is such a user."""
    found = select(User, living_links()).where(User.id == user_id, within_reach(viewer)).options(_with_grants())
    row = session().execute(found.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        if session().scalar(select(User.id).where(User.id == user_id)) is not None:
            record(Action.REFUSED, viewer=viewer, detail={"user": user_id})
        raise NoSuchUser(user_id)
    return Administered(row[0], state_of(row[0], row[1]), governs(viewer, row[0]))


def locked(work: Session, viewer: Viewer, user_id: int) -> User:
    """The user, held until the end of the caller's transaction; raises `NoSuchUser`."""
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
    """Change what is known of a user, and her roles; `None` leaves a part as it is.

    `grants`: all roles that she shall have of those that the viewer gives; others stay. `protected`: those of the roles
    that come with the right to protected addresses; only an IMDi-administrator says so. `moved` writes to the old
    address when it is replaced. Raises `NoSuchUser`, `NotYours`, `StaleUser`, `EmailTaken`.
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


def _need(allowed: bool) -> None:
    if not allowed:
        raise NotYours


def _change_details(
    viewer: Viewer, user: User, details: Details, outbox: Outbox, moved: LetterFor, work: Session
) -> list[str]:
    changed = [name for name in ("name", "email", "phone") if getattr(user, name) != getattr(details, name)]
    if not changed:
        return []
    _need(governs(viewer, user))
    if "email" in changed:
        if work.scalar(select(User.id).where(User.email == details.email, User.id != user.id)) is not None:
            raise EmailTaken
        kill_links(work, user.id)  # they went to the other address
        outbox.put(work, user_id=user.id, recipient=user.email, letter=moved(user))
    user.name, user.email, user.phone = details.name, details.email, details.phone
    return changed


def set_grants(work: Session, viewer: Viewer, user: User, wanted: Iterable[Grant]) -> list[str]:
    """Give and take roles within the caller's transaction; gives what has changed, in codes for the log. Nobody
    changes her own. Raises `NotYours`."""
    before, wanted = grants_of(user), frozenset(wanted)
    _need(all(may_give(viewer, grant) for grant in wanted))
    mine = {grant for grant in before if may_give(viewer, grant)}
    given, taken = wanted - mine, mine - wanted
    if not given and not taken:
        return []
    _need(user.id != viewer.user_id)
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
            _need(Role.IMDI_ADMIN in viewer.roles and user.id != viewer.user_id)
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
    """A transaction in which something is done to a user whom the viewer governs and who is not herself; it is
    logged as that action, unless the caller logs it."""
    find(viewer, user_id)
    with writing() as work:
        user = locked(work, viewer, user_id)
        _need(governs(viewer, user) and user_id != viewer.user_id)
        user.version += 1
        if action:
            note(action, user_id=viewer.user_id, detail={"user": user_id})
        yield work, user


def forget_identities(work: Session, user_id: int, *, by: int) -> None:
    """Take away what the user is at identity providers, within the caller's transaction: after a recovery
    nobody comes in by what somebody else may have tied."""
    gone = work.execute(delete(Identity).where(Identity.user_id == user_id).returning(Identity.id)).all()
    if gone:
        note(Action.IDENTITY_REMOVED, user_id=by, detail={"user": user_id, "number": len(gone)})


def block(viewer: Viewer, user_id: int) -> None:
    """Shut a user out: her visits end, her links die. Raises `NoSuchUser`, `NotYours` (also for oneself)."""
    with acting_on(viewer, user_id, Action.BLOCK) as (work, user):
        by_imdi = Role.IMDI_ADMIN in viewer.roles
        if user.blocked_at is None or (by_imdi and not user.blocked_by_imdi):
            user.blocked_at = user.blocked_at or now()
            user.blocked_by, user.blocked_by_imdi = viewer.user_id, by_imdi
        kill_links(work, user_id)
        forget_identities(work, user_id, by=viewer.user_id)
        end_sessions(work, user_id)


def unblock(viewer: Viewer, user_id: int) -> None:
    """Let a user in again. Raises `NoSuchUser`, `NotYours` (also for a block of IMDi's, which IMDi alone lifts)."""
    with acting_on(viewer, user_id, Action.UNBLOCK) as (_work, user):
        _need(not user.blocked_by_imdi or Role.IMDI_ADMIN in viewer.roles)
        user.blocked_at = user.blocked_by = None
        user.blocked_by_imdi = False


def sign_out_everywhere(viewer: Viewer, user_id: int) -> None:
    """End a user's visits. Raises `NoSuchUser`, `NotYours`."""
    with acting_on(viewer, user_id, Action.END_SESSIONS) as (work, _user):
        end_sessions(work, user_id)


def reset_factor(viewer: Viewer, user_id: int, *, outbox: Outbox, letter: LetterFor) -> None:
    """Take a user's second factor away; she hears of it by e-mail. Raises `NoSuchUser`, `NotYours`."""
    with acting_on(viewer, user_id, Action.FACTOR_RESET) as (work, user):
        second_factor.forget(work, user_id)
        forget_identities(work, user_id, by=viewer.user_id)
        end_sessions(work, user_id)
        outbox.put(work, user_id=user_id, recipient=user.email, letter=letter(user))


@dataclass(frozen=True)
class Contacts:
    """Who administers a municipality: name and e-mail address of each."""

    place: str
    administrators: tuple[tuple[str, str], ...]


def administrators_for(viewer: Viewer) -> list[Contacts]:
    """The kommuneadministratorer of the viewer's own municipalities, in the order of these."""
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
