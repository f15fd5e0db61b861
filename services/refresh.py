"""What the registers say is looked up anew: for registrations that wait, daily for running participants, and when
one is opened whose data are a day old.

A refresh changes neither status nor «Sist endret» nor «Sist endret av»; the history tells what it has changed. Source:
section 7 of the domain.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from services import beginnings
from services.accounts import viewer_of
from services.audit import Action, note
from services.db import end_reading, now, session, writing
from services.folding import name_words
from services.folkeregisteret import PersonRecord
from services.history import note_changes
from services.models import Participation, Person, Status
from services.pad import TestResult
from services.register_errors import NotFound, RegisterError, WrongNumber
from services.registers import Registers, fetch_for, look_up
from services.registration import name_key, update_person, update_results

logger = logging.getLogger(__name__)

OLD = timedelta(hours=24)  # then it is read anew
HOLDS_FOR = timedelta(hours=72)  # so long a grade of protection holds in an outage
NOT_AGAIN_FOR = timedelta(minutes=10)  # a register that did not answer is not asked again about the same person
BATCH = 200
# What of a person is told in the history when it changes, from which register.
_FACTS = ("name", "national_id", "birth_date", "sex", "arrival_year", "birth_country", "marital_status", "protection")


@dataclass(frozen=True)
class Done:
    """What a refresh has done: registrations that had waited and are answered, persons read, persons that could not
    be."""

    answered: int
    read: int
    failed: int


def refresh_all(registers: Registers) -> Done:
    """Look up all that wait, then the persons of running participations whose data are a day old, the oldest first.

    Stops asking about persons when a whole batch has failed: the register is down.
    """
    answered = _answer_waiting(registers)
    read = failed = 0
    while people := _due(BATCH):
        outcomes = [refresh_person(person, registers) for person in people]
        read, failed = read + sum(outcomes), failed + outcomes.count(False)
        if not any(outcomes):
            break
    return Done(answered, read, failed)


def _answer_waiting(registers: Registers) -> int:
    answered = 0
    for identity, user_id, number in beginnings.waiting():
        viewer = viewer_of(user_id)
        if viewer is None:  # blocked meanwhile
            continue
        found = look_up(number, viewer=viewer, registers=registers, waited=True)
        beginnings.answered(identity, number, found)
        answered += not found.may_retry
    return answered


def _due(most: int) -> list[int]:
    """Persons to read anew: running participants whose data are a day old and who were not just asked about."""
    runs = select(Participation.person_ref).where(
        Participation.deleted_at.is_(None), Participation.status != Status.DISCHARGED
    )
    rows = session().scalars(
        select(Person.id).where(Person.id.in_(runs), *_is_due()).order_by(Person.freg_fetched_at).limit(most)
    )
    return list(rows)


def _is_due() -> tuple[Any, ...]:
    moment = now()
    return (
        Person.freg_fetched_at < moment - OLD,
        or_(Person.refresh_tried_at.is_(None), Person.refresh_tried_at < moment - NOT_AGAIN_FOR),
    )


def refresh_if_old(person: Person, registers: Registers) -> bool:
    """Read a person anew if her data are a day old, when somebody opens her; gives whether anything was done.

    A register that does not answer stops nobody.
    """
    moment = now()
    tried = person.refresh_tried_at
    if person.freg_fetched_at > moment - OLD or (tried and tried > moment - NOT_AGAIN_FOR):
        return False
    refresh_person(person.id, registers)
    return True


def refresh_person(person_ref: int, registers: Registers) -> bool:
    """Read one person anew; `False` if Folkeregisteret did not tell. No transaction is open during the calls."""
    number = session().scalar(select(Person.national_id).where(Person.id == person_ref))
    if number is None:
        return False
    end_reading()
    try:
        record = registers.folkeregisteret.look_up(number)
    except RegisterError as error:
        logger.warning("A refresh gave nobody: %s", error)
        _failed(person_ref, is_outage=not isinstance(error, NotFound | WrongNumber))
        return False
    results = fetch_for(record.national_id, registers)
    with writing() as work:
        _take_over(work, person_ref, record, results)
    return True


def _failed(person_ref: int, *, is_outage: bool) -> None:
    """Note that nothing was told. A grade of protection that is too old closes the participant."""
    outcome = "down" if is_outage else "not_found"
    with writing() as work:
        person = work.get_one(Person, person_ref, with_for_update=True)
        person.refresh_tried_at = now()
        if person.freg_fetched_at < now() - HOLDS_FOR:
            _set_protected(work, person_ref, closed=True)
        note(Action.LOOK_UP, user_id=None, detail={"purpose": "refresh", "outcome": outcome})


def _set_protected(work: Session, person_ref: int, *, closed: bool) -> None:
    """Close all her participations to those without the right to protected addresses, or open them."""
    differs = (Participation.person_ref == person_ref, Participation.protected != closed)
    work.execute(update(Participation).where(*differs).values(protected=closed))


def _take_over(work: Session, person_ref: int, record: PersonRecord, results: list[TestResult] | None) -> None:
    moment = now()
    person = work.get_one(Person, person_ref, with_for_update=True)
    before = {fact: getattr(person, fact) for fact in (*_FACTS, "test_results")}
    update_person(person, record, moment)
    if not record.full_name:  # an ended record may lack it; what was read earlier stays
        person.name = before["name"]
    if record.national_id != person.national_id:
        _follow(work, person, record.national_id)
    if results is not None:
        update_results(person, results, moment)
    person.refresh_tried_at = moment
    work.flush()
    _copy(work, person, {fact: (before[fact], getattr(person, fact)) for fact in before})
    note(Action.LOOK_UP, user_id=None, detail={"purpose": "refresh", "outcome": "found"})


def _follow(work: Session, person: Person, number: str) -> None:
    """Let the person bear her new number, unless the register holds somebody with it already: then both stay, and it
    is for IMDi to say which participations belong together."""
    if work.scalar(select(Person.id).where(Person.national_id == number)) is None:
        person.national_id = number
    else:
        logger.error("Persons %s and the bearer of her new number are one; nothing is merged", person.id)


def _copy(work: Session, person: Person, facts: dict[str, tuple[Any, Any]]) -> None:
    """Bring what the list shows of her up to date, and tell the history of her running participations."""
    changes = {fact: pair for fact, pair in facts.items() if pair[0] != pair[1]}
    for participation in work.scalars(select(Participation).where(Participation.person_ref == person.id)):
        participation.national_id = person.national_id
        participation.protected = person.protection is not None
        if participation.status == Status.DISCHARGED:
            continue
        participation.name, participation.name_key = person.name, name_key(person.name)
        participation.name_words = name_words(person.name)
        for source, wanted in (("folkeregisteret", _FACTS), ("pad", ("test_results",))):
            told = [(fact, *_as_json(changes[fact])) for fact in wanted if fact in changes]
            if told:
                note_changes(participation, source, told, source=source)
    work.flush()


def _as_json(pair: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(value.isoformat() if hasattr(value, "isoformat") else value for value in pair)
