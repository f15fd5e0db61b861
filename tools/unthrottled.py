"""The program for scanners: `tools.check_security` serves it. Each question comes from an address of its own, else all
but the first hundred guesses at a password would be told to wait, and nothing behind that would be tried."""

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

from wsgi import app as program

_numbers = count(1)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The program, asked from 10.x.y.z."""
    number = next(_numbers)
    environ["REMOTE_ADDR"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return program.wsgi_app(environ, start_response)
