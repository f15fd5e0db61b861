"""Seals on the history and the access log, which make changed, removed and inserted lines detectable, even if the
intruder has all rights in the database.

Each line gets a salted digest, and batches of digests are chained: each seal is an HMAC over the previous seal, the
running numbers of its lines, which have no gaps, and their digests. The key, and the anchors that list the seals, lie
outside the database (`services.access.seal_keys`). The lines themselves do not change, so requests do not wait for each
other. A line that must be erased by law leaves its digest behind, and the chain stays intact.
"""

import hashlib
import json
import logging
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from services.access.seal_keys import BAD_FILE, Anchor, Keys, Sealing
from services.core.db import now, session, writing
from services.tables.participants import AccessEntry, Change, Seal, SealedLine

# Transactions with older lines may still be open before that.
SETTLED = timedelta(seconds=60)
LATE = timedelta(minutes=15)  # the job seals a line within this time
BATCH = 5_000  # lines
LOGS: dict[str, type[AccessEntry] | type[Change]] = {"access_entry": AccessEntry, "change": Change}
_FIRST = "0" * 64
_EVERYTHING = timedelta(days=-36_500)  # includes lines dated in the future
_LOCK = 7_302_014  # an arbitrary number for the advisory lock
ANCHOR_FILE = "AUDIT_ANCHOR_FILE"
logger = logging.getLogger(__name__)


# ---- Sealing ----


def seal(sealing: Sealing, settled: timedelta = SETTLED) -> int:
    """Seal all settled lines and anchor each seal; returns the number of lines. Parallel runs seal one after the
    other."""
    return sum(_seal_log(log, sealing, settled) for log in LOGS)


def _seal_log(log: str, sealing: Sealing, settled: timedelta) -> int:
    sealed = 0
    while True:
        with writing() as work:
            _one_at_a_time(work)
            made = _seal_next(work, log, sealing.keys, settled)
        anchor_newest(sealing)
        if made is None:
            return sealed
        sealed += made.lines


def _one_at_a_time(work: Session) -> None:
    """Take an advisory lock. A row lock on the newest seal would not do: there is a newer one when it is released."""
    if work.get_bind().dialect.name == "postgresql":
        work.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))


def _seal_next(work: Session, log: str, keys: Keys, settled: timedelta) -> Seal | None:
    last = work.scalar(_seals_of(log).order_by(Seal.number.desc()).limit(1))
    rows = _next_lines(work, log, last.last_id if last else 0, settled)
    closes_old = last is not None and last.key_id is None
    return _seal_batch(work, log, last, rows, keys) if rows or closes_old else None


def open_epoch(work: Session, keys: Keys, replaced: list[list[Any]]) -> list[Seal]:
    """Seal all restored lines in a new epoch, whose seal names the ends of the replaced chains (see `ends`). Runs
    within the restore's transaction, while nobody else writes."""
    made = []
    for log in LOGS:
        last = work.scalar(_seals_of(log).order_by(Seal.number.desc()).limit(1))
        of_log = [one for one in replaced if one[0] == log]
        epoch = max([last.epoch if last else 0, *(one[1] for one in of_log)]) + 1
        rows = _next_lines(work, log, last.last_id if last else 0, _EVERYTHING, most=None)
        made.append(_seal_batch(work, log, last, rows, keys, epoch=epoch, replaced=of_log))
    return made


def ends(work: Session) -> list[list[Any]]:
    """The ends of the chains, and of those that were replaced before: log, epoch, number and hash."""
    found = [one for row in work.scalars(select(Seal).where(Seal.replaced.is_not(None))) for one in row.replaced or ()]
    for log in LOGS:
        last = work.scalar(_seals_of(log).order_by(Seal.number.desc()).limit(1))
        found += [[log, last.epoch, last.number, last.hash]] if last else []
    return found


def anchor_newest(sealing: Sealing) -> None:
    """Append the newest committed seals to the anchor file unless they are in it. An unwritable file does not stop the
    sealing: each failure is logged, and `verify` reports it."""
    try:
        known = sealing.anchors.newest()
        if not (new := [one for one in newest_anchors() if one not in known]):
            return
        if not known and any(one.number > 1 for one in new):
            logger.warning(
                "%s holds no anchors of this database, though there are seals: it is begun anew", ANCHOR_FILE
            )
        sealing.anchors.add(new, now().isoformat(timespec="seconds"))
    except BAD_FILE as problem:
        logger.error("the newest seals are not anchored, %s cannot be written: %s", ANCHOR_FILE, type(problem).__name__)


def newest_anchors() -> list[Anchor]:
    """The newest seal of each log as an anchor."""
    found = [session().scalar(_seals_of(log).order_by(Seal.number.desc()).limit(1)) for log in LOGS]
    return [Anchor(one.log, one.epoch, one.number, one.hash, _sealed_by(one)) for one in found if one]


def _sealed_by(one: Seal) -> int:
    """The number of lines sealed up to a seal."""
    return session().scalar(select(func.sum(Seal.lines)).where(Seal.log == one.log, Seal.number <= one.number)) or 0


def _seals_of(log: str) -> Any:
    return select(Seal).where(Seal.log == log)


def _next_lines(work: Session, log: str, after: int, settled: timedelta, most: int | None = BATCH) -> list[Any]:
    table = LOGS[log]
    unsettled = work.scalar(select(func.min(table.id)).where(table.id > after, table.at >= now() - settled))
    lines = select(table).where(table.id > after).order_by(table.id).limit(most)
    return list(work.scalars(lines.where(table.id < unsettled) if unsettled is not None else lines))


def _seal_batch(
    work: Session,
    log: str,
    last: Seal | None,
    rows: list[Any],
    keys: Keys,
    *,
    epoch: int | None = None,
    replaced: list[list[Any]] | None = None,
) -> Seal:
    digests = []
    for row in rows:
        salt = secrets.token_hex(16)
        digests.append({"log": log, "line": row.id, "salt": salt, "digest": digest_of(row, salt)})
    if digests:
        work.execute(insert(SealedLine), digests)
    sealed = work.scalar(select(func.sum(Seal.lines)).where(Seal.log == log)) or 0
    after = last.last_id if last else 0
    made = Seal(
        log=log,
        number=last.number + 1 if last else 1,
        first_id=rows[0].id if rows else after + 1,
        last_id=rows[-1].id if rows else after,
        lines=len(rows),
        at=now(),
        epoch=epoch or (last.epoch if last else 1),
        key_id=keys.current,
        replaced=replaced,
    )
    made.hash = _hash(made, last.hash if last else _FIRST, sealed, [one["digest"] for one in digests], keys)
    work.add(made)
    work.flush()
    return made


def digest_of(row: Any, salt: str) -> str:
    """The salted digest of a line, over all columns in their order."""
    values = [_plain(getattr(row, column.key)) for column in type(row).__mapper__.columns]
    encoded = json.dumps([salt, *values], ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(encoded.encode()).hexdigest()


def _plain(value: Any) -> Any:
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else value


def _hash(one: Seal, previous: str, sealed: int, digests: list[str], keys: Keys) -> str:
    """The expected hash of a seal; seals older than the keys are plain hashes. `sealed`: the number of lines before
    it."""
    if one.key_id is None:
        return hashlib.sha256("\n".join([previous, str(one.number), *digests]).encode()).hexdigest()
    head = [one.log, one.epoch, one.number, one.first_id, one.last_id, one.key_id, one.replaced]
    numbered = [f"{position} {digest}" for position, digest in enumerate(digests, start=sealed + 1)]
    return keys.sign(one.key_id, "\n".join([previous, json.dumps(head), *numbered]))


# ---- Verifying ----


@dataclass(frozen=True)
class SealFault:
    """A fault in a log. `what`: changed, removed, inserted or unsealed, of the line with the id `line`; seal, keyless,
    unknown_key, seal_removed, seal_replaced or not_anchored, of the seal with that number; unlocked, of the log's
    table; no_anchors, of the file."""

    log: str
    what: str
    line: int


@dataclass(frozen=True)
class Verified:
    """The result of a verification: the number of sealed `lines`, the `hashes` of the last seals by log, the faults,
    the number of `anchored` seals, and how many of these a restore has `replaced`."""

    lines: int
    hashes: dict[str, str]
    faults: list[SealFault]
    anchored: int
    replaced: int


def verify(sealing: Sealing, anchors: Iterable[Anchor] = ()) -> Verified:
    """Check each line against its digest, each seal against its chain, and each anchor against the seals. `anchors`:
    anchors from elsewhere, in addition to the own file."""
    lines, hashes, faults = 0, {}, list(_open_locks())
    own = sealing.anchors.read()
    known = list(dict.fromkeys([*own, *anchors]))
    replaced, newest = 0, []
    for log in LOGS:
        seals = list(session().scalars(_seals_of(log).order_by(Seal.number)))
        found = list(_faults_of_chain(log, seals, sealing.keys))
        trusted = {one.number for one in seals} - {one.line for one in found if one.what in {"seal", "unknown_key"}}
        ended = [tuple(end) for one in seals if one.key_id and one.number in trusted for end in one.replaced or ()]
        standing = {(one.epoch, one.number): one.hash for one in seals}
        for one in (one for one in known if one.log == log):
            if standing.get((one.epoch, one.number)) == one.hash:
                continue
            if (one.epoch, one.number) not in standing and _is_replaced(one, ended):
                replaced += 1
            else:
                gone = (one.epoch, one.number) not in standing
                found.append(SealFault(log, "seal_removed" if gone else "seal_replaced", one.number))
        faults += found
        lines += sum(one.lines for one in seals)
        hashes[log] = seals[-1].hash if seals else _FIRST
        newest += seals[-1:]
    faults += _faults_of_anchoring(sealing, newest, own, known)
    return Verified(lines, hashes, faults, len(known), replaced)


def _faults_of_anchoring(
    sealing: Sealing, newest: list[Seal], own: list[Anchor], known: list[Anchor]
) -> Iterator[SealFault]:
    """Report a missing or emptied anchor file though seals exist, and newest seals that are not in it."""
    if newest and not own:
        yield SealFault(ANCHOR_FILE, "no_anchors", 0)
        return
    anchored = {(one.log, one.epoch, one.number) for one in known}
    # The job's next run anchors a recent seal, or one of another host, if it can write the file.
    soon = now() - LATE if sealing.anchors.is_writable() else now()
    for one in newest:
        if (one.log, one.epoch, one.number) not in anchored and one.at <= soon:
            yield SealFault(one.log, "not_anchored", one.number)


def _is_replaced(one: Anchor, ended: list[tuple[Any, ...]]) -> bool:
    """True if a sealed restore names the chain of the anchor as replaced."""
    for log, epoch, number, end in ended:
        if (log, epoch) == (one.log, one.epoch) and (one.number < number or (one.number, one.hash) == (number, end)):
            return True
    return False


def _faults_of_chain(log: str, seals: list[Seal], keys: Keys) -> Iterator[SealFault]:
    previous, last_id, sealed, was_keyed = _FIRST, None, 0, False
    for number, one in enumerate(seals, start=1):
        yield from _faults_of_batch(log, one, last_id)
        digests = _digests(log, one)
        follows = one.number == number and one.lines == len(digests) and (not digests or one.first_id > (last_id or 0))
        if one.key_id is not None and one.key_id not in keys.by_id:
            yield SealFault(log, "unknown_key", one.number)
        elif not follows or one.hash != _hash(one, previous, sealed, [line.digest for line in digests], keys):
            yield SealFault(log, "seal", one.number)
        is_last = number == len(seals)
        if one.key_id is None and (was_keyed or is_last):
            yield SealFault(log, "keyless", one.number)
        was_keyed = was_keyed or one.key_id is not None
        previous, last_id, sealed = one.hash, one.last_id, sealed + one.lines
    yield from _faults_after(log, last_id or 0)


def _faults_after(log: str, last_id: int) -> Iterator[SealFault]:
    """Report lines that the job has not sealed in time."""
    table = LOGS[log]
    late = select(table.id).where((table.id > last_id) & (table.at < now() - LATE)).order_by(table.id)
    for line in session().scalars(late.limit(BATCH)):
        yield SealFault(log, "unsealed", line)
    if not last_id:  # no batch covers lower ids
        for line in session().scalars(select(table.id).where(table.id < 1).limit(BATCH)):
            yield SealFault(log, "inserted", line)


def _digests(log: str, one: Seal) -> list[SealedLine]:
    of_batch = (SealedLine.log == log, SealedLine.line >= one.first_id, SealedLine.line <= one.last_id)
    return list(session().scalars(select(SealedLine).where(*of_batch).order_by(SealedLine.line)))


def _faults_of_batch(log: str, one: Seal, after: int | None) -> Iterator[SealFault]:
    """Report lines of a batch that differ from what was sealed, and lines that were inserted; for the first seal, also
    those with lower ids."""
    table = LOGS[log]
    within = [table.id <= one.last_id, *([] if after is None else [table.id > after])]
    rows: list[Any] = list(session().scalars(select(table).where(*within)))
    standing = {row.id: row for row in rows}
    sealed = {line.line: line for line in _digests(log, one)}
    for line, sealed_line in sealed.items():
        row = standing.pop(line, None)
        if row is None:
            yield SealFault(log, "removed", line)
        elif digest_of(row, sealed_line.salt) != sealed_line.digest:
            yield SealFault(log, "changed", line)
    for line in standing:
        yield SealFault(log, "inserted", line)
    for row in rows:
        session().expunge(row)


def _open_locks() -> Iterator[SealFault]:
    """Report tables whose triggers no longer refuse changes."""
    for table in (*LOGS, "seal", "sealed_line"):
        if session().get_bind().dialect.name == "sqlite":
            wanted = 3
            found = (
                "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table "
                "AND sql LIKE '%RAISE(ABORT, ''' || :table || ' is append-only'')%' AND name LIKE :table || '_no_%'"
            )
        else:
            wanted = 1
            found = (
                "SELECT count(*) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
                "WHERE t.tgrelid = CAST(:table AS regclass) AND t.tgname = :table || '_append_only' "
                "AND t.tgenabled IN ('O', 'A') AND p.prosrc LIKE '%RAISE EXCEPTION%is append-only%'"
            )
        if session().scalar(text(found), {"table": table}) != wanted:
            yield SealFault(table, "unlocked", 0)
