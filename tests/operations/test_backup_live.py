"""Backup and restore while others work, and killed restores."""

import os
import re
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from services.core.db import db
from services.participation.find import NoSuchParticipant
from services.participation.merge import NoSuchVersion
from tests.support.backups import all_rows, done
from tests.support.client import CheckedClient
from tests.support.commands import Started, started, until
from tests.support.databases import Databases, past_the_locks, running_app
from tests.support.registering import Office
from tests.support.server import LiveServer, running_server

SignIn = Callable[[str], CheckedClient]
UNEQUAL = """
    SELECT p.id FROM participation p
    WHERE p.version <> (SELECT max(version) FROM change c WHERE c.participation_ref = p.id)
"""
MISCOUNTED = """
    SELECT 1 FROM participation_count c WHERE number <> (
        SELECT count(*) FROM participation p WHERE p.municipality_number = c.municipality_number
        AND p.status = c.status AND p.protected = c.protected AND (p.deleted_at IS NOT NULL) = c.deleted
    )
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of the backup."""
    return tmp_path / "register.backup"


def ask(app: Flask, question: str) -> list[object]:
    with app.app_context(), db.engine.connect() as connection:
        return list(connection.execute(text(question)))


class Caseworkers(threading.Thread):
    """Caseworkers who save as fast as they can, until stopped."""

    def __init__(self, office: Office, people: list[str]) -> None:
        super().__init__()
        self.office, self.people = office, people
        self.saved = 0
        self.failed: list[BaseException] = []
        self.end = threading.Event()

    def run(self) -> None:
        while not self.end.is_set():
            for public_id in self.people:
                try:
                    channel = "Nav" if self.saved % 2 else "Annet"
                    self.office.put(public_id, "bakgrunn", {"Antall barn under 18 år": str(self.saved % 9)})
                    self.office.put(public_id, "bakgrunn", {"Rekrutteringskanal": channel})
                    self.saved += 1
                except (NoSuchParticipant, NoSuchVersion, OperationalError) as error:  # a restore came in between
                    self.failed.append(error)


@pytest.mark.participants(340)
def test_a_backup_among_writers_shows_one_moment(
    app: Flask, sign_in: SignIn, file: Path, dialect: str, databases: Databases, settings: dict[str, str]
) -> None:
    office = Office(app, sign_in)
    people = [office.given() for _number in range(5)]
    others = Caseworkers(office, people)
    others.start()
    try:
        before = others.saved
        done(app, "backup", file)
        assert others.saved > before, "they went on working"
    finally:
        others.end.set()
        others.join()
    assert not others.failed
    address = databases.migrated(dialect)
    with running_app({**settings, "DATABASE_URL": address}) as new:
        done(new, "restore", file, "--yes")
        assert ask(new, UNEQUAL) == []
        assert ask(new, MISCOUNTED) == []
        held = len(ask(new, "SELECT 1 FROM change"))
    assert 0 < held < len(ask(app, "SELECT 1 FROM change"))
    databases.remove(address)


@pytest.mark.participants(340)
def test_writers_during_a_restore_leave_nothing_half(app: Flask, sign_in: SignIn, file: Path) -> None:
    office = Office(app, sign_in)
    people = [office.given() for _number in range(3)]
    done(app, "backup", file)
    newcomer = office.given()  # unknown to the backup
    others = Caseworkers(office, [*people, newcomer])
    others.start()
    try:
        done(app, "restore", file, "--yes")
    finally:
        others.end.set()
        others.join()
    assert {type(error) for error in others.failed} <= {NoSuchParticipant, NoSuchVersion, OperationalError}
    assert ask(app, UNEQUAL) == []
    assert ask(app, MISCOUNTED) == []
    assert len(ask(app, f"SELECT 1 FROM participation WHERE public_id = '{newcomer}'")) == 0


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_restore_begins_again_when_it_has_to_give_way(app: Flask, file: Path) -> None:
    """A transaction holds one of the last tables and wants one of the first, which the restore holds already:
    PostgreSQL aborts the one whose deadlock check comes first. Here it is the restore, also when this test is
    delayed."""
    done(app, "backup", file)
    with app.app_context():
        with db.engine.begin() as setting:
            setting.execute(text(f"ALTER DATABASE {db.engine.url.database} SET deadlock_timeout = '4s'"))
        db.engine.dispose()
    with app.app_context(), db.engine.connect() as other, db.engine.connect() as looking:
        other.execute(text("SET deadlock_timeout = '60s'"))
        other.execute(text("LOCK TABLE draft_value IN ROW EXCLUSIVE MODE"))
        restoring = threading.Thread(target=done, args=(app, "restore", file, "--yes"))
        restoring.start()
        waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'draft_value'::regclass")
        while not looking.scalar(waits):
            looking.rollback()
            time.sleep(0.02)
        other.execute(text("LOCK TABLE access_entry, user_account IN ROW EXCLUSIVE MODE"))
        other.commit()
        restoring.join()
    assert len(ask(app, "SELECT 1 FROM access_entry WHERE action = 'restore_backup'")) == 1


class Looking(threading.Thread):
    """A client that requests the list from a running server again and again, with the responses."""

    def __init__(self, server: LiveServer, cookie: str) -> None:
        super().__init__()
        self.server, self.cookie = server, cookie
        self.answers: list[tuple[int, str]] = []
        self.end = threading.Event()

    def run(self) -> None:
        while not self.end.is_set():
            self.answers.append(look(self.server, self.cookie))


def look(server: LiveServer, cookie: str) -> tuple[int, str]:
    """Status, and the number of participants on the page, or the target of a redirect."""
    with closing(HTTPConnection(server.base_url.removeprefix("http://"), timeout=60)) as connection:
        connection.request("GET", "/deltakere", headers={"Cookie": f"session={cookie}"})
        answer = connection.getresponse()
        counted = re.search(r"Antall deltakere: (\d+)", answer.read().decode())
        return answer.status, counted[1] if counted else answer.headers.get("Location", "")


def cookie_of(client: CheckedClient) -> str:
    cookie = client.get_cookie("session")
    assert cookie is not None
    return cookie.value


@pytest.mark.participants(340)
def test_a_running_server_shows_it_and_asks_to_sign_in_again(
    app: Flask, sign_in: SignIn, database_url: str, settings: dict[str, str], file: Path
) -> None:
    with running_server({**settings, "DATABASE_URL": database_url}, workers=2) as server:
        old = look(server, cookie_of(sign_in("kari.oslo")))
        assert old[0] == 200
        done(app, "backup", file)
        with app.app_context():
            db.session.execute(text("UPDATE participation SET deleted_at = changed_at, deleted_by = 'x' WHERE id > 9"))
            db.session.commit()
        cookie = cookie_of(sign_in("kari.oslo"))
        ruined = look(server, cookie)
        assert int(ruined[1]) != int(old[1])
        browser = Looking(server, cookie)
        browser.start()
        try:
            done(app, "restore", file, "--yes")
            end = time.monotonic() + 60
            while browser.answers[-1][0] == 200 and time.monotonic() < end:
                time.sleep(0.05)
        finally:
            browser.end.set()
            browser.join()
        seen = [answer for answer in browser.answers if answer[0] == 200]
        assert set(seen[:-1]) <= {ruined}, "what was before, whole, until the restore was done"
        assert seen[-1] in {ruined, old}  # on PostgreSQL a request that was accepted before may see the later data
        assert {status for status, _where in browser.answers} == {200, 303}
        assert browser.answers[-1][1].startswith("/logg-inn")
        assert look(server, cookie_of(sign_in("kari.oslo"))) == old, "no restart was needed"


# ---- kill -9 ----


def holds_the_lock(app: Flask) -> bool:
    """True if the restore is in its transaction."""
    with app.app_context():
        if db.engine.dialect.name != "sqlite":
            found = "SELECT 1 FROM pg_locks WHERE mode = 'ExclusiveLock' AND relation = 'participation'::regclass"
            return bool(ask(app, found))
        with closing(sqlite3.connect(str(db.engine.url.database), timeout=0, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            return False


@pytest.mark.participants(1000)
@pytest.mark.parametrize("moment", ["keeping what was there", "emptying", "filling"])
def test_a_killed_restore_leaves_what_was(
    app: Flask, database_url: str, settings: dict[str, str], file: Path, moment: str
) -> None:
    done(app, "backup", file)
    past_the_locks(app, "UPDATE participation SET changed_by = 'senere'", "DELETE FROM change WHERE id % 2 = 0")
    before = all_rows(app)
    environ = {**settings, "DATABASE_URL": database_url}
    with started(environ, file.with_name("log"), "restore", "--yes", str(file)) as restore:
        until(lambda: holds_the_lock(app), restore)
        if moment != "keeping what was there":
            until(lambda: "What was there is kept in" in restore.said(), restore)
        if moment == "filling":
            time.sleep(0.5)
        kill(restore)
    assert all_rows(app) == before
    done(app, "restore", file, "--yes")
    assert ask(app, "SELECT 1 FROM participation WHERE changed_by = 'senere'") == []


def kill(restore: Started) -> None:
    """Kill the restore before its end."""
    assert restore.process.poll() is None, restore.said()
    os.kill(restore.process.pid, signal.SIGKILL)
    assert restore.process.wait() == -signal.SIGKILL
    assert "Restored" not in restore.said()
