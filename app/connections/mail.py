"""Outgoing e-mail: the outbox with the program's settings, the thread that sends, and in development the page on which
e-mails can be read."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, current_app, request

from app.settings.config import Settings
from app.web.access import public
from app.web.responses import respond
from services.core.encryption import Vault
from services.mail.outbox import Outbox, newest
from services.mail.smtp import Server

if TYPE_CHECKING:
    from services.tables.accounts import OutboxMessage

_POLL_SECONDS = 30
development = Blueprint("development", __name__)


def outbox() -> Outbox:
    """The outbox of the running program."""
    found: Outbox = current_app.extensions["outbox"]
    return found


def vault() -> Vault:
    """The encryption of the running program."""
    return outbox().vault


def init_outgoing(app: Flask) -> None:
    """Create the outbox and, if a mail server is configured, let each process send by itself. Tests send explicitly."""
    settings: Settings = app.config["SETTINGS"]
    server = Server.at(settings.mail_url) if settings.mail_url else None
    app.extensions["outbox"] = Outbox(vault=Vault(settings.secret_key), sender=settings.mail_from, server=server)
    if settings.environment == "development":
        app.register_blueprint(development)
    if server and settings.environment != "test":
        _Postman(app).begin_with_requests()


class _Postman:
    """A thread of each process that sends due messages: after each request that may have written one, and every half
    minute, for those left by others."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._wake = threading.Event()
        self._process = 0  # the process of the thread: threads do not survive a fork
        self._lock = threading.Lock()

    def begin_with_requests(self) -> None:
        """Start with the first request of a process, and wake up after each that writes."""

        @self._app.before_request
        def _start() -> None:
            if self._process != os.getpid():
                self._start()

        @self._app.after_request
        def _wake(answer: Response) -> Response:
            if request.method == "POST":
                self._wake.set()
            return answer

    def _start(self) -> None:
        with self._lock:
            if self._process != os.getpid():
                self._process = os.getpid()
                threading.Thread(target=self._run, name="postman", daemon=True).start()

    def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                with self._app.app_context():
                    outbox().send_due()
            except Exception:  # for example without the database: it is tried again, and requests report it themselves
                self._app.logger.exception("e-mails could not be sent")
            self._wake.wait(_POLL_SECONDS)


@development.get("/utvikling/e-post")
@public
def mail_page() -> Any:
    """The written e-mails, the newest first. This page exists in development only."""
    return respond("accounts/mail.html", letters=[_shown(message) for message in newest()])


def _shown(message: OutboxMessage) -> dict[str, Any]:
    text = outbox().letter_of(message).text if message.body else ""
    own = f"{current_app.config['SETTINGS'].public_url}/"
    links = [f"/{word.removeprefix(own)}" for word in text.split() if word.startswith(own)]
    return {"message": message, "text": text, "links": list(dict.fromkeys(links))}
