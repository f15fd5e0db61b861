"""The commands that seal the history and the access log, and verify the seals."""

from pathlib import Path

import click
from flask import Flask
from flask.cli import with_appcontext

from app.commands.sealing import seal_and_mail, sealing
from services.access import seals
from services.access.seal_keys import BAD_FILE
from services.access.seals import SealFault, Verified

_WORDS = {
    "changed": "line {line} was changed",
    "removed": "line {line} was removed",
    "inserted": "line {line} was inserted",
    "unsealed": "line {line} is older than 15 minutes and not sealed: seal-audit does not run, or it was inserted",
    "seal": "seal {line} does not fit: it, or what it seals, was changed",
    "keyless": "seal {line} is made without a key",
    "unknown_key": "seal {line} is made with a key that is not in AUDIT_KEY_FILE",
    "seal_removed": "seal {line} is anchored and gone: the newest lines and their seals were removed",
    "seal_replaced": "seal {line} is not the one that was anchored: the chain was made anew",
    "not_anchored": "seal {line} is not in AUDIT_ANCHOR_FILE: it cannot be written, or seal-audit does not run here",
    "no_anchors": "the file is missing, or holds no anchors of this database, though there are seals: "
    "newest lines that are gone cannot be told",
    "unlocked": "the triggers that keep the table append-only are gone or changed",
}


def init_audit_commands(app: Flask) -> None:
    """Register the commands."""
    for command in (seal_audit, verify_audit):
        app.cli.add_command(command)


@click.command("seal-audit")
@with_appcontext
def seal_audit() -> None:
    """Seal what has been added to the history and the access log, and anchor the seals. For a timer, each minute."""
    click.echo(f"{seal_and_mail()} lines sealed.")


@click.command("verify-audit")
@click.option(
    "--anchors",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    help="another file of anchors, from another host or an e-mail",
)
@with_appcontext
def verify_audit(anchors: tuple[Path, ...]) -> None:
    """Tell whether a line of the history or the access log was changed, removed or inserted.

    Ends with 1 if so, and if seals are missing, made anew, or late.
    """
    own = sealing()
    try:
        more = [one for path in anchors for one in own.anchors.read(path)]
        found = seals.verify(own, more)
    except BAD_FILE:
        raise click.ClickException("A file of anchors cannot be read.") from None
    for fault in found.faults:
        click.echo(_fault_text(fault))
    for log, last in found.hashes.items():
        click.echo(f"{log}: the chain ends with {last}")
    _tell_of_anchors(found)
    if found.faults:
        raise click.ClickException(f"{len(found.faults)} faults in {found.lines} sealed lines.")
    click.echo(f"{found.lines} sealed lines, all as they were written.")


def _fault_text(fault: SealFault) -> str:
    return f"{fault.log}: {_WORDS[fault.what].format(line=fault.line)}"


def _tell_of_anchors(found: Verified) -> None:
    if found.replaced:
        click.echo(
            f"{found.replaced} anchored seals were replaced by a restore, which is sealed and in the access log."
        )
    if found.anchored:
        click.echo(f"{found.anchored} anchors compared.")
    else:
        click.echo("No anchors of this database are here: newest lines that are gone cannot be told.")
