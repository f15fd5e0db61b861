"""Plausible answers to page 3, «Programinnhold»: plan, goals, tiltak and permisjon within the period."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from services.core.row_keys import ROW_KEY
from services.demo.background import LEVELS, Answers
from services.demo.days import Course, before, months, workday

_KINDS = (
    *("norwegian",) * 8,
    *("language_practice",) * 6,
    *("work_practice",) * 6,
    *("career",) * 4,
    *("digital",) * 3,
    *("basic_skills",) * 3,
    *("trade_course", "trade_course", "society", "trade_norwegian", "upper_secondary", "vocational"),
    *("primary_school", "recognition", "trade_trial", "part_time_work", "life_skills", "parenting"),
    *("health", "other"),
)
_COMMENTS = (
    "To dager i uken",
    "Sammen med voksenopplæringen",
    "Butikk i nærmiljøet",
    "Barnehage",
    "Kjøkken på sykehjem",
    "Kurs hos Nav",
    "Fast kontaktperson på arbeidsplassen",
    "Starter med halve dager, øker etter hvert",
)
_OTHER_GOALS = ("Ta førerkort", "Bli tryggere på å bruke norsk i hverdagen", "Finne ut hvilket yrke som passer")
_EXTENSION_REASONS = (
    "Trenger mer tid til å nå nivået som læreplassen krever.",
    "Har hatt avbrudd i programmet og trenger mer arbeidspraksis.",
    "Er nær målet om fagprøve og fullfører i forlengelsen.",
    "Trenger bedre norsk skriftlig før hun kan søke arbeid.",
)


def programme(random: Random, course: Course, start_answers: Answers, written: date) -> Answers:
    """All final answers of page 3. `start_answers`: those of page 2; `written`: the day when the page was first filled
    in."""
    hours = Decimal(random.choice(("30.0", "30.0", "30.0", "30.0", "37.5", "25.0", "22.5", "20.0", "27.5")))
    answers: Answers = {
        "hours_per_week": hours,
        "allowance": "yes" if random.random() < 0.87 else "no",
        "no_activities": None,
        "activities": None,
        "leaves": _leaves(random, course),
        "extension": None,
        "extension_reason": None,
        "planned_end": None,
        "extra_year": None,
    }
    if course.end and course.months < 6 and random.random() < 0.15:
        answers["no_activities"] = True
    else:
        answers["activities"] = _activities(random, course, hours)
    answers |= _plan(random, course.start, written)
    answers |= _goals(random, start_answers)
    return answers | _extension(random, course, start_answers)


def _plan(random: Random, start: date, written: date) -> Answers:
    if random.random() < 0.1:
        return {"individual_plan": "no", "plan_date": None}
    made = workday(start + timedelta(days=random.randrange((written - start).days + 1)))
    return {"individual_plan": "yes", "plan_date": max(start, made)}


def _goals(random: Random, start_answers: Answers) -> Answers:
    order = ("work", "education", "norwegian_test", "basic_skills", "other")
    goals = [code for code, share in zip(order, (0.75, 0.3, 0.5, 0.25, 0.06), strict=True) if random.random() < share]
    goals = goals or ["work"]
    answers: Answers = {"goals": goals, "goals_other": None, "goal_level": None}
    if "other" in goals:
        answers["goals_other"] = random.choice(_OTHER_GOALS)
    if "norwegian_test" in goals and random.random() < 0.9:
        oral = start_answers["oral_start"]
        now = LEVELS.index(oral) if oral in LEVELS else 1
        answers["goal_level"] = LEVELS[min(now + 1, len(LEVELS) - 1)]
    return answers


def _activities(random: Random, course: Course, hours: Decimal) -> list[dict[str, Any]]:
    """One to four rows, one after the other; the last one is open while the participant takes part."""
    count = random.choice((1, 2, 2, 3, 3, 4)) if course.months > 4 else random.choice((1, 1, 2))
    kinds = _some_kinds(random, count)
    until = course.end or course.last
    length = max((until - course.start).days, 0)
    edges = sorted(random.randrange(length + 1) for _ in kinds[1:])
    days = [course.start + timedelta(days=edge) for edge in (0, *edges, length)]
    rows = []
    for place, kind in enumerate(kinds):
        is_open = place == len(kinds) - 1 and course.end is None
        rows.append(
            {
                ROW_KEY: f"{place:012x}",
                "kind": kind,
                "from_date": days[place],
                "to_date": None if is_open else days[place + 1],
                "hours": min(Decimal(random.choice(("6.0", "12.0", "15.0", "18.0", "22.5", "30.0"))), hours),
                "comment": random.choice(_COMMENTS) if random.random() < 0.3 else None,
            }
        )
    return rows


def _some_kinds(random: Random, count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        kind = random.choice(_KINDS)
        if kind not in found:
            found.append(kind)
    return found


def _leaves(random: Random, course: Course) -> list[dict[str, Any]] | None:
    until = course.end or course.last
    free = (until - course.start).days - 60
    if free < 60 or random.random() > 0.16:
        return None
    kind = random.choice(("parental", "parental", "illness", "care", "other"))
    length = random.randrange(120, 330) if kind == "parental" else random.randrange(10, 60)
    first = course.start + timedelta(days=60 + random.randrange(max(free - length, 1)))
    last = min(first + timedelta(days=length), until)
    return [{ROW_KEY: f"{0:012x}", "from_date": first, "to_date": last, "kind": kind}]


def _extension(random: Random, course: Course, start_answers: Answers) -> Answers:
    """An extension for most of those who go on after two years; some simply exceed their time."""
    if course.months < 22 or random.random() < 0.1:
        return {}
    if course.months < 24.2 and (course.end or random.random() < 0.5):
        return random.choice(({}, {"extension": "no"}))
    answers = {"extension": "yes", **_reason(random, course)}
    if start_answers["literacy"] == "missing" and course.months > 35:
        answers["extra_year"] = "yes"
    return answers


def _reason(random: Random, course: Course) -> Answers:
    planned = before(course.start, -months(random.uniform(30, 36)))
    return {"extension_reason": random.choice(_EXTENSION_REASONS), "planned_end": planned}
