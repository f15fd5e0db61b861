"""Rights are read again inside the writing transaction: changes after the guard count."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import Executable, delete, func, insert, select, text, update

from services.core.db import db, now
from services.tables.accounts import RoleGrant, User, UserSession
from services.tables.participants import Beginning, Change, Participation, SavedView
from tests.support.client import form_in
from tests.support.databases import SQLITE
from tests.support.house import IS_OPEN, IS_PLAIN, House, of_places

NAME = "kari.oslo"
_ID = select(User.id).where(User.username == NAME).scalar_subquery()
_WRITTEN = (Change, Beginning, SavedView, Participation)


def blocked() -> Executable:
    return update(User).where(User.username == NAME).values(blocked_at=now())


def demoted() -> Executable:
    return delete(RoleGrant).where(RoleGrant.user_id == _ID)


def signed_out() -> Executable:
    return delete(UserSession).where(UserSession.user_id == _ID)


@contextmanager
def meanwhile(house: House, happens: Callable[[], Executable]) -> Iterator[None]:
    """Execute a statement between the guard and the view of the next request."""
    hooks = house.app.before_request_funcs[None]
    grants = house.ask(
        select(RoleGrant.user_id, RoleGrant.role, RoleGrant.municipality_number).where(RoleGrant.user_id == _ID)
    )

    def change() -> None:
        hooks.remove(change)
        house.write(happens())

    hooks.append(change)
    yield
    house.write(
        update(User).where(User.username == NAME).values(blocked_at=None),
        delete(RoleGrant).where(RoleGrant.user_id == _ID),
        insert(RoleGrant).values([row._asdict() for row in grants]),
    )


def written(house: House) -> list[int]:
    """The number of rows in each table that a caseworker writes."""
    rows = [house.ask(select(func.count()).select_from(table))[0][0] for table in _WRITTEN]
    return [*rows, house.ask(select(func.count()).where(Participation.deleted_at.is_not(None)))[0][0]]


ACTS: dict[str, tuple[str, str, dict[str, str]]] = {
    "an answer": ("/deltakere/{id}/bakgrunn", "Neste", {"children": "7"}),
    "a new registration": ("/deltakere/ny", "Neste", {"start_date": "01.02.2024"}),
    "a deletion": ("/deltakere/{id}/slett/bekreft", "Ja, slett deltaker", {"reason": "mistake"}),
}


@pytest.mark.parametrize("happens", [blocked, demoted, signed_out])
@pytest.mark.parametrize("act", ACTS)
def test_what_happens_after_the_guard_counts(own_house: House, act: str, happens: Callable[[], Executable]) -> None:
    address, button, fill = ACTS[act]
    client = own_house.nobody()
    client.login(NAME)
    public_id = own_house.participants(of_places(NAME), IS_OPEN, IS_PLAIN)[0]
    form = form_in(client.get(address.format(id=public_id)), button=button)
    before = written(own_house)
    with meanwhile(own_house, happens):
        answer = client.submit(form, button=button, extra=fill)
    assert answer.status_code == (403 if happens is demoted else 401)
    assert written(own_house) == before


def test_a_view_that_ends_its_own_visit_goes_on(own_house: House) -> None:
    """Signing out writes after the session has ended."""
    client = own_house.nobody()
    client.login(NAME)
    assert client.logout().status_code == 200
    assert client.get("/min-bruker").status_code == 303


def waits(house: House) -> bool:
    """True if a PostgreSQL transaction waits for another; on SQLite this is unknown."""
    activity = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    if house.app.config["SETTINGS"].database_url.startswith(SQLITE):
        return True
    with house.app.app_context(), db.engine.connect() as connection:
        return bool(connection.execute(activity).scalar())


def test_what_happens_while_a_row_is_waited_for_counts(own_house: House) -> None:
    """The guard and the beginning of the transaction have seen a user with all rights."""
    button = "Ja, slett deltaker"
    client = own_house.nobody()
    client.login(NAME)
    public_id = own_house.participants(of_places(NAME), IS_OPEN, IS_PLAIN)[0]
    form = form_in(client.get(f"/deltakere/{public_id}/slett/bekreft"), button=button)
    before, begun = written(own_house), threading.Event()
    hooks = own_house.app.before_request_funcs[None]
    hooks.append(begun.set)
    try:
        with ThreadPoolExecutor(1) as pool, own_house.app.app_context():
            with db.engine.connect().execution_options(writes=True) as other, other.begin():
                row = update(Participation).where(Participation.public_id == public_id)
                other.execute(row.values(version=Participation.version))
                other.execute(blocked())
                waiting = pool.submit(client.submit, form, button=button, extra={"reason": "mistake"})
                assert begun.wait(20)
                while not waits(own_house):
                    time.sleep(0.02)
                time.sleep(0.3)  # so that it counts as having waited
            answer = waiting.result(60)
    finally:
        hooks.remove(begun.set)
        own_house.write(update(User).where(User.username == NAME).values(blocked_at=None))
    assert answer.status_code == 401
    assert written(own_house) == before
