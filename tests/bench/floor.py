"""The floor: the same rows and counts by plain SQL and one Jinja template, as a bare WSGI callable.

It accepts the program's own addresses (`GET /deltakere?sorter=navn&side=3`) and responds with an equivalent page,
without users, sessions, checks, logging and translations. The viewer is in a header: `Bench-Municipalities` has the
viewer's kommunenummer separated by commas, and is missing for a national user. The search is in `Bench-Search`,
percent-encoded, with commas.

Served like the program, with `FLOOR_DATABASE` (an address as for the program) and `FLOOR_QUESTIONS` (a JSON file with
the fields of the form pages).
"""

import csv
import io
import json
import os
import re
import sqlite3
import threading
from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote
from zoneinfo import ZoneInfo

import brotli
import psycopg
from jinja2 import Environment, FileSystemLoader
from psycopg.rows import dict_row

from services.core.collation import sort_key

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Row = Any  # by column name: sqlite3.Row or a dict

PAGE_SIZE = 25
BATCH = 500  # participations of a download whose rows are fetched together
FEW = 2000  # hits
PIECE = 32_000  # characters of a download in one piece

_URL = os.environ["FLOOR_DATABASE"]
_IS_SQLITE = _URL.startswith("sqlite")
_DATA = Path(__file__).resolve().parents[2] / "services" / "data"
_TOKEN = "IjEwZWU1NjBjY2FkMDFmOGNjMWEzYjM4MGFjMjA2ZGY3YjRkZWM3MmQi.awUpGQ.az-3t2npK4MNs361HWmjSeEDAHs"
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_questions = json.loads(Path(os.environ["FLOOR_QUESTIONS"]).read_text("utf-8"))
_OSLO = ZoneInfo("Europe/Oslo")
_local = threading.local()


# ---- The database ----


def _connection() -> Any:
    """This thread's own connection, kept open."""
    if not hasattr(_local, "connection"):
        _local.connection = _connect()
    return _local.connection


def _connect() -> Any:
    if not _IS_SQLITE:
        address = re.sub(r"^postgresql\+psycopg", "postgresql", _URL)
        return psycopg.connect(address, autocommit=True, row_factory=dict_row)
    connection = sqlite3.connect(_URL.removeprefix("sqlite:///"), isolation_level=None)
    connection.row_factory = sqlite3.Row
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _run(statement: str, values: Iterable[Any] = ()) -> Any:
    """Execute a statement written with `?`."""
    if not _IS_SQLITE:
        statement = statement.replace("%", "%%").replace("?", "%s")
    return _connection().execute(statement, tuple(values))


# ---- Criteria ----

# The stored orders, by the word in the address. Empty values come last in both directions.
ORDERS = {
    "fodselsnummer": ("national_id", False),
    "navn": ("name_key", True),
    "kommune": ("municipality_key", False),
    "bydel": ("district_key", True),
    "oppstart": ("start_date", False),
    "avslutning": ("end_date", True),
    "status": ("status", False),
    "sist-endret": ("changed_at", False),
    "sist-endret-av": ("changed_by", False),
}
STATUSES = {"avsluttet": 1, "endret": 2, "opprettet": 3, "utskrevet": 4}
OPEN, DISCHARGED, UNPROTECTED = "discharged = false", "discharged = true", "protected = false"

_LIST = """id, public_id, national_id, name, municipality_number, district_number, start_date, end_date, status,
changed_at, changed_by, background_missing, programme_missing, deleted_at, deleted_by"""

Condition = tuple[str, list[Any]]


def _among(column: str, values: list[Any]) -> Condition:
    if len(values) == 1:
        return f"{column} = ?", values
    return f"{column} IN ({', '.join('?' * len(values))})", values


def _scope(environ: Environ) -> list[Condition]:
    """The visibility condition."""
    numbers = environ.get("HTTP_BENCH_MUNICIPALITIES", "")
    if not numbers:
        return [(UNPROTECTED, [])]
    return [_among("municipality_number", numbers.split(",")), ("deleted_at IS NULL", []), (UNPROTECTED, [])]


# One condition for each value of a filter that takes one.
_SIMPLE: dict[str, Callable[[str], Condition]] = {
    "finansiering": lambda word: ("funding = ?", ["per_capita" if word == "per-capita" else "ordinary"]),
    "deltok-fra": lambda day: ("(end_date IS NULL OR end_date >= ?)", [_day(day)]),
    "deltok-til": lambda day: ("start_date <= ?", [_day(day)]),
    "oppstart-fra": lambda day: ("start_date >= ?", [_day(day)]),
    "oppstart-til": lambda day: ("start_date <= ?", [_day(day)]),
    "avslutning-fra": lambda day: ("end_date >= ?", [_day(day)]),
    "avslutning-til": lambda day: ("end_date <= ?", [_day(day)]),
    "endret-fra": lambda day: ("changed_at >= ?", [_moment(day, 0)]),
    "endret-til": lambda day: ("changed_at < ?", [_moment(day, 1)]),
    "over": lambda months: _still_there_after(months),
}
_MISSING = {
    "bakgrunn": "background_missing > 0",
    "programinnhold": "programme_missing > 0",
    "avslutning": "termination_missing > 0",
}


def _day(text: str) -> Any:
    return text if _IS_SQLITE else date.fromisoformat(text)


def _still_there_after(months: str) -> Condition:
    today = datetime.now(_OSLO).date()
    year, month = divmod(today.year * 12 + today.month - 1 - int(months), 12)
    since = date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))
    days = [_day(str(since)), _day(str(today))]
    return "duration_start <= ? AND (end_date IS NULL OR end_date >= ?)", days


def _moment(text: str, days_later: int) -> Any:
    day = date.fromisoformat(text) + timedelta(days=days_later)
    moment = datetime(day.year, day.month, day.day, tzinfo=_OSLO).astimezone(UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f") if _IS_SQLITE else moment


def _now() -> Any:
    now = datetime.now(UTC)
    return now.strftime("%Y-%m-%d %H:%M:%S.%f") if _IS_SQLITE else now


def _filters(query: dict[str, list[str]]) -> list[Condition]:
    found: list[Condition] = []
    statuses = [STATUSES[word] for word in query.get("status", [])]
    found.append((DISCHARGED if statuses == [STATUSES["utskrevet"]] else OPEN, []))
    if statuses and statuses != [STATUSES["utskrevet"]]:
        found.append(_among("status", statuses))
    if "kommune" in query:
        found.append(_among("municipality_number", query["kommune"]))
    if "bydel" in query:
        found.append(_among("district_key", [sort_key(_DISTRICTS[number]) for number in query["bydel"]]))
    found += [_SIMPLE[name](values[0]) for name, values in query.items() if name in _SIMPLE]
    if wanted := [_MISSING[word] for word in query.get("mangler", []) if word in _MISSING]:
        found.append((f"({' OR '.join(wanted)})", []))
    return found


def _search(environ: Environ) -> list[Condition]:
    """The union of all values: whole numbers, PersonIds, and parts of names."""
    values = [unquote(value) for value in environ.get("HTTP_BENCH_SEARCH", "").split(",") if value]
    if not values:
        return []
    by_column = {
        "national_id": [value for value in values if value.isdigit() and len(value) == 11],
        "person_id": [value for value in values if value.isdigit() and len(value) == 8],
    }
    parts = [_among(column, wanted) for column, wanted in by_column.items() if wanted]
    parts = [(f"{OPEN} AND {sql}", wanted) for sql, wanted in parts]
    names = [value.lower() for value in values if not value.isdigit()]
    if names:
        parts.append(_named(names, environ.get("HTTP_BENCH_MUNICIPALITIES", "")))
    if len(parts) == 1:
        return parts
    given = [one for _sql, wanted in parts for one in wanted]
    if not _IS_SQLITE:
        return [(f"({' OR '.join(f'({sql})' for sql, _values in parts)})", given)]
    union = " UNION ".join(f"SELECT id FROM participation WHERE {sql}" for sql, _values in parts)
    return [(f"id IN ({union})", given)]


def _named(names: list[str], municipalities: str) -> Condition:
    """The condition on the trigram index: in FTS5 the municipalities are part of the expression."""
    if not _IS_SQLITE:
        return f"({' OR '.join('name_words LIKE ?' for _name in names)})", [f"%{name}%" for name in names]
    match = f"name_words : ({' OR '.join(_quoted(name) for name in names)})"
    if municipalities:
        match += f" AND municipality_number : ({' OR '.join(map(_quoted, municipalities.split(',')))})"
    return "id IN (SELECT rowid FROM name_index WHERE name_index MATCH ?)", [match]


def _quoted(word: str) -> str:
    return f'"{word}"'


def _where(environ: Environ, query: dict[str, list[str]]) -> Condition:
    parts = [*_scope(environ), *_filters(query), *_search(environ)]
    return " AND ".join(sql for sql, _values in parts), [value for _sql, values in parts for value in values]


def _order(query: dict[str, list[str]], table: str = "participation") -> str:
    if "sorter" not in query:
        return f"{table}.changed_at DESC, {table}.id DESC"
    column, may_be_empty = ORDERS[query["sorter"][0]]
    column = "key" if table == "found" else column
    way = " DESC" if "retning" in query else ""
    return f"{table}.{column}{way}{' NULLS LAST' if may_be_empty else ''}, {table}.id{way}"


# ---- Labels ----


def _names(file: str, key: str, name: str) -> dict[str, str]:
    with (_DATA / file).open(encoding="utf-8", newline="") as lines:
        return {row[key]: row[name] for row in csv.DictReader(lines)}


_MUNICIPALITIES = _names("municipalities.csv", "kommunenummer", "kommunenavn")
_DISTRICTS = _names("oslo_districts.csv", "bydelsnummer", "bydelsnavn")
_WORDS = {1: "Avsluttet", 2: "Endret", 3: "Opprettet", 4: "Utskrevet"}
_INCOMPLETE = {"Bakgrunn": "background_missing", "Programinnhold": "programme_missing"}
_COLORS = {1: "warning", 2: "info", 3: "neutral", 4: "neutral"}


def _written(value: Any) -> str:
    """A day as dd.mm.yyyy; SQLite gives text, PostgreSQL a date or a moment."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"{value[8:10]}.{value[5:7]}.{value[:4]}"
    return f"{value.day:02}.{value.month:02}.{value.year}"


def _shown(row: Row) -> dict[str, Any]:
    missing = [word for word, column in _INCOMPLETE.items() if row[column]]
    deleted = f"Slettet {_written(row['deleted_at'])} av {row['deleted_by']}" if row["deleted_at"] else ""
    return {
        "address": f"/deltakere/{row['public_id']}",
        "number": row["national_id"],
        "name": row["name"],
        "municipality": _MUNICIPALITIES[row["municipality_number"]],
        "district": _DISTRICTS.get(row["district_number"], ""),
        "start": _written(row["start_date"]),
        "end": _written(row["end_date"]),
        "status": _WORDS[row["status"]],
        "color": _COLORS[row["status"]],
        "changed": _written(row["changed_at"]),
        "changed_by": row["changed_by"],
        "missing": ", ".join(missing),
        "deleted": deleted,
    }


# ---- Pages ----


def _list(environ: Environ) -> str:
    query = parse_qs(environ["QUERY_STRING"])
    where, values = _where(environ, query)
    size, page = int(query.get("antall", [PAGE_SIZE])[0]), int(query.get("side", ["1"])[0])
    offset = (page - 1) * size
    total = _run(f"SELECT count(*) AS total FROM participation WHERE {where}", values).fetchone()["total"]
    if total > FEW:
        source, table = f"SELECT {_LIST} FROM participation WHERE {where}", "participation"
    else:  # gathered and sorted, since PostgreSQL would scan the order's index in the hope of matches
        key = ORDERS[query["sorter"][0]][0] if "sorter" in query else "id"
        found = f"SELECT {_LIST}, {key} AS key FROM participation WHERE {where}"
        source, table = f"WITH found AS MATERIALIZED ({found}) SELECT {_LIST} FROM found", "found"
    rows = _run(f"{source} ORDER BY {_order(query, table)} LIMIT ? OFFSET ?", [*values, size, offset]).fetchall()
    is_national = "HTTP_BENCH_MUNICIPALITIES" not in environ
    is_part = environ.get("HTTP_HX_REQUEST_TYPE") == "partial"
    return _templates.get_template("results.html" if is_part else "list.html").render(
        **_frame("Deltakeroversikt"),
        rows=[_shown(row) for row in rows],
        total=total,
        first=offset + 1,
        last=offset + len(rows),
        pages=_pages(page, max(1, -(-total // size))),
        districts=is_national,
        registers=not is_national,
    )


def _pages(page: int, last: int) -> list[tuple[Any, str, bool]]:
    shown = [number for number in (1, page - 1, page, page + 1, last) if 1 <= number <= last]
    numbers = [(number, f"/deltakere?side={number}", number == page) for number in dict.fromkeys(shown)]
    return [*numbers, ("Neste", f"/deltakere?side={page + 1}", False)]


def _frame(title: str) -> dict[str, Any]:
    return {"title": title, "user": "Tora Trondheim", "places": "Trondheim", "token": _TOKEN}


def _participant(environ: Environ, public_id: str) -> Row:
    """The participation with the person's data, if the viewer may see it."""
    parts = [("public_id = ?", [public_id]), *_scope(environ)]
    where = " AND ".join(sql for sql, _values in parts)
    return _run(
        f"SELECT * FROM participation WHERE {where}", [value for _sql, values in parts for value in values]
    ).fetchone()


def _person(row: Row) -> Row:
    return _run("SELECT * FROM person WHERE id = ?", [row["person_ref"]]).fetchone()


def _heading_of(row: Row) -> dict[str, Any]:
    return {
        **_frame(row["name"]),
        "public_id": row["public_id"],
        "name": row["name"],
        "number": row["national_id"],
        "person_id": row["person_id"],
        "municipality": _MUNICIPALITIES[row["municipality_number"]],
        "start": _written(row["start_date"]),
        "status": _WORDS[row["status"]],
        "color": _COLORS[row["status"]],
    }


def _delete(environ: Environ, public_id: str) -> str:
    row = _participant(environ, public_id)
    _person(row)
    return _templates.get_template("delete.html").render(**_heading_of(row))


def _form(environ: Environ, public_id: str, page: str) -> str:
    row = _participant(environ, public_id)
    person = _person(row)
    related = {
        key: _run(f"SELECT * FROM {table} WHERE participation_ref = ? ORDER BY position", [row["id"]]).fetchall()
        for key, table in (("activities", "activity"), ("leaves", "leave"))
    }
    _run("SELECT * FROM draft_value WHERE participation_ref = ?", [row["id"]]).fetchall()
    # Opening a participant is logged, and committed before anything is shown (domain, section 3).
    entry = [_now(), 1, "open", row["id"]]
    _run("INSERT INTO access_entry (at, user_id, action, participation_ref) VALUES (?, ?, ?, ?)", entry)
    asked = _questions[page]["questions"]
    return _templates.get_template("form.html").render(
        **_heading_of(row),
        page=page,
        heading=_questions[page]["heading"],
        version=row["version"],
        changed=_written(row["changed_at"]),
        facts=[
            ("Ankomstår", person["arrival_year"]),
            ("Fødeland", person["birth_country"]),
            ("Sivilstand", person["marital_status"]),
        ],
        fetched=_written(person["freg_fetched_at"]),
        tests=[
            f"{one['test']} {one['part'] or ''}: {one['result']} ({_written(one['date'])})"
            for one in _decoded(person["test_results"]) or []
        ],
        questions=asked,
        values={question["key"]: _value(row, question) for question in asked},
        rows={question["key"]: related.get(question["key"], []) for question in asked},
    )


def _value(row: Row, question: dict[str, Any]) -> Any:
    if question["kind"] == "rows":
        return None
    value = row["district_number" if question["key"] == "district" else question["key"]]
    return _decoded(value) if question["kind"] == "checks" else value


def _decoded(value: Any) -> Any:
    """A JSON column: SQLite gives text."""
    return json.loads(value) if isinstance(value, str) else value


def _save(public_id: str, environ: Environ) -> None:
    """A bare UPDATE with its COMMIT; the value is the last one of the form."""
    sent = parse_qs(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode())
    _run(
        "UPDATE participation SET recruitment = ?, version = version + 1, changed_at = ?, changed_by = ? "
        "WHERE public_id = ?",
        [sent["recruitment"][0], _now(), "tora.trondheim", public_id],
    )


# ---- The full download ----

_OF_PERSON = ("arrival_year", "birth_country", "marital_status", "test_results")
_ANSWERS = """funding start_date target_group recruitment earlier_measures intro_end literacy mother_tongue oral_start
written_start education education_country education_recognised work_experience work_norway children youngest_child
livelihood_start individual_plan plan_date goals goals_other goal_level hours_per_week allowance no_activities
extension extension_reason planned_end extra_year end_reason end_reason_text end_date absence_valid absence_invalid
outcome job_kind job_percent job_sector job_industry job_subsidy study_kind study_load other_kind livelihood_end
oral_end written_end""".split()
_KEPT = "national_id name person_id municipality_number district_number status".split()
_MOMENTS = "created_at created_by changed_at changed_by discharged_at discharged_by".split()
_DAYS = frozenset(
    "start_date intro_end plan_date planned_end end_date created_at changed_at discharged_at from_date to_date".split()
)
_JSON = frozenset({"earlier_measures", "goals", "outcome", "test_results"})
_COLUMNS = [*_KEPT, *_MOMENTS, *_ANSWERS]


def _full(environ: Environ) -> Iterator[bytes]:
    """The file in pieces, the rows from a cursor of its own, activities and leaves for a batch at a time."""
    query = parse_qs(environ["QUERY_STRING"])
    where, values = _where(environ, query)
    cast = "" if _IS_SQLITE else "::text"
    columns = [f"p.{name}{cast if name in _JSON else ''} AS {name}" for name in _COLUMNS]
    columns += [f"person.{name}{cast if name in _JSON else ''} AS {name}" for name in _OF_PERSON]
    narrow = f"SELECT * FROM participation WHERE {where}"
    statement = (
        f"SELECT p.id, {', '.join(columns)} FROM ({narrow}) p JOIN person ON person.id = p.person_ref "
        f"ORDER BY {_order(query, 'p')}"
    )
    names = [*_COLUMNS, *_OF_PERSON]
    days = [place for place, name in enumerate(names) if name in _DAYS]
    with closing(_connect()) as connection:
        buffer = io.StringIO()
        writer = csv.writer(buffer, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        buffer.write("\ufeff")
        writer.writerow([*names, "activities", "leaves"])
        for batch in _batches(connection, statement, values):
            related = [_related(table, [row[0] for row in batch]) for table in ("activity", "leave")]
            for row in batch:
                cells = list(row[1:])
                for place in days:
                    cells[place] = _written(cells[place])
                writer.writerow([*cells, *(" | ".join(one.get(row[0], ())) for one in related)])
                if buffer.tell() > PIECE:
                    yield buffer.getvalue().encode()
                    buffer.seek(0)
                    buffer.truncate()
        yield buffer.getvalue().encode()


def _batches(connection: Any, statement: str, values: list[Any]) -> Iterator[list[tuple[Any, ...]]]:
    if _IS_SQLITE:
        connection.row_factory = None
        cursor = connection.execute(statement, values)
        while rows := cursor.fetchmany(BATCH):
            yield rows
        return
    with connection.transaction(), connection.cursor("full", row_factory=psycopg.rows.tuple_row) as cursor:
        cursor.execute(statement.replace("%", "%%").replace("?", "%s"), values)
        while rows := cursor.fetchmany(BATCH):
            yield rows


def _related(table: str, ids: list[int]) -> dict[int, list[str]]:
    among, values = _among("participation_ref", ids)
    amount = "hours, comment" if table == "activity" else "to_date, to_date"
    found: dict[int, list[str]] = {}
    for row in _run(
        f"SELECT participation_ref, kind, from_date, to_date, {amount} FROM {table} WHERE {among} "
        "ORDER BY participation_ref, position",
        values,
    ):
        text = f"{row['kind']} {_written(row['from_date'])}–{_written(row['to_date'])}"
        if table == "activity":
            text = f"{text} {row['hours']} {row['comment'] or ''}"
        found.setdefault(row["participation_ref"], []).append(text)
    return found


# ---- The callable ----


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Respond to a request of the benchmark; anything else is an error."""
    path = environ["PATH_INFO"]
    if path == "/helse/klar":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]
    if path == "/deltakere/fullt-datasett.csv":
        start_response("200 OK", [("Content-Type", "text/csv; charset=utf-8")])
        return _full(environ)
    if path == "/deltakere":
        return _answer(_list(environ), start_response)
    _empty, _word, public_id, page = path.split("/")
    if environ["REQUEST_METHOD"] == "POST":
        _save(public_id, environ)
        start_response("303 See Other", [("Location", "/deltakere"), ("Content-Length", "0")])
        return [b""]
    html = _delete(environ, public_id) if page == "slett" else _form(environ, public_id, page)
    return _answer(html, start_response)


def _answer(html: str, start_response: StartResponse) -> list[bytes]:
    body = brotli.compress(html.encode(), quality=5)
    start_response(
        "200 OK",
        [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Encoding", "br"),
            ("Content-Length", str(len(body))),
            ("Bench-Bytes", str(len(html.encode()))),
        ],
    )
    return [body]
