"""Seals of the history and the access log reveal changes that bypass the database's triggers."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from app.commands.sealing import sealing
from app.web.page_views import view_log
from services.access import seals
from services.core.db import db
from tests.support.databases import past_the_locks
from tests.support.house import House
from tests.support.registering import Office


def run(house: House, command: str) -> tuple[int, str]:
    """Run a command; returns its exit code and its output."""
    result = house.app.test_cli_runner().invoke(args=[command])
    return result.exit_code, result.output


def seal_now(house: House) -> int:
    """Seal everything, including recent lines."""
    with house.app.app_context():
        view_log().write()
        return seals.seal(sealing(), settled=timedelta(seconds=-1))


def test_what_is_sealed_verifies(office: Office, own_house: House) -> None:
    office.given()
    assert seal_now(own_house) > 0
    assert seal_now(own_house) == 0
    code, said = run(own_house, "verify-audit")
    assert (code, "all as they were written" in said) == (0, True), said


def test_young_lines_wait(office: Office, own_house: House) -> None:
    seal_now(own_house)
    office.given()
    assert run(own_house, "seal-audit") == (0, "0 lines sealed.\n")


@pytest.mark.parametrize("log", ["access_entry", "change"])
def test_a_changed_removed_or_inserted_line_is_found(office: Office, own_house: House, log: str) -> None:
    public_id = office.given()
    for _time in range(5):
        office.page(public_id, "data")
    seal_now(own_house)
    lines = [row.id for row in own_house.ask(text(f"SELECT id FROM {log} ORDER BY id"))]
    changed, removed, inserted = lines[1], lines[-2], lines[-1]
    columns = "user_id = 999" if log == "access_entry" else "username = 'noen.annen'"
    past_the_locks(
        own_house.app,
        f"UPDATE {log} SET {columns} WHERE id = {changed}",
        f"DELETE FROM {log} WHERE id = {removed}",
        f"DELETE FROM sealed_line WHERE log = '{log}' AND line = {inserted}",  # as if it came later
    )
    code, said = run(own_house, "verify-audit")
    assert code == 1
    assert f"{log}: line {changed} was changed" in said
    assert f"{log}: line {removed} was removed" in said
    assert f"{log}: line {inserted} was inserted" in said


def test_a_forged_seal_breaks_the_chain(office: Office, own_house: House) -> None:
    office.given()
    seal_now(own_house)
    office.given()
    seal_now(own_house)
    past_the_locks(own_house.app, f"UPDATE seal SET hash = '{'ab' * 32}' WHERE log = 'change' AND number = 1")
    code, said = run(own_house, "verify-audit")
    assert code == 1
    assert "change: seal 1 does not fit" in said
    assert "change: seal 2 does not fit" in said


@pytest.mark.parametrize(
    ("table", "column"),
    [("access_entry", "action"), ("change", "username"), ("seal", "log"), ("sealed_line", "log")],
)
def test_the_database_itself_refuses(office: Office, own_house: House, table: str, column: str) -> None:
    office.given()
    seal_now(own_house)
    for order in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}"):
        with own_house.app.app_context():
            with pytest.raises(DatabaseError, match="append-only"):
                db.session.execute(text(order))
            db.session.rollback()
