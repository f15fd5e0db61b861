"""Sessions in the database. The browser's cookie holds a random key and nothing else."""

from datetime import datetime
from typing import Any, cast

from flask import Flask, Request, Response, session
from flask.sessions import SecureCookieSession, SessionInterface
from sqlalchemy.exc import SQLAlchemyError

from services.access.viewer import Viewer
from services.accounts import sign_in as accounts
from services.core.db import now

# What the page asks of itself, and not because of anything that the user does, bears this header: it does not
# show that she is there.
UNASKED = "X-Uspurt"
PROVIDER = "provider"  # in a visit's data: what is known of the visit at an identity provider that it began with


class DatabaseSession(SecureCookieSession):
    """The data of a visit; `key` is what the cookie holds, `None` while there is no cookie. `viewer`: its user as
    read with it. `is_unknown`: the database could not be asked, so nobody can tell who this is."""

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
        """Until the visit ends, if nobody shows that she is there."""
        return max(0, int((self.until - now()).total_seconds())) if self.until else 0

    @property
    def own_key(self) -> str:
        """The key of a visit that has one, as that of everybody who is signed in."""
        if self.key is None:
            raise LookupError("this visit has no key yet")
        return self.key

    def renew(self) -> None:
        """Begin a new visit under a new key: at sign-in, against session fixation."""
        if self.key:
            accounts.end_session(self.key)
        self.clear()
        self.key = self.viewer = None


def visit() -> DatabaseSession:
    """The visit of the present request, by its own type: Flask's knows only the data."""
    return cast(DatabaseSession, session)


class DatabaseSessions(SessionInterface):
    """Reads the visit at the beginning of a request and stores it at the end if it has changed."""

    def open_session(self, app: Flask, request: Request) -> DatabaseSession:
        """The visit of the cookie's key; a new, empty one if there is none that runs."""
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
        """Store what has changed; end the visit when nothing is left of it."""
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
