"""The downloads, as CSV and as workbooks, compared with the screen, with each other, and byte for byte with section 4
of the domain."""

import csv
import io
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import event, func, insert, select, update
from sqlalchemy.orm import selectinload
from werkzeug.test import TestResponse

from services.access.audit import Action
from services.core.code_lists import municipality_name
from services.core.days import moment_date
from services.core.db import db
from services.core.status import Status, status_text
from services.export import result_text, xlsx_file
from services.participation.answers import values_of
from services.participation.person_data import name_key, results_of
from services.questions.fields import DateField, HoursField, NumberField, YearField
from services.questions.pages import FIELDS
from services.questions.row_fields import RowsField
from services.tables.accounts import User
from services.tables.participants import AccessEntry, Activity, Participation, Person
from tests.support.client import CheckedClient, text_of, tree_of
from tests.support.databases import DIALECTS, Databases
from tests.support.house import IS_OPEN, IS_PLAIN, House, of_places, running_house
from tests.support.overview_screen import COLUMNS, overview, visible
from tests.support.registering import BY_MISTAKE

OVERVIEW, FULL, ROWS = "/deltakere/oversikt.csv", "/deltakere/fullt-datasett.csv", "/deltakere/tiltak.csv"
BOOKS = {OVERVIEW: "/deltakere/oversikt.xlsx", FULL: "/deltakere/fullt-datasett.xlsx", ROWS: "/deltakere/tiltak.xlsx"}
ROW_KEYS = ("kind", "from_date", "to_date", "hours", "comment")
MANY = 3000
UNITS = "( timer? per uke| dag(er)?| %)$"  # on screen only, not beside a number in a spreadsheet
Row = dict[str, str]


def read(answer: TestResponse) -> list[Row]:
    """The rows as a spreadsheet reads them, by heading; headings are unique."""
    assert answer.status_code == 200
    lines = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline=""), delimiter=";", strict=True))
    assert len(set(lines[0])) == len(lines[0])
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def as_on_screen(row: Row) -> Row:
    """A row of the overview's file without the parts that only spreadsheets need."""
    status, _dot, deleted = row["Status"].partition(". ")
    return row | {"Fødselsnummer": row["Fødselsnummer"].removeprefix("\t"), "Status": status, "Status, remark": deleted}


SELECTIONS = [
    ("kari.oslo", ""),
    ("anne.tokommuner", "?sorter=kommune"),
    ("siri.vern", "?sorter=navn"),
    ("ida.imdi", "?sorter=avslutning&retning=synkende"),
]


@pytest.mark.parametrize(("username", "query"), SELECTIONS)
def test_the_overview_is_what_stands_on_screen(house: House, username: str, query: str) -> None:
    screen = overview(house, username, query)
    link = screen.links["Last ned deltakeroversikt"].attrib["href"]
    assert link == OVERVIEW + query
    rows = [as_on_screen(row) for row in read(screen.client.get(link))]
    shown = [row for page in screen.pages() for row in page.rows]
    columns = [*(label for label in COLUMNS if label in screen.headings), "Status, remark"]
    assert rows == [{label: row[label] for label in columns} for row in shown]


@pytest.mark.parametrize(("username", "query"), SELECTIONS)
def test_the_full_data_set_holds_the_same_participants(house: House, username: str, query: str) -> None:
    screen = overview(house, username, query + ("&side=1" if query else "?side=1"))
    link = screen.links["Last ned fullt datasett"].attrib["href"]
    assert link == FULL + query, "the page that she is on does not matter"
    few, full = read(screen.client.get(OVERVIEW + query)), read(screen.client.get(link))
    assert few
    common = [label for label in few[0] if label in full[0]]
    assert {"Fødselsnummer", "Navn", "Kommune", "Status", "Sist endret", "Sist endret av"} <= set(common)
    assert [{label: row[label] for label in common} for row in full] == [
        {label: row[label] for label in common} for row in few
    ]
    assert [row["Dato for oppstart"] for row in full] == [row["Oppstart"] for row in few]


def test_byte_for_byte(house: House) -> None:
    """Compared with text built independently from the database."""
    rows = sorted(visible(house, "berit.bergen"), key=lambda p: (p.changed_at, p.id), reverse=True)
    words = {1: "Avsluttet", 2: "Endret", 3: "Opprettet"}
    lines = [[label for label in COLUMNS if label != "Bydel"]]
    for one in rows:
        days = [f"{day:%d.%m.%Y}" if day else "" for day in (one.start_date, one.end_date)]
        changed = f"{(one.changed_at + timedelta(hours=_oslo_hours(one.changed_at))):%d.%m.%Y}"
        line = [f"\t{one.national_id}", one.name, "Bergen", *days, words[one.status], changed, one.changed_by]
        lines.append(line)
    answer = house.client("berit.bergen").get(OVERVIEW)
    text = "".join(";".join(f'"{cell}"' for cell in line) + "\r\n" for line in lines)
    assert answer.data == b"\xef\xbb\xbf" + text.encode()
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="deltakeroversikt.csv"'
    other = house.client("berit.bergen").get(FULL)
    assert other.headers["Content-Disposition"] == 'attachment; filename="fullt-datasett.csv"'
    assert other.data.startswith(b'\xef\xbb\xbf"F\xc3\xb8dselsnummer";"Navn";"PersonId";"Kommune";"Kommunenummer";')


def _oslo_hours(moment: datetime) -> int:
    """Norway's offset to UTC: summer time from the last Sunday of March, 01 UTC, to that of October."""

    def last_sunday(month: int) -> datetime:
        last = datetime(moment.year, month, 31, 1, tzinfo=UTC)
        return last - timedelta(days=(last.weekday() + 1) % 7)

    return 2 if last_sunday(3) <= moment < last_sunday(10) else 1


def test_an_empty_list_is_a_file_with_headings(client: CheckedClient) -> None:
    client.login("berit.bergen")
    assert client.get(OVERVIEW).data.count(b"\r\n") == 1
    assert client.get(FULL).data.count(b"\r\n") == 1


# ---- Workbooks ----


def sheet_of(answer: TestResponse) -> Any:
    """The sheet of a workbook."""
    assert answer.status_code == 200
    return load_workbook(io.BytesIO(answer.data)).active


def as_text(one: Any) -> str:
    """A cell as it is shown in Norway."""
    if isinstance(one.value, datetime):
        return f"{one.value:{ {'dd.mm.yyyy': '%d.%m.%Y', 'mm.yyyy': '%m.%Y'}[one.number_format] }}"
    if isinstance(one.value, int | float):
        return f"{one.value:n}".replace(".", ",")
    return one.value or ""


def as_in_a_book(text: str) -> str:
    """A cell of the CSV without the parts that only spreadsheets need."""
    return re.sub(r"^'(?=[=+\-@\t\r])|^\t", "", text)


@pytest.mark.parametrize("address", list(BOOKS))
@pytest.mark.parametrize(("username", "query"), SELECTIONS)
def test_the_workbook_holds_what_the_csv_holds(house: House, username: str, query: str, address: str) -> None:
    client = house.client(username)
    lines = [list(line) for line in csv.reader(io.StringIO(client.get(address + query).text[1:]), delimiter=";")]
    sheet = sheet_of(client.get(BOOKS[address] + query))
    assert [[as_text(one) for one in row] for row in sheet.iter_rows()] == [
        [as_in_a_book(text) for text in line] for line in lines
    ]
    assert len(lines) > 10


def test_the_kinds_of_cells(house: House) -> None:
    """Days, months and numbers keep their types, everything else is text, as declared."""
    days = {q.label for q in FIELDS.values() if isinstance(q, DateField)} | {"Opprettet", "Sist endret", "Utskrevet"}
    days |= {"Oppstart", "Avslutning", "Fra dato", "Til dato"}
    numbers = {q.label for q in FIELDS.values() if isinstance(q, NumberField | YearField | HoursField)} | {"Ankomstår"}
    numbers |= {"Timer per uke"}
    for address, filled in ((OVERVIEW, 6), (FULL, 50), (ROWS, 6)):
        heading, *rows = sheet_of(house.client("ida.imdi").get(BOOKS[address])).iter_rows()
        seen = {
            one.value: {cell.data_type for cell in cells if cell.value is not None}
            for one, cells in zip(heading, zip(*rows, strict=True), strict=True)
        }
        assert len([kinds for kinds in seen.values() if kinds]) > filled
        for label, kinds in seen.items():
            assert kinds <= {"d" if label in days else "n" if label in numbers else "s"}, label
        assert not any(one.hyperlink for row in rows for one in row)


def test_a_workbook_is_sent_as_one(house: House) -> None:
    for address, name, title in (
        (OVERVIEW, "deltakeroversikt.xlsx", "Deltakere"),
        (FULL, "fullt-datasett.xlsx", "Deltakere"),
        (ROWS, "tiltak.xlsx", "Tiltak og permisjon"),
    ):
        answer = house.client("kari.oslo").get(BOOKS[address])
        assert answer.mimetype == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        sheet = sheet_of(answer)
        assert (sheet.title, sheet.freeze_panes) == (title, "A2")
        assert sheet.auto_filter.ref == sheet.dimensions
        first = sheet["A2"]
        assert re.fullmatch("[0-9]{11}", first.value)
        assert first.data_type == "s"


@pytest.mark.parametrize("file", [address.rpartition("/")[2] for pair in BOOKS.items() for address in pair])
def test_asking_for_the_head_of_a_file_reads_nothing(house: House, file: str) -> None:
    """No workbook is made and no download logged, and it does not count towards the hourly limit."""
    client, entries = house.client("kari.oslo"), select(AccessEntry.id).where(AccessEntry.action == "download")
    before = len(house.ask(entries))
    asked: list[str] = []
    with house.app.app_context():
        engine = db.engine

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        head = client.head(f"/deltakere/{file}?status=endret")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert not [one for one in asked if "participation" in one], "nobody is looked up"
    assert len(house.ask(entries)) == before
    with client.get(f"/deltakere/{file}?status=endret") as whole:
        for name in ("Content-Type", "Content-Disposition"):
            assert head.headers[name] == whole.headers[name]
    assert client.head(f"/deltakere/{file}?status=tull").status_code == 400
    assert "Content-Length" not in head.headers, "how long it would be is not known"


def test_an_empty_workbook_has_headings(client: CheckedClient) -> None:
    client.login("berit.bergen")
    for address in BOOKS:
        assert [row[0].value for row in sheet_of(client.get(BOOKS[address])).iter_rows()] == ["Fødselsnummer"]


def test_too_many_for_a_workbook(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    client = house.client("kari.oslo")
    count = len(visible(house, "kari.oslo"))
    monkeypatch.setattr(xlsx_file, "ROWS", count)
    for address in BOOKS:
        answer = client.get(BOOKS[address])
        assert answer.status_code == 413
        assert "Det er for mange rader for Excel" in text_of(answer)
        assert client.get(address).status_code == 200
    monkeypatch.setattr(xlsx_file, "ROWS", count + 1)
    assert sheet_of(client.get(BOOKS[OVERVIEW])).max_row == count + 1


def test_a_workbook_that_is_broken_off_leaves_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for address in BOOKS.values():
        answer = house.client("ida.imdi").get(address, buffered=False)
        assert next(answer.iter_encoded()).startswith(b"PK")
        assert not list(tmp_path.iterdir()), "what is being sent has no name"
        answer.close()


# ---- The full data set ----


def said_by_the_questions(one: Participation) -> Row:
    """The answers of a participation, formatted by their fields."""
    values = values_of(one)
    tests = " | ".join(result_text(result) for result in results_of(one.person))
    answers = {question.label: question.text(values[key]) for key, question in FIELDS.items()}
    return answers | {"Prøveresultater": tests, "Status": status_text(one), "Opprettet": moment_date(one.created_at)}


def test_every_cell_is_what_the_questions_say(house: House) -> None:
    loaded = [selectinload(one) for one in (Participation.person, Participation.activities, Participation.leaves)]
    rows = rows_of(house, "ida.imdi")
    everyone = select(Participation).where(Participation.public_id.in_(rows)).options(*loaded)
    with house.app.app_context():
        wanted = {one.public_id: said_by_the_questions(one) for one in db.session.scalars(everyone)}
    assert wanted.keys() == rows.keys()
    for public_id, row in rows.items():
        assert {label: as_in_a_book(row[label]) for label in wanted[public_id]} == wanted[public_id]


def data_page(client: CheckedClient, public_id: str) -> Row:
    """The values on the page of registered data, by label; several values joined as in the file."""
    tree, found = tree_of(client.get(f"/deltakere/{public_id}/data")), {}
    for block in (one for one in tree.elements("div") if [child.tag for child in one][:2] == ["dt", "dd"]):
        label, value, *_source = block
        lines = [tree.text(item) for item in value.iter("li")] or [tree.text(value)]
        found[tree.text(label)] = " | ".join(lines)
    return {label: "" if text == "Ikke registrert" else text for label, text in found.items()}


def rows_of(house: House, username: str) -> dict[str, Row]:
    """The full data set by public id."""
    numbers = {one.national_id: one.public_id for one in visible(house, username)}
    return {numbers[row["Fødselsnummer"].strip()]: row for row in read(house.client(username).get(FULL))}


def test_all_answers_as_the_page_of_registered_data_shows_them(house: House) -> None:
    rows, client = rows_of(house, "kari.oslo"), house.client("kari.oslo")
    with_tiltak = select(Participation.public_id).join(Participation.activities).group_by(Participation.id)
    several = house.ask(with_tiltak.having(func.count(Activity.id) > 1))
    chosen = [row.public_id for row in several if row.public_id in rows][:3]
    assert len(chosen) == 3
    questions = {question.label for question in FIELDS.values()}
    counted = {question.label for question in FIELDS.values() if isinstance(question, NumberField | HoursField)}
    for public_id in chosen:
        page, row = data_page(client, public_id), rows[public_id]
        shown = questions & page.keys()
        assert len(shown) > 20
        assert {label: " ".join(row[label].removeprefix("'").split()) for label in shown} == {
            label: re.sub(UNITS, "", page[label]) if label in counted else page[label] for label in shown
        }
        assert not any(row[label] for label in questions - shown), "what is not asked has no answer"
        assert row["Tiltak"].count(" | ") == page["Tiltak"].count(" | ") > 0
        assert row["Kommunenummer"] == "\t0301"
        assert row["PersonId"] == page["PersonId"]


def rows_on_paper(one: Participation) -> list[list[str]]:
    """The expected lines of a participant's tiltak and permisjoner."""
    values, place = values_of(one), municipality_name(one.municipality_number)
    lines = []
    for rows in ("activities", "leaves"):
        question = FIELDS[rows]
        assert isinstance(question, RowsField)
        says = {inner.key: inner.text for inner in question.fields}
        for row in values[rows] or []:
            said = [says[key](row[key]) if key in says else "" for key in ROW_KEYS]
            lines.append([one.national_id, one.person_id, place, question.label, *said])
    return lines


@pytest.mark.parametrize(("username", "query"), SELECTIONS)
def test_each_tiltak_and_permisjon_is_a_line(house: House, username: str, query: str) -> None:
    """For the participants on screen, in their order."""
    screen = overview(house, username, query)
    link = screen.links["Last ned tiltak"].attrib["href"]
    assert link == ROWS + query
    assert screen.links["Last ned tiltak som Excel-fil"].attrib["href"] == BOOKS[ROWS] + query
    answer = screen.client.get(link)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="tiltak.csv"'
    ids = [one for page in screen.pages() for one in page.ids]
    loaded = [selectinload(one) for one in (Participation.person, Participation.activities, Participation.leaves)]
    everyone = select(Participation).where(Participation.public_id.in_(ids)).options(*loaded)
    with house.app.app_context():
        wanted = {one.public_id: rows_on_paper(one) for one in db.session.scalars(everyone)}
    lines = [list(row.values()) for row in read(answer)]
    assert [[as_in_a_book(text) for text in line] for line in lines] == [line for one in ids for line in wanted[one]]
    assert all(line[0].startswith("\t") for line in lines)
    assert {line[3] for line in lines} == {"Tiltak", "Permisjon"}


def test_the_headings_of_the_lines(house: House) -> None:
    heading = house.client("kari.oslo").get(ROWS).text.removeprefix("\ufeff").partition("\r\n")[0]
    assert heading == (
        '"Fødselsnummer";"PersonId";"Kommune";"Tiltak eller permisjon";"Type";"Fra dato";"Til dato";"Timer per uke";'
        '"Kommentar"'
    )


def test_only_the_columns_on_screen(house: House) -> None:
    for address in (OVERVIEW, FULL):
        assert "Bydel" in read(house.client("ida.imdi").get(address))[0]
        assert "Bydel" not in read(house.client("anne.tokommuner").get(address))[0]


def test_text_is_never_a_formula(own_house: House) -> None:
    public_id = overview(own_house, "berit.bergen").ids[0]
    name, reason = '=HYPERLINK("http://evil.example";"Kari")', '@SUM(1;2)\n-3; "x"'
    one = update(Participation).where(Participation.public_id == public_id)
    own_house.write(one.values(name=name, name_key=name_key(name), extension="yes", extension_reason=reason))
    row = rows_of(own_house, "berit.bergen")[public_id]
    assert row["Navn"] == f"'{name}"
    assert row[FIELDS["extension_reason"].label] == f"'{reason}"
    cells = {
        one.value: one for row in sheet_of(own_house.client("berit.bergen").get(BOOKS[FULL])).iter_rows() for one in row
    }
    assert {(cells[text].data_type, cells[text].hyperlink) for text in (name, reason)} == {("s", None)}
    content = own_house.client("berit.bergen").get(OVERVIEW).text
    assert '"\'=HYPERLINK(""http://evil.example"";""Kari"")"' in content


# ---- Participants who are not in it ----


def test_the_hidden_are_not_in_the_files(own_house: House) -> None:
    berit, ida = own_house.client("berit.bergen"), own_house.client("ida.imdi")
    public_id = overview(own_house, "berit.bergen").ids[-1]
    (person,) = own_house.ask(
        select(Participation.national_id, Participation.name).where(Participation.public_id == public_id)
    )
    berit.submit(berit.get(f"/deltakere/{public_id}/slett/bekreft"), button="Ja, slett deltaker", fill=BY_MISTAKE)
    for address in (OVERVIEW, FULL):
        assert person.national_id not in berit.get(address).text
        (marked,) = [row for row in read(ida.get(address)) if row["Fødselsnummer"] == f"\t{person.national_id}"]
        assert ". Slettet " in marked["Status"]
        assert marked["Status"].endswith(" av berit.bergen")


def test_protected_and_discharged(house: House) -> None:
    persons = select(Participation.national_id, Participation.name)
    oslo = of_places("kari.oslo")
    protected = house.ask(persons.where(oslo, IS_OPEN, ~IS_PLAIN))
    over = house.ask(persons.where(oslo, Participation.discharged_at.is_not(None)))
    here = {row.national_id for row in house.ask(persons.where(oslo, IS_OPEN))}
    for username in ("kari.oslo", "siri.vern", "ida.imdi"):
        lines = house.client(username).get(ROWS).text
        assert any(row.national_id in lines for row in protected) == (username == "siri.vern")
        for address in (OVERVIEW, FULL):
            text = house.client(username).get(address).text
            assert all((row.national_id in text) == (username == "siri.vern") for row in protected)
            assert not [row for row in over if row.national_id in text and row.national_id not in here]


# ---- Sending ----


def test_a_download_is_logged(house: House) -> None:
    entries = select(AccessEntry, User.username).join(User, User.id == AccessEntry.user_id).order_by(AccessEntry.id)
    entries = entries.where(AccessEntry.action != Action.VIEW)  # these come later: see `services.access.page_views`
    client = house.client("kari.oslo")
    before = len(house.ask(entries))
    client.get(f"{OVERVIEW}?sorter=navn&retning=synkende")
    client.get(FULL)
    client.get(f"{FULL}?sorter=ukjent")
    client.get(f"{BOOKS[FULL]}?sorter=oppstart")
    client.get(ROWS)
    logged = [(row[0].action, row.username, row[0].detail) for row in house.ask(entries)[before:]]
    assert logged == [
        ("download", "kari.oslo", {"what": "overview", "order": "sorter=navn&retning=synkende", "format": "csv"}),
        ("download", "kari.oslo", {"what": "full", "order": "", "format": "csv"}),
        ("download", "kari.oslo", {"what": "full", "order": "sorter=oppstart", "format": "xlsx"}),
        ("download", "kari.oslo", {"what": "rows", "order": "", "format": "csv"}),
    ]


@pytest.fixture(scope="module", params=DIALECTS)
def crowded(request: pytest.FixtureRequest, databases: Databases, settings: dict[str, str]) -> Iterator[CheckedClient]:
    """Berit's client with thousands of participants in Bergen, each with two tiltak."""
    with running_house(request.param, databases, settings, participants=0) as house:
        with house.app.app_context():
            _crowd()
        yield house.client("berit.bergen")


def _crowd() -> None:
    moment, numbers = datetime(2026, 1, 1, tzinfo=UTC), range(1, MANY + 1)
    persons = [_person(n) | {"freg_fetched_at": moment} for n in numbers]
    db.session.execute(insert(Person), persons)
    refs = {row.national_id: row.id for row in db.session.execute(select(Person.id, Person.national_id))}
    db.session.execute(insert(Participation), [_participation(n, refs, moment) for n in numbers])
    ids = [row.id for row in db.session.execute(select(Participation.id))]
    tiltak = {"municipality_number": "4601", "kind": "norwegian", "from_date": moment.date(), "hours": 10}
    two = [{"participation_ref": ref, "position": position, **tiltak} for ref in ids for position in (0, 1)]
    db.session.execute(insert(Activity), two)
    db.session.commit()


def _person(number: int) -> dict[str, Any]:
    return {"person_id": f"8{number:07}", "national_id": f"{number:011}", "name": f"Nr {number}"}


def _participation(number: int, refs: dict[str, int], moment: datetime) -> dict[str, Any]:
    person = _person(number)
    return person | {
        "person_ref": refs[person["national_id"]],
        "public_id": f"{number:016}",
        "creation_key": f"{number:032}",
        "name_key": f"{number:06}",
        "protected": False,
        "municipality_number": "4601",
        "municipality_key": "bergen",
        "status": Status.CHANGED,
        "created_at": moment,
        "created_by": "berit.bergen",
        "changed_at": moment + timedelta(seconds=number),
        "changed_by": "berit.bergen",
        "background_missing": 0,
        "programme_missing": 0,
        "funding": "ordinary",
        "start_date": moment.date(),
    }


def test_a_large_file_is_sent_in_pieces(crowded: CheckedClient) -> None:
    for address, least in ((OVERVIEW, 8), (FULL, 20)):
        with crowded.get(address, buffered=False) as answer:
            assert answer.is_streamed
            assert "Content-Length" not in answer.headers
            pieces = list(answer.iter_encoded())
        assert len(pieces) > least
        assert max(map(len, pieces)) < 70_000
        lines = list(csv.reader(io.StringIO(b"".join(pieces).decode("utf-8-sig"), newline=""), delimiter=";"))
        assert [line[1] for line in lines[1:]] == [f"Nr {n}" for n in range(MANY, 0, -1)]
    column = lines[0].index("Tiltak")
    assert all(line[column].count(" | ") == 1 for line in lines[1:])
    with crowded.get(ROWS, buffered=False) as answer:
        pieces = list(answer.iter_encoded())
    assert len(pieces) > 8
    assert max(map(len, pieces)) < 70_000
    lines = list(csv.reader(io.StringIO(b"".join(pieces).decode("utf-8-sig"), newline=""), delimiter=";"))
    assert [line[0] for line in lines[1:]] == [f"\t{n:011}" for n in range(MANY, 0, -1) for _row in range(2)]


def test_a_download_that_is_broken_off_harms_nobody(crowded: CheckedClient) -> None:
    for address in [OVERVIEW] * 16 + [FULL, *BOOKS.values()]:  # more than the pool has connections
        answer = crowded.get(address, buffered=False)
        next(answer.iter_encoded())
        answer.close()
    assert crowded.get("/deltakere").status_code == 200


def test_the_order_over_all_pages_is_the_files(crowded: CheckedClient) -> None:
    ascending = read(crowded.get(f"{OVERVIEW}?sorter=navn"))
    assert [row["Navn"] for row in ascending] == [f"Nr {n}" for n in range(1, MANY + 1)]
    last = crowded.get("/deltakere?sorter=navn&side=120")
    assert f"Nr {MANY}" in last.text
    assert "Viser 2976–3000 av 3000" in last.text
