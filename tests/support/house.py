"""The program on a database of its own, with clients of its users: used by most tests."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import ColumnElement, Executable, select

from app.web.page_views import view_log
from services.access.viewer import Role
from services.core.db import db, now
from services.core.status import Status
from services.demo import USERS, DemoUser
from services.tables.participants import Participation
from tests.support.client import CheckedClient
from tests.support.databases import Databases, running_app

FailRegister = Callable[..., None]  # `fail_register("freg", "500", number=…)`
PARTICIPANTS = 340  # more than a page of them in Oslo, on any day


_P = Participation


@dataclass
class House:
    """The program on a database of its own. Responses of its clients are checked."""

    app: Flask
    _clients: dict[str, CheckedClient] = field(default_factory=dict)

    def nobody(self) -> CheckedClient:
        """A new client, not signed in."""
        made = self.app.test_client()
        assert isinstance(made, CheckedClient)
        return made

    def client(self, username: str | None) -> CheckedClient:
        """The client of a user, signed in once for all tests; for `None` a new one that is not signed in."""
        if username is None:
            return self.nobody()
        if username not in self._clients:
            made = self.nobody()
            made.login(username)
            self._clients[username] = made
        return self._clients[username]

    def ask(self, question: Executable) -> list[Any]:
        """The rows of a statement, read without the program, after its queued lines are written."""
        with self.app.app_context():
            view_log().write()
            return list(db.session.execute(question))

    def write(self, *orders: Executable) -> None:
        """Change the database without the program."""
        with self.app.app_context():
            for order in orders:
                db.session.execute(order)
            db.session.commit()

    def participants(self, *wanted: ColumnElement[bool]) -> list[str]:
        """The public ids of matching participants, including deleted ones."""
        return [row.public_id for row in self.ask(select(_P.public_id).where(*wanted).order_by(_P.id))]


def demo_user(username: str) -> DemoUser:
    """The demo user with that name."""
    return next(user for user in USERS if user.username == username)


def of_places(username: str) -> ColumnElement[bool]:
    """The condition for participants of the user's municipalities; all for IMDi's users."""
    user = demo_user(username)
    if user.role in {Role.IMDI_READER, Role.IMDI_ADMIN}:
        return _P.id.is_not(None)
    return _P.municipality_number.in_(user.municipality_numbers)


IS_OPEN = (_P.status != Status.DISCHARGED) & _P.deleted_at.is_(None)


IS_PLAIN = _P.protected.is_(False)


@contextmanager
def running_house(
    dialect: str, databases: Databases, settings: Mapping[str, str], participants: int = PARTICIPANTS
) -> Iterator[House]:
    """A house on a database of its own, which is removed afterwards."""
    address = databases.filled(dialect, participants)
    with running_app({**settings, "DATABASE_URL": address}) as app:
        app.test_client_class = CheckedClient
        yield House(app)
    databases.remove(address)


class Clock:
    """The throttle's clock in a test: it advances on demand only, however slow the machine is."""

    def __init__(self) -> None:
        self._ahead, self._start = timedelta(), now()

    def __call__(self) -> datetime:
        return self._start + self._ahead

    def wait(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)
