"""HAProxy in front of the program, as in many installations. `python -m tests.support.haproxy` installs it."""

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.chromium import as_root

NOT_FOUND = """\
No HAProxy was found for `make faults`, and it could not be installed.
Install it (Debian, Ubuntu: apt install haproxy)."""
READY_SECONDS = 30

_CONFIGURATION = """\
global
    maxconn 500
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend front
    bind 127.0.0.1:{port}
    default_backend program
backend program
    server one 127.0.0.1:{behind}
"""


class HaproxyMissingError(RuntimeError):
    """There is no HAProxy; the text says what to do."""


def find_haproxy() -> str | None:
    """The program's path; administrators' programs are not always in PATH."""
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")


def ensure_haproxy() -> str:
    """Find HAProxy, or install Debian's package. Raises `HaproxyMissingError`."""
    root = as_root()
    if find_haproxy() is None and shutil.which("apt-get") and root is not None:
        apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
        for command in ([*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", "haproxy"]):
            print("HAProxy is missing:", *command, flush=True)
            if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False).returncode:
                break
    if (found := find_haproxy()) is None:
        raise HaproxyMissingError(NOT_FOUND)
    return found


@contextmanager
def running_haproxy(behind: int) -> Iterator[int]:
    """Run HAProxy in front of a port of this machine; yields the port that it listens on. Stopped by its id."""
    program = find_haproxy()
    if program is None:
        raise HaproxyMissingError(NOT_FOUND)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "haproxy.cfg"
        settings.write_text(_CONFIGURATION.format(port=port, behind=behind), encoding="utf-8")
        process = subprocess.Popen([program, "-db", "-f", str(settings)], stderr=subprocess.DEVNULL)
        try:
            _wait_for(port, process)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=15)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise HaproxyMissingError("HAProxy did not start")


def main() -> int:
    """Find or install HAProxy. Returns 1, with a message on stderr, if that failed."""
    try:
        print(f"HAProxy: {ensure_haproxy()}")
    except HaproxyMissingError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
