"""Everything in one go, for development: `make run`.

One process prepares the database and becomes gunicorn's master; before that it forks the stand-ins. Nothing is
imported twice, and all end together: the stand-ins watch a pipe that closes when the master ends, however
it ends.
"""

import errno
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from select import select
from types import FrameType
from typing import NoReturn
from urllib.parse import urlsplit

import click
from flask import Flask
from gunicorn.app.base import Application
from gunicorn.arbiter import Arbiter

from app.config import PROJECT, Settings
from app.refreshing import keep_refreshing
from app.setting_checks import is_local
from services.db import db
from services.demo import PASSWORD, USERS, fill, unregistered
from services.folkeregisteret.keys import load_or_create_key, public_key_pem
from services.folkeregisteret.population import by_number
from services.standins import ANY_PORT, Address, Standins, serve_standins

HOST = "127.0.0.1"
_WORKERS = 2
_THREADS = 4
_REFRESH_SECONDS = 300


@contextmanager
def listen(port: int) -> Iterator[socket.socket]:
    """A socket that listens there on this machine; ends the command in plain words if it is in use."""
    with _bound((HOST, port), "Choose another with PORT.") as listening:
        yield listening


def check_free(*addresses: Address) -> None:
    """End the command in plain words if somebody listens at one of the addresses."""
    for address in addresses:
        _bound(address, "It is for a stand-in: FREG_URL, MASKINPORTEN_URL and PAD_URL say where.").close()


def _bound(address: Address, advice: str) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        return socket.create_server(address, family=family)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise click.ClickException(f"Cannot listen at {address[0]}, port {address[1]}: {error}.") from None
        raise click.ClickException(
            f"Port {address[1]} is in use by another program. End that program first. {advice}"
        ) from None


def standin_addresses(settings: Settings) -> tuple[Address, Address]:
    """Where Folkeregisteret's (with Maskinporten's) and PAD's stand-in listen; any port if the settings name
    another machine."""
    freg = {_address(url) for url in (settings.freg_url, settings.maskinporten_url) if is_local(url)}
    if len(freg) > 1:
        raise click.ClickException("FREG_URL and MASKINPORTEN_URL must be the same: one stand-in serves both.")
    pad = _address(settings.pad_url) if is_local(settings.pad_url) else ANY_PORT
    return freg.pop() if freg else ANY_PORT, pad


def _address(url: str) -> Address:
    parts = urlsplit(url)
    return parts.hostname or HOST, parts.port or 80


def run(app: Flask, listening: socket.socket, *, demo_participants: int, seed: int) -> None:
    """Prepare the database, start the stand-ins, serve until Ctrl-C, SIGTERM or the end of the terminal."""
    signal.signal(signal.SIGTERM, _leave)
    settings: Settings = app.config["SETTINGS"]
    with suppress(KeyboardInterrupt):
        with app.app_context():
            someone = _prepare_database(settings, demo_participants, seed, app)
        with app.app_context():
            for engine in db.engines.values():
                engine.dispose()  # connections do not survive a fork
        with _refreshing_beside(app, listening) as forget_refreshing, _standins_beside(settings, listening) as forget:

            def after_fork() -> None:
                forget_refreshing()
                forget()

            _Server(app, listening, lambda: _announce(settings, someone), after_fork).run()


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def _prepare_database(settings: Settings, participants: int, seed: int, app: Flask) -> str:
    """Migrate, fill if empty; gives a person to try, in words."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    app.extensions["alembic"].upgrade()
    if fill(participants=participants, seed=seed, accepts=settings.accepts):
        click.echo(f"The database was empty. It now holds {participants} demo participants.")
    return ", ".join(f"{person.number} ({person.full_name})" for person in unregistered(1)) or "none is left"


def _announce(settings: Settings, someone: str) -> None:
    users = "\n".join(f"  {user.username:15} {user.told}" for user in USERS)
    click.echo(
        f"\nJobbsjanseregisteret: http://{HOST}:{settings.port}    (Ctrl-C ends it)\n\n"
        f"Demo users, all with the password {PASSWORD}:\n{users}\n\n"
        f"Somebody to register, made up: {someone}\n"
        f"E-mails, such as invitations: http://{HOST}:{settings.port}/utvikling/e-post\n"
    )


@contextmanager
def _refreshing_beside(app: Flask, listening: socket.socket) -> Iterator[Callable[[], None]]:
    """A process that reads the registers anew now and then (`services.refresh`), until the end of the block or of this
    process. Gives what a process that is forked within the block must call, so that it does not keep it alive."""
    life_out, life_in = os.pipe()  # nothing is ever written: its end is the sign
    child = os.fork()
    if child == 0:
        os.close(life_in)
        listening.close()
        _keep_refreshing(app, life_out)
    os.close(life_out)
    try:
        yield lambda: os.close(life_in)
    finally:
        os.close(life_in)
        with suppress(ChildProcessError):  # gunicorn may have seen to it
            os.waitpid(child, 0)


def _keep_refreshing(app: Flask, life_out: int) -> NoReturn:
    """Refresh until the parent has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, whose end is the sign
    keep_refreshing(app, lambda seconds: bool(select([life_out], [], [], seconds)[0]), _REFRESH_SECONDS)
    os._exit(0)


@contextmanager
def _standins_beside(settings: Settings, listening: socket.socket) -> Iterator[Callable[[], None]]:
    """The stand-ins in a process of their own, if the settings name this machine.

    They live until the end of the block, or of this process. Gives what a process that is forked within the
    block must call, so that it does not keep them alive.
    """
    if not settings.uses_standins:
        yield lambda: None
        return
    freg, pad = standin_addresses(settings)
    check_free(freg, pad)
    life_out, life_in = os.pipe()  # nothing is ever written: its end is the sign
    said_out, said_in = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(life_in)
        os.close(said_out)
        listening.close()
        _be_standins(settings, freg, pad, life_out, said_in)
    os.close(life_out)
    os.close(said_in)
    with open(said_out, "rb") as said:
        is_ready = said.read() != b""
    try:
        if not is_ready:
            raise click.ClickException("The stand-ins of Folkeregisteret and PAD did not start.")
        yield lambda: os.close(life_in)
    finally:
        os.close(life_in)
        with suppress(ChildProcessError):  # gunicorn may have seen to it
            os.waitpid(child, 0)


def serve(settings: Settings, freg: Address, pad: Address, started: Callable[[Standins], None]) -> None:
    """Be the stand-ins that these settings name, until SIGINT or SIGTERM; `started` is told when they listen."""
    serve_standins(
        client_id=settings.maskinporten_client_id,
        key_id=settings.maskinporten_key_id,
        public_key_pem=public_key_pem(load_or_create_key(settings.maskinporten_key_file)),
        freg_address=freg,
        pad_address=pad,
        started=started,
    )


def _be_standins(settings: Settings, freg: Address, pad: Address, life_out: int, said_in: int) -> NoReturn:
    """Serve until SIGINT, SIGTERM or the end of the parent, then end this process."""

    def started(running: Standins) -> None:
        os.write(said_in, b"ready")
        os.close(said_in)
        threading.Thread(target=end_with_parent, daemon=True).start()
        by_number()  # else the first question would wait for it

    def end_with_parent() -> None:
        os.read(life_out, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    status = 1
    try:
        serve(settings, freg, pad, started)
        status = 0
    except Exception:
        logging.getLogger(__name__).exception("the stand-ins ended")
    finally:
        os._exit(status)


class _Master(Arbiter):
    """gunicorn's master, which ends with its terminal instead of reloading itself."""

    def handle_hup(self) -> None:
        self.handle_term()


class _Server(Application):
    """gunicorn around a program that is imported already, as in production. It logs only what goes wrong."""

    def __init__(
        self, app: Flask, listening: socket.socket, announce: Callable[[], None], after_fork: Callable[[], None]
    ) -> None:
        self._app = app
        self._options = {
            "bind": f"fd://{listening.detach()}",
            "workers": _WORKERS,
            "threads": _THREADS,
            "timeout": 60,
            "graceful_timeout": 5,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "warning",
            "control_socket_disable": True,
            "when_ready": lambda server: announce(),
            "post_fork": lambda server, worker: after_fork(),
        }
        super().__init__()

    def load_config(self) -> None:
        self.load_config_from_file(str(PROJECT / "gunicorn.conf.py"))
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app

    def run(self) -> None:
        """Serve; raises SystemExit at the end. Only the master comes back from here: what follows, down to the
        clearing up that Python does at its end, is not for the workers that it has forked."""
        master = os.getpid()
        try:
            _Master(self).run()
        except SystemExit as leaving:
            if os.getpid() != master:
                os._exit(leaving.code if isinstance(leaving.code, int) else 0)
            raise
