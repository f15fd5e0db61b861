"""Production marks its database; without APP_ENV=production it is refused. Files belong to their owner."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from app import create_app
from app.settings.checks import BadSetting
from app.settings.config import PROJECT
from services.core.db import db
from tests.support.backups import done, run
from tests.support.commands import PRODUCTION
from tests.support.databases import DIALECTS, SQLITE, Databases, running_app

Settings = dict[str, str]


@pytest.fixture
def marked(dialect: str, databases: Databases, settings: Settings) -> Settings:
    """A database that production has used."""
    here = {"DATABASE_URL": databases.migrated(dialect)}
    with running_app(settings | PRODUCTION | here) as app, app.app_context():
        assert db.session.scalar(text("SELECT environment FROM installation")) == "production"
    return here


@pytest.mark.parametrize("environment", ["development", "test"])
def test_a_database_of_production_is_refused(marked: Settings, settings: Settings, environment: str) -> None:
    with pytest.raises(BadSetting, match="database of production"):
        create_app(settings | marked | {"APP_ENV": environment})
    with running_app(settings | PRODUCTION | marked) as app:
        assert app.config["SETTINGS"].in_production


@pytest.mark.parametrize("words", [["demo"], ["start"], ["verify-audit"], ["db", "upgrade"], ["backup", "/tmp/never"]])
def test_every_command_refuses_when_app_env_is_forgotten(
    marked: Settings, settings: Settings, words: list[str]
) -> None:
    environ = {"PATH": os.environ["PATH"], **settings, **marked}
    del environ["APP_ENV"]
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
    ended = subprocess.run(command, env=environ, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode != 0
    assert "database of production" in ended.stderr + ended.stdout


def test_a_database_that_comes_later_is_looked_at_then(
    dialect: str, marked: Settings, databases: Databases, settings: Settings
) -> None:
    """It did not respond at start, or was another one."""
    with running_app(settings | {"DATABASE_URL": databases.empty(dialect)}) as app:
        app.config["PROPAGATE_EXCEPTIONS"] = False
        with app.app_context():
            other = db.engine.url.set(database=_database_of(marked)).database
            _lead_to(str(other))
        answer = app.test_client().get("/logg-inn")
        assert answer.status_code >= 500
        assert run(app, "user", "list").exit_code != 0


@pytest.mark.parametrize("kind", DIALECTS)
def test_demo_users_are_looked_for_when_the_database_answers(
    kind: str, databases: Databases, settings: Settings
) -> None:
    with running_app(settings | PRODUCTION | {"DATABASE_URL": databases.empty(kind)}) as app:
        app.config["PROPAGATE_EXCEPTIONS"] = False
        with app.app_context():
            _lead_to(_database_of({"DATABASE_URL": databases.filled(kind)}))
        assert app.test_client().get("/logg-inn").status_code >= 500


def _database_of(here: Settings) -> str:
    from sqlalchemy.engine import make_url

    return str(make_url(here["DATABASE_URL"]).database)


def _lead_to(database: str) -> None:
    """Redirect new connections of the program to another database, as if it had replaced the old one."""
    from sqlalchemy import event

    @event.listens_for(db.engine, "do_connect")
    def _there(_dialect: object, _record: object, arguments: list[str], options: dict[str, str]) -> None:
        if db.engine.dialect.name == SQLITE:
            arguments[0] = database
        else:
            options["dbname"] = database


def test_a_backup_of_production_is_not_restored_elsewhere(
    marked: Settings, dialect: str, databases: Databases, settings: Settings, tmp_path: Path
) -> None:
    with running_app(settings | PRODUCTION | marked) as app:
        done(app, "backup", tmp_path / "register.backup")
    with running_app(settings | {"DATABASE_URL": databases.migrated(dialect)}) as app:
        result = run(app, "restore", tmp_path / "register.backup", "--yes")
        assert result.exit_code == 1
        assert "it is of a register in production" in result.output
        done(app, "verify-audit")


def test_the_file_of_the_database_is_for_its_owner(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "register.sqlite"
    for mode in (None, 0o644):
        if mode:
            path.chmod(mode)
        with running_app(settings | {"DATABASE_URL": f"sqlite:///{path}"}) as app:
            done(app, "db", "upgrade")
            with app.app_context(), db.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
                modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.glob("register.sqlite*")}
        assert set(modes.values()) == {0o600}, modes
        assert len(modes) == 3


_OTHER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM alembic_version").fetchall()
connection.close()  # the last one who closes takes the log of what was written with it
"""


def test_a_new_connection_leaves_the_locks_of_the_others_alone(databases: Databases, settings: Settings) -> None:
    """Otherwise another process may believe itself alone, and remove the program's write-ahead log."""
    address = databases.migrated(SQLITE)
    path = Path(address.removeprefix("sqlite:///"))
    with running_app(settings | {"DATABASE_URL": address}) as app, app.app_context(), db.engine.connect() as one:
        one.execute(text("SELECT count(*) FROM alembic_version")).all()
        with db.engine.connect() as other:
            other.execute(text("SELECT count(*) FROM alembic_version")).all()
        subprocess.run([sys.executable, "-c", _OTHER, str(path)], check=True, timeout=60)
        assert path.with_name(f"{path.name}-wal").exists()
    databases.remove(address)
