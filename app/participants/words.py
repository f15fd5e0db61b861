"""The history in words."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.codes import country_name, marital_status_text
from services.export import result_text
from services.fields import date_text
from services.history import Changed
from services.i18n import N_
from services.i18n import gettext as _
from services.mending import DELETION_REASONS
from services.registration import json_text, results_from
from services.steps import FIELDS

# What happened to the participant as a whole.
_EVENTS = {
    "deleted": N_("Slettet"),
    "discharged": N_("Utskrevet"),
    "restored": N_("Gjenopprettet"),
    "reopened": N_("Gjenåpnet"),
}
# What registers tell of her.
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
    """What a line of the history is about."""
    if field in _EVENTS:
        return _("Deltakeren")
    return _(_FACTS[field]) if field in _FACTS else _(FIELDS[field].label)


def event_label(field: str) -> str:
    """The word for something that happened to the participant as a whole."""
    return _(_EVENTS[field])


def who(change: Changed) -> str:
    """The user, or the register, that a change comes from."""
    return _(_SOURCES[change.source]) if change.source in _SOURCES else change.username


def from_and_to(change: Changed) -> tuple[str, str]:
    """What stood there before, and what stands there then."""
    if change.field in _EVENTS:
        return "", _event(change)
    if change.field in _FACTS:
        return _fact(change.field, change.old), _fact(change.field, change.new)
    question = FIELDS[change.field]
    return json_text(question, change.old), json_text(question, change.new)


def _event(change: Changed) -> str:
    said = _(_EVENTS[change.field])
    told: Mapping[str, str] = change.new if isinstance(change.new, dict) else {}
    reasons = [_(_REASONS[told["reason"]]) if told.get("reason") else "", told.get("text", "")]
    because = ". ".join(reason for reason in reasons if reason)
    return f"{said}: {because}" if because else said


def _fact(field: str, value: Any) -> str:
    if value is None:
        return ""
    if field == "birth_date":
        return date_text(date.fromisoformat(value))
    if field == "test_results":
        return "; ".join(result_text(result) for result in results_from(value))
    words = {"birth_country": country_name, "marital_status": marital_status_text}
    return words[field](value) if field in words else str(value)
