"""Leases in the database: locks for what only one process on all hosts may do at a time. A lease expires if its process
disappears."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from services.core.db import now, writing
from services.tables.participants import Lease


@dataclass(frozen=True)
class Held:
    """A lease that this process holds, and its duration."""

    name: str
    holder: str
    length: timedelta


def take(name: str, length: timedelta) -> Held | None:
    """Take the lease for `length`; `None` if another process holds it."""
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
    except IntegrityError:  # another process took it for the first time at the same moment
        return None
    return mine


def prolong(held: Held) -> bool:
    """Extend the lease by its length from now; `False` if another process holds it now."""
    with writing() as work:
        mine = (Lease.name == held.name, Lease.holder == held.holder)
        changed = work.connection().execute(update(Lease).where(*mine).values(until=now() + held.length))
        return bool(changed.rowcount)


def release(held: Held) -> None:
    """Release the lease, if it is still held."""
    with writing() as work:
        work.execute(delete(Lease).where(Lease.name == held.name, Lease.holder == held.holder))
