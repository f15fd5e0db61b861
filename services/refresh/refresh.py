"""Refreshing from the registers: waiting registrations, running participants daily, and a participant with data a day
old when opened. Source: section 7 of the domain.

No transaction is open during a register's call, and an outage affects only participants whose protection becomes
unknown (`services.participation.protection`).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import ColumnElement, or_, select

from services.access.audit import Action, note, record
from services.access.hourly_limits import LookUpPurpose, TooManyLookUps, log_look_up
from services.access.viewer import Viewer
from services.accounts.sign_in import viewer_of
from services.core.db import end_reading, hold, now, session, writing
from services.core.i18n import gettext as _
from services.core.status import Status
from services.intake import unfinished as beginnings
from services.intake.look_up import Outcome, look_up
from services.participation.find import find_alone
from services.participation.protection import close_old
from services.participation.register_facts import take_over
from services.refresh.leases import Held, prolong, release, take
from services.registers.clients import Registers, fetch_for
from services.registers.errors import AccessDenied, Busy, NotFound, RegisterError, WrongNumber
from services.registers.folkeregisteret import PersonRecord
from services.registers.pad import TestResult
from services.tables.participants import Participation, Person

logger = logging.getLogger(__name__)

OLD = timedelta(hours=24)  # the age at which data are refreshed
NOT_AGAIN_FOR = timedelta(minutes=10)  # the interval before a person is tried again
_LEASE = timedelta(minutes=15)
_BATCH = 50  # persons; they must be read within the lease
_PATIENCE = 3  # failures in a row after which a register is left alone until the next run


class Read(Enum):
    """The outcomes of refreshing one person."""

    DONE = "done"
    NOT_DUE = "not due"  # another process does it
    UNKNOWN = "unknown"  # Folkeregisteret does not know the number
    FAILED = "failed"
    REFUSED = "refused"  # too many requests, or no access: further persons would fail too


OUTAGES = frozenset({Read.FAILED, Read.REFUSED})


@dataclass
class Done:
    """The result of a refresh: waiting registrations answered, persons read, persons that failed, and participants
    hidden since their protection is unknown."""

    answered: int = 0
    read: int = 0
    failed: int = 0
    closed: int = 0
    in_vain: list[int] = field(default_factory=list)  # persons for whom Folkeregisteret could not be read


def refresh_all(registers: Registers, *, goes_on: Callable[[], bool] = lambda: True) -> Done | None:
    """Look up all waiting registrations, then the persons of running participations whose data are a day old, the
    oldest first; `None` if another process is doing that. Stops when Folkeregisteret is busy or down, or when `goes_on`
    returns False."""
    held = take("refresh", _LEASE)
    if held is None:
        return None
    try:
        done = Done()
        is_up = _answer_waiting(registers, done) and _read_due(registers, held, done, goes_on)
        done.closed = close_old(done.in_vain if is_up else None)
        return done
    finally:
        release(held)


def _answer_waiting(registers: Registers, done: Done) -> bool:
    """Look up waiting registrations; returns whether Folkeregisteret is up."""
    in_vain = 0
    for identity, user_id, number in beginnings.waiting():
        viewer = viewer_of(user_id)
        if viewer is None:  # the user has been blocked
            continue
        found = look_up(number, viewer=viewer, registers=registers, waited=True)
        beginnings.answered(identity, number, found)
        done.answered += not found.may_retry
        in_vain = in_vain + 1 if found.may_retry else 0
        if in_vain >= _PATIENCE or found.outcome in {Outcome.BUSY, Outcome.NO_ACCESS}:
            return False
    return True


def _read_due(registers: Registers, held: Held, done: Done, goes_on: Callable[[], bool]) -> bool:
    """Refresh persons with old data; returns whether Folkeregisteret is up."""
    in_vain = pad_in_vain = 0
    while prolong(held) and (people := _due(with_pad=pad_in_vain < _PATIENCE)):
        for person in people:
            if not goes_on():
                return True
            read, pad_answered = refresh_person(person, registers, with_pad=pad_in_vain < _PATIENCE)
            done.read += read is Read.DONE
            done.failed += read not in {Read.DONE, Read.NOT_DUE}
            done.in_vain += [person] if read in OUTAGES else []
            in_vain = in_vain + 1 if read is Read.FAILED else 0
            pad_in_vain = pad_in_vain + 1 if pad_answered is False else 0 if pad_answered else pad_in_vain
            if read is Read.REFUSED or in_vain >= _PATIENCE:
                return False
    return True


def _due(*, with_pad: bool) -> list[int]:
    """The next persons to refresh: running participants whose data are a day old and who were not just tried."""
    runs = select(Participation.person_ref).where(
        Participation.deleted_at.is_(None), Participation.status != Status.DISCHARGED
    )
    day_ago, just_now = now() - OLD, now() - NOT_AGAIN_FOR
    old: ColumnElement[bool] = Person.freg_fetched_at < day_ago
    is_old = or_(old, Person.pad_fetched_at < day_ago) if with_pad else old
    rested = or_(Person.refresh_tried_at.is_(None), Person.refresh_tried_at < just_now)
    oldest = select(Person.id).where(Person.id.in_(runs), is_old, rested).order_by(Person.freg_fetched_at, Person.id)
    return list(session().scalars(oldest.limit(_BATCH)))


def refresh_if_old(person: Person, registers: Registers) -> bool:
    """Refresh a person whose data are a day old, when a user opens the participant; returns whether it was tried:
    objects read before must then be read again. Nobody waits for a register for more than a few seconds."""
    if not _is_due(person):
        return False
    read, _pad = refresh_person(person.id, registers, hurried=True)
    if read in OUTAGES:
        close_old([person.id])
    return True


def _is_due(person: Person) -> bool:
    is_old = _is_old(person.freg_fetched_at) or _is_old(person.pad_fetched_at)
    tried = person.refresh_tried_at
    return is_old and (tried is None or tried < now() - NOT_AGAIN_FOR)


def _is_old(fetched: datetime | None) -> bool:
    return fetched is not None and fetched < now() - OLD


def refresh_person(
    person_ref: int, registers: Registers, *, with_pad: bool = True, hurried: bool = False
) -> tuple[Read, bool | None]:
    """Refresh one person; returns the outcome, and whether PAD responded (`None`: it was not called)."""
    claim = _claim(person_ref, with_pad=with_pad)
    if claim is None:
        return Read.NOT_DUE, None
    number, asks_freg, asks_pad = claim
    found = None
    if asks_freg:
        try:
            found = registers.folkeregisteret.look_up(number, hurried=hurried)
        except RegisterError as error:
            return _failed(person_ref, error), None
    results = fetch_for(found.national_id if found else number, registers, hurried=hurried) if asks_pad else None
    _store(person_ref, found, results)
    return Read.DONE, results is not None if asks_pad else None


def _claim(person_ref: int, *, with_pad: bool) -> tuple[str, bool, bool] | None:
    """The person's number, and whether to call Folkeregisteret and PAD; `None` if neither, or if another process has
    just claimed the person."""
    with writing() as work:
        person = work.get(Person, person_ref, with_for_update=True)
        if person is None or not _is_due(person):
            return None
        asks_freg = _is_old(person.freg_fetched_at)
        asks_pad = with_pad and (person.pad_fetched_at is None or _is_old(person.pad_fetched_at))
        if not asks_freg and not asks_pad:
            return None
        person.refresh_tried_at = now()
        return person.national_id, asks_freg, asks_pad


def _failed(person_ref: int, error: RegisterError) -> Read:
    """Log a failed refresh of the person."""
    logger.warning("A refresh gave nobody: %s", error)
    is_unknown = isinstance(error, NotFound | WrongNumber)
    outcome = "not_found" if is_unknown else error.fault or "busy"
    detail = {"purpose": LookUpPurpose.REFRESH, "person": person_ref, "outcome": outcome}
    record(Action.LOOK_UP, viewer=None, detail=detail)
    if is_unknown:
        return Read.UNKNOWN
    return Read.REFUSED if isinstance(error, Busy | AccessDenied) else Read.FAILED


def _store(person_ref: int, told: PersonRecord | None, results: list[TestResult] | None) -> None:
    with writing() as work:
        if told:
            hold(work, told.national_id, *told.earlier_ids)  # before the person, in the same order as a registration
        person = work.get_one(Person, person_ref, with_for_update=True)
        same = take_over(work, person, told, results)
        outcome = "down" if told is None and results is None else "found"
        detail: dict[str, str | int] = {"purpose": LookUpPurpose.REFRESH, "person": person_ref, "outcome": outcome}
        if same is not None:
            logger.error(
                "Persons %s and %s are one: IMDi must say which participations belong together", person_ref, same
            )
            detail["same_as"] = same
        note(Action.LOOK_UP, user_id=None, detail=detail)


def fetch_results(viewer: Viewer, public_id: str, registers: Registers) -> str:
    """Fetch a participant's results from PAD on a user's request, and store them; returns a message if that fails, else
    ''. Raises `NoSuchParticipant`."""
    participation = find_alone(viewer, public_id)
    person_ref, number = participation.person_ref, participation.national_id
    try:
        most = registers.lookups_per_hour
        log_look_up(viewer, LookUpPurpose.RESULTS, most=most, participation=participation.id)
    except TooManyLookUps as too_many:
        return too_many.words
    end_reading()
    results = fetch_for(number, registers)
    if results is None:
        return _("PAD svarer ikke. Prøv igjen om litt.")
    with writing() as work:
        take_over(work, work.get_one(Person, person_ref, with_for_update=True), None, results)
    return ""
