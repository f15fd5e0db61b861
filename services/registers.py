"""The outside registers as one value, and the look-up that precedes a registration."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from sqlalchemy import select

from services import national_id
from services.audit import Action, record
from services.db import end_reading, now, session
from services.folkeregisteret import FolkeregisteretClient, PersonRecord
from services.i18n import gettext as _
from services.models import AccessEntry, Municipality, Participation, Person, Status
from services.pad import PadClient, TestResult
from services.participants import find_alone
from services.register_errors import AccessDenied, Busy, NotFound, RegisterError, WrongNumber
from services.registration import OSLO_TIME, store_results
from services.viewer import Viewer

logger = logging.getLogger(__name__)
Accepts = Literal["real", "synthetic"]


@dataclass(frozen=True)
class Registers:
    """Folkeregisteret and PAD, which numbers this installation takes (real ones or synthetic), and how many look-ups
    one user may ask for in an hour."""

    folkeregisteret: FolkeregisteretClient
    pad: PadClient
    accepts: Accepts
    lookups_per_hour: int


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
    TOO_MANY = "too_many"


# The same number may do better a little later.
RETRIED = frozenset({Outcome.BUSY, Outcome.DOWN, Outcome.NO_ACCESS})


@dataclass(frozen=True, kw_only=True)
class LookUp:
    """The answer to «who is this?». `message` is for the user and '' when she was found.
    `existing` is the public id of the running participation in her own municipality, `replaced_by` the number in force
    in place of the one that was asked for."""

    outcome: Outcome
    message: str = ""
    record: PersonRecord | None = None
    existing: str | None = None
    replaced_by: str | None = None

    @property
    def may_retry(self) -> bool:
        """True when the same number may do better a little later."""
        return self.outcome in RETRIED


def look_up(
    number: str, *, viewer: Viewer, registers: Registers, known: PersonRecord | None = None, waited: bool = False
) -> LookUp:
    """Ask Folkeregisteret who bears a number, for a registration (domain, section 5 «Checks»).

    `known` is what it has answered for that number a moment ago, and is not asked again. No transaction is open during
    the call. The look-up is logged, without the number, and there are only so many in an hour, but for those that the
    register makes itself for registrations that have `waited`.
    """
    try:
        parsed = national_id.parse(number)
    except national_id.InvalidNationalId as invalid:
        return LookUp(outcome=Outcome.WRONG_NUMBER, message=_wrong_number(invalid.reason))
    if (parsed.synthetic is None) != (registers.accepts == "real"):
        return LookUp(outcome=Outcome.WRONG_NUMBER, message=_wrong_population(registers.accepts))
    if known:
        return _may_register(parsed.number, known, viewer)
    if not waited and (until := _next_look_up(viewer, registers.lookups_per_hour)):
        words = _(
            "Du har slått opp %(most)s personer den siste timen. Vent til kl. %(at)s. Det du har fylt ut, er beholdt."
        )
        at = until.astimezone(OSLO_TIME)
        message = words % {"most": registers.lookups_per_hour, "at": f"{at:%H.%M}"}
        return LookUp(outcome=Outcome.TOO_MANY, message=message)
    end_reading()
    answer = _ask(parsed.number, registers)
    if answer.record:
        answer = _may_register(parsed.number, answer.record, viewer)
    purpose = "waiting registration" if waited else "registration"
    record(Action.LOOK_UP, viewer=None if waited else viewer, detail={"purpose": purpose, "outcome": answer.outcome})
    return answer


def _next_look_up(viewer: Viewer, most: int) -> datetime | None:
    """When the user may look somebody up again; `None` if she may now."""
    an_hour_ago = now() - timedelta(hours=1)
    mine = (AccessEntry.user_id == viewer.user_id, AccessEntry.action == Action.LOOK_UP.value)
    late = select(AccessEntry.at).where(*mine, AccessEntry.at > an_hour_ago).order_by(AccessEntry.at.desc())
    first = session().scalar(late.offset(most - 1).limit(1))
    return first + timedelta(hours=1, minutes=1) if first else None


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
            replaced_by=found.national_id,
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
