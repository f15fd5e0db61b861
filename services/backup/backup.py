"""Backing up the whole register while it is in use, and restoring it.

Both are one transaction on either database, and use the same neutral file (`services.backup.file`), so a backup of
SQLite can be restored in PostgreSQL and the reverse. Reasons: decision 0024.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from services.access import seals
from services.access.audit import Action, note
from services.access.seal_keys import Sealing
from services.backup import file as backup_file
from services.backup.file import Backup, BadBackup, Row, Table
from services.core.clock import OSLO_TIME
from services.core.db import UtcDateTime, db, json_type, now, writing
from services.tables.accounts import AccountLink, OutboxMessage, User
from services.tables.participants import AccessEntry, Installation, Seal

# Tables that a backup leaves out: triggers keep the counts, and sessions and leases of that time are void.
_NOT_KEPT = {"alembic_version", "participation_count", "user_session", "lease"}
_BATCH = 1_000  # rows
_YEARS = range(1800, 2201)  # the forms accept fewer
_OF_REGISTERS = {"birth_date"}  # a register gives any day; nothing is calculated from it
_BITS = 63  # of a number, beside its sign
_LOCK_SECONDS = 10  # as long as SQLite waits
_TRIES, _DEADLOCK = 5, "40P01"
_MIGRATIONS = Path(__file__).parents[1] / "migrations"


class NotCurrent(Exception):
    """The database's tables are not of this program's revision."""


# ---- The tables of the database ----


def _tables(connection: Connection) -> list[sa.TableClause]:
    """The tables in the database, whatever their revision, parents before children; without computed columns."""
    inspector = sa.inspect(connection)
    names = [name for name, _keys in inspector.get_sorted_table_and_fkc_names() if name]
    return [
        sa.table(name, *(sa.column(one["name"], _type_of(one)) for one in inspector.get_columns(name) if _is_own(one)))
        for name in names
        if name != "alembic_version" and not name.startswith("name_index")  # FTS5's own, kept by triggers
    ]


def _is_own(column: Any) -> bool:
    return "computed" not in column


def _type_of(column: Any) -> sa.types.TypeEngine[Any]:
    """The column's type as in the models: moments in UTC, and None instead of JSON's null."""
    found: sa.types.TypeEngine[Any] = column["type"]
    if isinstance(found, sa.JSON):
        return json_type
    return UtcDateTime() if isinstance(found, sa.DateTime) else found


def _revision_of(connection: Connection) -> str:
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        raise NotCurrent
    return revision


# ---- Backup ----


def backup(path: Path, *, overwrite: bool = False) -> backup_file.Manifest:
    """Write a snapshot of the whole database into a file; others continue to work meanwhile.

    The backup is logged before it is made. Raises OSError, SQLAlchemy's errors, and `NotCurrent` if there are no
    tables.
    """
    if path.exists() and (not overwrite or _is_database(path)):
        raise FileExistsError(path)
    with writing() as work:
        _revision_of(work.connection())
        note(Action.BACKUP, user_id=None)
    db.session.remove()
    with _snapshot() as connection:
        _write(connection, path, overwrite=overwrite)
    with backup_file.opened(path) as written:  # verify that the backup can be read
        return written.manifest


def _is_database(path: Path) -> bool:
    """True if a file is the SQLite database itself, which must not be replaced by its own backup."""
    url = db.engine.url
    return url.get_backend_name() == "sqlite" and path.samefile(str(url.database))


@contextmanager
def _snapshot() -> Iterator[Connection]:
    """A transaction with a snapshot. SQLite's has one from its first statement on."""
    options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with db.engine.connect() as plain:
        connection = plain if _is_sqlite(plain) else plain.execution_options(**options)
        with connection.begin():
            yield connection


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _write(connection: Connection, path: Path, *, overwrite: bool = False) -> str:
    included = [table for table in _tables(connection) if table.name not in _NOT_KEPT]
    tables = (Table(table.name, list(table.c.keys()), _rows(connection, table)) for table in included)
    return backup_file.write(path, _revision_of(connection), tables, overwrite=overwrite)


def _rows(connection: Connection, table: sa.TableClause) -> Iterator[Row]:
    question = sa.select(table).order_by(*(column for column in table.c if column.name == "id"))
    with connection.execute(question, execution_options={"yield_per": _BATCH}) as found:
        yield from found


# ---- Restore ----


@dataclass(frozen=True)
class Restored:
    """The result of a restore: `letters` that are no longer sent, `links` that no longer work, and the e-mail addresses
    of users who were blocked before the restore and are not blocked after it."""

    letters: int
    links: int
    unblocked: list[str]


def check_revision(stored: Backup) -> None:
    """Raise `BadBackup` if the file's tables are newer than this program."""
    known = {script.revision for script in _scripts().walk_revisions()}
    if stored.manifest.revision not in known:
        raise BadBackup(
            f"its tables have the revision {stored.manifest.revision}, which this program does not know: "
            "restore it with the version that wrote it, or a newer one"
        )


def restore(
    stored: Backup, safety: Path, tell: Callable[[str], None], *, takes_demo: bool, sealing: Sealing
) -> Restored:
    """Replace the whole database by a backup, in one transaction.

    The replaced data are first written to the file `safety`, unless there were none; `tell` reports it. Sessions end,
    and open links and e-mails become invalid. `takes_demo`: whether the backup may contain demo users. The restored
    lines are sealed at once, in an epoch that names the ends of the replaced chains. Raises `BadBackup`, `NotCurrent`,
    OSError, SQLAlchemy's errors; then nothing has changed.
    """
    check_revision(stored)
    db.session.remove()
    revision = stored.manifest.revision
    with _exclusive_transaction(changes_tables=revision != _scripts().get_current_head()) as connection:
        replaced = _back_up_replaced(connection, safety, tell)
        blocked = _blocked(connection)
        chains, replaced_ends = _ends_of_chains(connection), seals.ends(Session(connection))
        _empty(connection)
        _migrate(connection, down_to=revision)
        _fill(connection, stored)
        _migrate(connection)
        if not takes_demo and connection.scalar(sa.select(User.id).where(User.is_demo).limit(1)):
            raise BadBackup("it holds demo users, with whom production does not start")
        if takes_demo and connection.scalar(sa.select(Installation.environment).limit(1)):
            raise BadBackup("it is of a register in production: restore it with APP_ENV=production")
        links, letters = _invalidate_open_links_and_messages(connection)
        if not _is_sqlite(connection):
            _advance_sequences(connection)
            connection.execute(sa.text("ANALYZE"))
        detail = {"backup": stored.sha256, "taken_at": stored.manifest.taken_at, "replaced": replaced, "chains": chains}
        entry = {"at": now(), "action": Action.RESTORE_BACKUP.value, "detail": detail}
        connection.execute(sa.insert(AccessEntry), entry)
        seals.open_epoch(Session(connection), sealing.keys, replaced_ends)
        restored = Restored(letters, links, sorted(blocked - _blocked(connection)))
    seals.anchor_newest(sealing)
    return restored


@contextmanager
def _exclusive_transaction(*, changes_tables: bool) -> Iterator[Connection]:
    """A transaction that excludes other writers. Others read the previous state until it ends; but if tables change,
    PostgreSQL lets nobody read them."""
    mode = "ACCESS EXCLUSIVE" if changes_tables else "EXCLUSIVE"
    with db.engine.connect().execution_options(writes=True) as connection, _begin_locked(connection, mode):
        yield connection


def _begin_locked(connection: Connection, mode: str) -> sa.RootTransaction:
    """A transaction that locks all tables. Others lock them in other orders, so PostgreSQL may have to resolve a
    deadlock; if it aborts this transaction, it is tried again."""
    for is_last in (*[False] * (_TRIES - 1), True):
        transaction = connection.begin()
        try:
            if _revision_of(connection) != _scripts().get_current_head():
                raise NotCurrent
            if not _is_sqlite(connection):
                names = ", ".join(_quoted(connection, table.name) for table in _tables(connection))
                connection.execute(sa.text(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'"))
                connection.execute(sa.text(f"LOCK TABLE {names} IN {mode} MODE"))
        except BaseException as problem:
            transaction.rollback()
            if is_last or getattr(getattr(problem, "orig", None), "sqlstate", "") != _DEADLOCK:
                raise
        else:
            break
    return transaction


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)


def _back_up_replaced(connection: Connection, safety: Path, tell: Callable[[str], None]) -> str | None:
    """Back up the data that will be replaced, under the lock, so that nothing is lost in between; returns the file's
    SHA-256."""
    tables = (User.__table__, AccessEntry.__table__)
    if not any(connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() for table in tables):
        return None
    sha256 = _write(connection, safety)
    tell(f"What was there is kept in {safety}")
    return sha256


def _blocked(connection: Connection) -> set[str]:
    return set(connection.scalars(sa.select(User.email).where(User.blocked_at.is_not(None))))


def _ends_of_chains(connection: Connection) -> dict[str, str]:
    """The last hash of each log's seals, for the log line about the restore."""
    last = sa.select(Seal.log, sa.func.max(Seal.number).label("number")).group_by(Seal.log).subquery()
    is_last = (Seal.log == last.c.log) & (Seal.number == last.c.number)
    return {row.log: row.hash for row in connection.execute(sa.select(Seal.log, Seal.hash).join(last, is_last))}


def _empty(connection: Connection) -> None:
    tables = {table.name: table for table in reversed(_tables(connection))}
    counts = tables.pop("participation_count")  # last: emptying the participations changes it
    with _without_append_only_triggers(connection):
        for table in (*tables.values(), counts):
            connection.execute(sa.delete(table))


@contextmanager
def _without_append_only_triggers(connection: Connection) -> Iterator[None]:
    """Drop the triggers that keep logs and seals append-only, and create them again; as part of the transaction this is
    invisible to others. Only the owner of the tables can do it."""
    if _is_sqlite(connection):
        found = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%is append-only%'"
        locks = connection.execute(sa.text(found)).all()
        off = [f"DROP TRIGGER {lock.name}" for lock in locks]
        on = [lock.sql for lock in locks]
    else:
        found = "SELECT tgrelid::regclass AS name, tgname FROM pg_trigger WHERE tgname ~ '_append_only$'"
        locks = connection.execute(sa.text(found)).all()
        off = [f"ALTER TABLE {lock.name} DISABLE TRIGGER {lock.tgname}" for lock in locks]
        on = [f"ALTER TABLE {lock.name} ENABLE TRIGGER {lock.tgname}" for lock in locks]
    for order in off:
        connection.exec_driver_sql(order)
    yield
    for order in on:
        connection.exec_driver_sql(order)


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_MIGRATIONS), version_locations=[str(_MIGRATIONS)])


def _migrate(connection: Connection, down_to: str | None = None) -> None:
    """Migrate the tables down to a revision, or up to the newest, within the transaction."""

    def steps(current: Any, _context: MigrationContext) -> Any:
        if down_to is None:
            return _scripts()._upgrade_revs("head", current)
        return _scripts()._downgrade_revs(down_to, current) if down_to not in current else []

    context = MigrationContext.configure(connection, opts={"fn": steps})
    with Operations.context(context):
        context.run_migrations()


def _fill(connection: Connection, stored: Backup) -> None:
    parts = {part.table: part for part in stored.manifest.parts}
    tables = {table.name: table for table in _tables(connection) if table.name not in _NOT_KEPT}
    if {name: set(part.columns) for name, part in parts.items()} != {
        name: set(table.c.keys()) for name, table in tables.items()
    }:
        raise BadBackup("its tables are not those of its revision")
    for name, table in tables.items():
        columns = [(column, _reader(column, table.c[column].type)) for column in parts[name].columns]
        for some in stored.batches(parts[name]):
            connection.execute(sa.insert(table), [_values(columns, row) for row in some])


def _values(columns: list[tuple[str, Callable[[str], Any] | None]], row: list[Any]) -> dict[str, Any]:
    try:
        if any(type(value) is int and value.bit_length() > _BITS for value in row):
            raise OverflowError
        return {
            column: value if value is None or read is None else read(value)
            for (column, read), value in zip(columns, row, strict=True)
        }
    except (ValueError, TypeError, ArithmeticError) as error:
        raise BadBackup("a row cannot be understood") from error


def _reader(column: str, kind: sa.types.TypeEngine[Any]) -> Callable[[str], Any] | None:
    """The function that parses a column's text, for types that JSON does not have."""
    if isinstance(kind, UtcDateTime):
        return _moment
    if isinstance(kind, sa.Date):
        return date.fromisoformat if column in _OF_REGISTERS else _day
    return Decimal if isinstance(kind, sa.Numeric) else None


def _day(written: str) -> date:
    """Parse a day within the range that calculations allow; raises ValueError."""
    day = date.fromisoformat(written)
    if day.year not in _YEARS:
        raise ValueError("a day that no form and no register brings")
    return day


def _moment(written: str) -> datetime:
    """Parse a moment that has a date both in UTC and in Norway, where it is shown; raises ValueError, OverflowError."""
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    moment.astimezone(OSLO_TIME)
    return moment


def _invalidate_open_links_and_messages(connection: Connection) -> tuple[int, int]:
    """Invalidate open links and e-mails: links that were used or replaced since the backup must not work again, and
    e-mails that were sent since must not be sent again. Which ones these are is unknown, so all are invalidated; they
    can be sent anew."""
    link, message, moment = AccountLink, OutboxMessage, now()
    is_open = (link.used_at.is_(None), link.replaced_at.is_(None))
    links = connection.execute(sa.update(link).where(*is_open).values(replaced_at=moment))
    dead = {"next_try_at": None, "failed_at": moment, "body": "", "last_error": "given up when a backup was restored"}
    letters = connection.execute(sa.update(message).where(message.next_try_at.is_not(None)).values(**dead))
    return links.rowcount, letters.rowcount


def _advance_sequences(connection: Connection) -> None:
    """Set sequences after the highest ids. Never backwards: sequences ignore ROLLBACK, and the previous data may
    remain."""
    for table in _tables(connection):
        found = sa.select(sa.func.pg_get_serial_sequence(_quoted(connection, table.name), "id"))
        if "id" not in table.c or (sequence := connection.scalar(found)) is None:
            continue
        highest = connection.scalar(sa.select(sa.func.max(table.c.id))) or 0
        if highest >= (connection.scalar(sa.text(f"SELECT last_value FROM {sequence}")) or 0):  # noqa: S608 - a name from the catalogue
            connection.execute(sa.select(sa.func.setval(sequence, highest)))
