"""Plausible answers to page 4, «Avslutning»: reason, outcome, livelihood and level of Norwegian."""

from random import Random

from services.demo.background import LEVELS, Answers
from services.demo.days import Course

_AFTER_COMPLETION = {
    "completed_work": 42,
    "completed_education": 17,
    "completed_both": 6,
    "completed_neither": 14,
    "completed_time": 12,
}
_BEFORE_TIME = {
    "got_work": 20,
    "began_education": 9,
    "moved": 12,
    "left_norway": 2,
    "illness": 10,
    "parental": 12,
    "care": 7,
    "other_measure": 8,
    "no_show": 8,
    "unwilling": 9,
    "not_target": 3,
    "other": 4,
}
_OUTCOMES = {
    "completed_work": ("work",),
    "completed_education": ("study",),
    "completed_both": ("work", "study"),
    "completed_neither": ("other",),
    "completed_time": ("other",),
    "got_work": ("work",),
    "began_education": ("study",),
    "other_measure": ("other",),
}
_OTHER_REASONS = (
    "Fikk ikke barnehageplass",
    "Lang reisevei til programmet",
    "Ønsker å vente til barnet er større",
)
_OTHER_KINDS = {
    "completed_neither": ("labour_measure", "homemaker", "social", "unknown"),
    "completed_time": ("labour_measure", "qualification", "social", "homemaker"),
    "other_measure": ("qualification", "labour_measure", "aap"),
}
# The livelihoods that are possible after each outcome.
_LIVED_OF = {
    "social": ("social",),
    "aap": ("nav_other",),
    "qualification": ("nav_other",),
    "labour_measure": ("nav_other", "social"),
    "homemaker": ("spouse",),
    "unknown": ("unknown",),
}


def termination(random: Random, course: Course, start_answers: Answers) -> Answers:
    """All answers of page 4 for a course that has an end."""
    reasons = _AFTER_COMPLETION if course.months > 12 and random.random() < 0.75 else _BEFORE_TIME
    reason = random.choices(tuple(reasons), tuple(reasons.values()))[0]
    outcome = list(_OUTCOMES.get(reason, ()))
    answers: Answers = {
        "end_reason": reason,
        "end_reason_text": random.choice(_OTHER_REASONS) if reason == "other" else None,
        "end_date": course.end,
        "outcome": outcome or None,
        **_absence(random, course),
        **dict.fromkeys(("job_kind", "job_percent", "job_sector", "job_industry", "job_subsidy")),
        **dict.fromkeys(("study_kind", "study_load", "other_kind")),
        **_norwegian(random, course, start_answers),
    }
    if "work" in outcome:
        answers |= _work(random)
    if "study" in outcome:
        answers |= _study(random)
    if "other" in outcome:
        answers["other_kind"] = random.choice(_OTHER_KINDS[reason])
    return answers | {"livelihood_end": _livelihood(random, answers, start_answers)}


def _absence(random: Random, course: Course) -> Answers:
    months = max(int(course.months), 0)
    valid = sum(random.choice((0, 0, 1, 1, 2, 3)) for _ in range(months))
    return {"absence_valid": valid, "absence_invalid": random.choice((0, 0, 0, months // 4, months // 2))}


def _work(random: Random) -> Answers:
    kind = random.choices(("permanent", "temporary", "on_call", "apprentice", "self_employed"), (30, 38, 18, 10, 4))[0]
    sector, industry = random.choice(
        (
            ("public", "health"),
            ("public", "health"),
            ("public", "education"),
            ("public", "education"),
            ("private", "education"),
            ("private", "cleaning"),
            ("private", "cleaning"),
            ("private", "shop"),
            ("private", "shop"),
            ("private", "hospitality"),
            ("private", "manufacturing"),
            ("private", "transport"),
            ("private", "office"),
            ("voluntary", "other"),
        )
    )
    return {
        "job_kind": kind,
        "job_percent": random.choice((20, 35, 40, 50, 50, 60, 75, 80, 100, 100, 100)),
        "job_sector": sector,
        "job_industry": industry,
        "job_subsidy": random.choice(("no", "no", "yes", None)),
    }


def _study(random: Random) -> Answers:
    return {
        "study_kind": random.choices(
            ("primary", "upper_secondary", "vocational_college", "university", "other"), (18, 52, 12, 10, 8)
        )[0],
        "study_load": random.choice(("full", "full", "full", "part")),
    }


def _livelihood(random: Random, answers: Answers, start_answers: Answers) -> str:
    if answers["job_percent"]:
        return "wage" if answers["job_percent"] >= 40 else "part_time"
    if answers["study_kind"] not in {None, "primary"}:
        return "student"
    if answers["other_kind"]:
        return random.choice(_LIVED_OF[answers["other_kind"]])
    before: str = start_answers["livelihood_start"]
    return before


def _norwegian(random: Random, course: Course, start_answers: Answers) -> Answers:
    """Progress of about a level a year, faster in speaking than in writing; nobody gets worse."""
    answers: Answers = {}
    for skill, pace in (("oral", 1.0), ("written", 0.8)):
        before = start_answers[f"{skill}_start"]
        if before == "unmapped":
            answers[f"{skill}_end"] = random.choice(("unmapped", "a2", "b1"))
        else:
            gained = int(random.random() * (1.2 + pace * course.months / 12))
            answers[f"{skill}_end"] = LEVELS[min(LEVELS.index(before) + gained, len(LEVELS) - 1)]
    return answers
