"""The program on its production server, for the browser: a process of its own on a free port."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from tests.support.served import SERVED

ROOT = Path(__file__).resolve().parent.parent.parent
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
READY_SECONDS = 60  # a limit for slow machines


@dataclass(frozen=True)
class LiveServer:
    """A running server: its address, log file, main process id, and settings."""

    base_url: str
    log: Path
    process_id: int
    settings: Mapping[str, str]

    def logged(self) -> str:
        """Its output so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def running_server(
    settings: Mapping[str, str],
    *,
    application: str = "",
    workers: int = 1,
    threads: int = 8,
) -> Iterator[LiveServer]:
    """Run the production server with the program and these settings; it responds before it is yielded, and is stopped
    by its id.

    A WSGI `application` instead of the program (MODULE:NAME) must answer 200 at /helse/klar, too. Raises RuntimeError
    with the server's output if it does not start.
    """
    environ = {name: os.environ[name] for name in _KEPT if name in os.environ}
    served = {SERVED: application} if application else {}
    with _reserved_port() as port, tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.served", str(port), str(workers)],
                cwd=ROOT,
                env={**environ, **served, "THREADS": str(threads), **settings, "PORT": str(port)},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            if not _is_ready(port, process):
                raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')}")
            yield LiveServer(f"http://127.0.0.1:{port}", log, process.pid, settings)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def _reserved_port() -> Iterator[int]:
    """Reserve a free port within the block; the server and its processes can still use it, since they share it."""
    with socket.socket() as holding:
        holding.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holding.bind(("127.0.0.1", 0))
        yield int(holding.getsockname()[1])


def _is_ready(port: int, process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=READY_SECONDS)
        try:
            connection.request("GET", "/helse/klar")
            return connection.getresponse().status == 200
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    return False
