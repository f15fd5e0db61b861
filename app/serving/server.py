"""The production server, granian, and its configuration: for `serve`, `make run` and the tests alike."""

import multiprocessing
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels

TARGET = "app.serving.asgi:app"
HEAD_SECONDS = 30  # for the head of a request, and between two on one connection
MOST_HEAD = 65_536  # bytes of a request's head; the server itself refuses more
STOP_SECONDS = 30  # for running requests when the server is told to stop
CONNECTIONS = 4_096  # of one process at once

# Logging of the main process; the others log as the program does.
_LOG = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": "app.web.logs.JsonLines"}},
    "handlers": {"errors": {"class": "logging.StreamHandler", "formatter": "lines", "stream": "ext://sys.stderr"}},
    "loggers": {"_granian": {"handlers": ["errors"], "propagate": False}},
}


def serve(
    host: str,
    port: int,
    *,
    workers: int,
    target: str = TARGET,
    tls: tuple[Path, Path] | None = None,
    stop_seconds: int = STOP_SECONDS,
    ends_with_terminal: bool = False,
    ready: Callable[[], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; SIGHUP reloads the program, one process after another.

    `tls`: certificate and key (PEM, the key PKCS#8 without a password). `ends_with_terminal`: SIGHUP ends the server.
    `ready`: called, in a thread, when the server responds.
    """
    # A forked process would keep the code of its parent after SIGHUP, and the locks that its threads hold.
    multiprocessing.set_start_method("spawn", force=True)
    certificate, key = tls or (None, None)
    server = Granian(
        target,
        address=host,
        port=port,
        workers=workers,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_SECONDS * 1000, max_buffer_size=MOST_HEAD),
        workers_kill_timeout=stop_seconds,
        respawn_failed_workers=True,
        log_level=LogLevels.warning,
        log_dictconfig=dict(_LOG),
        ssl_cert=certificate,
        ssl_key=key,
        ssl_protocol_min=SSLProtocols.tls12,
    )

    @server.on_startup
    def begin() -> Any:
        if ends_with_terminal:
            signal.signal(signal.SIGHUP, server.signal_handler_interrupt)
        if ready:
            threading.Thread(target=_when_it_answers, args=(host, port, ready), daemon=True).start()

    server.serve()


def _when_it_answers(host: str, port: int, ready: Callable[[], None]) -> None:
    while True:
        try:
            socket.create_connection((host, port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return ready()
