"""The four pages of a registration and all their fields (section 5 of the domain, guide 4).

A step is a page: its fields in order, and checks that involve several answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.core.i18n import N_
from services.questions.fields import Field, Values
from services.questions.pages import background, person, programme, termination

Messages = Mapping[str, str]


def _nothing(values: Values) -> dict[str, str]:
    return {}


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One page. `checks` returns errors and `warnings` returns warnings, both by field key; warnings do not prevent
    saving. `excluding`: pairs of fields of which only one can be answered."""

    name: str
    title: str
    fields: tuple[Field, ...]
    always_answered: bool = False  # a participation cannot exist without these answers
    excluding: tuple[tuple[str, str], ...] = ()
    checks: Callable[[Values], dict[str, str]] = field(default=_nothing)
    warnings: Callable[[Values], dict[str, str]] = field(default=_nothing)

    def visible(self, values: Values) -> list[Field]:
        """The fields that are shown, given the answers."""
        return [question for question in self.fields if question.shown(values)]

    def missing(self, values: Values) -> list[Field]:
        """The required fields that are empty."""
        return [q for q in self.visible(values) if q.required(values) and q.is_empty(values.get(q.key))]

    def excluded_by(self, key: str) -> set[str]:
        """The fields that exclude this one."""
        return {one for pair in self.excluding if key in pair for one in pair} - {key}

    def pruned(self, values: Values) -> dict[str, Any]:
        """The page's answers, without those of fields that are not shown; a removed answer also removes those that
        depend on it."""
        answers = dict(values)
        for question in self.fields:  # a field comes after those it depends on
            if not question.shown(answers):
                answers[question.key] = None
        return {question.key: answers.get(question.key) for question in self.fields}


PERSON = Step(
    name="person",
    title=N_("Person og prosjekt"),
    fields=person.FIELDS,
    always_answered=True,
    checks=person.checks,
    warnings=person.warnings,
)
BACKGROUND = Step(
    name="background",
    title=N_("Bakgrunn"),
    fields=background.FIELDS,
    checks=background.checks,
    warnings=background.warnings,
)
PROGRAMME = Step(
    name="programme",
    title=N_("Programinnhold"),
    fields=programme.FIELDS,
    excluding=(("activities", "no_activities"),),
    checks=programme.checks,
    warnings=programme.warnings,
)
TERMINATION = Step(
    name="termination",
    title=N_("Avslutning"),
    fields=termination.FIELDS,
    checks=termination.checks,
    warnings=termination.warnings,
)

STEPS = (PERSON, BACKGROUND, PROGRAMME, TERMINATION)
FIELDS: dict[str, Field] = {question.key: question for step in STEPS for question in step.fields}
ROW_KEYS = frozenset({"activities", "leaves"})


def step_named(name: str) -> Step:
    """The step with that name; raises `KeyError`."""
    return {step.name: step for step in STEPS}[name]
