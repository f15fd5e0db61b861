"""The database: one engine, one session a request, and the two ways into a transaction.

SQLite and PostgreSQL both serve. On SQLite a transaction that reads first and writes later can be
refused in the middle («database is locked»), so whoever means to write says so at the beginning:
`with writing(): …` takes the write lock at once, commits at the end and rolls back on any error.
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
    """Parent of all tables; constraints get predictable names, so that migrations can name them."""

    metadata = MetaData(naming_convention=_NAMES)


# What was read stays readable after COMMIT: nothing is fetched again behind a caller's back.
db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"expire_on_commit": False})


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, stored as UTC, always read back with its zone. Naive moments are refused."""

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
    """A text column whose bytes decide the order on both databases (see `norwegian_order`)."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


# Ids of the tables that grow without end; SQLite's own row ids have 64 bits anyhow.
long_id = BigInteger().with_variant(Integer, "sqlite")
json_type = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def belongs_to_schema(item: Any, name: str | None, kind: str, _reflected: bool, _compare_to: Any) -> bool:
    """Whether Alembic shall compare a table or an index: not those of another database, nor FTS5's own."""
    if kind == "table":
        return not (name or "").startswith("name_index")
    only_on = getattr(getattr(item, "_ddl_if", None), "dialect", None)
    return only_on is None or only_on == db.engine.dialect.name


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def later_than(moment: datetime) -> datetime:
    """This moment, or, if the clock says less than another one, right after that: stamps never run backwards."""
    return max(now(), moment + timedelta(microseconds=1))


def session() -> Session:
    """The session of the present request or command, to read with.

    On PostgreSQL each question is answered by itself, without BEGIN and ROLLBACK around them: these are two more
    ways to the database and back. Who writes says so: `writing()`.
    """
    current: Session = db.session()
    if not current.in_transaction() and current.get_bind().dialect.name == "postgresql":
        current.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
    return current


def read(question: Executable, values: Mapping[str, Any] | None = None, **options: Any) -> CursorResult[Any]:
    """Ask for rows, with execution options. Past the ORM, which takes as long over a small question as the database
    does; nothing is loaded into the session."""
    return session().connection().execute(question, values, execution_options=options)


def on_sqlite() -> bool:
    """Which of the two databases this is."""
    return bool(session().get_bind().dialect.name == "sqlite")


def is_writable() -> bool:
    """Whether the database takes what is written now: not so a standby, one that was set to read only, or a file on a
    disk that is. Waits for nobody: where another writes, it can be written to."""
    if not on_sqlite():
        with db.engine.connect() as connection:
            return bool(connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "off")
    with closing(db.engine.raw_connection()) as pooled:
        raw: Any = pooled.driver_connection
        raw.execute("PRAGMA busy_timeout=0").close()
        try:
            raw.execute("BEGIN IMMEDIATE").close()
            try:  # that it begins says nothing yet
                raw.execute("UPDATE alembic_version SET version_num = version_num").close()
            finally:
                raw.execute("ROLLBACK").close()
        except sqlite3.OperationalError as problem:
            return problem.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
        finally:
            raw.execute(f"PRAGMA {_PATIENCE}").close()
    return True


def end_reading() -> None:
    """End the open transaction, so that none is held while an outside system is asked."""
    session().rollback()


def _without_compiler(engine: Engine) -> None:
    """PostgreSQL compiles what looks expensive, for half a second; our questions take milliseconds."""

    @event.listens_for(engine, "connect")
    def _connect(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        with closing(connection.cursor()) as cursor:
            cursor.execute("SET jit = off")
        connection.commit()


def _ask_after_a_rest(engine: Engine) -> None:
    """Before a connection is used that has rested, ask whether it still stands; else take a new one. The pool's own
    `pool_pre_ping` asks each time, which is one more way to the database and back in every request."""

    @event.listens_for(engine, "checkin")
    def _rests(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["rests_since"] = monotonic()

    @event.listens_for(engine, "checkout")
    def _ask(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        if monotonic() - record.info.get("rests_since", monotonic()) > _RESTED_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError from error


_WRITES, _AFTERWARDS = "writes", "afterwards"


class NestedTransaction(RuntimeError):
    """A transaction that writes was begun within another one of the same session, and would have rolled it back."""


_before_writing: list[Callable[[], None]] = []
_after_waiting: list[Callable[[], None]] = []
_LONG_SECONDS = 0.1  # a transaction that took so long may have waited for another


def before_writing(check: Callable[[], None]) -> Callable[[], None]:
    """Run the check at the beginning of each transaction that writes, inside it; what it raises rolls back."""
    _before_writing.append(check)
    return check


def after_waiting(check: Callable[[], None]) -> Callable[[], None]:
    """Run the check before the commit of each transaction that may have waited for another; what it raises rolls back.
    It must ask on a connection of its own, else it sees what the transaction itself has written."""
    _after_waiting.append(check)
    return check


@contextmanager
def writing() -> Iterator[Session]:
    """A transaction that writes: begins afresh, holds the write lock, ends in COMMIT or ROLLBACK."""
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
    """Do it at once, or, within a transaction that writes, when that has ended, however it ends."""
    work: Session = db.session()
    if work.info.get(_WRITES):
        work.info.setdefault(_AFTERWARDS, []).append(do)
    else:
        do()


def _own_file(engine: Engine) -> None:
    """SQLite's file, and those that it makes beside it in the same mode, are for their owner alone."""

    @event.listens_for(engine, "do_connect")
    def _make(_dialect: Dialect, _record: ConnectionPoolEntry, _args: Any, _options: Any) -> None:
        path = engine.url.database
        if not path or path == ":memory:" or path.startswith("file:"):
            return
        # Only a file that is not there: to close one would take away the locks that SQLite holds on it in this process.
        with suppress(OSError):  # SQLite tells of it in its own words
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):  # not there, or somebody else's
                if os.stat(f"{path}{suffix}").st_mode & 0o077:
                    os.chmod(f"{path}{suffix}", 0o600)


def hold(work: Session, *values: str) -> None:
    """Let nobody else write these values until the end of the transaction, so that who comes second finds what the
    first one has written. PostgreSQL would refuse the second one, too, but write the values into its own log."""
    if work.get_bind().dialect.name != "postgresql":
        return  # SQLite has one lock for all who write
    for value in sorted(set(values)):
        number = int.from_bytes(hashlib.sha256(value.encode()).digest()[:8], signed=True)
        work.execute(select(func.pg_advisory_xact_lock(number)))


class _HintedCompiler(SQLiteCompiler):
    """Writes what `with_hint` says after the table: INDEXED BY and the like. SQLAlchemy has hints for other
    databases only; SQLite, which knows little of what lies in the tables, needs them most."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        return text


def listen(engine: Engine) -> None:
    """Set up SQLite: WAL, every commit on disk, foreign keys, our own BEGIN, and hints; and connections to
    PostgreSQL, which may have been cut."""
    if engine.dialect.name != "sqlite":
        _ask_after_a_rest(engine)
        _without_compiler(engine)
        return
    engine.dialect.statement_compiler = _HintedCompiler
    _own_file(engine)

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
