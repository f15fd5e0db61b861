"""Plausible answers to page 2, «Bakgrunn». They agree with each other, with the person, and with oppstart."""

from datetime import date
from random import Random
from typing import Any

from services.standins.population import SyntheticPerson

Answers = dict[str, Any]

LEVELS = ("below_a1", "a1", "a2", "b1", "b2", "c1")
_LANGUAGES = {
    "SYR": ("ara", "ara", "ara", "kmr"),
    "IRQ": ("ara", "ckb", "ara"),
    "MAR": ("ara",),
    "SDN": ("ara", "ara", "other"),
    "XXX": ("ara",),
    "ERI": ("tir", "tir", "tir", "other"),
    "ETH": ("amh", "amh", "orm", "tir"),
    "SOM": ("som",),
    "AFG": ("prs", "prs", "pus", "uzb"),
    "IRN": ("fas", "fas", "ckb"),
    "UKR": ("ukr", "ukr", "rus"),
    "RUS": ("rus", "rus", "che"),
    "SUN": ("rus",),
    "POL": ("pol",),
    "TUR": ("tur", "tur", "kmr"),
    "THA": ("tha",),
    "PAK": ("urd", "pan", "urd"),
    "LKA": ("tam",),
    "VNM": ("vie",),
    "PHL": ("fil",),
    "COD": ("swa", "lin", "fra"),
    "MMR": ("mya", "other"),
    "XXK": ("alb",),
    "BIH": ("bos",),
    "YUG": ("bos", "alb"),
    "BRA": ("por",),
    "NOR": ("nor",),
}
_OF_NO_COUNTRY = frozenset({"XXX", "XUK", None})
_LITTLE_SCHOOL = ("none", "none", "years_1_7")
_SCHOOL = ("years_1_7", "years_8_10", "years_8_10", "upper_secondary", "unknown")
_MUCH_SCHOOL = (
    "years_8_10",
    "upper_secondary",
    "upper_secondary",
    "vocational_college",
    "university_short",
    "university_long",
)
_HIGHER = frozenset({"upper_secondary", "vocational_college", "university_short", "university_long"})
_RECRUITMENT = (
    *("nav",) * 5,
    *("adult_education",) * 4,
    *("network",) * 4,
    *("refugee_service", "refugee_service", "clinic_school", "clinic_school", "herself", "herself"),
    *("voluntary", "other"),
)


def background(random: Random, person: SyntheticPerson, start: date) -> Answers:
    """All answers of page 2 for a participation that begins at `start`."""
    answers: Answers = {"recruitment": random.choice(_RECRUITMENT)}
    answers |= _livelihood(random, person)
    answers |= _measures(random, person, start)
    answers |= _schooling(random, person)
    answers |= _norwegian(random)
    answers |= _work(random)
    return answers | _children(random, person, start)


def returned(random: Random, first: Answers, start: date) -> Answers:
    """The answers of a participant who returns: unchangeable facts are as before."""
    again = first | _norwegian(random, at_least=first["oral_start"])
    again["earlier_measures"] = [*(code for code in first["earlier_measures"] if code != "none"), "jobbsjansen"]
    if first["children"] and first["youngest_child"] < start.year - 17:
        again |= {"children": 0, "youngest_child": None}
    return again


def _livelihood(random: Random, person: SyntheticPerson) -> Answers:
    married = person.marital_status == "gift"
    group = random.choices(
        ("homemaker", "transitional", "social", "other"), (78, 1, 14, 7) if married else (30, 32, 28, 10)
    )[0]
    sources = {
        "homemaker": ("spouse",) * 9 + ("nav_other",) if married else ("nav_other", "other", "unknown"),
        "transitional": ("transitional",),
        "social": ("social",),
        "other": ("part_time", "nav_other", "other", "unknown"),
    }
    return {"target_group": group, "livelihood_start": random.choice(sources[group])}


def _measures(random: Random, person: SyntheticPerson, start: date) -> Answers:
    """Earlier measures: the introduction programme only for those who had time for it, usually ended two years ago."""
    measures = {code for code in ("norwegian", "qualification", "labour_measure") if random.random() < 0.3}
    intro_end = None
    if person.arrivals and random.random() < 0.35:
        arrived = person.arrivals[0].day
        waited = 24 if random.random() < 0.93 else 10  # months
        least = (arrived.year + 1) * 12 + arrived.month - 1
        most = start.year * 12 + start.month - 1 - waited
        least = max(least, most - 60)
        if least <= most:
            month = random.randrange(least, most + 1)
            intro_end = date(month // 12, month % 12 + 1, 1)
            measures.add("introduction")
    order = ("introduction", "norwegian", "qualification", "labour_measure")
    return {"earlier_measures": [c for c in order if c in measures] or ["none"], "intro_end": intro_end}


def _schooling(random: Random, person: SyntheticPerson) -> Answers:
    literacy = random.choices(("missing", "basic", "good"), (14, 34, 52))[0]
    schools = {"missing": _LITTLE_SCHOOL, "basic": _SCHOOL, "good": _MUCH_SCHOOL}
    education = random.choice(schools[literacy])
    answers: Answers = {"literacy": literacy, "education": education, "mother_tongue": None}
    if random.random() < 0.9:
        answers["mother_tongue"] = _mother_tongue(random, person)
    schooled = education not in {"none", "unknown"} and person.birth_country not in _OF_NO_COUNTRY
    answers["education_country"] = person.birth_country if schooled and random.random() < 0.8 else None
    answers["education_recognised"] = None
    if random.random() < 0.7:
        recognised = ("no", "no", "yes", "applied") if education in _HIGHER else ("not_relevant",)
        answers["education_recognised"] = random.choice(recognised)
    return answers


def _mother_tongue(random: Random, person: SyntheticPerson) -> str:
    if "sami_name" in person.kinds:
        return "sme"
    return random.choice(_LANGUAGES.get(person.birth_country or "", ("other",)))


def _norwegian(random: Random, at_least: str = "below_a1") -> Answers:
    """Levels of Norwegian, speaking often a step ahead of writing."""
    if at_least == "unmapped" or random.random() < 0.04:
        return {"oral_start": "unmapped", "written_start": "unmapped"}
    oral = max(random.choices(range(5), (10, 30, 36, 20, 4))[0], LEVELS.index(at_least))
    written = max(oral - random.choice((0, 0, 1, 1)), 0)
    return {"oral_start": LEVELS[oral], "written_start": LEVELS[written]}


def _work(random: Random) -> Answers:
    experience = random.choices(("none", "abroad", "norway", "both"), (52, 26, 15, 7))[0]
    length = None
    if experience in {"norway", "both"} and random.random() < 0.85:
        length = random.choice(("under_6", "under_6", "from_6_to_12", "from_6_to_12", "years_1_3", "over_3"))
    return {"work_experience": experience, "work_norway": length}


def _children(random: Random, person: SyntheticPerson, start: date) -> Answers:
    """Children: no more than the person has had years for, the youngest under 18."""
    grown_up = (person.birth_date.year if person.birth_date else start.year) + 19
    wished = random.choices(range(8), (10, 17, 28, 22, 12, 6, 3, 2))[0]
    children = max(min(wished, (start.year - grown_up) // 2), 0)
    if not children:
        return {"children": 0, "youngest_child": None}
    earliest = max(grown_up + 2 * (children - 1), start.year - 16)
    youngest = earliest + int((start.year - earliest + 1) * random.random() ** 0.5)
    return {"children": children, "youngest_child": youngest}
