"""Logging pages that show participants by name: a line in the access log with the participants shown and the criteria.

A commit takes longer than a page of the list, so a background thread writes the lines in batches, at latest after a
second and when the process ends. If lines have waited for a minute, or too many wait, `NotLogged` is raised and no
lists are shown until the lines are written.
"""

import atexit
import logging
import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.orm import Session

from services.access.audit import Action, note
from services.access.viewer import Viewer
from services.core.db import db, now, read, writing
from services.tables.accounts import User
from services.tables.participants import AccessEntry, ShownIn

EVERY = 1.0  # seconds a line waits at most
PATIENCE = 60.0  # seconds that lines may wait before lists are refused
MOST_WAITING = 5_000  # lines
_SOON = 50  # waiting lines that trigger writing at once
_BATCH = 50  # lines of a transaction, so that other transactions do not wait long
_LATE = 5.0  # seconds of delay from which a line states its delay
_HOUR = timedelta(hours=1)

logger = logging.getLogger(__name__)


class NotLogged(Exception):
    """The log cannot be written at present, so participants must not be shown."""


class TooManyViews(Exception):
    """The user has reached the hourly limit on pages; the next one is allowed in `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"in {seconds} seconds")
        self.seconds = seconds


@dataclass(frozen=True)
class _Line:
    user_id: int
    participation: int | None
    detail: dict[str, Any]
    noted: float  # by the monotonic clock


class ViewLog:
    """The queue of lines in this process, and the thread that writes them. `context`: makes the database available;
    `clock`: a monotonic clock in seconds."""

    def __init__(self, context: Callable[[], AbstractContextManager[Any]], clock: Callable[[], float]) -> None:
        self._context, self.clock = context, clock
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Start with an empty queue. Threads and locks do not survive a fork, and the parent writes its own lines."""
        self._process = os.getpid()
        self._waiting: deque[_Line] = deque()
        self._lock, self._writing, self._starting = threading.Lock(), threading.Lock(), threading.Lock()
        self._wake, self._ended = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def waiting_of(self, user_id: int) -> int:
        """The number of waiting lines of a user."""
        with self._lock:
            return Counter(line.user_id for line in self._waiting)[user_id] if self._waiting else 0

    def refuse_unless_written(self) -> None:
        """Raise `NotLogged` if lines have waited too long or too many wait."""
        with self._lock:
            first, number = (self._waiting[0].noted if self._waiting else None), len(self._waiting)
        if number >= MOST_WAITING or (first is not None and self.clock() - first >= PATIENCE):
            self._wake.set()
            raise NotLogged

    def add(self, user_id: int, participation: int | None, detail: dict[str, Any]) -> None:
        """Queue a line."""
        with self._lock:
            self._waiting.append(_Line(user_id, participation, detail, self.clock()))
            number = len(self._waiting)
        if self._thread is None:
            self._start()
        if number >= _SOON:
            self._wake.set()

    def after_fork(self) -> None:
        """Reset the queue in a forked process."""
        if self._process != os.getpid():
            self._begin_anew()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="view log", daemon=True)
                self._thread.start()
                atexit.register(self.end)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._wake.wait(EVERY)
            self._wake.clear()
            try:
                self.write()
            except (
                Exception
            ):  # whatever the error: lines stay queued, lists answer 503 after a minute, and the thread continues
                logger.exception("what was shown could not be logged; it is tried again")
                self._ended.wait(EVERY)

    def write(self) -> None:
        """Write all waiting lines; lines that cannot be written stay queued."""
        while self._waiting:
            with self._writing:
                with self._lock:
                    lines = [self._waiting[place] for place in range(min(_BATCH, len(self._waiting)))]
                if lines:
                    with self._context():
                        _write(lines, self.clock())
                    with self._lock:
                        for _line in lines:
                            self._waiting.popleft()

    def write_at_once(self) -> None:
        """Write waiting lines before anything more is shown; raises `NotLogged` if that fails."""
        try:
            self.write()
        except Exception as problem:  # whatever the error, as in the thread
            logger.exception("what was shown could not be logged; it is tried again")
            raise NotLogged from problem

    def end(self) -> None:
        """Write waiting lines and stop the thread."""
        if self._process != os.getpid():
            return
        self._ended.set()
        self._wake.set()
        try:
            self.write()
        except Exception:  # the process ends: the error can only be logged
            logger.exception("%s pages that were shown are not in the access log", len(self._waiting))
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(EVERY)
            atexit.unregister(self.end)


_ENTRIES = insert(AccessEntry.__table__).returning(  # type: ignore[arg-type]
    AccessEntry.__table__.c.id, sort_by_parameter_order=True
)
_INDEX = insert(ShownIn.__table__)  # type: ignore[arg-type]


def _write(lines: Sequence[_Line], clock: float) -> None:
    """Write lines in one transaction. Their moment is that of writing, since sealing assumes that no older lines are
    added later."""
    with db.engine.connect().execution_options(writes=True) as connection, connection.begin():
        moment = now()
        ids = connection.execute(_ENTRIES, [_entry(line, moment, clock) for line in lines]).scalars().all()
        index = [
            {"participation_ref": ref, "line": entry}
            for entry, line in zip(ids, lines, strict=True)
            for ref in dict.fromkeys(line.detail.get("shown", ()))
        ]
        if index:
            connection.execute(_INDEX, index)


def _entry(line: _Line, moment: datetime, clock: float) -> dict[str, Any]:
    late = clock - line.noted
    return {
        "at": moment,
        "user_id": line.user_id,
        "action": Action.VIEW.value,
        "participation_ref": line.participation,
        "detail": line.detail | ({"late": round(late)} if late >= _LATE else {}),
    }


_logs: list[ViewLog] = []


def _renew_after_fork() -> None:
    for log in _logs:
        log.after_fork()


os.register_at_fork(after_in_child=_renew_after_fork)


def new_log(context: Callable[[], AbstractContextManager[Any]], clock: Callable[[], float] = monotonic) -> ViewLog:
    """Create the log of an application."""
    made = ViewLog(context, clock)
    _logs.append(made)
    return made


def forget_log(log: ViewLog) -> None:
    """End the log of an application that ends before its process."""
    log.end()
    with suppress(ValueError):
        _logs.remove(log)


# ---- Hourly limit on pages ----

_E = AccessEntry.__table__.c
_LATE_VIEWS = select(func.count().label("number"), func.max(_E.at).label("last")).where(
    _E.user_id == bindparam("user_id"), _E.action == Action.VIEW.value, _E.at > bindparam("since")
)


def refuse_too_many(log: ViewLog, viewer: Viewer, most: int) -> None:
    """Raise `NotLogged`, or `TooManyViews` after `most` pages in the last hour, unless the average time between these
    has passed since the last one: the user can continue, slowly. The first refusal is reported.

    Views in other processes count once these have written them: after a second, or when 50 pages of the user wait,
    since no further page is shown before those are written.
    """
    log.refuse_unless_written()
    if log.waiting_of(viewer.user_id) >= _SOON:
        log.write_at_once()
    moment = now()
    late = read(_LATE_VIEWS, {"user_id": viewer.user_id, "since": moment - _HOUR}).one()
    waiting = log.waiting_of(viewer.user_id)
    if late.number + waiting < most:
        return
    apart = _HOUR.total_seconds() / most
    since = 0.0 if waiting or late.last is None else (moment - late.last).total_seconds()
    if since < apart:
        _report(viewer, late.number + waiting)
        raise TooManyViews(max(1, round(apart - since + 0.5)))


def _report(viewer: Viewer, number: int) -> None:
    """Report the number of pages in the access log (for IMDi's administrators) and the program's log; once an hour."""
    mine = (AccessEntry.user_id == viewer.user_id, AccessEntry.action == Action.MANY_VIEWS.value)
    is_reported = select(AccessEntry.id).where(*mine, AccessEntry.at > now() - _HOUR).limit(1)
    if read(is_reported).first() is not None:
        return
    with writing() as work:
        _one_by_one(work, viewer)
        if work.execute(is_reported).first() is not None:
            return
        note(Action.MANY_VIEWS, user_id=viewer.user_id, detail={"number": number})
    logger.warning("a user has been shown %s pages of participants in an hour", number)


def _one_by_one(work: Session, viewer: Viewer) -> None:
    work.execute(select(User.id).where(User.id == viewer.user_id).with_for_update())
