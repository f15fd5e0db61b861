"""Updating registered persons from the registers, and recording the changes in the history.

The status, «Sist endret» and «Sist endret av» do not change, nor the name, number and dates of discharged participants.
Values that a register no longer gives stay, with the day they were read.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.core.db import now
from services.core.name_folding import name_words
from services.core.status import Status
from services.participation.earlier_numbers import keep_earlier
from services.participation.history import note_changes
from services.participation.person_data import name_key, update_person, update_results
from services.registers.folkeregisteret import PersonRecord
from services.registers.pad import TestResult
from services.tables.participants import Participation, Person

# The facts in the history, by register.
_FACTS = {
    "folkeregisteret": (
        "name",
        "national_id",
        "birth_date",
        "sex",
        "arrival_year",
        "birth_country",
        "marital_status",
        "protection",
    ),
    "pad": ("test_results",),
}


def take_over(
    work: Session, person: Person, record: PersonRecord | None, results: list[TestResult] | None
) -> int | None:
    """Update a locked person from a record and test results, each unless it is `None`, within the caller's transaction.

    Returns the id of another person who already has the new number: they are the same human. Both then stay unchanged,
    since only IMDi can decide which participations belong together.
    """
    before = _facts(person)
    same = _take_over_record(work, person, record) if record else None
    if results is not None:
        update_results(person, results, now())
    work.flush()
    _update_participations(work, person, before, _facts(person))
    return same


def _facts(person: Person) -> dict[str, Any]:
    return {fact: getattr(person, fact) for facts in _FACTS.values() for fact in facts}


def _take_over_record(work: Session, person: Person, record: PersonRecord) -> int | None:
    if record.full_name:
        update_person(person, record, now())
    else:  # an ended record lacks most values
        person.protection = record.protection or person.protection
        person.freg_fetched_at = now()
    if record.national_id == person.national_id:
        keep_earlier(work, person, *record.earlier_ids)
        return None
    other = work.scalar(select(Person.id).where(Person.national_id == record.national_id))
    if other is None:
        earlier, person.national_id = person.national_id, record.national_id
        keep_earlier(work, person, earlier, *record.earlier_ids)
    return other


def _update_participations(work: Session, person: Person, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Update the person's columns in the list, and add the changes to the history of running participations."""
    changed = [fact for fact in after if after[fact] != before[fact]]
    participations = select(Participation).where(Participation.person_ref == person.id).order_by(Participation.id)
    for participation in work.scalars(participations.with_for_update()):
        participation.protected = person.protection is not None
        if participation.status == Status.DISCHARGED:
            continue
        participation.national_id, participation.name = person.national_id, person.name
        participation.name_key, participation.name_words = name_key(person.name), name_words(person.name)
        if participation.deleted_at is not None:
            continue
        for source, facts in _FACTS.items():
            source_changes = [(fact, _json(before[fact]), _json(after[fact])) for fact in facts if fact in changed]
            if source_changes:
                note_changes(participation, source, source_changes, source=source)
    work.flush()


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
