"""How a download, and the list on screen, say what is no answer to a question: moments, states, test results."""

from datetime import date, datetime
from functools import lru_cache
from typing import Any

from services.core.clock import OSLO_TIME
from services.core.i18n import gettext as _
from services.participation.find import STATUS_LABELS
from services.questions.fields import BETWEEN, date_text
from services.registers.pad import TestResult
from services.tables.participants import Status


def norwegian_day(moment: datetime | None) -> date | None:
    """The day it was in Norway at a moment."""
    return moment.astimezone(OSLO_TIME).date() if moment else None


def moment_date(moment: datetime | None) -> str:
    """The Norwegian day of a moment as dd.mm.åååå; '' for none."""
    return date_text(norwegian_day(moment))


def said_status(status: int, deleted_at: datetime | None = None, deleted_by: str | None = None) -> str:
    """The word for a status, and that she is deleted if so."""
    word, deleted = _(STATUS_LABELS[Status(status)]), said_deletion(deleted_at, deleted_by)
    return f"{word}. {deleted}" if deleted else word


def said_deletion(deleted_at: datetime | None, deleted_by: str | None) -> str:
    """«Slettet 23.11.2026 av kari.oslo», or ''."""
    if deleted_at is None:
        return ""
    return _("Slettet %(day)s av %(who)s") % {"day": moment_date(deleted_at), "who": deleted_by}


def deletion_text(row: Any) -> str:
    """`said_deletion` of a participation or a row of the list."""
    return said_deletion(row.deleted_at, row.deleted_by)


def status_word(row: Any) -> str:
    """The word for a status alone."""
    return said_status(row.status)


def status_text(row: Any) -> str:
    """`said_status` of a participation or a row of the list."""
    return said_status(row.status, row.deleted_at, row.deleted_by)


def result_text(result: TestResult) -> str:
    """One test result in words."""
    return _dated(_graded(result.test, result.part, result.result), date_text(result.date))


def said_results(stored: list[dict[str, Any]] | None) -> str:
    """The test results of a person, as they are stored, in words."""
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
