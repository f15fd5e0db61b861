"""Fixtures for all tests: the databases, the stand-ins, the program, its clients. All parts are real.

`database_url`, and with it `app` and `client`, run once for SQLite and once for PostgreSQL. They have the demo users
and no participants; `@pytest.mark.participants(40)` adds demo participants.
"""

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from services.access.seal_keys import read_or_make_keys
from services.accounts import throttle
from services.standins import control as standin_control
from services.standins.keys import load_or_create_key, public_key_pem
from services.standins.run import Standins, start_standins
from tests.support.client import CheckedClient
from tests.support.commands import free_ports
from tests.support.cost import costs_held
from tests.support.databases import DIALECTS, Databases, running_app
from tests.support.hashing import hash_cheaply
from tests.support.house import Clock, FailRegister, House, running_house
from tests.support.postbox import Postbox, open_postbox
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.registering import Office

# No deadline for examples: the speed depends on the machine. In continuous integration all runs try the same ones.
hypothesis_settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
hypothesis_settings.load_profile("house")

hash_cheaply()

CLIENT_ID, KEY_ID = "tests", "tests-1"


_LOGGING = (logging.Handler.format, logging.Handler.handle, logging.raiseExceptions, warnings.showwarning)


@pytest.fixture(autouse=True)
def _logging_of_pytest() -> Iterator[None]:
    """Restore pytest's logging: a program created for production or development changes the logging of its process
    (`app.web.logs`)."""

    def restore() -> None:
        handler = logging.Handler
        handler.format, handler.handle, logging.raiseExceptions, warnings.showwarning = _LOGGING  # type: ignore[method-assign]

    restore()
    yield
    restore()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this test process."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def standins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standins]:
    """Folkeregisteret (with Maskinporten) and PAD, over HTTP. To make them fail: `fail_register`."""
    key = load_or_create_key(_key_file(tmp_path_factory))
    running = start_standins(client_id=CLIENT_ID, key_id=KEY_ID, public_key_pem=public_key_pem(key))
    with running:
        yield running


@pytest.fixture
def fail_register(standins: Standins) -> Iterator[FailRegister]:
    """`fail_register("freg", "500", number=…)`: as `flask standins fail`; healed after the test."""
    servers = {"freg": standins.freg.base_url, "pad": standins.pad.base_url}

    def fail(register: str, kind: standin_control.Kind, number: str | None = None, **more: Any) -> None:
        standin_control.fail(servers[register], kind, number, **more)

    yield fail
    for base_url in servers.values():
        standin_control.heal(base_url)


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory, standins: Standins) -> dict[str, str]:
    """The program's settings, as in its environment, without DATABASE_URL."""
    read_or_make_keys(tmp_path_factory.getbasetemp() / "audit.key")
    return {
        "APP_ENV": "test",
        "SECRET_KEY": "only-for-tests-and-long-enough-for-them",
        "FREG_URL": standins.freg.base_url,
        "MASKINPORTEN_URL": standins.freg.base_url,
        "PAD_URL": standins.pad.base_url,
        "MASKINPORTEN_CLIENT_ID": CLIENT_ID,
        "MASKINPORTEN_KEY_FILE": str(_key_file(tmp_path_factory)),
        "MASKINPORTEN_KEY_ID": KEY_ID,
        "AUDIT_KEY_FILE": str(tmp_path_factory.getbasetemp() / "audit.key"),
        "DOWNLOADS_PER_HOUR": "5000",  # one user downloads, and looks up, for many tests
        "LOOKUPS_PER_HOUR": "5000",
        "LIST_PAGES_PER_HOUR": "1000000",
    }


def _key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp() / "maskinporten.pem"


@pytest.fixture(scope="session")
def databases(
    tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str], request: pytest.FixtureRequest
) -> Databases:
    """Creates databases; PostgreSQL is started when its first database is requested."""
    folder = tmp_path_factory.mktemp("databases")
    return Databases(folder, lambda: request.getfixturevalue("postgres"), settings)


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    """The database kinds: sqlite and postgresql."""
    return str(request.param)


@pytest.fixture
def empty_database_url(dialect: str, databases: Databases) -> Iterator[str]:
    """A database without tables, for the migrations."""
    address = databases.empty(dialect)
    yield address
    databases.remove(address)


@pytest.fixture
def database_url(dialect: str, databases: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated database with the demo users, and as many participants as the mark says."""
    address = databases.filled(dialect, _wanted_participants(request))
    yield address
    databases.remove(address)


def _wanted_participants(request: pytest.FixtureRequest) -> int:
    mark = request.node.get_closest_marker("participants")
    return int(mark.args[0]) if mark else 0


@pytest.fixture
def app(database_url: str, settings: dict[str, str]) -> Iterator[Flask]:
    """The program on that database."""
    with running_app({**settings, "DATABASE_URL": database_url}) as running:
        running.test_client_class = CheckedClient
        yield running


@pytest.fixture
def client(app: Flask) -> CheckedClient:
    """A client without a screen, not signed in; every response is checked."""
    made = app.test_client()
    assert isinstance(made, CheckedClient)
    return made


@pytest.fixture
def sign_in(app: Flask) -> Callable[[str], CheckedClient]:
    """`sign_in("kari.oslo")`: a client of the user, signed in through the form."""

    def sign_in(username: str) -> CheckedClient:
        made = app.test_client()
        assert isinstance(made, CheckedClient)
        made.login(username)
        return made

    return sign_in


@pytest.fixture
def services_context(app: Flask) -> Iterator[Flask]:
    """The program's context, for tests that call services without a request."""
    with app.app_context():
        yield app


# ---- The program with clients of its users ----


@pytest.fixture(scope="session", params=DIALECTS)
def house(request: pytest.FixtureRequest, databases: Databases, settings: dict[str, str]) -> Iterator[House]:
    """A house for tests that only read. They change nothing but the access log."""
    with running_house(request.param, databases, settings) as made:
        yield made


@pytest.fixture(scope="module", params=DIALECTS)
def own_house(request: pytest.FixtureRequest, databases: Databases, settings: dict[str, str]) -> Iterator[House]:
    """A house for the tests of one file, which may change it."""
    with running_house(request.param, databases, settings) as made:
        yield made


@pytest.fixture
def cheap_answers(request: pytest.FixtureRequest) -> Iterator[None]:
    """For tests with hostile input: each response must be cheap."""
    name = "own_house" if "own_house" in request.fixturenames else "house"
    made: House = request.getfixturevalue(name)
    with costs_held(made.app):
        yield


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(throttle, "now", made)
    return made


@pytest.fixture
def postbox() -> Postbox:
    """The mailbox for a test's e-mails."""
    return Postbox()


@pytest.fixture
def mail_url(postbox: Postbox) -> Iterator[str]:
    """A real SMTP server on this machine, which delivers to the postbox."""
    with open_postbox(postbox) as url:
        yield url


@pytest.fixture
def office(own_house: House) -> Office:
    """The caseworkers with their clients; berit.bergen and anne.tokommuner share Bergen."""
    return Office(own_house.app, own_house.client)


@pytest.fixture(scope="module", params=DIALECTS)
def strict(request: pytest.FixtureRequest, databases: Databases, settings: dict[str, str]) -> Iterator[House]:
    """A house that requires the second factor."""
    with running_house(request.param, databases, {**settings, "SECOND_FACTOR": "required"}, participants=0) as made:
        yield made


@pytest.fixture
def empty(empty_database_url: str, settings: dict[str, str]) -> Iterator[Flask]:
    """The program on a database without tables, in its context."""
    with running_app({**settings, "DATABASE_URL": empty_database_url}) as app, app.app_context():
        yield app


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {
        "PORT": str(free_ports()[0]),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'register.sqlite'}",
        "MASKINPORTEN_KEY_FILE": str(tmp_path / "key.pem"),
    }
