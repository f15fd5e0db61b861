"""The compared servers: how each is started, and stopped with all its processes."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from tests.bench.client import Client
from tests.support.served import SERVED
from tests.support.server import ROOT, LiveServer

WORKERS, THREADS = 2, 8
READY_SECONDS, END_SECONDS = 60, 10
PROGRAM = "program"
# The arguments of `python -m`.
COMMANDS = {
    PROGRAM: "tests.support.served {port} {workers}",
    "gunicorn": "gunicorn --bind 127.0.0.1:{port} --workers {workers} --threads {threads} --no-control-socket {wsgi}",
    "granian-wsgi": "granian --interface wsgi --port {port} --workers {workers} --blocking-threads {threads} --no-ws "
    "--http 1 {wsgi}",
    "waitress": "tests.bench.many_waitress {port} {workers} {threads}",
    "uvicorn": "uvicorn --port {port} --workers {workers} --no-access-log --no-proxy-headers --no-server-header "
    "--log-level warning {asgi}",
}
_PACKAGES = {PROGRAM: "granian", "granian-wsgi": "granian"}  # where the name differs from the candidate's
_WSGI, _ASGI = "tests.bench.served_alone:application", "tests.bench.served_alone:asgi"
_NGINX = """\
{user}
worker_processes 1;
daemon off;
pid nginx.pid;
events {{ worker_connections 4000; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path a; uwsgi_temp_path b; scgi_temp_path c;
    upstream program {{ server 127.0.0.1:{behind}; keepalive 32; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://program;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
        }}
    }}
}}
"""


class DidNotStart(RuntimeError):
    """A server does not respond; the text is its output."""


def version(name: str, python: str) -> str | None:
    """The version of a candidate's package in an environment; None if the package or the environment is missing."""
    code = "import sys, importlib.metadata as found; print(found.version(sys.argv[1]))"
    asked = [python_of(name, python), "-c", code, _PACKAGES.get(name, name)]
    with suppress(OSError):
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() or None
    return None


def python_of(name: str, python: str) -> str:
    """The Python of a candidate: the program uses its own, the others that of `python`."""
    return sys.executable if name == PROGRAM else python


def find_nginx() -> str | None:
    """The program's path; administrators' programs are not always in PATH."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@dataclass(frozen=True)
class Running:
    """A running server at a port, behind nginx or not. `ended`: the file that a long response leaves at its end."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    ended: Path

    @property
    def live(self) -> LiveServer:
        """The server as in the tests."""
        return LiveServer(f"http://127.0.0.1:{self.port}", self.log, self.process.pid, {})

    def memory(self) -> int:
        """Megabytes used by its processes together (Linux), without nginx."""
        pages = 0
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if os.getpgid(int(folder.name)) == self.process.pid:
                    pages += int((folder / "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


@contextmanager
def running(name: str, python: str, settings: Mapping[str, str], nginx: str | None) -> Iterator[Running]:
    """Run a candidate with the program and these settings; its whole process group is stopped afterwards. Raises
    `DidNotStart`."""
    port = _free_port()
    words = COMMANDS[name].format(port=port, workers=WORKERS, threads=THREADS, wsgi=_WSGI, asgi=_ASGI).split()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        log, ended = folder / "log", folder / "ended"
        environ = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ} | {
            **settings,
            "PYTHONPATH": str(ROOT),
            "PORT": str(port),
            "THREADS": str(THREADS),
            SERVED: _WSGI,
            "BENCH_ENDED": str(ended),
        }
        process = stack.enter_context(_group([python_of(name, python), "-m", *words], environ, log))
        front = stack.enter_context(_behind_nginx(nginx, port)) if nginx else port
        _wait_until_ready(front, process, log)
        yield Running(process, front, log, ended)


@contextmanager
def _group(command: list[str], environ: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of a group of its own, which is stopped with it."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield process
    finally:
        try:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS)
        finally:
            with suppress(ProcessLookupError):  # already gone
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def _behind_nginx(nginx: str, behind: int) -> Iterator[int]:
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        user = "user root;" if os.getuid() == 0 else ""  # so that it may write into this folder
        (Path(folder) / "nginx.conf").write_text(_NGINX.format(user=user, behind=behind, port=port), "utf-8")
        command = [nginx, "-p", folder, "-c", "nginx.conf", "-e", "stderr"]
        with _group(command, os.environ, Path(folder) / "log"):
            yield port


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _wait_until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        client = Client(f"http://127.0.0.1:{port}")
        with suppress(OSError, HTTPException):
            if client.get("/helse/klar").status == 200:
                time.sleep(1)  # the other process may have started later
                return
        client.close()
        time.sleep(0.1)
    raise DidNotStart(log.read_text(errors="replace"))
