"""Reading the data of a download: by plain SQL, in order, some hundred rows at a time, column by column.

A million rows times seventy columns leave no time for objects. So values are read in the driver's cheapest form (a day
as text, a list as its JSON, a moment by its hour), and cells are cached by value while there are few different ones.
Only the columns' declaration decides on formatting.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from itertools import chain
from typing import Any, TypeAlias

from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    Connection,
    Date,
    Integer,
    Row,
    Select,
    Text,
    any_,
    bindparam,
    cast,
    func,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.types import NullType

from services.core.db import UtcDateTime, session
from services.core.i18n import gettext as _
from services.export.columns import ROW_QUESTIONS, ExportColumn, RowFields
from services.listing.columns import Source, plain
from services.questions.fields import BETWEEN, TextField
from services.questions.fields import Field as Question
from services.questions.row_fields import RowsField
from services.tables.participants import Participation, Person

FIRST, LATER, PART = 50, 256, 64  # rows read at first, and later; rows processed at a time
_REMEMBERED = 8192  # different values of a column; the cache has a limit, so that memory does not grow
_P = Participation

Make: TypeAlias = Callable[..., Any]  # makes a cell from the values of a column's sources
Cells: TypeAlias = Iterable[Any]


class Memo(dict[Any, Any]):
    """A cache of cells by value."""

    def __init__(self, make: Make) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: Any) -> Any:
        if len(self) >= _REMEMBERED:
            self.clear()
        made = self[value] = self._make(value)
        return made


# ---- Values as read ----


def _hour_of_text(hour: str) -> datetime:
    return datetime.fromisoformat(f"{hour}:00+00:00")


def _hour_of_number(hours: int) -> datetime:
    return datetime.fromtimestamp(hours * 3600, UTC)


@dataclass(frozen=True)
class _Raw:
    """A cheap way to read a column, and to convert the result to its value."""

    source: ColumnElement[Any]
    value: Callable[[Any], Any] | None = None


def _raw(source: Source, *, on_postgresql: bool) -> _Raw:
    as_it_comes = type_coerce(source, NullType())
    match source.type:
        case UtcDateTime() if on_postgresql:  # days in Norway begin at whole hours of UTC
            return _Raw(cast(func.floor(func.date_part("epoch", source) / 3600), Integer), _hour_of_number)
        case UtcDateTime():
            return _Raw(func.substr(as_it_comes, 1, 13), _hour_of_text)
        case JSON():
            return _Raw(cast(source, Text) if on_postgresql else as_it_comes, json.loads)
        case Date():
            return _Raw(as_it_comes, None if on_postgresql else date.fromisoformat)
        case _:
            return _Raw(as_it_comes)


def _with_values(make: Make, raws: Sequence[_Raw]) -> Callable[[Any], Any]:
    """A function that converts values as read, of one source or a tuple of several, and calls `make`."""
    to_values = [raw.value or (lambda read: read) for raw in raws]
    if len(to_values) > 1:
        pairs = list(enumerate(to_values))
        return lambda read: make(*(None if read[i] is None else to_value(read[i]) for i, to_value in pairs))
    if raws[0].value is None:
        return make
    (to_value,) = to_values
    return lambda read: make(None if read is None else to_value(read))


def _alike(field: ExportColumn) -> tuple[Any, ...]:
    """The key of columns that can share cells: fields of one kind with the same options have the same texts."""
    question = getattr(field.text, "__self__", None)
    says = (type(question), getattr(question, "options", None)) if isinstance(question, Question) else (field.text,)
    kinds = tuple(type(source.type) for source in field.sources)
    return (*says, field.value, field.number_format, field.keeps_zeros, kinds)


# ---- Batches ----


class _Reading:
    """The columns of one download, and making cells from the values read."""

    def __init__(
        self,
        connection: Connection,
        fields: Sequence[ExportColumn],
        cell: Callable[[ExportColumn], Make],
        also: Sequence[Source] = (),
    ) -> None:
        self._connection = connection
        self._on_postgresql = connection.dialect.name == "postgresql"
        self._fields = fields
        self._sources = list(dict.fromkeys([*(source for field in fields for source in field.sources), *also]))
        self._places = {source: place for place, source in enumerate(self._sources)}
        self._raws = [self._raw(source) for source in self._sources]
        self._memos: dict[Any, Memo] = {}
        self._columns = [self._column(field, self._make(field, cell)) for field in fields]
        self._rows = {
            question.key: _Rows(connection, question)
            for question in (field.rows for field in fields)
            if question is not None
        }

    def _raw(self, source: Source) -> _Raw:
        return _raw(source, on_postgresql=self._on_postgresql)

    def query(self, where: ColumnElement[bool], order_by: Sequence[ColumnElement[Any]]) -> Select[*tuple[Any, ...]]:
        """The statement for the columns' sources, from participations and, if needed, persons."""
        found = select(*(raw.source for raw in self._raws)).select_from(_P).where(where).order_by(*order_by)
        if any(source.class_ is Person for source in self._sources):
            found = found.join(Person, Person.id == _P.person_ref)
        return found

    def _make(self, field: ExportColumn, cell: Callable[[ExportColumn], Make]) -> Make:
        """The function from values as read to cells, cached if useful."""
        if field.rows:
            return cell(replace(field, text=plain))  # the rows are already formatted
        make = _with_values(cell(field), [self._raw(source) for source in field.sources])
        if field.differs:
            return make
        return self._memos.setdefault(_alike(field), Memo(make)).__getitem__

    def cells(self, rows: Sequence[Row[Any]]) -> Iterator[list[Cells]]:
        """The cells of all columns, for a part of the rows at a time."""
        ids = self.ids(rows) if self._rows else []
        said = {key: reader.said(ids) for key, reader in self._rows.items()}
        for start in range(0, len(rows), PART):
            read = list(zip(*rows[start : start + PART], strict=True))
            yield [column(read, said) for column in self._columns]

    def ids(self, rows: Sequence[Row[Any]]) -> list[int]:
        """The ids of the participations, if their column is among the sources."""
        return [row[self._places[_P.id]] for row in rows]

    def _column(self, field: ExportColumn, make: Make) -> Callable[[list[Any], dict[str, Mapping[int, str]]], Cells]:
        first, *others = [self._places[source] for source in field.sources]
        if field.rows:
            key = field.rows.key
            return lambda read, said: _each(make, map(said[key].get, read[first]))
        if others:
            places = (first, *others)
            return lambda read, said: map(make, zip(*(read[place] for place in places), strict=True))
        if field.differs:
            return lambda read, said: _each(make, read[first])
        return lambda read, said: map(make, read[first])


def _is_given(column: Source, *, on_postgresql: bool) -> ColumnElement[bool]:
    """The condition for the ids in the parameter `ids`: one array, since hundreds of parameters cost more than their
    rows."""
    if on_postgresql:
        return column == any_(bindparam("ids", type_=ARRAY(Integer)))
    return column.in_(select(func.json_each(bindparam("ids")).table_valued("value").c.value))


class _Rows:
    """Reads the rows of a form field with rows."""

    def __init__(self, connection: Connection, question: RowsField) -> None:
        self._connection, self._question = connection, question
        self._on_postgresql = on_postgresql = connection.dialect.name == "postgresql"
        model = _P.__mapper__.relationships[question.key].mapper.class_
        self.raws = [_raw(getattr(model, inner.key), on_postgresql=on_postgresql) for inner in question.fields]
        self._query = (
            select(model.participation_ref, *(raw.source for raw in self.raws))
            .where(_is_given(model.participation_ref, on_postgresql=on_postgresql))
            .order_by(model.participation_ref, model.position)
        )
        self._says = [_saying(inner, raw) for inner, raw in zip(question.fields, self.raws, strict=True)]

    def read(self, ids: list[int]) -> list[tuple[Any, ...]]:
        """The rows of the participations, column by column: their ids, then the answers; empty if there are none."""
        given = {"ids": ids if self._on_postgresql else json.dumps(ids)}
        return list(zip(*self._connection.execute(self._query, given).all(), strict=True))

    def said(self, ids: list[int]) -> Mapping[int, str]:
        """The formatted rows of each participation."""
        texts: defaultdict[int, list[str]] = defaultdict(list)
        if columns := self.read(ids):
            refs, *answers = columns
            words = (say(column) for say, column in zip(self._says, answers, strict=True))
            for ref, row in zip(refs, map(self._question.say, *words), strict=True):
                texts[ref].append(row)
        return {ref: BETWEEN.join(rows) for ref, rows in texts.items()}


def _saying(question: Question, raw: _Raw) -> Callable[[Cells], Cells]:
    say = _with_values(question.words, [raw])
    return partial(_each, say) if isinstance(question, TextField) else partial(map, Memo(say).__getitem__)


def _each(make: Make, values: Iterable[Any]) -> Cells:
    """`make` of each value, called once for None."""
    nothing = make(None)
    return [nothing if value is None else make(value) for value in values]


class _RowCells:
    """The cells of a form field with rows, in a file with a line for each row."""

    def __init__(
        self, connection: Connection, question: RowsField, fields: RowFields, cell: Callable[[ExportColumn], Make]
    ) -> None:
        self._rows = _Rows(connection, question)
        self._item = cell(fields.question)(_(question.item))
        places = {inner.key: place for place, inner in enumerate(question.fields)}
        self._makes = [
            self._made(cell, field, question.fields[places[key]], places[key]) if key in places else (None, cell(field))
            for key, field in fields.answers.items()
        ]

    def _made(
        self, cell: Callable[[ExportColumn], Make], field: ExportColumn, inner: Question, place: int
    ) -> tuple[int, Make]:
        make = _with_values(cell(replace(field, text=inner.text)), [self._rows.raws[place]])
        return place, make if field.differs else Memo(make).__getitem__

    def of(self, ids: list[int]) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """The participations' ids, each with the cells of one of its rows."""
        if columns := self._rows.read(ids):
            refs, *answers = columns
            nothing = (None,) * len(refs)
            cells = (map(make, nothing if place is None else answers[place]) for place, make in self._makes)
            yield from zip(refs, zip((self._item,) * len(refs), *cells, strict=True), strict=True)


def row_batches(
    fields: RowFields,
    where: ColumnElement[bool],
    order_by: Sequence[ColumnElement[Any]],
    cell: Callable[[ExportColumn], Make],
) -> Iterator[list[Cells]]:
    """The cells of all rows of the matching participations, in their order: batches of columns, as from `batches`."""
    with _connection() as connection:
        reading = _Reading(connection, fields.participant, cell, also=(_P.id,))
        questions = [_RowCells(connection, question, fields, cell) for question in ROW_QUESTIONS]
        for rows in _fetched(connection, reading.query(where, order_by)):
            ids, lines = reading.ids(rows), defaultdict(list)
            for question in questions:
                for ref, line in question.of(ids):
                    lines[ref].append(line)
            known = chain.from_iterable(zip(*columns, strict=True) for columns in reading.cells(rows))
            whole = [(*who, *line) for ref, who in zip(ids, known, strict=True) for line in lines[ref]]
            for start in range(0, len(whole), PART):
                yield list(zip(*whole[start : start + PART], strict=True))


def _fetched(connection: Connection, query: Select[*tuple[Any, ...]]) -> Generator[Sequence[Row[Any]], None, None]:
    """The rows of a statement in batches: small ones first, so that the download starts at once."""
    in_pieces = {"stream_results": True, "max_row_buffer": LATER}
    with closing(connection.execute(query, execution_options=in_pieces)) as result:
        size = FIRST
        while rows := result.fetchmany(size):
            yield rows
            size = LATER


def batches(
    fields: Sequence[ExportColumn],
    where: ColumnElement[bool],
    order_by: Sequence[ColumnElement[Any]],
    cell: Callable[[ExportColumn], Make],
) -> Iterator[list[Cells]]:
    """The cells of all participations that match `where`, in order, as batches of columns. `cell`: returns for a column
    the function that makes its cells.

    Uses a connection of its own: the request's is closed before the last row is sent.
    """
    with _connection() as connection:
        reading = _Reading(connection, fields, cell)
        for rows in _fetched(connection, reading.query(where, order_by)):
            yield from reading.cells(rows)


def _connection() -> Connection:
    """A connection that sees a snapshot from the beginning of the download."""
    connection = session().get_bind().engine.connect()
    if connection.dialect.name == "postgresql":  # SQLite's transactions do so anyway
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
    return connection


def is_longer_than(rows: int, where: ColumnElement[bool]) -> bool:
    """True if there are more matching participations than `rows`."""
    return session().scalar(select(_P.id).where(where).offset(rows).limit(1)) is not None


def has_more_rows_than(most: int, where: ColumnElement[bool]) -> bool:
    """True if the matching participations have more than `most` tiltak and permisjoner."""
    models = [_P.__mapper__.relationships[question.key].mapper.class_ for question in ROW_QUESTIONS]
    found = [select(model.id).join(_P, _P.id == model.participation_ref).where(where) for model in models]
    some = union_all(*found).limit(most + 1).subquery()
    return (session().scalar(select(func.count()).select_from(some)) or 0) > most
