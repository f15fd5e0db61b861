"""Fields with rows, each row with the same inner fields.

A row has an identity, its row key, under `ROW_KEY` in raw rows, values, history and database alike.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from services.core.i18n import gettext as _
from services.core.row_keys import ROW_KEY, is_row_key, key_of, new_row_key
from services.core.text import is_blank
from services.questions.fields import BETWEEN, Field, FormData, Invalid, Raw, Values, legible

AFTER = "after"  # in a draft: the key of the row before a new row
_CONTROL = re.compile("(?P<rows>[a-z]{1,20})-(?P<index>[0-9]{1,4})-(?P<key>[a-z_]+)")
_MOST_SENT = 100  # rows of a form; more than may be filled in, since blank ones are sent too


def is_blank_row(raw_row: Mapping[str, list[str]]) -> bool:
    """True if nothing visible is typed or chosen in a raw row."""
    return all(is_blank(text) for key, texts in raw_row.items() if key not in {ROW_KEY, AFTER} for text in texts)


@dataclass(frozen=True, kw_only=True, eq=False)
class RowsField(Field):
    """A field with rows of the same inner fields. Value: list of dicts, or None.

    `say` formats a row: its arguments are the texts of its fields, in order, '' if empty.
    """

    kind = "rows"
    item: str
    add_label: str
    fields: tuple[Field, ...]
    say: Callable[..., str] = field(default=lambda *words: ", ".join(filter(None, words)))
    row_checks: Callable[[Values], dict[str, str]] = field(default=lambda row: {})
    most: int = 50

    def control(self, index: int, key: str) -> str:
        """The name of the control for an inner field of a row."""
        return f"{self.key}-{index}-{key}"

    def read(self, form: FormData) -> Raw:
        inner = {question.key: question for question in self.fields}
        rows: dict[int, dict[str, list[str]]] = {}
        for name, given in form.items():
            match = _CONTROL.fullmatch(name)
            if match and match["rows"] == self.key:
                read = inner[match["key"]].as_seen if match["key"] in inner else legible
                rows.setdefault(int(match["index"]), {})[match["key"]] = [read(text) for text in given]
            if len(rows) > _MOST_SENT:  # too many: refused, so the rest is not read
                break
        return [rows[index] for index in sorted(rows)]

    def offers(self, raw: Raw) -> bool:
        keys = [key_of(row) for row in raw if key_of(row)]
        return (
            len(raw) <= _MOST_SENT
            and len(keys) == len(set(keys))
            and all(map(is_row_key, keys))
            and all(inner.offers(row.get(inner.key, [])) for row in raw for inner in self.fields)
        )

    def row_names(self, place: int) -> list[str]:
        """The names of the controls of a row."""
        return [self.control(place, key) for key in (*(inner.key for inner in self.fields), ROW_KEY)]

    def single_controls(self, raw: Raw) -> list[tuple[str, Field, list[str]]]:
        return [
            (self.control(place, inner.key), inner, row[inner.key])
            for place, row in enumerate(raw)
            for inner in self.fields
            if inner.key in row
        ]

    def names(self, raw: Raw) -> list[str]:
        return [name for place in range(len(raw)) for name in self.row_names(place)]

    def blank(self) -> dict[str, list[str]]:
        """A new raw row without answers."""
        return {ROW_KEY: [new_row_key()]} | {inner.key: [] for inner in self.fields}

    def named(self, raw: Raw, known: list[Values], seed: str) -> Raw:
        """Raw rows, each with its identity. A row without one gets, by position, that of a row that its form showed
        (`known`), or a new one, which is the same if it is sent again."""
        return [
            row if key_of(row) else row | {ROW_KEY: [key_of(known[i]) if i < len(known) else self._derived(seed, i)]}
            for i, row in enumerate(raw)
        ]

    def _derived(self, seed: str, place: int) -> str:
        return sha256(f"{seed} {self.key} {place}".encode()).hexdigest()[:12]

    def parse(self, raw: Raw) -> list[dict[str, Any]] | None:
        rows, errors = self.read_rows(raw)
        if errors:
            raise Invalid(errors)
        return [row for row in rows if row is not None] or None

    def read_rows(self, raw: Raw) -> tuple[list[dict[str, Any] | None], dict[str, str]]:
        """Parse raw rows: the values (None for blank and invalid rows), and errors by control name. If there are too
        many rows, none is valid."""
        filled = [row for row in raw if not is_blank_row(row)]
        if len(filled) > self.most:
            words = _("Det er plass til maks %(most)s rader") % {"most": self.most}
            return [None for _row in raw], {self.key: words}
        rows: list[dict[str, Any] | None] = []
        errors: dict[str, str] = {}
        for index, raw_row in enumerate(raw):
            row, row_errors = (None, {}) if is_blank_row(raw_row) else self._parse_row(raw_row)
            rows.append(None if row_errors else row)
            errors |= {self.control(index, key): message for key, message in row_errors.items()}
        return rows, errors

    def standing(self, raw: Raw, registered: Any) -> Any:
        """The registered rows while some raw ones are invalid: the valid ones, and the stored values of the others."""
        rows, errors = self.read_rows(raw)
        if self.key in errors:
            return registered
        stands = {key_of(row): row for row in registered or []}
        merged = [
            row or (None if is_blank_row(one) else stands.get(key_of(one))) for row, one in zip(rows, raw, strict=True)
        ]
        return [row for row in merged if row is not None] or None

    def differing(self, raw_row: Mapping[str, list[str]], row: Values) -> list[str]:
        """The keys of the fields in which a raw row differs from a registered row."""
        return [inner.key for inner in self.fields if self._differs(inner, raw_row, row)]

    def _differs(self, inner: Field, raw_row: Mapping[str, list[str]], row: Values) -> bool:
        raw = raw_row.get(inner.key, [])
        try:
            return bool(inner.parse(raw) != row.get(inner.key))
        except Invalid:
            return bool(raw != inner.raw(row.get(inner.key)))

    def overlaid(self, raw: Raw, drafts: Raw) -> Raw:
        """Raw rows with the user's unregistered drafts in their places."""
        rows = list(raw)
        for i, draft in enumerate(drafts):
            row = {key: texts for key, texts in draft.items() if key != AFTER}
            if not key_of(row):  # stored before rows had identities: the whole list, by position
                row[ROW_KEY] = [key_of(raw[i]) if i < len(raw) else self._derived("", i)]
            places = {key_of(other): place for place, other in enumerate(rows)}
            if key_of(row) in places:
                rows[places[key_of(row)]] = row
            else:
                before = (draft.get(AFTER) or [""])[0]
                rows.insert(places.get(before, len(rows) - 1) + 1, row)
        return rows

    def _parse_row(self, raw_row: dict[str, list[str]]) -> tuple[dict[str, Any], dict[str, str]]:
        row: dict[str, Any] = self._own_key(raw_row)
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
        return [self.raw_row(row) for row in value or []]

    def raw_row(self, row: Values) -> dict[str, list[str]]:
        """The texts of the controls for one row."""
        own = {ROW_KEY: [key_of(row)]} if key_of(row) else {}
        return own | {inner.key: inner.raw(row.get(inner.key)) for inner in self.fields}

    def row_text(self, row: Mapping[str, Any]) -> str:
        """One row as text."""
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
        return [self._own_key(row) | {f.key: f.to_json(row.get(f.key)) for f in self.fields} for row in value]

    def from_json(self, kept: Any) -> Any:
        if not kept:
            return None
        return [self._own_key(row) | {f.key: f.from_json(row.get(f.key)) for f in self.fields} for row in kept]

    @staticmethod
    def _own_key(row: Mapping[str, Any]) -> dict[str, Any]:
        return {ROW_KEY: key_of(row)} if key_of(row) else {}
