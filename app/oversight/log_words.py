"""The access log as text."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl

from flask import current_app

from app.oversight.page_words import page_word
from app.settings.config import Settings
from app.web.formatting import moment_text
from services.access.access_log import Line
from services.access.audit import Action
from services.access.hourly_limits import LookUpPurpose
from services.access.viewer import ROLE_LABELS, Role
from services.core.code_lists import district_name, municipality_name
from services.core.days import date_text
from services.core.i18n import N_
from services.core.i18n import gettext as _
from services.intake.look_up import Outcome
from services.participation.corrections import DELETION_REASONS
from services.questions.pages import FIELDS
from services.registers.errors import RegisterFault

ACTIONS = {
    Action.SIGN_IN: N_("Logget inn"),
    Action.SIGN_IN_FAILED: N_("Feil ved innlogging"),
    Action.SIGN_OUT: N_("Logget ut"),
    Action.LOOK_UP: N_("Slo opp i register"),
    Action.LOOK_UP_ANSWER: N_("Svar fra register"),
    Action.OPEN: N_("Åpnet deltaker"),
    Action.CREATE: N_("Opprettet deltaker"),
    Action.CHANGE: N_("Endret deltaker"),
    Action.DISCHARGE: N_("Skrev ut deltaker"),
    Action.DELETE: N_("Slettet deltaker"),
    Action.RESTORE: N_("Gjenopprettet deltaker"),
    Action.REOPEN: N_("Gjenåpnet deltaker"),
    Action.DOWNLOAD: N_("Lastet ned"),
    Action.SEARCH: N_("Søkte"),
    Action.VIEW: N_("Så deltakere"),
    Action.MANY_VIEWS: N_("Åpnet uvanlig mange sider"),
    Action.REFUSED: N_("Ble avvist"),
    Action.READ_LOG: N_("Leste tilgangsloggen"),
    Action.INVITE: N_("Inviterte bruker"),
    Action.RESEND: N_("Sendte invitasjon på nytt"),
    Action.ACCEPT: N_("Opprettet brukeren sin"),
    Action.CHANGE_USER: N_("Endret bruker"),
    Action.BLOCK: N_("Sperret bruker"),
    Action.UNBLOCK: N_("Opphevet sperring"),
    Action.END_SESSIONS: N_("Logget ut bruker"),
    Action.PASSWORD_ASKED: N_("Ba om nytt passord"),
    Action.PASSWORD_CHANGED: N_("Endret passord"),
    Action.FACTOR_SET: N_("Satte opp engangskoder"),
    Action.FACTOR_RESET: N_("Nullstilte engangskoder"),
    Action.RECOVERY_CODES: N_("Laget gjenopprettingskoder"),
    Action.RECOVERY_CODE_USED: N_("Brukte gjenopprettingskode"),
    Action.IDENTITY_TIED: N_("Koblet til innloggingsmåte"),
    Action.IDENTITY_REMOVED: N_("Fjernet innloggingsmåte"),
    Action.BACKUP: N_("Tok sikkerhetskopi"),
    Action.RESTORE_BACKUP: N_("La inn sikkerhetskopi"),
}
# The other keys of a line's detail, in the order of display.
KEYS = {
    "user": N_("bruker"),
    "purpose": N_("formål"),
    "outcome": N_("utfall"),
    "fault": N_("feil"),
    "step": N_("trinn"),
    "reason": N_("grunn"),
    "why": N_("grunn"),
    "by": N_("ved"),
    "provider": N_("innlogging hos"),
    "what": N_("gjelder"),
    "shown": N_("deltakere på siden"),
    "rows": N_("antall på siden"),
    "late": N_("skrevet så mange sekunder etterpå"),
    "fields": N_("felt"),
    "view": N_("side"),
    "order": N_("utvalg"),
    "format": N_("filtype"),
    "search": N_("søk"),
    "number": N_("antall"),
    "number_start": N_("begynnelsen av fødselsnummer"),
    "person_id": N_("PersonId"),
    "name": N_("navn"),
    "others": N_("antall innlogginger"),
    "person": N_("person nummer"),
    "backup": N_("kopi med SHA-256"),
    "taken_at": N_("tatt"),
    "replaced": N_("det som ble erstattet, ligger i kopi med SHA-256"),
    "chains": N_("siste segl før"),
    "same_as": N_("er samme person som nummer"),
}
# The labels of search terms by kind: the number of values of each.
_SEARCH_KEYS = {"number": N_("fødselsnummer")}
_OUTCOMES: dict[str, str] = {
    Outcome.FOUND: N_("funnet"),
    Outcome.WRONG_NUMBER: N_("feil nummer"),
    Outcome.NOT_FOUND: N_("ikke funnet"),
    Outcome.REPLACED: N_("nummeret er erstattet"),
    Outcome.DEAD: N_("registrert som død"),
    Outcome.NO_NAME: N_("uten navn i registeret"),
    Outcome.ALREADY_HERE: N_("allerede deltaker i kommunen"),
    Outcome.NOT_HERE: N_("kan ikke registreres her"),
    Outcome.NO_ACCESS: N_("registeret ga ikke tilgang"),
    Outcome.BUSY: N_("registeret var opptatt"),
    Outcome.DOWN: N_("registeret svarte ikke"),
    Outcome.TOO_MANY: N_("for mange oppslag"),
}
_FAULTS: dict[str, str] = {
    RegisterFault.UNKNOWN_CALLER: N_("registeret kjente oss ikke igjen"),
    RegisterFault.NOT_ALLOWED: N_("registeret ga ikke tilgang"),
    RegisterFault.NO_TOKEN: N_("Maskinporten ga ikke tilgang"),
    RegisterFault.INTERNAL: N_("feil i registeret"),
    RegisterFault.HTML: N_("en nettside svarte i stedet for registeret"),
    RegisterFault.UNREADABLE: N_("svaret kunne ikke leses"),
    RegisterFault.SLOW: N_("svaret kom for sent"),
    RegisterFault.NO_CONTACT: N_("ingen kontakt"),
    RegisterFault.NO_TLS: N_("ingen sikker forbindelse"),
    RegisterFault.RESTING: N_("ikke spurt, etter flere feil på rad"),
}
_PURPOSES: dict[str, str] = {
    LookUpPurpose.REGISTRATION: N_("registrering"),
    LookUpPurpose.RESULTS: N_("prøveresultater"),
    LookUpPurpose.WAITING: N_("registrering som ventet"),
    LookUpPurpose.REFRESH: N_("oppdatering"),
}
_FILES = {
    "overview": N_("deltakeroversikten"),
    "full": N_("fullt datasett"),
    "rows": N_("tiltak"),
    "access_log": N_("tilgangsloggen"),
}
# Pages that show participants by name.
_PAGES = {
    "list": N_("deltakeroversikten"),
    "notices": N_("meldinger"),
    "begun": N_("påbegynte registreringer"),
    "delete": N_("siden for sletting"),
    "restore": N_("siden for gjenoppretting"),
    "reopen": N_("siden for gjenåpning"),
}
_DETAILS = {"name": N_("navn"), "email": N_("e-post"), "phone": N_("jobbtelefon")}
_REASONS = {option.code: option.label for option in DELETION_REASONS}
_WHY = {
    "blocked": N_("brukeren er sperret"),
    "unknown": N_("ukjent bruker"),
    "cancelled": N_("avbrutt av brukeren"),
    "state": N_("for gammelt eller brukt før"),
    "acr": N_("ikke sikker nok innlogging"),
    "down": N_("ikke noe gyldig svar"),
    "token": N_("svaret var ikke til å stole på"),
}
# The labels of codes, by the key that they belong to; a key may have codes of several kinds.
WORDS: dict[str, Mapping[str, str]] = {
    "by": {"provider": N_("utlogging hos innloggingstjenesten")},
    "chains": {"access_entry": N_("tilgangsloggen"), "change": N_("historikken")},
    "fault": _FAULTS,
    "format": {"csv": N_("CSV"), "xlsx": N_("Excel")},
    "outcome": {**_OUTCOMES, **_FAULTS, "closed": N_("stengt, siden beskyttelsen ikke kunne kontrolleres")},
    "purpose": _PURPOSES,
    "reason": _REASONS,
    "step": {"factor": N_("engangskode")},
    "what": {**_FILES, **_DETAILS, **_PAGES},
    "why": _WHY,
}
_ROLE_CODE = re.compile(r"([+-])([a-z_]+)(?: ([0-9]{4}))?")
_GRANTS = {
    "+": (N_("fikk rollen %(role)s"), N_("fikk se deltakere med adressebeskyttelse")),
    "-": (N_("mistet rollen %(role)s"), N_("kan ikke lenger se deltakere med adressebeskyttelse")),
}
# The labels of a list's criteria, by their words in the address.
_CRITERIA = {
    "antall": N_("rader på siden"),
    "endret-fra": N_("sist endret fra"),
    "endret-til": N_("sist endret til"),
    "deltok-fra": N_("i programmet fra"),
    "deltok-til": N_("i programmet til"),
    "fra": N_("fra og med"),
    "handling": N_("handling"),
    "over": N_("i programmet over så mange måneder"),
    "retning": N_("rekkefølge"),
    "sok": N_("søk"),
    "sorter": N_("sortert etter"),
    "til": N_("til og med"),
}


def action_word(action: str) -> str:
    """The label of an action; the code for one of an older version."""
    return _(ACTIONS[Action(action)]) if action in set(Action) else action


def detail_text(line: Line, *, most: int | None = None) -> str:
    """A line's detail as text, such as «felt: Morsmål; grunn: Dobbeltregistrert»; `most`: participants named at
    most."""
    told = {**line.detail, **({"user": line.about} if line.about else {})}
    if "shown" in told:
        told["shown"] = _people(line.shown, most)
    keys = [*(key for key in KEYS if key in told), *(key for key in told if key not in KEYS)]
    return "; ".join(_item(line.action, key, told[key]) for key in keys if told[key] not in (None, "", []))


def _people(shown: Sequence[str], most: int | None) -> str:
    """The number of participants on a page, and their PersonIds."""
    named = ", ".join(shown[:most])
    if most is not None and len(shown) > most:
        named = _("%(some)s og %(n)s til") % {"some": named, "n": len(shown) - most}
    return f"{len(shown)} ({named})" if shown else "0"


def _item(action: str, key: str, value: Any) -> str:
    keys = {**KEYS, **_SEARCH_KEYS} if action == Action.SEARCH else KEYS
    return f"{_(keys.get(key, key))}: {_said(key, value)}"


def _said(key: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_of_list(key, value))
    if isinstance(value, dict):
        return ", ".join(f"{_coded(key, name)} {_said(name, one)}" for name, one in value.items())
    return _SAID[key](value) if key in _SAID and isinstance(value, str) else _coded(key, str(value))


def _of_list(key: str, values: list[Any]) -> Iterator[str]:
    """The values of a list as text; grants and revocations of one role in several municipalities are combined."""
    places: dict[tuple[str, str], list[str]] = {}
    for value in values:
        if key == "what" and (match := _ROLE_CODE.fullmatch(str(value))):
            places.setdefault((match[1], match[2]), []).append(match[3])
        else:
            yield _said(key, value)
    for (sign, role), numbers in places.items():
        role_words, protection_words = _GRANTS[sign]
        if role == "sees_protected":
            yield _in_places(_(protection_words), [number for number in numbers if number])
        else:
            yield _(role_words) % {"role": _role(role, [number for number in numbers if number])}


def _role(role: str, numbers: list[str]) -> str:
    return _in_places(_(ROLE_LABELS[Role(role)]) if role in set(Role) else role, numbers)


def _in_places(word: str, numbers: list[str]) -> str:
    names = [municipality_name(number) for number in numbers]
    if not names:
        return word
    places = _("%(some)s og %(last)s") % {"some": ", ".join(names[:-1]), "last": names[-1]} if names[1:] else names[0]
    return _("%(role)s i %(places)s") % {"role": word, "places": places}


def _coded(key: str, code: str) -> str:
    words = WORDS.get(key, {})
    return _(words[code]) if code in words else code


def _field(key: str) -> str:
    return _(FIELDS[key].label) if key in FIELDS else key


def _list_asked(query: str) -> str:
    """A list's query as text."""
    pairs = parse_qsl(query)
    return ", ".join(
        f"{_(_CRITERIA.get(name, name)).replace('-', ' ')} {_criterion(name, text)}" for name, text in pairs
    )


def _criterion(name: str, text: str) -> str:
    if name == "handling":
        return action_word(text).lower()
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return _day(text)
    if name in {"kommune", "bydel"}:
        return municipality_name(text) if name == "kommune" else district_name(text)
    return text if name == "sok" else text.replace("-", " ")


def _day(written: str) -> str:
    """A day as text; an invalid one unchanged. No line of the log may prevent its page from being shown."""
    try:
        return date_text(date.fromisoformat(written))
    except ValueError:
        return written


def _moment(written: str) -> str:
    """A moment as text; an invalid one unchanged."""
    try:
        return moment_text(datetime.fromisoformat(written))
    except (ValueError, OverflowError):
        return written


def _provider(name: str) -> str:
    """The label of a provider; the name of one that is no longer configured."""
    settings: Settings = current_app.config["SETTINGS"]
    labels = {one.name: one.label for one in settings.providers}
    return labels.get(name, name)


_SAID: dict[str, Callable[[str], str]] = {
    "fields": _field,
    "order": _list_asked,
    "provider": _provider,
    "taken_at": _moment,
    "view": page_word,
}
