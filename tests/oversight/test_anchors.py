"""The anchors of the newest seals: in a file outside the database, and once a day by e-mail."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from app.commands.sealing import sealing
from services.core.db import db
from services.tables.accounts import User
from services.tables.participants import Seal
from tests.support.backups import done, run
from tests.support.databases import past_the_locks, running_app
from tests.support.postbox import Postbox, open_postbox
from tests.support.seals import add_lines, seal_now, told, verified

TO = "revisjon@example.org"
MISSING = "AUDIT_ANCHOR_FILE: the file is missing, or holds no anchors of this database, though there are seals"


@pytest.fixture
def anchor_file(tmp_path: Path) -> Path:
    """A path different from the default."""
    (tmp_path / "another host").mkdir()
    return tmp_path / "another host" / "hashes"


@pytest.fixture
def program(database_url: str, settings: dict[str, str], anchor_file: Path, mail_url: str) -> Iterator[Flask]:
    """The register with its anchors on another path, and an e-mail of them each day."""
    more = {"DATABASE_URL": database_url, "MAIL_URL": mail_url, "MAIL_FROM": "registeret@example.org"}
    more |= {"AUDIT_MAIL_TO": TO, "AUDIT_ANCHOR_FILE": str(anchor_file)}
    with running_app({**settings, **more}) as app:
        yield app


def newest(app: Flask) -> set[str]:
    """The hashes of the newest seals."""
    with app.app_context():
        seals = db.session.scalars(select(Seal).order_by(Seal.number)).all()
        return set({one.log: one.hash for one in seals}.values())


def grow(app: Flask) -> None:
    """A new seal, and the job's next run."""
    add_lines(app)
    seal_now(app)
    done(app, "seal-audit")


def a_day_passes(anchor_file: Path) -> None:
    kept = [json.loads(row) for row in anchor_file.read_text().splitlines()]
    late = [row | ({"mailed": "2026-01-01T12:00:00+00:00"} if "mailed" in row else {}) for row in kept]
    anchor_file.write_text("".join(f"{json.dumps(row)}\n" for row in late))


# ---- The e-mail ----


def test_the_newest_hashes_are_sent_once_a_day(program: Flask, postbox: Postbox, anchor_file: Path) -> None:
    done(program, "seal-audit")
    assert postbox.messages == [], "there is nothing to send before the first seal"
    for day in (1, 2):
        for _run in range(3):
            grow(program)
            assert len(postbox.to(TO)) == len(postbox.messages) == day
        a_day_passes(anchor_file)
    hashes = newest(program)
    done(program, "seal-audit")
    text = postbox.messages[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert hashes == {json.loads(row)["hash"] for row in text.splitlines() if row.startswith("{")}
    assert hashes


def test_nobodys_data_are_in_it_and_it_proves_what_is_gone(program: Flask, postbox: Postbox, tmp_path: Path) -> None:
    grow(program)
    (message,) = postbox.messages
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    rows = [json.loads(row) for row in text.splitlines() if row.startswith("{")]
    assert {frozenset(row) for row in rows} == {frozenset({"register", "log", "epoch", "number", "hash", "lines"})}
    with program.app_context():
        users = db.session.scalars(select(User)).all()
        told_of = {word for one in users for word in (one.username, one.email, one.name) if word}
    assert not [word for word in told_of if word in message.as_string()]
    kept = tmp_path / "e-mail.txt"
    kept.write_text(text)
    past_the_locks(program, "DELETE FROM access_entry", "DELETE FROM sealed_line", "DELETE FROM seal")
    result = run(program, "verify-audit", "--anchors", kept)
    assert (result.exit_code, "is anchored and gone" in result.output) == (1, True), result.output


@pytest.mark.parametrize("how", ["refuses", "is away"])
def test_it_is_not_lost_when_the_mail_server_fails(
    database_url: str, settings: dict[str, str], anchor_file: Path, postbox: Postbox, how: str
) -> None:
    with open_postbox(postbox) as url:
        port = urlsplit(url).port or 0
    more = {"DATABASE_URL": database_url, "MAIL_URL": url, "MAIL_FROM": "registeret@example.org", "AUDIT_MAIL_TO": TO}
    with running_app({**settings, **more, "AUDIT_ANCHOR_FILE": str(anchor_file)}) as app:
        if how == "is away":
            grow(app)
        else:
            postbox.answer = "451 later"
            with open_postbox(postbox, port):
                grow(app)
        assert postbox.messages == []
        verified(app)
        postbox.answer = ""
        with open_postbox(postbox, port):
            done(app, "seal-audit")
            done(app, "seal-audit")
        assert len(postbox.to(TO)) == 1


# ---- The file ----


def test_another_path_is_taken(program: Flask, anchor_file: Path) -> None:
    grow(program)
    assert newest(program) <= {json.loads(row).get("hash") for row in anchor_file.read_text().splitlines()}
    assert anchor_file.stat().st_mode & 0o777 == 0o600
    usual = Path(f"{program.config['SETTINGS'].audit_key_file}.anchors")
    assert not usual.exists() or sealing_register(program) not in usual.read_text()
    past_the_locks(program, "DELETE FROM seal WHERE log = 'access_entry'", "DELETE FROM sealed_line")
    assert "access_entry: seal 1 is anchored and gone" in told(program)


def sealing_register(app: Flask) -> str:
    with app.app_context():
        return sealing().anchors.register


@pytest.mark.parametrize("how", ["removed", "emptied", "of another database"])
def test_a_missing_file_is_a_fault_once_there_are_seals(
    program: Flask, anchor_file: Path, how: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert "No anchors of this database are here" in verified(program), "nothing is sealed yet"
    grow(program)
    grow(program)
    verified(program)
    kept = anchor_file.read_text()
    if how == "removed":
        anchor_file.unlink()
    else:
        anchor_file.write_text("" if how == "emptied" else kept.replace(sealing_register(program), "0123456789ab"))
    assert MISSING in told(program)
    (tmp_path / "e-mail").write_text(kept)
    result = run(program, "verify-audit", "--anchors", tmp_path / "e-mail")
    assert (result.exit_code, MISSING in result.output) == (1, True)
    done(program, "seal-audit")
    assert "AUDIT_ANCHOR_FILE holds no anchors of this database, though there are seals" in caplog.text
    verified(program)


@pytest.mark.parametrize("how", ["no folder", "a folder", "nonsense"])
def test_a_file_that_cannot_be_written_is_told_and_stops_no_sealing(
    program: Flask, anchor_file: Path, postbox: Postbox, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    if how == "no folder":
        anchor_file.parent.rmdir()
    elif how == "a folder":
        anchor_file.mkdir()
    else:
        anchor_file.write_text("{ nonsense\n")
    for _time in range(2):
        add_lines(program)
        assert seal_now(program) > 0
        assert done(program, "seal-audit") == "0 lines sealed.\n"
    assert "the newest seals are not anchored, AUDIT_ANCHOR_FILE cannot be written" in caplog.text
    assert [one.levelno for one in caplog.records if one.name == "services.access.seals"] >= [logging.ERROR] * 2
    assert len(postbox.messages) <= 1, "an e-mail each minute is none"
    said = told(program)
    assert (MISSING if how == "no folder" else "A file of anchors cannot be read") in said


def test_a_seal_that_did_not_come_into_the_file_is_told(program: Flask, anchor_file: Path) -> None:
    """The file exists, but was unreachable when the newest seal was made."""
    grow(program)
    kept = anchor_file.with_name("kept")
    anchor_file.rename(kept)
    anchor_file.mkdir()
    add_lines(program)
    seal_now(program)
    anchor_file.rmdir()
    kept.rename(anchor_file)
    verified(program)  # the job's next run adds it, if there is one
    past_the_locks(program, "UPDATE seal SET at = '2026-01-01 12:00:00' WHERE number > 1")
    assert "access_entry: seal 2 is not in AUDIT_ANCHOR_FILE" in told(program)
    done(program, "seal-audit")
    verified(program)
