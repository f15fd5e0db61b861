"""Filling an empty register with demo data, in one transaction."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

from sqlalchemy import exists, insert, select, update
from sqlalchemy.orm import Session

from services.accounts import hash_password
from services.codes import district_name
from services.db import Base, session, writing
from services.demo.background import Answers
from services.demo.days import course, earlier_course, months, night_before
from services.demo.deal import PER_CAPITA, Card, deal
from services.demo.people import Queue
from services.demo.story import Story, tell
from services.demo.users import PASSWORD, USERS
from services.folkeregisteret.population import SyntheticPerson
from services.models import (
    Activity,
    Change,
    Leave,
    Municipality,
    Participation,
    Person,
    RoleGrant,
    Status,
    User,
)
from services.norwegian_order import sort_key
from services.pad.standin import results_of
from services.registers import Accepts
from services.registration import missing_on, name_key, today, update_person, update_results
from services.steps import BACKGROUND, PROGRAMME, ROW_KEYS

_BATCH = 1000  # persons
_COLUMNS = {"district": "district_number"}
_NEVER_FETCHED = 0.01  # share of persons whose test results PAD could not give


class NotForRealPeople(RuntimeError):  # noqa: N818 - says what is the case
    """A register of real people takes no demo data."""


def fill(*, participants: int, seed: int, accepts: Accepts = "synthetic", on: date | None = None) -> bool:
    """Fill the register with the demo users and that many participations, unless it holds something.

    `accepts` is which numbers the installation takes, `on` the day that counts as today. The people are always
    the stand-ins' own; the seed decides who of them and what is registered. Gives whether it was filled.
    Raises `NotForRealPeople`, and ValueError for a negative number.
    """
    if accepts == "real":
        raise NotForRealPeople("demo data do not belong in a register of real people")
    if participants < 0:
        raise ValueError("participants must not be negative")
    day = on or today()
    if _holds_something():
        return False
    password_hash = hash_password(PASSWORD)  # slow on purpose, so before the transaction, and once for all
    with writing() as work:
        if _holds_something():  # somebody may have been faster
            return False
        _add_users(work, day, password_hash)
        work.execute(update(Municipality).where(Municipality.number.in_(PER_CAPITA)).values(funding="per_capita"))
        _add_participants(work, Random(seed), participants, day)
    return True


def _holds_something() -> bool:
    return bool(session().scalar(select(exists(select(User)) | exists(select(Participation)))))


def _add_users(work: Session, day: date, password_hash: str) -> None:
    """They are older than what they have registered."""
    since = night_before(day) - months(42)
    for place, demo in enumerate(USERS):
        user = User(
            username=demo.username,
            name=demo.name,
            email=demo.email,
            phone=f"+47 00 00 00 {place + 1:02}",  # a number that nobody can have
            password_hash=password_hash,
            sees_protected=demo.sees_protected,
            is_demo=True,
            created_at=since + timedelta(days=place),
        )
        numbers = demo.municipality_numbers or (None,)
        user.grants = [RoleGrant(role=demo.role.value, municipality_number=number) for number in numbers]
        work.add(user)
    work.flush()


def _add_participants(work: Session, random: Random, count: int, day: date) -> None:
    keys = {row.number: row.name_key for row in work.execute(select(Municipality.number, Municipality.name_key))}
    made = _Maker(random, day, count, keys).participations(count)
    while batch := list(islice(made, _BATCH)):
        work.add_all(participation for participation, _ in batch)
        work.flush()
        _insert(work, Change, [row for p, story in batch for row in _of(p, story.changes)])
        _insert(work, Activity, [row for p, story in batch for row in _numbered(p, story, "activities")])
        _insert(work, Leave, [row for p, story in batch for row in _numbered(p, story, "leaves")])
        work.expunge_all()


def _insert(work: Session, model: type[Base], rows: list[dict[str, Any]]) -> None:
    """Past the ORM, which takes twice the time for many rows."""
    if rows:
        work.connection().execute(insert(Base.metadata.tables[model.__tablename__]), rows)


def _numbered(participation: Participation, story: Story, key: str) -> list[dict[str, Any]]:
    return [row | {"position": position} for position, row in enumerate(_of(participation, story.answers[key] or []))]


def _of(participation: Participation, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with what ties them to their participation."""
    tie = {"participation_ref": participation.id, "municipality_number": participation.municipality_number}
    return [row | tie for row in rows]


class _Maker:
    """Makes one participation after the other, each with its story."""

    def __init__(self, random: Random, day: date, needed: int, municipality_keys: dict[str, str]) -> None:
        self._random = random
        self._day = day
        self._queue = Queue(random, needed, day)
        self._keys = municipality_keys
        self._person_ids: set[str] = set()

    def participations(self, count: int) -> Iterator[tuple[Participation, Story]]:
        """That many, the earlier ones of those who have returned among them."""
        for card in deal(self._random, count):
            someone = self._queue.next(protected=card.protected)
            person = self._person(someone)
            earlier: Answers | None = None
            earliest: date | None = None
            if card.returned:
                first = earlier_course(self._random, self._day)
                before = replace(card, status=Status.DISCHARGED)
                story = tell(self._random, before, first, someone, today=self._day)
                yield self._participation(before, person, story), story
                earlier, earliest = story.answers, first.last + timedelta(days=20)
            days = course(self._random, card.status, self._day, earliest=earliest)
            story = tell(self._random, card, days, someone, today=self._day, earlier=earlier)
            yield self._participation(card, person, story), story

    def _person(self, someone: SyntheticPerson) -> Person:
        record = someone.record()
        person = Person(national_id=record.national_id, person_id=self._person_id())
        fetched = night_before(self._day)
        update_person(person, record, fetched)
        if self._random.random() >= _NEVER_FETCHED:
            update_results(person, results_of(someone), fetched)
        return person

    def _participation(self, card: Card, person: Person, story: Story) -> Participation:
        number = card.municipality_number
        is_over = story.status is Status.DISCHARGED
        participation = Participation(
            public_id=base64.urlsafe_b64encode(self._random.randbytes(12)).decode(),
            creation_key=self._random.randbytes(16).hex(),
            person=person,
            version=story.version,
            person_id=person.person_id,
            national_id=person.national_id,
            name="" if is_over else person.name,
            name_key=None if is_over else name_key(person.name),
            protected=person.protection is not None,
            municipality_number=number,
            municipality_key=self._keys[number],
            district_key=sort_key(district_name(card.district_number)) if card.district_number else None,
            status=story.status,
            **_moments(story),
            **{_COLUMNS.get(key, key): value for key, value in story.answers.items() if key not in ROW_KEYS},
        )
        values = story.answers | {"today": self._day, "municipality_number": number}
        participation.background_missing = missing_on(BACKGROUND, values, set())
        participation.programme_missing = missing_on(PROGRAMME, values, set())
        return participation

    def _person_id(self) -> str:
        while (person_id := f"9{self._random.randrange(10**7):07}") in self._person_ids:
            pass
        self._person_ids.add(person_id)
        return person_id


def _moments(story: Story) -> dict[str, datetime | str | None]:
    """When, and by whom, the story's turning points were."""
    found: dict[str, datetime | str | None] = {}
    for name in ("created", "changed", "discharged", "deleted"):
        found[f"{name}_at"], found[f"{name}_by"] = getattr(story, name) or (None, None)
    return found
