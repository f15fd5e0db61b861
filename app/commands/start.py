"""Starting everything at once, for development: `make run`.

One process prepares the database and becomes the server's main one; before that it forks the stand-ins. All end
together, for whatever reason the main process ends: background processes watch a pipe (`app.commands.beside`), and the
serving processes watch their parent.
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
from types import FrameType
from typing import NoReturn
from urllib.parse import urlsplit

import click
from flask import Flask

from app.commands.beside import Life, NotBegun, beside
from app.commands.refreshing import keep_refreshing
from app.serving.server import serve as serve_program
from app.settings.checks import is_local
from app.settings.config import Settings
from services.core.db import db
from services.demo import PASSWORD, USERS, fill, unregistered
from services.standins.keys import load_or_create_key, public_key_pem
from services.standins.population import by_number
from services.standins.run import ANY_PORT, Address, Standins, serve_standins

HOST = "127.0.0.1"
STANDIN_ADVICE = "It is for a stand-in: FREG_URL, MASKINPORTEN_URL and PAD_URL say where."
_WORKERS = 2
_STOP_SECONDS = 5
_REFRESH_SECONDS = 300


@contextmanager
def reserved(port: int) -> Iterator[None]:
    """Reserve a port of this machine for the server within the block; ends the command with a message if it is in
    use."""
    check_free((HOST, port), advice="Choose another with PORT.")
    with socket.socket() as holding:
        holding.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # like the server itself
        holding.bind((HOST, port))  # without listening
        yield


def check_free(*addresses: Address, advice: str = STANDIN_ADVICE) -> None:
    """End the command with a message if one of the addresses is in use."""
    for address in addresses:
        _check(address, advice)


def _check(address: Address, advice: str) -> None:
    try:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        socket.create_server(address, family=family).close()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise click.ClickException(f"Cannot listen at {address[0]}, port {address[1]}: {error}.") from None
        raise click.ClickException(
            f"Port {address[1]} is in use by another program. End that program first. {advice}"
        ) from None


def standin_addresses(settings: Settings) -> tuple[Address, Address]:
    """The addresses of Folkeregisteret's (with Maskinporten's) and PAD's stand-ins; any port if the settings name
    another machine."""
    freg = {_address(url) for url in (settings.freg_url, settings.maskinporten_url) if is_local(url)}
    if len(freg) > 1:
        raise click.ClickException("FREG_URL and MASKINPORTEN_URL must be the same: one stand-in serves both.")
    pad = _address(settings.pad_url) if is_local(settings.pad_url) else ANY_PORT
    return freg.pop() if freg else ANY_PORT, pad


def _address(url: str) -> Address:
    parts = urlsplit(url)
    return parts.hostname or HOST, parts.port or 80


def run(app: Flask, *, demo_participants: int, seed: int) -> None:
    """Prepare the database, start the stand-ins, serve until Ctrl-C, SIGTERM or the end of the terminal."""
    signal.signal(signal.SIGTERM, _leave)
    settings: Settings = app.config["SETTINGS"]
    with suppress(KeyboardInterrupt):
        with app.app_context():
            someone = _prepare_database(settings, demo_participants, seed, app)
        with app.app_context():
            for engine in db.engines.values():
                engine.dispose()  # connections do not survive a fork
        with beside(_refreshing(app)), _standins_beside(settings):
            serve_program(
                HOST,
                settings.port,
                workers=_WORKERS,
                stop_seconds=_STOP_SECONDS,
                ends_with_terminal=True,
                ready=lambda: _announce(settings, someone),
            )


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def _prepare_database(settings: Settings, participants: int, seed: int, app: Flask) -> str:
    """Migrate, and fill if empty; returns a synthetic person to try, as text."""
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


def _refreshing(app: Flask) -> Callable[[Life], None]:
    """Refresh from the registers periodically (`services.refresh.refresh`)."""

    def work(life: Life) -> None:
        life.tell_ready()
        keep_refreshing(app, life.is_over, _REFRESH_SECONDS)

    return work


@contextmanager
def _standins_beside(settings: Settings) -> Iterator[None]:
    """Run the stand-ins in a process of their own, if the settings name this machine."""
    if not settings.uses_standins:
        yield
        return
    freg, pad = standin_addresses(settings)
    check_free(freg, pad)
    try:
        with beside(lambda life: _be_standins(settings, freg, pad, life)):
            yield
    except NotBegun:
        raise click.ClickException("The stand-ins of Folkeregisteret and PAD did not start.") from None


def serve(settings: Settings, freg: Address, pad: Address, started: Callable[[Standins], None]) -> None:
    """Run the stand-ins of these settings, until SIGINT or SIGTERM; `started`: called when they listen."""
    serve_standins(
        client_id=settings.maskinporten_client_id,
        key_id=settings.maskinporten_key_id,
        public_key_pem=public_key_pem(load_or_create_key(settings.maskinporten_key_file)),
        freg_address=freg,
        pad_address=pad,
        started=started,
    )


def _be_standins(settings: Settings, freg: Address, pad: Address, life: Life) -> None:
    """Serve until SIGTERM or the end of the parent."""

    def end_with_parent() -> None:
        life.is_over()
        os.kill(os.getpid(), signal.SIGTERM)

    def started(_running: Standins) -> None:
        life.tell_ready()
        threading.Thread(target=end_with_parent, daemon=True).start()
        by_number()  # otherwise the first request would wait for it

    serve(settings, freg, pad, started)
