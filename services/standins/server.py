"""The common part of the stand-in servers: a threaded server on loopback, and failures on request.

For development, demonstration and tests; production refuses to start with them. `/_standin/fail` and `/_standin/heal`
make a stand-in fail as real registers do.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, get_args

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from services.standins.control import FAIL_PATH, HEAL_PATH, Failure, Kind

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_SLOWNESS = 30.0  # seconds; ended early by healing and stopping
_HTML = "<!doctype html><html><head><title>Request Rejected</title></head><body>Support ID: 1234</body></html>"
_LOOPBACK = ("127.", "::1", "::ffff:127.")


def json_answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response in JSON."""
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status, headers, content_type="application/json;charset=utf-8")


class Standin(ABC):
    """A WSGI application that responds like a register, or fails as requested."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: list[Failure] = []
        self._woken = threading.Event()

    @abstractmethod
    def answer(self, request: Request) -> Response:
        """The register's normal response."""

    @abstractmethod
    def failure_answer(self, status: int) -> Response:
        """The register's own response for a failure with this status (401, 403, 429, 500)."""

    @abstractmethod
    def number_asked_for(self, request: Request) -> str | None:
        """The number that a request is about, None for requests that never fail (other than by `part`)."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        if request.path in {FAIL_PATH, HEAL_PATH}:
            response = self._control(request)
        elif failure := self._failure_for(request):
            response = self._fail(failure, environ)
        else:
            response = self.answer(request)
        return response(environ, start_response)

    def wake(self) -> None:
        """Let delayed requests be answered now."""
        self._woken.set()

    def _control(self, request: Request) -> Response:
        # A page in a browser on this machine cannot send JSON here without a preflight, so it cannot interfere.
        if not (request.remote_addr or "").startswith(_LOOPBACK) or request.method != "POST" or not request.is_json:
            return Response("", 403)
        try:
            failures = [] if request.path == HEAL_PATH else [_read_failure(request.get_json())]
        except (TypeError, ValueError, KeyError):
            return Response("", 400)
        with self._lock:
            if failures:
                self._failures = [*self._failures, *failures]
            else:
                self._failures = []
                self._woken.set()
                self._woken = threading.Event()
        return Response("", 204)

    def _failure_for(self, request: Request) -> Failure | None:
        """The failure that applies to this request, the newest first; reduces its remaining count."""
        number = self.number_asked_for(request)
        part = "token" if request.path == "/token" else "register"
        with self._lock:
            for failure in reversed(self._failures):
                if failure.part != part or failure.number not in {None, number}:
                    continue
                if failure.times is not None:
                    self._failures.remove(failure)
                    if failure.times > 1:
                        self._failures.append(failure.once_less())
                return failure
        return None

    def _fail(self, failure: Failure, environ: WSGIEnvironment) -> Response:
        match failure.kind:
            case "html":
                # A firewall refuses with any status, and with a page for people.
                return Response(_HTML, failure.status or 200, content_type="text/html")
            case "broken":
                return Response('{"navn": [{"erGjeldende": true, "fornavn": "KA', content_type="application/json")
            case "slow":
                self._woken.wait(_SLOWNESS)
                return self.failure_answer(500)
            case "refuse":
                connection: socket.socket | None = environ.get("werkzeug.socket")
                if connection is not None:  # closing it then sends a reset instead of a normal end
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raise ConnectionAbortedError
            case "429":
                response = self.failure_answer(429)
                if failure.retry_after is not None:
                    response.headers["Retry-After"] = failure.retry_after
                return response
            case "401" | "403" | "500":
                return self.failure_answer(int(failure.kind))


def _read_failure(body: object) -> Failure:
    if not isinstance(body, dict) or body.get("kind") not in get_args(Kind):
        raise ValueError("no such failure")
    return Failure(**body)


class _QuietHandler(WSGIRequestHandler):
    """Logs no requests: their addresses may contain numbers."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    def connection_dropped(self, error: BaseException, environ: WSGIEnvironment | None = None) -> None:
        """Really drop it: otherwise the handler waits for the next request, and the client for a response."""
        self.close_connection = True


class StandinServer:
    """Serves a stand-in from a thread of its own, from construction until `stop`. Port 0 takes a free one."""

    def __init__(self, application: Standin, address: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        host, port = address
        self._application = application
        self._server = make_server(host, port, application, threaded=True, request_handler=_QuietHandler)
        self.base_url = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and free the port. A second call does nothing."""
        self._application.wake()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
