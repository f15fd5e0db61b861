"""What only one process may do at a time, on however many hosts: it holds a lease in the database, which ends by
itself when the process does not come back."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from services.core.db import now, writing
from services.tables.participants import Lease


@dataclass(frozen=True)
class Held:
    """A lease that this process holds, for so long at a time."""

    name: str
    holder: str
    length: timedelta


def take(name: str, length: timedelta) -> Held | None:
    """Take the lease for `length`; `None` while somebody else holds it."""
    mine = Held(name, secrets.token_hex(16), length)
    try:
        with writing() as work:
            lease = work.scalar(select(Lease).where(Lease.name == name).with_for_update())
            if lease is None:
                lease = Lease(name=name)
                work.add(lease)
            elif lease.until > now():
                return None
            lease.holder, lease.until = mine.holder, now() + length
    except IntegrityError:  # somebody took it for the first time at the same moment
        return None
    return mine


def prolong(held: Held) -> bool:
    """Hold the lease from now on for its length again; `False` if somebody else has got it meanwhile."""
    with writing() as work:
        mine = (Lease.name == held.name, Lease.holder == held.holder)
        changed = work.connection().execute(update(Lease).where(*mine).values(until=now() + held.length))
        return bool(changed.rowcount)


def release(held: Held) -> None:
    """Give the lease back, if it is still held."""
    with writing() as work:
        work.execute(delete(Lease).where(Lease.name == held.name, Lease.holder == held.holder))
