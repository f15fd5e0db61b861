"""Downloads: the participant list as on screen, and the full data set, as CSV for a spreadsheet.

Section 4 of the domain: UTF-8 with BOM, semicolons, CRLF, every field quoted, dates dd.mm.åååå;
fødselsnummer and kommunenummer keep their zeros by a tab, text that a spreadsheet would take for a
formula is disarmed by an apostrophe (quoting stops neither, OWASP «CSV Injection»).
"""

import csv
import io
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.codes import country_name, district_name, marital_status_text, municipality_name
from services.fields import date_text
from services.i18n import N_
from services.i18n import gettext as _
from services.listing import Column, columns_for
from services.models import Participation, Status
from services.pad import TestResult
from services.participants import STATUS_LABELS
from services.registration import OSLO_TIME, results_of, values_of
from services.steps import BACKGROUND, PERSON, PROGRAMME, TERMINATION, Step
from services.viewer import Viewer

COLUMN_LABELS = {
    Column.NATIONAL_ID: N_("Fødselsnummer"),
    Column.NAME: N_("Navn"),
    Column.MUNICIPALITY: N_("Kommune"),
    Column.DISTRICT: N_("Bydel"),
    Column.START: N_("Oppstart"),
    Column.END: N_("Avslutning"),
    Column.STATUS: N_("Status"),
    Column.CHANGED: N_("Sist endret"),
    Column.CHANGED_BY: N_("Sist endret av"),
}


def moment_date(moment: datetime | None) -> str:
    """The Norwegian day of a moment as dd.mm.åååå; '' for none."""
    return date_text(moment.astimezone(OSLO_TIME).date()) if moment else ""


def deletion_text(row: Any) -> str:
    """«Slettet 23.11.2026 av kari.oslo», or ''. `row` is a participation or a row of the list."""
    if row.deleted_at is None:
        return ""
    return _("Slettet %(day)s av %(who)s") % {"day": moment_date(row.deleted_at), "who": row.deleted_by}


def status_word(row: Any) -> str:
    """The word for a status."""
    return _(STATUS_LABELS[Status(row.status)])


def status_text(row: Any) -> str:
    """The word for a status, and that she is deleted if so."""
    word = status_word(row)
    deleted = deletion_text(row)
    return f"{word}. {deleted}" if deleted else word


CELLS: dict[Column, Callable[[Any], str]] = {
    Column.NATIONAL_ID: lambda row: row.national_id,
    Column.NAME: lambda row: row.name,
    Column.MUNICIPALITY: lambda row: municipality_name(row.municipality_number),
    Column.DISTRICT: lambda row: district_name(row.district_number),
    Column.START: lambda row: date_text(row.start_date),
    Column.END: lambda row: date_text(row.end_date),
    Column.STATUS: status_text,
    Column.CHANGED: lambda row: moment_date(row.changed_at),
    Column.CHANGED_BY: lambda row: row.changed_by,
}


@dataclass(frozen=True)
class Field:
    """One column of a download. `keeps_zeros`: digits that a spreadsheet must take as text."""

    label: str
    text: Callable[[Any], str]
    keeps_zeros: bool = False


def overview_fields(viewer: Viewer) -> list[Field]:
    """The columns of the list as the viewer sees it."""
    return [
        Field(COLUMN_LABELS[column], CELLS[column], keeps_zeros=column is Column.NATIONAL_ID)
        for column in columns_for(viewer)
    ]


def result_text(result: TestResult) -> str:
    """One test result in words."""
    name = f"{result.test} {result.part}" if result.part else result.test
    return f"{name}: {result.result} ({date_text(result.date)})"


@dataclass
class _Filled:
    """A participation with its answers worked out once for all columns."""

    participation: Participation
    values: dict[str, Any]


def _answers(step: Step) -> list[Field]:
    return [
        Field(question.label, lambda row, q=question: q.text(row.values[q.key]))  # type: ignore[misc]
        for question in step.fields
    ]


def full_fields(viewer: Viewer) -> list[Field]:
    """All that is registered of a participant; the headings are the labels of the questions."""

    def of(text: Callable[[Participation], str]) -> Callable[[_Filled], str]:
        return lambda row: text(row.participation)

    page_1 = [f for f in _answers(PERSON) if viewer.sees_districts or f.label != N_("Bydel")]
    return [
        Field(N_("Fødselsnummer"), of(lambda p: p.national_id), keeps_zeros=True),
        Field(N_("Navn"), of(lambda p: p.name)),
        Field(N_("PersonId"), of(lambda p: p.person_id)),
        Field(N_("Kommune"), of(lambda p: municipality_name(p.municipality_number))),
        Field(N_("Kommunenummer"), of(lambda p: p.municipality_number), keeps_zeros=True),
        *page_1,
        Field(N_("Status"), of(status_text)),
        Field(N_("Opprettet"), of(lambda p: moment_date(p.created_at))),
        Field(N_("Opprettet av"), of(lambda p: p.created_by)),
        Field(N_("Sist endret"), of(lambda p: moment_date(p.changed_at))),
        Field(N_("Sist endret av"), of(lambda p: p.changed_by)),
        Field(N_("Ankomstår"), of(lambda p: str(p.person.arrival_year or ""))),
        Field(N_("Fødeland"), of(lambda p: country_name(p.person.birth_country))),
        Field(N_("Sivilstand"), of(lambda p: marital_status_text(p.person.marital_status))),
        Field(N_("Prøveresultater"), of(lambda p: " | ".join(result_text(r) for r in results_of(p.person)))),
        *_answers(BACKGROUND),
        *_answers(PROGRAMME),
        *_answers(TERMINATION),
        Field(N_("Utskrevet"), of(lambda p: moment_date(p.discharged_at))),
        Field(N_("Utskrevet av"), of(lambda p: p.discharged_by or "")),
    ]


def filled(participations: Iterable[Participation]) -> Iterator[_Filled]:
    """Rows for the columns of the full data set."""
    return (_Filled(participation, values_of(participation)) for participation in participations)


def cell(field: Field, row: Any) -> str:
    """The text of a cell as it stands inside the quotes."""
    text = field.text(row)
    if field.keeps_zeros:
        return f"\t{text}" if text else ""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def csv_lines(fields: list[Field], rows: Iterable[Any]) -> Generator[bytes, None, None]:
    """The file in pieces of some kilobytes, so that it can be sent while it is made."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    buffer.write("\ufeff")
    writer.writerow([_(field.label) for field in fields])
    for row in rows:
        writer.writerow([cell(field, row) for field in fields])
        if buffer.tell() > 32_000:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()
