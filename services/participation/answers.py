"""The answers of a participation: reading, setting, and counting missing ones."""

from typing import Any

from services.core.clock import today
from services.core.code_lists import district_key
from services.core.row_keys import ROW_KEY, key_of, new_row_key
from services.participation.other_stays import other_stays
from services.questions.fields import Field, Values
from services.questions.pages import BACKGROUND, FIELDS, PROGRAMME, ROW_KEYS, TERMINATION, Step
from services.questions.programme_time import duration_start
from services.questions.row_fields import RowsField
from services.tables.participants import Activity, Leave, Participation

# The columns of the answers by field; rows have tables of their own.
COLUMN_NAMES = {key: "district_number" if key == "district" else key for key in FIELDS if key not in ROW_KEYS}


_ROW_MODELS: dict[str, type[Activity] | type[Leave]] = {"activities": Activity, "leaves": Leave}


def values_of(participation: Participation) -> dict[str, Any]:
    """All answers by field key, and the facts that rules use beside them."""
    answers: dict[str, Any] = {key: getattr(participation, column) for key, column in COLUMN_NAMES.items()}
    for key, question in _ROWS_FIELDS.items():
        keys = (ROW_KEY, *(inner.key for inner in question.fields))
        answers[key] = [{one: getattr(row, one) for one in keys} for row in getattr(participation, key)] or None
    return answers | facts_of(participation)


def facts_of(participation: Participation) -> dict[str, Any]:
    """The facts that rules use beside the answers."""
    return {
        "today": today(),
        "municipality": participation.municipality_number,
        "birth_date": participation.person.birth_date,
        "sex": participation.person.sex,
        "other_stays": other_stays(participation),
    }


_ROWS_FIELDS = {question.key: question for question in PROGRAMME.fields if isinstance(question, RowsField)}


def set_answers(participation: Participation, answers: Values) -> None:
    """Set answers of the participation, including rows and sort key."""
    for key, value in answers.items():
        if key in ROW_KEYS:
            model = _ROW_MODELS[key]
            number = participation.municipality_number
            rows = [
                model(position=i, municipality_number=number, **row | {ROW_KEY: key_of(row) or new_row_key()})
                for i, row in enumerate(value or [])
            ]
            setattr(participation, key, rows)
        else:
            setattr(participation, COLUMN_NAMES[key], value)
        if key == "district":
            participation.district_key = district_key(value)
    periods = ((leave.from_date, leave.to_date) for leave in participation.leaves)
    participation.duration_start = duration_start(participation.start_date, periods)


def missing_on(step: Step, values: Values, drafts: set[str]) -> int:
    """The number of fields on a page that are required and empty, or have a value that cannot be registered."""
    refused = (drafts & {question.key for question in step.visible(values)}) | step.checks(values).keys()
    return len({question.key for question in step.missing(values)} | refused)


def count_missing(participation: Participation) -> None:
    """Recount the missing fields of pages 2 and 3, and of page 4 once an avslutningsdato is registered."""
    values = values_of(participation)
    drafts = {draft.field for draft in participation.drafts}
    participation.background_missing = missing_on(BACKGROUND, values, drafts)
    participation.programme_missing = missing_on(PROGRAMME, values, drafts)
    participation.termination_missing = missing_on(TERMINATION, values, drafts) if participation.end_date else 0


def json_text(question: Field, value: Any) -> str:
    """An answer from the history, as text."""
    return question.sentence(question.from_json(value))
