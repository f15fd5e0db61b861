"""Background work in a forked process, which ends when the block ends, or when this process ends for any reason."""

import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import select
from typing import NoReturn

logger = logging.getLogger(__name__)


class Life:
    """The connection of a background process to its parent, both ways. A pipe to which nothing is ever written ends
    with the parent, also if that is killed."""

    def __init__(self, parent: int, ready: int) -> None:
        self._parent, self._ready = parent, ready

    def tell_ready(self) -> None:
        """Report that the work has begun, so that the parent continues."""
        os.write(self._ready, b"ready")
        os.close(self._ready)

    def is_over(self, seconds: float | None = None) -> bool:
        """Wait for the end of the parent, for so many seconds or without limit; returns True if it has ended."""
        return bool(select([self._parent], [], [], seconds)[0])


class NotBegun(RuntimeError):
    """The work ended before it had begun; its log says why."""


@contextmanager
def beside(work: Callable[[Life], None]) -> Iterator[None]:
    """Fork a process for the work, and continue when it has begun. Ctrl-C reaches this process alone. Raises
    `NotBegun`.

    A process manager (honcho, circus) would run commands, and leave them running if it is killed itself.
    """
    parent_out, parent_in = os.pipe()
    ready_out, ready_in = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(parent_in)
        os.close(ready_out)
        _do(work, Life(parent_out, ready_in))
    os.close(parent_out)
    os.close(ready_in)
    with open(ready_out, "rb") as told:
        has_begun = told.read() != b""
    try:
        if not has_begun:
            raise NotBegun
        yield
    finally:
        os.close(parent_in)
        os.waitpid(child, 0)


def _do(work: Callable[[Life], None], life: Life) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, whose end is the signal
    status = 1
    try:
        work(life)
        status = 0
    except Exception:
        logger.exception("the process beside has ended")
    finally:
        os._exit(status)
