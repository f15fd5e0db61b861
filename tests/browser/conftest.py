"""The browser, the servers and the users of the browser tests.

One server of this process serves all tests on its database, so a test uses persons of its own (`someone`) and counts
only its own changes.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser

from services.standins.population import SIZE, SyntheticPerson, people
from tests.browser.caseworker import Caseworker
from tests.support.browser import Watch, open_page, running_browser
from tests.support.databases import POSTGRESQL, SQLITE, Databases
from tests.support.postgres import PostgresServer
from tests.support.server import LiveServer, running_server

PARTICIPANTS = 400
AtScreen = Callable[..., AbstractContextManager[tuple[Caseworker, Watch]]]
Someone = Callable[[], SyntheticPerson]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, once for this test process."""
    with running_browser() as running:
        yield running


@contextmanager
def _serving(databases: Databases, settings: dict[str, str], dialect: str, participants: int) -> Iterator[LiveServer]:
    address = databases.filled(dialect, participants)
    with running_server({**settings, "DATABASE_URL": address}) as running:
        yield running
    databases.remove(address)


@pytest.fixture(scope="session")
def live_server(databases: Databases, settings: dict[str, str]) -> Iterator[LiveServer]:
    """The program on its production server, with demo participants, on SQLite."""
    with _serving(databases, settings, SQLITE, PARTICIPANTS) as running:
        yield running


@pytest.fixture(scope="session")
def live_server_on_postgresql(
    postgres: PostgresServer, databases: Databases, settings: dict[str, str]
) -> Iterator[LiveServer]:
    """The same on PostgreSQL."""
    with _serving(databases, settings, POSTGRESQL, PARTICIPANTS) as running:
        yield running


@pytest.fixture(scope="session")
def empty_live_server(databases: Databases, settings: dict[str, str]) -> Iterator[LiveServer]:
    """The program with its users and no participants."""
    with _serving(databases, settings, SQLITE, 0) as running:
        yield running


@pytest.fixture(scope="session")
def strict_live_server(databases: Databases, settings: dict[str, str]) -> Iterator[LiveServer]:
    """The program with a second factor at sign-in."""
    with _serving(databases, {**settings, "SECOND_FACTOR": "required"}, SQLITE, 0) as running:
        yield running


@pytest.fixture(scope="session")
def _unregistered() -> Iterator[SyntheticPerson]:
    """Women who are not in the demo data."""
    return (each for each in people()[SIZE - 1000 :] if "ordinary" in each.kinds)


@pytest.fixture
def someone(_unregistered: Iterator[SyntheticPerson]) -> Someone:
    """`someone()`: a person who is not registered."""
    return lambda: next(_unregistered)


@pytest.fixture
def at_screen(browser: Browser, request: pytest.FixtureRequest) -> AtScreen:
    """`with at_screen("berit.bergen") as (berit, watch)`: a browser of the user, signed in.

    Without a name nobody is signed in. `server`: the fixture of the server. Other arguments are for `open_page`; faults
    that the browser recorded are checked at the end.
    """

    @contextmanager
    def at_screen(
        username: str = "", *, server: str = "live_server", **options: Any
    ) -> Iterator[tuple[Caseworker, Watch]]:
        base_url = request.getfixturevalue(server).base_url
        with open_page(browser, base_url, **options) as (page, watch):
            user = Caseworker(page, scripts=options.get("javascript", True))
            if username:
                user.sign_in(username)
            yield user, watch

    return at_screen
