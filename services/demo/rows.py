"""The table rows of demo participants."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from services.core.code_lists import district_key
from services.core.db import Base
from services.core.name_folding import name_words
from services.core.status import Status
from services.demo.background import Answers
from services.demo.days import course, earlier_course, night_before
from services.demo.deal import Card, deal
from services.demo.people import Queue
from services.demo.story import Story, tell
from services.participation.answers import missing_on
from services.participation.person_data import name_key, update_person, update_results
from services.questions.pages import BACKGROUND, PROGRAMME, ROW_KEYS, TERMINATION
from services.questions.programme_time import duration_start
from services.standins.pad import results_of
from services.standins.population import SyntheticPerson
from services.tables.participants import Activity, Change, Leave, Participation, Person

Row = dict[str, Any]
Rows = dict[type[Base], list[Row]]

# In an order in which they can be inserted.
MODELS: tuple[type[Base], ...] = (Person, Participation, Activity, Leave, Change)

_COLUMNS = {"district": "district_number"}
_NEVER_FETCHED = 0.01  # share of persons whose test results PAD could not give
_BETWEEN = timedelta(days=20)  # at least, between two participations of a person


class Maker:
    """Makes one participation after the other, with all its rows. Numbers persons and participations from 1.

    `municipality_keys`: the stored sort keys by kommunenummer. `needed`: how many there will be.
    """

    def __init__(self, random: Random, day: date, needed: int, municipality_keys: Mapping[str, str]) -> None:
        self._random = random
        self._day = day
        self._needed = needed
        self._queue = Queue(random, needed, day)
        self._keys = municipality_keys
        self._person_ids: set[str] = set()
        self._person_numbers = count(1)
        self._participation_numbers = count(1)

    def participations(self) -> Iterator[Rows]:
        """The rows of each participation, preceded by its person if new."""
        for card in deal(self._random, self._needed):
            someone = self._queue.next(protected=card.protected)
            person = self._person(someone)
            persons = [person]
            earlier: Answers | None = None
            earliest: date | None = None
            if card.returned:
                before = replace(card, status=Status.DISCHARGED)
                first = earlier_course(self._random, self._day)
                story = tell(self._random, before, first, someone, today=self._day)
                yield self._rows(before, persons, person, story)
                persons, earlier, earliest = [], story.answers, first.last + _BETWEEN
            days = course(self._random, card.status, self._day, earliest=earliest)
            story = tell(self._random, card, days, someone, today=self._day, earlier=earlier)
            yield self._rows(card, persons, person, story)

    def _rows(self, card: Card, persons: list[Row], person: Row, story: Story) -> Rows:
        participation = self._participation(card, person, story)
        tie = {"participation_ref": participation["id"], "municipality_number": card.municipality_number}

        def in_order(key: str) -> list[Row]:
            rows = story.answers[key] or []
            return [row | tie | {"position": position} for position, row in enumerate(rows)]

        return {
            Person: persons,
            Participation: [participation],
            Activity: in_order("activities"),
            Leave: in_order("leaves"),
            Change: [change | tie for change in story.changes],
        }

    def _person(self, someone: SyntheticPerson) -> Row:
        record = someone.record()
        person = Person(national_id=record.national_id, person_id=self._person_id())
        fetched = night_before(self._day)
        update_person(person, record, fetched)
        if self._random.random() >= _NEVER_FETCHED:
            update_results(person, results_of(someone), fetched)
        row = {column.key: getattr(person, column.key) for column in Person.__mapper__.column_attrs}
        return row | {"id": next(self._person_numbers)}

    def _person_id(self) -> str:
        while (person_id := f"9{self._random.randrange(10**7):07}") in self._person_ids:
            pass
        self._person_ids.add(person_id)
        return person_id

    def _participation(self, card: Card, person: Row, story: Story) -> Row:
        is_over = story.status is Status.DISCHARGED
        number, district = card.municipality_number, card.district_number
        values = story.answers | {"today": self._day, "municipality_number": number}
        return {
            "id": next(self._participation_numbers),
            "public_id": base64.urlsafe_b64encode(self._random.randbytes(12)).decode(),
            "creation_key": self._random.randbytes(16).hex(),
            "person_ref": person["id"],
            "version": story.version,
            "person_id": person["person_id"],
            "national_id": person["national_id"],
            "name": "" if is_over else person["name"],
            "name_key": None if is_over else name_key(person["name"]),
            "name_words": "" if is_over else name_words(person["name"]),
            "protected": person["protection"] is not None,
            "municipality_number": number,
            "municipality_key": self._keys[number],
            "district_key": district_key(district),
            "status": story.status,
            "background_missing": missing_on(BACKGROUND, values, set()),
            "programme_missing": missing_on(PROGRAMME, values, set()),
            "termination_missing": missing_on(TERMINATION, values, set()) if values["end_date"] and not is_over else 0,
            "duration_start": duration_start(
                values["start_date"], ((row["from_date"], row["to_date"]) for row in values["leaves"] or ())
            ),
            "deleted_reason": story.deleted_reason,
            **_moments(story),
            **{_COLUMNS.get(key, key): value for key, value in story.answers.items() if key not in ROW_KEYS},
        }


def _moments(story: Story) -> dict[str, datetime | str | None]:
    """Time and user of the story's turning points."""
    found: dict[str, datetime | str | None] = {}
    for name in ("created", "changed", "discharged", "deleted"):
        found[f"{name}_at"], found[f"{name}_by"] = getattr(story, name) or (None, None)
    return found
