"""Input from outside, other than addresses and forms: numbers, days and texts that no program can store.

The registers, identity providers (`test_single_sign_on`), files, commands, settings, and bytes in an address. Addresses
and forms: `test_bounds`, `test_every_form`.
"""

import hashlib
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert

from app.settings.checks import BadSetting, whole_number
from services.core.db import now
from services.registers.errors import RegisterError
from services.registers.folkeregisteret import FolkeregisteretClient, MaskinportenTokens, PersonRecord
from services.registers.pad import PadClient, TestResult
from services.standins.keys import load_or_create_key
from services.tables.participants import AccessEntry
from tests.support.access_log import rows_of
from tests.support.answering import serving
from tests.support.backups import all_rows, change_manifest, done, forge, run
from tests.support.house import House

NUMBER = "03851598730"
TOKEN = '{"access_token": "a", "token_type": "Bearer", "expires_in": 100}'
Talk = Callable[[socket.socket, int], None]


def saying(*bodies: str | bytes, status: str = "200 OK", headers: str = "") -> Talk:
    """A server's responses, one after the other, the last one again and again."""

    def talk(connection: socket.socket, count: int) -> None:
        body = bodies[min(count, len(bodies) - 1)]
        raw = body if isinstance(body, bytes) else body.encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n{headers}"
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + raw)

    return talk


def tokens_at(url: str, folder: Path) -> MaskinportenTokens:
    key = load_or_create_key(folder / "key.pem")
    return MaskinportenTokens(base_url=url, client_id="registeret", key_pem=key, key_id="1")


# ---- Maskinporten ----


@pytest.mark.parametrize(
    "lifetime", ["1" + "0" * 400, "9" * 5000, "1e400", "-1", "NaN", "Infinity", "true", '"٣"', "[]"]
)
def test_how_long_a_token_lives(tmp_path: Path, lifetime: str) -> None:
    with serving(saying(TOKEN.replace("100", lifetime))) as url:
        tokens = tokens_at(url, tmp_path)
        if lifetime.startswith("1" + "0" * 400):
            assert tokens.token() == "a"
        else:
            with pytest.raises(RegisterError):
                tokens.token()


@pytest.mark.parametrize("error", ["{}", "[]", "1", "null", '"\\ud800"', '"\\u0000"', "9" * 5000])
def test_an_error_of_any_kind(tmp_path: Path, error: str) -> None:
    with serving(saying(f'{{"error": {error}}}', status="400 Bad Request")) as url, pytest.raises(RegisterError):
        tokens_at(url, tmp_path).token()


# ---- Folkeregisteret and PAD ----

WAITS = [
    "9" * 5000,
    "99999999999",
    "-1",
    "1_0",
    "٣",
    "Mon, 01 Jan 0001 00:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Mon, 01 Jan 2020 00:00:00 +" + "9" * 30,
    "Mon, 01 Jan " + "9" * 400 + " 00:00:00 GMT",
]


@pytest.mark.parametrize("wait", WAITS)
def test_how_long_to_wait(wait: str) -> None:
    headers = f"Retry-After: {wait}\r\n"
    with serving(saying("{}", status="429 Too Many Requests", headers=headers)) as url, pytest.raises(RegisterError):
        PadClient(base_url=url).results(NUMBER)


def looked_up(folder: Path, body: str | bytes) -> PersonRecord | None:
    """Folkeregisteret's record, or None if it cannot be parsed."""
    with serving(saying(TOKEN, body)) as url:
        try:
            return FolkeregisteretClient(base_url=url, token_source=tokens_at(url, folder)).look_up(NUMBER)
        except RegisterError:
            return None


@pytest.mark.parametrize("text", ["\\ud800", "\\udfffNORDMANN", "a\\ud83d", "x" * 5000])
@pytest.mark.parametrize("key", ["fornavn", "mellomnavn", "etternavn", "ukjent"])
def test_names_that_cannot_be_kept(tmp_path: Path, text: str, key: str) -> None:
    found = looked_up(tmp_path, json.dumps({"navn": [{key: "X"}]}).replace('"X"', f'"{text}"'))
    assert found is None or (key == "ukjent" and found.first_name == "")


def test_bytes_that_are_half_a_character(tmp_path: Path) -> None:
    assert looked_up(tmp_path, b'{"navn": [{"fornavn": "\xed\xa0\x80"}]}') is None
    assert looked_up(tmp_path, '{"navn": [{"fornavn": "\\ud83d\\ude00"}]}') is not None, "both halves are one character"


DAYS = {"0001-01-01": True, "9999-12-31": True, "2024-02-29": True, "2023-02-29": False, "0000-00-00": False}


@pytest.mark.parametrize("day", DAYS)
def test_days_of_a_person(tmp_path: Path, day: str) -> None:
    told = {"foedsel": [{"foedselsdato": day}], "doedsfall": {"doedsdato": day}}
    found = looked_up(tmp_path, json.dumps(told))
    assert (found is not None) is DAYS[day]
    assert found is None or found.birth_date == found.death_date


@pytest.mark.parametrize(
    "year", ['"0000"', "99999", "9" * 400, "9" * 5000, '"٢٠٠١"', '"+200"', '"1_00"', '" 200"', "-1"]
)
def test_years_of_a_person(tmp_path: Path, year: str) -> None:
    found = looked_up(tmp_path, f'{{"foedsel": [{{"foedselsaar": {year}}}]}}')
    assert found is None or found.birth_year in {None, 0}


@pytest.mark.parametrize(
    "moment",
    [
        "0001-01-01T00:00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59Z",
        "9999-12-31",
        "2024-02-29T24:00",
        "9" * 99,
    ],
)
def test_moments_of_a_person(tmp_path: Path, moment: str) -> None:
    """Compared with others in another zone; the year of one is the year of arrival."""
    others = [{"gyldighetstidspunkt": "2020-01-01T00:00:00Z", "graderingsnivaa": "ugradert"}]
    said = [*others, {"gyldighetstidspunkt": moment, "graderingsnivaa": "ugradert"}]
    found = looked_up(tmp_path, json.dumps({"innflytting": said, "adressebeskyttelse": said, "navn": said}))
    assert found is None or found.arrival_year in {1, 2020}


def results(body: str) -> list[TestResult] | None:
    with serving(saying(body)) as url:
        try:
            return PadClient(base_url=url).results(NUMBER)
        except RegisterError:
            return None


@pytest.mark.parametrize("text", ["\\ud800", "a\\u0000b", "x" * 5000])
@pytest.mark.parametrize("key", ["prove", "delprove", "resultat", "spraakform"])
def test_results_that_cannot_be_kept(text: str, key: str) -> None:
    honest = {"prove": "A", "delprove": "A", "dato": "2024-02-29", "resultat": "A", "spraakform": "A"}
    assert results(json.dumps([honest])) is not None
    assert results(json.dumps([honest | {key: "X"}]).replace('"X"', f'"{text}"')) is None


@pytest.mark.parametrize("day", DAYS)
def test_days_of_results(day: str) -> None:
    found = results(json.dumps([{"prove": "A", "dato": day, "resultat": "A"}]))
    assert (found is not None) is DAYS[day]


# ---- A backup ----


def a_row(table: str, **values: Any) -> Callable[[dict[str, bytes]], None]:
    """For `forge`: a function that sets values in the first row of a table; «%» in JSON escapes stands for a
    backslash."""

    def change(parts: dict[str, bytes]) -> None:
        manifest = json.loads(parts["manifest.json"])
        part = next(one for one in manifest["parts"] if one["table"] == table)
        lines = parts[f"{table}.jsonl"].splitlines(keepends=True)
        row = dict(zip(part["columns"], json.loads(lines[0]), strict=True)) | values
        lines[0] = json.dumps(list(row.values())).replace("%u", "\\u").encode() + b"\n"
        parts[f"{table}.jsonl"] = b"".join(lines)
        part["sha256"] = hashlib.sha256(parts[f"{table}.jsonl"]).hexdigest()
        parts["manifest.json"] = json.dumps(manifest).encode()

    return change


FORGERIES = {
    "half a character": a_row("user_account", name="%ud800"),
    "half a character in JSON": a_row("access_entry", detail={"name": "%ud800"}),
    "a number beyond 64 bits": a_row("user_account", version=2**70),
    "a moment before the first day": a_row("user_account", created_at="0001-01-01T00:00:00+14:00"),
    "a moment after the last day": a_row("user_account", created_at="9999-12-31T23:59:59+00:00"),
    "a moment of no zone": a_row("user_account", created_at="2024-02-29T00:00:00"),
    "a moment that is none": a_row("user_account", created_at="2023-02-29T00:00:00+00:00"),
    "a moment of digits": a_row("user_account", created_at="9" * 5000),
    "a day that is none": a_row("person", birth_date="2023-02-29"),
    "the first of all days": a_row("participation", start_date="0001-01-01"),
    "the last of all days": a_row("participation", end_date="9999-12-31"),
    "a revision that is a list": change_manifest(revision=["0016"]),
    "a revision that is half a character": change_manifest(revision="\ud800"),
    "taken at no moment": change_manifest(taken_at="9" * 5000),
    "taken at a list": change_manifest(taken_at=[]),
    "taken at half a character": change_manifest(taken_at="\ud800"),
    "parts of another kind": change_manifest(parts=[{"table": [], "columns": {}, "rows": "x", "sha256": None}]),
}


@pytest.mark.participants(5)
@pytest.mark.parametrize("what", FORGERIES)
def test_a_backup_with_what_cannot_be_kept_is_refused_in_words(app: Flask, tmp_path: Path, what: str) -> None:
    file = tmp_path / "register.backup"
    done(app, "backup", file)
    before = all_rows(app)
    forge(file, FORGERIES[what])
    result = run(app, "restore", file, "--yes")
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception
    assert "\nError: " in f"\n{result.output}"
    assert all_rows(app) == before


# ---- Lines of the log, settings, addresses ----


def test_no_line_of_the_log_closes_its_page(own_house: House) -> None:
    """Wherever it came from: an older version, or a backup of one."""
    details: list[dict[str, Any]] = [
        *(
            {"taken_at": said}
            for said in ("9" * 5000, "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+00:00", "i går")
        ),
        *({"order": f"fra={said}"} for said in ("2023-02-29", "9999-12-31", "0001-01-01", "9999-99-99")),
        {"fields": ["\u0661"], "view": "?", "user": "x", "rows": 10**18},
    ]
    lines = [{"at": now(), "action": "restore_backup", "detail": detail} for detail in details]
    own_house.write(*(insert(AccessEntry).values(line) for line in lines))
    page = own_house.client("admin.imdi").get("/tilgangslogg?handling=restore_backup")
    assert len(rows_of(page)) == len(details)


@pytest.mark.parametrize("given", ["9" * 5000, "٩" * 5000, "-1", "+1", "1_0", "²", "1.0", "nan"])
def test_settings_that_are_no_numbers(given: str) -> None:
    with pytest.raises(BadSetting, match="PORT must be a whole number from 1 to 9"):
        whole_number({"PORT": given}, "PORT", 1, 1, 9)


RAW = ["\xff", "\xed\xa0\x80", "\x00", "%00", "%ed%a0%80", "%ff", "\u00e9"]


@pytest.mark.parametrize("raw", RAW)
def test_bytes_in_an_address_that_are_no_text(own_house: House, raw: str) -> None:
    """As a server passes them on: one character for each byte, in the path as in the query."""
    for username in ("kari.oslo", "admin.imdi", None):
        client = own_house.client(username)
        for path in (
            "/deltakere",
            "/tilgangslogg",
            "/brukere",
            "/logg-inn",
            "/logg-inn/med/x",
            "/logg-inn/med/x/tilbake",
        ):
            for query in (raw, f"sorter={raw}", f"sok={raw}", f"neste={raw}", f"state={raw}", f"{raw}=1"):
                answer = client.get(path, environ_overrides={"QUERY_STRING": query})
                assert answer.status_code in {200, 303, 400, 403, 404}, f"{path}?{query!r}: {answer.status}"
        for path in (
            f"/{raw}",
            f"/deltakere/{raw}/data",
            f"/invitasjon/{raw}",
            f"/nytt-passord/{raw}",
            f"/static/{raw}",
        ):
            answer = client.get("/", environ_overrides={"PATH_INFO": path})
            assert answer.status_code in {200, 303, 400, 403, 404, 410}, f"{path!r}: {answer.status}"
