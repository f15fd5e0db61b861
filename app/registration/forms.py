"""A form for the templates: its controls, and the steps above it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from flask import current_app
from markupsafe import Markup

from app.registration.rows import row_id
from app.web.formatting import moment_text
from services.core.collation import sort_key
from services.core.i18n import current_language
from services.core.i18n import gettext as _
from services.core.row_keys import key_of
from services.participation.page import Page, row_mark
from services.questions.fields import NEVER, ChoiceField, Field, Raw
from services.questions.pages import BACKGROUND, FIELDS, PERSON, PROGRAMME, STEPS, TERMINATION, Step
from services.questions.row_fields import RowsField

STEP_WORDS = {
    PERSON.name: "person",
    BACKGROUND.name: "bakgrunn",
    PROGRAMME.name: "programinnhold",
    TERMINATION.name: "avslutning",
}
STEP_OF_WORD = {word: next(s for s in STEPS if s.name == name) for name, word in STEP_WORDS.items()}


# Names in a form that give its state on screen: conditional fields, errors shown, warnings, conflicts, the control
# being typed in, whether there is an error summary.
SCREEN_NAMES = frozenset({"vist", "sagt", "varslet", "uavklart", "skriver", "oppsummert"})

Options: TypeAlias = list[tuple[str, Any]]  # (code, label), or (group, [(code, label), …])


@lru_cache(maxsize=500)
def _options(question: Field, _language: str) -> Options:
    """The options of a choice in the current language."""
    if not isinstance(question, ChoiceField):
        return []
    flat = [(option.code, _(option.label), option.group) for option in question.options]
    if question.alphabetical:
        flat.sort(key=lambda option: (option[0] == question.last, sort_key(option[1])))
    if not any(group for _code, _words, group in flat):
        return [(code, words) for code, words, _group in flat]
    groups = dict.fromkeys(group for _code, _words, group in flat)
    return [(_(name or ""), [(code, words) for code, words, g in flat if g == name]) for name in groups]


# How a chosen option is marked, after the part behind its value.
_CHOSEN = {
    "select": (Markup(""), Markup(" selected")),
    "radio": (Markup(' autocomplete="off"'), Markup(" checked")),
    "checks": (Markup(' autocomplete="off"'), Markup(" checked")),
}


@lru_cache(maxsize=1000)
def _drawn_options(question: Field, name: str, own_id: str, language: str) -> Markup:
    """The options as HTML, none chosen: cached, so that all countries of the world are not rendered for every page."""
    fields: Any = current_app.jinja_env.get_template("ui/fields.html").module
    options, alone = _options(question, language), getattr(question, "exclusive", None)
    if question.kind == "radio" and question.required is NEVER:
        options = [*options, ("", _("Ikke besvart"))]  # so that the answer can be removed
    drawn: Markup = (
        fields.select_options(options)
        if question.kind == "select"
        else fields.choices("radio" if question.kind == "radio" else "checkbox", name, own_id, options, alone=alone)
    )
    return drawn


@dataclass(frozen=True, kw_only=True)
class Choices:
    """The buttons of a conflict: value and label of each. `mark`: tells a later request that they were shown."""

    buttons: tuple[tuple[str, str], ...]
    mark: str


@dataclass(frozen=True, kw_only=True)
class FormControl:
    """A field on the page. `name`: the control's name, and its id unless `own_id` is given; `raw`: its texts; `mark`:
    tells a later request how the field was drawn, so that only changes are redrawn. `choices`: the buttons of a
    conflict."""

    question: Field
    name: str
    raw: Raw
    own_id: str = ""
    error: str = ""
    warning: str = ""
    choices: Choices | None = None
    shown: bool = True
    required: bool = False
    watched: bool = False
    redrawn: bool = False
    rows: list["FormRow"] = field(default_factory=list)

    @property
    def options(self) -> Options:
        """The options of a choice for the templates."""
        return _options(self.question, current_language())

    @property
    def drawn_options(self) -> Markup:
        """The options of a choice as HTML."""
        is_select = self.question.kind == "select"
        drawn = _drawn_options(self.question, self.name, "" if is_select else self.id, current_language())
        end, chosen = _CHOSEN[self.question.kind]
        for code in self.raw or [""]:
            option = Markup('value="{}"').format(code) + end
            drawn = drawn.replace(option, option + chosen, 1)
        return drawn

    @property
    def id(self) -> str:
        """The control's id."""
        return self.own_id or self.name

    @property
    def mark(self) -> str:
        """The present state of the field."""
        return f"{self.name}{'!' if self.required else ''}"

    @property
    def has_error(self) -> bool:
        """True if the field, or one of its rows, has an error."""
        return bool(self.error or any(c.error for row in self.rows for c in row.controls))

    @property
    def value(self) -> str:
        """The text of a single control."""
        return str(self.raw[0]) if self.raw else ""


@dataclass(frozen=True, kw_only=True)
class FormRow:
    """A row of a field, with its place, its identity and the controls of its inner fields."""

    index: int
    key: str
    controls: list[FormControl]
    choices: Choices | None = None


def controls_of(
    page: Page,
    *,
    said: Mapping[str, str] | None = None,
    choices: Mapping[str, Choices] | None = None,
) -> list[FormControl]:
    """The controls of a page. `said`: the errors to show, by control name (default: the page's); `choices`: by mark."""
    errors = page.errors if said is None else said
    warnings = page.warnings | {key: remark(page, key) for key in page.others}
    shown = {question.key for question in page.asked}
    return [
        FormControl(
            question=question,
            name=question.key,
            raw=page.raw[question.key],
            error=errors.get(question.key, ""),
            warning=warnings.get(question.key, ""),
            choices=(choices or {}).get(question.key),
            shown=question.key in shown,
            required=question.required(page.answers),
            redrawn=bool(question.shown.keys or question.required.keys),
            rows=_rows(question, page.raw[question.key], errors, choices or {}),
        )
        for question in page.step.fields
    ]


def remark(page: Page, key: str) -> str:
    """The remarks at a field: its warning, and unsaved values of other users."""
    typed = [
        _("%(who)s har skrevet et svar her som ikke er lagret (%(at)s).") % {"who": who, "at": moment_text(at)}
        for who, at in page.others.get(key, [])
    ]
    return " ".join([*filter(None, [page.warnings.get(key)]), *typed])


def _rows(question: Field, raw: Raw, errors: Mapping[str, str], choices: Mapping[str, Choices]) -> list[FormRow]:
    if not isinstance(question, RowsField):
        return []
    return [
        FormRow(
            index=index,
            key=key_of(raw_row),
            choices=choices.get(row_mark(question.key, key_of(raw_row))),
            controls=[
                FormControl(
                    question=inner,
                    name=question.control(index, inner.key),
                    own_id=row_id(question.key, key_of(raw_row) or str(index), inner.key),
                    raw=raw_row.get(inner.key, []),
                    error=errors.get(question.control(index, inner.key), ""),
                    required=inner.required({}),
                )
                for inner in question.fields
            ],
        )
        for index, raw_row in enumerate(raw)
    ]


def ids_of(controls: Iterable[FormControl]) -> dict[str, str]:
    """The id of each control by name, including those of rows."""
    every = [one for control in controls for one in (control, *(c for row in control.rows for c in row.controls))]
    return {one.name: one.id for one in every}


def labels(names: Iterable[str]) -> dict[str, str]:
    """The label of each control name; a row's control has the number of the row."""
    found = {}
    for name in names:
        key, _dash, rest = name.partition("-")
        question = FIELDS[key]
        found[name] = _(question.label)
        if rest and isinstance(question, RowsField):
            index, _dash, inner = rest.partition("-")
            label = next(_(f.label) for f in question.fields if f.key == inner)
            found[name] = f"{_(question.item)} {int(index) + 1}, {label.lower()}"
    return found


def summary(said: Mapping[str, str], ids: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """The lines of an error summary: (control's id, label, message). `ids`: by control name."""
    words = labels(said)
    return [(ids.get(name, name), words[name], message[:1].lower() + message[1:]) for name, message in said.items()]


@dataclass(frozen=True, kw_only=True)
class StepButton:
    """A step in the bar above the form."""

    value: str
    name: str
    state: str
    kind: str
    current: bool


def new_steps() -> list[StepButton]:
    """The bar before the participant is created."""
    return [
        StepButton(
            value=step.name,
            name=_(step.title),
            state=_("Ved utskriving") if step is TERMINATION else _("Ikke påbegynt"),
            kind="todo",
            current=step is PERSON,
        )
        for step in STEPS
    ]


def steps_of(pages: Mapping[str, Page], current: Step) -> list[StepButton]:
    """The bar of a participant: each page's name and progress."""
    buttons = []
    for step in STEPS:
        page = pages[step.name]
        begun = bool(page.unread) or any(not q.is_empty(page.answers[q.key]) for q in step.fields)
        missing = len(page.problems)
        kind = "done" if begun and not missing else "missing" if begun else "todo"
        state = {
            "done": _("Fullført"),
            "missing": _("Mangler %(n)s") % {"n": missing},
            "todo": _("Ved utskriving") if step is TERMINATION else _("Ikke påbegynt"),
        }[kind]
        buttons.append(StepButton(value=step.name, name=_(step.title), state=state, kind=kind, current=step is current))
    return buttons
