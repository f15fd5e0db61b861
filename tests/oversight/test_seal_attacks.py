"""What `verify-audit` reports about attacks with all rights in the database, but without key and anchors."""

import hashlib
import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from app.commands.sealing import sealing
from services.access import seals
from services.access.seal_keys import Keys, Sealing
from services.core.db import db
from services.tables.participants import Seal
from tests.support.backups import done, run
from tests.support.databases import SQLITE, past_the_locks
from tests.support.seals import add_lines, seal_now, told, verified

LOGS = ("access_entry", "change")
OLD = "'2020-01-01 00:00:00'"


@pytest.fixture
def sealed(app: Flask) -> Flask:
    """A register with three seals of the access log."""
    for _time in range(3):
        add_lines(app)
        seal_now(app)
    verified(app)
    return app


def all_seals() -> list[Seal]:
    return list(db.session.scalars(select(Seal)))


def last_id(app: Flask) -> int:
    with app.app_context():
        return int(db.session.scalar(text("SELECT max(id) FROM access_entry")))


def test_newest_lines_and_their_seals_removed(sealed: Flask) -> None:
    past_the_locks(
        sealed,
        "DELETE FROM access_entry WHERE id > (SELECT last_id FROM seal WHERE log = 'access_entry' AND number = 2)",
        "DELETE FROM sealed_line WHERE log = 'access_entry' AND line > "
        "(SELECT last_id FROM seal WHERE log = 'access_entry' AND number = 2)",
        "DELETE FROM seal WHERE log = 'access_entry' AND number = 3",
    )
    assert "access_entry: seal 3 is anchored and gone" in told(sealed)
    add_lines(sealed)
    seal_now(sealed)  # the job does not conceal it
    assert "access_entry: seal 3 is not the one that was anchored" in told(sealed)


def test_the_whole_log_emptied(sealed: Flask) -> None:
    past_the_locks(sealed, *(f"DELETE FROM {table}" for table in (*LOGS, "seal", "sealed_line")))
    assert "access_entry: seal 1 is anchored and gone" in told(sealed)
    seal_now(sealed)
    told(sealed)


def test_seals_removed_and_lines_changed(sealed: Flask) -> None:
    past_the_locks(
        sealed, "DELETE FROM seal", "DELETE FROM sealed_line", "UPDATE access_entry SET user_id = 1 WHERE id > 1"
    )
    assert "access_entry: seal 1 is anchored and gone" in told(sealed)
    seal_now(sealed)
    assert "access_entry: seal 1 is not the one that was anchored" in told(sealed)


@pytest.mark.parametrize("key_id", ["1", None])
def test_the_chain_made_anew_without_the_key(sealed: Flask, key_id: str | None) -> None:
    past_the_locks(sealed, "DELETE FROM seal", "DELETE FROM sealed_line", "UPDATE access_entry SET user_id = 1")
    with sealed.app_context():
        own = sealing()
        forged = Sealing(Keys({"1": b"guessed"}), type(own.anchors)(own.anchors.path.with_name("forged"), "forged"))
        seals.seal(forged, settled=timedelta(seconds=-1))
        own.anchors.path.with_name("forged").unlink()
    if key_id is None:
        past_the_locks(sealed, "UPDATE seal SET key_id = NULL")
    said = told(sealed)
    assert "access_entry: seal 1 is not the one that was anchored" in said
    assert "access_entry: seal 1 does not fit" in said
    assert ("made without a key" in said) is (key_id is None)


def test_a_forged_restore_hides_nothing(sealed: Flask) -> None:
    past_the_locks(sealed, "DELETE FROM seal", "DELETE FROM sealed_line", "UPDATE access_entry SET user_id = 1")
    with sealed.app_context():
        own = sealing()
        ends = [[one.log, one.epoch, one.number, one.hash] for one in own.anchors.read()]
        seals.open_epoch(db.session(), Keys({"1": b"guessed"}), ends)
        db.session.commit()
    assert "access_entry: seal 3 is anchored and gone" in told(sealed)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_back_dated_line_with_a_negative_id(sealed: Flask, when: str) -> None:
    order = f"INSERT INTO access_entry (id, at, action) VALUES (-7, {OLD}, 'open')"
    past_the_locks(sealed, order, *(["DELETE FROM seal", "DELETE FROM sealed_line"] if when == "before" else []))
    assert "access_entry: line -7 was inserted" in told(sealed)
    seal_now(sealed)
    assert "access_entry: line -7 was inserted" in told(sealed)


def test_an_old_line_that_is_not_sealed(sealed: Flask) -> None:
    line = last_id(sealed) + 5
    past_the_locks(sealed, f"INSERT INTO access_entry (id, at, action) VALUES ({line}, {OLD}, 'open')")
    assert f"access_entry: line {line} is older than 15 minutes and not sealed" in told(sealed)


def test_a_line_removed_and_put_back_otherwise(sealed: Flask) -> None:
    line = last_id(sealed)
    past_the_locks(
        sealed,
        f"DELETE FROM access_entry WHERE id = {line}",
        f"INSERT INTO access_entry (id, at, action, user_id) VALUES ({line}, {OLD}, 'search', 1)",
    )
    assert f"access_entry: line {line} was changed" in told(sealed)


@pytest.mark.parametrize("table", ["access_entry", "change", "seal", "sealed_line"])
def test_locks_that_are_off(sealed: Flask, dialect: str, table: str) -> None:
    off = (
        f"DROP TRIGGER {table}_no_update"
        if dialect == SQLITE
        else f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only"
    )
    with sealed.app_context():
        db.session.execute(text(off))
        db.session.commit()
    assert f"{table}: the triggers that keep the table append-only are gone" in told(sealed)


@pytest.mark.parametrize("table", ["access_entry", "seal", "sealed_line"])
def test_no_line_is_replaced(sealed: Flask, dialect: str, table: str) -> None:
    """INSERT OR REPLACE and UPDATE OR REPLACE on SQLite; TRUNCATE and ON CONFLICT DO UPDATE on PostgreSQL."""
    keys = "id" if table == "access_entry" else "log, " + {"seal": "number", "sealed_line": "line"}[table]
    if dialect == SQLITE:
        orders = [
            f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1",
            f"UPDATE OR REPLACE {table} SET rowid = 1",
        ]
    else:
        update = f"ON CONFLICT ({keys}) DO UPDATE SET {keys.split(', ')[-1]} = 0"
        conflict = f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1 {update}"
        orders = [f"TRUNCATE {table}", conflict]
    for order in orders:
        with sealed.app_context():
            with pytest.raises(DatabaseError, match="append-only"):
                db.session.execute(text(order))
            db.session.rollback()
    verified(sealed)


def test_a_restore_is_told_and_is_no_tampering(sealed: Flask, tmp_path: Path) -> None:
    done(sealed, "backup", tmp_path / "first")
    add_lines(sealed)
    seal_now(sealed)
    done(sealed, "backup", tmp_path / "second")
    add_lines(sealed)
    seal_now(sealed)
    done(sealed, "restore", tmp_path / "second", "--yes")
    assert "replaced by a restore" in verified(sealed)
    done(sealed, "restore", tmp_path / "first", "--yes")
    assert "replaced by a restore" in verified(sealed)
    with sealed.app_context():
        opened = db.session.scalars(select(Seal).where(Seal.log == "access_entry").order_by(Seal.number)).all()[-1]
        assert opened.epoch == 3
        assert {end[1] for end in opened.replaced or () if end[0] == "access_entry"} == {1, 2}
    past_the_locks(
        sealed,
        f"DELETE FROM seal WHERE log = 'access_entry' AND number = {opened.number}",
        f"DELETE FROM sealed_line WHERE log = 'access_entry' AND line >= {opened.first_id}",
        f"DELETE FROM access_entry WHERE id >= {opened.first_id}",
    )
    assert "is anchored and gone" in told(sealed)  # a hidden restore


def test_a_key_is_changed(sealed: Flask) -> None:
    path = sealed.config["SETTINGS"].audit_key_file
    before = path.read_text()
    try:
        path.write_text(f"{before}2 {'ab' * 32}\n")
        add_lines(sealed)
        seal_now(sealed)
        verified(sealed)
        path.write_text(before)
        assert "made with a key that is not in AUDIT_KEY_FILE" in told(sealed)
    finally:
        path.write_text(before)


def test_old_seals_are_closed_in_by_the_first_one_with_a_key(app: Flask) -> None:
    """Seals from before keys were introduced stay and are verified; the job adds one with a key, even without new
    lines."""
    add_lines(app)
    seal_now(app)
    with app.app_context():
        own = sealing()
        digests = {one.log: [line.digest for line in seals._digests(one.log, one)] for one in all_seals()}
        for log, some in digests.items():
            hashed = hashlib.sha256("\n".join(["0" * 64, "1", *some]).encode()).hexdigest()
            past_the_locks(app, f"UPDATE seal SET key_id = NULL, hash = '{hashed}' WHERE log = '{log}'")
        kept = own.anchors.path.read_text()
        own.anchors.path.write_text(
            "\n".join(row for row in kept.splitlines() if own.anchors.register not in row) + "\n"
        )
    assert "made without a key" in told(app)
    done(app, "seal-audit")
    verified(app)


def test_two_seal_at_once(app: Flask) -> None:
    add_lines(app, 20)
    begin, failed = threading.Barrier(4), []

    def run_one() -> None:
        begin.wait()
        try:
            seal_now(app)
        except Exception as problem:  # checked below
            failed.append(problem)

    together = [threading.Thread(target=run_one) for _one in range(4)]
    for one in together:
        one.start()
    for one in together:
        one.join()
    assert failed == []
    verified(app)


def test_anchors_come_from_elsewhere_too(sealed: Flask, tmp_path: Path) -> None:
    with sealed.app_context():
        own = sealing()
    kept = tmp_path / "from-an-e-mail.txt"
    mine = [
        row for row in own.anchors.path.read_text().splitlines() if json.loads(row)["register"] == own.anchors.register
    ]
    kept.write_text("Keep this.\n\n" + "\n".join(mine) + "\n")
    rest = [row for row in own.anchors.path.read_text().splitlines() if row not in mine]
    own.anchors.path.write_text("".join(f"{row}\n" for row in rest))
    past_the_locks(
        sealed, "DELETE FROM seal", "DELETE FROM sealed_line", "DELETE FROM access_entry", "DELETE FROM change"
    )
    assert "No anchors of this database are here" in verified(sealed)
    result = run(sealed, "verify-audit", "--anchors", kept)
    assert result.exit_code == 1
    assert "seal 3 is anchored and gone" in result.output
