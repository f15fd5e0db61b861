"""Seals on the history and the access log, so that nobody can change, remove or insert a line unseen, whatever rights
she has in the database.

Each line gets a salted digest, and batches of digests are chained by their hashes. The lines themselves stay as they
are, so no request waits for another; and a line that must be erased by law leaves its digest behind, and the chain
whole. Whoever keeps a copy of the last seal's hash elsewhere can tell that nothing before it was touched.
"""

import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from services.db import now, session, writing
from services.models import AccessEntry, Change, Seal, SealedLine

# A line that is younger may have older ones beside it whose transactions have not ended yet.
SETTLED = timedelta(seconds=60)
BATCH = 5_000  # lines
LOGS: dict[str, type[AccessEntry] | type[Change]] = {"access_entry": AccessEntry, "change": Change}
_FIRST = "0" * 64


def seal(settled: timedelta = SETTLED) -> int:
    """Seal all lines that have settled; gives how many. Two at once seal one after the other."""
    return sum(_seal_log(log, settled) for log in LOGS)


def _seal_log(log: str, settled: timedelta) -> int:
    sealed = 0
    while True:
        with writing() as work:
            last = _last_seal(work, log)
            rows = _next_lines(work, log, last.last_id if last else 0, settled)
            if not rows:
                return sealed
            _seal_batch(work, log, last, rows)
        sealed += len(rows)


def _last_seal(work: Session, log: str) -> Seal | None:
    """The newest seal of a log, locked until the end of the transaction."""
    newest = select(Seal).where(Seal.log == log).order_by(Seal.number.desc()).limit(1)
    return work.scalar(newest.with_for_update())


def _next_lines(work: Session, log: str, after: int, settled: timedelta) -> list[Any]:
    table = LOGS[log]
    unsettled = work.scalar(select(func.min(table.id)).where(table.id > after, table.at >= now() - settled))
    lines = select(table).where(table.id > after).order_by(table.id).limit(BATCH)
    return list(work.scalars(lines.where(table.id < unsettled) if unsettled is not None else lines))


def _seal_batch(work: Session, log: str, last: Seal | None, rows: list[Any]) -> None:
    digests = []
    for row in rows:
        salt = secrets.token_hex(16)
        digests.append({"log": log, "line": row.id, "salt": salt, "digest": digest_of(row, salt)})
    work.execute(insert(SealedLine), digests)
    number, previous = (last.number + 1, last.hash) if last else (1, _FIRST)
    work.add(
        Seal(
            log=log,
            number=number,
            first_id=rows[0].id,
            last_id=rows[-1].id,
            lines=len(rows),
            hash=_chained(previous, number, [one["digest"] for one in digests]),
            at=now(),
        )
    )


def digest_of(row: Any, salt: str) -> str:
    """The salted digest of a line: of all its columns, in their order."""
    values = [_plain(getattr(row, column.key)) for column in type(row).__mapper__.columns]
    text = json.dumps([salt, *values], ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else value


def _chained(previous: str, number: int, digests: list[str]) -> str:
    return hashlib.sha256("\n".join([previous, str(number), *digests]).encode()).hexdigest()


@dataclass(frozen=True)
class Fault:
    """What is wrong with a log: `what` is changed, removed, inserted or seal; `line` the line's id, or the seal's
    number."""

    log: str
    what: str
    line: int


@dataclass(frozen=True)
class Verified:
    """What a verification has found: `lines` sealed in all, `hashes` of the last seals by log, and the faults."""

    lines: int
    hashes: dict[str, str]
    faults: list[Fault]


def verify() -> Verified:
    """Hold every sealed line against its digest, and every seal against its chain."""
    lines, hashes, faults = 0, {}, []
    for log in LOGS:
        previous, last_id = _FIRST, 0
        seals = session().scalars(select(Seal).where(Seal.log == log).order_by(Seal.number)).all()
        for number, one in enumerate(seals, start=1):
            found = list(_faults_of_batch(log, one, last_id))
            digests = _digests(log, one)
            is_whole = one.number == number and one.lines == len(digests) and one.first_id > last_id
            if not is_whole or one.hash != _chained(previous, number, [line.digest for line in digests]):
                found.append(Fault(log, "seal", one.number))
            faults += found
            lines, previous, last_id = lines + one.lines, one.hash, one.last_id
        hashes[log] = previous
    return Verified(lines, hashes, faults)


def _digests(log: str, one: Seal) -> list[SealedLine]:
    of_batch = (SealedLine.log == log, SealedLine.line >= one.first_id, SealedLine.line <= one.last_id)
    return list(session().scalars(select(SealedLine).where(*of_batch).order_by(SealedLine.line)))


def _faults_of_batch(log: str, one: Seal, after: int) -> Iterator[Fault]:
    """Lines of a batch that are not as they were sealed, and lines that were not there then."""
    table = LOGS[log]
    rows: list[Any] = list(session().scalars(select(table).where(table.id > after, table.id <= one.last_id)))
    standing = {row.id: row for row in rows}
    sealed = {line.line: line for line in _digests(log, one)}
    for line, kept in sealed.items():
        row = standing.pop(line, None)
        if row is None:
            yield Fault(log, "removed", line)
        elif digest_of(row, kept.salt) != kept.digest:
            yield Fault(log, "changed", line)
    for line in standing:
        yield Fault(log, "inserted", line)
    session().expunge_all()
