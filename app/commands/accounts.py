"""The commands about users and e-mails: `flask --app wsgi user …`, `flask --app wsgi outbox …`."""

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from app.accounts import letters
from app.commands.running import need_current_database
from app.connections.mail import outbox
from app.settings.config import NoPublicUrl
from services.accounts import invitations
from services.accounts.administration import Details, EmailTaken
from services.core import text
from services.mail.outbox import newest
from services.mail.smtp import is_address


def init_account_commands(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(user)
    app.cli.add_command(outbox_group)


@click.group("user")
def user() -> None:
    """Users."""


@user.command("create-admin")
@click.option("--name", prompt="Name")
@click.option("--email", prompt="E-mail address")
@click.option("--phone", prompt="Work telephone")
@click.option("--force", is_flag=True, help="also when there is an IMDi-administrator already")
@with_appcontext
def create_admin(name: str, email: str, phone: str, force: bool) -> None:
    """Invite the first IMDi-administrator of a new installation."""
    need_current_database()
    number = text.telephone(phone) or phone.strip()[:30]
    details = Details(name=" ".join(name.split())[:200], email=text.username(email), phone=number)
    if not details.name or not is_address(details.email):
        raise click.ClickException("A name and an e-mail address such as name@imdi.no are needed.")
    try:
        user_id = invitations.create_admin(details, outbox=outbox(), letter=letters.invitation, force=force)
    except invitations.AdministratorExists:
        raise click.ClickException(
            "There is an IMDi-administrator already, who can invite others. Another one all the same: --force"
        ) from None
    except NoPublicUrl as missing:
        raise click.ClickException(str(missing)) from None
    except EmailTaken:
        raise click.ClickException("There is a user with that e-mail address already.") from None
    _tell_where_it_went(user_id)


def _tell_where_it_went(user_id: int) -> None:
    if outbox().server is None:
        base = current_app.config["SETTINGS"].public_url
        click.echo("MAIL_URL is not set, so the invitation is not sent.")
        click.echo(f"In development it can be read at {base}/utvikling/e-post")
        return
    outbox().send_due()
    (message,) = newest(user_id, limit=1)
    if message.sent_at:
        click.echo(f"The invitation has been sent to {message.recipient}. The link works once, for 72 hours.")
    else:
        click.echo(f"The invitation to {message.recipient} is written, but not sent yet: {message.last_error}.")
        click.echo("It is tried again by the running program, or by: flask --app wsgi outbox send")


@click.group("outbox")
def outbox_group() -> None:
    """E-mails that wait to be sent."""


@outbox_group.command("send")
@with_appcontext
def send() -> None:
    """Send the e-mails that are due."""
    need_current_database()
    if outbox().server is None:
        raise click.ClickException("MAIL_URL is not set: where shall they be sent?")
    done = outbox().send_due()
    click.echo(f"{done.sent} sent, {done.failed} not sent.")
    if done.failed:
        raise SystemExit(1)
