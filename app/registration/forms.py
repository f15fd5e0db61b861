"""What the templates of the pages need to draw a form: its controls, and the steps above it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from flask import current_app
from markupsafe import Markup

from services.fields import ChoiceField, Field, Raw
from services.i18n import current_language
from services.i18n import gettext as _
from services.registration import Page
from services.row_fields import RowsField
from services.steps import BACKGROUND, FIELDS, PERSON, PROGRAMME, STEPS, TERMINATION, Step

STEP_WORDS = {
    PERSON.name: "person",
    BACKGROUND.name: "bakgrunn",
    PROGRAMME.name: "programinnhold",
    TERMINATION.name: "avslutning",
}
STEP_OF_WORD = {word: next(s for s in STEPS if s.name == name) for name, word in STEP_WORDS.items()}


# Names in a form that tell how it stands on screen: questions that come and go, what is said to be wrong, what is
# remarked, what two have answered, and what is being typed in.
SCREEN_NAMES = frozenset({"vist", "sagt", "varslet", "uavklart", "skriver", "felt", "slutt"})

Options: TypeAlias = list[tuple[str, Any]]  # (code, words), or (group, [(code, words), …])


@lru_cache(maxsize=500)
def _options(question: Field, _language: str) -> Options:
    """The options of a choice in the language in force."""
    if not isinstance(question, ChoiceField):
        return []
    flat = [(option.code, _(option.label), option.group) for option in question.options]
    if not any(group for _code, _words, group in flat):
        return [(code, words) for code, words, _group in flat]
    groups = dict.fromkeys(group for _code, _words, group in flat)
    return [(_(name or ""), [(code, words) for code, words, g in flat if g == name]) for name in groups]


# A select's option that is sent by its words, not chosen and chosen.
_WORDS, _CHOSEN_WORDS = Markup("<option>{}</option>"), Markup("<option selected>{}</option>")
# How a chosen option is marked, after what stands behind its value.
_CHOSEN = {
    "select": (Markup(""), Markup(" selected")),
    "radio": (Markup(' autocomplete="off"'), Markup(" checked")),
    "checks": (Markup(' autocomplete="off"'), Markup(" checked")),
}


@lru_cache(maxsize=1000)
def _drawn_options(question: Field, name: str, language: str) -> Markup:
    """The same as they stand on the page, none of them chosen: all countries of the world are not drawn anew for
    every page."""
    if isinstance(question, ChoiceField) and question.by_words:
        return Markup("").join(_WORDS.format(words) for _code, words in _options(question, language))
    fields: Any = current_app.jinja_env.get_template("ui/fields.html").module
    options, alone = _options(question, language), getattr(question, "exclusive", None)
    drawn: Markup = (
        fields.select_options(options)
        if question.kind == "select"
        else fields.choices("radio" if question.kind == "radio" else "checkbox", name, name, options, alone=alone)
    )
    return drawn


@dataclass(frozen=True, kw_only=True)
class Choices:
    """The buttons of a question that two have answered: which answer shall stand. `mark` tells a later request that
    they were shown."""

    mine: str
    theirs: str
    mark: str


@dataclass(frozen=True, kw_only=True)
class Control:
    """One question on the page. `name` is the control's name and id; `raw` what stands in it;
    `mark` tells a later request how the question was drawn, so that only what changes is redrawn.

    `choices`: where two have answered."""

    question: Field
    name: str
    raw: Raw
    error: str = ""
    warning: str = ""
    choices: Choices | None = None
    shown: bool = True
    required: bool = False
    watched: bool = False
    redrawn: bool = False
    rows: list["Row"] = field(default_factory=list)

    @property
    def options(self) -> Options:
        """The options of a choice for the templates."""
        return _options(self.question, current_language())

    @property
    def drawn_options(self) -> Markup:
        """The options of a choice as they stand on the page."""
        drawn = _drawn_options(self.question, self.name, current_language())
        if isinstance(self.question, ChoiceField) and self.question.by_words:
            words = self.question.text(self.value or None)
            return drawn.replace(_WORDS.format(words), _CHOSEN_WORDS.format(words))
        end, chosen = _CHOSEN[self.question.kind]
        for code in self.raw:
            option = Markup('value="{}"').format(code) + end
            drawn = drawn.replace(option, option + chosen, 1)
        return drawn

    @property
    def mark(self) -> str:
        """How the question is drawn now."""
        return f"{self.name}{'!' if self.required else ''}"

    @property
    def has_error(self) -> bool:
        """True when something is said to be wrong with the question, or with one of its rows."""
        return bool(self.error or any(c.error for row in self.rows for c in row.controls))

    @property
    def value(self) -> str:
        """The text of a single control."""
        return str(self.raw[0]) if self.raw else ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a repeatable question, with the controls of its own questions."""

    index: int
    controls: list[Control]


def controls_of(
    page: Page,
    *,
    said: Mapping[str, str] | None = None,
    choices: Mapping[str, Choices] | None = None,
) -> list[Control]:
    """The controls of a page. `said` are the errors to show, by control name (default: the page's)."""
    errors = page.errors if said is None else said
    warnings = page.warnings
    shown = {question.key for question in page.asked}
    return [
        Control(
            question=question,
            name=question.key,
            raw=page.raw[question.key],
            error=errors.get(question.key, ""),
            warning=warnings.get(question.key, ""),
            choices=(choices or {}).get(question.key),
            shown=question.key in shown,
            required=question.required(page.answers),
            redrawn=bool(question.shown.keys or question.required.keys),
            rows=_rows(question, page.raw[question.key], errors),
        )
        for question in page.step.fields
    ]


def _rows(question: Field, raw: Raw, errors: Mapping[str, str]) -> list[Row]:
    if not isinstance(question, RowsField):
        return []
    return [
        Row(
            index=index,
            controls=[
                Control(
                    question=inner,
                    name=question.control(index, inner.key),
                    raw=raw_row.get(inner.key, []),
                    error=errors.get(question.control(index, inner.key), ""),
                    required=inner.required({}),
                )
                for inner in question.fields
            ],
        )
        for index, raw_row in enumerate(raw)
    ]


def labels(names: Iterable[str]) -> dict[str, str]:
    """The label of each control name; of a row's control with the number of the row."""
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


def summary(said: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """The lines of an error summary: (control's id, label, message)."""
    words = labels(said)
    return [(name, words[name], message[:1].lower() + message[1:]) for name, message in said.items()]


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
    """The bar of a participant: each page's name and how far it has come."""
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
