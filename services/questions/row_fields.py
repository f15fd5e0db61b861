"""Questions that are answered by rows, each with the same questions of its own.

A row has an identity, its row key: it stands in raw rows, values, history and database alike, under `ROW_KEY`.
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

AFTER = "after"  # in a draft: the row that a row of the user's own stands behind
_CONTROL = re.compile("(?P<rows>[a-z]{1,20})-(?P<index>[0-9]{1,4})-(?P<key>[a-z_]+)")
_MOST_SENT = 100  # rows of a form; more than may be filled, since blank ones come along


def is_blank_row(raw_row: Mapping[str, list[str]]) -> bool:
    """True when nothing that can be seen is typed or chosen in a raw row."""
    return all(is_blank(text) for key, texts in raw_row.items() if key not in {ROW_KEY, AFTER} for text in texts)


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
    most: int = 50

    def control(self, index: int, key: str) -> str:
        """The name of the control for a question of a row."""
        return f"{self.key}-{index}-{key}"

    def read(self, form: FormData) -> Raw:
        inner = {question.key: question for question in self.fields}
        rows: dict[int, dict[str, list[str]]] = {}
        for name, given in form.items():
            match = _CONTROL.fullmatch(name)
            if match and match["rows"] == self.key:
                read = inner[match["key"]].as_seen if match["key"] in inner else legible
                rows.setdefault(int(match["index"]), {})[match["key"]] = [read(text) for text in given]
            if len(rows) > _MOST_SENT:  # refused as they are; nobody need read the rest
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
        """A raw row that nothing is typed into yet."""
        return {ROW_KEY: [new_row_key()]} | {inner.key: [] for inner in self.fields}

    def named(self, raw: Raw, known: list[Values], seed: str) -> Raw:
        """The raw rows, each with its identity. One that came without is, by its place, one of those that its form has
        shown (`known`), or new; sent again, it is the same again."""
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
        """Each raw row as it is read, none where it is blank or cannot be read, and what is wrong, by control name.
        Too many rows are none that can be read."""
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
        """What is registered of rows of which some cannot be read: those that can, and of the others what stands."""
        rows, errors = self.read_rows(raw)
        if self.key in errors:
            return registered
        stands = {key_of(row): row for row in registered or []}
        kept = [
            row or (None if is_blank_row(one) else stands.get(key_of(one))) for row, one in zip(rows, raw, strict=True)
        ]
        return [row for row in kept if row is not None] or None

    def differing(self, raw_row: Mapping[str, list[str]], row: Values) -> list[str]:
        """The keys of the answers of a raw row that are others than those of a row that is registered."""
        return [inner.key for inner in self.fields if self._differs(inner, raw_row, row)]

    def _differs(self, inner: Field, raw_row: Mapping[str, list[str]], row: Values) -> bool:
        raw = raw_row.get(inner.key, [])
        try:
            return bool(inner.parse(raw) != row.get(inner.key))
        except Invalid:
            return bool(raw != inner.raw(row.get(inner.key)))

    def overlaid(self, raw: Raw, drafts: Raw) -> Raw:
        """Raw rows with those in place that a user has typed and that are not registered."""
        rows = list(raw)
        for i, draft in enumerate(drafts):
            row = {key: texts for key, texts in draft.items() if key != AFTER}
            if not key_of(row):  # kept before rows had an identity: the whole list, by place
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
        """What stands in the controls for one row."""
        own = {ROW_KEY: [key_of(row)]} if key_of(row) else {}
        return own | {inner.key: inner.raw(row.get(inner.key)) for inner in self.fields}

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
        return [self._own_key(row) | {f.key: f.to_json(row.get(f.key)) for f in self.fields} for row in value]

    def from_json(self, kept: Any) -> Any:
        if not kept:
            return None
        return [self._own_key(row) | {f.key: f.from_json(row.get(f.key)) for f in self.fields} for row in kept]

    @staticmethod
    def _own_key(row: Mapping[str, Any]) -> dict[str, Any]:
        return {ROW_KEY: key_of(row)} if key_of(row) else {}
