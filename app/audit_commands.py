"""The commands that seal the history and the access log, and verify the seals."""

import click
from flask import Flask
from flask.cli import with_appcontext

from services import seals


def init_audit_commands(app: Flask) -> None:
    """Add the commands to the program's `flask`."""
    for command in (seal_audit, verify_audit):
        app.cli.add_command(command)


@click.command("seal-audit")
@with_appcontext
def seal_audit() -> None:
    """Seal what has been added to the history and the access log. For a timer, each minute."""
    click.echo(f"{seals.seal()} lines sealed.")


@click.command("verify-audit")
@with_appcontext
def verify_audit() -> None:
    """Tell whether a line of the history or the access log was changed, removed or inserted."""
    found = seals.verify()
    for fault in found.faults:
        what = f"seal {fault.line} does not fit" if fault.what == "seal" else f"line {fault.line} was {fault.what}"
        click.echo(f"{fault.log}: {what}")
    for log, last in found.hashes.items():
        click.echo(f"{log}: the chain ends with {last}")
    if found.faults:
        raise click.ClickException(f"{len(found.faults)} faults in {found.lines} sealed lines.")
    click.echo(f"{found.lines} sealed lines, all as they were written.")
