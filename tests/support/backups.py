"""The common part of the backup tests: the commands, all rows of a database, and changed files."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from click.testing import Result
from flask import Flask
from sqlalchemy import inspect, select

from app.web.page_views import view_log
from services.core.db import Base, db

Rows = dict[str, list[tuple[Any, ...]]]
GONE = {"user_session", "lease"}  # tables that a restore leaves empty


def run(app: Flask, *words: str | Path, says: str = "") -> Result:
    """Run `flask --app wsgi` with these words, and typed input."""
    with app.app_context():
        view_log().write()  # write queued lines first
        return app.test_cli_runner().invoke(args=[str(word) for word in words], input=says)


def done(app: Flask, *words: str | Path) -> str:
    """Run a command that must succeed; returns its output."""
    result = run(app, *words)
    assert result.exit_code == 0, result.output
    return result.output


def all_rows(app: Flask) -> Rows:
    """Every row of every table, in an order that does not depend on the database; counts of zero are left out."""
    with app.app_context():
        view_log().write()
    with app.app_context(), db.engine.connect() as connection:
        found = {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }
    found["participation_count"] = [row for row in found["participation_count"] if row[-1]]
    return found


def lasting(rows: Rows) -> Rows:
    """The rows that a restore must bring back."""
    return {name: found for name, found in rows.items() if name not in GONE}


def columns_of(app: Flask, table: str) -> set[str]:
    """The columns of a table in the database."""
    with app.app_context():
        return {column["name"] for column in inspect(db.engine).get_columns(table)}


def forge(file: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Change the parts of a backup and make its checksums right again, as an expert could."""
    with ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    with ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        archive.comment = b"0" * 64
    content = file.read_bytes()[:-64]
    file.write_bytes(content + hashlib.sha256(content).hexdigest().encode())


def change_manifest(**values: Any) -> Callable[[dict[str, bytes]], None]:
    """For `forge`: a function that changes values in the manifest."""

    def change(parts: dict[str, bytes]) -> None:
        parts["manifest.json"] = json.dumps(json.loads(parts["manifest.json"]) | values).encode()

    return change
