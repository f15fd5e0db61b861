"""A page of a registration, as sent and as stored.

For saving and discharging, see `services.participation.save`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.core.i18n import gettext as _
from services.core.row_keys import is_row_key, key_of
from services.participation.answers import values_of
from services.questions.fields import Field, FormData, Invalid, Raw, Values
from services.questions.pages import FIELDS, STEPS, Step
from services.questions.row_fields import RowsField
from services.tables.participants import DraftValue, Participation


@dataclass
class Page:
    """A page as sent or as stored: raw values of its controls, answers, errors.

    `answers`: all answers of the participation, with this page's on top; where a value cannot be registered (`unread`),
    the registered answer stays. `errors`: by control name. `undecided`: the marks of the unread fields that are in
    conflict until a user chooses: a field's key, or for one row `row_mark`. `held`: the fields that the form contains;
    the others were not sent and stay unchanged (`None`: it contains all). `others`: other users with unregistered
    values, and when, by key. A field that depends on an invalid or conflicting answer may or may not apply. Its value
    stays visible and is not registered until that is settled.
    """

    step: Step
    raw: dict[str, Raw]
    answers: dict[str, Any]
    errors: dict[str, str] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    undecided: set[str] = field(default_factory=set)
    held: frozenset[str] | None = None
    others: dict[str, list[tuple[str, datetime]]] = field(default_factory=dict)

    @property
    def asked(self) -> list[Field]:
        """The fields shown on the page."""
        visible = {question.key for question in self.step.visible(self.answers)} | self.unread
        return [question for question in self.step.fields if question.key in visible]

    @property
    def missing(self) -> list[Field]:
        """The required fields that are empty."""
        return [question for question in self.step.missing(self.answers) if question.key not in self.unread]

    @property
    def warnings(self) -> dict[str, str]:
        """Warnings by field key."""
        return self.step.warnings(self.answers)

    @property
    def problems(self) -> dict[str, str]:
        """Messages about errors and missing values by control name, in the order of the page."""
        said = self.errors | {question.key: question.when_missing for question in self.missing}
        if not said:
            return said
        order = [
            name for question in self.step.fields for name in (question.key, *question.names(self.raw[question.key]))
        ]
        return {name: said[name] for name in dict.fromkeys(order) if name in said}

    @property
    def is_complete(self) -> bool:
        """True if the user may continue from the page."""
        return not self.errors and not self.missing

    @property
    def is_ours(self) -> bool:
        """True if our own form can have sent the values, valid or not."""
        return all(question.offers(self.raw[question.key]) for question in self.step.fields)

    def write_in_standard_form(self, *, but: str = "") -> list[tuple[str, str, str]]:
        """Rewrite days, months and numbers in the standard form. Returns for each rewritten control: its name, the
        typed value, and the new one. `but`: a control that stays unchanged."""
        written: list[tuple[str, str, str]] = []
        for question in self.asked:
            if self.holds(question.key) and question.key not in self.unread:
                for name, inner, raw in question.single_controls(self.raw[question.key]):
                    typed, standard = inner.standard_form(raw)
                    if name != but and typed != standard:
                        raw[:] = [standard]
                        written.append((name, typed, standard))
        return written

    def holds(self, key: str) -> bool:
        """True if the form contains the field."""
        return self.held is None or key in self.held

    def refuse(self, key: str, errors: dict[str, str], stands: Any) -> None:
        """Reject an answer: the registered one stays."""
        if key not in self.unread:
            self.unread.add(key)
            self.errors |= errors
            self.answers[key] = stands

    def undecide(self, mark: str, registered: Values) -> None:
        """Keep the registered value until a user chooses between it and the typed one. A row that the user has removed,
        and another user has changed, stays."""
        key, row, is_removed = parts_of_mark(mark)
        said = _("To har svart ulikt. Velg hvilket svar som skal stå")
        if not row:
            hidden = [one for one in self.step.fields if key in one.shown.keys and not one.shown(self.answers)]
            self.unread.add(key)
            self.errors[key], self.answers[key] = said, registered.get(key)
            self._clear_excluding_errors(key, registered)
            self._show_again(hidden, registered)
        elif is_removed or not self.control_of(mark):  # the row has been removed meanwhile
            return
        else:
            self._undecide_row(key, row, registered)
            self.errors[self.control_of(mark)] = said
        self.undecided.add(mark)

    def _show_again(self, hidden: list[Field], registered: Values) -> None:
        """Show fields that the undecided answer would remove, as long as the registered answer stands."""
        for question in hidden:
            if question.shown(self.answers):
                self.answers[question.key] = registered.get(question.key)
                if self.raw[question.key] != question.raw(registered.get(question.key)):
                    self.refuse(question.key, {}, registered.get(question.key))

    def _clear_excluding_errors(self, key: str, registered: Values) -> None:
        """Clear errors in fields that exclude this one, if they have their registered value."""
        for other in self.step.excluded_by(key):
            if self.raw[other] == FIELDS[other].raw(registered.get(other)):
                self.unread.discard(other)
                self.errors.pop(other, None)
                self.answers[other] = registered.get(other)

    def control_of(self, mark: str) -> str:
        """The control at which to show a message about a mark: the field's, or the first one of the row; '' if the page
        has no such row."""
        key, row, _is_removed = parts_of_mark(mark)
        question = FIELDS[key]
        if not row or not isinstance(question, RowsField):
            return key
        places = (place for place, one in enumerate(self.raw[key]) if key_of(one) == row)
        return next((question.control(place, question.fields[0].key) for place in places), "")

    def has_mark(self, mark: str) -> bool:
        """True if a mark refers to a field of the page, or to a row of such a field."""
        key, row, is_removed = parts_of_mark(mark)
        is_whole = not row and not is_removed
        return key in self.keys and (is_whole or (isinstance(FIELDS[key], RowsField) and is_row_key(row)))

    def _undecide_row(self, key: str, row: str, registered: Values) -> None:
        stands = next((one for one in registered.get(key) or [] if key_of(one) == row), None)
        places = [key_of(one) for one in self.raw[key]]
        rows = [one for one in self.answers[key] or [] if key_of(one) != row]
        rows += [stands] if stands else []
        rows.sort(key=lambda one: places.index(key_of(one)) if key_of(one) in places else len(places))
        self.unread.add(key)
        self.answers[key] = rows or None

    @property
    def keys(self) -> set[str]:
        """The keys of all fields of the page."""
        return {question.key for question in self.step.fields}

    def held_names(self) -> set[str]:
        """The names of all controls of the fields that the form contains."""
        held = [question for question in self.step.fields if self.holds(question.key)]
        controls = {name for question in held for name in question.names(self.raw[question.key])}
        return controls | {held_mark(question.key) for question in held}

    def names(self) -> set[str]:
        """The names of all controls of the page."""
        controls = {name for question in self.step.fields for name in question.names(self.raw[question.key])}
        return controls | {held_mark(key) for key in self.keys}

    def page_values(self) -> dict[str, Any]:
        """The page's own answers."""
        return {question.key: self.answers.get(question.key) for question in self.step.fields}


def held_mark(key: str) -> str:
    """The name of the hidden control at the end of a field: if it was sent, all controls of the field were."""
    return f"felt-{key}"


_REMOVED = "x"


def parts_of_mark(mark: str) -> tuple[str, str, bool]:
    """The field and the row ('' for the whole field) of a mark, and whether the user has removed the row."""
    key, row, removed = (*mark.split("-", 2), "", "")[:3]
    return key, row, removed == _REMOVED


def row_mark(key: str, row: str, *, is_removed: bool = False) -> str:
    """The mark of one row of a field, for conflicts; `is_removed`: one of the users has removed it."""
    return "-".join([key, row, *([_REMOVED] if is_removed else [])])


def raw_page(step: Step, form: FormData) -> Page:
    """The page as sent, not parsed or validated yet. It contains the fields whose mark (`held_mark`) was sent."""
    held = frozenset(question.key for question in step.fields if held_mark(question.key) in form)
    return Page(step=step, raw={question.key: question.read(form) for question in step.fields}, answers={}, held=held)


def read_page(step: Step, form: FormData, base: Values) -> Page:
    """Parse a page that was sent whole. `base`: the answers of the other pages, and the facts."""
    return _page(step, {question.key: question.read(form) for question in step.fields}, base)


def _page(step: Step, raw: dict[str, Raw], base: Values, held: frozenset[str] | None = None) -> Page:
    page = Page(step=step, raw=raw, answers=dict(base), held=held)
    illegible: dict[str, dict[str, str]] = {}
    for question in step.fields:
        try:
            page.answers[question.key] = question.parse(raw[question.key])
        except Invalid as invalid:
            illegible[question.key] = invalid.errors
    page.answers |= step.pruned(page.answers)
    visible = {question.key for question in step.visible(page.answers)}
    for key in visible & illegible.keys():
        page.refuse(key, illegible[key], FIELDS[key].standing(raw[key], base.get(key)))
    unknown = page.unread | {q.key for q in step.fields if q.is_typed and page.answers[q.key] is None}
    for question in step.fields:
        hangs_in_air = question.key not in visible and not unknown.isdisjoint(question.shown.keys)
        if hangs_in_air and any(str(text).strip() for text in raw[question.key]):
            page.refuse(question.key, {}, base.get(question.key))
    for key, message in step.checks(page.answers).items():
        refused = _newly_answered(page, key, base)
        page.refuse(refused, {key: message}, base.get(refused))
    if step.always_answered:  # required answers are never emptied in the register
        for question in page.missing:
            page.refuse(question.key, {question.key: question.when_missing}, base.get(question.key))
    return page


def _newly_answered(page: Page, key: str, base: Values) -> str:
    """Of two fields that exclude each other, the one that is filled in while the other is registered; else the key
    itself."""
    others = page.step.excluded_by(key)
    is_registered = not FIELDS[key].is_empty(base.get(key))
    return next((one for one in others if is_registered and FIELDS[one].is_empty(base.get(one))), key)


def page_again(page: Page, raw: Mapping[str, Raw], base: Values) -> Page:
    """Parse the page again over `base`, with other raw values in some fields."""
    return _page(page.step, {**page.raw, **raw}, base, page.held)


def page_of(participation: Participation, step: Step, username: str | None = None) -> Page:
    """The page as stored: the registered answers, and over them the user's drafts; without a user, the drafts of
    all."""
    return _standing(step, values_of(participation), Typed.of(participation, username))


def pages_of(participation: Participation, sent: Page | None = None, *, username: str | None = None) -> dict[str, Page]:
    """All pages as stored, by name (see `page_of`); `sent` replaces the stored page of the same name."""
    values, typed = values_of(participation), Typed.of(participation, username)
    pages = {step.name: sent if sent and sent.step is step else _standing(step, values, typed) for step in STEPS}
    if sent:
        sent.others = typed.others
    return pages


@dataclass(frozen=True)
class Typed:
    """Drafts (values that could not be registered) by field key: a user's own, and who else has some."""

    own: dict[str, DraftValue]
    others: dict[str, list[tuple[str, datetime]]]

    @classmethod
    def of(cls, participation: Participation, username: str | None) -> "Typed":
        """The drafts of a user, or of all if None is given: the newest then counts."""
        own: dict[str, DraftValue] = {}
        others: dict[str, list[tuple[str, datetime]]] = {}
        for draft in sorted(participation.drafts, key=lambda one: one.at):
            if username in {None, draft.username}:
                own[draft.field] = draft
            else:
                others.setdefault(draft.field, []).append((draft.username, draft.at))
        return cls(own, others)


def raw_standing(participation: Participation, step: Step, values: Values, username: str | None) -> dict[str, Raw]:
    """The raw values of a page: the registered ones, and over them the user's drafts."""
    return _raw_standing(step, values, Typed.of(participation, username))


def _raw_standing(step: Step, values: Values, typed: Typed) -> dict[str, Raw]:
    registered = {q.key: q.raw(values[q.key]) for q in step.fields}
    return registered | {
        q.key: q.overlaid(registered[q.key], typed.own[q.key].raw) for q in step.fields if q.key in typed.own
    }


def _standing(step: Step, values: Values, typed: Typed) -> Page:
    page = _page(step, _raw_standing(step, values, typed), values)
    page.others = typed.others
    for question in page.asked if typed.own else ():
        if draft := typed.own.get(question.key):
            _show_draft(page, question, draft, values)
    return page


def _show_draft(page: Page, question: Field, draft: DraftValue, values: Values) -> None:
    """Show a draft, with the reason why it is not registered, and the registered value."""
    for mark in draft.undecided or ():
        page.undecide(mark, values)
    if not draft.undecided:  # it may have become valid by changes elsewhere
        said = _("Svaret er ikke lagret ennå. Det lagres når noe endres på siden, eller når du går videre")
        page.refuse(question.key, {question.key: said}, values[question.key])
    # To correct it, the user must see the registered value.
    if question.key in page.errors and not question.is_empty(values[question.key]):
        page.errors[question.key] += _registered_words(question.sentence(values[question.key]))
    if isinstance(question, RowsField):
        rows = {key_of(row): row for row in values[question.key] or []}
        for place, raw_row in enumerate(page.raw[question.key]):
            wrong = [name for name in question.row_names(place) if name in page.errors]
            if wrong and key_of(raw_row) in rows:
                page.errors[wrong[0]] += _registered_words(question.row_text(rows[key_of(raw_row)]))


def _registered_words(answer: str) -> str:
    words = _("Registrert svar: «%(answer)s»") % {"answer": answer}
    return f". {words}"
