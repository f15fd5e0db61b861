"""Sessions in the database. The browser's cookie has a random key and nothing else."""

from datetime import datetime
from typing import Any, cast

from flask import Flask, Request, Response, session
from flask.sessions import SecureCookieSession, SessionInterface
from sqlalchemy.exc import SQLAlchemyError

from services.access.viewer import Viewer
from services.accounts import sign_in as accounts
from services.core.db import now

# The header of requests that a page sends by itself: they do not show that the user is present.
UNASKED = "X-Uspurt"
PROVIDER = "provider"  # in a session's data: the session at the identity provider that it began with


class DatabaseSession(SecureCookieSession):
    """The data of a session; `key`: the cookie's value, `None` without a cookie. `viewer`: the session's user, read
    with it. `is_unknown`: the database could not be read, so the user is unknown."""

    def __init__(
        self,
        initial: dict[str, Any] | None = None,
        key: str | None = None,
        *,
        viewer: Viewer | None = None,
        until: datetime | None = None,
        is_unknown: bool = False,
    ) -> None:
        super().__init__(initial)
        self.until = until
        self.key = key
        self.viewer = viewer
        self.is_unknown = is_unknown
        self.modified = False

    @property
    def seconds_left(self) -> int:
        """Seconds until the session ends without activity of the user."""
        return max(0, int((self.until - now()).total_seconds())) if self.until else 0

    @property
    def own_key(self) -> str:
        """The key of a session that has one, as all signed-in users do."""
        if self.key is None:
            raise LookupError("this visit has no key yet")
        return self.key

    def renew(self) -> None:
        """Begin a new session under a new key: at sign-in, against session fixation."""
        if self.key:
            accounts.end_session(self.key)
        self.clear()
        self.key = self.viewer = None


def visit() -> DatabaseSession:
    """The session of the current request, with its own type instead of Flask's."""
    return cast(DatabaseSession, session)


class DatabaseSessions(SessionInterface):
    """Reads the session at the beginning of a request and stores it at the end if it has changed."""

    def open_session(self, app: Flask, request: Request) -> DatabaseSession:
        """The running session with the cookie's key; a new, empty one if there is none."""
        key = request.cookies.get(self.get_cookie_name(app))
        if not key:
            return DatabaseSession()
        try:
            visit = accounts.read_visit(key)
            if visit is None:
                return DatabaseSession()
            if UNASKED not in request.headers:
                accounts.touch_session(key, visit.seen_at)
        except SQLAlchemyError:
            app.logger.exception("the visits cannot be read")
            return DatabaseSession(is_unknown=True)
        return DatabaseSession(visit.data, key, viewer=visit.viewer, until=visit.until)

    def save_session(self, app: Flask, session: Any, response: Response) -> None:
        """Store a changed session; end an empty one."""
        name = self.get_cookie_name(app)
        if not session:
            if session.key or session.modified:
                if session.key:
                    accounts.end_session(session.key)
                secure = self.get_cookie_secure(app)
                response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="Lax")
            return
        if not session.modified:
            return
        key = session.key or accounts.new_session_key()
        user = session.get("_user_id")
        began = session.get(PROVIDER) or {}
        accounts.write_session(
            key, dict(session), int(user) if user else None, is_new=session.key is None, provider_mark=began.get("mark")
        )
        response.set_cookie(
            name,
            key,
            path="/",
            secure=self.get_cookie_secure(app),
            httponly=True,
            samesite="Lax",
        )
