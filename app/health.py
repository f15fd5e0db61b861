"""Whether the program is alive, and whether it is ready to serve. No details."""

from alembic.util import CommandError
from flask import Blueprint, Response, current_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.access import public
from services.db import session

health = Blueprint("health", __name__)


@health.get("/helse")
@public
def alive() -> Response:
    """The process answers."""
    return Response("ok", mimetype="text/plain")


@health.get("/helse/klar")
@public
def ready() -> Response:
    """The database answers and its migrations are current."""
    try:
        session().execute(text("SELECT 1"))
        outdated = current_app.extensions["alembic"].needs_upgrade()
    except (SQLAlchemyError, CommandError):  # or it has a schema that this version does not know
        current_app.logger.exception("the database is not ready")
        outdated = True
    words, status = ("ikke klar", 503) if outdated else ("klar", 200)
    return Response(words, status, mimetype="text/plain")
