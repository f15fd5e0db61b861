"""Throttling of passwords and codes (domain 10.14), without locking out the right user.

Failures are counted per user, wherever they come from: after some free ones each further attempt has to wait, twice as
long each time, up to a limit. They are also counted per network, in an hour. A device on which the user has signed in
before has its own counter instead of both, so that attempts of strangers, or of a colleague in the same building, do
not delay the user there. An attempt that comes too early is refused unseen and does not prolong the wait. An attempt is
counted before it is checked, and taken back if it was right: parallel attempts gain nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from services.core.db import now, writing
from services.core.encryption import Vault
from services.tables.accounts import SignInFailure

FORGOTTEN_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Pace:
    """A limit on attempts: `free` failures, then waits of 1, 2, 4 … seconds up to `longest`. `hourly`: `free` attempts
    in an hour that begins with the first one, then none until it is over."""

    name: str
    free: int
    longest: int
    hourly: bool = False

    def left(self, failures: int, at: datetime, moment: datetime) -> timedelta:
        """How long the next attempt has to wait. `at`: of the last failure, or of the first one in the hour."""
        over = failures - self.free
        if over < 0:
            return timedelta()
        wait = self.longest if self.hourly else min(2.0 ** min(over, 20), self.longest)
        return at + timedelta(seconds=wait) - moment


PASSWORD = Pace("password", 10, 900)
FACTOR = Pace("factor", 10, 900)
NETWORK = Pace("network", 300, 3600, hourly=True)
# Requests for links: per person, and per network.
RESET = Pace("reset", 4, 60)
ADDRESS = Pace("address", 100, 5)


class TooFast(Exception):
    """The attempt comes too early: `seconds` to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} seconds")
        self.seconds = seconds


@dataclass(frozen=True)
class Try:
    """A counted attempt; call `forgive` if it was right. `number`: attempts in the closest counter, including this
    one."""

    closest: str
    wider: tuple[str, ...]
    number: int

    def forgive(self, work: Session) -> None:
        """Take the attempt back within the caller's transaction: reset its closest counter, and subtract one from the
        wider ones."""
        for key in sorted((self.closest, *self.wider)):  # the same order as in `count`, to avoid deadlocks
            fewer = 0 if key == self.closest else SignInFailure.number - 1
            counted = (SignInFailure.key_hash == key) & (SignInFailure.number > 0)
            work.execute(update(SignInFailure).where(counted).values(number=fewer))


def network_of(address: str) -> str:
    """The network of an IP address: /24 for IPv4, also if mapped to IPv6, and /64 for IPv6."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return str(ip_network(f"{found}/{24 if found.version == 4 else 64}", strict=False))


def count(vault: Vault, *counted: tuple[Pace, str]) -> Try:
    """Count an attempt under each of these paces (the first is the closest); raises `TooFast` and counts nothing if it
    comes too early for one of them."""
    moment = now()
    paces = {vault.digest(pace.name, about): pace for pace, about in counted}
    with writing() as work:
        found = {key: _locked_counter(work, key, moment) for key in sorted(paces)}
        left = max(paces[key].left(number, at, moment) for key, (number, at) in found.items())
        if left > timedelta():
            raise TooFast(ceil(left.total_seconds()))
        for key, (number, at) in found.items():
            begun = at if paces[key].hourly and number else moment
            row = update(SignInFailure).where(SignInFailure.key_hash == key)
            work.execute(row.values(number=number + 1, last_at=begun))
    closest, *wider = paces
    number = found[closest][0] + 1
    if number == 1:
        _clear(moment)
    return Try(closest, tuple(wider), number)


def _locked_counter(work: Session, key: str, moment: datetime) -> tuple[int, datetime]:
    """The counter of a key, created if missing, and locked until the end of the transaction."""
    insert = postgresql.insert if work.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = insert(SignInFailure).values(key_hash=key, number=0, last_at=moment)
    held = row.on_conflict_do_update(index_elements=["key_hash"], set_={"key_hash": key})
    number, at = work.execute(held.returning(SignInFailure.number, SignInFailure.last_at)).one()
    return (0, moment) if at < moment - FORGOTTEN_AFTER else (number, at)


def _clear(moment: datetime) -> None:
    """Delete expired counters in a transaction of its own, except locked ones, so that nobody waits for it."""
    old = select(SignInFailure.key_hash).where(SignInFailure.last_at < moment - FORGOTTEN_AFTER)
    with writing() as work:
        free = old.with_for_update(skip_locked=True)
        work.execute(delete(SignInFailure).where(SignInFailure.key_hash.in_(free)))
