"""Test results as text."""

from datetime import date
from functools import lru_cache
from typing import Any

from services.core.days import date_text
from services.questions.fields import BETWEEN
from services.registers.pad import TestResult


def result_text(result: TestResult) -> str:
    """One test result as text."""
    return _dated(_graded(result.test, result.part, result.result), date_text(result.date))


def said_results(stored: list[dict[str, Any]] | None) -> str:
    """A person's test results, in their stored form, as text."""
    return BETWEEN.join(
        [_dated(_graded(one["test"], one["part"], one["result"]), _day(one["date"])) for one in stored or ()]
    )


def _dated(graded: str, day: str) -> str:
    return f"{graded} ({day})"


@lru_cache(1000)
def _graded(test: str, part: str | None, result: str) -> str:
    return f"{test} {part}: {result}" if part else f"{test}: {result}"


@lru_cache(10_000)
def _day(stored: str) -> str:
    return date_text(date.fromisoformat(stored))
