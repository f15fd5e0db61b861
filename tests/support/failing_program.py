"""The program, with one address at which it fails before Flask can catch it."""

from collections.abc import Callable, Iterable
from typing import Any

from wsgi import app as application

_whole = application.wsgi_app


def _fail_at_one(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/brudd":
        raise ValueError("hemmelig")
    return _whole(environ, start_response)


application.wsgi_app = _fail_at_one  # type: ignore[method-assign]  # as Flask says to wrap it
