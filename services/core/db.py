"""The database: one engine, a session for each request, reading and writing transactions.

SQLite and PostgreSQL are both supported. On SQLite a transaction that reads first and writes later can fail in the
middle («database is locked»), so a transaction that will write declares it at the beginning: `with writing(): …` takes
the write lock at once, commits at the end and rolls back on any error.
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    BigInteger,
    CursorResult,
    DateTime,
    Dialect,
    Engine,
    Executable,
    FromClause,
    Integer,
    MetaData,
    String,
    event,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.types import TypeDecorator

_RESTED_SECONDS = 2
_PATIENCE = "busy_timeout=10000"
_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base class of all tables; constraints get predictable names for migrations."""

    metadata = MetaData(naming_convention=_NAMES)


# Objects stay readable after COMMIT, without hidden statements that fetch them again.
db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"expire_on_commit": False})


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, stored as UTC and read back with its zone. Naive moments are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def sort_text(length: int) -> String:
    """A text column that both databases sort by bytes (see `services.core.collation`)."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


# Ids of tables that grow without limit; SQLite's row ids have 64 bits anyway.
long_id = BigInteger().with_variant(Integer, "sqlite")
json_type = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def belongs_to_schema(item: Any, name: str | None, kind: str, _reflected: bool, _compare_to: Any) -> bool:
    """Tell Alembic whether to compare a table or an index: not those of the other database, nor FTS5's own."""
    if kind == "table":
        return not (name or "").startswith("name_index")
    only_on = getattr(getattr(item, "_ddl_if", None), "dialect", None)
    return only_on is None or only_on == db.engine.dialect.name


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def later_than(moment: datetime) -> datetime:
    """The current time, or right after `moment` if the clock is behind it: stamps never run backwards."""
    return max(now(), moment + timedelta(microseconds=1))


def session() -> Session:
    """The session of the current request or command, for reading.

    On PostgreSQL each statement runs by itself, without BEGIN and ROLLBACK around it, which would be two more round
    trips. To write, use `writing()`.
    """
    current: Session = db.session()
    if not current.in_transaction() and current.get_bind().dialect.name == "postgresql":
        current.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
    return current


def read(question: Executable, values: Mapping[str, Any] | None = None, **options: Any) -> CursorResult[Any]:
    """Execute a statement without the ORM and return its rows; `options`: execution options. The ORM takes as long as
    the database for a small statement. Nothing is loaded into the session."""
    return session().connection().execute(question, values, execution_options=options)


def on_sqlite() -> bool:
    """True on SQLite, False on PostgreSQL."""
    return bool(session().get_bind().dialect.name == "sqlite")


def is_writable() -> bool:
    """True if the database accepts writes now: not a standby, a database set to read only, or a file on a disk that is.
    Does not wait: if another transaction writes, the database is writable."""
    if not on_sqlite():
        with db.engine.connect() as connection:
            return bool(connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "off")
    with closing(db.engine.raw_connection()) as pooled:
        raw: Any = pooled.driver_connection
        raw.execute("PRAGMA busy_timeout=0").close()
        try:
            raw.execute("BEGIN IMMEDIATE").close()
            try:  # a successful BEGIN proves nothing yet
                raw.execute("UPDATE alembic_version SET version_num = version_num").close()
            finally:
                raw.execute("ROLLBACK").close()
        except sqlite3.OperationalError as problem:
            return problem.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
        finally:
            raw.execute(f"PRAGMA {_PATIENCE}").close()
    return True


def end_reading() -> None:
    """End the open transaction, so that none stays open during a call to an outside system."""
    session().rollback()


def _turn_off_jit(engine: Engine) -> None:
    """Turn off PostgreSQL's JIT: it compiles statements that look expensive for half a second; ours take
    milliseconds."""

    @event.listens_for(engine, "connect")
    def _connect(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        with closing(connection.cursor()) as cursor:
            cursor.execute("SET jit = off")
        connection.commit()


def _check_idle_connections(engine: Engine) -> None:
    """Check a connection that was idle before it is used, and replace it if it is broken. The pool's own
    `pool_pre_ping` checks each time, which is one more round trip in every request."""

    @event.listens_for(engine, "checkin")
    def _note_checkin(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["rests_since"] = monotonic()

    @event.listens_for(engine, "checkout")
    def _check(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        if monotonic() - record.info.get("rests_since", monotonic()) > _RESTED_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError from error


_WRITES, _AFTERWARDS = "writes", "afterwards"


class NestedTransaction(RuntimeError):
    """`writing()` was called within another `writing()` of the same session, which it would have rolled back."""


_before_writing: list[Callable[[], None]] = []
_after_waiting: list[Callable[[], None]] = []
_LONG_SECONDS = 0.1  # a transaction that took longer may have waited for another


def before_writing(check: Callable[[], None]) -> Callable[[], None]:
    """Register a check to run at the beginning of each writing transaction, inside it; an exception rolls back."""
    _before_writing.append(check)
    return check


def after_waiting(check: Callable[[], None]) -> Callable[[], None]:
    """Register a check to run before the commit of each transaction that may have waited for another; an exception
    rolls back. The check must use its own connection, otherwise it sees what the transaction itself has written."""
    _after_waiting.append(check)
    return check


@contextmanager
def writing() -> Iterator[Session]:
    """A transaction that writes: starts anew, holds the write lock, ends in COMMIT or ROLLBACK."""
    work: Session = db.session()
    if work.info.get(_WRITES):
        raise NestedTransaction
    work.rollback()
    work.info[_WRITES] = True
    try:
        work.connection(execution_options={"writes": True})
        for check in _before_writing:
            check()
        began = monotonic()
        yield work
        work.flush()
        if monotonic() - began > _LONG_SECONDS:
            for check in _after_waiting:
                check()
        work.commit()
    except BaseException:
        work.rollback()
        raise
    finally:
        work.info.pop(_WRITES, None)
        for do in work.info.pop(_AFTERWARDS, ()):
            do()


def when_free(do: Callable[[], None]) -> None:
    """Call `do` at once, or after the current writing transaction, however it ends."""
    work: Session = db.session()
    if work.info.get(_WRITES):
        work.info.setdefault(_AFTERWARDS, []).append(do)
    else:
        do()


def _restrict_file_to_owner(engine: Engine) -> None:
    """Restrict SQLite's file, and those it creates beside it with the same mode, to their owner."""

    @event.listens_for(engine, "do_connect")
    def _make(_dialect: Dialect, _record: ConnectionPoolEntry, _args: Any, _options: Any) -> None:
        path = engine.url.database
        if not path or path == ":memory:" or path.startswith("file:"):
            return
        # Only if the file does not exist: closing it would release the locks that SQLite holds on it in this process.
        with suppress(OSError):  # SQLite reports the error itself
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):  # it does not exist, or belongs to another user
                if os.stat(f"{path}{suffix}").st_mode & 0o077:
                    os.chmod(f"{path}{suffix}", 0o600)


def hold(work: Session, *values: str) -> None:
    """Lock these values against other writers until the end of the transaction, so that the second one finds what the
    first has written. PostgreSQL would refuse the second one too, but write the values into its own log."""
    if work.get_bind().dialect.name != "postgresql":
        return  # SQLite has one lock for all writers
    for value in sorted(set(values)):
        number = int.from_bytes(hashlib.sha256(value.encode()).digest()[:8], signed=True)
        work.execute(select(func.pg_advisory_xact_lock(number)))


class _HintedCompiler(SQLiteCompiler):
    """A compiler that writes hints of `with_hint`, such as INDEXED BY, after the table. SQLAlchemy supports hints for
    other databases only; SQLite, which has few statistics, needs them most."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        return text


def listen(engine: Engine) -> None:
    """Set up connections. SQLite: WAL, durable commits, foreign keys, our own BEGIN, hints. PostgreSQL: a check for
    broken connections, no JIT."""
    if engine.dialect.name != "sqlite":
        _check_idle_connections(engine)
        _turn_off_jit(engine)
        return
    engine.dialect.statement_compiler = _HintedCompiler
    _restrict_file_to_owner(engine)

    @event.listens_for(engine, "connect")
    def _connect(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        raw: Any = connection
        raw.isolation_level = None  # the driver's own BEGIN would come too late
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", _PATIENCE):
            raw.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
