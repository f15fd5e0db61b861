"""Finding Chromium, and installing it if missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NOT_FOUND = """\
No Chromium was found for the browser tests, and it could not be installed. One of these helps:
  - install it (Debian, Ubuntu: apt install chromium; elsewhere: the system's own package),
  - .venv/bin/playwright install --with-deps chromium
  - set CHROMIUM to the path of a Chromium or Chrome."""

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_APPLICATIONS = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)


class ChromiumMissingError(RuntimeError):
    """There is no browser to test with; the text says what to do."""


def find_chromium() -> Path | None:
    """The browser's program, or None: CHROMIUM, the system's, then the one of `playwright install`."""
    given = os.environ.get("CHROMIUM")
    if given:
        if not os.access(given, os.X_OK):
            raise ChromiumMissingError(f"CHROMIUM is {given!r}, which is no program")
        return Path(given)
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found)
    for application in _APPLICATIONS:
        if os.access(application, os.X_OK):
            return application
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    return own if own.exists() else None


def chromium() -> Path:
    """As `find_chromium`, but raises ChromiumMissingError if there is none."""
    found = find_chromium()
    if found is None:
        raise ChromiumMissingError(NOT_FOUND)
    return found


def as_root() -> list[str] | None:
    """The prefix to run a command as root without a password prompt; None if impossible."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def _attempts() -> list[list[list[str]]]:
    """Ways to install Chromium, best first; each is a list of commands."""
    ways: list[list[list[str]]] = []
    root = as_root()
    if shutil.which("apt-get") and root is not None:
        apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
        ways.append([[*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", "chromium"]])
    ways.append([[sys.executable, "-m", "playwright", "install", "chromium"]])
    return ways


def ensure_chromium() -> Path:
    """Find Chromium, or install it."""
    found = find_chromium()
    for commands in [] if found else _attempts():
        for command in commands:
            print("Chromium is missing:", *command, flush=True)
            # The installer's output bypasses make's pipe, so that the last line stays pytest's.
            if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False).returncode:
                break
        found = find_chromium()
        if found:
            break
    if found is None:
        raise ChromiumMissingError(NOT_FOUND)
    return found
