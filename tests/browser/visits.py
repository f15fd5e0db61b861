"""Sessions that end, in the browser."""

from datetime import timedelta

from sqlalchemy import create_engine, update

from services.accounts.sign_in import digest
from services.core.db import now
from services.tables.accounts import UserSession
from tests.browser.caseworker import Caseworker
from tests.support.server import LiveServer


def idle(server: LiveServer, user: Caseworker, minutes: float) -> None:
    """Make the user's session idle for so many minutes on the server."""
    [key] = [one["value"] for one in user.page.context.cookies() if one["name"] == "session"]
    engine = create_engine(server.settings["DATABASE_URL"])
    with engine.begin() as connection:
        seen = {"seen_at": now() - timedelta(minutes=minutes)}
        connection.execute(update(UserSession).where(UserSession.key_hash == digest(key)).values(**seen))
    engine.dispose()


def with_clock(user: Caseworker) -> None:
    """Reload the page with a clock that can be put forward."""
    user.page.clock.install()
    user.page.reload()
