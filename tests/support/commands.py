"""Commands as processes of their own."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from app.settings.config import standin_ports

ROOT = Path(__file__).resolve().parent.parent.parent


SECONDS = 60  # a limit for slow machines


PRODUCTION = {
    "APP_ENV": "production",
    "TRUSTED_PROXIES": "0",
    "SECRET_KEY": "long-and-only-for-this-test-of-production",
    "FREG_URL": "https://freg.example.org",
    "MASKINPORTEN_URL": "https://maskinporten.example.org",
    "PAD_URL": "https://pad.example.org",
    "MAIL_URL": "smtp://mail.example.org",
    "PUBLIC_URL": "https://register.example.org",
}


def free_ports() -> tuple[int, int, int]:
    """Ports for the program and the two stand-ins: below the range of automatic ports."""
    while True:
        port = random.randrange(10_000, 22_000)
        ports = (port, *standin_ports(port))
        if not any(is_open(each) for each in ports):
            return ports


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass(frozen=True)
class Started:
    """A command that runs in a process group of its own, and its output."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def is_gone(self) -> bool:
        """True if no process of its group runs any more."""
        self.process.poll()
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False


@contextmanager
def started(environ: dict[str, str], log: Path, *words: str) -> Iterator[Started]:
    """Run `flask --app wsgi` with these words; ended with all its children at the end."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "wsgi", *words],
            cwd=ROOT,
            env={**kept, "APP_ENV": "development", **environ},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Started(process, log)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(condition: Callable[[], bool], process: Started) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, process.said()
        time.sleep(0.05)


def answers(port: int, path: str) -> bool:
    """True if the program responds there; it may not listen yet."""
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except ConnectionError:
        return False
    finally:
        connection.close()
