"""Dealing municipality, status and protection to each demo participation."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random

from services.access.viewer import OSLO
from services.core.code_lists import district_names
from services.core.status import Status
from services.demo.users import ASKOY, BERGEN

PER_CAPITA = ("3105", "3405", "1108")  # the municipalities in the trial

# The rest of the country, the larger ones first: a few have many participants, and many have a few.
_OTHERS = (
    "5001 1103 3301 4204 3107 3205 3201 3203 1108 5501 3105 3909 3905 3907 4001 4003 1508 1804 1106 4203 3403 3407 "
    "3405 1506 3103 3101 3118 3207 3222 3209 3411 3401 3303 3305 3901 1149 4626 4624 1833 1806 5503 5601 5006 5035"
).split()
_PLACES = (OSLO, BERGEN, ASKOY, *_OTHERS)
_PLACE_ENDS = tuple(accumulate([150, 64, 8, *(355 / (rank + 6) for rank in range(len(_OTHERS)))]))
_STATUSES = (Status.CREATED, Status.CHANGED, Status.ENDED, Status.DISCHARGED)
_STATUS_ENDS = tuple(accumulate([8, 42, 12, 38]))
_DISTRICT_ENDS = tuple(accumulate([14, 10, 8, 3, 2, 2, 4, 5, 9, 8, 10, 14, 8, 3, 10]))
_PROTECTED = 0.02
_DELETED = 0.03
_RETURNED = 0.04


@dataclass(frozen=True, slots=True)
class Card:
    """The plan of one participation. `returned`: the person has been discharged from an earlier one."""

    municipality_number: str
    status: Status
    protected: bool = False
    deleted: bool = False
    returned: bool = False
    district_number: str | None = None
    per_capita: bool = False


def deal(random: Random, participations: int) -> Iterator[Card]:
    """The cards for that many participations; one for a person who has returned counts as two.

    The first ones give Oslo and Bergen every kind of participation, even for a small number.
    """
    cards = _cards(random)
    left = participations
    while left > 0:
        card = next(cards)
        if left == 1:
            card = replace(card, returned=False)
        left -= 2 if card.returned else 1
        yield _placed(random, card)


def _cards(random: Random) -> Iterator[Card]:
    for place in (OSLO, BERGEN):
        yield from (Card(place, status) for status in _STATUSES)
        yield Card(place, Status.CHANGED, protected=True)
        yield Card(place, Status.CHANGED, deleted=True)
    yield from (Card(ASKOY, status) for status in _STATUSES)
    yield from (Card(OSLO, status, protected=True) for status in _STATUSES if status is not Status.CHANGED)
    yield from (Card(place, Status.ENDED, deleted=True) for place in (OSLO, BERGEN))
    yield Card(BERGEN, Status.CHANGED, returned=True)
    while True:
        yield _any_card(random)


def _any_card(random: Random) -> Card:
    place = random.choices(_PLACES, cum_weights=_PLACE_ENDS)[0]
    status = random.choices(_STATUSES, cum_weights=_STATUS_ENDS)[0]
    protected = random.random() < _PROTECTED
    deleted = status is not Status.DISCHARGED and random.random() < _DELETED
    returned = status is Status.CHANGED and not deleted and random.random() < _RETURNED
    return Card(place, status, protected, deleted, returned)


def _placed(random: Random, card: Card) -> Card:
    if card.municipality_number == OSLO:
        return replace(card, district_number=random.choices(tuple(district_names()), cum_weights=_DISTRICT_ENDS)[0])
    return replace(card, per_capita=card.municipality_number in PER_CAPITA and random.random() < 0.9)
