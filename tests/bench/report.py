"""The table of measurements, on the screen and as markdown."""

import os
import platform
import sqlite3

from tests.bench.measure import Result


def line(result: Result) -> str:
    """A result for the screen."""
    what = f"{result.database} {result.size:>9,} {result.viewer:<22} {result.name:<48}"
    if result.note and not result.median:
        return f"{what} {result.note}"
    return f"{what} {_numbers(result)}  {_verdict(result)}  {result.note}".rstrip()


def _numbers(result: Result) -> str:
    own = f"{result.median:9.1f} {result.unit}"
    p95 = f"p95 {result.p95:8.1f}" if result.p95 is not None else " " * 12
    floor = f"{result.beside[:10]:<5} {result.floor:8.1f}  × {result.ratio:5.2f}" if result.floor else " " * 23
    quiet = f" (quiet {result.quiet:.2f})" if result.quiet else ""
    limit = f"({'≥' if result.at_least else '≤'} {result.limit:g})" if result.limit is not None else ""
    size = f" {result.bytes[0]}/{result.bytes[1]} characters" if result.bytes else ""
    return f"{own} {p95} {floor} {limit:>9}{quiet}{size}"


def _verdict(result: Result) -> str:
    return f"FALLS SHORT: {', '.join(result.failures)}" if result.failures else "ok"


def machine(postgres: str) -> str:
    """A description of the machine."""
    load = os.getloadavg()[2]
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, PostgreSQL {postgres or 'not measured'}; "
        f"load in the last quarter of an hour {load:.1f}"
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
        parts.append("| what | who | median | p95 | floor | ratio | quiet | allowed | |")
        parts.append("|---|---|--:|--:|--:|--:|--:|--:|---|")
        parts += [_row(one) for one in results if (one.database, one.size) == (database, size)]
    return "\n".join(parts) + "\n"


def _row(result: Result) -> str:
    if result.note and not result.median:
        return f"| {result.name} | {result.viewer} | | | | | | | {result.note} |"
    unit = "" if result.unit == "ms" else f" {result.unit}"
    cells = [
        result.name,
        result.viewer,
        f"{_number(result.median)}{unit}",
        _number(result.p95),
        _number(result.floor),
        f"{result.ratio:.2f}" if result.ratio else "",
        f"{result.quiet:.2f}" if result.quiet else "",
        f"{'≥' if result.at_least else '≤'} {result.limit:g}" if result.limit is not None else "",
        _verdict(result) + (f" ({result.note})" if result.note else ""),
    ]
    return f"| {' | '.join(cells)} |"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"
