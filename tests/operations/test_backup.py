"""`flask backup FILE`, `flask restore FILE`: what is restored, what is not, and what is refused."""

import hashlib
import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from app.commands.sealing import sealing
from app.web.page_views import view_log
from services.access import seals
from services.accounts import sign_in as accounts
from services.core.db import db, now, writing
from services.mail.outbox import Outbox, newest
from services.mail.smtp import Letter, Server
from services.tables.accounts import OutboxMessage, User
from services.tables.participants import AccessEntry, Participation
from tests.support.backups import (
    Rows,
    all_rows,
    change_manifest,
    columns_of,
    done,
    forge,
    lasting,
    run,
)
from tests.support.client import CheckedClient, form_in, text_of
from tests.support.commands import PRODUCTION, ROOT
from tests.support.databases import DIALECTS, SQLITE, Databases, past_the_locks, running_app
from tests.support.invitations import invite
from tests.support.letters import last_path
from tests.support.registering import BY_MISTAKE, Office, address, goal_of

SignIn = Callable[[str], CheckedClient]
# Everything is changed, deleted, or made anew.
RUIN = (
    "DELETE FROM activity",
    "DELETE FROM leave",
    "DELETE FROM draft_value",
    "DELETE FROM notice",
    "UPDATE participation SET name = 'Borte', name_words = 'borte', version = version + 7 WHERE status <> 4",
    "DELETE FROM change WHERE id > 20",
    "UPDATE change SET username = 'noen.annen'",
    "DELETE FROM seal",
    "DELETE FROM sealed_line",
    "UPDATE user_account SET phone = '000', sees_protected = true",
    "DELETE FROM role_grant WHERE role <> 'caseworker'",
    "DELETE FROM saved_view",
    "UPDATE municipality SET name = 'Nyby'",
)
ROOM = 70_000  # bytes


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of the backup."""
    return tmp_path / "register.backup"


def seal_now(app: Flask) -> None:
    with app.app_context():
        view_log().write()
        seals.seal(sealing(), settled=timedelta(seconds=-1))


def without_epochs(rows: Rows) -> Rows:
    """The rows that a restore must bring back, without seals, since a restore adds some."""
    return {name: found for name, found in lasting(rows).items() if name not in {"seal", "sealed_line"}}


def found_by(client: CheckedClient, words: str) -> str:
    """The list for a search."""
    token = str(form_in(client.get("/hjelp"), button="Logg ut").value("csrf_token"))
    page = client.post("/deltakere/sok", data={"csrf_token": token, "q": words}, follow_redirects=True)
    assert page.status_code == 200
    return text_of(page)


def worked_on(app: Flask, sign_in: SignIn) -> Office:
    """A register in use: answers, drafts, a deletion, searches, seals."""
    clients: dict[str, CheckedClient] = {}
    office = Office(app, lambda user: clients.setdefault(user, sign_in(user)))
    office.complete()
    office.put(office.given(), "bakgrunn", {"Antall barn under 18 år": "mange", "Rekrutteringskanal": "Nav"})
    deleted = office.given()
    berit = office.client_of("berit.bergen")
    question = berit.get(address(deleted, "slett", "bekreft"))
    goal_of(berit.submit(question, button="Ja, slett deltaker", fill=BY_MISTAKE))
    found_by(berit, "an")
    seal_now(app)
    return office


@pytest.mark.participants(60)
def test_every_row_comes_back(app: Flask, sign_in: SignIn, file: Path) -> None:
    office = worked_on(app, sign_in)
    said = done(app, "backup", file)
    before = all_rows(app)
    held = {name for name, rows in before.items() if rows}
    assert held >= {"draft_value", "search", "change", "seal", "sealed_line", "activity", "leave", "access_entry"}
    assert f"{sum(len(rows) for rows in _in_file(before).values())} rows" in said
    past_the_locks(app, *RUIN)
    office.given()
    said = done(app, "restore", file, "--yes")
    after = all_rows(app)
    logged = [row for row in after["access_entry"] if row not in before["access_entry"]]
    assert [row[3] for row in logged] == ["restore_backup"]
    after["access_entry"].remove(logged[0])
    assert without_epochs(after) == without_epochs(before)
    assert after["user_session"] == []
    assert "Everybody must sign in again" in said


def _in_file(rows: dict[str, Any]) -> dict[str, Any]:
    return {name: found for name, found in lasting(rows).items() if name != "participation_count"}


@pytest.mark.participants(60)
def test_work_goes_on_after_it(app: Flask, sign_in: SignIn, file: Path) -> None:
    office = worked_on(app, sign_in)
    done(app, "backup", file)
    berit = office.client_of("berit.bergen")
    done(app, "restore", file, "--yes")
    assert berit.get("/deltakere").status_code == 303, "her visit has ended"
    berit.login("berit.bergen")
    public_id = office.create()  # ids continue
    office.save(public_id, "bakgrunn", {"Rekrutteringskanal": "Nav"})
    with app.app_context():
        is_hers = (Participation.municipality_number == "4601") & (Participation.name != "")
        is_open = Participation.deleted_at.is_(None) & Participation.protected.is_(False)
        names = list(db.session.scalars(select(Participation.name).where(is_hers & is_open)))
    assert len(names) > 2
    for name in {office.participation(public_id).name, *names[:2]}:  # new ones, and restored ones
        assert name in found_by(berit, name)


@pytest.mark.participants(20)
def test_seals_hold_afterwards_and_still_tell(app: Flask, sign_in: SignIn, file: Path) -> None:
    office = worked_on(app, sign_in)
    done(app, "backup", file)
    office.given()
    seal_now(app)
    chains = [line.rpartition(" ")[2] for line in done(app, "verify-audit").splitlines() if "chain" in line]
    done(app, "restore", file, "--yes")
    seal_now(app)
    assert "all as they were written" in done(app, "verify-audit")
    action, detail = office.log()[-1]
    assert action == "restore_backup"
    assert detail is not None
    assert sorted(detail["chains"].values()) == sorted(chains), "the log tells how the replaced chains ended"
    assert detail["backup"] == file.read_bytes()[-64:].decode()
    (safety,) = file.parent.glob("before-restore-*")
    assert detail["replaced"] == safety.read_bytes()[-64:].decode(), "and which file holds what was logged meanwhile"
    for table in ("change", "access_entry", "seal", "sealed_line"):
        with app.app_context():
            with pytest.raises(Exception, match="append-only"):
                db.session.execute(text(f"DELETE FROM {table}"))
            db.session.rollback()
    past_the_locks(app, "UPDATE access_entry SET action = 'open' WHERE action = 'restore_backup'")
    result = run(app, "verify-audit")
    assert result.exit_code == 1
    assert "was changed" in result.output


@pytest.mark.participants(20)
def test_what_was_there_can_be_had_back(app: Flask, sign_in: SignIn, file: Path) -> None:
    worked_on(app, sign_in)
    done(app, "backup", file)
    past_the_locks(app, *RUIN)
    ruined = all_rows(app)
    said = done(app, "restore", file, "--yes")
    (safety,) = file.parent.glob("before-restore-*")
    assert str(safety) in said
    assert stat.S_IMODE(safety.stat().st_mode) == 0o600
    done(app, "restore", safety, "--yes")
    again = all_rows(app)
    logged = [row for row in again["access_entry"] if row not in ruined["access_entry"]]
    assert [row[3] for row in logged] == ["restore_backup"]
    again["access_entry"].remove(logged[0])
    assert without_epochs(again) == without_epochs(ruined)


@pytest.mark.participants(20)
@pytest.mark.parametrize("goal", DIALECTS)
def test_either_database_takes_it_when_it_is_new(
    app: Flask, sign_in: SignIn, file: Path, goal: str, databases: Databases, settings: dict[str, str]
) -> None:
    worked_on(app, sign_in)
    done(app, "backup", file)
    address = databases.migrated(goal)
    with running_app({**settings, "DATABASE_URL": address}) as new:
        done(new, "restore", file, "--yes")
        after, before = all_rows(new), all_rows(app)
        after["access_entry"] = [row for row in after["access_entry"] if row[3] != "restore_backup"]
        assert without_epochs(after) == without_epochs(before)
        assert "all as they were written" in done(new, "verify-audit")
    databases.remove(address)
    assert not list(file.parent.glob("before-restore-*")), "there was nothing to keep"


# ---- What is not restored ----


def test_links_and_letters_of_that_day_are_dead(app: Flask, sign_in: SignIn, file: Path) -> None:
    invite(sign_in("admin.bergen"))
    path = last_path(app, "nora@bergen.kommune.no")
    with app.app_context(), writing() as work:
        waiting = Outbox(vault=app.extensions["outbox"].vault, sender="a@imdi.no", server=Server.at("smtp://127.0.0.1"))
        user_id = work.scalars(select(User.id)).first()
        assert user_id is not None
        waiting.put(work, user_id=user_id, recipient="b@imdi.no", letter=Letter(subject="a", text="b", html="c"))
    done(app, "backup", file)
    assert app.test_client().get(path).status_code == 200
    said = done(app, "restore", file, "--yes")
    assert "1 links and 1 e-mails are dead" in said
    answer = app.test_client().get(path)
    assert (answer.status_code, "Lenken virker ikke" in text_of(answer)) == (410, True)
    with app.app_context():
        letter = next(one for one in newest() if one.recipient == "b@imdi.no")
        assert (letter.body, letter.next_try_at, letter.sent_at) == ("", None, None)
        assert letter.last_error == "given up when a backup was restored"
        assert waiting.send_due().sent == 0
        assert not db.session.scalars(select(OutboxMessage.id).where(OutboxMessage.next_try_at.is_not(None))).all()


def test_who_was_blocked_since_is_told(app: Flask, file: Path) -> None:
    done(app, "backup", file)
    with app.app_context():
        db.session.execute(update(User).where(User.username == "kari.oslo").values(blocked_at=now()))
        email = db.session.scalar(select(User.email).where(User.username == "kari.oslo"))
        db.session.commit()
    assert f"Blocked until now, and no more: {email}" in done(app, "restore", file, "--yes")


def test_a_request_under_way_does_not_bring_its_visit_back(app: Flask, sign_in: SignIn, file: Path) -> None:
    done(app, "backup", file)
    client = sign_in("kari.oslo")
    cookie = client.get_cookie("session")
    assert cookie is not None
    with app.app_context():
        visit = accounts.read_visit(cookie.value)
        assert visit is not None
    done(app, "restore", file, "--yes")
    with app.app_context():
        accounts.write_session(cookie.value, visit.data, visit.viewer and visit.viewer.user_id, is_new=False)
        db.session.remove()
    assert client.get("/deltakere").status_code == 303


# ---- The file ----


@pytest.mark.participants(5)
def test_the_file_is_for_its_owner_and_tells_what_it_is(app: Flask, file: Path) -> None:
    done(app, "backup", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with ZipFile(file) as archive:
        manifest, people = json.loads(archive.read("manifest.json")), archive.read("person.jsonl")
    with app.app_context():
        revision = db.session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    assert (manifest["program"], manifest["revision"]) == ("jobbsjanseregisteret", revision)
    assert datetime.now(UTC) - datetime.fromisoformat(manifest["taken_at"]) < timedelta(minutes=5)
    person = next(part for part in manifest["parts"] if part["table"] == "person")
    assert person["rows"] == len(people.splitlines()) == len(all_rows(app)["person"])
    assert person["sha256"] == hashlib.sha256(people).hexdigest()


def test_nothing_is_overwritten_unless_told(app: Flask, file: Path) -> None:
    file.write_text("another file")
    refused = run(app, "backup", file)
    assert (refused.exit_code, "--overwrite" in refused.output) == (1, True)
    assert file.read_text() == "another file"
    done(app, "backup", file, "--overwrite")
    done(app, "restore", file, "--yes")
    assert {one.name.partition("-")[0] for one in file.parent.iterdir()} == {"register.backup", "before"}


def test_the_database_is_not_overwritten_by_its_backup(databases: Databases, settings: dict[str, str]) -> None:
    address = databases.filled(SQLITE)
    with running_app({**settings, "DATABASE_URL": address}) as app:
        before = all_rows(app)
        result = run(app, "backup", address.removeprefix("sqlite:///"), "--overwrite")
        assert (result.exit_code, "is there already" in result.output) == (1, True)
        assert all_rows(app) == before
    databases.remove(address)


def test_backups_are_logged(app: Flask, file: Path) -> None:
    done(app, "backup", file)
    with app.app_context():
        entry = db.session.scalars(select(AccessEntry).order_by(AccessEntry.id.desc())).first()
        assert entry is not None
        assert (entry.action, entry.user_id) == ("backup", None)


@pytest.mark.parametrize(("place", "why"), [("no/such/folder", "No such file"), ("a file/x", "Not a directory")])
def test_where_nothing_can_be_written(app: Flask, tmp_path: Path, place: str, why: str) -> None:
    (tmp_path / "a file").write_text("")
    refused = run(app, "backup", tmp_path / place)
    assert (refused.exit_code, why in refused.output) == (1, True), refused.output


@pytest.mark.participants(150)
def test_no_room(database_url: str, settings: dict[str, str], file: Path) -> None:
    """A process that cannot write files of the necessary size: as on a full disk."""

    def narrow() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM))

    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    environ = {**kept, **settings, "DATABASE_URL": database_url, "PYTHONDONTWRITEBYTECODE": "1"}
    words = [sys.executable, "-m", "flask", "--app", "wsgi", "backup", str(file)]
    result = subprocess.run(words, cwd=ROOT, env=environ, preexec_fn=narrow, capture_output=True, text=True)
    assert result.returncode == 1
    assert f"Error: {file}: File too large" in result.stderr
    assert not list(file.parent.iterdir()), "no half file is left"


# ---- What is refused ----


def _cut(content: bytes) -> bytes:
    return content[:-5000]


def _flip(place: float) -> Callable[[bytes], bytes]:
    def flip(content: bytes) -> bytes:
        at = int(len(content) * place)
        return content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :]

    return flip


@pytest.mark.participants(20)
def test_a_damaged_file_is_refused_in_words(app: Flask, file: Path) -> None:
    done(app, "backup", file)
    whole, before = file.read_bytes(), all_rows(app)
    damages: list[tuple[Callable[[bytes], bytes], str]] = [
        (lambda _whole: b"", "not a backup"),
        (lambda _whole: b"PK\x03\x04 something else, and long enough to have a name", "not a backup"),
        (lambda whole: whole[:50], "not a backup"),
        (lambda whole: whole[:100], "not whole"),
        (_cut, "not whole"),
        (lambda whole: whole[:-1], "not whole"),
        (lambda whole: whole + b"\n", "not whole"),
        (lambda whole: whole[:-64] + b"0" * 64, "damaged or altered"),
        *((_flip(place), "damaged or altered") for place in (0.1, 0.5, 0.9, 0.99)),
    ]
    for damage, why in damages:
        file.write_bytes(damage(whole))
        result = run(app, "restore", file, "--yes")
        assert (result.exit_code, why in result.output) == (1, True), result.output
    assert all_rows(app) == before
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def _another_name(parts: dict[str, bytes]) -> None:
    parts["person.jsonl"] = parts["person.jsonl"].replace(b"a", b"e")


def _no_lines(parts: dict[str, bytes]) -> None:
    parts["person.jsonl"] = b""


def _no_persons(parts: dict[str, bytes]) -> None:
    del parts["person.jsonl"]


def _no_day(parts: dict[str, bytes]) -> None:
    """A part that does not fit its columns, with the right digest."""
    manifest = json.loads(parts["manifest.json"])
    person = next(part for part in manifest["parts"] if part["table"] == "person")
    row = ["noe"] * len(person["columns"])
    parts["person.jsonl"] = json.dumps(row).encode()
    person |= {"rows": 1, "sha256": hashlib.sha256(parts["person.jsonl"]).hexdigest()}
    parts["manifest.json"] = json.dumps(manifest).encode()


FORGERIES: list[tuple[Callable[[dict[str, bytes]], None], str]] = [
    (_another_name, "part person is not the one"),
    (_no_lines, "part person is not the one"),
    (_no_persons, "part person cannot be read"),
    (_no_day, "a row cannot be understood"),
    (change_manifest(revision="0999"), "revision 0999, which this program does not know"),
    (change_manifest(format=2), "another version of this program"),
    (change_manifest(parts=[]), "not those of its revision"),
    (change_manifest(parts=None), "manifest cannot be understood"),
]


@pytest.mark.participants(20)
@pytest.mark.parametrize(("change", "why"), FORGERIES)
def test_a_forged_file_changes_nothing(
    app: Flask, file: Path, change: Callable[[dict[str, bytes]], None], why: str
) -> None:
    done(app, "backup", file)
    before = all_rows(app)
    forge(file, change)
    result = run(app, "restore", file, "--yes")
    assert (result.exit_code, why in result.output) == (1, True), result.output
    assert all_rows(app) == before


@pytest.mark.participants(20)
def test_what_does_not_fit_together_changes_nothing(app: Flask, file: Path) -> None:
    """Persons are missing whose participations exist: the database itself refuses."""
    done(app, "backup", file)
    before = all_rows(app)

    def without_persons(parts: dict[str, bytes]) -> None:
        manifest = json.loads(parts["manifest.json"])
        parts["person.jsonl"] = b""
        person = next(part for part in manifest["parts"] if part["table"] == "person")
        person |= {"rows": 0, "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
        parts["manifest.json"] = json.dumps(manifest).encode()

    forge(file, without_persons)
    result = run(app, "restore", file, "--yes")
    assert result.exit_code == 1
    assert "Nothing was changed" in result.output
    assert all_rows(app) == before


def test_demo_users_do_not_come_into_production(
    app: Flask, file: Path, dialect: str, databases: Databases, settings: dict[str, str]
) -> None:
    done(app, "backup", file)
    address = databases.migrated(dialect)
    with running_app({**settings, **PRODUCTION, "DATABASE_URL": address}) as production:
        result = run(production, "restore", file, "--yes")
        assert (result.exit_code, "demo users" in result.output) == (1, True), result.output
        assert all_rows(production)["user_account"] == []
    databases.remove(address)


def test_no_file(app: Flask, tmp_path: Path) -> None:
    for place, why in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        result = run(app, "restore", place, "--yes")
        assert (result.exit_code, why in result.output) == (1, True), result.output


@pytest.mark.parametrize("answer", ["nei\n", "ja\n", ""])
def test_it_asks_first(app: Flask, file: Path, answer: str) -> None:
    done(app, "backup", file)
    before = all_rows(app)
    result = run(app, "restore", file, says=answer)
    assert result.exit_code == 1
    assert "erstattes. Skriv JA" in result.output
    assert all_rows(app) == before
    assert not list(file.parent.glob("before-*"))


def test_ja_is_enough(app: Flask, file: Path) -> None:
    done(app, "backup", file)
    assert run(app, "restore", file, says="JA\n").exit_code == 0


def test_a_database_in_use(app: Flask, file: Path) -> None:
    """The write lock is held for longer than the command waits: an error message, and no change."""
    done(app, "backup", file)
    before = all_rows(app)
    with app.app_context(), db.engine.connect().execution_options(writes=True) as other, other.begin():
        other.execute(text("UPDATE user_account SET phone = phone"))
        result = run(app, "restore", file, "--yes")
    assert result.exit_code == 1
    assert "lock" in result.output
    assert "Nothing was changed" in result.output
    assert all_rows(app) == before


# ---- Other revisions ----


@pytest.mark.participants(20)
@pytest.mark.parametrize("revision", ["0002", "0005"])
def test_an_older_backup_is_migrated(app: Flask, sign_in: SignIn, file: Path, revision: str) -> None:
    worked_on(app, sign_in)
    newest_columns = columns_of(app, "user_account")
    with app.app_context():  # the command takes a number for that of the steps
        app.extensions["alembic"].downgrade(revision)
        db.session.remove()
    assert columns_of(app, "user_account") != newest_columns
    done(app, "backup", file)
    refused = run(app, "restore", file, "--yes")
    assert (refused.exit_code, "db upgrade" in refused.output) == (1, True)
    done(app, "db", "upgrade")
    wanted = all_rows(app)
    past_the_locks(app, *RUIN)
    done(app, "restore", file, "--yes")
    after = all_rows(app)
    assert "restore_backup" in {row[3] for row in after["access_entry"]}
    after["access_entry"] = [row for row in after["access_entry"] if row[3] != "restore_backup"]
    assert without_epochs(after) == without_epochs(wanted)
    assert columns_of(app, "user_account") == newest_columns
    sign_in("berit.bergen").get("/deltakere")
    assert app.test_client().get("/helse/klar").text == "klar"


def test_without_tables(app: Flask, dialect: str, databases: Databases, settings: dict[str, str], file: Path) -> None:
    done(app, "backup", file)
    address = databases.empty(dialect)
    with running_app({**settings, "DATABASE_URL": address}) as empty:
        for words in (("backup", file.with_name("other")), ("restore", file, "--yes")):
            result = run(empty, *words)
            assert (result.exit_code, "db upgrade" in result.output) == (1, True), result.output
    databases.remove(address)
    assert [one.name for one in file.parent.iterdir()] == [file.name]
