"""The cost of a response: processor time and memory of the program, never elapsed time."""

import gc
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from flask import Flask
from werkzeug.test import TestResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

T = TypeVar("T")
SECONDS = 1.0  # of the processor, for one response
MEGABYTES = 60  # growth for one response
_LARGE = 4_000  # bytes of a form or a query
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def seconds_of(work: Callable[[], T]) -> tuple[float, T]:
    """Measure the processor time of a function in this thread, without garbage collection for other tests."""
    gc.disable()
    before = time.thread_time()
    try:
        done = work()
        return time.thread_time() - before, done
    finally:
        gc.enable()


def answered(ask: Callable[[], TestResponse]) -> TestResponse:
    """The response, whose processor time is limited, including the test's own check of it."""
    seconds, answer = seconds_of(ask)
    assert seconds < SECONDS, f"{answer.request.path}: {seconds:.2f} s of the processor"
    return answer


@contextmanager
def costs_held(app: Flask) -> Iterator[None]:
    """Limit the processor time and memory of the program's responses within the block; the test's own check does not
    count.

    The first response of an address, for which templates are compiled, may take longer, unless a large form or query
    was sent.
    """
    inner, known = app.wsgi_app, set()

    def counted(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        asked = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        is_large = len(environ.get("QUERY_STRING", "")) + int(environ.get("CONTENT_LENGTH") or 0) > _LARGE
        is_first = asked not in known
        known.add(asked)
        with memory_counted() as memory:
            seconds, answer = seconds_of(lambda: inner(environ, start_response))
        assert seconds < SECONDS or (is_first and not is_large), f"{asked}: {seconds:.2f} s of the processor"
        assert memory.megabytes < MEGABYTES, f"{asked}: {memory.megabytes:.0f} MB"
        return answer

    app.wsgi_app = counted  # type: ignore[method-assign]
    try:
        yield
    finally:
        app.wsgi_app = inner  # type: ignore[method-assign]


@dataclass
class Memory:
    """The largest growth of the process."""

    megabytes: float = 0.0


@contextmanager
def memory_counted() -> Iterator[Memory]:
    """Measure memory by the kernel, in whole pages. Large memory that is reused is noticed the first time."""
    memory = Memory()
    _RESET.write_text("5")  # resets the peak to the present size (proc_pid_clear_refs(5))
    before = _kilobytes("VmRSS")
    yield memory
    memory.megabytes = (_kilobytes("VmHWM") - before) / 1_000


def _kilobytes(what: str) -> int:
    found = re.search(rf"^{what}:\s+([0-9]+) kB$", _STATUS.read_text(), re.M)
    assert found
    return int(found[1])
