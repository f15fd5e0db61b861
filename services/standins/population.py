"""The synthetic population of the stand-ins: the same seed gives the same people, on every machine and day.

Nobody here exists: the month of every number is raised by 80, as in the tax administration's own test population. The
demo data use the same people, so they agree with the stand-ins' responses.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice

from services.standins.population_maker import PeopleMaker
from services.standins.synthetic_person import Arrival, SyntheticPerson

__all__ = [
    "OTHER_KINDS",
    "PUBLISHED_KINDS",
    "SEED",
    "SIZE",
    "Arrival",
    "SyntheticPerson",
    "by_number",
    "people",
    "persons",
]

_one_maker = threading.Lock()

SEED = 2026
SIZE = 20_000
# The kinds that the command line offers, and the others; see `SyntheticPerson`.
PUBLISHED_KINDS = ("ordinary", "d_number", "replaced", "dead", "protected", "foreign_born", "long_name")
OTHER_KINDS = (
    "norwegian_born",
    "sami_name",
    "man",
    "child",
    "elderly",
    "moved_out",
    "no_name",
    "no_arrival",
    "several_arrivals",
    "capitals",
)


def people(seed: int = SEED, count: int = SIZE) -> Sequence[SyntheticPerson]:
    """The first `count` people of a seed. A smaller count gives the beginning of a larger one."""
    with _one_maker:  # takes half a second, so only one thread does it
        return _people(seed, count)


@lru_cache(maxsize=4)
def _people(seed: int, count: int) -> Sequence[SyntheticPerson]:
    maker = PeopleMaker(seed)
    return tuple(maker.make(index) for index in range(count))


@lru_cache(maxsize=4)
def by_number(seed: int = SEED) -> Mapping[str, SyntheticPerson]:
    """All people of a seed by every number that they have or had."""
    index = {person.number: person for person in people(seed)}
    index.update((person.current_number, person) for person in people(seed))
    return index


def persons(
    count: int, kind: str = "ordinary", taken: Collection[str] = (), *, seed: int = SEED
) -> Iterator[SyntheticPerson]:
    """Up to `count` people of a kind, none of whose numbers is in `taken`, always in the same order.

    Those eligible for registration come first, so the first `foreign_born` can be registered.
    """
    held = frozenset(taken)
    free = (each for each in _of_kind(seed, kind) if held.isdisjoint({each.number, each.current_number}))
    return islice(free, max(count, 0))


@lru_cache(maxsize=16)
def _of_kind(seed: int, kind: str) -> Sequence[SyntheticPerson]:
    fitting = [person for person in people(seed) if kind in person.kinds]
    return sorted(fitting, key=lambda person: ("ordinary" not in person.kinds, not person.arrivals))
