"""The rows of a large register: prototypes from the demo data's maker, copied to other people, places and times.

A prototype is one participation with all its rows. A copy has its own ids, number, name, municipality and moments; the
answers stay. Rows are in the table in no particular order, so neighbours in an index are not neighbours in the table.

If a migration adds a column that depends on what a copy changes (a search text made of the name, for example), add a
function for it to `OWN`; columns that the prototypes do not have and that are not in `OWN` get the database's default.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count, islice
from random import Random
from typing import Any

from services.access.viewer import OSLO
from services.core.code_lists import district_name, district_names, municipality_names
from services.core.collation import sort_key
from services.core.db import Base
from services.core.name_folding import name_words
from services.core.status import Status
from services.demo.rows import MODELS, Maker, Row, Rows
from services.demo.users import BERGEN, staff
from services.participation.person_data import name_key
from services.standins.population_names import FOREIGN
from services.tables.participants import Activity, Change, Leave, Participation, Person

TRONDHEIM = "5001"
SHARES = {OSLO: 0.15, BERGEN: 0.06, TRONDHEIM: 0.02}  # of all participations; the other municipalities share the rest
RARE_NAME = "Sandvikmoen"  # the last name of one in a hundred participations; part of no other name
RARE_SHARE = 0.01

_PROTOTYPES = 1500
_FIRST_CARDS = 40  # the demo data begin with one of each kind, unlike the usual mixture
_CHANGES = 3  # history rows of a participation, of the twenty and more that it really has
_BATCH = 5000  # participations
_QUARTER = 91  # days; whole weeks, so that office days stay office days
_QUARTERS = 27  # with the prototypes' own three years this makes ten
_UNDISCHARGED = 0.62  # about

Encode = Callable[[Any], Any]
Batch = dict[type[Base], list[tuple[Any, ...]]]


@dataclass(slots=True)
class Copy:
    """The plan of one participation. `number` counts from 1 and is the id of the participation and of its person."""

    number: int
    answers: Row
    shift: timedelta
    municipality_number: str
    district_number: str | None
    full_name: str
    random: Random

    @property
    def is_discharged(self) -> bool:
        """True for discharged participations, which have no name."""
        return bool(self.answers["status"] == Status.DISCHARGED)

    @property
    def birth_date(self) -> date:
        """A day in the thirty years from 1965 on, all about equally often."""
        return date(1965, 1, 1) + timedelta(days=self.number * 7919 % 10950)

    @property
    def national_id(self) -> str:
        """Eleven unique digits in the form of synthetic numbers (month + 80), with wrong check digits."""
        born = self.birth_date
        serial = (self.number // 10950 * 8191 + self.number * 17) % 100_000
        return f"{born.day:02}{born.month + 80}{born.year % 100:02}{serial:05}"

    @property
    def person_id(self) -> str:
        """Eight unique digits that begin with 9."""
        return f"9{self.number * 7654321 % 10**7:07}"

    def moved(self, moment: datetime) -> datetime:
        """A moment of the prototype, moved by the shift and up to seven hours more."""
        return moment - self.shift - timedelta(seconds=self.random.randrange(25_000))


Own = Mapping[str, Callable[[Copy], Any]]
_name_keys: dict[str, str] = {}


def _name_key(name: str) -> str:
    if name not in _name_keys:
        _name_keys[name] = name_key(name)
    return _name_keys[name]


def _staff(copy: Copy) -> str:
    names = _staff_of.setdefault(copy.municipality_number, staff(copy.municipality_number, protected=False))
    return names[copy.number % len(names)]


_staff_of: dict[str, tuple[str, ...]] = {}
_municipality_keys = {number: sort_key(name) for number, name in municipality_names().items()}
_district_keys: dict[str | None, str | None] = {number: sort_key(district_name(number)) for number in district_names()}

# A copy's own values, by table and column. Everything else is the prototype's, with dates and moments shifted.
_RELATED: Own = {
    "participation_ref": lambda copy: copy.number,
    "municipality_number": lambda copy: copy.municipality_number,
}
OWN: dict[type[Base], Own] = {
    Person: {
        "id": lambda copy: copy.number,
        "person_id": lambda copy: copy.person_id,
        "national_id": lambda copy: copy.national_id,
        "name": lambda copy: copy.full_name,
        "birth_date": lambda copy: copy.birth_date,
    },
    Participation: {
        "id": lambda copy: copy.number,
        "public_id": lambda copy: base64.urlsafe_b64encode(copy.random.randbytes(12)).decode(),
        "creation_key": lambda copy: copy.random.randbytes(16).hex(),
        "person_ref": lambda copy: copy.number,
        "person_id": lambda copy: copy.person_id,
        "national_id": lambda copy: copy.national_id,
        "name": lambda copy: "" if copy.is_discharged else copy.full_name,
        "name_key": lambda copy: None if copy.is_discharged else _name_key(copy.full_name),
        "name_words": lambda copy: "" if copy.is_discharged else name_words(copy.full_name),
        "municipality_number": lambda copy: copy.municipality_number,
        "municipality_key": lambda copy: _municipality_keys[copy.municipality_number],
        "district_number": lambda copy: copy.district_number,
        "district_key": lambda copy: _district_keys[copy.district_number] if copy.district_number else None,
        "changed_at": lambda copy: copy.moved(copy.answers["changed_at"]),
        "changed_by": _staff,
        "created_by": _staff,
    },
    Activity: _RELATED,
    Leave: _RELATED,
    Change: _RELATED,
}
_NUMBERED = frozenset({Activity, Leave, Change})  # with a running id of their own


def others() -> list[str]:
    """The kommunenummer of the long tail, the largest first."""
    numbers = [number for number in municipality_names() if number not in SHARES]
    Random(1).shuffle(numbers)
    return numbers


def five() -> tuple[str, ...]:
    """Five municipalities of the long tail, from one of the largest to a small one."""
    tail = others()
    return tuple(tail[rank] for rank in (0, 3, 10, 30, 100))


def places(size: int, random: Random) -> list[str]:
    """A kommunenummer for each participation, with exactly the wanted shares, in random order."""
    found = [number for number, share in SHARES.items() for _ in range(round(size * share))]
    tail = others()
    weights = [1 / (rank + 20) for rank in range(len(tail))]
    rest, total = size - len(found), sum(weights)
    for number, weight in zip(tail, weights, strict=True):
        found += [number] * int(rest * weight / total)
    found += tail[: size - len(found)]
    random.shuffle(found)
    return found


def full_name(random: Random) -> str:
    """A woman's name: of a random origin's part of the world, sometimes with a second first or last name."""
    names = random.choice(FOREIGN).names
    first, last = random.choice(names.women), random.choice(names.last)
    if random.random() < 0.3:
        first = f"{first} {random.choice(names.women)}"
    if random.random() < 0.2:
        last = f"{random.choice(names.last)} {last}"
    return f"{first} {last}"


@dataclass
class Table:
    """Converts the rows of a model to the database's form: own columns first, then the prototype's. `encoders`: by
    column; the `size` of a row is the number of `columns`."""

    model: type[Base]
    example: Row
    encoders: Mapping[str, Encode]
    columns: list[str] = field(init=False)
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        own = OWN[self.model]
        numbered = ["id"] if self.model in _NUMBERED else []
        known = self.model.__table__.columns.keys()
        self._own = [(function, self.encoders[name]) for name, function in own.items() if name in known]
        self._rest = [name for name in known if name in self.example and name not in own and name not in numbered]
        self.columns = [*numbered, *(name for name in own if name in known), *self._rest]

    def rest(self, row: Row, shift: timedelta) -> tuple[Any, ...]:
        """The encoded columns of the prototype's row."""
        return tuple(self.encoders[name](_shifted(row[name], shift)) for name in self._rest)

    def row(self, copy: Copy, rest: tuple[Any, ...]) -> tuple[Any, ...]:
        """The encoded row of a copy; many copies share what `rest` returned."""
        own = tuple([encode(function(copy)) for function, encode in self._own])
        if self.model in _NUMBERED:
            return (self.encoders["id"](next(self._ids)), *own, *rest)
        return own + rest


def _shifted(value: Any, shift: timedelta) -> Any:
    return value - shift if isinstance(value, date) else value


def prototypes(day: date) -> list[Rows]:
    """Participations to copy, each with a person, in their state on a day."""
    made = Maker(Random(2026), day, _PROTOTYPES + _FIRST_CARDS, _municipality_keys).participations()
    found = [rows for rows in islice(made, _FIRST_CARDS, None) if rows[Person]]
    for rows in found:
        changes = rows[Change]
        rows[Change] = [*changes[:1], *changes[1:][-_CHANGES + 1 :]]
    return found


class Copies:
    """All rows of a register of `size` participations, in batches. `encoders` are by model and column."""

    def __init__(self, size: int, day: date, encoders: Mapping[type[Base], Mapping[str, Encode]]) -> None:
        self._size = size
        self._prototypes = prototypes(day)
        self.tables = {
            model: Table(model, next(rows[model][0] for rows in self._prototypes if rows[model]), encoders[model])
            for model in MODELS
        }
        self._rests: dict[tuple[int, timedelta], dict[type[Base], list[tuple[Any, ...]]]] = {}

    def batches(self) -> Iterator[Batch]:
        """Rows by model, in the order in which they can be inserted."""
        random = Random(self._size)
        towns = iter(places(self._size, random))
        for first in range(1, self._size + 1, _BATCH):
            batch: Batch = {model: [] for model in MODELS}
            for number in range(first, min(first + _BATCH, self._size + 1)):
                self._add(batch, number, next(towns), random)
            yield batch

    def _add(self, batch: Batch, number: int, town: str, random: Random) -> None:
        index = random.randrange(len(self._prototypes))
        answers = self._prototypes[index][Participation][0]
        shift = _shift(random, answers["status"])
        district = random.choice(_DISTRICTS) if town == OSLO else None
        copy = Copy(number, answers, shift, town, district, full_name(random), random)
        if not copy.is_discharged and random.random() < RARE_SHARE / _UNDISCHARGED:
            copy.full_name = f"{copy.full_name.split(maxsplit=1)[0]} {RARE_NAME}"
        for model, rests in self._rests_of(index, shift).items():
            table = self.tables[model]
            batch[model] += [table.row(copy, rest) for rest in rests]

    def _rests_of(self, index: int, shift: timedelta) -> dict[type[Base], list[tuple[Any, ...]]]:
        key = (index, shift)
        if key not in self._rests:
            rows = self._prototypes[index]
            self._rests[key] = {
                model: [table.rest(row, shift) for row in rows[model]] for model, table in self.tables.items()
            }
        return self._rests[key]


_DISTRICTS = tuple(district_names())


def _shift(random: Random, status: Status) -> timedelta:
    """How far a copy is shifted back: running ones usually half a year at most, the others any time in ten years."""
    chance = {Status.DISCHARGED: 1.0, Status.ENDED: 0.5}.get(status, 0.05)
    quarters = random.randrange(_QUARTERS) if random.random() < chance else random.randrange(3)
    return timedelta(days=quarters * _QUARTER)
