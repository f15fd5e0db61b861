"""Selecting synthetic people for demo data, and those left for trying a registration."""

from datetime import date, timedelta
from random import Random

from sqlalchemy import select

from services.core.db import session
from services.standins.population import SEED, SIZE, SyntheticPerson, people, persons
from services.tables.participants import Person

# The last of the stand-ins' people are left out, so that there is always somebody to register.
_LEFT_OUT = range(SIZE - 1000, SIZE)
_A_PART = SIZE // 10
_UNFIT = frozenset({"dead", "replaced", "no_name", "moved_out", "child", "elderly"})
_SELDOM = frozenset({"man", "norwegian_born"})  # they take part, but rarely
_SELDOM_TAKEN = 0.25
_LONGEST_BACK = timedelta(days=4 * 365)


class Queue:
    """The order of registration: two queues, since protected persons are dealt separately.

    `needed`: the number of persons in all; the population is made large enough.
    """

    def __init__(self, random: Random, needed: int, today: date) -> None:
        self._random = random
        self._arrived_before = today - _LONGEST_BACK
        size = SIZE if needed <= SIZE // 2 else SIZE + needed * 8 // 5  # two in three are eligible
        fit = [person for index, person in enumerate(people(SEED, size)) if self._is_fit(index, person)]
        random.shuffle(fit)
        self._protected = iter([person for person in fit if person.protection])
        self._open = iter([person for person in fit if not person.protection])

    def next(self, *, protected: bool) -> SyntheticPerson:
        """The next unused person."""
        found = next(self._protected, None) if protected else None
        return found or next(self._open)

    def _is_fit(self, index: int, person: SyntheticPerson) -> bool:
        if index in _LEFT_OUT or person.kinds & _UNFIT:
            return False
        if person.arrivals and person.arrivals[0].day >= self._arrived_before:
            return False  # the programme begins after the arrival in Norway
        return not person.kinds & _SELDOM or self._random.random() < _SELDOM_TAKEN


def unregistered(count: int, kind: str = "ordinary") -> list[SyntheticPerson]:
    """Up to `count` synthetic persons of a published kind who are not in the register, in a stable order."""
    taken = set(session().scalars(select(Person.national_id)))
    # Those eligible for registration come first (see `persons`), so that a part of the people is usually enough. To
    # make them all takes half a second, which is much when the program starts.
    first = [
        person
        for person in people(SEED, _A_PART)
        if {kind, "ordinary"} <= person.kinds and person.arrivals and person.number not in taken
    ]
    return first[:count] if len(first) >= count else list(persons(count, kind, taken))
