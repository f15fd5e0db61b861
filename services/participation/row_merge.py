"""Merging rows of two users: by the rows' identities, and each row field by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from services.core.row_keys import key_of
from services.questions.fields import Raw, Values
from services.questions.row_fields import RowsField, is_blank_row

JsonRows: TypeAlias = Sequence[Mapping[str, Any]] | None


def rows_by_key(rows: JsonRows) -> dict[str, Mapping[str, Any]]:
    """Rows, as values or JSON, by their identity."""
    return {key_of(row): row for row in rows or []}


def row_changes(old: JsonRows, new: JsonRows) -> set[str]:
    """The identities of the rows that a change has added, removed or changed."""
    before, after = rows_by_key(old), rows_by_key(new)
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def rows_after(rows: JsonRows, old: JsonRows, new: JsonRows) -> list[Mapping[str, Any]] | None:
    """Rows (JSON) after the change from `old` to `new` is applied to them."""
    done, after = row_changes(old, new), rows_by_key(new)
    remaining = [after.get(key) if key in done else row for key, row in rows_by_key(rows).items()]
    added = [row for key, row in after.items() if key in done and key not in rows_by_key(rows)]
    return [row for row in (*remaining, *added) if row is not None] or None


@dataclass(frozen=True)
class RowClash:
    """A conflict about a row. `fields`: the conflicting fields (empty: the whole row); `is_removed_here`: the user has
    removed it."""

    fields: tuple[str, ...] = ()
    is_removed_here: bool = False


@dataclass
class Merged:
    """The merged raw rows. `takes_over`: they contain changes by the other user; `clashes`: by the row's identity."""

    raw: Raw = field(default_factory=list)
    takes_over: bool = False
    clashes: dict[str, RowClash] = field(default_factory=dict)


def merge_rows(question: RowsField, *, known: list[Values], sent: Raw, current: list[Values]) -> Merged:
    """Merge rows sent by a form that showed the rows `known`, while `current` is registered.

    Rows added by either user are all kept, this user's in their places. If both have changed a row, changes of
    different fields are merged; changes of the same field are a conflict, and so is a row that one has removed and the
    other changed.
    """
    before, now, mine = rows_by_key(known), rows_by_key(current), {key_of(row): row for row in sent}
    merged = Merged()
    for key, stands in now.items():
        if key in mine:
            merged.raw.append(_both(question, key, before.get(key, stands), mine[key], stands, merged))
        elif key not in before:
            merged.raw.append(question.raw_row(stands))
            merged.takes_over = True
        elif before[key] != stands:  # removed here, changed by the other user
            merged.raw.append(question.raw_row(stands))
            merged.clashes[key] = RowClash(is_removed_here=True)
    for place, row in enumerate(sent):
        key = key_of(row)
        if key in now:
            continue
        if key in before:  # removed by the other user
            if is_blank_row(row) or not question.differing(row, before[key]):
                merged.takes_over = True
                continue
            merged.clashes[key] = RowClash()
        merged.raw.insert(_place_behind(merged.raw, [key_of(one) for one in sent[:place]]), row)
    return merged


def _place_behind(rows: Raw, before: list[str]) -> int:
    """The place after the nearest row that preceded it; else the front."""
    places = {key_of(row): place for place, row in enumerate(rows)}
    return next((places[key] + 1 for key in reversed(before) if key in places), 0)


def _both(
    question: RowsField, key: str, known: Values, mine: dict[str, list[str]], stands: Values, merged: Merged
) -> dict[str, list[str]]:
    """Merge a row that exists on both sides, field by field."""
    if is_blank_row(mine):  # emptied: treated as removed
        if known != stands:
            merged.clashes[key] = RowClash(is_removed_here=True)
            return question.raw_row(stands)
        return mine
    row = dict(mine)
    not_theirs, not_known = question.differing(mine, stands), question.differing(mine, known)
    theirs = [key for key in not_theirs if known.get(key) != stands.get(key)]
    both = tuple(key for key in theirs if key in not_known)
    for inner in question.fields:
        if inner.key in theirs and inner.key not in both:
            row[inner.key] = inner.raw(stands.get(inner.key))
            merged.takes_over = True
    if both:
        merged.clashes[key] = RowClash(both)
    return row
