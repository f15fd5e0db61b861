"""The downloads' format: what a spreadsheet must get, byte for byte (domain, section 4)."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.export import (
    COLUMN_LABELS,
    Field,
    cell,
    csv_lines,
    deletion_text,
    full_fields,
    moment_date,
    overview_fields,
    status_text,
)
from services.listing import Column
from services.models import Status
from services.steps import FIELDS
from services.viewer import OSLO, Place, Role, Viewer

PIECE = 70_000  # bytes; more is never held back

# Text that can be stored: everything but NUL and lone surrogates.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
risky = st.sampled_from("=+-@\t\r'\";\n ").flatmap(lambda first: texts.map(lambda rest: first + rest))


def field(label: str, key: str | None = None, *, keeps_zeros: bool = False) -> Field:
    """A column that shows what stands under its label."""
    return Field(label, lambda row: row[key or label], keeps_zeros=keeps_zeros)


def file_of(fields: list[Field], rows: list[dict[str, str]]) -> bytes:
    return b"".join(csv_lines(fields, rows))


def read(content: bytes) -> list[list[str]]:
    """As a spreadsheet reads it."""
    text = content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True))


@given(texts | risky)
def test_what_would_be_a_formula_gets_an_apostrophe(text: str) -> None:
    written = cell(field("a"), {"a": text})
    assert written == (f"'{text}" if re.match(r"[=+\-@\t\r]", text) else text)
    assert not re.match(r"[=+\-@\t\r]", written)


@pytest.mark.parametrize("text", ["=1+1", "+47 123", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"])
def test_known_attacks_are_text(text: str) -> None:
    assert read(file_of([field("a")], [{"a": text}]))[1] == [f"'{text}"]


@given(st.from_regex(r"[0-9]{4,11}", fullmatch=True))
def test_numbers_keep_their_zeros_by_a_tab(number: str) -> None:
    fields = [field("a", keeps_zeros=True)]
    assert file_of(fields, [{"a": number}]) == b'\xef\xbb\xbf"a"\r\n"\t' + number.encode() + b'"\r\n'
    assert file_of(fields, [{"a": ""}]) == b'\xef\xbb\xbf"a"\r\n""\r\n'


@given(st.lists(st.fixed_dictionaries({"a": texts | risky, "b": texts}), max_size=5))
def test_the_file_byte_for_byte(rows: list[dict[str, str]]) -> None:
    fields = [field('Å; "a"', "a"), field("b", keeps_zeros=True)]
    lines = [['Å; "a"', "b"], *([cell(one, row) for one in fields] for row in rows)]
    quoted = [";".join('"' + text.replace('"', '""') + '"' for text in line) for line in lines]
    content = file_of(fields, rows)
    assert content == b"\xef\xbb\xbf" + "".join(f"{line}\r\n" for line in quoted).encode()
    assert read(content) == lines


def test_it_is_made_while_it_is_sent() -> None:
    taken = 0

    def rows() -> Iterator[dict[str, str]]:
        nonlocal taken
        for number in range(20_000):
            taken += 1
            yield {"a": f"rad {number}", "b": "æøå " * 5}

    pieces = csv_lines([field("a"), field("b")], rows())
    first = next(pieces)
    assert first.startswith(b'\xef\xbb\xbf"a";"b"\r\n')
    assert taken < 2_000, "the rest is read when it is asked for"
    sizes = [len(first), *map(len, pieces)]
    assert len(sizes) > 20
    assert max(sizes) < PIECE
    assert taken == 20_000


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
    wanted = [COLUMN_LABELS[one] for one in Column if one is not Column.DISTRICT or sees_districts]
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
