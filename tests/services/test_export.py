"""The formats of the downloads: CSV byte for byte (domain, section 4), and workbooks."""

import csv
import io
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape  # openpyxl leaves it to its callers

from services.access.viewer import OSLO, Place, Role, Viewer
from services.core.days import date_text, moment_date
from services.core.status import Status, deletion_text, status_text
from services.export import ExportColumn, TooManyRows, full_fields, overview_fields, pieces, xlsx_file
from services.export.columns import DAY_FORMAT, MONTH_FORMAT, itself
from services.export.csv_file import cell, lines
from services.export.reading import Memo
from services.export.xlsx_file import CHARACTERS, book, fitting
from services.listing.columns import LIST_COLUMNS, plain
from services.questions.pages import FIELDS

PIECE = 70_000  # bytes; more is never buffered

# Text that can be stored: everything but NUL and lone surrogates.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
risky = st.sampled_from("=+-@\t\r'\";\n ").flatmap(lambda first: texts.map(lambda rest: first + rest))
Rows = list[tuple[Any, ...]]


def field(label: str, *, keeps_zeros: bool = False) -> ExportColumn:
    """A column of text."""
    return ExportColumn(label, (), plain, keeps_zeros=keeps_zeros)


def columns(fields: list[ExportColumn], rows: Rows, make: Any = cell) -> list[Any]:
    """The cells of some rows, as they are read: column by column."""
    read = list(zip(*rows, strict=True)) or [()] * len(fields)
    return [map(make(one), values) for one, values in zip(fields, read, strict=True)]


def file_of(fields: list[ExportColumn], rows: Rows) -> bytes:
    return b"".join(lines([one.label for one in fields], iter([columns(fields, rows)])))


def read(content: bytes) -> list[list[str]]:
    """Parse as a spreadsheet does."""
    text = content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True))


@given(texts | risky)
def test_what_would_be_a_formula_gets_an_apostrophe(text: str) -> None:
    ((_label,), (written,)) = read(file_of([field("a")], [(text,)]))
    assert written == (f"'{text}" if re.match(r"[=+\-@\t\r]", text) else text)
    assert not re.match(r"[=+\-@\t\r]", written)


@pytest.mark.parametrize("text", ["=1+1", "+47 123", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"])
def test_known_attacks_are_text(text: str) -> None:
    assert read(file_of([field("a")], [(text,)]))[1] == [f"'{text}"]


@given(st.from_regex(r"[0-9]{4,11}", fullmatch=True))
def test_numbers_keep_their_zeros_by_a_tab(number: str) -> None:
    fields = [field("a", keeps_zeros=True)]
    assert file_of(fields, [(number,)]) == b'\xef\xbb\xbf"a"\r\n"\t' + number.encode() + b'"\r\n'
    assert file_of(fields, [("",)]) == b'\xef\xbb\xbf"a"\r\n""\r\n'


@given(st.lists(st.tuples(texts | risky, texts), max_size=5))
def test_the_file_byte_for_byte(rows: Rows) -> None:
    """As the csv module would write it."""
    fields = [field('Å; "a"'), field("b", keeps_zeros=True)]
    wanted = [['Å; "a"', "b"], *([f"'{a}" if a[:1] in set("=+-@\t\r") else a, f"\t{b}" if b else ""] for a, b in rows)]
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(wanted)
    content = file_of(fields, rows)
    assert content == b"\xef\xbb\xbf" + written.getvalue().encode()
    assert read(content) == wanted


def test_it_is_made_while_it_is_sent() -> None:
    fields, taken = [field("a"), field("b")], 0

    def batches() -> Iterator[list[Any]]:
        nonlocal taken
        for _batch in range(400):
            taken += 1
            yield columns(fields, [(f"rad {number}", "æøå " * 5) for number in range(50)])

    sent = lines(["a", "b"], batches())
    first = next(sent)
    assert first.startswith(b'\xef\xbb\xbf"a";"b"\r\n')
    assert first.count(b"\r\n") == 51
    assert taken == 1, "the rest is read when it is asked for"
    sizes = [len(piece) for piece in sent]
    assert len(sizes) > 15
    assert max(sizes) < PIECE
    assert min(sizes[:-1]) > 20_000, "small pieces are slow"
    assert taken == 400


def test_one_large_batch_is_sent_in_pieces() -> None:
    rows = [("æ" * 1000,)] * 300
    few = lines(["a"], iter([columns([field("a")], rows[:1]), columns([field("a")], rows)]))
    sizes = [len(piece) for piece in few]
    assert len(sizes) > 10
    assert max(sizes) < PIECE


def test_what_is_remembered_does_not_grow() -> None:
    memo = Memo(lambda number: number * 2)
    assert all(memo[number] == number * 2 for number in range(100_000))
    assert len(memo) < 10_000


# ---- Workbooks ----


def sheet_of(fields: list[ExportColumn], rows: Rows) -> Any:
    """The sheet as read by another program."""
    with book(fields, iter([columns(fields, rows, xlsx_file.cell)])) as made:
        return load_workbook(made).active


def test_numbers_days_and_text_keep_their_kind() -> None:
    fields = [
        field("Nummer", keeps_zeros=True),
        ExportColumn("Dag", (), date_text, itself, DAY_FORMAT),
        ExportColumn("Måned", (), FIELDS["intro_end"].text, itself, MONTH_FORMAT),
        ExportColumn("Antall", (), str, itself),
        ExportColumn("Timer", (), str, itself),
        field("Tekst"),
    ]
    first = ("01020312345", date(1950, 1, 1), date(2024, 2, 1), 0, Decimal("22.5"), "30.06.2026")
    sheet = sheet_of(
        fields, [first, (None,) * 6, ("00", date(2100, 12, 31), date(2100, 12, 1), 9999, Decimal(30), "7")]
    )
    assert [[one.value for one in row] for row in sheet.iter_rows(min_row=2)] == [
        ["01020312345", datetime(1950, 1, 1), datetime(2024, 2, 1), 0, 22.5, "30.06.2026"],  # noqa: DTZ001
        [None] * 6,
        ["00", datetime(2100, 12, 31), datetime(2100, 12, 1), 9999, 30, "7"],  # noqa: DTZ001
    ]
    shown = [one.number_format for one in sheet[2]]
    assert shown == ["@", "dd.mm.yyyy", "mm.yyyy", "General", "General", "General"]


def test_the_sheet_is_ready_for_use() -> None:
    fields = [field("Fødselsnummer", keeps_zeros=True), field("Navn"), field("N")]
    sheet = sheet_of(fields, [("01020312345", "Å" * 200, None)] * 3)
    assert (sheet.title, sheet.freeze_panes, sheet.auto_filter.ref) == ("Deltakere", "A2", "A1:C4")
    assert all(one.font.b for one in sheet[1])
    assert not any(one.font.b for one in sheet[2])
    widths = [sheet.column_dimensions[letter].width for letter in "ABC"]
    assert 13 < widths[0] < 20
    assert 30 < widths[1] < 50
    assert 8 < widths[2] < 13
    assert sheet_of(fields, []).auto_filter.ref == "A1:C1"


@given(st.lists(texts | risky, max_size=5))
def test_any_text_is_that_text(given_texts: list[str]) -> None:
    rows = [(text,) for text in given_texts]
    sheet = sheet_of([field("a")], rows)
    cells = [sheet.cell(number, 1) for number in range(2, len(rows) + 2)]
    assert [unescape(one.value or "") for one in cells] == given_texts
    assert {one.data_type for one in cells if one.value is not None} <= {"s"}


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "{=1+1}", "+1", "-1", "@SUM(1)", "0301", "1e5", "TRUE", "http://example.org", "mailto:a@example.org"),
        *("internal:Deltakere!A1", "<r></r>", "<r><t>x</t></r>", "<r> & </r>", "_x0041_", "a\tb\nc\rd", " a ", "&lt;"),
    ],
)
def test_text_that_looks_like_something_else(text: str) -> None:
    sheet = sheet_of([field("a")], [(text,)])
    assert (unescape(sheet["A2"].value), sheet["A2"].data_type) == (text, "s")
    assert sheet["A2"].hyperlink is None


@pytest.mark.parametrize("letter", ["a", "æ", "😀"])
def test_a_text_that_no_cell_can_hold_says_so(letter: str) -> None:
    units = len(letter.encode("utf-16-le")) // 2
    longest = letter * (CHARACTERS // units)
    assert fitting(longest) == longest
    cut = fitting(longest + letter)
    assert cut.startswith(letter * 10_000)
    assert cut.endswith("Hele teksten står i CSV-filen.]")
    assert CHARACTERS - 2 <= len(cut.encode("utf-16-le")) // 2 <= CHARACTERS
    assert sheet_of([field("a")], [(longest + letter,)])["A2"].value == cut


def test_more_rows_than_a_sheet_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(xlsx_file, "ROWS", 4)
    fields = [field("a")]
    assert sheet_of(fields, [("x",)] * 3).max_row == 4
    with pytest.raises(TooManyRows):
        sheet_of(fields, [("x",)] * 4)
    assert not list(tmp_path.iterdir())


def test_nothing_is_left_of_a_workbook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    fields = [field("a")]

    def broken() -> Iterator[list[Any]]:
        yield columns(fields, [("x",)], xlsx_file.cell)
        assert list(tmp_path.iterdir()), "it is made on disk"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        book(fields, broken())
    assert not list(tmp_path.iterdir())
    made = book(fields, iter([columns(fields, [("x",)], xlsx_file.cell)]))
    sent = pieces(made)
    assert next(sent).startswith(b"PK")
    assert not list(tmp_path.iterdir()), "the file that is sent has no name"
    sent.close()
    assert made.closed


# ---- Words ----


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(2026, 6, 30, 21, 59, tzinfo=UTC), "30.06.2026"),
        (datetime(2026, 6, 30, 22, 0, tzinfo=UTC), "01.07.2026"),  # summer time
        (datetime(2026, 12, 31, 22, 59, tzinfo=UTC), "31.12.2026"),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), "01.01.2027"),
        (None, ""),
    ],
)
def test_a_moment_is_shown_as_its_norwegian_day(moment: datetime | None, shown: str) -> None:
    assert moment_date(moment) == shown


def test_status_tells_who_deleted_and_when() -> None:
    row = SimpleNamespace(status=Status.CHANGED, deleted_at=None, deleted_by=None)
    assert (status_text(row), deletion_text(row)) == ("Endret", "")
    row.deleted_at, row.deleted_by = datetime(2026, 1, 1, 23, 30, tzinfo=UTC), "kari.oslo"
    assert status_text(row) == "Endret. Slettet 02.01.2026 av kari.oslo"


def viewer(role: Role, *numbers: str) -> Viewer:
    places = tuple(Place(number, number) for number in numbers)
    return Viewer(user_id=1, username="u", name="U", roles=frozenset({role}), places=places)


VIEWERS = [
    (viewer(Role.CASEWORKER, OSLO), True),
    (viewer(Role.CASEWORKER, "4601", OSLO), True),
    (viewer(Role.CASEWORKER, "4601", "4627"), False),
    (viewer(Role.IMDI_READER), True),
    (viewer(Role.IMDI_ADMIN), True),
]


@pytest.mark.parametrize(("who", "sees_districts"), VIEWERS)
def test_columns_of_the_overview(who: Viewer, sees_districts: bool) -> None:
    wanted = [one.label for one in LIST_COLUMNS if one.key != "district" or sees_districts]
    fields = overview_fields(who)
    assert [one.label for one in fields] == wanted
    assert [one.label for one in fields if one.keeps_zeros] == ["Fødselsnummer"]


@pytest.mark.parametrize(("who", "sees_districts"), VIEWERS)
def test_columns_of_the_full_data_set(who: Viewer, sees_districts: bool) -> None:
    fields = full_fields(who)
    labels = [one.label for one in fields]
    assert len(labels) == len(set(labels)), "a heading that stands twice cannot be told apart in a spreadsheet"
    questions = {question.label for question in FIELDS.values()}
    assert questions - set(labels) == (set() if sees_districts else {"Bydel"})
    beside = {"Fødselsnummer", "Navn", "PersonId", "Kommune", "Kommunenummer", "Status", "Sist endret av"}
    beside |= {"Ankomstår", "Fødeland", "Sivilstand", "Prøveresultater"}
    assert beside <= set(labels)
    assert [one.label for one in fields if one.keeps_zeros] == ["Fødselsnummer", "Kommunenummer"]
