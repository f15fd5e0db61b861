"""The program, with two addresses at which it fails outside Flask's error handling: at the beginning, and halfway."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from wsgi import app as application

_whole = application.wsgi_app


def _half() -> Iterator[bytes]:
    for _piece in range(50):
        yield b"x" * 8_000
    raise ValueError("hemmelig")


def _fail_at_two(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/brudd":
        raise ValueError("hemmelig")
    if environ["PATH_INFO"] == "/brudd-midt":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return _half()
    return _whole(environ, start_response)


application.wsgi_app = _fail_at_two  # type: ignore[method-assign]  # as Flask says to wrap it
