"""The outside registers as one value, and the look-up that precedes a registration."""

import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from sqlalchemy import select

from services import national_id
from services.audit import Action, record
from services.db import end_reading, session
from services.folkeregisteret import FolkeregisteretClient, PersonRecord
from services.i18n import gettext as _
from services.models import Municipality, Participation, Person, Status
from services.pad import PadClient, TestResult
from services.participants import find_alone
from services.register_errors import AccessDenied, Busy, NotFound, RegisterError, WrongNumber
from services.registration import store_results
from services.viewer import Viewer

logger = logging.getLogger(__name__)
Accepts = Literal["real", "synthetic"]


@dataclass(frozen=True)
class Registers:
    """Folkeregisteret and PAD, and which numbers this installation takes: real ones or synthetic."""

    folkeregisteret: FolkeregisteretClient
    pad: PadClient
    accepts: Accepts


class Outcome(StrEnum):
    """What became of a look-up."""

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


@dataclass(frozen=True, kw_only=True)
class LookUp:
    """The answer to «who is this?». `message` is for the user and '' when she was found.
    `existing` is the public id of the running participation in her own municipality."""

    outcome: Outcome
    message: str = ""
    record: PersonRecord | None = None
    existing: str | None = None

    @property
    def may_retry(self) -> bool:
        """True when the same number may do better a little later."""
        return self.outcome in {Outcome.BUSY, Outcome.DOWN, Outcome.NO_ACCESS}


def look_up(number: str, *, viewer: Viewer, registers: Registers) -> LookUp:
    """Ask Folkeregisteret who bears a number, for a registration (domain, section 5 «Checks»).

    No transaction is open during the call. The look-up is logged, without the number.
    """
    try:
        parsed = national_id.parse(number)
    except national_id.InvalidNationalId as invalid:
        return LookUp(outcome=Outcome.WRONG_NUMBER, message=_wrong_number(invalid.reason))
    if (parsed.synthetic is None) != (registers.accepts == "real"):
        return LookUp(outcome=Outcome.WRONG_NUMBER, message=_wrong_population(registers.accepts))
    end_reading()
    answer = _ask(parsed.number, registers)
    if answer.record:
        answer = _may_register(parsed.number, answer.record, viewer)
    record(Action.LOOK_UP, viewer=viewer, detail={"purpose": "registration", "outcome": answer.outcome})
    return answer


def _ask(number: str, registers: Registers) -> LookUp:
    try:
        return LookUp(outcome=Outcome.FOUND, record=registers.folkeregisteret.look_up(number))
    except RegisterError as error:
        logger.warning("The look-up gave nobody: %s", error)
        outcome, message = _refusal(error)
        return LookUp(outcome=outcome, message=message)


def _refusal(error: RegisterError) -> tuple[Outcome, str]:
    match error:
        case WrongNumber():
            return Outcome.WRONG_NUMBER, _("Folkeregisteret kjenner ikke igjen nummeret. Se etter at det er riktig.")
        case NotFound():
            return (
                Outcome.NOT_FOUND,
                _("Ingen med dette nummeret finnes i Folkeregisteret. Se etter at det er riktig."),
            )
        case AccessDenied():
            return (
                Outcome.NO_ACCESS,
                _("Registeret får ikke tilgang til Folkeregisteret. Feilen ligger ikke hos deg. Ta kontakt med IMDi."),
            )
        case Busy():
            return Outcome.BUSY, _("Folkeregisteret har for mange forespørsler nå. Prøv igjen om litt.")
    return Outcome.DOWN, _("Folkeregisteret svarer ikke. Det du har fylt ut, er beholdt. Prøv igjen om litt.")


def _may_register(number: str, found: PersonRecord, viewer: Viewer) -> LookUp:
    elsewhere = LookUp(outcome=Outcome.NOT_HERE, message=_("Kan ikke registreres her. Ta kontakt med IMDi."))
    if found.protection and not viewer.sees_protected:
        return elsewhere
    if found.national_id != number:
        return LookUp(
            outcome=Outcome.REPLACED,
            message=_("Nummeret er ikke lenger i bruk. Det er erstattet av %(number)s. Bruk det nye nummeret.")
            % {"number": found.national_id},
        )
    if found.is_dead:
        return LookUp(
            outcome=Outcome.DEAD,
            message=_("Personen er registrert som død i Folkeregisteret og kan ikke registreres."),
        )
    if not found.full_name:
        return LookUp(
            outcome=Outcome.NO_NAME,
            message=_("Folkeregisteret har ikke noe navn på dette nummeret. Personen kan ikke registreres."),
        )
    running = running_participation(number)
    if running is None:
        return LookUp(outcome=Outcome.FOUND, record=found)
    seen = viewer.sees_protected or not running.protected
    if seen and viewer.registers_in(running.municipality_number):
        return LookUp(
            outcome=Outcome.ALREADY_HERE,
            message=_("Personen er allerede deltaker i kommunen."),
            existing=running.public_id,
        )
    return elsewhere


def running_participation(number: str) -> Participation | None:
    """The participation that a person with this number is in now, in whatever municipality."""
    return session().scalar(
        select(Participation)
        .join(Person, Participation.person_ref == Person.id)
        .where(
            Person.national_id == number,
            Participation.deleted_at.is_(None),
            Participation.status != Status.DISCHARGED,
        )
    )


def _wrong_number(reason: str) -> str:
    return {
        "empty": _("Skriv fødselsnummeret"),
        "length": _("Fødselsnummeret skal ha 11 sifre"),
        "characters": _("Fødselsnummeret skal bare ha sifre"),
        "date": _("Fødselsnummeret begynner ikke med en dato som finnes. Se etter at det er riktig"),
        "check_digits": _("Fødselsnummeret er ikke gyldig. Se etter at alle sifrene er riktige"),
    }[reason]


def _wrong_population(accepts: Accepts) -> str:
    if accepts == "real":
        return _("Nummeret hører til en oppdiktet testperson og kan ikke registreres her")
    return _("Dette er en testinstallasjon. Den tar bare imot numre til oppdiktede testpersoner")


def funding_of(municipality_number: str) -> str:
    """The financing model that a municipality's participants have by default."""
    return session().get_one(Municipality, municipality_number).funding


def fetch_for(number: str, registers: Registers) -> list[TestResult] | None:
    """PAD's results for a number, `None` if they cannot be had now. No transaction is open meanwhile."""
    end_reading()
    try:
        return registers.pad.results(number)
    except RegisterError as error:
        logger.warning("PAD gave no results: %s", error)
        return None


def fetch_results(viewer: Viewer, public_id: str, registers: Registers) -> bool:
    """Ask PAD again for a participant's results and keep them; `False` if they cannot be had now."""
    participation = find_alone(viewer, public_id)
    person = participation.person_ref
    results = fetch_for(participation.national_id, registers)
    if results is None:
        return False
    store_results(person, results)
    return True


def is_known(number: str) -> bool:
    """True if the register has a person with this number, running or not."""
    return session().scalar(select(Person.id).where(Person.national_id == number)) is not None
