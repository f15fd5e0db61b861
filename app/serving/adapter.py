"""An ASGI adapter around the program: a slow client occupies a connection, but never a thread.

The server (granian) reads and writes; a thread works only from the last byte of a request to the first piece of its
response, and again for each further piece when the previous one has been sent. So half-sent requests and idle readers
cost memory only. Invalid requests are not refused here but passed to the program with the status to answer, so that
each refusal is a page of its own, with its headers (`app.web.responses.WholeRequest`).
"""

import asyncio
import contextvars
import io
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from app.web.responses import FAILURE, FAULT, MAX_BODY

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Environ = dict[str, Any]
Work = Callable[[Callable[[], None]], Awaitable[None]]  # runs a function in a thread
Program = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

PIECE = 65_536  # bytes of a response that are made before they are sent
BODY_SECONDS = 120  # seconds within which a body must arrive
BODY_RATE = 500  # bytes in a second, at least
BODY_GRACE = 10  # seconds for which a connection may be idle
MOST_READ = 10 * MAX_BODY  # of a refused body: a browser shows a response only after sending everything
SMALL_BODY = 65_536  # bytes; a form up to this size is always read
MOST_HELD = 64 * MAX_BODY  # bytes of larger bodies that one process holds at once
MOST_ADDRESS = 8_190  # bytes of path and query
MOST_HEADER = 8_190  # bytes of one header
# Answered by separate threads, so that load does not delay a probe.
HEALTH, HEALTH_THREADS = "/helse", 4

_NOWHERE = "/-"  # a path without a view

logger = logging.getLogger(__name__)


class AnswerBrokenOff(RuntimeError):
    """A response has ended early. The cause is logged already."""


class AsgiProgram:
    """An ASGI application around a WSGI program. `threads`: requests that the process works on at once; `at_end`:
    called when the server ends."""

    def __init__(self, program: Program, threads: int, at_end: Callable[[], None] = lambda: None) -> None:
        self._program, self._at_end = program, at_end
        self._pool = ThreadPoolExecutor(threads, "request")
        self._health_pool = ThreadPoolExecutor(HEALTH_THREADS, "health")
        self._held = 0  # bytes of large bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan of the process."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            held = 0

            def may_hold(size: int) -> bool:
                nonlocal held
                self._held += size - held
                held = size
                return self._held <= MOST_HELD

            try:
                await self._answer(scope, receive, send, may_hold)
            finally:
                self._held -= held

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        _end_with_parent()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(self._at_end)
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send, may_hold: Callable[[int], bool]) -> None:
        body, fault = b"", _fault_of(scope)
        if _has_body(scope):
            body, body_fault = await _read_body(receive, may_hold)
            fault = fault or body_fault
        pool = self._health_pool if str(scope["path"]).startswith(HEALTH) else self._pool
        environ = _environ_of(scope, body, fault)
        context = contextvars.copy_context()  # one for all the threads of the request

        async def work(step: Callable[[], None]) -> None:
            await asyncio.get_running_loop().run_in_executor(pool, context.run, step)

        try:
            call = await self._begun(environ, work)
            try:
                await send({"type": "http.response.start", "status": call.status, "headers": call.headers(fault)})
                await send({"type": "http.response.body", "body": call.piece, "more_body": call.has_more})
                if call.has_more:
                    await _stream(call, work, receive, send)
            finally:
                if call.is_open:
                    await work(call.close)
        except Exception:
            logger.exception("an answer has come to no good end")
            raise AnswerBrokenOff from None  # the server closes the connection, and must not log the error's text

    async def _begun(self, environ: Environ, work: Work) -> "_Call":
        """A call of the program up to the first piece of its response; if it raises, the program's error page."""
        call = _Call(self._program, environ)
        try:
            await work(call.begin)
        except Exception as problem:
            call = _Call(self._program, environ | {"PATH_INFO": _NOWHERE, FAILURE: problem})
            await work(call.begin)
        return call


async def _stream(call: "_Call", work: Work, receive: Receive, send: Send) -> None:
    """Send the rest of a response, unless the client disconnects."""
    gone = asyncio.create_task(_wait_until_gone(receive))
    try:
        while call.has_more and not gone.done():
            await work(call.advance)
            await send({"type": "http.response.body", "body": call.piece, "more_body": call.has_more})
    finally:
        gone.cancel()


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _end_with_parent() -> None:
    """End this process when its parent process has ended, perhaps killed."""
    if parent := multiprocessing.parent_process():
        loop = asyncio.get_running_loop()

        def end() -> None:
            loop.remove_reader(parent.sentinel)
            os.kill(os.getpid(), signal.SIGTERM)

        loop.add_reader(parent.sentinel, end)


# ---- Requests ----


def _has_body(scope: Scope) -> bool:
    return any(name in {b"content-length", b"transfer-encoding"} for name, _value in scope["headers"])


async def _read_body(receive: Receive, may_hold: Callable[[int], bool]) -> tuple[bytes, int]:
    """Read the whole body, or b"" with a status; a body that is too large is read to its end too. `may_hold`: whether
    there is room for so many more bytes."""
    clock = asyncio.get_running_loop().time
    pieces, size, began = [], 0, clock()
    while True:
        limit = began + min(BODY_SECONDS, BODY_GRACE + size / BODY_RATE)
        try:
            async with asyncio.timeout_at(limit):
                message = await receive()
        except TimeoutError:
            logger.warning("a body came too slowly: %d bytes in %d s", size, clock() - began)
            return b"", 408
        if message["type"] == "http.disconnect":  # the connection broke, or the chunks are malformed
            return b"", 400
        piece = message.get("body", b"")
        size += len(piece)
        if SMALL_BODY < size <= MAX_BODY and not may_hold(size):
            return b"", 503
        if size <= MAX_BODY:
            pieces.append(piece)
        if not message.get("more_body"):
            return (b"".join(pieces), 0) if size <= MAX_BODY else (b"", 413)
        if size > MOST_READ:
            return b"", 413


def _fault_of(scope: Scope) -> int:
    """The status for a fault in the head of a request; 0 if there is none."""
    headers = scope["headers"]
    if len(scope["raw_path"]) + len(scope["query_string"]) > MOST_ADDRESS:
        return 414
    if any(len(name) + len(value) > MOST_HEADER for name, value in headers):
        return 431
    hosts = [value for name, value in headers if name == b"host"]  # b"" from the server if there was none
    has_one_host = len(hosts) < 2 and (any(hosts) or scope["http_version"] == "1.0")
    return 0 if has_one_host and scope["method"].isupper() else 400


def _environ_of(scope: Scope, body: bytes, fault: int) -> Environ:
    """The request as a WSGI environment (PEP 3333), from the server and the request's own headers only."""
    host, port = (scope.get("server") or ("localhost", 80))[:2]
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        FAULT: fault,
    }
    for raw_name, value in scope["headers"]:
        if b"_" in raw_name:
            continue  # it would pass for the name with a hyphen, which a proxy may have filtered
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        key = name if name in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{name}"
        divider = "; " if name == "COOKIE" else ","
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]}{divider}{text}" if key in environ else text
    return environ


# ---- Responses ----


class _Call:
    """One call of the program, step by step, each in a thread."""

    def __init__(self, program: Program, environ: Environ) -> None:
        self._program, self._environ = program, environ
        self._answer: Iterable[bytes] = ()
        self._pieces: Iterator[bytes] = iter(())
        self._written: list[bytes] = []
        self._headers: list[tuple[str, str]] = []
        self.status, self.piece, self.has_more, self.is_open = 500, b"", True, False

    def begin(self) -> None:
        """Run the program up to the first piece, when status and headers are known."""
        self._answer = self._program(self._environ, self._start)
        self.is_open = True
        self._pieces = iter(self._answer)
        self.advance()

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        self.status, self._headers = int(status[:3]), headers
        return self._written.append

    def headers(self, fault: int) -> list[tuple[bytes, bytes]]:
        """The headers for ASGI. The connection is closed after a request that may not have arrived completely."""
        headers = [*self._headers, *([("Connection", "close")] if fault else [])]
        return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]

    def advance(self) -> None:
        """Continue to the next piece; a response that has ended or failed is closed."""
        pieces, size = self._written, 0
        self._written = []
        try:
            for piece in self._pieces:
                pieces.append(piece)
                size += len(piece)
                if size >= PIECE:
                    break
            else:
                self.has_more = False
        except BaseException:
            self.close()
            raise
        if not self.has_more:
            self.close()
        self.piece = b"".join(pieces)

    def close(self) -> None:
        """Tell the response that no more of it is needed."""
        self.is_open = False
        if close := getattr(self._answer, "close", None):
            close()
