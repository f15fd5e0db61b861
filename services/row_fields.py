"""Questions that are answered by rows, each with the same questions of its own."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.fields import BETWEEN, Field, FormData, Invalid, Raw, Values, legible
from services.i18n import gettext as _


@dataclass(frozen=True, kw_only=True, eq=False)
class RowsField(Field):
    """Repeatable rows, each with the same questions. Value: list of dicts, or none.

    `say` makes a sentence of a row: it gets the words of its questions, in their order, '' where there is no answer.
    """

    kind = "rows"
    item: str
    add_label: str
    fields: tuple[Field, ...]
    say: Callable[..., str] = field(default=lambda *words: ", ".join(filter(None, words)))
    row_checks: Callable[[Values], dict[str, str]] = field(default=lambda row: {})
    most: int = 60

    def control(self, index: int, key: str) -> str:
        """The name of the control for a question of a row."""
        return f"{self.key}-{index}-{key}"

    def read(self, form: FormData) -> Raw:
        pattern = re.compile(rf"{self.key}-([0-9]{{1,4}})-([a-z_]+)")
        rows: dict[int, dict[str, list[str]]] = {}
        for name, given in form.items():
            if match := pattern.fullmatch(name):
                rows.setdefault(int(match[1]), {})[match[2]] = [legible(text) for text in given]
        return [rows[index] for index in sorted(rows)]

    def offers(self, raw: Raw) -> bool:
        return all(inner.offers(row.get(inner.key, [])) for row in raw for inner in self.fields)

    def names(self, raw: Raw) -> list[str]:
        return [self.control(i, inner.key) for i in range(len(raw)) for inner in self.fields]

    def blank(self) -> dict[str, list[str]]:
        """A raw row that nothing is typed into yet."""
        return {inner.key: [] for inner in self.fields}

    def parse(self, raw: Raw) -> list[dict[str, Any]] | None:
        if len(raw) > self.most:
            raise self.invalid(_("Det er plass til høyst %(most)s rader") % {"most": self.most})
        rows: list[dict[str, Any]] = []
        errors: dict[str, str] = {}
        for index, raw_row in enumerate(raw):
            if any(text.strip() for texts in raw_row.values() for text in texts):
                row, row_errors = self._parse_row(raw_row)
                rows.append(row)
                errors |= {self.control(index, key): message for key, message in row_errors.items()}
        if errors:
            raise Invalid(errors)
        return rows or None

    def _parse_row(self, raw_row: dict[str, list[str]]) -> tuple[dict[str, Any], dict[str, str]]:
        row: dict[str, Any] = {}
        errors: dict[str, str] = {}
        for inner in self.fields:
            try:
                row[inner.key] = inner.parse(raw_row.get(inner.key, []))
            except Invalid as invalid:
                row[inner.key] = None
                errors |= invalid.errors
            else:
                if inner.required(row) and inner.is_empty(row[inner.key]):
                    errors[inner.key] = inner.when_missing
        return row, errors or self.row_checks(row)

    def raw(self, value: Any) -> Raw:
        return [{inner.key: inner.raw(row.get(inner.key)) for inner in self.fields} for row in value or []]

    def row_text(self, row: Mapping[str, Any]) -> str:
        """One row in words."""
        return self.say(*(inner.words(row.get(inner.key)) for inner in self.fields))

    def text(self, value: Any) -> str:
        return BETWEEN.join(self.parts(value))

    def parts(self, value: Any) -> list[str]:
        return [self.row_text(row) for row in value or []]

    def sentence(self, value: Any) -> str:
        return "; ".join(self.parts(value))

    def to_json(self, value: Any) -> Any:
        if not value:
            return None
        return [{inner.key: inner.to_json(row.get(inner.key)) for inner in self.fields} for row in value]

    def from_json(self, kept: Any) -> Any:
        if not kept:
            return None
        return [{inner.key: inner.from_json(row.get(inner.key)) for inner in self.fields} for row in kept]
