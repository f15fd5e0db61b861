"""The form of page 1 before the participant exists: number, name to confirm, kommune, and the page's fields."""

import re
from dataclasses import dataclass, field, replace

from flask import abort

from app.registration.forms import SCREEN_NAMES, FormControl, controls_of, summary
from app.registration.leaving import LEFT_KEY
from app.web.form_fields import EVERY_FORM
from services.access.viewer import Viewer
from services.core import national_id
from services.core.clock import today
from services.core.i18n import N_
from services.core.i18n import gettext as _
from services.core.national_id import normalise
from services.core.text import is_blank, seen
from services.intake import unfinished as beginnings
from services.intake.look_up import LookUp, Outcome, look_up
from services.intake.messages import lost_zero
from services.participation.create import create, new_creation_key
from services.participation.find import funding_of
from services.participation.other_stays import earlier_stays
from services.participation.page import Page, held_mark, page_again, read_page
from services.questions.fields import ALWAYS, ChoiceField, Field, Invalid, Option, legible
from services.questions.pages import PERSON
from services.questions.pages.person import MUNICIPALITY_HELP, warnings
from services.registers.clients import Registers, fetch_for

_OWN_NAMES = {
    held_mark("municipality"),
    "creation_key",
    *EVERY_FORM,
    *SCREEN_NAMES,
    "national_id",
    "name_confirmed",
    "shown_name",
    "municipality",
    "followed",
    LEFT_KEY,
}


_OF_THE_NUMBER = {"national_id", "name_confirmed", "shown_name"}
_MARKS = {held_mark(key) for key in ("municipality", *(question.key for question in PERSON.fields))}
_NOT_TYPED = EVERY_FORM | SCREEN_NAMES | _MARKS | {"creation_key", "followed", LEFT_KEY}


@dataclass
class NewForm:
    """The form as sent, or blank. `problems`: errors that prevent the creation, by control name; `followed`: the
    municipality, and the financing set by it, when the form was drawn."""

    viewer: Viewer
    number: str
    creation_key: str
    municipality: str
    confirmed: bool
    shown_name: str
    page: Page
    typed: beginnings.TypedForm
    followed: str = ""
    found: LookUp | None = None
    news: LookUp | None = None  # the result of a look-up in this request
    problems: dict[str, str] = field(default_factory=dict)
    has_waited: bool = False
    is_kept: bool = False
    left_key: str = ""  # of the last request of a page that was being left

    @classmethod
    def blank(cls, viewer: Viewer) -> "NewForm":
        """An empty form: kommune from the user's roles, financing as the municipality has it."""
        fundings = {funding_of(place.number) for place in viewer.places}
        form = {"funding": list(fundings)} if len(fundings) == 1 else {}
        return cls._make(viewer, {**form, "creation_key": [new_creation_key()]})

    @classmethod
    def sent(cls, viewer: Viewer, form: dict[str, list[str]]) -> "NewForm":
        """The form as sent; unknown fields, and a municipality of others, are refused."""
        made = cls._make(viewer, form)
        chosen = form.get("municipality", [""])[0]
        is_ours = not set(form) - _OWN_NAMES - made.page.names() and made.page.is_ours
        if not is_ours or (chosen and not viewer.registers_in(chosen)):
            abort(400)
        if not re.fullmatch(r"[0-9a-f]{32}", made.creation_key):
            abort(400)
        return made

    @classmethod
    def begun(cls, viewer: Viewer, begun: beginnings.UnfinishedRegistration) -> "NewForm":
        """The form as stored. A municipality that the user has lost meanwhile must be chosen again."""
        lost = not viewer.registers_in((begun.form.get("municipality") or [""])[0])
        form = {name: given for name, given in begun.form.items() if not (lost and name == "municipality")}
        made = cls._make(viewer, {**form, "creation_key": [begun.creation_key]})
        made.has_waited, made.is_kept, made.left_key = begun.has_waited, True, begun.left_key
        made._take(begun.found)
        made.page.write_in_standard_form()
        return made

    @classmethod
    def _make(cls, viewer: Viewer, form: dict[str, list[str]]) -> "NewForm":
        only = viewer.places[0].number if len(viewer.places) == 1 else ""
        municipality = only or form.get("municipality", [""])[0]
        base = {"today": today(), "municipality": municipality}
        return cls(
            viewer=viewer,
            number=legible(seen(form.get("national_id", [""])[0]).strip()),
            creation_key=form.get("creation_key", [""])[0],
            municipality=municipality,
            confirmed=form.get("name_confirmed") == ["1"],
            shown_name=form.get("shown_name", [""])[0],
            page=read_page(PERSON, form, base),
            followed=form.get("followed", [""])[0],
            typed={
                name: [legible(one) for one in form[name]]
                for name in sorted(form)
                if name not in _NOT_TYPED and not all(map(is_blank, form[name]))
            },
        )

    def look_up(self, registers: Registers, *, typing: bool = False) -> None:
        """Look up the number. While it is being typed, an incomplete one is not looked up."""
        if typing and not self.is_whole_number:
            self.found = None
            return
        known = beginnings.known(self.viewer, self.creation_key, self.number, self.municipality)
        self._take(look_up(self.number, viewer=self.viewer, registers=registers, known=known, place=self.municipality))
        self.news = None if known else self.found

    def _take(self, found: LookUp | None) -> None:
        self.found = found
        if found and (record := found.record):
            stays = earlier_stays(self.viewer, (record.national_id, *record.earlier_ids))
            self.page.answers |= {"birth_date": record.birth_date, "sex": record.sex, "other_stays": lambda: stays}

    def recall(self) -> None:
        """Use the stored result of a recent look-up, without a new one."""
        self._take(beginnings.known(self.viewer, self.creation_key, self.number, self.municipality))

    @property
    def is_told_anew(self) -> bool:
        """True if the name shown may be out of date, since another municipality is chosen."""
        moved = self.followed.partition(":")[0] != self.municipality
        return moved and (self.shown_name != self.name or bool(self.found and not self.name))

    def with_number(self, number: str) -> "NewForm":
        """The same form with another number, without a confirmation."""
        typed = {**self.typed, "national_id": [number]}
        return replace(self, number=number, typed=typed, confirmed=False, shown_name="", found=None)

    def keep(self, *, waits: bool = False, left_key: str | None = None) -> tuple[str, bool]:
        """Store the form as typed, under «Påbegynte»; returns its id, and whether it is new. A blank form is not
        stored, nor a number alone that is stored with another form already."""
        more = self._answered.keys() - _OF_THE_NUMBER
        is_blank = not more and (self.typed == NewForm.blank(self.viewer).typed or bool(self.begun_before))
        identity, is_new = beginnings.keep(
            self.viewer,
            self.creation_key,
            self.typed,
            self.news,
            waits=waits,
            is_blank=is_blank,
            left_key=left_key,
        )
        self.is_kept = bool(identity)
        return identity, is_new

    @property
    def _answered(self) -> beginnings.TypedForm:
        """The typed and chosen values, without those of a blank form."""
        blank = NewForm.blank(self.viewer).typed
        return {name: given for name, given in self.typed.items() if blank.get(name) != given}

    @property
    def begun_before(self) -> str:
        """The id of another unfinished registration of the user with this number, '' if there is none."""
        return beginnings.same_number(self.viewer, self.creation_key, self.number)

    def go_on_with(self, identity: str) -> None:
        """Copy the answers to another unfinished registration with this number."""
        beginnings.join(self.viewer, self.creation_key, identity, self._answered)

    @property
    def can_wait(self) -> bool:
        """True if only Folkeregisteret's response is missing."""
        return bool(self.found and self.found.may_retry and self.municipality and not self.page.problems)

    @property
    def waits(self) -> bool:
        """True while it waits for Folkeregisteret."""
        return self.has_waited and bool(self.found and self.found.may_retry)

    def follow_municipality(self) -> frozenset[str]:
        """Set the financing of a newly chosen municipality, unless the user has chosen one since; returns the keys of
        changed fields."""
        chosen, before = self._funding, self.followed
        is_by_hand = chosen not in {"", before.partition(":")[2]}
        if not self.municipality or is_by_hand or (chosen and self.mark == before):
            return frozenset()
        funding = funding_of(self.municipality)
        if funding == chosen:
            return frozenset()
        self.page = page_again(self.page, {"funding": [funding]}, self.page.answers)
        return frozenset({"funding"})

    @property
    def _funding(self) -> str:
        return "".join(map(str, self.page.raw["funding"][:1]))

    @property
    def mark(self) -> str:
        """The municipality and the financing in the form, for its next request."""
        return f"{self.municipality}:{self._funding}"

    def check(self) -> None:
        """Find the problems that prevent the creation."""
        self.problems = {}
        if self.found and self.found.outcome is not Outcome.FOUND:
            self.problems["national_id"] = self.found.message
        elif not self.confirms_found_name:
            self.problems["name_confirmed"] = _("Bekreft at navnet er riktig")
        if not self.municipality:
            self.problems["municipality"] = _("Velg kommune")
        self.problems |= self.page.problems

    @property
    def confirms_found_name(self) -> bool:
        """True if the user has confirmed exactly the name that Folkeregisteret gives now."""
        return bool(self.found and self.confirmed and self.shown_name == self.name)

    @property
    def seems_confirmed(self) -> bool:
        """Like `confirms_found_name`, but by the form alone if there was no look-up."""
        return self.confirms_found_name if self.found else self.confirmed and bool(self.shown_name)

    @property
    def is_whole_number(self) -> bool:
        """True if the number is complete."""
        return len(normalise(self.number)) >= national_id.LENGTH

    @property
    def number_with_zero(self) -> str | None:
        """The number with the leading zero that a spreadsheet has removed, if that makes it valid."""
        return national_id.with_lost_zero(self.number)

    @property
    def lost_zero_words(self) -> str:
        """The message about a lost zero."""
        return lost_zero(self.number)

    @property
    def key(self) -> str:
        """The creation key of the form and this number: a form that is sent again with another number creates another
        participant."""
        return beginnings.created_key(self.creation_key, self.number)

    @property
    def name(self) -> str:
        """The name that was found, '' if none."""
        return self.found.record.full_name if self.found and self.found.record else ""

    @property
    def warning(self) -> str:
        """The warning before creating (age, man)."""
        return warnings(self.page.answers).get("national_id", "") if self.name else ""

    @property
    def title(self) -> str:
        """The page's title."""
        title = f"{_('Ny deltaker')} · {_(PERSON.title)}"
        return f"{_('Feil:')} {title}" if self.problems else title

    @property
    def missing_words(self) -> str:
        """The line about what is missing before the participant is created."""
        missing = [] if self.seems_confirmed else [self._missing_person]
        if not self.municipality:
            missing.append(_("kommune"))
        for question in PERSON.missing(self.page.answers):
            label = _(question.label).lower()
            is_typed = any(text.strip() for text in self.page.raw[question.key])
            missing.append(_("%(label)s (må rettes)") % {"label": label} if is_typed else label)
        return ", ".join(missing)

    @property
    def _missing_person(self) -> str:
        """The missing part of the participant's identity."""
        if not self.is_whole_number:
            return _("fødselsnummer og bekreftet navn")
        try:
            national_id.parse(self.number)
        except national_id.InvalidNationalId:
            return _("gyldig fødselsnummer og bekreftet navn")
        return _("bekreftet navn")

    @property
    def summary(self) -> list[tuple[str, str, str]]:
        """The error summary's lines."""
        own = {
            "national_id": _("Fødselsnummer"),
            "name_confirmed": _("Navn"),
            "municipality": _("Kommune og kommunenummer"),
        }
        lines = [(name, own[name], self.problems[name]) for name in own if name in self.problems]
        return lines + summary({k: v for k, v in self.problems.items() if k not in own}, {})

    @property
    def municipality_control(self) -> FormControl | None:
        """The choice of kommune, for users who have several."""
        if len(self.viewer.places) == 1:
            return None
        question = ChoiceField(
            key="municipality",
            label=N_("Kommune og kommunenummer"),
            help=MUNICIPALITY_HELP,
            options=tuple(Option(place.number, f"{place.name} ({place.number})") for place in self.viewer.places),
            required=ALWAYS,
        )
        return FormControl(
            question=question,
            name=question.key,
            raw=[self.municipality] if self.municipality else [],
            error=self.problems.get("municipality", ""),
            required=True,
            watched=True,
        )

    def controls(self) -> list[FormControl]:
        """The page's fields; missing and incomplete values are shown as errors only after an attempt to continue."""
        # Every answer affects the line about what is missing.
        said = self.refused | self.problems
        return [replace(control, watched=True) for control in controls_of(self.page, said=said)]

    @property
    def refused(self) -> dict[str, str]:
        """Errors in answers that can be parsed, such as a date in the future: shown at once."""
        questions = {question.key: question for question in PERSON.fields}
        return {key: words for key, words in self.page.errors.items() if self._can_be_read(questions[key])}

    def _can_be_read(self, question: Field) -> bool:
        try:
            return question.parse(self.page.raw[question.key]) is not None
        except Invalid:
            return False

    def create(self, registers: Registers) -> str:
        """Create the participant, with PAD's results if available; returns the public id."""
        record = self.found.record if self.found else None
        if record is None:
            raise ValueError("nobody was found to create")
        return create(
            self.viewer,
            person=record,
            results=fetch_for(record.national_id, registers),
            municipality_number=self.municipality,
            page=self.page,
            creation_key=self.key,
            begun_as=self.creation_key,
        )
