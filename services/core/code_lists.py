"""Code lists from files, and labels of Folkeregisteret's codes."""

import csv
from functools import cache
from pathlib import Path

from services.core.collation import sort_key
from services.core.i18n import N_
from services.core.i18n import gettext as _

_DATA = Path(__file__).parents[1] / "data"


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a code list in `services/data`, as dicts by its header."""
    with (_DATA / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def country_names() -> dict[str, str]:
    """Norwegian country names by ISO alpha-3 and Folkeregisteret's own codes."""
    return {row["code"]: row["name"] for row in rows("countries.csv")}


def country_name(code: str | None) -> str:
    """The country's name; an unknown code is returned as is, None gives ''."""
    return country_names().get(code, code) if code else ""


# Folkeregisteret's codes for sivilstand (domain, section 7).
MARITAL_STATUS = {
    "uoppgitt": N_("Uoppgitt"),
    "ugift": N_("Ugift"),
    "gift": N_("Gift"),
    "enkeEllerEnkemann": N_("Enke eller enkemann"),
    "skilt": N_("Skilt"),
    "separert": N_("Separert"),
    "registrertPartner": N_("Registrert partner"),
    "separertPartner": N_("Separert partner"),
    "skiltPartner": N_("Skilt partner"),
    "gjenlevendePartner": N_("Gjenlevende partner"),
}


def marital_status_text(code: str | None) -> str:
    """The label of a sivilstand; an unknown code is returned as is."""
    return _(MARITAL_STATUS.get(code, code)) if code else ""


@cache
def municipality_names() -> dict[str, str]:
    """Names of the kommuner by kommunenummer."""
    return {row["kommunenummer"]: row["kommunenavn"] for row in rows("municipalities.csv")}


def municipality_name(number: str) -> str:
    """The kommune's name; an unknown number is returned as is."""
    return municipality_names().get(number, number)


@cache
def district_names() -> dict[str, str]:
    """Names of Oslo's bydeler by number."""
    return {row["bydelsnummer"]: row["bydelsnavn"] for row in rows("oslo_districts.csv")}


def district_name(number: str | None) -> str:
    """The bydel's name, '' for none."""
    return district_names().get(number, number) if number else ""


@cache
def district_key(number: str | None) -> str | None:
    """The stored key that bydeler are sorted and found by; the indexes contain it."""
    return sort_key(district_name(number)) if number else None
