"""Rows of a field: adding, removing, and restoring the row that was just removed."""

import re
from dataclasses import dataclass

from services.core.row_keys import ROW_KEY, key_of, new_row_key
from services.participation.page import Page
from services.questions.fields import FormData, Raw, legible
from services.questions.row_fields import RowsField, is_blank_row

_GOING = re.compile("(add|remove|undo)-([a-z_]+?)(?:-([0-9]{1,4}))?")
UNDO = "angre-"  # prefix of the controls of a removed row, while it can be restored


@dataclass(frozen=True)
class RowsChange:
    """A change of the rows of the field `key`. `raw`: the rows now; `focus`: the id of the control to focus.

    `removed`: the removed row with its place, hidden in the form to be restored.
    """

    key: str
    raw: Raw
    focus: str
    removed: tuple[int, dict[str, list[str]]] | None = None

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """The removed row as hidden controls: names and values."""
        if self.removed is None:
            return []
        index, row = self.removed
        return [(f"{UNDO}{self.key}-{index}-{inner}", text) for inner, texts in row.items() for text in texts]


def rows_change(page: Page, going: str, form: FormData) -> RowsChange | None:
    """The result of the button `add-…`, `remove-…-n` or `undo-…-n` for a page's rows; `None` for other buttons."""
    match = _GOING.fullmatch(going)
    question = next((q for q in page.step.fields if match and q.key == match[2]), None)
    if match is None or not isinstance(question, RowsField) or (match[1] == "add") == (match[3] is not None):
        return None
    raw, first = list(page.raw[question.key]), question.fields[0].key
    if match[1] == "add":
        row = question.blank()
        return RowsChange(question.key, [*raw, row], row_id(question.key, key_of(row), first))
    index = min(int(match[3]), len(raw))
    if match[1] == "undo":
        row = {
            key: [legible(text) for text in form.get(f"{UNDO}{question.control(index, key)}", [])]
            for key in (ROW_KEY, *(inner.key for inner in question.fields))
        }
        row[ROW_KEY] = [key_of(row) or new_row_key()]
        return RowsChange(question.key, [*raw[:index], row, *raw[index:]], row_id(question.key, key_of(row), first))
    removed = (index, raw[index]) if index < len(raw) and not is_blank_row(raw[index]) else None
    return RowsChange(question.key, raw[:index] + raw[index + 1 :], f"angre-{question.key}", removed)


def row_id(key: str, row: str, inner: str) -> str:
    """The id of a row's control, which stays the same whatever rows come and go before it."""
    return f"{key}-{row}-{inner}"


def undo_names(form: FormData) -> set[str]:
    """The names of the controls of a removed row."""
    return {name for name in form if name.startswith(UNDO)}
