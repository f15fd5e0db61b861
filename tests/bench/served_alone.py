"""The program with a few more addresses, for measuring servers (`tests.bench.servers`): on WSGI and ASGI."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from app.serving.adapter import AsgiProgram
from tests.support.echo_program import application as told
from wsgi import app as register

LINE = b"01018012345;Kari Nordmann;0301 Oslo;Norskoppl\xc3\xa6ring;01.02.2026;\r\n"
_AT_ONCE = 100  # lines, about as many as the program's own downloads send


def _lines(number: int) -> Iterator[bytes]:
    try:
        for _piece in range(number // _AT_ONCE):
            yield LINE * _AT_ONCE
    finally:
        Path(os.environ["BENCH_ENDED"]).touch()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """`/_lines/N`: so many lines. `/_told`: the server's environment of the request. `/_process`: the responding
    process."""
    what, _slash, number = environ["PATH_INFO"][1:].partition("/")
    if what == "_lines":
        start_response("200 OK", [("Content-Type", "text/csv")])
        return _lines(int(number))
    if what == "_told":
        return told(environ, start_response)
    if what == "_process":
        body = str(os.getpid()).encode()
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]
    answer: Iterable[bytes] = register(environ, start_response)
    return answer


asgi = AsgiProgram(application, int(os.environ["THREADS"]))
