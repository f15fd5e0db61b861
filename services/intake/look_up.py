"""The look-up in Folkeregisteret before a registration, and what its result allows.

Source: the domain, section 5 «Checks» and section 7.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlalchemy import select

from services.access.audit import Action, record
from services.access.hourly_limits import LookUpPurpose, TooManyLookUps, log_look_up
from services.access.viewer import Viewer
from services.core import national_id
from services.core.db import end_reading, session
from services.core.i18n import gettext as _
from services.core.status import Status
from services.intake.messages import no_answer, wrong_number, wrong_population
from services.registers.clients import Registers
from services.registers.errors import AccessDenied, Busy, NotFound, RegisterError, WrongNumber
from services.registers.folkeregisteret import PersonRecord
from services.tables.participants import Participation, Person

logger = logging.getLogger(__name__)


class Outcome(StrEnum):
    """The outcomes of a look-up."""

    FOUND = "found"
    WRONG_NUMBER = "wrong_number"
    NOT_FOUND = "not_found"
    REPLACED = "replaced"
    DEAD = "dead"
    NO_NAME = "no_name"
    ALREADY_HERE = "already_here"
    NOT_HERE = "not_here"
    NO_ACCESS = "no_access"
    BUSY = "busy"
    DOWN = "down"
    TOO_MANY = "too_many"


# The same number may succeed a little later.
RETRIED = frozenset({Outcome.BUSY, Outcome.DOWN, Outcome.NO_ACCESS})


@dataclass(frozen=True, kw_only=True)
class LookUp:
    """The result of a look-up.

    message: for the user, '' if the person was found. told: Folkeregisteret's record, unless the user may not see it.
    existing: the public id of the running participation in the municipality. withheld: the record of a protected person
    whom the user may see in another of the user's municipalities; to be stored, never shown.
    """

    outcome: Outcome
    message: str = ""
    told: PersonRecord | None = None
    existing: str | None = None
    withheld: PersonRecord | None = field(default=None, repr=False)

    @property
    def record(self) -> PersonRecord | None:
        """The record of a person whom the user may register."""
        return self.told if self.outcome is Outcome.FOUND else None

    @property
    def replaced_by(self) -> str | None:
        """The number that has replaced the typed one."""
        return self.told.national_id if self.told and self.outcome is Outcome.REPLACED else None

    @property
    def may_retry(self) -> bool:
        """True if the same number may succeed a little later, so that a registration can wait for it."""
        return self.outcome in RETRIED

    @property
    def may_be_asked_again(self) -> bool:
        """True if the user may try again."""
        return self.may_retry or self.outcome is Outcome.TOO_MANY


def look_up(
    number: str,
    *,
    viewer: Viewer,
    registers: Registers,
    known: LookUp | None = None,
    waited: bool = False,
    place: str = "",
) -> LookUp:
    """Look up a number in Folkeregisteret for a registration.

    `place`: the chosen municipality, if any. `known`: the result of a recent look-up of this number, which is then not
    repeated. No transaction is open during the call. Look-ups are logged, without the number, and limited, except
    automatic ones for registrations that have `waited`.
    """
    try:
        parsed = national_id.parse(number)
    except national_id.InvalidNationalId as invalid:
        return LookUp(outcome=Outcome.WRONG_NUMBER, message=wrong_number(number, invalid.reason))
    if (parsed.synthetic is None) != (registers.accepts == "real"):
        return LookUp(outcome=Outcome.WRONG_NUMBER, message=wrong_population(registers.accepts))
    if known:
        return outcome_of(parsed.number, known.told, viewer, place) if known.told else known
    if waited:
        answer, detail = _ask(parsed.number, viewer, registers, place)
        record(Action.LOOK_UP, viewer=None, detail={"purpose": LookUpPurpose.WAITING, **detail})
        return answer
    try:
        log_look_up(viewer, LookUpPurpose.REGISTRATION, most=registers.lookups_per_hour)
    except TooManyLookUps as too_many:
        return LookUp(outcome=Outcome.TOO_MANY, message=too_many.words)
    answer, detail = _ask(parsed.number, viewer, registers, place)
    record(Action.LOOK_UP_ANSWER, viewer=viewer, detail=detail)
    return answer


def _ask(number: str, viewer: Viewer, registers: Registers, place: str) -> tuple[LookUp, dict[str, str]]:
    """The result, and the detail for the access log."""
    end_reading()
    try:
        person_record = registers.folkeregisteret.look_up(number)
    except RegisterError as error:
        logger.warning("The look-up gave nobody: %s", error)
        answer = LookUp(outcome=_refusal(error), message=no_answer(error))
        fault = {"fault": error.fault.value} if error.fault else {}
        return answer, {"outcome": answer.outcome.value, **fault}
    answer = outcome_of(number, person_record, viewer, place)
    return answer, {"outcome": answer.outcome.value}


def _refusal(error: RegisterError) -> Outcome:
    match error:
        case WrongNumber():
            return Outcome.WRONG_NUMBER
        case NotFound():
            return Outcome.NOT_FOUND
        case AccessDenied():
            return Outcome.NO_ACCESS
        case Busy():
            return Outcome.BUSY
    return Outcome.DOWN


def not_here() -> LookUp:
    """The same result for protected persons and for persons who are active elsewhere."""
    return LookUp(outcome=Outcome.NOT_HERE, message=_("Kan ikke registreres her. Ta kontakt med IMDi."))


def may_be_told(told: PersonRecord, viewer: Viewer, place: str) -> bool:
    """True if the user may see that person's record, to register the person in `place`; without `place`, in any of the
    user's municipalities."""
    places = [place] if place else [one.number for one in viewer.places]
    return not told.protection or (bool(places) and all(map(viewer.sees_protected_in, places)))


def outcome_of(number: str, told: PersonRecord, viewer: Viewer, place: str) -> LookUp:
    """The result that the user may see, for a record from Folkeregisteret and the chosen municipality."""
    if not may_be_told(told, viewer, place):
        is_told_elsewhere = any(viewer.sees_protected_in(one.number) for one in viewer.places)
        return replace(not_here(), withheld=told if is_told_elsewhere else None)
    if told.national_id != number:
        words = _("Nummeret er ikke lenger i bruk. Det er erstattet av %(number)s. Bruk det nye nummeret.")
        return LookUp(outcome=Outcome.REPLACED, told=told, message=words % {"number": told.national_id})
    if told.is_dead:
        words = _("Personen er registrert som død i Folkeregisteret og kan ikke registreres.")
        return LookUp(outcome=Outcome.DEAD, told=told, message=words)
    if not told.full_name:
        words = _("Folkeregisteret har ikke noe navn på dette nummeret. Personen kan ikke registreres.")
        return LookUp(outcome=Outcome.NO_NAME, told=told, message=words)
    running = running_participation({number, *told.earlier_ids})
    if running is None:
        return LookUp(outcome=Outcome.FOUND, told=told)
    seen = viewer.sees_protected_in(running.municipality_number) or not running.protected
    if not seen or not viewer.registers_in(running.municipality_number):
        return not_here()
    words = _("Personen er allerede deltaker i kommunen.")
    return LookUp(outcome=Outcome.ALREADY_HERE, told=told, message=words, existing=running.public_id)


def running_participation(numbers: Collection[str]) -> Participation | None:
    """The running participation of the person with one of these numbers, in any municipality."""
    return session().scalar(
        select(Participation)
        .join(Person, Participation.person_ref == Person.id)
        .where(
            Person.national_id.in_(numbers),
            Participation.deleted_at.is_(None),
            Participation.status != Status.DISCHARGED,
        )
    )
