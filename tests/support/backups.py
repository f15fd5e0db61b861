"""What the tests of backups share: the commands as one types them, all rows of a database, and files made anew."""

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
GONE = {"user_session", "lease"}  # what does not come back


def run(app: Flask, *words: str | Path, says: str = "") -> Result:
    """`flask --app wsgi` with these words, and what is typed."""
    with app.app_context():
        view_log().write()  # what the program writes in passing is there
        return app.test_cli_runner().invoke(args=[str(word) for word in words], input=says)


def done(app: Flask, *words: str | Path) -> str:
    """The same; must succeed. Gives what it says."""
    result = run(app, *words)
    assert result.exit_code == 0, result.output
    return result.output


def all_rows(app: Flask) -> Rows:
    """Every row of every table, in an order that does not depend on the database; counts of nothing are none."""
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
    """What a backup must give back."""
    return {name: found for name, found in rows.items() if name not in GONE}


def columns_of(app: Flask, table: str) -> set[str]:
    """The columns that the database itself tells of."""
    with app.app_context():
        return {column["name"] for column in inspect(db.engine).get_columns(table)}


def forge(file: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Change the parts of a backup and make it whole again, as somebody would who knows how."""
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
    """For `forge`: other values in the manifest."""

    def change(parts: dict[str, bytes]) -> None:
        parts["manifest.json"] = json.dumps(json.loads(parts["manifest.json"]) | values).encode()

    return change
