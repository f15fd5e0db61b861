"""Waiting for the signal to shut down, SIGTERM or Ctrl-C."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import select


@contextmanager
def told_to_end() -> Iterator[Callable[[float | None], bool]]:
    """Catch both signals within the block. Yields a function that waits for one, for so many seconds at most (None: for
    ever), and returns whether it has come. In the main thread only."""
    # Not an Event: a signal that comes while this thread holds the Event's lock would deadlock.
    out, into = os.pipe()
    before = {
        number: signal.signal(number, lambda *_: os.write(into, b"!")) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield lambda seconds: bool(select([out], [], [], seconds)[0])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(into)
        os.close(out)
