"""Databases for tests: migrated and filled once, then copied for each test, on SQLite and PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from flask import Flask
from sqlalchemy import text
from sqlalchemy.engine import make_url

from app import create_app
from app.web.page_views import end_shown
from services.core.db import db
from services.demo import fill
from tests.support.postgres import PostgresServer

SQLITE, POSTGRESQL = "sqlite", "postgresql"
DIALECTS = (SQLITE, POSTGRESQL)
SEED = 2026

Settings = Mapping[str, str]


@contextmanager
def running_app(settings: Settings) -> Iterator[Flask]:
    """The program in this process; its connections are closed at the end."""
    app = create_app(settings)
    try:
        yield app
    finally:
        end_shown(app)
        with app.app_context():
            db.session.remove()
            for engine in db.engines.values():
                engine.dispose()


def past_the_locks(app: Flask, *orders: str) -> None:
    """Execute statements without the append-only triggers, as an administrator of the database could."""
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            found = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%_no_%'"
            locks = db.session.execute(text(found)).all()
            unlock, lock = [f"DROP TRIGGER {name}" for name, _sql in locks], [sql for _name, sql in locks]
        else:
            unlock, lock = ["SET session_replication_role = replica"], ["SET session_replication_role = origin"]
        for order in (*unlock, *orders, *lock):
            db.session.execute(text(order))
        db.session.commit()


@dataclass
class Databases:
    """Creates databases of both kinds. `settings`: of the program, without DATABASE_URL."""

    folder: Path
    postgres: Callable[[], PostgresServer]
    settings: Settings
    _numbers: Iterator[int] = field(default_factory=count)
    _templates: dict[tuple[str, int], str] = field(default_factory=dict)

    def empty(self, dialect: str) -> str:
        """The address of a new database without tables."""
        if dialect == POSTGRESQL:
            return self.postgres().new_database().render_as_string(hide_password=False)
        return f"sqlite:///{self._new_file()}"

    def filled(self, dialect: str, participants: int = 0) -> str:
        """The address of a new database, migrated, with the demo users and so many demo participants."""
        template = self._template(dialect, participants)
        if dialect == POSTGRESQL:
            name = str(make_url(template).database)
            return self.postgres().new_database(template=name).render_as_string(hide_password=False)
        copy = self._new_file()
        shutil.copyfile(str(make_url(template).database), copy)
        return f"sqlite:///{copy}"

    def migrated(self, dialect: str) -> str:
        """The address of a new database with its tables and no users, as production begins."""
        address = self.empty(dialect)
        with running_app({**self.settings, "DATABASE_URL": address}) as app, app.app_context():
            app.extensions["alembic"].upgrade()
        return address

    def remove(self, address: str) -> None:
        """Remove a database that is no longer used."""
        url = make_url(address)
        if url.get_backend_name() == POSTGRESQL:
            self.postgres().drop(url)
            return
        for suffix in ("", "-wal", "-shm"):
            Path(f"{url.database}{suffix}").unlink(missing_ok=True)

    def _new_file(self) -> Path:
        return self.folder / f"register-{next(self._numbers)}.sqlite"

    def _template(self, dialect: str, participants: int) -> str:
        key = (dialect, participants)
        if key not in self._templates:
            address = self.empty(dialect)
            with running_app({**self.settings, "DATABASE_URL": address}) as app, app.app_context():
                app.extensions["alembic"].upgrade()
                fill(participants=participants, seed=SEED)
            self._templates[key] = address
        return self._templates[key]
