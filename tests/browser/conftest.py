"""The browser, the server and the people of the browser tests.

One server of this process serves them all, so a test takes persons of its own (`someone`) and counts
only what it changes.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser

from services.folkeregisteret.population import SIZE, SyntheticPerson, people
from tests.browser.caseworker import Caseworker
from tests.support.browser import Watch, open_page, running_browser
from tests.support.databases import SQLITE, Databases
from tests.support.server import LiveServer, running_server

PARTICIPANTS = 400
OpenPage = Callable[..., AbstractContextManager[tuple[Caseworker, Watch]]]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, once for this test process."""
    with running_browser() as running:
        yield running


@pytest.fixture(scope="session")
def live_servers(databases: Databases, settings: dict[str, str]) -> Iterator[Callable[[str], LiveServer]]:
    """`live_servers("sqlite")`: the program on gunicorn with demo participants, started when first asked for."""
    running: dict[str, LiveServer] = {}
    with ExitStack() as stack:

        def on(dialect: str) -> LiveServer:
            if dialect not in running:
                address = databases.filled(dialect, PARTICIPANTS)
                stack.callback(databases.remove, address)
                running[dialect] = stack.enter_context(running_server({**settings, "DATABASE_URL": address}))
            return running[dialect]

        yield on


@pytest.fixture(scope="session")
def _unregistered() -> Iterator[SyntheticPerson]:
    """Women whom the demo data leave out."""
    return (each for each in people()[SIZE - 1000 :] if "ordinary" in each.kinds)


@pytest.fixture
def someone(_unregistered: Iterator[SyntheticPerson]) -> Callable[[], SyntheticPerson]:
    """`someone()`: a person whom nobody has registered."""
    return lambda: next(_unregistered)


@pytest.fixture
def at_screen(browser: Browser, live_servers: Callable[[str], LiveServer]) -> OpenPage:
    """`with at_screen("berit.bergen") as (berit, watch)`: a browser of her own, signed in.

    «» signs nobody in. `dialect`: the server's database. The rest goes to `open_page`; what the browser
    noted is checked at the end.
    """

    @contextmanager
    def at_screen(
        username: str = "", *, dialect: str = SQLITE, **options: Any
    ) -> Iterator[tuple[Caseworker, Watch]]:
        with open_page(browser, live_servers(dialect).base_url, **options) as (page, watch):
            user = Caseworker(page, scripts=options.get("javascript", True))
            if username:
                user.sign_in(username)
            yield user, watch

    return at_screen

