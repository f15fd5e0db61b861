"""Translations by GNU gettext. The source language is bokmål; catalogues lie in `services/locale/`.

The language in force is a context variable, so the services can speak without knowing a request. Nothing sets it yet.
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
    """Let texts of this context be in `language` (`nb` or `nn`)."""
    _language.set(language)


def current_language() -> str:
    """The language in force, as an IETF tag for `<html lang>`."""
    return _language.get()


def gettext(message: str) -> str:
    """`message` in the language in force; unknown texts stay as they are (bokmål)."""
    return _catalogue(_language.get()).gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    """The form of the message that fits the number `n`."""
    return _catalogue(_language.get()).ngettext(singular, plural, n)


def N_(message: str) -> str:
    """Mark a text that is declared now and translated where it is shown."""
    return message
