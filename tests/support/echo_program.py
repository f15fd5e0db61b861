"""A program that returns the server's environment of a request, for `tests.web.test_server`."""

import json
from collections.abc import Callable, Iterable
from typing import Any

TOLD = ("SCRIPT_NAME", "PATH_INFO", "wsgi.url_scheme", "REMOTE_ADDR", "HTTP_HOST", "REQUEST_METHOD", "QUERY_STRING")


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Return the values that depend on the request."""
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({name: environ.get(name) for name in TOLD}).encode()]
