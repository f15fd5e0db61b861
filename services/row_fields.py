"""Questions that are answered by rows, each with the same questions of its own."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.fields import BETWEEN, Field, FormData, Invalid, Raw, Values, legible
from services.i18n import gettext as _
from services.text import is_blank


@dataclass(frozen=True, kw_only=True, eq=False)
class RowsField(Field):
    """Repeatable rows, each with the same questions. Value: list of dicts, or none."""

    kind = "rows"
    item: str
    add_label: str
    fields: tuple[Field, ...]
    row_checks: Callable[[Values], dict[str, str]] = field(default=lambda row: {})
    most: int = 60

    def control(self, index: int, key: str) -> str:
        """The name of the control for a question of a row."""
        return f"{self.key}-{index}-{key}"

    def read(self, form: FormData) -> Raw:
        pattern = re.compile(rf"{self.key}-([0-9]{{1,4}})-([a-z_]+)")
        inner = {question.key: question for question in self.fields}
        rows: dict[int, dict[str, list[str]]] = {}
        for name, given in form.items():
            if match := pattern.fullmatch(name):
                read = inner[match[2]].as_seen if match[2] in inner else legible
                rows.setdefault(int(match[1]), {})[match[2]] = [read(text) for text in given]
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
            if any(not is_blank(text) for texts in raw_row.values() for text in texts):
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
        return self.joined(inner.text(row.get(inner.key)) for inner in self.fields)

    def joined(self, said: Iterable[str]) -> str:
        """One row of its answers in words: divided by commas, without those that are not given."""
        return ", ".join(filter(None, said))

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
