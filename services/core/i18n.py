"""Translations by GNU gettext. The source language is bokmål; catalogues are in `services/locale/`.

The current language is a context variable, so services do not depend on a request. Nothing sets it yet.
"""

from contextvars import ContextVar
from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path

_LOCALE_DIR = Path(__file__).parents[1] / "locale"
_language: ContextVar[str] = ContextVar("language", default="nb")


@cache
def _catalogue(language: str) -> NullTranslations:
    return translation("messages", _LOCALE_DIR, languages=[language], fallback=True)


def use_language(language: str) -> None:
    """Set the language of this context (`nb` or `nn`)."""
    _language.set(language)


def current_language() -> str:
    """The current language as an IETF tag, for `<html lang>`."""
    return _language.get()


def gettext(message: str) -> str:
    """Translate a message to the current language; unknown messages stay bokmål."""
    return _catalogue(_language.get()).gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    """Translate a message in its singular or plural form for the number `n`."""
    return _catalogue(_language.get()).ngettext(singular, plural, n)


def N_(message: str) -> str:
    """Mark a message for translation where it is shown."""
    return message
