"""The synthetic people as Folkeregisteret's person documents.

Written independently of the parser in `wire`, so that each tests the other.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.standins.synthetic_person import SyntheticPerson

Json = dict[str, object]

PARTS = frozenset(
    {
        "person-basis",
        "historikk",
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
_NOT_BASIC = frozenset({"innflytting", "person-basis", "historikk"})
_OSLO = ZoneInfo("Europe/Oslo")
_RECORDED = "2026-01-05T09:33:23.108+01:00"


def person_document(person: SyntheticPerson, parts: Collection[str]) -> Json:
    """The requested parts of a person document; `historikk` adds past elements to the others.

    No parts, or `person-basis`, means all but innflytting. The number is always included.
    """
    wanted = set(parts) | {"identifikasjonsnummer"}
    if not parts or "person-basis" in wanted:
        wanted |= PARTS - _NOT_BASIC
    everything: dict[str, list[Json]] = {
        "identifikasjonsnummer": _numbers(person),
        "status": [_element(_since(person), {"status": person.status})],
        "kjoenn": [_element(_since(person), {"kjoenn": person.sex})],
        "navn": _names(person),
        "foedsel": _birth(person),
        "sivilstand": _marital_statuses(person),
        "innflytting": _arrivals(person),
        "bostedsadresse": _home(person),
        "adressebeskyttelse": _protection(person),
    }
    document: Json = {}
    for part in sorted(wanted & everything.keys()):
        elements = [each for each in everything[part] if each["erGjeldende"] or "historikk" in wanted]
        if elements:
            document[part] = elements
    if person.death_date is not None and "doedsfall" in wanted:
        document["doedsfall"] = _element(person.death_date, {"doedsdato": person.death_date.isoformat()})
    return document


def _element(since: date, fields: Json, *, current: bool = True) -> Json:
    return {
        "ajourholdstidspunkt": _RECORDED,
        "erGjeldende": current,
        "kilde": "KILDE_DSF",
        "aarsak": "Innvandring",
        "gyldighetstidspunkt": _midnight(since),
        **fields,
    }


def _midnight(day: date) -> str:
    """The beginning of a Norwegian day, half of the time written in UTC, as other systems may do."""
    moment = datetime.combine(day, time(), _OSLO)
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if day.year % 2 else moment.isoformat()


def _since(person: SyntheticPerson) -> date:
    """A day from which most data about the person are valid."""
    if person.arrivals:
        return person.arrivals[-1].day
    return person.birth_date or date(2015, 3, 2)


def _numbers(person: SyntheticPerson) -> list[Json]:
    ceased = person.status == "opphoert"
    now = _number(person.current_number, _since(person), status="opphoert" if ceased else "iBruk")
    if person.number == person.current_number:
        return [now]
    return [_number(person.number, _since(person), status="opphoert", current=False), now]


def _number(number: str, since: date, *, status: str, current: bool = True) -> Json:
    kind = "dNummer" if number[0] in "4567" else "foedselsnummer"
    return _element(
        since,
        {"status": status, "foedselsEllerDNummer": number, "identifikatortype": kind},
        current=current,
    )


def _names(person: SyntheticPerson) -> list[Json]:
    if not person.full_name:
        return []
    names = []
    since = _since(person)
    if person.earlier_last_name:
        names.append(_name(person, person.earlier_last_name, since, current=False))
        since += timedelta(days=30)
    names.append(_name(person, person.last_name, since, current=True))
    return names


def _name(person: SyntheticPerson, last_name: str, since: date, *, current: bool) -> Json:
    fields: Json = {"fornavn": person.first_name, "etternavn": last_name}
    if person.middle_name:
        fields["mellomnavn"] = person.middle_name
    if person.in_capitals:
        fields = {key: str(value).upper() for key, value in fields.items()}
    return _element(since, fields, current=current)


def _birth(person: SyntheticPerson) -> list[Json]:
    if person.birth_date is None:
        return []
    return [
        _element(
            person.birth_date,
            {
                "foedselsdato": person.birth_date.isoformat(),
                "foedselsaar": str(person.birth_date.year),
                "foedested": "",
                "foedeland": person.birth_country,
            },
        )
    ]


def _marital_statuses(person: SyntheticPerson) -> list[Json]:
    since = _since(person)
    if person.marital_status in {"ugift", "uoppgitt"}:
        return [_element(since, {"sivilstand": person.marital_status})]
    before = _element(since - timedelta(days=900), {"sivilstand": "ugift"}, current=False)
    now: Json = {"sivilstand": person.marital_status, "sivilstandsdato": since.isoformat()}
    return [_element(since, now), before]


def _arrivals(person: SyntheticPerson) -> list[Json]:
    """Innflyttinger, the newest first; only that one is current."""
    newest_first = reversed(person.arrivals)
    return [
        _element(arrival.day, {"fraflyttingsland": arrival.country}, current=index == 0)
        for index, arrival in enumerate(newest_first)
    ]


def _home(person: SyntheticPerson) -> list[Json]:
    """The home: on a road, or for some on a plot without address, or without a fixed place."""
    municipality = person.municipality_number
    if municipality is None:
        return []
    grade = person.protection or "ugradert"
    place: Json
    match int(person.current_number[6:9]) % 20:
        case 0:
            place = {"matrikkeladresse": {"matrikkelnummer": {"kommunenummer": municipality, "bruksnummer": 27}}}
        case 1:
            place = {"ukjentBosted": {"bostedskommune": municipality}}
        case house:
            road = {"kommunenummer": municipality, "adressenavn": "Prøveveien", "husnummer": str(house)}
            place = {"vegadresse": road}
    return [_element(_since(person), {"adressegradering": grade, **place})]


def _protection(person: SyntheticPerson) -> list[Json]:
    if person.protection:
        return [_element(_since(person), {"graderingsnivaa": person.protection})]
    if person.status == "bosatt" and person.current_number[8] == "7":  # some have been protected earlier
        return [
            _element(_since(person), {"graderingsnivaa": "fortrolig"}, current=False),
            _element(_since(person) + timedelta(days=700), {"graderingsnivaa": "ugradert"}),
        ]
    return []
