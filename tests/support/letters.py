"""The e-mails in the program's outbox, and their links."""

import re

from flask import Flask
from sqlalchemy import select

from services.core.db import db
from services.mail.outbox import Outbox
from services.mail.smtp import Letter
from services.tables.accounts import OutboxMessage


def letters_to(app: Flask, email: str) -> list[Letter]:
    """The letters to an address that have not been sent by SMTP, the oldest first."""
    with app.app_context():
        outbox: Outbox = app.extensions["outbox"]
        found = select(OutboxMessage).where(OutboxMessage.recipient == email, OutboxMessage.body != "")
        messages = db.session.scalars(found.order_by(OutboxMessage.id)).all()
        return [outbox.letter_of(message) for message in messages]


def path_in(text: str) -> str:
    """The path of the only address of ours in a letter's text (once for each language)."""
    found = set(re.findall(r"^https?://[^/\s]+(/\S+)\s*$", text, re.MULTILINE))
    assert len(found) == 1, f"one link was looked for in:\n{text}"
    return str(found.pop())


def last_path(app: Flask, email: str) -> str:
    """The path of the link in the newest letter to an address."""
    letters = letters_to(app, email)
    assert letters, f"nothing was written to {email}"
    return path_in(letters[-1].text)
