"""The table of what was measured, on the screen and as markdown."""

import os
import platform
import sqlite3
from collections.abc import Iterable

from tests.bench.measure import Result
from tests.bench.things import TEN_THOUSAND_TO_A_MILLION

_SMALLEST, _LARGEST = 10_000, 1_000_000


def line(result: Result) -> str:
    """A result for the screen."""
    what = f"{result.database} {result.size:>9,} {result.viewer:<22} {result.name:<48}"
    if result.note and not result.median:
        return f"{what} {result.note}"
    return f"{what} {_numbers(result)}  {_verdict(result)}  {result.note}".rstrip()


def _numbers(result: Result) -> str:
    own = f"{result.median:9.1f} {result.unit}"
    p95 = f"p95 {result.p95:8.1f}" if result.p95 is not None else " " * 12
    floor = f"floor {result.floor:8.1f}  × {result.ratio:5.2f}" if result.floor else " " * 23
    limit = f"({'≥' if result.at_least else '≤'} {result.limit:g})" if result.limit is not None else ""
    size = f" {result.bytes[0]}/{result.bytes[1]} characters" if result.bytes else ""
    return f"{own} {p95} {floor} {limit:>9}{size}"


def _verdict(result: Result) -> str:
    return f"FALLS SHORT: {', '.join(result.failures)}" if result.failures else "ok"


def growth(results: Iterable[Result]) -> list[Result]:
    """How much slower a million rows are than ten thousand, where that must be little."""
    found = {(r.database, r.viewer, _plain(r.name), r.size): r for r in results if r.flat and r.median}
    made = []
    for (database, viewer, name, size), large in found.items():
        small = found.get((database, viewer, name, _SMALLEST))
        if size == _LARGEST and small:
            result = Result(
                "growth",
                f"{name}, beside 10 000 rows",
                viewer,
                database,
                size,
                large.median,
                floor=small.median,
                limit=TEN_THOUSAND_TO_A_MILLION,
            )
            made.append(result.judge())
    return made


def _plain(name: str) -> str:
    """A name without the number of hits, which is not quite the same at all sizes."""
    return name.partition(" (")[0] + name.partition(")")[2]


def machine(postgres: str) -> str:
    """What it was measured on."""
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, PostgreSQL {postgres or 'not measured'}"
    )


def markdown(results: list[Result], *, command: str, postgres: str) -> str:
    """The whole report."""
    failed = [result for result in results if result.failures]
    parts = [
        f"Measured with `{command}` on {machine(postgres)}. Times in milliseconds unless a unit is given.\n",
        f"{len(results)} lines, {len(failed)} of them fall short.\n",
    ]
    for database, size in dict.fromkeys((result.database, result.size) for result in results):
        parts.append(f"\n### {database}, {size:,} participations\n".replace(",", " "))
        parts.append("| what | who | median | p95 | floor | ratio | allowed | |")
        parts.append("|---|---|--:|--:|--:|--:|--:|---|")
        parts += [_row(one) for one in results if (one.database, one.size) == (database, size)]
    return "\n".join(parts) + "\n"


def _row(result: Result) -> str:
    if result.note and not result.median:
        return f"| {result.name} | {result.viewer} | | | | | | {result.note} |"
    unit = "" if result.unit == "ms" else f" {result.unit}"
    cells = [
        result.name,
        result.viewer,
        f"{_number(result.median)}{unit}",
        _number(result.p95),
        _number(result.floor),
        f"{result.ratio:.2f}" if result.ratio else "",
        f"{'≥' if result.at_least else '≤'} {result.limit:g}" if result.limit is not None else "",
        _verdict(result) + (f" ({result.note})" if result.note else ""),
    ]
    return f"| {' | '.join(cells)} |"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"
