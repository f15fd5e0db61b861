"""Whether the program is alive, and whether it is ready to serve. No details."""

from flask import Blueprint, current_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.access import public
from services.db import session

health = Blueprint("health", __name__)


@health.get("/helse")
@public
def alive() -> tuple[str, int]:
    """The process answers."""
    return "ok", 200


@health.get("/helse/klar")
@public
def ready() -> tuple[str, int]:
    """The database answers and its migrations are current."""
    try:
        session().execute(text("SELECT 1"))
        outdated = current_app.extensions["alembic"].needs_upgrade()
    except SQLAlchemyError:
        current_app.logger.exception("the database does not answer")
        outdated = True
    return ("ikke klar", 503) if outdated else ("klar", 200)
