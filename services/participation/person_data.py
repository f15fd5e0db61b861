"""A person's data from the outside registers, as stored in the tables."""

from datetime import date, datetime
from typing import Any

from services.core.collation import sort_key
from services.registers.folkeregisteret import PersonRecord
from services.registers.pad import TestResult
from services.tables.participants import Person


def name_key(name: str) -> str:
    """The stored sort key of a name; cut, since the size of an index entry is limited."""
    return sort_key(name)[:1000]


def update_person(person: Person, record: PersonRecord, moment: datetime) -> None:
    """Update a person from Folkeregisteret's record."""
    person.name = record.full_name
    person.birth_date = record.birth_date
    person.sex = record.sex
    person.arrival_year = record.arrival_year
    person.birth_country = record.birth_country
    person.marital_status = record.marital_status
    person.protection = record.protection
    person.freg_fetched_at = moment


def update_results(person: Person, results: list[TestResult], moment: datetime) -> None:
    """Update a person's test results from PAD."""
    person.test_results = [
        {
            "test": result.test,
            "part": result.part,
            "date": result.date.isoformat(),
            "result": result.result,
            "written_form": result.written_form,
        }
        for result in results
    ]
    person.pad_fetched_at = moment


def results_of(person: Person) -> list[TestResult]:
    """The test results from PAD for a person; none if they were never fetched."""
    return results_from(person.test_results or [])


def results_from(kept: list[dict[str, Any]]) -> list[TestResult]:
    """Test results from their stored form."""
    return [
        TestResult(
            test=row["test"],
            part=row["part"],
            date=date.fromisoformat(row["date"]),
            result=row["result"],
            written_form=row["written_form"],
        )
        for row in kept
    ]
