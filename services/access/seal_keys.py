"""The keys that seal the logs, and the anchors of the seals: both are files outside the database.

An intruder with all rights in the database has neither. A key file has one key per line: an id and 64 hexadecimal
digits. The last key seals; earlier ones verify older seals. Anchors are the hashes of seals, appended to a file when
the seals are written, so that removed or replaced seals are detected.
"""

import errno
import hashlib
import hmac
import json
import os
import re
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_LINE = re.compile(r"([A-Za-z0-9._-]{1,20}) ([0-9a-f]{64})")
_PRIVATE = 0o600
_TAIL = 1 << 20  # bytes: some days of anchors
_ANCHOR = ("log", "epoch", "number", "hash", "lines")
BAD_FILE = (OSError, ValueError, TypeError, KeyError)  # errors from an unusable anchor file


class BadKeys(ValueError):
    """The file contains no keys, or something else besides."""


@dataclass(frozen=True)
class Keys:
    """Keys by id, in the order of the file."""

    by_id: dict[str, bytes]

    @property
    def current(self) -> str:
        """The id of the key in use for new seals."""
        return list(self.by_id)[-1]

    def sign(self, key_id: str, text: str) -> str:
        """The HMAC-SHA-256 of a text; raises KeyError if the key is unknown."""
        return hmac.new(self.by_id[key_id], text.encode(), hashlib.sha256).hexdigest()


def read_keys(path: Path) -> Keys:
    """Read the keys of a file; raises OSError, `BadKeys`."""
    found: dict[str, bytes] = {}
    for line in path.read_text("ascii", "replace").splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is None or match[1] in found:
            raise BadKeys
        found[match[1]] = bytes.fromhex(match[2])
    if not found:
        raise BadKeys
    return Keys(found)


def read_or_make_keys(path: Path) -> Keys:
    """Read the keys of a file, and create it with one key if it does not exist: for development."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    if not path.exists():
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE), "w") as file:
            file.write(f"1 {secrets.token_hex(32)}\n")
        try:
            os.link(made, path)  # atomic; another process may have created it first
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return read_keys(path)


@dataclass(frozen=True)
class Anchor:
    """The record of a seal outside the database: log, epoch, number, hash, and the number of lines sealed up to it."""

    log: str
    epoch: int
    number: int
    hash: str
    lines: int


@dataclass(frozen=True)
class Anchors:
    """The file of anchors. `register`: the database they belong to."""

    path: Path
    register: str

    def add(self, some: list[Anchor], at: str) -> None:
        """Append anchors and flush them to disk. Raises OSError."""
        self._append([{"register": self.register, "at": at, **asdict(one)} for one in some])

    def note_mailed(self, at: str) -> None:
        """Record that the anchors were sent by e-mail."""
        self._append([{"register": self.register, "mailed": at}])

    def _append(self, rows: list[dict[str, object]]) -> None:
        lines = "".join(f"{json.dumps(row)}\n" for row in rows)
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _PRIVATE)
        try:
            whole = lines.encode()
            before = os.fstat(handle).st_size
            if os.write(handle, whole) < len(whole):  # half a line would spoil the following ones
                os.ftruncate(handle, before)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(handle)
        finally:
            os.close(handle)

    def is_writable(self) -> bool:
        """True if the file exists and can be appended to."""
        try:
            os.close(os.open(self.path, os.O_WRONLY | os.O_APPEND))
        except OSError:
            return False
        return True

    def read(self, path: Path | None = None) -> list[Anchor]:
        """The anchors of this register, from its own file or from `path`; none if its own file does not exist. Raises
        OSError, ValueError."""
        rows = [row for row in self._rows(path or self.path, must_exist=path is not None) if "hash" in row]
        return [Anchor(**{name: row[name] for name in _ANCHOR}) for row in rows]

    def newest(self) -> list[Anchor]:
        """The latest anchors of this register, from the end of its file."""
        rows = [row for row in self._rows(self.path, must_exist=False, tail=_TAIL) if "hash" in row]
        return [Anchor(**{name: row[name] for name in _ANCHOR}) for row in rows]

    def last_mailed(self) -> str:
        """When the anchors were last sent by e-mail, as far as the end of the file tells; '' if long ago or never."""
        rows = self._rows(self.path, must_exist=False, tail=_TAIL)
        return max((str(row["mailed"]) for row in rows if "mailed" in row), default="")

    def _rows(self, path: Path, *, must_exist: bool, tail: int | None = None) -> list[dict[str, Any]]:
        if not must_exist and not path.exists():
            return []
        with path.open("rb") as file:
            if tail is not None and file.seek(0, os.SEEK_END) > tail:
                file.seek(-tail, os.SEEK_END)
                file.readline()  # the rest of a line that was cut
            elif tail is not None:
                file.seek(0)
            text = file.read().decode()
        found = (json.loads(line) for line in text.splitlines() if line.startswith("{"))
        return [row for row in found if row.get("register") == self.register]


@dataclass(frozen=True)
class Sealing:
    """The keys and the anchor file that sealing and verifying need."""

    keys: Keys
    anchors: Anchors
