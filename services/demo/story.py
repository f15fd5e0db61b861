"""The story of a demo participation: which user saved which page when.

A story consists of the same events as real use (create, save a page, discharge, delete), so that status, version and
history agree with the answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from services.core.status import Status
from services.demo.background import Answers, background, returned
from services.demo.days import Course, between, months, office_moments, workday
from services.demo.deal import Card
from services.demo.programme import programme
from services.demo.termination import termination
from services.demo.users import staff
from services.participation.corrections import DELETION_REASONS
from services.questions.pages import BACKGROUND, FIELDS, PROGRAMME, Step
from services.standins.population import SyntheticPerson

_DELETION_REASONS = tuple(option.code for option in DELETION_REASONS if option.code != "other")
_UNFINISHED = 0.2  # share of undischarged participations with gaps on pages 2 and 3


@dataclass
class Story:
    """The state of a participation after its events, and the rows of its history."""

    answers: Answers = field(default_factory=lambda: dict.fromkeys(FIELDS))
    version: int = 0
    status: Status = Status.CREATED
    changes: list[dict[str, Any]] = field(default_factory=list)
    created: tuple[datetime, str] | None = None
    changed: tuple[datetime, str] | None = None
    discharged: tuple[datetime, str] | None = None
    deleted: tuple[datetime, str] | None = None
    deleted_reason: str | None = None

    def save(self, at: datetime, username: str, answers: Mapping[str, Any]) -> None:
        """Save a page; the first one creates."""
        changed = {key: new for key, new in answers.items() if new != self.answers[key]}
        if not changed:
            return
        self.version += 1
        for key, new in changed.items():
            question = FIELDS[key]
            self._tell(at, username, key, question.to_json(self.answers[key]), question.to_json(new))
        self.answers |= changed
        self.changed = (at, username)
        if self.created is None:
            self.created = self.changed
        else:
            self.status = Status.ENDED if self.answers["end_date"] else Status.CHANGED

    def discharge(self, at: datetime, username: str) -> None:
        """Discharge: «Utskriv og registrer ferdig»."""
        self.version += 1
        self._tell(at, username, "discharged", None, True)
        self.status = Status.DISCHARGED
        self.discharged = self.changed = (at, username)

    def delete(self, at: datetime, username: str) -> None:
        """Delete: «Slett deltaker», which leaves «Sist endret» unchanged."""
        self.version += 1
        self.deleted_reason = _DELETION_REASONS[at.second % len(_DELETION_REASONS)]
        self._tell(at, username, "deleted", None, {"reason": self.deleted_reason, "text": ""})
        self.deleted = (at, username)

    def _tell(self, at: datetime, username: str, key: str, old: Any, new: Any) -> None:
        self.changes.append(
            {"version": self.version, "at": at, "username": username, "field": key, "old": old, "new": new}
        )


@dataclass(frozen=True)
class _Event:
    """Answers that are saved on a day; without answers: a discharge or a deletion."""

    day: date
    answers: Answers


def tell(
    random: Random,
    card: Card,
    course: Course,
    person: SyntheticPerson,
    *,
    today: date,
    earlier: Answers | None = None,
) -> Story:
    """The story of a card. `earlier`: the answers of the person's former participation, if there was one."""
    events = _events(random, card, course, person, earlier)
    if card.status is Status.DISCHARGED:
        events.append(_Event(course.last, {}))
    if card.deleted:
        events.append(_Event(between(random, course.last, today - timedelta(days=1)), {}))
    names = staff(card.municipality_number, protected=card.protected)
    usual = random.choice(names)
    story = Story()
    for event, at in zip(events, office_moments(random, (event.day for event in events)), strict=True):
        username = usual if random.random() < 0.75 else random.choice(names)
        if event.answers:
            story.save(at, username, event.answers)
        elif card.deleted:
            story.delete(at, username)
        else:
            story.discharge(at, username)
    return story


def _events(
    random: Random, card: Card, course: Course, person: SyntheticPerson, earlier: Answers | None
) -> list[_Event]:
    """The events of saving the four pages, in order."""
    is_new = card.status is Status.CREATED
    created = course.last if is_new else _early(random, course.start, course, 12)
    funding = "per_capita" if card.per_capita else "ordinary"
    page_1 = {"district": card.district_number, "funding": funding, "start_date": course.start}
    events = [_Event(created, page_1)]
    if is_new:
        return events
    day_2 = _early(random, created, course, 6)
    day_3 = _early(random, day_2, course, 30)
    page_2 = returned(random, earlier, course.start) if earlier else background(random, person, course.start)
    page_3 = programme(random, course, page_2, day_3)
    lacks = random.choice(("2", "3", "all of 3")) if _may_lack(random, card) else ""
    events.append(_Event(day_2, _with_holes(random, BACKGROUND, page_2) if lacks == "2" else page_2))
    if not lacks:
        events += _finished(random, course, day_3, page_3)
    elif lacks == "3":
        events.append(_Event(course.last, _with_holes(random, PROGRAMME, page_3)))
    return events + _ending(random, card, course, page_2)


def _may_lack(random: Random, card: Card) -> bool:
    """True for a share of those who are not discharged: pages 2 and 3 have gaps."""
    return card.status is not Status.DISCHARGED and random.random() < _UNFINISHED


def _early(random: Random, day: date, course: Course, within: int) -> date:
    """An office day soon after `day`, usually the same, and not after the course's last."""
    days = 0 if random.random() < 0.5 else int(random.random() * within)
    return max(day, min(workday(day + timedelta(days=days)), course.last))


def _with_holes(random: Random, step: Step, answers: Answers) -> Answers:
    """The answers without one to four of them, and without those that depend on these."""
    keys = [question.key for question in step.fields if answers[question.key] is not None]
    return step.pruned(answers | dict.fromkeys(random.sample(keys, random.randrange(1, 5))))


def _finished(random: Random, course: Course, written: date, final: Answers) -> list[_Event]:
    """Page 3 as first written, and later changes, the last of them on the course's last day while the participant takes
    part."""
    later: list[_Event] = []

    def afterwards(earliest: date, *keys: str) -> None:
        day = between(random, min(max(earliest, written), course.last), course.last)
        later.append(_Event(day, {key: final[key] for key in keys}))

    first = dict(final)
    if random.random() < 0.35:
        first["hours_per_week"] += 5 if first["hours_per_week"] < 25 else -5
        afterwards(written, "hours_per_week")
    if final["extension"]:
        keys = ("extension", "extension_reason", "planned_end", "extra_year")
        first |= dict.fromkeys(keys)
        afterwards(course.start + months(22), *keys)
    if final["leaves"]:
        first["leaves"] = None
        afterwards(final["leaves"][-1]["from_date"], "leaves")
    if final["activities"]:
        first["activities"] = [final["activities"][0] | {"to_date": None}]
        afterwards(final["activities"][-1]["from_date"], "activities")
    if later and not course.end:
        later[-1] = replace(later[-1], day=course.last)
    return [_Event(written, first), *sorted(later, key=lambda event: event.day)]


def _ending(random: Random, card: Card, course: Course, page_2: Answers) -> list[_Event]:
    """Page 4; half of those who are not discharged yet have little more than the date."""
    if course.end is None:
        return []
    page_4 = termination(random, course, page_2)
    if card.status is not Status.DISCHARGED and random.random() < 0.5:
        page_4 = {key: page_4[key] for key in ("end_date", "absence_valid")}
    return [_Event(course.last, page_4)]
