"""The kind of installation that a database belongs to: production marks its own, and other installations refuse a
marked one.

Checked on each new connection, so for every command, job and request, also if the database did not respond at start.
"""

from contextlib import closing
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from app.settings.checks import BadSetting
from app.settings.config import Settings

DEMO_USERS = "DATABASE_URL names a database with demo users. Production needs one of its own"
MARKED = (
    "DATABASE_URL names a database of production, and APP_ENV is {environment}. "
    "Set APP_ENV=production, or DATABASE_URL to another database"
)
_MARK = "INSERT INTO installation (environment, at) VALUES ('production', CURRENT_TIMESTAMP) ON CONFLICT DO NOTHING"


def check_installation(app: Flask, engine: Engine) -> None:
    """Check each new connection, and one at once if the database responds. Raises `BadSetting`."""
    settings: Settings = app.config["SETTINGS"]
    settled = False

    @event.listens_for(engine, "connect")
    def _look(connection: Any, _record: ConnectionPoolEntry) -> None:
        nonlocal settled
        if settled:
            return
        try:
            has_tables = _check(connection, engine, settings)
        except BadSetting as refused:
            app.logger.critical("%s", refused)
            connection.close()
            raise
        settled = has_tables and settings.in_production

    if engine.dialect.name == "sqlite" and not Path(str(engine.url.database)).is_file():
        return
    try:
        engine.connect().close()
    except DBAPIError:
        app.logger.warning("the database does not answer; it is looked at before it is used")
    finally:
        engine.dispose()  # connections do not survive a fork


def _check(connection: Any, engine: Engine, settings: Settings) -> bool:
    """True if there are tables; raises `BadSetting` if they are not for this installation."""
    try:
        with closing(connection.cursor()) as cursor:
            has_users, has_mark = (_is_there(cursor, engine, name) for name in ("user_account", "installation"))
            if settings.in_production and has_users and _finds(cursor, "user_account WHERE is_demo"):
                raise BadSetting(DEMO_USERS)
            is_marked = has_mark and _finds(cursor, "installation WHERE environment = 'production'")
            if is_marked and not settings.in_production:
                raise BadSetting(MARKED.format(environment=settings.environment))
            if has_mark and settings.in_production and not is_marked:
                _mark(connection, cursor, engine)
    finally:
        connection.rollback()
    return has_mark


def _is_there(cursor: Any, engine: Engine, table: str) -> bool:
    on_sqlite = engine.dialect.name == "sqlite"
    found = f"(SELECT name FROM sqlite_master WHERE name = '{table}')" if on_sqlite else f"to_regclass('{table}')"  # noqa: S608 - our names
    cursor.execute(f"SELECT {found} IS NOT NULL")
    return bool(cursor.fetchone()[0])


def _finds(cursor: Any, where: str) -> bool:
    cursor.execute(f"SELECT 1 FROM {where} LIMIT 1")  # noqa: S608 - our own words
    return cursor.fetchone() is not None


def _mark(connection: Any, cursor: Any, engine: Engine) -> None:
    try:
        cursor.execute(_MARK)
        connection.commit()
    except engine.dialect.loaded_dbapi.Error:  # read only, or busy: the next start marks it
        connection.rollback()
