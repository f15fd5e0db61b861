"""The access log in words."""

from typing import Any

from services.access_log import Line
from services.audit import Action
from services.i18n import N_
from services.i18n import gettext as _
from services.mending import DELETION_REASONS
from services.steps import FIELDS

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
    Action.IDENTITY_TIED: N_("Koblet til påloggingsmåte"),
    Action.IDENTITY_REMOVED: N_("Fjernet påloggingsmåte"),
    Action.BACKUP: N_("Tok sikkerhetskopi"),
    Action.RESTORE_BACKUP: N_("La inn sikkerhetskopi"),
}
_KEYS = {
    "by": N_("ved"),
    "fields": N_("felt"),
    "format": N_("filtype"),
    "number": N_("antall"),
    "order": N_("utvalg"),
    "others": N_("antall"),
    "outcome": N_("utfall"),
    "provider": N_("leverandør"),
    "purpose": N_("formål"),
    "reason": N_("grunn"),
    "search": N_("søk"),
    "step": N_("trinn"),
    "user": N_("bruker"),
    "view": N_("side"),
    "what": N_("hva"),
    "why": N_("grunn"),
}
_REASONS = {option.code: option.label for option in DELETION_REASONS}


def action_word(action: str) -> str:
    """What was done; an action of an older version by its code."""
    return _(ACTIONS[Action(action)]) if action in set(Action) else action


def detail_text(line: Line) -> str:
    """What more the line says, as «felt: Morsmål; grunn: Dobbeltregistrert»."""
    told = {**line.detail, **({"user": line.about} if line.about else {})}
    return "; ".join(f"{_(_KEYS.get(key, key))}: {_said(key, value)}" for key, value in told.items())


def _said(key: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_said(key, one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_said(name, one)}" for name, one in value.items())
    if key == "fields" and value in FIELDS:
        return _(FIELDS[value].label)
    if key == "reason" and value in _REASONS:
        return _(_REASONS[value])
    return str(value)
