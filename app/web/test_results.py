"""Test results for pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.core.days import moment_date
from services.core.i18n import gettext as _
from services.export import result_text
from services.participation.person_data import results_of
from services.registers.pad import best_per_part, newest_first

if TYPE_CHECKING:
    from services.tables.participants import Person


@dataclass(frozen=True)
class Tests:
    """Best results in one line, all results newest first, and the day they were fetched ('' if never)."""

    best: str
    all: list[str]
    fetched: str


def tests_of(person: Person) -> Tests:
    """A person's test results; «not fetched» is never shown as «no results»."""
    results = results_of(person)
    best = "; ".join(f"{(r.part or r.test).capitalize()}: {r.result}" for r in best_per_part(results))
    return Tests(
        best=best or _("Ingen resultater"),
        all=[result_text(result) for result in newest_first(results)],
        fetched=moment_date(person.pad_fetched_at),
    )
