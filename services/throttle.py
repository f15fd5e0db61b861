"""Slowing down whoever guesses, without locking anybody out.

Failures are counted by who and where from: after some free ones each further try has to wait, twice as long each
time, up to a limit of seconds. What comes before that is refused unheard and does not make the wait longer. Other
addresses of the same user have a count of their own, so nobody is locked out by what somebody else does elsewhere.
A try is counted before it is judged, and taken back when it was right: a hundred at once gain nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from services.account_models import SignInFailure
from services.db import now, writing
from services.vault import Vault

FORGOTTEN_AFTER = timedelta(hours=1)
KNOWN_FOR = timedelta(days=90)


@dataclass(frozen=True)
class Pace:
    """`free` failures, then waits of 1, 2, 4 … seconds up to `longest`."""

    name: str
    free: int
    longest: int

    def wait(self, failures: int) -> timedelta:
        """How long after the last one the next try may come."""
        over = failures - self.free
        return timedelta(seconds=min(2.0 ** min(over, 20), self.longest)) if over >= 0 else timedelta()


PASSWORD = Pace("password", 10, 30)
FACTOR = Pace("factor", 5, 60)
# All users of an address together: a municipality may stand behind one.
ADDRESS = Pace("address", 100, 5)
# All addresses that know a user's password together.
FACTOR_ANYWHERE = Pace("factor anywhere", 30, 60)
RESET = Pace("reset", 4, 60)


class TooFast(Exception):  # noqa: N818 - says what is the case
    """Not yet: `seconds` to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} seconds")
        self.seconds = seconds


@dataclass(frozen=True)
class Try:
    """A try that has been counted; `forgive` when it was right."""

    keys: tuple[str, ...]
    known_key: str

    def forgive(self, work: Session) -> None:
        """Take the try back, within the caller's transaction: its closest count begins anew, the wider ones lose
        this try only, and who it was is known at this place from now on."""
        work.execute(delete(SignInFailure).where(SignInFailure.key_hash == self.keys[0]))
        fewer = SignInFailure.number - 1
        for key in self.keys[1:]:
            work.execute(update(SignInFailure).where(SignInFailure.key_hash == key).values(number=fewer))
        _begin(work, [self.known_key])
        work.execute(update(SignInFailure).where(SignInFailure.key_hash == self.known_key).values(last_at=now()))


def count(vault: Vault, *counted: tuple[Pace, str]) -> Try:
    """Count a try under each of these paces (the first is the closest one); raises `TooFast` and counts nothing
    if it comes too early for one of them. Who is known at a place is held to the first one only: what others
    there get wrong is not hers."""
    moment = now()
    closest, whom = counted[0]
    known_key = vault.digest("known", closest.name, whom)
    with writing() as work:
        _clear(work, moment)
        if work.get(SignInFailure, known_key) is not None:
            counted = counted[:1]
        paces = {vault.digest(pace.name, about): pace for pace, about in counted}
        _begin(work, sorted(paces))
        rows = {key: work.get(SignInFailure, key, with_for_update=True) for key in sorted(paces)}
        left = max(_left(paces[key], row, moment) for key, row in rows.items())
        if left > timedelta():
            raise TooFast(ceil(left.total_seconds()))
        for row in filter(None, rows.values()):
            row.number, row.last_at = row.number + 1, moment
    return Try(tuple(paces), known_key)


def _clear(work: Session, moment: datetime) -> None:
    """Failures are forgotten after an hour, who is known where after 90 days."""
    failed = (SignInFailure.number > 0) & (SignInFailure.last_at < moment - FORGOTTEN_AFTER)
    work.execute(delete(SignInFailure).where(failed | (SignInFailure.last_at < moment - KNOWN_FOR)))


def _begin(work: Session, keys: list[str]) -> None:
    """A row for each key, if there is none; two at once do not stumble over each other."""
    insert = postgresql.insert if work.get_bind().dialect.name == "postgresql" else sqlite.insert
    rows = [{"key_hash": key, "number": 0, "last_at": now()} for key in keys]
    work.execute(insert(SignInFailure).on_conflict_do_nothing(), rows)


def _left(pace: Pace, row: SignInFailure | None, moment: datetime) -> timedelta:
    wait = pace.wait(row.number) if row else timedelta()
    return row.last_at + wait - moment if row and wait else timedelta()
