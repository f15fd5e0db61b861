"""The panel «Søk og filter»: its fields, with the values of a list."""

from dataclasses import dataclass
from typing import Any

from app.overview.chips import MISSING_LABELS, SPAN_LABELS
from app.overview.list_request import CHANGED_BY_FIELD, SEARCH_FIELD, ListRequest
from app.overview.query import FUNDING_WORDS, MISSING_WORDS, PLACE_NAMES, SETS, SPANS, STATUS_WORDS
from app.web.access import viewer
from services.access.viewer import Viewer
from services.core.code_lists import district_names
from services.core.days import date_text
from services.core.i18n import gettext as _
from services.core.status import STATUS_LABELS, Status
from services.listing.criteria import LONG_STAYS
from services.questions.pages import FIELDS

Wrong = list[tuple[str, str, str]]  # fields with an error: name, label, error


@dataclass(frozen=True)
class PanelField:
    """A field of the panel. `kind`: words, boxes, choice, days or places; `options`: (value, text) of boxes and
    choices; `values`: the chosen values, or the texts; `errors`: likewise."""

    name: str
    label: str
    kind: str
    options: tuple[tuple[str, str], ...] = ()
    values: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    description: str = ""

    @property
    def texts(self) -> list[tuple[str, str]]:
        """The name and the label of each of its text fields; days have two."""
        if self.kind == "days":
            ends = {"fra": _("%(what)s fra"), "til": _("%(what)s til")}
            return [(f"{self.name}-{end}", label % {"what": self.label}) for end, label in ends.items()]
        return [(PLACE_NAMES if self.kind == "places" else self.name, self.label)]

    @property
    def wrong(self) -> Wrong:
        """The errors of its text fields."""
        return [(*text, error) for text, error in zip(self.texts, self.errors, strict=False) if error]


def controls(asked: ListRequest) -> list[PanelField]:
    """The fields that the viewer has."""
    fundings = {word: FIELDS["funding"].text(code) for code, word in FUNDING_WORDS.items()}
    return [
        _words(asked, SEARCH_FIELD, _("Søk på fødselsnummer, PersonId eller navn"), asked.kept.words),
        *_place_controls(asked, viewer()),
        _boxes(asked, "status", _("Status"), {STATUS_WORDS[s]: _(STATUS_LABELS[s]) for s in _STATUSES}),
        _boxes(asked, "mangler", _("Mangler opplysninger"), _labels(MISSING_WORDS, MISSING_LABELS)),
        _boxes(asked, "finansiering", _("Finansiering"), fundings),
        *(_days(asked, word) for word in SPANS),
        _stay(asked),
        _words(asked, CHANGED_BY_FIELD, _("Sist endret av"), asked.kept.changed_by),
    ]


_STATUSES = (Status.CREATED, Status.CHANGED, Status.ENDED, Status.DISCHARGED)


def _labels(words: dict[str, str], labels: dict[str, str]) -> dict[str, str]:
    return {word: _(labels[code]) for code, word in words.items()}


def _place_controls(asked: ListRequest, who: Viewer) -> list[PanelField]:
    """Kommune for users with more than one, Bydel for users in Oslo."""
    found = []
    if who.is_national:
        chosen = asked.query.criteria.municipalities
        found.append(
            PanelField(
                "kommune",
                _("Kommune"),
                "places",
                values=(*chosen, asked.typed.get(PLACE_NAMES, "")),
                errors=(asked.faults.get(PLACE_NAMES, ""),),
                description=_("Navn eller nummer. Flere skilles med komma."),
            )
        )
    elif len(who.places) > 1:
        found.append(_boxes(asked, "kommune", _("Kommune"), {place.number: place.name for place in who.places}))
    if who.sees_districts:
        found.append(_boxes(asked, "bydel", _("Bydel"), district_names()))
    return found


def _words(asked: ListRequest, name: str, label: str, values: tuple[str, ...]) -> PanelField:
    return PanelField(
        name,
        label,
        "words",
        values=(asked.typed.get(name, ", ".join(values)),),
        errors=(asked.faults.get(name, ""),),
        description=_("Flere verdier skilles med komma.")
        if name == SEARCH_FIELD
        else _("Brukernavn. Flere skilles med komma."),
    )


def _boxes(asked: ListRequest, name: str, label: str, options: dict[str, str]) -> PanelField:
    attribute, words = SETS[name]
    chosen = tuple(words[value] for value in getattr(asked.query.criteria, attribute))
    return PanelField(name, label, "boxes", tuple(options.items()), chosen)


def _days(asked: ListRequest, name: str) -> PanelField:
    span: Any = getattr(asked.query.criteria, SPANS[name])
    names = [f"{name}-{end}" for end in ("fra", "til")]
    days = [asked.typed.get(one, date_text(day)) for one, day in zip(names, (span.first, span.last), strict=True)]
    errors = tuple(asked.faults.get(one, "") for one in names)
    return PanelField(name, _(SPAN_LABELS[name]), "days", values=tuple(days), errors=errors)


def _stay(asked: ListRequest) -> PanelField:
    months = asked.query.criteria.months
    options = tuple((str(n), _("Over %(n)s måneder") % {"n": n}) for n in LONG_STAYS)
    return PanelField("over", _("Tid i programmet"), "choice", options, (str(months or ""),))
