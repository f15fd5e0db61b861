"""Opens both CSV files in LibreOffice, as somebody who double-clicks them: `make check-office`.

Every fødselsnummer and kommunenummer must be whole and text, no cell a formula, every letter right. Twice: as
LibreOffice proposes it, and with «detect special numbers», which makes of a text what Excel would make of it.
The persons in the files are the stand-ins' synthetic ones.
"""

import csv
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from openpyxl import load_workbook
from sqlalchemy import select

from services.core.db import db
from services.core.status import Status
from services.standins.keys import load_or_create_key
from services.tables.participants import Participation
from tests.support.client import CheckedClient
from tests.support.databases import SQLITE, Databases, running_app

PARTICIPANTS = 600
FILES = ("oversikt", "fullt-datasett", "tiltak")
WHOLE = ("Fødselsnummer", "Kommunenummer")
USER = "ida.imdi"
SECONDS = 180
# Separator, quote, UTF-8, from line 1, all columns «standard», language, quoted fields are not made text, and
# whether special numbers are detected.
OPENED = {"as proposed": "59,34,76,1,,0,false,false", "as Excel would": "59,34,76,1,,1044,false,true"}
# Names and reasons that somebody could have given, with an eye on whoever opens the file.
HOSTILE = ('=HYPERLINK("http://x.example";"A")', "+47 90 00 00 00", "-1+1", "@SUM(1;1)", '"; =1+1', "=1+1\n=2+2")
LETTERS = "Æsølv Ånund Čáhppe Øie"


def main() -> None:
    """Check, say what was found, and end with 1 if anything is wrong."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        sys.exit("LibreOffice is missing. Debian, Ubuntu: apt install libreoffice-calc-nogui")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written = dict(_downloads(folder))
        faults = []
        for how, options in OPENED.items():
            for file, content in written.items():
                found = list(_faults(content, _opened(office, folder, file, content, options)))
                print(f"{file}.csv, {how}: {len(found) or 'no'} faults in {len(_lines(content)) - 1} rows")
                faults += found
    if faults:
        sys.exit("\n".join(faults[:20]))


def _downloads(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Both files, of the real program over a database with some odd names in it."""
    load_or_create_key(folder / "key.pem")
    settings = {
        "APP_ENV": "test",
        "SECRET_KEY": "only-for-this-check-and-long-enough-for-it",
        "MASKINPORTEN_CLIENT_ID": "office",
        "MASKINPORTEN_KEY_FILE": str(folder / "key.pem"),
        "MASKINPORTEN_KEY_ID": "office-1",
        **dict.fromkeys(("FREG_URL", "MASKINPORTEN_URL", "PAD_URL"), "http://127.0.0.1:1"),
    }
    address = Databases(folder, _no_postgres, settings).filled(SQLITE, PARTICIPANTS)
    with running_app({**settings, "DATABASE_URL": address}) as app:
        with app.app_context():
            _make_odd()
        app.test_client_class = CheckedClient
        client = app.test_client()
        client.login(USER)
        for file in FILES:
            answer = client.get(f"/deltakere/{file}.csv")
            yield file, answer.data


def _no_postgres() -> NoReturn:
    raise AssertionError("SQLite is enough here")


def _make_odd() -> None:
    listed = (Participation.status != Status.DISCHARGED) & Participation.protected.is_(False)
    some = db.session.scalars(select(Participation).where(listed).limit(len(HOSTILE) + 1))
    for one, text in zip(some, (*HOSTILE, LETTERS), strict=True):
        one.name = text.replace("\n", " ")
        one.extension, one.extension_reason = "yes", text
    db.session.commit()


def _lines(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";", strict=True))


def _opened(office: str, folder: Path, file: str, content: bytes, options: str) -> Any:
    """What LibreOffice makes of the file, as a sheet."""
    source, target = folder / f"{file}.csv", folder / f"{file}.xlsx"
    source.write_bytes(content)
    target.unlink(missing_ok=True)
    command = [office, f"-env:UserInstallation={(folder / 'office').as_uri()}", "--headless"]
    command += [f"--infilter=CSV:{options}", "--convert-to", "xlsx", "--outdir", str(folder), str(source)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
    if not target.exists():
        sys.exit(f"LibreOffice did not open {source.name}:\n{answer.stdout}{answer.stderr}")
    return load_workbook(target).active


def _faults(content: bytes, sheet: Any) -> Iterator[str]:
    lines, rows = _lines(content), list(sheet.iter_rows())
    if (len(rows), len(rows[0])) != (len(lines), len(lines[0])):
        yield f"{len(rows)} rows and {len(rows[0])} columns, not {len(lines)} and {len(lines[0])}"
        return
    labels = lines[0]
    for line, row in zip(lines, rows, strict=True):
        for label, text, one in zip(labels, line, row, strict=True):
            if fault := _fault(label, text, one):
                yield f"{one.coordinate} ({label}): {fault}; in the file {text!r}, on the sheet {one.value!r}"


def _fault(label: str, text: str, one: Any) -> str | None:
    if one.data_type == "f":
        return "a formula"
    if isinstance(one.value, str):
        return None if _plain(one.value) == _plain(text) else "another text"
    if label in WHOLE:
        return "not text"
    return "text has gone" if one.value is None and text else None


def _plain(text: str) -> str:
    """Line ends and the tab apart, which are the spreadsheet's to show as it likes."""
    return text.replace("\r\n", "\n").removeprefix("\t")


if __name__ == "__main__":
    main()
