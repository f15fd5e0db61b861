"""Merging simultaneous changes of two users, by versions.

A form carries the version that it showed; the history tells which fields others have changed since. A field that the
form did not change gets the other user's value; a field that both changed is a conflict. Tiltak and permisjon are
merged row by row, and each row field by field. A user only ever overwrites values that the user has seen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from services.core.db import session
from services.core.row_keys import key_of
from services.core.text import is_blank
from services.participation.answers import values_of
from services.participation.page import Page, page_again, parts_of_mark, row_mark
from services.participation.row_merge import merge_rows, row_changes, rows_after
from services.participation.sent_form import ShownForm
from services.questions.fields import Field, Raw, Values
from services.questions.pages import FIELDS, STEPS
from services.questions.row_fields import RowsField, is_blank_row
from services.tables.participants import Change, Participation


class NoSuchVersion(ValueError):
    """The version is higher than the present one, so no form can have shown it."""


@dataclass(frozen=True)
class Clash:
    """A conflict: the field `key` was changed by two users. It tells who was first, when, and the value (as JSON).

    `row`: the row, if the field has rows; `value` is then that row (None: the other user has removed it); `fields`: the
    conflicting fields of the row; `is_removed_here`: this user has removed a row that the other has changed. `is_own`:
    the first change is the same user's, by the form that was left before this one.
    """

    key: str
    username: str
    at: datetime
    value: Any
    row: str = ""
    fields: tuple[str, ...] = ()
    is_removed_here: bool = False
    is_own: bool = False


@dataclass(frozen=True)
class Settled:
    """A page after the merge. `theirs`: fields that take the other users' values; `clashes`: conflicts by mark, for
    which the page keeps the values that were sent."""

    page: Page
    theirs: dict[str, Clash]
    clashes: dict[str, Clash]


@dataclass
class _Since:
    """Changes since a form was shown. `known`: the values (JSON) that the form knows, of fields that others have
    changed; `last`: the last change of each field by others; `foreign`: all changes by others, oldest first. Changes by
    the user's form that was left before this one are unknown to the form, but are not another user's: `not_left` has
    the fields that somebody else has changed."""

    known: dict[str, Any] = field(default_factory=dict)
    last: dict[str, Change] = field(default_factory=dict)
    foreign: list[Change] = field(default_factory=list)
    not_left: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, participation: Participation, shown: ShownForm, username: str) -> "_Since":
        wanted = (Change.participation_ref == participation.id) & (Change.version > shown.version)
        changes = session().scalars(select(Change).where(wanted).order_by(Change.version, Change.id)).all()
        since = cls()
        for change in changes:
            is_users = change.username == username and change.form_key is not None
            since._take(change, is_own=is_users and change.form_key == shown.key)
            if not (is_users and change.form_key in {shown.key, shown.after}):
                since.not_left.add(change.field)
        since.known = {key: known for key, known in since.known.items() if key in since.last}
        return since

    def _take(self, change: Change, *, is_own: bool) -> None:
        self.known.setdefault(change.field, change.old)
        if not is_own:
            self.last[change.field] = change
            self.foreign.append(change)
        elif isinstance(FIELDS.get(change.field), RowsField):
            self.known[change.field] = rows_after(self.known[change.field], change.old, change.new)
        else:
            self.known[change.field] = change.new


def settle(participation: Participation, page: Page, current: Values, shown: ShownForm, username: str) -> Settled:
    """Merge a page that was sent with changes by others since it was shown.

    Raises `NoSuchVersion` for a version that does not exist yet.
    """
    if shown.version > participation.version:
        raise NoSuchVersion(shown.version)
    if shown.version == participation.version:
        return Settled(page_again(page, named_rows(page, current, shown), current), {}, {})
    return _Settling(page, current, shown, _Since.read(participation, shown, username)).settled()


def named_rows(page: Page, known: Values, shown: ShownForm) -> dict[str, Raw]:
    """The raw rows of a page, each with its identity. `known`: the rows that the form showed."""
    return {
        question.key: question.named(page.raw[question.key], known.get(question.key) or [], shown.key or "")
        for question in page.step.fields
        if isinstance(question, RowsField)
    }


class _Settling:
    """The merge of one page."""

    def __init__(self, page: Page, current: Values, shown: ShownForm, since: _Since) -> None:
        self.current, self.since = current, since
        self.known = {q.key: since.known.get(q.key, q.to_json(current[q.key])) for q in page.step.fields}
        known_values = {key: FIELDS[key].from_json(value) for key, value in self.known.items()}
        self.page = page_again(page, named_rows(page, known_values, shown), current)
        self.raw: dict[str, Raw] = dict(self.page.raw)
        self.theirs: dict[str, Clash] = {}
        self.clashes: dict[str, Clash] = {}

    def settled(self) -> Settled:
        clashing: set[str] = set()
        for question in self.page.step.fields:
            if question.key not in self.since.last or self._is_as_known(question):
                continue
            if isinstance(question, RowsField):
                self._settle_rows(question)
            elif not self._settle(question):
                clashing.add(question.key)
        places = _conflict_places(self.page, clashing, self.current, self.since.last)
        visible = {question.key for question in self.page.asked}
        self.raw |= {
            key: self.page.raw[key] if key in visible else FIELDS[key].raw(self.current[key]) for key in places
        }
        self.clashes |= places
        merged = page_again(self.page, self.raw, self.current)
        self.clashes |= self._excluding(merged)
        return Settled(merged, self.theirs, self.clashes)

    def _is_as_known(self, question: Field) -> bool:
        return bool(question.to_json(self.current[question.key]) == self.known[question.key])

    def _settle(self, question: Field) -> bool:
        """Merge one field; returns False on a conflict."""
        key, current = question.key, self.current[question.key]
        raw, known = self.page.raw[key], question.from_json(self.known[key])
        is_unread = key in self.page.unread
        if self._is_removed_by_user(question):
            return False
        if raw == question.raw(current) if is_unread else self.page.answers[key] == current:
            if not self.page.holds(key):  # not sent, though it is shown
                self.theirs[key] = self._theirs(key)
            return True
        if raw == question.raw(known) if is_unread else self.page.answers[key] == known:  # not changed here
            self.raw[key] = question.raw(current)
            self.theirs[key] = self._theirs(key)
            return True
        return key not in self.since.not_left

    def _is_removed_by_user(self, question: Field) -> bool:
        """True if the user's other answers remove an answer that somebody else has given meanwhile."""
        if question.is_empty(self.current[question.key]) or question.key not in self.since.not_left:
            return False
        is_asked = question.key in {one.key for one in self.page.asked}
        return not is_asked and any(
            self.page.answers[key] != self.current[key] for key in question.shown.keys if key in self.page.keys
        )

    def _theirs(self, key: str) -> Clash:
        return replace(_clash(self.since.last[key]), is_own=key not in self.since.not_left)

    def _settle_rows(self, question: RowsField) -> None:
        key = question.key
        known, current = question.from_json(self.known[key]) or [], self.current[key] or []
        merged = merge_rows(question, known=known, sent=self.raw[key], current=current)
        self.raw[key] = merged.raw
        if merged.takes_over or not self.page.holds(key):
            self.theirs[key] = self._theirs(key)
        for row, both in merged.clashes.items() if key in self.since.not_left else ():
            change = self._last_of_row(key, row)
            stands = next((one for one in question.to_json(current) or [] if key_of(one) == row), None)
            self.clashes[row_mark(key, row, is_removed=both.is_removed_here)] = replace(
                _clash(change), value=stands, row=row, fields=both.fields, is_removed_here=both.is_removed_here
            )

    def _last_of_row(self, key: str, row: str) -> Change:
        of_row = [one for one in self.since.foreign if one.field == key and row in row_changes(one.old, one.new)]
        return of_row[-1] if of_row else self.since.last[key]

    def _excluding(self, merged: Page) -> dict[str, Clash]:
        """Conflicts between two fields that exclude each other: the user has filled in one of them, somebody else the
        other."""
        found = {}
        for pair in merged.step.excluding:
            for mine, other in (pair, pair[::-1]):
                is_mine = merged.raw[mine] != FIELDS[mine].raw(self.current[mine])
                both = all(_is_answered(merged, key) for key in pair)
                if both and is_mine and other in self.since.not_left and not self._is_as_known(FIELDS[other]):
                    found[mine] = _clash(self.since.last[other])
        return found


def _is_answered(page: Page, key: str) -> bool:
    """True if the controls of a field are not empty, whether or not they are valid."""
    raw = page.raw[key]
    if isinstance(FIELDS[key], RowsField):
        return not all(is_blank_row(row) for row in raw)
    return not all(is_blank(text) for text in raw)


def _clash(change: Change, key: str | None = None) -> Clash:
    return Clash(key or change.field, change.username, change.at, change.new)


def _conflict_places(page: Page, clashing: set[str], current: Values, last: dict[str, Change]) -> dict[str, Clash]:
    """The fields at which to show conflicts. A conflict about a field that one user has removed is shown at the field
    that removed it, so that both answers are visible."""
    found: dict[str, Clash] = {}
    visible = {question.key for question in page.asked}
    for question in reversed(page.step.fields):  # a field comes after those it depends on
        key = question.key
        if key not in clashing:
            continue
        clash = _clash(last[key])
        above = [other.key for other in page.step.fields if other.key in question.shown.keys and other.key != key]
        if key in visible:
            found[key] = clash
            clashing |= {k for k in above if k in last and page.answers[k] != current[k]}
        else:
            found |= {k: clash for k in above if k not in clashing} if above else {key: clash}
    return found


def registered_as(participation: Participation, marks: Iterable[str]) -> dict[str, Clash]:
    """The last changes of the registered answers that these marks refer to, to be shown beside undecided answers."""
    parts = {mark: parts_of_mark(mark) for mark in marks}
    excluded = {mark: _excluded_by(participation, key) for mark, (key, row, _is_removed) in parts.items() if not row}
    parts |= {mark: (key, "", False) for mark, key in excluded.items()}
    fields = {key for key, _row, _is_removed in parts.values()}
    wanted = (Change.participation_ref == participation.id) & Change.field.in_(fields)
    changes = session().scalars(select(Change).where(wanted).order_by(Change.version, Change.id)).all()
    found: dict[str, Clash] = {}
    for change in changes:
        for mark, (key, row, is_removed) in parts.items():
            if change.field == key and (not row or row in row_changes(change.old, change.new)):
                value = _row_of(change.new, row) if row else change.new
                found[mark] = replace(_clash(change), row=row, value=value, is_removed_here=is_removed)
    return found


def _excluded_by(participation: Participation, key: str) -> str:
    """The field whose registered answer excludes this one; the key itself if there is none."""
    values = values_of(participation)
    others = {one for step in STEPS for one in step.excluded_by(key)}
    is_empty = FIELDS[key].is_empty(values[key])
    return next((one for one in others if is_empty and not FIELDS[one].is_empty(values[one])), key)


def _row_of(rows: Iterable[Mapping[str, Any]] | None, key: str) -> Any:
    return next((row for row in rows or [] if key_of(row) == key), None)
