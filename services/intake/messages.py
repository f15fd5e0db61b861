"""Messages to a caseworker about a number that cannot be used, or a register that gives no usable response."""

import math
from typing import Literal

from services.core import national_id
from services.core.i18n import N_, ngettext
from services.core.i18n import gettext as _
from services.registers.errors import AccessDenied, Busy, NotFound, RegisterError, RegisterFault, WrongNumber

_NOT_YOURS = N_("Feilen ligger ikke hos deg. Det du har fylt ut, er beholdt. Ta kontakt med IMDi hvis det varer ved.")


def wrong_number(typed: str, reason: str) -> str:
    """Why a text is not a national id, by `national_id.InvalidNationalId.reason`, with a suggestion if possible."""
    if reason == "length" and len(national_id.normalise(typed)) == national_id.LENGTH - 1:
        return lost_zero(typed)
    return {
        "empty": _("Skriv fødselsnummeret"),
        "length": _("Fødselsnummeret skal ha 11 sifre"),
        "characters": _("Fødselsnummeret skal bare ha sifre"),
        "date": _("Fødselsnummeret begynner ikke med en dato som finnes. Kontroller at det er riktig"),
        "check_digits": _("Fødselsnummeret er ikke gyldig. Kontroller at alle sifrene er riktige"),
    }[reason]


def lost_zero(typed: str) -> str:
    """The message for a number with ten digits."""
    if number := national_id.with_lost_zero(typed):
        words = _("Nummeret har 10 sifre. Regneark fjerner nullen foran. Skal det være %(number)s?")
        return words % {"number": number}
    return _(
        "Nummeret har 10 sifre, men skal ha 11. Regneark fjerner nullen foran, men med null foran er det heller ikke "
        "gyldig. Kontroller at alle sifrene er med"
    )


def wrong_population(accepts: Literal["real", "synthetic"]) -> str:
    """The message for a synthetic number in a real installation, or the reverse."""
    if accepts == "real":
        return _("Nummeret hører til en oppdiktet testperson og kan ikke registreres her")
    return _("Dette er en testinstallasjon. Den tar bare imot numre til oppdiktede testpersoner")


def no_answer(error: RegisterError) -> str:
    """The message for an error of Folkeregisteret, with what to do."""
    match error:
        case WrongNumber():
            return _("Folkeregisteret kjenner ikke igjen nummeret. Kontroller at det er riktig.")
        case NotFound():
            return _("Ingen med dette nummeret finnes i Folkeregisteret. Kontroller at det er riktig.")
        case Busy():
            words = _("Folkeregisteret har for mange forespørsler nå. Det du har fylt ut, er beholdt.")
            return f"{words} {_try_again(error.retry_after)}"
        case AccessDenied():
            return f"{_refused(error.fault)} {_(_NOT_YOURS)}"
    return f"{_down(error.fault)} {_('Det du har fylt ut, er beholdt. Prøv igjen om litt.')}"


def _try_again(seconds: float | None) -> str:
    """When to try again after a register was busy."""
    if seconds is None:
        return _("Prøv igjen om litt.")
    if seconds <= 90:
        number = max(1, math.ceil(seconds))
        return ngettext("Prøv igjen om %(n)s sekund.", "Prøv igjen om %(n)s sekunder.", number) % {"n": number}
    minutes = math.ceil(seconds / 60)
    return ngettext("Prøv igjen om %(n)s minutt.", "Prøv igjen om %(n)s minutter.", minutes) % {"n": minutes}


def _refused(fault: RegisterFault | None) -> str:
    if fault is RegisterFault.NO_TOKEN:
        return _("Maskinporten slipper ikke Jobbsjanseregisteret inn i Folkeregisteret.")
    if fault is RegisterFault.NOT_ALLOWED:
        return _("Jobbsjanseregisteret har ikke tilgang til å slå opp i Folkeregisteret.")
    return _("Folkeregisteret kjenner ikke igjen Jobbsjanseregisteret.")


def _down(fault: RegisterFault | None) -> str:
    match fault:
        case RegisterFault.INTERNAL:
            return _("Det er noe galt i Folkeregisteret.")
        case RegisterFault.HTML:
            return _("Noe annet enn Folkeregisteret svarte.")
        case RegisterFault.UNREADABLE:
            return _("Folkeregisteret ga et svar som ikke kan leses.")
        case RegisterFault.SLOW:
            return _("Folkeregisteret bruker for lang tid på å svare.")
        case RegisterFault.NO_TLS:
            return _("Det er ikke sikker forbindelse med Folkeregisteret.")
        case RegisterFault.RESTING:
            return _("Folkeregisteret har ikke svart på en stund.")
    return _("Det er ikke kontakt med Folkeregisteret.")
