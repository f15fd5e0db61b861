"""The commands of `flask --app wsgi`: starting everything, demo data, and the stand-ins of the registers."""

import logging
import re
from pathlib import Path
from typing import get_args

import click
from flask import Flask, current_app
from flask.cli import ScriptInfo, with_appcontext

from app.commands.refreshing import keep_refreshing
from app.commands.start import check_free, reserved, run, serve, standin_addresses
from app.serving.server import serve as serve_program
from app.settings.checks import is_local
from app.settings.config import Settings
from services.core.shutdown import told_to_end
from services.demo import NotForRealPeople, fill, unregistered
from services.refresh.refresh import Done, refresh_all
from services.standins import control as standin_control
from services.standins.control import Kind
from services.standins.population import PUBLISHED_KINDS, SEED
from services.standins.run import Standins

DEMO_PARTICIPANTS = 2000


def init_commands(app: Flask) -> None:
    """Register the commands."""
    for command in (start, serve_command, demo, registers_group, standins):
        app.cli.add_command(command)


def _settings() -> Settings:
    found: Settings = current_app.config["SETTINGS"]
    return found


def need_current_database() -> None:
    """End the command if the database is not migrated."""
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it also logs inspections
    if current_app.extensions["alembic"].needs_upgrade():
        raise click.ClickException("The database is not up to date. Run: flask --app wsgi db upgrade")


@click.command("start")
@click.pass_obj
def start(info: ScriptInfo) -> None:
    """Start all for development: database, demo data, stand-ins, web server."""
    app = info.load_app()
    settings: Settings = app.config["SETTINGS"]
    if settings.environment != "development":
        raise click.ClickException("This is for development (APP_ENV). Otherwise use serve")
    with reserved(settings.port):
        run(app, demo_participants=DEMO_PARTICIPANTS, seed=SEED)


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65_535), help="PORT, if nothing is said")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="processes")
@click.option("--certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="for TLS (PEM)")
@click.option("--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="its key (PEM, PKCS#8)")
@with_appcontext
def serve_command(host: str, port: int | None, workers: int, certificate: Path | None, key: Path | None) -> None:
    """Serve the program, until SIGTERM. SIGHUP reads the program anew."""
    if (certificate is None) != (key is None):
        raise click.UsageError("--certificate and --key go together.")
    tls = (certificate, key) if certificate and key else None
    serve_program(host, port or _settings().port, workers=workers, tls=tls)


@click.command("demo")
@click.option("--participants", type=click.IntRange(min=0), default=DEMO_PARTICIPANTS, show_default=True)
@click.option("--seed", type=int, default=SEED, show_default=True, help="the same seed gives the same data")
@with_appcontext
def demo(participants: int, seed: int) -> None:
    """Fill an empty database with demo users and participants."""
    need_current_database()
    try:
        filled = fill(participants=participants, seed=seed, accepts=_settings().accepts)
    except NotForRealPeople:
        raise click.ClickException("Demo data do not belong in a register of real people.") from None
    if filled:
        click.echo(f"The database now holds the demo users and {participants} participants.")
    else:
        click.echo("Nothing done: the database holds users or participants already.")


@click.group("registers")
def registers_group() -> None:
    """What is asked of Folkeregisteret and PAD without anybody at a screen."""


def _span(given: str) -> int:
    """Parse a time span such as 15m to seconds."""
    found = re.fullmatch(r"([1-9][0-9]{0,4})([smh])", given)
    if found is None:
        raise click.BadParameter("Write it like 30s, 15m or 2h.")
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]


@registers_group.command("refresh")
@click.option(
    "--every",
    type=_span,
    metavar="SPAN",
    help="do it again and again, so often (15m), until the process is told to end",
)
@with_appcontext
def registers_refresh(every: int | None) -> None:
    """Look up registrations that wait, and read running participants anew whose data are a day old.

    Only one process does it at a time, on however many hosts.
    """
    need_current_database()
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    if every is None:
        _tell_refreshed(refresh_all(app.extensions["registers"]))
        return
    with told_to_end() as told:
        keep_refreshing(app, told, every, tell=_tell_refreshed, at_once=True)


def _tell_refreshed(done: Done | None) -> None:
    if done is None:
        click.echo("Nothing done: another process is at it.")
        return
    click.echo(
        f"{done.answered} waiting registrations answered, {done.read} persons read, {done.failed} could not be read, "
        f"{done.closed} participants closed."
    )


@click.group("standins", invoke_without_command=True)
@click.pass_context
@with_appcontext
def standins(context: click.Context) -> None:
    """Run the stand-ins of Folkeregisteret and PAD until Ctrl-C, or tell running ones what to do."""
    settings = _settings()
    if settings.in_production:
        raise click.ClickException("The stand-ins are not for production.")
    if context.invoked_subcommand is None:
        _serve(settings)


def _serve(settings: Settings) -> None:
    freg, pad = standin_addresses(settings)
    check_free(freg, pad)

    def started(running: Standins) -> None:
        click.echo(f"Folkeregisteret and Maskinporten: {running.freg.base_url}")
        click.echo(f"PAD: {running.pad.base_url}")

    serve(settings, freg, pad, started)


@standins.command("persons")
@click.option("--count", type=click.IntRange(min=0), default=5, show_default=True)
@click.option("--kind", type=click.Choice(PUBLISHED_KINDS), default="ordinary", show_default=True)
def standins_persons(count: int, kind: str) -> None:
    """Print synthetic persons who are not registered: number, tab, name."""
    need_current_database()
    for person in unregistered(count, kind):
        click.echo(f"{person.number}\t{person.full_name}")


@standins.command("fail")
@click.argument("register", type=click.Choice(("freg", "pad")))
@click.argument("kind", type=click.Choice(get_args(Kind)))
@click.option("--number", help="only when this person is asked for")
def standins_fail(register: str, kind: Kind, number: str | None) -> None:
    """Let a running stand-in fail until it is healed."""
    url = _standin_urls(_settings())[register]
    try:
        standin_control.fail(url, kind, number)
    except OSError:
        raise _no_standin(url) from None


@standins.command("heal")
def standins_heal() -> None:
    """End all failures of the running stand-ins."""
    for url in _standin_urls(_settings()).values():
        try:
            standin_control.heal(url)
        except OSError:
            raise _no_standin(url) from None


def _standin_urls(settings: Settings) -> dict[str, str]:
    urls = {"freg": settings.freg_url, "pad": settings.pad_url}
    if not all(is_local(url) for url in urls.values()):
        raise click.ClickException("FREG_URL and PAD_URL do not both name stand-ins on this machine.")
    return urls


def _no_standin(url: str) -> click.ClickException:
    return click.ClickException(f"No stand-in answers at {url}. Start one: flask --app wsgi standins")
