"""Health checks: whether the program runs, and whether it is ready to serve. No details."""

from functools import cache

from alembic.script import ScriptDirectory
from flask import Blueprint, Response, current_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.settings.config import PROJECT
from app.web.access import public
from services.core.db import db, is_writable

health = Blueprint("health", __name__)
_MIGRATIONS = str(PROJECT / "services" / "migrations")


@health.get("/helse")
@public
def alive() -> Response:
    """Confirm that the process responds."""
    return Response("ok", mimetype="text/plain")


@health.get("/helse/klar")
@public
def ready() -> Response:
    """Confirm that the database responds and is writable, and that its migrations are current."""
    try:
        is_ready = _is_current() and is_writable()
    except SQLAlchemyError:
        current_app.logger.exception("the database is not ready")
        is_ready = False
    words, status = ("klar", 200) if is_ready else ("ikke klar", 503)
    return Response(words, status, mimetype="text/plain")


def _is_current() -> bool:
    """True if the migrations are current. Uses a connection of this request: Flask-Alembic's is shared by all
    threads."""
    with db.engine.connect() as connection:
        found = connection.execute(text("SELECT version_num FROM alembic_version"))
        return {row.version_num for row in found} == _newest()


@cache
def _newest() -> frozenset[str]:
    """The newest migrations of this version of the program."""
    return frozenset(ScriptDirectory(_MIGRATIONS, version_locations=[_MIGRATIONS]).get_heads())
