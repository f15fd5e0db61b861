"""Help texts of parts of page 1 that are not declared as fields."""

from app.connections.registers import suggest_number
from services.core.i18n import gettext as _
from services.questions.pages.person import MUNICIPALITY_HELP, NAME_HELP, NATIONAL_ID_HELP, PERSON_ID_HELP


def help_texts() -> dict[str, str]:
    """The help texts by subject."""
    return {"name": _(NAME_HELP), "person_id": _(PERSON_ID_HELP), "municipality": _(MUNICIPALITY_HELP)}


def number_help() -> str:
    """The help for the number; in development it suggests a synthetic person."""
    suggested = suggest_number()
    words = _(NATIONAL_ID_HELP)
    return f"{words} {_('Prøv for eksempel')} {suggested}." if suggested else words
