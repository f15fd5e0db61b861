"""Sealing the logs with the program's settings: the keys, the file of anchors, and the daily e-mail with them."""

import hashlib
import json
import logging
import secrets
from dataclasses import asdict
from datetime import datetime, timedelta

from flask import current_app
from markupsafe import escape
from sqlalchemy import make_url

from app.config import Settings
from services import seals
from services.audit_keys import Anchors, Sealing, read_keys, read_or_make_keys
from services.db import now
from services.mail import Letter, NotDelivered, Server

_MAIL_EVERY = timedelta(hours=24)
logger = logging.getLogger(__name__)


def sealing() -> Sealing:
    """The keys and the anchors of this database. Its address names it: nobody in the database can change that."""
    settings: Settings = current_app.config["SETTINGS"]
    read = read_keys if settings.in_production else read_or_make_keys
    url = make_url(settings.database_url)
    where = f"{url.get_backend_name()} {url.host} {url.port} {url.database} {sorted(url.query.items())}"
    register = hashlib.sha256(where.encode()).hexdigest()[:12]
    return Sealing(read(settings.audit_key_file), Anchors(settings.audit_anchor_file, register))


def seal_and_mail() -> int:
    """Seal what has settled, and send the newest anchors if that was not done for a day; gives how many lines."""
    own = sealing()
    sealed = seals.seal(own)
    last = own.anchors.last_mailed()
    if not last or datetime.fromisoformat(last) < now() - _MAIL_EVERY:
        _mail(own)
    return sealed


def _mail(own: Sealing) -> None:
    settings: Settings = current_app.config["SETTINGS"]
    newest = {one.log: one for one in own.anchors.newest()}
    if not (settings.audit_mail_to and settings.mail_url and newest):
        return
    rows = (json.dumps({"register": own.anchors.register, **asdict(one)}) for one in newest.values())
    told = (
        "Seals of Jobbsjanseregisteret. Keep this; verify-audit --anchors FILE compares it.\n\n"
        + "\n".join(rows)
        + "\n"
    )
    letter = Letter(subject="Jobbsjanseregisteret: seals", text=told, html=f"<pre>{escape(told)}</pre>")
    try:
        Server.at(settings.mail_url).send(
            letter, sender=settings.mail_from, recipient=settings.audit_mail_to, message_id=secrets.token_hex(16)
        )
    except NotDelivered as problem:
        logger.warning("the anchors were not sent: %s", problem)
    else:
        own.anchors.note_mailed(now().isoformat(timespec="seconds"))
