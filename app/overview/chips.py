"""Chips: the criteria in force beside «Filtrer», one for each value, each with a button to remove it (guide 3.8)."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from app.overview.list_request import Chosen, ListRequest, narrowed
from app.overview.query import SETS, SPANS, BadQuery
from services.core.code_lists import district_name, municipality_name
from services.core.days import date_text
from services.core.i18n import N_
from services.core.i18n import gettext as _
from services.core.status import STATUS_LABELS
from services.listing.criteria import Criteria, Span
from services.questions.pages import FIELDS

IN_SIGHT = 20  # chips of one field; the others are folded

MISSING_LABELS = {
    "background": N_("Bakgrunn"),
    "programme": N_("Programinnhold"),
    "termination": N_("Avslutning"),
}
SPAN_LABELS = {
    "deltok": N_("I programmet"),
    "oppstart": N_("Oppstart"),
    "avslutning": N_("Avslutning"),
    "endret": N_("Sist endret"),
}


@dataclass(frozen=True)
class Chip:
    """A criterion as text: its subject and its value. `key`: the value of its button. `is_folded`: shown on demand
    only, since there are so many."""

    key: str
    about: str
    value: str
    is_folded: bool = False

    @property
    def field(self) -> str:
        """The form field that it belongs to."""
        return self.key.partition(":")[0]


def chips(asked: ListRequest) -> list[Chip]:
    """The chips of a list, in the order of the form; folded ones come last."""
    words = (Chip(f"q:{n}", _("Søk"), word) for n, word in enumerate(asked.kept.words))
    users = (Chip(f"endret-av:{n}", _("Sist endret av"), user) for n, user in enumerate(asked.kept.changed_by))
    criteria = asked.query.criteria
    found = _folded([*words, *_of_choices(criteria), *_of_days(criteria), *users])
    return sorted(found, key=lambda chip: chip.is_folded)


def _folded(found: Iterable[Chip]) -> Iterator[Chip]:
    of_field: Counter[str] = Counter()
    for chip in found:
        of_field[chip.field] += 1
        yield chip if of_field[chip.field] <= IN_SIGHT else replace(chip, is_folded=True)


def _of_choices(criteria: Criteria) -> Iterator[Chip]:
    for name, (label, text) in _CHOICES.items():
        attribute, words = SETS[name]
        for value in getattr(criteria, attribute):
            yield Chip(f"{name}:{words[value]}", _(label), text(value))


def _of_days(criteria: Criteria) -> Iterator[Chip]:
    for name, attribute in SPANS.items():
        if span := getattr(criteria, attribute):
            yield Chip(name, _(SPAN_LABELS[name]), _span_text(span))
    if criteria.months:
        yield Chip("over", _("I programmet"), _("over %(n)s måneder") % {"n": criteria.months})


_CHOICES: dict[str, tuple[str, Callable[[Any], str]]] = {
    "kommune": (N_("Kommune"), municipality_name),
    "bydel": (N_("Bydel"), district_name),
    "status": (N_("Status"), lambda status: _(STATUS_LABELS[status])),
    "mangler": (N_("Mangler"), lambda page: _(MISSING_LABELS[page])),
    "finansiering": (N_("Finansiering"), lambda code: FIELDS["funding"].text(code)),
}


def _span_text(span: Span) -> str:
    if span.first == span.last:
        return date_text(span.first)
    bounds = [_("fra %(day)s") % {"day": date_text(span.first)}] if span.first else []
    bounds += [_("til %(day)s") % {"day": date_text(span.last)}] if span.last else []
    return " ".join(bounds)


def without(asked: ListRequest, key: str, chosen: Chosen | None = None) -> ListRequest:
    """The list without the criterion of a chip, but with other changes in `chosen`; raises `BadQuery` if it has no such
    chip."""
    if key not in {chip.key for chip in chips(asked)}:
        raise BadQuery("no such criterion")
    chosen = chosen or Chosen(asked.query.criteria, asked.kept)
    name, _colon, value = key.partition(":")
    criteria, kept = chosen.criteria, chosen.kept
    if name == "q":
        kept = replace(kept, words=_but(kept.words, asked.kept.words[int(value)]))
    elif name == "endret-av":
        kept = replace(kept, changed_by=_but(kept.changed_by, asked.kept.changed_by[int(value)]))
    else:
        criteria = replace(criteria, **_without(criteria, name, value))
    return narrowed(asked, Chosen(criteria, kept))


def _without(criteria: Criteria, name: str, word: str) -> dict[str, Any]:
    if name in SPANS:
        return {SPANS[name]: Span()}
    if name == "over":
        return {"months": None}
    attribute, known = SETS[name]
    return {attribute: tuple(one for one in getattr(criteria, attribute) if known[one] != word)}


def _but(values: tuple[str, ...], gone: str) -> tuple[str, ...]:
    return tuple(value for value in values if value != gone)
