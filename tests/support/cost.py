"""What an answer costs: the processor's time and the memory of the program, never the clock on the wall."""

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from flask import Flask
from werkzeug.test import TestResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

T = TypeVar("T")
SECONDS = 1.0  # of the processor, for one answer
MEGABYTES = 60  # more than there was, for one answer
_LARGE = 4_000  # bytes of a form or a query


def seconds_of(work: Callable[[], T]) -> tuple[float, T]:
    """How long this thread works for it. What other tests have left to collect does not count."""
    gc.disable()
    before = time.thread_time()
    try:
        done = work()
        return time.thread_time() - before, done
    finally:
        gc.enable()


def answered(ask: Callable[[], TestResponse]) -> TestResponse:
    """The answer, which may not have taken this thread long, with the test's own look at it."""
    seconds, answer = seconds_of(ask)
    assert seconds < SECONDS, f"{answer.request.path}: {seconds:.2f} s of the processor"
    return answer


@contextmanager
def costs_held(app: Flask) -> Iterator[None]:
    """Meanwhile no answer of the program may take long, or much memory; the test's own look at it does not count.

    Counting the memory makes a request five times as slow, so it is done for all that is large, and for each address
    once, when its time does not count.
    """
    inner, known = app.wsgi_app, set()

    def counted(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        asked = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        is_large = len(environ.get("QUERY_STRING", "")) + int(environ.get("CONTENT_LENGTH") or 0) > _LARGE
        counts_memory = is_large or asked not in known
        known.add(asked)
        if counts_memory:
            tracemalloc.start()
        try:
            seconds, answer = seconds_of(lambda: inner(environ, start_response))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert seconds < SECONDS or (counts_memory and not is_large), f"{asked}: {seconds:.2f} s of the processor"
        assert peak < MEGABYTES * 1_000_000, f"{asked}: {peak / 1_000_000:.0f} MB"
        return answer

    app.wsgi_app = counted  # type: ignore[method-assign]
    try:
        yield
    finally:
        app.wsgi_app = inner  # type: ignore[method-assign]
