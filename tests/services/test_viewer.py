"""Roles, rights, and the participants that each user sees, on both databases."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from services.access.viewer import OSLO, RIGHTS, Place, Right, Role, Viewer, visible_to
from services.accounts.sign_in import viewer_of
from services.core.db import session
from services.demo import USERS
from services.participation.find import NoSuchParticipant, find, may_change
from services.tables.accounts import User
from services.tables.participants import Participation

READ, REGISTER = Right.READ, Right.REGISTER
BERGEN, ASKOY = "4601", "4627"

# Section 3 of the domain, in short.
MAY = {
    Role.CASEWORKER: {READ, REGISTER},
    Role.MUNICIPAL_ADMIN: {Right.SEE_USERS},
    Role.IMDI_READER: {READ, Right.SEE_DELETED},
    Role.IMDI_ADMIN: {READ, Right.SEE_DELETED, Right.SEE_USERS, Right.MEND, Right.SEE_LOG},
}


def make(*roles: Role, places: tuple[str, ...] = (), sees_protected: bool = False) -> Viewer:
    """A viewer with the role kommunebruker in the places."""
    held = tuple(Place(number, number) for number in places)
    return Viewer(
        user_id=1, username="u", name="U", roles=frozenset(roles), places=held, sees_all_protected=sees_protected
    )


def test_rights_of_the_roles() -> None:
    assert {role: set(rights) for role, rights in RIGHTS.items()} == MAY
    assert set(RIGHTS) == set(Role)


@pytest.mark.parametrize("role", Role)
def test_rights_of_a_viewer_are_those_of_her_roles(role: Role) -> None:
    assert {right for right in Right if make(role).can(right)} == MAY[role]
    both = make(role, Role.MUNICIPAL_ADMIN)
    assert {right for right in Right if both.can(right)} == MAY[role] | MAY[Role.MUNICIPAL_ADMIN]
    assert not make().can(READ)


def test_districts_are_for_oslo_and_the_whole_country() -> None:
    assert make(Role.CASEWORKER, places=(BERGEN, OSLO)).sees_districts
    assert make(Role.IMDI_READER).sees_districts
    assert not make(Role.CASEWORKER, places=(BERGEN,)).sees_districts
    assert not make(Role.MUNICIPAL_ADMIN).sees_districts


def test_registering_is_for_ones_own_municipalities() -> None:
    caseworker = make(Role.CASEWORKER, places=(BERGEN, ASKOY))
    assert [caseworker.registers_in(number) for number in (BERGEN, ASKOY, OSLO, "")] == [True, True, False, False]
    assert not make(Role.IMDI_ADMIN, places=(BERGEN,)).registers_in(BERGEN), "IMDi changes nothing"
    assert not make(Role.CASEWORKER).registers_in(BERGEN)


def test_names_of_places_stand_once() -> None:
    oslo = Place(OSLO, "Oslo")
    both = Viewer(user_id=1, username="u", name="U", roles=frozenset(), places=(oslo,), administers=(oslo,))
    assert both.municipality_names == ["Oslo"]


Sees = Callable[[Participation], bool]

# The participants that each demo user sees, written independently of the program.
EXISTS: dict[str, Sees] = {
    "kari.oslo": lambda p: p.municipality_number == OSLO and not p.deleted_at and not p.protected,
    "berit.bergen": lambda p: p.municipality_number == BERGEN and not p.deleted_at and not p.protected,
    "anne.tokommuner": lambda p: p.municipality_number in {BERGEN, ASKOY} and not p.deleted_at and not p.protected,
    "siri.vern": lambda p: p.municipality_number == OSLO and not p.deleted_at,
    "admin.bergen": lambda p: False,
    "ida.imdi": lambda p: not p.protected,
    "admin.imdi": lambda p: not p.protected,
}


def viewer_named(username: str) -> Viewer:
    found = viewer_of(session().scalars(select(User.id).where(User.username == username)).one())
    assert found is not None
    return found


@pytest.mark.participants(40)
def test_what_exists_for_each_demo_user(services_context: Flask) -> None:
    assert set(EXISTS) == {user.username for user in USERS}
    every = list(session().scalars(select(Participation)))
    for username, exists in EXISTS.items():
        viewer = viewer_named(username)
        seen = set(session().scalars(select(Participation.public_id).where(visible_to(viewer))))
        assert seen == {one.public_id for one in every if exists(one)}, username
        found = {public_id for public_id in (one.public_id for one in every) if _finds(viewer, public_id)}
        assert found == seen, username
    trusted = make(Role.IMDI_READER, sees_protected=True)
    assert len(list(session().scalars(select(Participation.id).where(visible_to(trusted))))) == len(every)
    nowhere = make(Role.CASEWORKER)
    assert not list(session().scalars(select(Participation.id).where(visible_to(nowhere))))


def _finds(viewer: Viewer, public_id: str) -> bool:
    try:
        find(viewer, public_id)
    except NoSuchParticipant:
        return False
    return True


@pytest.mark.participants(40)
def test_only_the_open_of_ones_own_may_be_changed(services_context: Flask) -> None:
    for username in ("kari.oslo", "anne.tokommuner", "ida.imdi", "admin.imdi"):
        viewer = viewer_named(username)
        own = {place.number for place in viewer.places}
        for one in session().scalars(select(Participation)):
            is_open = one.discharged_at is None and one.deleted_at is None
            assert may_change(viewer, one) == (is_open and one.municipality_number in own)
