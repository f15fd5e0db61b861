"""`python -m tests.bench`: create missing databases, measure, print, and write the table."""

import argparse
import logging
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import psycopg
from sqlalchemy.engine import URL

from tests.bench import measure
from tests.bench.arguments import words
from tests.bench.data import FOLDER, POSTGRES_SETTINGS, postgres_database, sqlite_database
from tests.bench.measure import Bench, Result, bench
from tests.bench.report import line, markdown
from tests.support.databases import DIALECTS, POSTGRESQL
from tests.support.postgres import lasting_postgres

_THINGS = ("frame", "list", "sort", "pages", "filter", "search", "form", "delete")
_OTHERS: dict[str, Callable[[Bench], None]] = {
    "bytes": measure.measure_bytes,
    "save": measure.measure_saving,
    "load": measure.measure_load,
    "csv": measure.measure_download,
}


def _sizes(given: str) -> list[int]:
    return [int(one.replace("_", "")) for one in given.split(",")]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure the program beside its floor.")
    parser.add_argument("--sizes", type=_sizes, default=[10_000, 100_000, 1_000_000], help="participations, by commas")
    parser.add_argument("--databases", type=partial(words, DIALECTS), default=list(DIALECTS))
    groups = (*_THINGS, *_OTHERS, "growth")
    parser.add_argument("--only", type=partial(words, groups), default=list(groups), help=", ".join(groups))
    parser.add_argument("--match", default="", help="of list, sort, pages, filter, search: what holds this in its name")
    parser.add_argument("--runs", type=int, default=60, help="rounds for each thing")
    parser.add_argument("--patience", type=float, default=120, help="seconds that a download may take")
    parser.add_argument("--output", type=Path, default=FOLDER / "report.md")
    parser.add_argument("--make-only", action="store_true", help="make the databases and measure nothing")
    return parser.parse_args()


@contextmanager
def _postgres(wanted: bool) -> Iterator[URL | None]:
    if not wanted:
        yield None
        return
    with lasting_postgres(FOLDER / "postgresql", POSTGRES_SETTINGS) as server:
        yield server


def _version(server: URL | None) -> str:
    if server is None:
        return ""
    with psycopg.connect(server.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        return str(connection.execute("SHOW server_version").fetchone()[0]).split()[0]  # type: ignore[index]


def main() -> int:
    """Run the benchmark; returns 1 if a limit is exceeded."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # stops the servers, too
    logging.getLogger("alembic").setLevel(logging.WARNING)
    arguments = _arguments()
    FOLDER.mkdir(parents=True, exist_ok=True)
    results: list[Result] = []
    urls: dict[tuple[str, int], URL] = {}

    def say(result: Result) -> None:
        results.append(result)
        print(line(result), flush=True)

    started = time.monotonic()
    with _postgres(POSTGRESQL in arguments.databases) as server:
        version = _version(server)
        for size in arguments.sizes:
            for dialect in arguments.databases:
                if dialect == POSTGRESQL:
                    assert server is not None
                    url = postgres_database(server, size, print)
                else:
                    url = sqlite_database(size, print)
                urls[dialect, size] = url
                if not arguments.make_only:
                    _measure(url, dialect, size, arguments, say)
        if "growth" in arguments.only and not arguments.make_only:
            _measure_growth(urls, arguments, say)
    command = f'make bench ARGS="{shlex.join(sys.argv[1:])}"' if sys.argv[1:] else "make bench"
    if results:
        arguments.output.write_text(markdown(results, command=command, postgres=version), "utf-8")
    failed = sum(bool(result.failures) for result in results)
    print(f"{len(results)} lines, {failed} fall short; {time.monotonic() - started:.0f} s; {arguments.output}")
    return 1 if failed else 0


def _bench(
    url: URL, dialect: str, size: int, arguments: argparse.Namespace, say: Callable[[Result], None]
) -> AbstractContextManager[Bench]:
    given = {"runs": arguments.runs, "patience": arguments.patience, "match": arguments.match}
    return bench(url, dialect, size, **given, say=say)


def _measure_growth(
    urls: dict[tuple[str, int], URL], arguments: argparse.Namespace, say: Callable[[Result], None]
) -> None:
    """Measure the largest register against the smallest."""
    smallest, largest = min(arguments.sizes), max(arguments.sizes)
    if smallest == largest:
        return
    for dialect in arguments.databases:
        with (
            _bench(urls[dialect, smallest], dialect, smallest, arguments, say) as small,
            _bench(urls[dialect, largest], dialect, largest, arguments, say) as large,
        ):
            measure.measure_growth(small, large)


def _measure(url: URL, dialect: str, size: int, arguments: argparse.Namespace, say: Callable[[Result], None]) -> None:
    with _bench(url, dialect, size, arguments, say) as on:
        measure.measure_things(on, set(arguments.only))
        for name, measured in _OTHERS.items():
            if name in arguments.only:
                measured(on)


if __name__ == "__main__":
    sys.exit(main())
