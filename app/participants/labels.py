"""Labels and texts of the history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from services.access.protection_grade import GRADES
from services.core.code_lists import country_name, marital_status_text
from services.core.days import date_text
from services.core.i18n import N_
from services.core.i18n import gettext as _
from services.core.row_keys import key_of
from services.export import result_text
from services.participation.answers import json_text
from services.participation.corrections import DELETION_REASONS
from services.participation.history import CREATED, Changed
from services.participation.person_data import results_from
from services.participation.row_merge import row_changes
from services.questions.pages import FIELDS
from services.questions.row_fields import RowsField

if TYPE_CHECKING:
    from services.tables.participants import Participation

# Events of the whole participation.
_EVENTS = {
    CREATED: N_("Opprettet"),
    "deleted": N_("Slettet"),
    "discharged": N_("Utskrevet"),
    "restored": N_("Gjenopprettet"),
    "reopened": N_("Gjenåpnet"),
}
# Facts from registers.
_FACTS = {
    "name": N_("Navn"),
    "national_id": N_("Fødselsnummer"),
    "birth_date": N_("Fødselsdato"),
    "sex": N_("Kjønn"),
    "arrival_year": N_("Ankomstår"),
    "birth_country": N_("Fødeland"),
    "marital_status": N_("Sivilstand"),
    "protection": N_("Adressebeskyttelse"),
    "test_results": N_("Prøveresultater"),
}
_SOURCES = {"folkeregisteret": N_("Folkeregisteret"), "pad": N_("PAD")}
_REASONS = {option.code: option.label for option in DELETION_REASONS}


def field_label(field: str) -> str:
    """The label of a line of the history."""
    if field in _EVENTS:
        return _("Deltakeren")
    if field in _FACTS:
        return _(_FACTS[field])
    return _(FIELDS[field].label) if field in FIELDS else field  # the field may no longer exist


def event_label(field: str) -> str:
    """The label of an event of the whole participation."""
    return _(_EVENTS[field])


def who(change: Changed) -> str:
    """The user or the register that made a change."""
    return _(_SOURCES[change.source]) if change.source in _SOURCES else change.username


def from_and_to(change: Changed) -> tuple[list[str], list[str]]:
    """The values before and after a change; for test results one text for each, and for rows one for each changed
    row."""
    if change.field in _EVENTS:
        return [], [_event(change)]
    question = FIELDS.get(change.field)
    if isinstance(question, RowsField):
        done = row_changes(change.old, change.new)
        return _rows(question, change.old, done), _rows(question, change.new, done)
    return _value(change.field, change.old), _value(change.field, change.new)


def _rows(question: RowsField, rows: Any, done: set[str]) -> list[str]:
    """The changed rows, each with its number on the page."""
    numbered = enumerate(question.from_json(rows) or [], start=1)
    item = _(question.item)
    return [f"{item} {number}: {question.row_text(row)}" for number, row in numbered if key_of(row) in done]


def deletion_reason(participation: Participation) -> str:
    """The reason why a participant was deleted; '' if there was none."""
    code, text = participation.deleted_reason, participation.deleted_reason_text
    return _because(code or "", text or "")


def _event(change: Changed) -> str:
    said = _(_EVENTS[change.field])
    detail: Mapping[str, str] = change.new if isinstance(change.new, dict) else {}
    because = _because(detail.get("reason", ""), detail.get("text", ""))
    return f"{said}: {because}" if because else said


def _because(code: str, text: str) -> str:
    return ". ".join(reason for reason in (_(_REASONS[code]) if code else "", text) if reason)


def _value(field: str, value: Any) -> list[str]:
    if value is None:
        return []
    if field == "test_results":
        return [result_text(result) for result in results_from(value)]
    question = FIELDS.get(field)
    return [json_text(question, value) if question else _fact(field, value)]


def _fact(field: str, value: Any) -> str:
    if field == "birth_date":
        return date_text(date.fromisoformat(value))
    if field == "protection":
        return _(GRADES[value]).capitalize() if value in GRADES else str(value)
    words = {"birth_country": country_name, "marital_status": marital_status_text}
    return words[field](value) if field in words else str(value)
