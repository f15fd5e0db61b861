"""`python -m tests.bench.servers`: the production server compared with others, as a table in Markdown.

All serve the same program on a database of their own, with two processes and eight threads each. The others are not
packages of the project; `--python` names an environment that has them:

    python3 -m venv .venv-servers
    .venv-servers/bin/pip install -r requirements.txt
    .venv-servers/bin/pip install gunicorn waitress uvicorn httptools uvloop
    .venv/bin/python -m tests.bench.servers --python .venv-servers/bin/python
"""

import argparse
import logging
import signal
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.bench.arguments import words
from tests.bench.candidates import COMMANDS, PROGRAM, THREADS, WORKERS, find_nginx, running, version
from tests.bench.data import FOLDER, settings, sqlite_database
from tests.bench.report import machine
from tests.bench.server_measures import MEASURES, Rows
from tests.support.databases import SQLITE, Databases
from tests.support.postgres import PostgresServer

PARTICIPANTS, LARGE = 2_000, 1_000_000
FAILED = "not measured"


def _arguments() -> argparse.Namespace:
    first, _blank, rest = str(__doc__).partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.servers",
        description=first.partition(": ")[2],
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    candidates, measures = tuple(COMMANDS), tuple(MEASURES)
    parser.add_argument("--only", type=partial(words, candidates), default=candidates, help=",".join(candidates))
    parser.add_argument("--what", type=partial(words, measures), default=measures, help=",".join(measures))
    parser.add_argument("--nginx", action="store_true", help="put nginx in front of each")
    parser.add_argument("--python", default=sys.executable, help="of the environment that has the others")
    parser.add_argument("--seconds", type=float, default=8, help="for each measure that takes a time (8)")
    parser.add_argument("--slow", type=int, default=200, help="half-sent requests, or slow readers, at once (200)")
    return parser.parse_args()


def _no_postgres() -> PostgresServer:
    raise NotImplementedError("servers are measured on SQLite")


def _measured(arguments: argparse.Namespace, nginx: str | None) -> Iterator[tuple[str, str, Rows]]:
    """Candidate, measurement and rows; each on a fresh server and database. A failure has a row that says so."""
    with tempfile.TemporaryDirectory() as folder:
        databases = Databases(Path(folder), _no_postgres, settings())
        for what in arguments.what:
            for name in arguments.only:
                address = _large() if what == "register" else databases.filled(SQLITE, PARTICIPANTS)
                environ = {**settings(), "DATABASE_URL": address, "LIST_PAGES_PER_HOUR": "1000000"}
                try:
                    with running(name, arguments.python, environ, nginx) as server:
                        rows = MEASURES[what](server, arguments.seconds, arguments.slow)
                except Exception as problem:
                    rows = {f"{FAILED}: {what}": f"{type(problem).__name__}: {_last_line(problem)}"}
                    print(problem, file=sys.stderr)
                if what != "register":
                    databases.remove(address)
                yield name, what, rows


def _large() -> str:
    """The address of the large register, which is kept for the next run."""
    return sqlite_database(LARGE, lambda said: print(said, file=sys.stderr)).render_as_string(hide_password=False)


def _last_line(problem: Exception) -> str:
    return ["", *str(problem).strip().splitlines()][-1]


def _markdown(table: dict[str, dict[str, str]], names: list[str]) -> str:
    rows = [[row, *(cells.get(name, "") for name in names)] for row, cells in table.items()]
    head = [["", *names], ["---"] * (len(names) + 1)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in head + rows)


def main() -> int:
    """Measure and print. Returns 1 if a measurement failed, 2 with a message if something is missing."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # stops the servers, too
    logging.disable(logging.INFO)  # of the migrations
    arguments = _arguments()
    versions = {name: version(name, arguments.python) for name in arguments.only}
    if missing := [name for name, found in versions.items() if found is None]:
        print(f"Not in that environment: {', '.join(missing)}. --help tells how to make one.", file=sys.stderr)
        return 2
    nginx = find_nginx() if arguments.nginx else None
    if arguments.nginx and nginx is None:
        print("No nginx was found. Install it (Debian, Ubuntu: apt install nginx).", file=sys.stderr)
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    table: dict[str, dict[str, str]] = {}
    for name, what, rows in _measured(arguments, nginx):
        print(f"{name}, {what}: {'; '.join(rows.values())}", file=sys.stderr, flush=True)
        for row, value in rows.items():
            table.setdefault(row, {})[name] = value
    told = ", ".join(
        f"{name} (granian {found})" if name == PROGRAM else f"{name} {found}" for name, found in versions.items()
    )
    front = ", nginx in front" if nginx else ""
    print(f"{told}; {WORKERS} processes with {THREADS} threads each{front}; waits: median and longest; {machine('')}\n")
    print(_markdown(table, arguments.only))
    return 1 if any(row.startswith(FAILED) for row in table) else 0


if __name__ == "__main__":
    sys.exit(main())
