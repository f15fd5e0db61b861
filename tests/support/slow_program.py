"""A WSGI program that takes its time, so that it is seen which process of the server answers."""

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
