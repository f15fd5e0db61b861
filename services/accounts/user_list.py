"""The list of users: searched, sorted and paged by the database.

Roles and states are shown, sorted and found by their labels in the viewer's language, so each statement gets the
labels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import combinations
from typing import Any

from sqlalchemy import ColumnElement, and_, case, cast, distinct, func, or_, select, true

from services.access.viewer import Role, Viewer
from services.accounts.administration import Administered, Grant, UserState, living_links, state_of, within_reach
from services.core.code_lists import municipality_names
from services.core.collation import sort_key
from services.core.db import read, sort_text
from services.core.text import telephone
from services.tables.accounts import OutboxMessage, RoleGrant, User, folded
from services.tables.participants import Municipality


class UserColumn(StrEnum):
    """The columns of the list, in order."""

    NAME = "name"
    USERNAME = "username"
    EMAIL = "email"
    PHONE = "phone"
    PLACES = "places"
    ROLES = "roles"
    STATE = "state"
    SIGNED_IN = "signed_in"


class Mail(StrEnum):
    """Problems with the delivery of an invitation."""

    FAILED = "failed"
    DELAYED = "delayed"


@dataclass(frozen=True)
class Words:
    """The labels of roles and states in the viewer's language."""

    roles: Mapping[Role, str]  # in the order in which a user's roles are shown
    states: Mapping[UserState | Mail, str]


@dataclass(frozen=True)
class UserQuery:
    """The search, order and page of the list. Each word of `search` must occur in a user's row."""

    search: str
    column: UserColumn
    descending: bool
    page: int
    size: int


@dataclass(frozen=True)
class ListedUser:
    """A row of the list."""

    id: int
    name: str
    username: str
    email: str
    phone: str
    signed_in_at: datetime | None
    state: UserState
    grants: frozenset[Grant]


@dataclass(frozen=True)
class Found:
    """A page of the list: the last one if the requested page does not exist. `total`: users on all pages."""

    users: list[ListedUser]
    total: int
    page: int
    pages: int


def listed(one: Administered) -> ListedUser:
    """Convert an administered user to a row of the list."""
    user = one.user
    return ListedUser(
        user.id, user.name, user.username or "", user.email, user.phone, user.signed_in_at, one.state, one.grants
    )


def page_of(viewer: Viewer, wanted: UserQuery, words: Words) -> Found:
    """One page of the users whom the viewer administers."""
    fitting = [within_reach(viewer), *_searched(wanted.search, words)]
    total: int = read(select(func.count()).select_from(User).where(*fitting)).scalar_one()
    pages = max(1, -(-total // wanted.size))
    page = min(wanted.page, pages)
    order = _order(wanted, words)
    statement = select(User.__table__, living_links().label("alive")).where(*fitting)
    rows = read(statement.order_by(*order).limit(wanted.size).offset((page - 1) * wanted.size)).all()
    grants = _grants_of([row.id for row in rows])
    users = [
        ListedUser(
            row.id,
            row.name,
            row.username or "",
            row.email,
            row.phone,
            row.signed_in_at,
            state_of(row, row.alive),
            grants.get(row.id, frozenset()),
        )
        for row in rows
    ]
    return Found(users, total, page, pages)


def _grants_of(ids: list[int]) -> dict[int, frozenset[Grant]]:
    held: dict[int, set[Grant]] = {}
    for row in read(select(RoleGrant).where(RoleGrant.user_id.in_(ids))):
        held.setdefault(row.user_id, set()).add((Role(row.role), row.municipality_number))
    return {user_id: frozenset(grants) for user_id, grants in held.items()}


# ---- Search ----


def _searched(search: str, words: Words) -> list[ColumnElement[bool]]:
    if not search:
        return []
    number = (telephone(search) or "").replace(" ", "")
    wanted = sorted({folded(word) for word in search.split()}, key=len, reverse=True)
    # A word that is part of another one needs no condition of its own.
    apart = [word for place, word in enumerate(wanted) if not any(word in longer for longer in wanted[:place])]
    everywhere = and_(true(), *(_word_condition(word, words) for word in apart))
    return [or_(_text().contains(number), everywhere) if number else everywhere]


def _word_condition(word: str, words: Words) -> ColumnElement[bool]:
    """The condition that a word occurs in a user's row."""
    places = [number for number, name in municipality_names().items() if word in folded(name)]
    roles = [role.value for role, label in words.roles.items() if word in folded(label)]
    states = [state.value for state, label in words.states.items() if word in folded(label)]
    conditions = [_text().contains(word, autoescape=True)]
    if places or roles:
        conditions.append(User.grants.any(or_(RoleGrant.municipality_number.in_(places), RoleGrant.role.in_(roles))))
    if states:
        conditions.append(_state().in_(states))
    return or_(*conditions)


def _text() -> ColumnElement[str]:
    return func.coalesce(User.search_text, func.lower(User.name + "\n" + User.email))


def _state() -> ColumnElement[str]:
    """The code of a user's state, or of a problem with the invitation."""
    waits = OutboxMessage.next_try_at.is_not(None) & (OutboxMessage.last_error != "")
    mail = (
        select(case((OutboxMessage.failed_at.is_not(None), Mail.FAILED.value), (waits, Mail.DELAYED.value)))
        .where(OutboxMessage.user_id == User.id, OutboxMessage.recipient == User.email)
        .order_by(OutboxMessage.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return case(
        (User.blocked_at.is_not(None), UserState.BLOCKED.value),
        (User.activated_at.is_not(None), UserState.ACTIVE.value),
        else_=func.coalesce(mail, case((living_links(), UserState.INVITED.value), else_=UserState.EXPIRED.value)),
    )


# ---- Order ----


def _order(wanted: UserQuery, words: Words) -> list[Any]:
    """The order: by the column, then by name, then by age. Empty values come first in ascending order."""
    name = func.coalesce(User.name_key, cast(User.name, sort_text(1000)))
    keys: dict[UserColumn, Any] = {
        UserColumn.NAME: name,
        UserColumn.USERNAME: func.coalesce(User.username_key, cast(User.username, sort_text(1000))),
        UserColumn.EMAIL: func.coalesce(User.email_key, cast(User.email, sort_text(1000))),
        UserColumn.PHONE: cast(User.phone, sort_text(30)),
        UserColumn.PLACES: _places_key(),
        UserColumn.ROLES: _roles_key(words),
        UserColumn.STATE: _rank(_state(), words.states),
        UserColumn.SIGNED_IN: User.signed_in_at,
    }
    key = keys[wanted.column]
    return [key.desc().nulls_last() if wanted.descending else key.asc().nulls_first(), name, User.id]


def _rank(code: ColumnElement[Any], labels: Mapping[Any, str]) -> ColumnElement[int]:
    """The position of a code in the alphabetical order of the labels."""
    ordered = sorted(labels, key=lambda one: sort_key(labels[one]))
    return case({one: place for place, one in enumerate(ordered)}, value=code)


def _places_key() -> ColumnElement[str]:
    """The sort keys of the user's municipalities, in order, separated by a blank: it sorts before all characters of a
    key."""
    name_key = Municipality.name_key
    keys = select(name_key).distinct().join(RoleGrant).where(RoleGrant.user_id == User.id)
    ordered = keys.order_by(name_key).correlate(User).subquery()
    return select(cast(func.aggregate_strings(ordered.c.name_key, " "), sort_text(100_000))).scalar_subquery()


def _roles_key(words: Words) -> ColumnElement[int]:
    """The position of the user's set of roles among all sets, in the alphabetical order of their labels."""
    bit = {role: 1 << place for place, role in enumerate(words.roles)}
    held = (
        select(func.sum(distinct(case({role.value: number for role, number in bit.items()}, value=RoleGrant.role))))
        .where(RoleGrant.user_id == User.id)
        .scalar_subquery()
    )
    sets = [chosen for number in range(1, len(bit) + 1) for chosen in combinations(bit, number)]
    return _rank(
        held, {sum(bit[role] for role in chosen): ", ".join(words.roles[role] for role in chosen) for chosen in sets}
    )
