"""The days of demo participations: begin, end and changes on office days in the past, in a plausible order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from random import Random

from services.core.clock import OSLO_TIME
from services.core.status import Status

MONTH = 30.44  # days
_OPENS = 8 * 3600
_OPEN_FOR = 8 * 3600  # seconds from 8 to 16


@dataclass(frozen=True, slots=True)
class Course:
    """The days of a participation.

    `start` and `end`: oppstart and avslutning (None while it runs); `last`: the day of the last change.
    """

    start: date
    end: date | None
    last: date

    @property
    def months(self) -> float:
        """The duration so far, or until the end, in months."""
        return ((self.end or self.last) - self.start).days / MONTH


def course(random: Random, status: Status, today: date, *, earliest: date | None = None) -> Course:
    """The days of a participation with that status; it does not begin before `earliest`, if given."""
    match status:
        case Status.CREATED:
            return _created(random, today)
        case Status.CHANGED:
            return _running(random, today, earliest)
        case Status.ENDED:
            return _ending(random, today)
    return _ended(random, today)


def earlier_course(random: Random, today: date) -> Course:
    """The days of an earlier participation, long enough ago for another one."""
    end = before(today, months(random.uniform(14, 20)))
    start = before(end, months(random.uniform(3, 18)))
    return Course(start, end, workday(end + timedelta(days=random.randrange(1, 30))))


def _created(random: Random, today: date) -> Course:
    start = before(today, timedelta(days=1 + int(random.expovariate(1 / 25))))
    return Course(start, None, _soon(random, start, 8, today))


def _running(random: Random, today: date, earliest: date | None) -> Course:
    start = before(today, months(_running_for(random)))
    if earliest and start < earliest:
        start = before(today, timedelta(days=int(random.uniform(10, (today - earliest).days))))
    silent = timedelta(days=1 + int(random.expovariate(1 / 50)))
    return Course(start, None, max(_soon(random, start, 20, today), before(today, silent)))


def _running_for(random: Random) -> float:
    """Months so far: usually two years at most, three if extended, a few beyond the limit."""
    draw = random.random()
    if draw < 0.87:
        return random.uniform(0.4, 24)
    return random.uniform(24, 36) if draw < 0.98 else random.uniform(36, 39.5)


def _ending(random: Random, today: date) -> Course:
    """The days of a participation with a known end, which may be in the future, not discharged yet."""
    end = today + timedelta(days=random.randrange(-80, 80))
    start = before(min(end, today), months(_lasting(random)))
    last = before(today, timedelta(days=1 + int(random.uniform(0, 25))))
    return Course(start, end, max(last, _soon(random, start, 20, today)))


def _ended(random: Random, today: date) -> Course:
    end = before(today, timedelta(days=4) + months(random.uniform(0, 22.5)))
    start = max(before(end, months(_lasting(random))), before(today, months(40)))
    last = workday(end + timedelta(days=random.randrange(3, 40)))
    return Course(start, end, min(last, workday(_yesterday(today))))


def _lasting(random: Random) -> float:
    """Months from oppstart to the end: many leave early, most near two years, some after an extension."""
    draw = random.random()
    if draw < 0.25:
        return random.uniform(1.5, 10)
    if draw < 0.85:
        return min(random.triangular(8, 24.5, 23.5), 24)
    return random.uniform(24, 35.5)


def months(number: float) -> timedelta:
    """Convert months to days."""
    return timedelta(days=int(number * MONTH))


def before(day: date, time_ago: timedelta) -> date:
    """The office day so long before a day."""
    return workday(day - time_ago)


def workday(day: date) -> date:
    """The day itself, or the Friday before it."""
    return day - timedelta(days=max(day.weekday() - 4, 0))


def between(random: Random, first: date, last: date) -> date:
    """An office day from `first` to `last`."""
    return max(first, workday(first + random.random() * (last - first)))


def _yesterday(today: date) -> date:
    return today - timedelta(days=1)


def _soon(random: Random, day: date, within: int, today: date) -> date:
    """A workday from the workday `day` on, usually within a few days; never today."""
    later = workday(day + timedelta(days=int(random.random() ** 3 * within)))
    return max(day, min(later, workday(_yesterday(today))))


def office_moments(random: Random, days: Iterable[date]) -> Iterator[datetime]:
    """A moment in office hours for each day, one after the other; the days are in order."""
    ordered = list(days)
    if any(later < earlier for earlier, later in pairwise(ordered)):
        raise ValueError("days out of order")
    clock = 0
    for place, day in enumerate(ordered):
        same_day = ordered.count(day)
        if place == 0 or ordered[place - 1] != day:
            clock = _OPENS
        clock += 60 + int(random.random() * (_OPEN_FOR / same_day - 60))
        yield datetime.combine(day, time.min, OSLO_TIME) + timedelta(seconds=clock)


def night_before(today: date) -> datetime:
    """Half past eleven the evening before, when the registers are refreshed."""
    return datetime.combine(_yesterday(today), time(23, 30), OSLO_TIME)
