"""The columns of the downloads.

A column is declared by its database columns and by the formatting of their values; form fields format their own
(`services.questions.pages`). Reading and file formats are in other modules.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import InstrumentedAttribute

from services.access.viewer import Viewer
from services.core.code_lists import country_name, marital_status_text, municipality_name
from services.core.days import date_text, moment_date, norwegian_day
from services.core.i18n import N_
from services.core.status import said_status
from services.export.words import said_results
from services.listing.columns import LIST_COLUMNS, Kind, ListColumn, Source, columns_for, plain
from services.participation.answers import COLUMN_NAMES
from services.questions.fields import DateField, HoursField, MonthField, NumberField, TextField, YearField
from services.questions.fields import Field as Question
from services.questions.pages import BACKGROUND, PERSON, PROGRAMME, TERMINATION, Step
from services.questions.row_fields import RowsField
from services.tables.participants import Participation, Person

_P = Participation
Say = Callable[..., str]

DAY_FORMAT, MONTH_FORMAT = "dd.mm.yyyy", "mm.yyyy"  # number formats of days and months in workbooks


def itself(value: Any) -> Any:
    """The value unchanged."""
    return value


@dataclass(frozen=True)
class ExportColumn:
    """One column of a download.

    `text` formats the values of the `sources`, in that order. `value`: gives the number or day for a workbook in place
    of the text, shown by `number_format`. `rows`: the field whose rows are in a table of their own; the source is then
    the participation's id. `keeps_zeros`: digits that a spreadsheet must take as text. `differs`: almost all values are
    different.
    """

    label: str
    sources: tuple[Source, ...]
    text: Say
    value: Callable[..., Any] | None = None
    number_format: str = ""
    rows: RowsField | None = None
    keeps_zeros: bool = False
    differs: bool = False


def _text(label: str, source: Source, say: Say = plain) -> ExportColumn:
    return ExportColumn(label, (source,), say)


def _digits(label: str, source: Source, *, differs: bool = False) -> ExportColumn:
    return ExportColumn(label, (source,), plain, keeps_zeros=True, differs=differs)


def _name(label: str) -> ExportColumn:
    return ExportColumn(label, (_P.name,), plain, differs=True)


def _day(label: str, source: Source) -> ExportColumn:
    return ExportColumn(label, (source,), date_text, itself, DAY_FORMAT)


def _moment(
    label: str, source: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]
) -> ExportColumn:
    return ExportColumn(label, (source,), moment_date, norwegian_day, DAY_FORMAT)


def _status(label: str) -> ExportColumn:
    return ExportColumn(label, (_P.status, _P.deleted_at, _P.deleted_by), said_status)


def year_text(year: int | None) -> str:
    """A year's digits, '' for None."""
    return str(year or "")


_TYPED: dict[Kind, dict[str, Any]] = {
    Kind.WORDS: {},
    Kind.DIGITS: {"keeps_zeros": True},
    Kind.DAY: {"value": itself, "number_format": DAY_FORMAT},
    Kind.MOMENT: {"value": norwegian_day, "number_format": DAY_FORMAT},
}


def _of_list(column: ListColumn) -> ExportColumn:
    return ExportColumn(column.label, column.sources, column.text, differs=column.differs, **_TYPED[column.kind])


_OVERVIEW = {column: _of_list(column) for column in LIST_COLUMNS}


def overview_fields(viewer: Viewer) -> list[ExportColumn]:
    """The columns of the list that the viewer sees."""
    return [_OVERVIEW[column] for column in columns_for(viewer)]


def _typed(question: Question) -> tuple[Callable[..., Any] | None, str]:
    """The `value` function and `number_format` of a form field."""
    if isinstance(question, DateField):
        return itself, MONTH_FORMAT if isinstance(question, MonthField) else DAY_FORMAT
    if isinstance(question, NumberField | YearField | HoursField):
        return itself, ""
    return None, ""


def _answer(question: Question) -> ExportColumn:
    if isinstance(question, RowsField):
        return ExportColumn(question.label, (_P.id,), question.text, rows=question, differs=True)
    source = getattr(_P, COLUMN_NAMES.get(question.key, question.key))
    value, number_format = _typed(question)
    differs = isinstance(question, TextField)
    return ExportColumn(question.label, (source,), question.text, value, number_format, differs=differs)


def _answers(step: Step, *, without: frozenset[str] = frozenset()) -> list[ExportColumn]:
    return [_answer(question) for question in step.fields if question.key not in without]


# The fields whose rows are lines of a file of their own.
ROW_QUESTIONS = tuple(question for question in PROGRAMME.fields if isinstance(question, RowsField))


@dataclass(frozen=True)
class RowFields:
    """The columns of the file with a line for each tiltak and permisjon: the participant's data, the field that the row
    belongs to, and the row's answers by key; a missing answer leaves the cell empty."""

    participant: tuple[ExportColumn, ...]
    question: ExportColumn
    answers: dict[str, ExportColumn]

    @property
    def all(self) -> list[ExportColumn]:
        """All columns, in order."""
        return [*self.participant, self.question, *self.answers.values()]


def row_fields(_viewer: Viewer) -> RowFields:
    """The columns of the file with a line for each tiltak and permisjon."""
    return RowFields(
        participant=(
            _digits(N_("Fødselsnummer"), _P.national_id, differs=True),
            ExportColumn(N_("PersonId"), (_P.person_id,), plain, differs=True),
            _text(N_("Kommune"), _P.municipality_number, municipality_name),
        ),
        question=ExportColumn(N_("Tiltak eller permisjon"), (), plain),
        answers={
            "kind": ExportColumn(N_("Type"), (), plain),
            "from_date": ExportColumn(N_("Fra dato"), (), date_text, itself, DAY_FORMAT),
            "to_date": ExportColumn(N_("Til dato"), (), date_text, itself, DAY_FORMAT),
            "hours": ExportColumn(N_("Timer per uke"), (), plain, itself),
            "comment": ExportColumn(N_("Kommentar"), (), plain, differs=True),
        },
    )


def full_fields(viewer: Viewer) -> list[ExportColumn]:
    """The columns of the full data set; the headings are the labels of the fields."""
    return [
        _digits(N_("Fødselsnummer"), _P.national_id, differs=True),
        _name(N_("Navn")),
        ExportColumn(N_("PersonId"), (_P.person_id,), plain, differs=True),
        _text(N_("Kommune"), _P.municipality_number, municipality_name),
        _digits(N_("Kommunenummer"), _P.municipality_number),
        *_answers(PERSON, without=frozenset() if viewer.sees_districts else frozenset({"district"})),
        _status(N_("Status")),
        _moment(N_("Opprettet"), _P.created_at),
        _text(N_("Opprettet av"), _P.created_by),
        _moment(N_("Sist endret"), _P.changed_at),
        _text(N_("Sist endret av"), _P.changed_by),
        ExportColumn(N_("Ankomstår"), (Person.arrival_year,), year_text, itself),
        _text(N_("Fødeland"), Person.birth_country, country_name),
        _text(N_("Sivilstand"), Person.marital_status, marital_status_text),
        ExportColumn(N_("Prøveresultater"), (Person.test_results,), said_results, differs=True),
        *_answers(BACKGROUND),
        *_answers(PROGRAMME),
        *_answers(TERMINATION),
        _moment(N_("Utskrevet"), _P.discharged_at),
        _text(N_("Utskrevet av"), _P.discharged_by),
    ]
