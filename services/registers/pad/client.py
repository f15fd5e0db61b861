"""Client of PAD, HK-dir's test administration: a person's results in Norwegian and civics.

PAD has no public interface. This is our own small one, to be implemented by an adapter in front of PAD: `POST
{base}/resultater` with `{"nummer": "…"}` gives a list of objects with `prove`, `delprove`, `dato`, `resultat` and
`spraakform`. The number is sent in the body, so that it is in no address and no access log. Errors are as
Folkeregisteret's, `{"kode", "melding"}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from services.registers.errors import AccessDenied, NotFound, RegisterFault, Unavailable, WrongNumber
from services.registers.http import (
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    Answer,
    CircuitBreaker,
    RegisterHttp,
    RegisterRequest,
)

PATH = "/resultater"
NORWEGIAN_TEST = "Norskprøven A1–B2"
NORWEGIAN_TEST_C1 = "Norskprøven C1"
CIVICS_TEST = "Samfunnskunnskapsprøven"
CITIZENSHIP_TEST = "Statsborgerprøven"
TESTS = (NORWEGIAN_TEST, NORWEGIAN_TEST_C1, CIVICS_TEST, CITIZENSHIP_TEST)
PARTS = ("lese", "lytte", "skriftlig", "muntlig")
# From the worst to the best, for each test.
LEVELS = ("Ikke nok grunnlag for vurdering", "Under A1", "A1", "A2", "B1", "B2")
FAILED, PASSED = "Ikke bestått", "Bestått"
_RANKS = {result: rank for rank, result in enumerate((*LEVELS, FAILED, PASSED, "C1"))}
_NAME = "PAD"
_LONGEST = 200  # characters of a text
_NUMBER = re.compile(r"[0-9]{11}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class TestResult:
    """One result: prove, delprove, dato, resultat and språkform.

    part: lese, lytte, skriftlig or muntlig; None for tests without parts.
    written_form: bokmål, nynorsk or None.
    """

    __test__: ClassVar[bool] = False  # keeps pytest from collecting the class

    test: str
    part: str | None
    date: date
    result: str
    written_form: str | None


class PadClient:
    """Fetches results from PAD. Thread-safe. Nothing is cached.

    base_url: before `/resultater`; timeout: seconds to connect and to wait for the response.
    """

    def __init__(
        self,
        *,
        base_url: str,
        timeout: tuple[float, float] = (CONNECT_TIMEOUT, READ_TIMEOUT),
        breaker: CircuitBreaker | None = None,
    ) -> None:
        self._http = RegisterHttp(_NAME, base_url, timeout=timeout, breaker=breaker)

    def results(self, national_id: str, *, hurried: bool = False) -> list[TestResult]:
        """All results of the person with this number (eleven digits), newest first; [] if there are none.

        `hurried`: use short time limits and no retry. Raises WrongNumber, NotFound, AccessDenied, Busy and Unavailable.
        """
        if not _NUMBER.fullmatch(national_id):
            raise WrongNumber(_NAME, "not eleven digits")
        question = RegisterRequest("POST", PATH, {"Accept": "application/json"}, json={"nummer": national_id})
        return newest_first(self._http.ask(lambda: question, _read, hurried=hurried))


def newest_first(results: Iterable[TestResult]) -> list[TestResult]:
    """The results by date, the newest first; those of one day in the order of tests and parts."""
    return sorted(sorted(results, key=_place), key=lambda result: result.date, reverse=True)


def best_per_part(results: Iterable[TestResult]) -> list[TestResult]:
    """The best result of every part of every test, in the order of tests and parts; of equals the newest.

    An unknown result counts as worse than all known ones.
    """
    best: dict[tuple[str, str | None], TestResult] = {}
    for result in results:
        key = (result.test, result.part)
        if key not in best or _merit(result) > _merit(best[key]):
            best[key] = result
    return sorted(best.values(), key=_place)


def _merit(result: TestResult) -> tuple[int, date]:
    return _RANKS.get(result.result, -1), result.date


def _place(result: TestResult) -> tuple[int, str, int, str]:
    """The sort key of a result: known tests and parts in their own order, others after them by name."""
    part = result.part or ""
    return _index(TESTS, result.test), result.test, _index(PARTS, part), part


def _index(order: tuple[str, ...], value: str) -> int:
    return order.index(value) if value in order else len(order)


def _read(answer: Answer) -> list[TestResult]:
    if answer.status in {401, 403}:
        fault = RegisterFault.UNKNOWN_CALLER if answer.status == 401 else RegisterFault.NOT_ALLOWED
        raise AccessDenied(_NAME, f"status {answer.status}", fault)
    try:
        body = answer.json()
    except ValueError:
        raise Unavailable(_NAME, f"status {answer.status} without JSON", RegisterFault.UNREADABLE) from None
    if answer.status >= 400:
        _refuse(answer.status, body)
    if not isinstance(body, list):
        raise Unavailable(_NAME, "an answer that is no list", RegisterFault.UNREADABLE)
    try:
        return [_result(element) for element in body]
    except ValueError as error:
        raise Unavailable(_NAME, f"an answer of another shape ({error})", RegisterFault.UNREADABLE) from None


def _refuse(status: int, body: object) -> None:
    """Raise the error for a status from 400 to 499, if the body is PAD's own."""
    if isinstance(body, dict) and isinstance(body.get("kode"), str):
        if status == 400:
            raise WrongNumber(_NAME, "status 400")
        if status == 404:
            raise NotFound(_NAME, "status 404")
    raise Unavailable(_NAME, f"status {status}", RegisterFault.UNREADABLE)


def _result(element: object) -> TestResult:
    if not isinstance(element, dict):
        raise ValueError("a result is not an object")
    test, day, result = (_text(element, key) for key in ("prove", "dato", "resultat"))
    if test is None or result is None or day is None or not _DATE.fullmatch(day):
        raise ValueError("prove, dato or resultat is missing")
    try:
        taken = date.fromisoformat(day)
    except ValueError:
        raise ValueError("dato is not a date") from None
    return TestResult(test, _text(element, "delprove"), taken, result, _text(element, "spraakform"))


def _text(element: Mapping[str, object], key: str) -> str | None:
    """The text of a field, None when it is missing, null or blank. Raises ValueError for anything else."""
    value = element.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _LONGEST or "\0" in value:
        raise ValueError(f"{key} is not a text that can be kept")
    return value.strip() or None
