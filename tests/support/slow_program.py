"""A slow WSGI program, to find out which process of the server responds."""

import os
import time
from collections.abc import Callable, Iterable
from typing import Any

SECONDS = 0.4


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answers with the number of its process."""
    if environ["PATH_INFO"] != "/helse/klar":
        time.sleep(SECONDS)
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
