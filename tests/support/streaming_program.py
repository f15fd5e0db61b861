"""A WSGI program with long responses, which reports how many of them are running."""

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

PIECE = b"x" * 8_000
_lock = threading.Lock()
_open = 0


def _count(change: int) -> None:
    global _open
    with _lock:
        _open += change


def _pieces(number: int) -> Iterator[bytes]:
    _count(1)
    try:
        for _piece in range(number):
            yield PIECE
    finally:
        _count(-1)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """`/stykker/N`: N pieces. Otherwise: the number of running responses."""
    _empty, what, *rest = environ["PATH_INFO"].split("/")
    if what == "stykker":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return _pieces(int(rest[0]))
    body = str(_open).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
