"""The file format of a backup: a ZIP archive with one part of JSON lines for each table, and a manifest.

The archive's comment, its last bytes, is the SHA-256 of everything before it. This reveals any byte that is cut off,
added or changed, and `unzip` still reads the file. It gets its name only when it is complete and on disk.
"""

import hashlib
import json
import os
import secrets
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from services.core.db import now
from services.core.text import is_encodable

PROGRAM, FORMAT = "jobbsjanseregisteret", 1
_LABEL = "jobbsjanseregisteret-backup.txt"  # the first part: its name in the first bytes identifies the format
_TOLD = "A backup of Jobbsjanseregisteret. It holds national identity numbers: keep it as the register itself.\n"
_MANIFEST = "manifest.json"
_LEVEL = 1  # of compression: six times smaller already
_DIGEST = 64  # bytes
_NAME_AT = 30  # where a ZIP file's first name begins
_BLOCK = 1 << 20
_LONGEST_LINE = 4 << 20  # bytes of a row; a form can bring at most a million
_LONGEST_MANIFEST = 1 << 20
_BATCH = 1_000  # rows

Row = Sequence[Any]


class BadBackup(Exception):
    """The file cannot be restored; the text says why."""


@dataclass(frozen=True)
class Part:
    """One table: its columns, the number of rows, and the SHA-256 of its lines."""

    table: str
    columns: list[str]
    rows: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The manifest of a backup. `revision`: the migration of its tables; `taken_at`: ISO, UTC."""

    revision: str
    taken_at: str
    parts: list[Part]

    @property
    def rows(self) -> int:
        """The number of rows of all tables."""
        return sum(part.rows for part in self.parts)


# ---- Writing ----


@dataclass(frozen=True)
class Table:
    """A table to write, with an iterator of its rows."""

    name: str
    columns: list[str]
    rows: Iterable[Row]


def write(path: Path, revision: str, tables: Iterable[Table], *, overwrite: bool = False) -> str:
    """Write a backup; returns its SHA-256. Raises OSError, and FileExistsError unless `overwrite`; then no file is left
    behind, and an existing one is not touched."""
    try:
        return _write_beside(path, revision, tables, overwrite)
    except FileExistsError:
        raise
    except OSError as error:  # names the requested file, not the unfinished one
        raise OSError(error.errno, error.strerror, str(path)) from error


def _write_beside(path: Path, revision: str, tables: Iterable[Table], overwrite: bool) -> str:
    _refuse_existing(path, overwrite)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    handle = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w+b") as file:
            sha256 = _write_archive(file, revision, tables)
            file.flush()
            os.fsync(file.fileno())
        _refuse_existing(path, overwrite)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    return sha256


def _refuse_existing(path: Path, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists already")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems cannot do this; the file itself is on disk
            os.fsync(handle)
    finally:
        os.close(handle)


def _write_archive(file: IO[bytes], revision: str, tables: Iterable[Table]) -> str:
    moment = now().isoformat(timespec="seconds")
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        archive.writestr(_LABEL, _TOLD, ZIP_STORED)
        parts = [_write_part(archive, table) for table in tables]
        manifest = asdict(Manifest(revision=revision, taken_at=moment, parts=parts))
        archive.writestr(_MANIFEST, json.dumps({"program": PROGRAM, "format": FORMAT, **manifest}, indent=1))
        archive.comment = b"0" * _DIGEST
    sha256 = _digest(file)
    file.write(sha256.encode())  # replaces the comment
    return sha256


def _write_part(archive: ZipFile, table: Table) -> Part:
    digest, number = hashlib.sha256(), 0
    with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as part:
        for row in table.rows:
            line = json.dumps(list(row), ensure_ascii=False, separators=(",", ":"), default=_plain).encode() + b"\n"
            digest.update(line)
            part.write(line)
            number += 1
    return Part(table.name, table.columns, number, digest.hexdigest())


def _plain(value: Any) -> str:
    """Moments, days and decimal numbers as text, which JSON does not support."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"a {type(value).__name__} does not fit in a backup")


def _digest(file: IO[bytes]) -> str:
    """The SHA-256 of all but the comment, at which the file's position then is."""
    left = file.seek(0, os.SEEK_END) - _DIGEST
    file.seek(0)
    digest = hashlib.sha256()
    while left > 0:
        block = file.read(min(left, _BLOCK))
        digest.update(block)
        left -= len(block)
    return digest.hexdigest()


# ---- Reading ----


@dataclass(frozen=True)
class Backup:
    """An open backup whose checksum is correct. `sha256`: of the file."""

    manifest: Manifest
    sha256: str
    _archive: ZipFile

    def batches(self, part: Part) -> Iterator[list[list[Any]]]:
        """The rows of a table in batches, so that a small file cannot fill the memory; raises `BadBackup` at the end if
        they differ from those that were written."""
        batch, size = [], 0
        for row, length in self._rows(part):
            batch.append(row)
            size += length
            if len(batch) == _BATCH or size > _LONGEST_LINE:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _rows(self, part: Part) -> Iterator[tuple[list[Any], int]]:
        """Each row with the number of its bytes."""
        digest, number = hashlib.sha256(), 0
        try:
            with self._archive.open(f"{part.table}.jsonl") as lines:
                while line := lines.readline(_LONGEST_LINE + 1):
                    if len(line) > _LONGEST_LINE:
                        raise ValueError("a row that nobody can have written")
                    digest.update(line)
                    yield _row(line), len(line)
                    number += 1
        except (BadZipFile, KeyError, ValueError, RecursionError, NotImplementedError, zlib.error, EOFError) as error:
            raise BadBackup(f"its part {part.table} cannot be read") from error
        if (number, digest.hexdigest()) != (part.rows, part.sha256):
            raise BadBackup(f"its part {part.table} is not the one that was written")


def _row(line: bytes) -> list[Any]:
    """Parse a line into a row; raises ValueError for one that the program cannot have written."""
    row = json.loads(line.decode())
    if not isinstance(row, list) or (b"\\u" in line and not is_encodable(row)):
        raise ValueError("a row that nobody can have written")
    return row


@contextmanager
def opened(path: Path) -> Iterator[Backup]:
    """Open a backup and check all of it; raises OSError or `BadBackup`."""
    with path.open("rb") as file:
        sha256 = _check_whole(file)
        try:
            with ZipFile(file) as archive:
                yield Backup(_manifest(archive), sha256, archive)
        except (BadZipFile, struct.error) as error:
            raise BadBackup("it is no readable archive") from error


def _check_whole(file: IO[bytes]) -> str:
    beginning = file.read(_NAME_AT + len(_LABEL))
    if beginning[_NAME_AT:] != _LABEL.encode():
        raise BadBackup("it is not a backup of this register")
    sha256 = _digest(file)
    said = file.read(_DIGEST).decode("ascii", "replace")
    if any(letter not in "0123456789abcdef" for letter in said):
        raise BadBackup("it is not whole: its end is missing, or something follows it")
    if said != sha256:
        raise BadBackup("it was damaged or altered: its SHA-256 is another than it says")
    return sha256


def _manifest(archive: ZipFile) -> Manifest:
    try:
        with archive.open(_MANIFEST) as file:
            written = file.read(_LONGEST_MANIFEST + 1)
        if len(written) > _LONGEST_MANIFEST:
            raise BadBackup("its manifest cannot be understood")
        content = json.loads(written)
        if content["format"] != FORMAT:
            raise BadBackup(
                "it was written by another version of this program, in a format that this one does not know"
            )
        parts = [_part(part) for part in content["parts"]]
        datetime.fromisoformat(content["taken_at"])
        if not isinstance(content["revision"], str) or not is_encodable(content):
            raise ValueError("values of another kind")
        return Manifest(revision=content["revision"], taken_at=content["taken_at"], parts=parts)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BadBackup("its manifest cannot be understood") from error


def _part(told: Any) -> Part:
    """Parse a part of the manifest; raises TypeError, ValueError."""
    texts, columns = [told["table"], told["sha256"]], told["columns"]
    if not isinstance(columns, list) or not all(isinstance(one, str) for one in [*texts, *columns]):
        raise ValueError("values of another kind")
    if type(told["rows"]) is not int:
        raise ValueError("no number of rows")
    return Part(**told)
