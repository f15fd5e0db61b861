"""The viewer: roles, rights, and which participants a user may see.

Every statement about participants has `visible_to(viewer)`; nothing else decides on visibility. Source: section 3 of
the domain (roles) and section 7 (protected addresses).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, false, or_, true

from services.core.i18n import N_
from services.tables.participants import Participation


class Role(StrEnum):
    """The roles. The municipal roles are held for one or more municipalities."""

    CASEWORKER = "caseworker"  # kommunebruker
    MUNICIPAL_ADMIN = "municipal_admin"  # kommuneadministrator
    IMDI_READER = "imdi_reader"  # IMDi-bruker
    IMDI_ADMIN = "imdi_admin"  # IMDi-administrator


ROLE_LABELS = {
    Role.CASEWORKER: N_("Kommunebruker"),
    Role.MUNICIPAL_ADMIN: N_("Kommuneadministrator"),
    Role.IMDI_READER: N_("IMDi-bruker"),
    Role.IMDI_ADMIN: N_("IMDi-administrator"),
}


class Right(StrEnum):
    """The rights that views require."""

    READ = "read"  # see participants
    REGISTER = "register"  # create, change, discharge, delete
    SEE_DELETED = "see_deleted"
    MEND = "mend"  # restore deleted participants, reopen discharged ones
    SEE_USERS = "see_users"
    SEE_LOG = "see_log"  # the access log


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.CASEWORKER: frozenset({Right.READ, Right.REGISTER}),
    Role.MUNICIPAL_ADMIN: frozenset({Right.SEE_USERS}),
    Role.IMDI_READER: frozenset({Right.READ, Right.SEE_DELETED}),
    Role.IMDI_ADMIN: frozenset({Right.READ, Right.SEE_DELETED, Right.SEE_USERS, Right.MEND, Right.SEE_LOG}),
}

OSLO = "0301"


@dataclass(frozen=True)
class Place:
    """A municipality as its number and name."""

    number: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """The signed-in user with roles and rights. `places`: the municipalities of the role kommunebruker."""

    user_id: int
    username: str
    name: str
    roles: frozenset[Role]
    places: tuple[Place, ...] = ()
    administers: tuple[Place, ...] = ()
    # Where the user sees protected participants: in these municipalities, or (IMDi's users only) in the whole country.
    protected_in: frozenset[str] = frozenset()
    sees_all_protected: bool = False

    def can(self, right: Right | str) -> bool:
        """True if one of the user's roles has the right."""
        return any(right in RIGHTS[role] for role in self.roles)

    def sees_protected_in(self, municipality_number: str) -> bool:
        """True if the user may see protected participants of the municipality."""
        return self.sees_all_protected or municipality_number in self.protected_in

    @property
    def is_national(self) -> bool:
        """True for IMDi's users, who see the whole country."""
        return bool(self.roles & {Role.IMDI_READER, Role.IMDI_ADMIN})

    @property
    def sees_districts(self) -> bool:
        """True if the column Bydel is shown: to users in Oslo and users of the whole country (guide 3.1)."""
        return self.is_national or any(place.number == OSLO for place in self.places)

    def registers_in(self, municipality_number: str) -> bool:
        """True if the user may register and change participants in the municipality."""
        return self.can(Right.REGISTER) and any(p.number == municipality_number for p in self.places)

    @property
    def display_name(self) -> str:
        """The user's name, for the page header."""
        return self.name

    @property
    def municipality_names(self) -> list[str]:
        """Names of the user's municipalities, for the page header."""
        return [place.name for place in dict.fromkeys(self.places + self.administers)]


def visible_to(viewer: Viewer, within: Sequence[str] | None = None) -> ColumnElement[bool]:
    """The condition for participations that the viewer may see. For others the program answers as if they did not
    exist.

    `within`: only these municipalities. It never widens what the viewer sees.
    """
    if not viewer.can(Right.READ):
        return false()
    if viewer.is_national:
        places = None if within is None else tuple(within)
    else:
        places = tuple(place.number for place in viewer.places if within is None or place.number in within)
    return _visibility_clause(places, viewer.is_national, viewer.sees_all_protected, viewer.protected_in)


@lru_cache(maxsize=1000)
def _visibility_clause(
    places: tuple[str, ...] | None, is_national: bool, sees_all: bool, protected_in: frozenset[str]
) -> ColumnElement[bool]:
    """The visibility condition as SQL, cached: every page needs it, and there are few different ones."""
    parts = [] if places is None else [_in_places(places)]
    if not is_national:
        parts.append(Participation.deleted_at.is_(None))
    if not sees_all:
        parts.append(
            _unless_protected(Participation.protected, Participation.municipality_number, places, protected_in)
        )
    return and_(true(), *parts)


def unless_protected(
    viewer: Viewer, protected: Any, municipality_number: Any, places: Sequence[str] | None = None
) -> ColumnElement[bool]:
    """The condition that leaves out protected rows in municipalities where the viewer may not see them. `protected` and
    `municipality_number`: the columns to test; `places`: the municipalities of the rows, if known."""
    if viewer.sees_all_protected:
        return true()
    return _unless_protected(protected, municipality_number, places, viewer.protected_in)


def _unless_protected(
    protected: Any, municipality_number: Any, places: Sequence[str] | None, protected_in: frozenset[str]
) -> ColumnElement[bool]:
    named = sorted(protected_in if places is None else protected_in.intersection(places))
    if not named:
        return cast(ColumnElement[bool], protected == false())
    if places is not None and set(places) <= protected_in:
        return true()
    return or_(protected == false(), municipality_number.in_(named))


def _in_places(numbers: Sequence[str]) -> ColumnElement[bool]:
    """Equality for a single municipality: an index that begins with it can then give the order."""
    number = Participation.municipality_number
    return number == numbers[0] if len(numbers) == 1 else number.in_(numbers)
