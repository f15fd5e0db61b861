"""Being told to end, by SIGTERM or Ctrl-C."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import select


@contextmanager
def told_to_end() -> Iterator[Callable[[float | None], bool]]:
    """Within the block both signals only say that it is time to end. Gives what waits for that, so many seconds at
    most (None: for ever), and says whether it has been said. In the main thread only."""
    # An Event will not do: a signal that comes while this thread holds its lock would wait for that lock for ever.
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
