"""The commands `flask --app wsgi backup FILE` and `flask --app wsgi restore FILE`, while the register is in use."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError, StatementError

from app.commands.sealing import sealing
from services.backup import backup as backups
from services.backup.file import BadBackup, opened
from services.core.db import db, now

FILE = click.Path(path_type=Path)
NOT_CURRENT = "The database is not up to date. Run: flask --app wsgi db upgrade"


def init_backup_commands(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(backup)
    app.cli.add_command(restore)


@click.command("backup")
@click.argument("file", type=FILE)
@click.option("--overwrite", is_flag=True, help="put it in the place of a file that is there")
@with_appcontext
def backup(file: Path, overwrite: bool) -> None:
    """Write all that is in the register now into FILE. Users may go on working."""
    with _failing_in_words(file):
        done = backups.backup(file, overwrite=overwrite)
    click.echo(f"{done.rows} rows of {len(done.parts)} tables are in {file}, and it can be read.")


@click.command("restore")
@click.argument("file", type=FILE)
@click.option("--yes", is_flag=True, help="do not ask")
@with_appcontext
def restore(file: Path, yes: bool) -> None:
    """Put FILE in the place of all that is in the register. Users may stay; they must sign in again."""
    with _failing_in_words(file), opened(file) as stored:
        backups.check_revision(stored)
        click.echo(f"{file} was written {stored.manifest.taken_at} and holds {stored.manifest.rows} rows.")
        if not yes:
            _ask()
        takes_demo = not current_app.config["SETTINGS"].in_production
        done = backups.restore(stored, _safety_beside(file), click.echo, takes_demo=takes_demo, sealing=sealing())
    click.echo(f"Restored. Everybody must sign in again. {done.links} links and {done.letters} e-mails are dead.")
    if done.unblocked:
        click.echo(f"Blocked until now, and no more: {', '.join(done.unblocked)}")


def _ask() -> None:
    where = db.engine.url.render_as_string(hide_password=True)
    if click.prompt(f"Alle data i {where} erstattes. Skriv JA") != "JA":
        raise click.ClickException("Nothing was changed.")


def _safety_beside(file: Path) -> Path:
    return file.with_name(f"before-restore-{now():%Y%m%dT%H%M%S.%fZ}-{file.name}")


@contextmanager
def _failing_in_words(file: Path) -> Iterator[None]:
    """Convert errors to a message, with exit code 1; nothing has changed then."""
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it also logs inspections
    try:
        yield
    except FileExistsError:
        raise click.ClickException(f"{file} is there already. Another name, or a backup to --overwrite") from None
    except OSError as error:
        raise click.ClickException(f"{error.filename or file}: {error.strerror or error}") from None
    except BadBackup as bad:
        raise click.ClickException(f"{file} cannot be restored: {bad}.") from None
    except backups.NotCurrent:
        raise click.ClickException(NOT_CURRENT) from None
    except StatementError as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise click.ClickException("The connection to the database was lost. Look what it holds.") from None
        raise click.ClickException(f"The database could not do it: {_words_of(error)}. Nothing was changed.") from None


def _words_of(error: StatementError) -> str:
    """The database's error text; PostgreSQL's details, which contain values, are left out."""
    message = getattr(getattr(error.orig, "diag", None), "message_primary", None)
    return str(message or error.orig).strip().splitlines()[0]
