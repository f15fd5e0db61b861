"""Generates the synthetic people of `population`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Literal, TypeVar

from services.core import national_id
from services.registers.folkeregisteret.person import Protection, Sex
from services.standins.population_names import AT_HOME, FOREIGN, SAMI, BirthCountry
from services.standins.synthetic_person import Arrival, SyntheticPerson

T = TypeVar("T")
Remainder = Literal[0, 1, 2, 3]

LONGEST_NAME = 200  # characters of the whole name
# Kinds by position in every hundred: so any hundred people include every kind, and the shares are exact.
_SPECIAL = {
    7: "d_number",
    38: "d_number",
    71: "d_number",
    15: "replaced",
    62: "replaced",
    23: "dead",
    84: "dead",
    31: "protected",
    77: "protected",
    55: "long_name",
    93: "no_name",
    47: "moved_out",
}
_ADULTS = (1976, 2004)  # women of 18 to 55 from 2023 to 2031
_ELDERLY = (1938, 1966)
_CHILDREN = (2009, 2023)
_FIRST_ARRIVAL = date(1986, 1, 1)
_LAST_ARRIVAL = date(2025, 6, 30)
_LAST_DEATH = date(2025, 12, 31)
_SYLLABLES = ("ra", "ni", "mo", "ta", "le", "su", "ka", "di")
# 0 is the rule of 1964; the others are possible only in numbers of the rule of 2032.
_REMAINDERS: tuple[Remainder, ...] = (0, 0, 0, 0, 0, 0, 0, 1, 2, 3)
_MARITAL = ("gift",) * 11 + ("ugift",) * 3 + ("skilt",) * 3 + ("separert", "enkeEllerEnkemann", "uoppgitt")
_RARE_MARITAL = ("registrertPartner", "separertPartner", "skiltPartner", "gjenlevendePartner")
# Municipalities of residence: larger ones more often, and a spread over the whole country.
_MUNICIPALITIES = (
    ("0301",) * 24
    + ("4601",) * 12
    + ("5001", "1103") * 6
    + ("3301", "4204", "3107", "3203", "1108", "5501") * 4
    + ("3105", "3907", "3909", "4001", "4003", "1506", "1804", "3201", "3205", "4627", "3403", "1106") * 2
    + ("3101", "3103", "3207", "3209", "3212", "3303", "3312", "3401", "3405", "3407", "3411", "3413", "3420")
    + ("3901", "3903", "3905", "3911", "4005", "4012", "4202", "4203", "4205", "4215", "1505", "1508", "1101")
    + ("1119", "1120", "1121", "1124", "1127", "1130", "1146", "1149", "1160", "1515", "1517", "1520", "1577")
    + ("4602", "4611", "4613", "4614", "4617", "4621", "4624", "4626", "4631", "4640", "4647", "4649", "5006")
    + ("5007", "5027", "5028", "5035", "5037", "5053", "5057", "1806", "1813", "1820", "1824", "1833", "1840")
    + ("1860", "1865", "1870", "5503", "5510", "5520", "5530", "5544", "5601", "5603", "5605", "5607", "5610")
)


class PeopleMaker:
    """Generates one person after the other from one seeded random generator."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._numbers: set[str] = set()

    def make(self, index: int) -> SyntheticPerson:
        """The next person; `index` counts from 0 and decides on the kind."""
        special = _SPECIAL.get(index % 100)
        if special is None:
            return self._common()
        person = self._adult("kvinne", self._one(FOREIGN))
        match special:
            case "d_number":
                return self._with_d_number(person)
            case "replaced":
                return self._with_replaced_number(person)
            case "dead":
                return self._dead(person)
            case "protected":
                return self._protected(person)
            case "long_name":
                # The first of them has the longest possible name.
                return self._with_long_name(person, LONGEST_NAME if index < 100 else None)
            case "moved_out":
                status = self._one(("utflyttet", "utflyttet", "forsvunnet"))
                return _changed(person, "moved_out", status=status, municipality_number=None)
        return _nameless(person)

    # The people

    def _common(self) -> SyntheticPerson:
        draw = self._random.random()
        if draw < 0.80:
            person = self._adult("kvinne", self._one(FOREIGN))
            return replace(person, kinds=person.kinds | {"ordinary"})
        if draw < 0.87:
            return self._adult("mann", self._one(FOREIGN))
        if draw < 0.95:
            return self._adult("kvinne", self._one(AT_HOME))
        sex: Sex = "kvinne" if draw < 0.98 else "mann"
        kind, years = self._one((("elderly", _ELDERLY), ("child", _CHILDREN)))
        person = self._adult(sex, self._one(FOREIGN), years)
        marital = "ugift" if kind == "child" else person.marital_status
        return replace(person, marital_status=marital, kinds=person.kinds | {kind})

    def _adult(self, sex: Sex, origin: BirthCountry, years: tuple[int, int] = _ADULTS) -> SyntheticPerson:
        """A resident with a fødselsnummer. `years`: of birth, and may be outside adulthood."""
        birth = self._birth_date(years, origin)
        foreign = origin.country != "NOR"
        arrivals = self._arrivals(birth, origin.country) if foreign else ()
        number = self._number(birth)
        first, middle, last, earlier = self._name(sex, origin)
        in_capitals = self._random.random() < 0.45
        return SyntheticPerson(
            number=number,
            current_number=number,
            first_name=first,
            middle_name=middle,
            last_name=last,
            earlier_last_name=earlier,
            in_capitals=in_capitals,
            birth_date=birth,
            birth_country=origin.country,
            sex=sex,
            marital_status=self._one(_MARITAL if self._random.random() > 0.01 else _RARE_MARITAL),
            arrivals=arrivals,
            protection=None,
            status="bosatt",
            death_date=None,
            municipality_number=self._one(_MUNICIPALITIES),
            kinds=_kinds(sex, origin, arrivals, in_capitals),
        )

    def _with_d_number(self, person: SyntheticPerson) -> SyntheticPerson:
        number = self._number(_birth(person), d_number=True)
        status = self._one(("midlertidig", "midlertidig", "inaktiv"))
        kinds = person.kinds - {"several_arrivals"} | {"no_arrival"}
        return _changed(
            replace(person, kinds=kinds),
            "d_number",
            number=number,
            current_number=number,
            arrivals=(),
            status=status,
            municipality_number=None,
        )

    def _with_replaced_number(self, person: SyntheticPerson) -> SyntheticPerson:
        """A person whose old number is a D-nummer, or has another date of birth."""
        birth = _birth(person)
        if self._random.random() < 0.6:
            return _changed(person, "replaced", number=self._number(birth, d_number=True))
        return _changed(person, "replaced", number=self._number(date(birth.year, 1, 1)))

    def _dead(self, person: SyntheticPerson) -> SyntheticPerson:
        since = person.arrivals[-1].day if person.arrivals else _LAST_DEATH - timedelta(days=4000)
        day = self._day_between(since, _LAST_DEATH)
        return _changed(person, "dead", status="doed", death_date=day, municipality_number=None)

    def _protected(self, person: SyntheticPerson) -> SyntheticPerson:
        grade: Protection = "fortrolig" if self._random.random() < 0.6 else "strengtFortrolig"
        home = person.municipality_number if grade == "fortrolig" else None
        return _changed(person, "protected", protection=grade, municipality_number=home)

    def _with_long_name(self, person: SyntheticPerson, length: int | None) -> SyntheticPerson:
        """A person with a name of 120 to 200 characters in all, or of exactly `length`."""
        wanted = length or self._random.randrange(120, LONGEST_NAME + 1)
        first, last = [person.first_name], [person.last_name]
        missing = wanted - len(first[0]) - len(last[0]) - 1
        while missing > 20:
            word = self._made_up(self._random.randrange(4, 13))
            (first if len(first) <= len(last) else last).append(word)
            missing -= len(word) + 1
        last.append(self._made_up(missing - 1))
        name = {"first_name": " ".join(first), "middle_name": None, "last_name": "-".join(last)}
        return _changed(person, "long_name", earlier_last_name=None, **name)

    # Parts of a person

    def _one(self, choices: Sequence[T]) -> T:
        return choices[int(self._random.random() * len(choices))]  # four times as fast as Random.choice

    def _made_up(self, length: int) -> str:
        word = "".join(self._one(_SYLLABLES) for _ in range(length // 2 + 1))
        return word[:length].capitalize()

    def _day_between(self, first: date, last: date) -> date:
        return first + timedelta(days=int(self._random.random() * max((last - first).days, 1)))

    def _birth_date(self, years: tuple[int, int], origin: BirthCountry) -> date:
        first, last = years
        last = min(last, max(origin.born_until, first))
        return self._day_between(date(first, 1, 1), date(last + 1, 1, 1))

    def _number(self, birth: date, *, d_number: bool = False) -> str:
        """A new number for the date of birth, by one of the two rules for check digits."""
        day = birth.day + (40 if d_number else 0)
        beginning = f"{day:02}{birth.month + 80}{birth.year % 100:02}"
        remainder = self._one(_REMAINDERS)
        while True:
            first_nine = f"{beginning}{int(self._random.random() * 1000):03}"
            number = national_id.complete(first_nine, remainder=remainder)
            if number is not None and number not in self._numbers:
                self._numbers.add(number)
                return number

    def _name(self, sex: Sex, origin: BirthCountry) -> tuple[str, str | None, str, str | None]:
        """First, middle, last, and earlier last name."""
        names = origin.names
        first = self._one(names.women if sex == "kvinne" else names.men)
        last = self._one(names.last)
        draw = self._random.random()
        middle = self._one(names.last) if draw < 0.12 else self._one(names.women) if draw < 0.18 else None
        if middle and middle[0].islower():
            middle = None  # in capitals, a particle outside a surname looks like a name
        earlier = self._one(names.last) if draw > 0.80 else None
        return first, middle, last, earlier

    def _arrivals(self, birth: date, country: str) -> tuple[Arrival, ...]:
        """Usually one innflytting, sometimes none or several."""
        draw = self._random.random()
        if draw < 0.05:
            return ()
        grown_up = birth + timedelta(days=17 * 365)
        earliest = birth + timedelta(days=200) if draw < 0.15 else grown_up
        if earliest > _LAST_ARRIVAL - timedelta(days=365):
            earliest = birth + timedelta(days=200)
        day = self._day_between(max(earliest, _FIRST_ARRIVAL), _LAST_ARRIVAL)
        if draw > 0.97:
            day = date(day.year, 1, 1)  # midnight of New Year is still the old year in UTC
        arrivals = [Arrival(max(day, birth), country)]
        if 0.15 < draw < 0.24:
            self._come_back(arrivals)
        return tuple(arrivals)

    def _come_back(self, arrivals: list[Arrival]) -> None:
        for _ in range(self._one((1, 1, 1, 2))):
            day = arrivals[-1].day + timedelta(days=self._random.randrange(400, 2200))
            if day <= _LAST_ARRIVAL:
                arrivals.append(Arrival(day, self._one(("SWE", "DEU", "GBR", arrivals[0].country))))


def _kinds(sex: Sex, origin: BirthCountry, arrivals: Sequence[Arrival], in_capitals: bool) -> frozenset[str]:
    kinds = {"norwegian_born" if origin.country == "NOR" else "foreign_born"}
    if origin.names is SAMI:
        kinds.add("sami_name")
    if sex == "mann":
        kinds.add("man")
    if in_capitals:
        kinds.add("capitals")
    if not arrivals:
        kinds.add("no_arrival")
    elif len(arrivals) > 1:
        kinds.add("several_arrivals")
    return frozenset(kinds)


def _birth(person: SyntheticPerson) -> date:
    if person.birth_date is None:
        raise ValueError("a person without a date of birth")
    return person.birth_date


def _changed(person: SyntheticPerson, kind: str, **fields: object) -> SyntheticPerson:
    return replace(person, kinds=person.kinds | {kind}, **fields)  # type: ignore[arg-type]


def _nameless(person: SyntheticPerson) -> SyntheticPerson:
    """An opphoert record: the identity has ceased, and most data are gone."""
    return replace(
        person,
        first_name="",
        middle_name=None,
        last_name="",
        earlier_last_name=None,
        in_capitals=False,
        birth_date=None,
        birth_country=None,
        arrivals=(),
        status="opphoert",
        municipality_number=None,
        kinds=frozenset({"no_name"}),
    )
