"""The outbox: e-mails are written in the transaction of their cause, and sent after its commit.

A sender first takes a message for some minutes (a lease, in a transaction of its own), so several processes and hosts
may send at once, no transaction is open during the mail server's response, and a message whose sender crashed is taken
again. Only a crash between the server's acceptance and its recording can send one twice; it then has the same
Message-ID.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session, defer

from services.core.db import now, session, writing
from services.core.encryption import Unreadable, Vault
from services.mail.smtp import Letter, NotDelivered, Server
from services.tables.accounts import OutboxMessage

LEASE = timedelta(minutes=2)
_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)
KEPT_FOR = timedelta(hours=72)  # a letter is useless when its link has expired
_NEWEST = 100
_BATCH = 1_000  # users in one statement


@dataclass(frozen=True)
class Sent:
    """The result of `send_due`: how many messages were sent, and how many were not (yet)."""

    sent: int = 0
    failed: int = 0


@dataclass(frozen=True, kw_only=True)
class Outbox:
    """The place for e-mails to be sent. Without a `server` they stay here, to be read on a page (development)."""

    vault: Vault
    sender: str
    server: Server | None = None

    def put(self, work: Session, *, user_id: int, recipient: str, letter: Letter) -> None:
        """Write a message within the caller's transaction."""
        message_id = secrets.token_hex(16)
        moment = now()
        work.add(
            OutboxMessage(
                message_id=message_id,
                user_id=user_id,
                recipient=recipient,
                subject=letter.subject,
                body=self.vault.seal(json.dumps(asdict(letter)), _purpose(message_id)),
                created_at=moment,
                next_try_at=moment if self.server else None,
                sent_at=None if self.server else moment,
                expires_at=moment + KEPT_FOR,
            )
        )

    def letter_of(self, message: OutboxMessage) -> Letter:
        """The letter in a message that is not sent yet; raises `Unreadable`."""
        return Letter(**json.loads(self.vault.open(message.body, _purpose(message.message_id))))

    def send_due(self) -> Sent:
        """Send due messages, one after the other, until there are none."""
        sent = failed = 0
        while (message := _take()) is not None:
            if self._send(message):
                sent += 1
            else:
                failed += 1
        return Sent(sent, failed)

    def _send(self, message: OutboxMessage) -> bool:
        try:
            if message.expires_at < now():
                raise NotDelivered("given up after 72 hours", for_good=True)
            if self.server is None:
                raise NotDelivered("MAIL_URL is not set")
            letter = self.letter_of(message)
            self.server.send(letter, sender=self.sender, recipient=message.recipient, message_id=message.message_id)
        except NotDelivered as problem:
            _note_failure(message, str(problem), for_good=problem.for_good)
            return False
        except Unreadable:
            _note_failure(message, "written under another SECRET_KEY", for_good=True)
            return False
        with writing() as work:
            done = {"sent_at": now(), "next_try_at": None, "body": "", "last_error": ""}
            work.execute(update(OutboxMessage).where(OutboxMessage.id == message.id).values(**done))
        return True


def _purpose(message_id: str) -> str:
    return f"mail {message_id}"


def _take() -> OutboxMessage | None:
    """Take a due message for some minutes and count the attempt; `None` if there is none."""
    due = (
        select(OutboxMessage)
        .where(OutboxMessage.next_try_at <= now())
        .order_by(OutboxMessage.next_try_at, OutboxMessage.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if session().scalar(select(OutboxMessage.id).where(OutboxMessage.next_try_at <= now()).limit(1)) is None:
        return None  # avoids SQLite's single write lock if there is nothing to do
    with writing() as work:
        message = work.scalar(due)
        if message is not None:
            message.next_try_at = now() + LEASE
            message.attempts += 1
    return message


def _note_failure(message: OutboxMessage, why: str, *, for_good: bool) -> None:
    wait = min(_FIRST_WAIT * 2 ** min(message.attempts - 1, 10), _LONGEST_WAIT)
    next_try = now() + wait
    ends = for_good or next_try > message.expires_at
    values = {
        "next_try_at": None if ends else next_try,
        "failed_at": now() if ends else None,
        "last_error": why[:200],
        "body": "" if ends else message.body,
    }
    with writing() as work:
        work.execute(update(OutboxMessage).where(OutboxMessage.id == message.id).values(**values))


def is_delayed(message: OutboxMessage) -> bool:
    """True if a message waits for its next attempt after a failure."""
    return message.next_try_at is not None and message.last_error != ""


def last_to(users: Mapping[int, str], *, in_trouble: bool = False) -> dict[int, OutboxMessage]:
    """The newest message to each of some users, given with their present addresses; `in_trouble`: only newest messages
    that have failed, or wait for their next attempt."""
    found: dict[int, OutboxMessage] = {}
    ids = list(users)
    trouble = [or_(OutboxMessage.failed_at.is_not(None), OutboxMessage.last_error != "")] if in_trouble else []
    last = select(func.max(OutboxMessage.id)).group_by(OutboxMessage.user_id, OutboxMessage.recipient)
    for place in range(0, len(ids), _BATCH):
        newest_ones = OutboxMessage.id.in_(last.where(OutboxMessage.user_id.in_(ids[place : place + _BATCH])))
        wanted = select(OutboxMessage).where(newest_ones, *trouble).options(defer(OutboxMessage.body))
        rows = session().scalars(wanted)
        found |= {row.user_id: row for row in rows if users[row.user_id] == row.recipient}
    return found


def newest(user_id: int | None = None, *, limit: int = _NEWEST) -> Sequence[OutboxMessage]:
    """The newest messages, of all users or of one."""
    found = select(OutboxMessage).order_by(OutboxMessage.id.desc()).limit(limit)
    return session().scalars(found if user_id is None else found.where(OutboxMessage.user_id == user_id)).all()
