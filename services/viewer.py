"""Who is looking: roles, the rights that go with them, and what of the register she may see.

Every query of participants carries `visible_to(viewer)`; nothing else decides what is seen.
Source: section 3 of the domain (roles) and section 7 (protected addresses).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from sqlalchemy import ColumnElement, and_, false, true

from services.i18n import N_
from services.models import Participation


class Role(StrEnum):
    """What someone is. The municipal roles are held for one or more municipalities."""

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
    """What someone may do; views are marked with these."""

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
    """The signed-in user as the register sees her. `places` are those she is caseworker for."""

    user_id: int
    username: str
    name: str
    roles: frozenset[Role]
    places: tuple[Place, ...] = ()
    administers: tuple[Place, ...] = ()
    sees_protected: bool = False

    def can(self, right: Right | str) -> bool:
        """True if one of her roles has the right."""
        return any(right in RIGHTS[role] for role in self.roles)

    @property
    def is_national(self) -> bool:
        """IMDi's people see the whole country."""
        return bool(self.roles & {Role.IMDI_READER, Role.IMDI_ADMIN})

    @property
    def sees_districts(self) -> bool:
        """The column Bydel is for those tied to Oslo, and for the whole country (guide 3.1)."""
        return self.is_national or any(place.number == OSLO for place in self.places)

    def registers_in(self, municipality_number: str) -> bool:
        """True if she may register and change participants there."""
        return self.can(Right.REGISTER) and any(p.number == municipality_number for p in self.places)

    @property
    def display_name(self) -> str:
        """Her name, for the page's head."""
        return self.name

    @property
    def municipality_names(self) -> list[str]:
        """Names of the municipalities that she belongs to, for the page's head."""
        return [place.name for place in dict.fromkeys(self.places + self.administers)]


def visible_to(viewer: Viewer, within: Sequence[str] | None = None) -> ColumnElement[bool]:
    """The participations that exist for her. Others must answer as if there were none.

    `within`: of these municipalities only. It never widens what she sees.
    """
    if not viewer.can(Right.READ):
        return false()
    if viewer.is_national:
        return _wall(None if within is None else tuple(within), viewer.is_national, viewer.sees_protected)
    own = tuple(place.number for place in viewer.places if within is None or place.number in within)
    return _wall(own, viewer.is_national, viewer.sees_protected)


@lru_cache(maxsize=1000)
def _wall(places: tuple[str, ...] | None, is_national: bool, sees_protected: bool) -> ColumnElement[bool]:
    """What `visible_to` says, in SQL. Every page asks for it, and few are different."""
    parts = [] if places is None else [_in_places(places)]
    if not is_national:
        parts.append(Participation.deleted_at.is_(None))
    if not sees_protected:
        parts.append(Participation.protected == false())
    return and_(true(), *parts)


def _in_places(numbers: Sequence[str]) -> ColumnElement[bool]:
    """One is asked for by equality: an index that begins with it then gives its order."""
    number = Participation.municipality_number
    return number == numbers[0] if len(numbers) == 1 else number.in_(numbers)
