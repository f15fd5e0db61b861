"""The program on its production server, for the browser: a process of its own on a free port."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
READY_SECONDS = 60  # a limit for slow machines


@dataclass(frozen=True)
class LiveServer:
    """A running server: its address, the file that it logs to, the id of its main process, and its settings."""

    base_url: str
    log: Path
    process_id: int
    settings: Mapping[str, str]

    def logged(self) -> str:
        """What it has said so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def running_server(
    settings: Mapping[str, str],
    *,
    application: str = "wsgi:app",
    workers: int = 1,
    threads: int = 8,
    options: Sequence[str] = (),
) -> Iterator[LiveServer]:
    """gunicorn with `wsgi:app` and these settings; answers before it is handed out, ended by its id.

    Another WSGI `application` must answer 200 at /helse/klar, too.

    Raises RuntimeError with what it said when it did not start.
    """
    environ = {name: os.environ[name] for name in _KEPT if name in os.environ}
    with socket.create_server(("127.0.0.1", 0)) as listening, tempfile.TemporaryDirectory() as folder:
        port = listening.getsockname()[1]
        log = Path(folder) / "log"
        command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listening.fileno()}", "--workers", str(workers)]
        command += ["--threads", str(threads), "--no-control-socket", *options]
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*command, application],
                cwd=ROOT,
                env={**environ, **settings, "PORT": str(port)},
                pass_fds=[listening.fileno()],
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            if not _is_ready(port):
                raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')}")
            yield LiveServer(f"http://127.0.0.1:{port}", log, process.pid, settings)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _is_ready(port: int) -> bool:
    """Ask once: the socket already listens, so the question waits until the program takes it."""
    connection = HTTPConnection("127.0.0.1", port, timeout=READY_SECONDS)
    try:
        connection.request("GET", "/helse/klar")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
