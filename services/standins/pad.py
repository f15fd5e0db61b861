"""A stand-in for PAD: seeded results for about 60 % of the synthetic people."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from werkzeug.wrappers import Request, Response

from services.core import national_id
from services.registers.pad.client import (
    CITIZENSHIP_TEST,
    CIVICS_TEST,
    FAILED,
    LEVELS,
    NORWEGIAN_TEST,
    NORWEGIAN_TEST_C1,
    PARTS,
    PASSED,
    PATH,
    TestResult,
    newest_first,
)
from services.standins.population import SEED, by_number
from services.standins.server import Standin, json_answer
from services.standins.synthetic_person import SyntheticPerson

_LAST_TEST = date(2026, 3, 1)
_SHARE = 0.6
_ERRORS = {
    400: ("PAD-400", "Feil i mottatte data."),
    401: ("PAD-401", "Ikke autentisert."),
    403: ("PAD-403", "Ikke autorisert."),
    404: ("PAD-404", "Fant ikke ressursen."),
    429: ("PAD-429", "For mange kall på for kort tid."),
    500: ("PAD-500", "Feil i tjenesten."),
}


def results_of(person: SyntheticPerson, seed: int = SEED) -> list[TestResult]:
    """The results of a person, newest first. Also used in-process, by the demo data."""
    random = Random(f"{seed}/{person.current_number}")  # a text as seed gives the same on every machine
    if random.random() >= _SHARE or not person.full_name or "child" in person.kinds:
        return []
    first = max(person.arrivals[0].day if person.arrivals else _LAST_TEST - timedelta(days=3000), date(2014, 1, 1))
    form = "nynorsk" if random.random() < 0.08 else "bokmål"
    results = _norwegian(random, first, form)
    if random.random() < 0.45:
        results += _passable(random, CIVICS_TEST, first)
    if random.random() < 0.12:
        results += _passable(random, CITIZENSHIP_TEST, first)
    if random.random() < 0.03:
        day = _day(random, first)
        results.append(TestResult(NORWEGIAN_TEST_C1, None, day, random.choice(("C1", FAILED)), form))
    return newest_first(results)


def _norwegian(random: Random, first: date, form: str) -> list[TestResult]:
    """One to three attempts at the four parts (not always all), mostly improving, with relapses."""
    results: dict[tuple[str, date], TestResult] = {}
    level = random.choice((0, 1, 1, 2, 2, 3))
    for day in sorted(_day(random, first) for _ in range(random.choice((1, 1, 2, 3)))):
        for part in PARTS:
            if random.random() < 0.85:
                reached = min(max(level + random.choice((-1, 0, 0, 1)), 0), len(LEVELS) - 1)
                results[part, day] = TestResult(NORWEGIAN_TEST, part, day, LEVELS[reached], form)
        level = min(level + random.choice((0, 1, 1)), len(LEVELS) - 1)
    return list(results.values())


def _passable(random: Random, test: str, first: date) -> list[TestResult]:
    day = _day(random, first)
    if random.random() < 0.7:
        return [TestResult(test, None, day, PASSED, None)]
    again = day + timedelta(days=random.randrange(60, 200))
    second = [TestResult(test, None, again, PASSED, None)] if again <= _LAST_TEST else []
    return [TestResult(test, None, day, FAILED, None), *second]


def _day(random: Random, first: date) -> date:
    """A day from `first` on, and not after the last day of tests."""
    earliest = min(first + timedelta(days=120), _LAST_TEST - timedelta(days=10))
    return earliest + timedelta(days=random.randrange((_LAST_TEST - earliest).days))


class PadStandin(Standin):
    """`POST /resultater`. Persons without results, and unknown ones, get an empty list."""

    def __init__(self, seed: int = SEED) -> None:
        super().__init__()
        self._seed = seed

    def answer(self, request: Request) -> Response:
        """The list of results, or an error."""
        if request.path != PATH or request.method != "POST":
            return self.failure_answer(404)
        number = self.number_asked_for(request)
        if number is None:
            return self.failure_answer(400)
        try:
            national_id.parse(number)
        except national_id.InvalidNationalId:
            return self.failure_answer(400)
        person = by_number(self._seed).get(number)
        return json_answer([_element(result) for result in results_of(person, self._seed)] if person else [])

    def failure_answer(self, status: int) -> Response:
        """An error in the form that the client knows."""
        code, message = _ERRORS[status]
        return json_answer({"kode": code, "melding": message}, status)

    def number_asked_for(self, request: Request) -> str | None:
        """The number in the body; the body is kept, so that it can be read again."""
        body = request.get_json(silent=True)
        number = body.get("nummer") if isinstance(body, dict) else None
        return number if isinstance(number, str) else None


def _element(result: TestResult) -> dict[str, str | None]:
    return {
        "prove": result.test,
        "delprove": result.part,
        "dato": result.date.isoformat(),
        "resultat": result.result,
        "spraakform": result.written_form,
    }
