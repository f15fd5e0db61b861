"""The benchmark's databases: migrated by the program, loaded without it, kept under `var/bench` for the next run.

A finished database is found again by its name, which has its size and a hash of the migrations and of the code that
makes the rows. Databases of the same size with another hash are removed.
"""

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import JSON
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.types import TypeEngine

from services.access.viewer import Role
from services.accounts.passwords import hash_password
from services.core.clock import today
from services.core.db import Base, now, writing
from services.demo import PASSWORD, fill
from services.demo.rows import MODELS
from services.standins.keys import load_or_create_key
from services.tables.accounts import RoleGrant, User
from tests.bench.rows import TRONDHEIM, Batch, Copies, Encode, Table, five
from tests.support.databases import POSTGRESQL, SQLITE, running_app
from tests.support.server import ROOT

FOLDER = Path(os.environ.get("BENCH_FOLDER", ROOT / "var" / "bench"))
NATIONAL, SMALL, SEVERAL = "ida.imdi", "tora.trondheim", "eva.femkommuner"
_CASEWORKERS = {SMALL: (TRONDHEIM,), SEVERAL: five()}

# A server as in production: no commit may be lost.
POSTGRES_SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "autovacuum": "on",
    "shared_buffers": "512MB",
    "effective_cache_size": "2GB",
    "max_wal_size": "4GB",
    "random_page_cost": "1.1",
}

_TABLES = tuple(model.__tablename__ for model in MODELS)
_SOURCES = (Path(__file__), Path(__file__).with_name("rows.py"), *(ROOT / "services" / "migrations").glob("*.py"))


def settings() -> dict[str, str]:
    """The program's settings, without DATABASE_URL. Nothing listens at the addresses of the registers."""
    key = FOLDER / "maskinporten.pem"
    load_or_create_key(key)
    return {
        "APP_ENV": "test",
        "SECRET_KEY": "only-for-the-benchmark-and-long-enough-for-it",
        "FREG_URL": "http://127.0.0.1:9",
        "MASKINPORTEN_URL": "http://127.0.0.1:9",
        "PAD_URL": "http://127.0.0.1:9",
        "MASKINPORTEN_KEY_FILE": str(key),
    }


def derive(connection: Any, dialect: str) -> None:
    """Fill what triggers would have filled during the load: search indexes, counts.

    `connection`: the driver's own. FTS5 tables on the content of others are rebuilt; other derived tables need their
    statements here.
    """
    if dialect == SQLITE:
        virtual = "SELECT name, sql FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%fts5%'"
        for name, _sql in connection.execute(virtual).fetchall():
            connection.execute(f"INSERT INTO {name}({name}) VALUES ('rebuild')")
    for statement in DERIVED:
        connection.execute(statement)


_KIND = "municipality_number, status, protected"
DERIVED = (
    "DELETE FROM participation_count",
    f"INSERT INTO participation_count ({_KIND}, deleted, number) "
    f"SELECT {_KIND}, deleted_at IS NOT NULL, count(*) FROM participation GROUP BY 1, 2, 3, 4",
)


def sqlite_database(size: int, say: Callable[[str], None]) -> URL:
    """The address of a SQLite database with that many participations."""
    file = FOLDER / f"{_name(size)}.sqlite"
    if not file.exists():
        for old in FOLDER.glob(f"bench_{size}_*"):
            old.unlink()
        draft = file.with_suffix(".part")
        started = time.monotonic()
        _prepare(f"sqlite:///{draft}")
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            _load_sqlite(connection, size)
        draft.rename(file)
        say(f"made {file.name} in {time.monotonic() - started:.0f} s, {file.stat().st_size / 1e6:.0f} MB")
    return make_url(f"sqlite:///{file}")


def postgres_database(server: URL, size: int, say: Callable[[str], None]) -> URL:
    """The address of a PostgreSQL database with that many participations on a server."""
    name = _name(size)
    with psycopg.connect(_plain(server), autocommit=True) as connection:
        known = [row[0] for row in connection.execute("SELECT datname FROM pg_database")]
        if name not in known:
            for old in known:
                if old.startswith(f"bench_{size}_"):
                    connection.execute(f'DROP DATABASE "{old}"')
            started = time.monotonic()
            draft = f"{name}_part"
            connection.execute(f"CREATE DATABASE \"{draft}\" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'")
            _prepare(server.set(database=draft).render_as_string(hide_password=False))
            with psycopg.connect(_plain(server.set(database=draft)), autocommit=True) as loading:
                _load_postgres(loading, size)
            connection.execute(f'ALTER DATABASE "{draft}" RENAME TO "{name}"')
            say(f"made {name} on PostgreSQL in {time.monotonic() - started:.0f} s")
    return server.set(database=name)


def _plain(address: URL) -> str:
    return address.set(drivername="postgresql").render_as_string(hide_password=False)


def _name(size: int) -> str:
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(_SOURCES))).hexdigest()[:10]
    return f"bench_{size}_{digest}"


def _prepare(address: str) -> None:
    """Create tables, code lists, demo users, and the benchmark's own users."""
    with running_app({**settings(), "DATABASE_URL": address}) as app, app.app_context():
        app.extensions["alembic"].upgrade()
        fill(participants=0, seed=1)
        password_hash = hash_password(PASSWORD)
        with writing() as work:
            for username, numbers in _CASEWORKERS.items():
                work.add(_caseworker(username, numbers, password_hash))


def _caseworker(username: str, numbers: tuple[str, ...], password_hash: str) -> User:
    grants = [RoleGrant(role=Role.CASEWORKER.value, municipality_number=number) for number in numbers]
    return User(
        username=username,
        name=username.replace(".", " ").title(),
        email=f"{username}@example.org",
        phone="+47 00 00 01 00",
        password_hash=password_hash,
        is_demo=True,
        created_at=now(),
        activated_at=now(),
        grants=grants,
    )


# ---- SQLite ----


def _load_sqlite(connection: sqlite3.Connection, size: int) -> None:
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    marks = ", ".join("?" * len(_TABLES))
    found = connection.execute(
        f"SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL "
        f"AND tbl_name IN ({marks}) ORDER BY type",
        _TABLES,
    ).fetchall()
    for kind, name, _sql in found:
        connection.execute(f"DROP {kind} {name}")
    connection.execute("BEGIN")
    copies = Copies(size, today(), {model: _sqlite_encoders(model) for model in MODELS})
    for batch in copies.batches():
        for model, rows in batch.items():
            connection.executemany(_insert(copies.tables[model]), rows)
    connection.execute("COMMIT")
    for _kind, _name, sql in found:
        connection.execute(sql)
    derive(connection, SQLITE)
    connection.execute("ANALYZE")
    connection.execute("PRAGMA journal_mode=WAL")


def _insert(table: Table) -> str:
    columns = ", ".join(f'"{name}"' for name in table.columns)
    return f"INSERT INTO {table.model.__tablename__} ({columns}) VALUES ({', '.join('?' * len(table.columns))})"


def _sqlite_encoders(model: type[Base]) -> Mapping[str, Encode]:
    dialect = sqlite.dialect()

    def encode(kind: TypeEngine[Any]) -> Encode:
        process: Encode = kind.dialect_impl(dialect).bind_processor(dialect) or _as_it_is
        return lambda value: int(value) if isinstance(value, IntEnum) else process(value)

    return {column.key: encode(column.type) for column in model.__table__.columns}


def _as_it_is(value: Any) -> Any:
    return value


# ---- PostgreSQL ----


def _load_postgres(connection: psycopg.Connection[Any], size: int) -> None:
    for setting in ("maintenance_work_mem = '512MB'", "synchronous_commit = off", "session_replication_role = replica"):
        connection.execute(f"SET {setting}")  # the last one disables triggers and foreign keys
    indexes = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY(%s) "
        "AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname)",
        [list(_TABLES)],
    ).fetchall()
    for name, _definition in indexes:
        connection.execute(f"DROP INDEX {name}")
    copies = Copies(size, today(), {model: _postgres_encoders(model) for model in MODELS})
    for batch in copies.batches():
        _copy(connection, copies.tables, batch)
    for _name, definition in indexes:
        connection.execute(definition)
    for table in _TABLES:
        connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
    derive(connection, POSTGRESQL)
    connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")


def _copy(connection: psycopg.Connection[Any], tables: Mapping[type[Base], Table], batch: Batch) -> None:
    for model, rows in batch.items():
        columns = ", ".join(f'"{name}"' for name in tables[model].columns)
        with connection.cursor().copy(f"COPY {model.__tablename__} ({columns}) FROM STDIN") as copy:
            copy.write("".join(["\t".join(row) + "\n" for row in rows]))


def _postgres_encoders(model: type[Base]) -> Mapping[str, Encode]:
    return {
        column.key: _json_text if isinstance(column.type, JSON) else _copy_text for column in model.__table__.columns
    }


def _json_text(value: Any) -> str:
    return "\\N" if value is None else _copy_text(json.dumps(value, ensure_ascii=False))


def _copy_text(value: Any) -> str:
    """A value in the text format of COPY."""
    if isinstance(value, str):
        if "\\" in value or "\n" in value or "\t" in value:
            return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
        return value
    if value is None:
        return "\\N"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(int(value)) if isinstance(value, int) else str(value)
