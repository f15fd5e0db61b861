"""Strict parsing of Folkeregisteret's JSON: typed values or a ShapeError, never a partial result.

Every part is a list of elements, of which `erGjeldende` marks the current one; `doedsfall` alone is one element.
Unknown parts and fields are ignored, missing ones are unknown values. Source: Skatteetaten's documentation of the
person document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from services.registers.folkeregisteret.names import NamePart, natural_case
from services.registers.folkeregisteret.person import PersonRecord, Protection, Sex

_OSLO = ZoneInfo("Europe/Oslo")
_LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)
_PARTS = frozenset(
    {
        "navn",
        "foedsel",
        "sivilstand",
        "innflytting",
        "bostedsadresse",
        "adressebeskyttelse",
        "status",
        "doedsfall",
        "identifikasjonsnummer",
        "kjoenn",
    }
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEAR = re.compile(r"[0-9]{4}")
_CODE = re.compile(r"[A-Za-z]{1,40}")  # lists of codes may grow; a new code is shown as it is
_COUNTRY = re.compile(r"[A-Z]{3}")
_MUNICIPALITY = re.compile(r"[0-9]{4}")
_NUMBER = re.compile(r"[0-9]{11}")
_LONGEST_NAME = 200  # characters, as documented

Element = Mapping[str, object]


class ShapeError(ValueError):
    """The response is not shaped as documented. The text names the field, never its value."""


def read_person(body: Element, *, asked: str) -> PersonRecord:
    """Parse a person document; `asked`: the number in the request. Raises ShapeError."""
    if not _PARTS & body.keys():
        raise ShapeError("no known part")
    name = _current(body, "navn") or {}
    birth = _current(body, "foedsel", or_latest=True) or {}
    death = _death(body)
    status = _matching(_current(body, "status") or {}, "status", _CODE)
    birth_date = _date(birth, "foedselsdato")
    number, earlier = _numbers(body, asked)
    return PersonRecord(
        national_id=number,
        earlier_ids=earlier,
        first_name=_name(name, "fornavn", "first") or "",
        middle_name=_name(name, "mellomnavn", "middle"),
        last_name=_name(name, "etternavn", "last") or "",
        birth_date=birth_date,
        birth_year=_year(birth, "foedselsaar") or (birth_date.year if birth_date else None),
        birth_country=_matching(birth, "foedeland", _COUNTRY),
        sex=_sex(_text(_current(body, "kjoenn", or_latest=True) or {}, "kjoenn")),
        marital_status=_matching(_current(body, "sivilstand") or {}, "sivilstand", _CODE),
        arrival_year=_arrival_year(_elements(body, "innflytting")),
        protection=_protection(_elements(body, "adressebeskyttelse")),
        # A death without a date counts as a death.
        status="doed" if death is not None else status,
        death_date=_date(death or {}, "doedsdato"),
        municipality_number=_municipality(_current(body, "bostedsadresse") or {}),
    )


def _elements(body: Element, part: str) -> list[Element]:
    value = body.get(part)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(element, dict) for element in value):
        raise ShapeError(f"{part} is not a list of objects")
    return value


def _is_current(element: Element) -> bool:
    """True if the element is current. Without the flag it is: only history is marked."""
    flag = element.get("erGjeldende", True)
    if not isinstance(flag, bool):
        raise ShapeError("erGjeldende is neither true nor false")
    return flag


def _current(body: Element, part: str, *, or_latest: bool = False) -> Element | None:
    """The current element, the newest if there are several; with `or_latest` a past one if there is none."""
    elements = _elements(body, part)
    candidates = [element for element in elements if _is_current(element)]
    return _latest(candidates or (elements if or_latest else []))


def _latest(elements: Iterable[Element]) -> Element | None:
    return max(elements, key=lambda element: _moment(element) or _LONG_AGO, default=None)


def _moment(element: Element) -> datetime | None:
    """When the element became valid, in Norwegian time; midnight if only a date is given."""
    text = _text(element, "gyldighetstidspunkt")
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=_OSLO) if moment.tzinfo is None else moment.astimezone(_OSLO)
    except (ValueError, OverflowError):
        raise ShapeError("gyldighetstidspunkt is not a moment") from None


def _text(element: Element, key: str) -> str | None:
    """The text of a field, None when it is missing, null or blank."""
    value = element.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ShapeError(f"{key} is not a text")
    return value.strip() or None


def _name(element: Element, key: str, part: NamePart) -> str | None:
    name = natural_case(_text(element, key) or "", part)
    if len(name) > _LONGEST_NAME:
        raise ShapeError(f"{key} is too long")
    return name or None


def _date(element: Element, key: str) -> date | None:
    text = _text(element, key)
    if text is None:
        return None
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise ShapeError(f"{key} is not a date") from None


def _year(element: Element, key: str) -> int | None:
    """A year, which the register writes as text."""
    value = element.get(key)
    if value is None or value == "":
        return None
    if (isinstance(value, str) and _YEAR.fullmatch(value)) or (type(value) is int and 1000 <= value <= 9999):
        return int(value)
    raise ShapeError(f"{key} is not a year")


def _matching(element: Element, key: str, pattern: re.Pattern[str]) -> str | None:
    text = _text(element, key)
    if text is not None and not pattern.fullmatch(text):
        raise ShapeError(f"{key} is not such a code")
    return text


def _numbers(body: Element, asked: str) -> tuple[str, tuple[str, ...]]:
    """The person's present number, and earlier ones. A record without a number in use keeps the number in the
    request."""
    every: list[str] = []
    in_use = []
    for element in _elements(body, "identifikasjonsnummer"):
        number = _matching(element, "foedselsEllerDNummer", _NUMBER)
        if number is None:
            raise ShapeError("foedselsEllerDNummer is missing")
        every.append(number)
        if _is_current(element) and _text(element, "status") in {"iBruk", None}:
            in_use.append(element)
    newest = _latest(in_use)
    now = asked if newest is None else str(newest["foedselsEllerDNummer"]).strip()
    return now, tuple(sorted(set(every) - {now}))


def _sex(code: str | None) -> Sex | None:
    match code:
        case "kvinne" | "mann":
            return code
        case None:
            return None
    raise ShapeError("kjoenn is not such a code")


def _arrival_year(elements: list[Element]) -> int | None:
    """The year of the earliest innflytting, past ones included. Its only date is that of its validity."""
    moments = [moment for moment in map(_moment, elements) if moment is not None]
    return min(moments).year if moments else None


def _protection(elements: list[Element]) -> Protection | None:
    """The strictest current grade. An unknown grade is an error, so that nobody is shown by mistake."""
    grades = set()
    for element in elements:
        if _is_current(element):
            grades.add(_text(element, "graderingsnivaa"))
    if not grades <= {"ugradert", "fortrolig", "strengtFortrolig"}:
        raise ShapeError("graderingsnivaa is not such a code")
    if "strengtFortrolig" in grades:
        return "strengtFortrolig"
    return "fortrolig" if "fortrolig" in grades else None


def _death(body: Element) -> Element | None:
    element = body.get("doedsfall")
    if element is None:
        return None
    if not isinstance(element, dict):
        raise ShapeError("doedsfall is not an object")
    return element if _is_current(element) else None


def _municipality(home: Element) -> str | None:
    """The municipality of a registered home: on a road, on a plot without address, or at no known place."""
    road = _object(home, "vegadresse")
    plot = _object(_object(home, "matrikkeladresse"), "matrikkelnummer")
    unknown = _object(home, "ukjentBosted")
    return (
        _matching(road, "kommunenummer", _MUNICIPALITY)
        or _matching(plot, "kommunenummer", _MUNICIPALITY)
        or _matching(unknown, "bostedskommune", _MUNICIPALITY)
    )


def _object(element: Element, key: str) -> Element:
    value = element.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ShapeError(f"{key} is not an object")
    return value
