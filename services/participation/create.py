"""Creating a participation from page 1."""

import secrets
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.access.audit import Action, note
from services.access.viewer import Viewer
from services.core.db import hold, now, session, writing
from services.core.name_folding import name_words
from services.core.status import Status
from services.participation.answers import count_missing, set_answers
from services.participation.earlier_numbers import keep_earlier
from services.participation.find import NotAllowed
from services.participation.history import note_changes
from services.participation.page import Page
from services.participation.person_data import name_key, update_person, update_results
from services.questions.pages import PERSON
from services.registers.folkeregisteret import PersonRecord
from services.registers.pad import TestResult
from services.tables.participants import Beginning, Municipality, Participation, Person


class AlreadyRunning(Exception):
    """The person is already in a programme, here or elsewhere."""


def new_creation_key() -> str:
    """A random key for a form, so that a form that is sent twice acts once."""
    return secrets.token_hex(16)


def created_with(viewer: Viewer, creation_key: str) -> str | None:
    """The public id of the participation that this user has created with that key, if any."""
    return session().scalar(
        select(Participation.public_id).where(
            Participation.creation_key == creation_key,
            Participation.created_by == viewer.username,
            Participation.deleted_at.is_(None),
        )
    )


def create(
    viewer: Viewer,
    *,
    person: PersonRecord,
    results: list[TestResult] | None,
    municipality_number: str,
    page: Page,
    creation_key: str,
    begun_as: str | None = None,
) -> str:
    """Create a participation from page 1; returns its public id.

    `results`: PAD's, or `None` if they could not be fetched; `begun_as`: the key of the unfinished registration, which
    is then deleted. A second call with the same key returns the same id. Raises `AlreadyRunning`.
    """
    if not viewer.registers_in(municipality_number) or not page.is_complete:
        raise NotAllowed(municipality_number)
    if person.protection and not viewer.sees_protected_in(municipality_number):
        raise NotAllowed(municipality_number)
    try:
        with writing() as work:
            public_id = _insert(work, viewer, person, results, municipality_number, page, creation_key)
            mine = (Beginning.creation_key == begun_as, Beginning.user_id == viewer.user_id)
            work.execute(delete(Beginning).where(*mine))
    except IntegrityError as error:
        if first := created_with(viewer, creation_key):
            return first
        raise AlreadyRunning from error
    return public_id


def _insert(
    work: Session,
    viewer: Viewer,
    record: PersonRecord,
    results: list[TestResult] | None,
    municipality_number: str,
    page: Page,
    creation_key: str,
) -> str:
    moment = now()
    person = _stored_person(work, record, results, moment)
    municipality = work.get_one(Municipality, municipality_number)
    participation = Participation(
        public_id=secrets.token_urlsafe(12),
        person_ref=person.id,
        creation_key=creation_key,
        person_id=person.person_id,
        national_id=person.national_id,
        name=person.name,
        name_key=name_key(person.name),
        name_words=name_words(person.name),
        protected=person.protection is not None,
        municipality_number=municipality.number,
        municipality_key=municipality.name_key,
        status=Status.CREATED,
        version=1,
        created_at=moment,
        created_by=viewer.username,
        changed_at=moment,
        changed_by=viewer.username,
        person=person,
    )
    set_answers(participation, page.page_values())
    count_missing(participation)
    work.add(participation)
    work.flush()
    given = [(question, page.answers.get(question.key)) for question in PERSON.fields]
    changes = [(question.key, None, question.to_json(value)) for question, value in given if value is not None]
    note_changes(participation, viewer.username, changes)
    note(Action.CREATE, user_id=viewer.user_id, participation=participation.id)
    return participation.public_id


def _stored_person(work: Session, record: PersonRecord, results: list[TestResult] | None, moment: datetime) -> Person:
    """The person as the registers describe the person now, stored, with earlier numbers; all participations of the
    person follow the protection."""
    hold(work, record.national_id, *record.earlier_ids)
    person = _known_person(work, record)
    if person is None:
        person = Person(person_id=_new_person_id(work))
        work.add(person)
    earlier = (*record.earlier_ids, *([person.national_id] if person.national_id else ()))
    person.national_id = record.national_id
    update_person(person, record, moment)
    if results is not None:
        update_results(person, results, moment)
    work.flush()
    keep_earlier(work, person, *earlier)
    protected = person.protection is not None
    work.execute(update(Participation).where(Participation.person_ref == person.id).values(protected=protected))
    return person


def _known_person(work: Session, record: PersonRecord) -> Person | None:
    """The stored person with this record's number or an earlier one."""
    numbers = (record.national_id, *record.earlier_ids)
    found = work.scalars(select(Person).where(Person.national_id.in_(numbers)).with_for_update())
    return max(found, key=lambda person: person.national_id == record.national_id, default=None)


def _new_person_id(work: Session) -> str:
    """A random unused PersonId: eight digits that begin with 9, which no fødselsnummer does."""
    while True:
        candidate = f"9{secrets.randbelow(10**7):07d}"
        if work.scalar(select(Person.id).where(Person.person_id == candidate)) is None:
            return candidate
