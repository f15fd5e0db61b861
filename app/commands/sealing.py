"""Sealing the logs with the program's settings: the keys, the anchor file, and the daily e-mail with the anchors."""

import hashlib
import json
import logging
import secrets
from dataclasses import asdict
from datetime import datetime, timedelta

from flask import current_app
from markupsafe import escape
from sqlalchemy import make_url

from app.settings.config import Settings
from services.access import seals
from services.access.seal_keys import BAD_FILE, Anchors, Sealing, read_keys, read_or_make_keys
from services.core.db import now
from services.mail.smtp import Letter, NotDelivered, Server

_MAIL_EVERY = timedelta(hours=24)
logger = logging.getLogger(__name__)


def sealing() -> Sealing:
    """The keys and the anchors of this database. Its address identifies it, which nobody in the database can change."""
    settings: Settings = current_app.config["SETTINGS"]
    read = read_keys if settings.in_production else read_or_make_keys
    url = make_url(settings.database_url)
    where = f"{url.get_backend_name()} {url.host} {url.port} {url.database} {sorted(url.query.items())}"
    register = hashlib.sha256(where.encode()).hexdigest()[:12]
    return Sealing(read(settings.audit_key_file), Anchors(settings.audit_anchor_file, register))


def seal_and_mail() -> int:
    """Seal settled lines, and e-mail the newest anchors once a day; returns the number of lines."""
    own = sealing()
    sealed = seals.seal(own)
    settings: Settings = current_app.config["SETTINGS"]
    if settings.audit_mail_to and settings.mail_url:
        try:
            _mail_if_due(own, settings)
        except BAD_FILE as problem:  # without its record of the last e-mail, one would be sent each minute
            logger.error("the anchors were not sent, %s cannot be used: %s", seals.ANCHOR_FILE, type(problem).__name__)
    return sealed


def _mail_if_due(own: Sealing, settings: Settings) -> None:
    newest, last = seals.newest_anchors(), own.anchors.last_mailed()
    if not newest or (last and datetime.fromisoformat(last) > now() - _MAIL_EVERY):
        return
    if not own.anchors.is_writable():
        raise PermissionError
    rows = (json.dumps({"register": own.anchors.register, **asdict(one)}) for one in newest)
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
