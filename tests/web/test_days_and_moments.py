"""Any day and any moment in any column: each page, each file and a backup still works.

The forms accept fewer. But registers give days of the year 1, clocks go wrong, and data from an older version are in
the database whatever the forms accept.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Date, Table, case, insert, literal, select, update
from sqlalchemy.sql.sqltypes import TypeEngine

from services.core.db import Base, UtcDateTime, db, now
from services.core.status import Status
from services.tables.accounts import AccountLink, Identity, OutboxMessage, RecoveryCode, SignInFailure, User
from services.tables.participants import Beginning, DraftValue, LeftSave, Notice, Participation, Person, Search
from tests.support.addresses import get_addresses
from tests.support.backups import all_rows, done, run
from tests.support.client import CheckedClient
from tests.support.databases import past_the_locks
from tests.support.house import IS_OPEN, IS_PLAIN, House, of_places

DAYS = [date(1800, 1, 1), date(1900, 2, 28), date(2000, 2, 29), date(2024, 2, 29), date(2200, 12, 31)]
OF_REGISTERS = [date(1, 1, 1), date(9999, 12, 31)]  # nothing is computed from these
LATE = time(23, 59, 59, 999_999)  # the next day in Norway
VISITS = frozenset({"user_session", "lease"})  # tables whose moments end a session, or a process's work
NEVER_HERE = frozenset({"installation"})  # marks a register in production
STEPS = ("person", "bakgrunn", "programinnhold", "avslutning")
Values = dict[str, Any]
USERS_ASKED = ("kari.oslo", "admin.imdi", "ida.imdi")


def columns_of(kind: type[TypeEngine[object]]) -> Iterator[tuple[Table, str]]:
    """Every column of that kind, of every table."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, kind) and table.name not in VISITS:
                yield table, column.name


def write_everywhere(house: House, day: date) -> None:
    """Write the day, and a moment of it, to every such column, also in append-only tables, and as every answer of some
    participants. Only a register gives the first and the last of all days."""
    of_registers = day in OF_REGISTERS
    moment = datetime.combine(day, time.min if of_registers else LATE, UTC)
    values: dict[Table, Values] = {Person.__table__: {"birth_date": literal(day, Date)}}
    for kind, value in ((UtcDateTime, moment), (Date, day)):
        for table, name in columns_of(kind):
            column = table.c[name]
            if kind is not Date or not of_registers:
                values.setdefault(table, {})[name] = case(
                    (column.is_not(None), literal(value, column.type)), else_=column
                )
    orders = [update(table).values(written) for table, written in values.items()]
    if not of_registers:
        open_ones = (Participation.end_date.is_(None), Participation.deleted_at.is_(None), Participation.id % 5 == 0)
        answers = {name: day for table, name in columns_of(Date) if table is Participation.__table__}
        house.write(update(Participation).where(*open_ones).values(answers))
    with house.app.app_context():
        written = [str(one.compile(db.engine, compile_kwargs={"literal_binds": True})) for one in orders]
    past_the_locks(house.app, *written)


def addresses(house: House, username: str) -> Iterator[str]:
    """Every page and file; those of a participant for an open, a changed and a discharged one."""
    yield from get_addresses(house, username)
    if username == "kari.oslo":
        mine = (of_places(username), IS_PLAIN)
        changed = house.participants(*mine, IS_OPEN, Participation.id % 5 == 0)[0]
        over = house.participants(*mine, Participation.status == Status.DISCHARGED)[0]
        for public_id, pages in ((changed, (*STEPS, "data", "historikk", "slett")), (over, ("data", "kvittering"))):
            yield from (f"/deltakere/{public_id}/{page}" for page in pages)


@pytest.fixture(scope="module")
def full(own_house: House) -> House:
    """Rows in every table that has days or moments."""
    for username in USERS_ASKED:
        own_house.client(username)
    one = own_house.ask(
        select(Participation.id, Participation.municipality_number).where(of_places("kari.oslo"), IS_OPEN, IS_PLAIN)
    )[0]
    about = {"participation_ref": one.id, "municipality_number": one.municipality_number}
    ids = {row.username: row.id for row in own_house.ask(select(User.username, User.id))}
    kari, berit = {"user_id": ids["kari.oslo"]}, {"user_id": ids["berit.bergen"]}
    at, text = now(), {"username": "kari.oslo"}
    rows: dict[Any, Values] = {
        Notice: about | text | {"kind": "restored", "at": at, "read_at": at, "read_by": "x", "reason": "Her."},
        DraftValue: about | text | {"field": "start_date", "raw": ["x"], "at": at},
        Beginning: kari
        | {"id": "b" * 16, "creation_key": "b" * 32, "form": {}, "begun_at": at, "changed_at": at}
        | {"looked_up_at": at, "waits_since": at},
        LeftSave: kari | {"key": "c" * 32, "participation_ref": one.id, "at": at},
        Search: kari | {"id": "d" * 22, "words": ["x"], "changed_by": [], "used_on": at.date()},
        SignInFailure: {"key_hash": "a" * 64, "number": 1, "last_at": at},
        Identity: berit | {"issuer": "https://x.example.org", "subject": "x", "created_at": at},
        RecoveryCode: berit | {"code_hash": "e" * 64, "used_at": at},
        AccountLink: berit
        | {"token_hash": "f" * 64, "purpose": "invite", "created_at": at, "expires_at": at}
        | {"used_at": at, "replaced_at": at},
        OutboxMessage: berit
        | {"message_id": "x", "recipient": "berit.bergen@example.org", "subject": "x", "body": "x"}
        | {"created_at": at, "next_try_at": at, "expires_at": at, "sent_at": at, "failed_at": at, "last_error": "x"},
    }
    own_house.write(*(insert(model).values(row) for model, row in rows.items()))
    own_house.write(update(User).where(User.id == ids["berit.bergen"]).values(blocked_at=at, blocked_by=1))
    done(own_house.app, "seal-audit")
    with own_house.app.app_context():
        for table in Base.metadata.sorted_tables:
            has_days = any(found is table for kind in (Date, UtcDateTime) for found, _name in columns_of(kind))
            if has_days and table.name not in NEVER_HERE:
                assert db.session.execute(select(table).limit(1)).first(), f"{table.name} is empty"
    return own_house


@pytest.mark.parametrize("day", DAYS + OF_REGISTERS, ids=str)
def test_every_page_and_file_bears_every_day(full: House, day: date, tmp_path: Path) -> None:
    write_everywhere(full, day)
    asked = 0
    for username in USERS_ASKED:
        client: CheckedClient = full.client(username)
        for address in addresses(full, username):
            for ask in (client.get, client.get_partial):
                answer = ask(address)
                assert answer.status_code < 500, f"{username}: {address}"
                assert answer.get_data() is not None
                asked += answer.status_code == 200
    assert asked > 100
    done(full.app, "backup", tmp_path / "backup")
    for words in (("verify-audit",), ("outbox", "list"), ("seal-audit",), ("refresh",)):
        result = run(full.app, *words)
        assert result.exception is None or isinstance(result.exception, SystemExit), (words, result.exception)


def test_what_was_backed_up_comes_back(full: House, tmp_path: Path) -> None:
    for day in DAYS + OF_REGISTERS:
        write_everywhere(full, day)
        done(full.app, "backup", tmp_path / f"{day}")
        before = all_rows(full.app)["person"]
        done(full.app, "restore", tmp_path / f"{day}", "--yes")
        assert all_rows(full.app)["person"] == before
