"""The kinds of form fields: how each is parsed, stored, compared and formatted.

A field is declared once, in `services.questions.pages`; the form, the page of registered data, missing fields, the
history and the downloads follow from the declaration. An answer has three forms:

- *raw*: the texts of the controls, `list[str]` (rows: `list[dict[str, list[str]]]`);
- *value*: the registered value (`str`, `list[str]`, `int`, `Decimal`, `date`, `bool`, list of
  dicts for rows), `None` if there is no answer;
- *JSON*: the value as stored in the history and the drafts.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar, TypeAlias

from services.core.clock import today
from services.core.days import date_text, month_text, parse_month
from services.core.days import parse_date as parse_date
from services.core.i18n import N_, ngettext
from services.core.i18n import gettext as _
from services.core.text import is_blank, plain_line, seen

Raw: TypeAlias = list[Any]
Values: TypeAlias = Mapping[str, Any]
FormData: TypeAlias = Mapping[str, list[str]]

BETWEEN = " | "  # separates several answers to one field in a download
EARLIEST = date(1950, 1, 1)
LATEST = date(2100, 12, 31)

# Control characters and noncharacters: HTML may not contain them, nor PostgreSQL all of them.
_NO_CHARACTERS = "".join(chr(plane + low) for plane in range(0, 0x110000, 0x10000) for low in (0xFFFE, 0xFFFF))
_UNSTORABLE = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_NO_CHARACTERS}]")
_REPLACEMENT = "\ufffd"


def legible(text: str) -> str:
    """The text with a visible mark in place of characters that can be neither shown nor stored."""
    return _UNSTORABLE.sub(_REPLACEMENT, text)


class Invalid(ValueError):
    """A raw answer is invalid; `errors`: messages to the user by control name."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


@dataclass(frozen=True)
class Condition:
    """A rule over the answers, e.g. when a field is shown. `keys`: the answers it reads."""

    keys: tuple[str, ...]
    test: Callable[[Values], bool]

    def __call__(self, values: Values) -> bool:
        return self.test(values)

    def __or__(self, other: "Condition") -> "Condition":
        return Condition(self.keys + other.keys, lambda values: self(values) or other(values))

    def __and__(self, other: "Condition") -> "Condition":
        return Condition(self.keys + other.keys, lambda values: self(values) and other(values))


ALWAYS = Condition((), lambda values: True)
NEVER = Condition((), lambda values: False)


def chosen(key: str, *codes: str) -> Condition:
    """The condition that the answer to `key` is, or contains, one of the codes."""

    def test(values: Values) -> bool:
        answer = values.get(key)
        given = answer if isinstance(answer, list) else [answer]
        return any(code in given for code in codes)

    return Condition((key,), test)


def positive(key: str) -> Condition:
    """The condition that the number answered to `key` is above zero."""
    return Condition((key,), lambda values: (values.get(key) or 0) > 0)


@dataclass(frozen=True)
class Option:
    """An option of a choice: its code in the database, its label, and its group."""

    code: str
    label: str
    group: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Field:
    """A form field, equal to itself only. `help`: the text behind its «i»; `shown` and `required`: rules over the
    answers. A field that is not shown has no answer."""

    kind: ClassVar[str] = "text"
    key: str
    label: str
    help: str = ""
    shown: Condition = ALWAYS
    required: Condition = NEVER
    missing_text: str = ""

    def read(self, form: FormData) -> Raw:
        """The raw answer from a form, visible characters only."""
        return [self.as_seen(text) for text in form.get(self.key, [])]

    def as_seen(self, text: str) -> str:
        """A submitted text as shown in the control; '' if nothing in it is visible."""
        return legible(text)

    def offers(self, raw: Raw) -> bool:
        """True if our own forms can send the value, valid or not; otherwise the request was manipulated."""
        return len(raw) <= 1

    def names(self, raw: Raw) -> list[str]:
        """The names of the controls that the form may contain."""
        return [self.key]

    def parse(self, raw: Raw) -> Any:
        """Parse a raw answer; `None` if it is empty; raises `Invalid`."""
        given = raw[0].strip() if raw else ""
        return self.parse_text(given) if given and not is_blank(given) else None

    def parse_text(self, given: str) -> Any:
        """Parse a single text that is not empty."""
        raise NotImplementedError(type(self).__name__)

    def raw(self, value: Any) -> Raw:
        """The texts of the controls for a value."""
        return [] if value is None else [self.text(value)]

    def text(self, value: Any) -> str:
        """The value as text for a download; '' if there is none."""
        return "" if value is None else str(value)

    def words(self, value: Any) -> str:
        """The value as text for people, with its unit; `text` is for files."""
        return self.text(value)

    def parts(self, value: Any) -> list[str]:
        """The value as text, one item for each of several answers; empty if there is no answer."""
        text = self.words(value)
        return [text] if text else []

    def sentence(self, value: Any) -> str:
        """The value as text on one line, for a page."""
        return ", ".join(self.parts(value))

    def to_json(self, value: Any) -> Any:
        """Convert a value to its JSON form."""
        return value

    def from_json(self, kept: Any) -> Any:
        """Convert the JSON form to a value."""
        return kept

    def standing(self, raw: Raw, registered: Any) -> Any:
        """The registered value while a raw answer is invalid."""
        return registered

    def overlaid(self, raw: Raw, drafts: Raw) -> Raw:
        """The texts of the controls, with the user's drafts in place of registered values."""
        return drafts

    def is_empty(self, value: Any) -> bool:
        """True if there is no answer."""
        return value is None or value == []

    @property
    def is_typed(self) -> bool:
        """True if the answer is typed, not chosen."""
        return self.kind not in {"radio", "select", "checks", "check", "rows"}

    def single_controls(self, raw: Raw) -> list[tuple[str, "Field", list[str]]]:
        """The controls with one text each: name, field, and the text in the raw answer."""
        return [(self.key, self, raw)]

    def standard_form(self, raw: list[str]) -> tuple[str, str]:
        """The typed text, and the same answer in the standard form: a day, a month or a number may be written in
        several ways. Twice the typed text if it is invalid."""
        typed = raw[0] if raw else ""
        if self.kind not in {"date", "month", "number", "year", "hours"}:
            return typed, typed
        try:
            value = self.parse(raw)
        except Invalid:
            return typed, typed
        return typed, self.text(value) if value is not None else typed

    def invalid(self, message: str) -> Invalid:
        """An `Invalid` for this field's only control."""
        return Invalid({self.key: message})

    @property
    def when_missing(self) -> str:
        """The message for a missing answer."""
        return _(self.missing_text) if self.missing_text else _("Fyll ut feltet")


@dataclass(frozen=True, kw_only=True, eq=False)
class ChoiceField(Field):
    """A choice of one of several options: radio buttons up to five, a select beyond. Value: the code.

    `alphabetical`: options are shown in the order of their labels, except `last`, which comes last.
    """

    options: tuple[Option, ...]
    alphabetical: bool = False
    last: str | None = None

    def as_seen(self, text: str) -> str:
        text = legible(text)
        # Pages opened before lists were sent by code send the labels of a select.
        return text if text in self.labels or self.kind != "select" else self._codes.get(text, text)

    @cached_property
    def _codes(self) -> dict[str, str]:
        return {option.label: option.code for option in self.options}

    @cached_property
    def labels(self) -> dict[str, str]:
        """The labels by code."""
        return {option.code: option.label for option in self.options}

    @property
    def kind(self) -> str:  # type: ignore[override]
        """`radio` or `select`."""
        return "radio" if len(self.options) <= 5 else "select"

    def offers(self, raw: Raw) -> bool:
        return len(raw) <= 1 and all(code in self.labels or code == "" for code in raw)

    def parse_text(self, given: str) -> str:
        if given in self.labels:
            return given
        raise self.invalid(_("Velg et av alternativene"))

    def raw(self, value: Any) -> Raw:
        return [] if value is None else [value]

    def text(self, value: Any) -> str:
        if value is None:
            return ""
        return _(self.labels[value]) if value in self.labels else str(value)

    @property
    def when_missing(self) -> str:
        """The message if nothing is chosen."""
        return _(self.missing_text) if self.missing_text else _("Velg et svar")


@dataclass(frozen=True, kw_only=True, eq=False)
class ManyField(ChoiceField):
    """A choice of several options, as check boxes. `exclusive`: excludes all others. Value: sorted codes."""

    exclusive: str | None = None

    @property
    def kind(self) -> str:  # type: ignore[override]
        """Always check boxes."""
        return "checks"

    def offers(self, raw: Raw) -> bool:
        return self.labels.keys() >= set(raw)

    def parse(self, raw: Raw) -> list[str] | None:
        if not self.offers(raw):
            raise self.invalid(_("Velg blant alternativene"))
        if self.exclusive in raw and len(set(raw)) > 1:
            label = self.text([self.exclusive])
            raise self.invalid(_("«%(label)s» kan ikke velges sammen med andre") % {"label": label})
        return [code for code in self.labels if code in raw] or None

    def raw(self, value: Any) -> Raw:
        return list(value or [])

    def text(self, value: Any) -> str:
        return BETWEEN.join(self.parts(value))

    def parts(self, value: Any) -> list[str]:
        return [super(ManyField, self).text(code) for code in value or []]


@dataclass(frozen=True, kw_only=True, eq=False)
class CheckField(Field):
    """A single check box. Value: `True` or None."""

    kind = "check"

    def offers(self, raw: Raw) -> bool:
        return raw in ([], ["1"])

    def parse_text(self, given: str) -> bool:
        if given != "1":
            raise self.invalid(_("Velg blant alternativene"))
        return True

    def raw(self, value: Any) -> Raw:
        return ["1"] if value else []

    def text(self, value: Any) -> str:
        return _("Ja") if value else ""


@dataclass(frozen=True, kw_only=True, eq=False)
class LineField(Field):
    """A field on one line, cleaned as in `services.core.text`."""

    def as_seen(self, text: str) -> str:
        return legible(seen(text))

    def parse(self, raw: Raw) -> Any:
        given = plain_line(raw[0]) if raw else ""
        return self.parse_text(given) if given else None

    def without_unit(self, given: str, read: Callable[[str], Any]) -> str:
        """A number without the words that our own pages write around it («80 %», «30 timer per uke»)."""
        number = re.match(r"[0-9,]+", given)
        if number is None:
            return given
        said = self.words(read(number[0]))
        return number[0] if said.replace(" ", "") == given.replace(" ", "") else given


@dataclass(frozen=True, kw_only=True, eq=False)
class NumberField(LineField):
    """A whole number from `least` to `most`. Value: `int`. `unit`: formats a number with its unit, «%(n)s dager»."""

    kind = "number"
    least: int = 0
    most: int = 9999
    unit: Callable[[int], str] | None = None

    def words(self, value: Any) -> str:
        return self.text(value) if value is None or self.unit is None else self.unit(value) % {"n": self.text(value)}

    def parse_text(self, given: str) -> int:
        digits = given.replace(" ", "")
        if re.match(r"[0-9]{1,6}(?![0-9,])", given):
            digits = self.without_unit(given, int).replace(" ", "")
        if not re.fullmatch(r"[0-9]{1,6}", digits) or not self.least <= int(digits) <= self.most:
            raise self.invalid(_("Skriv et tall fra %(least)s til %(most)s") % {"least": self.least, "most": self.most})
        return int(digits)


@dataclass(frozen=True, kw_only=True, eq=False)
class YearField(LineField):
    """A year with four digits. Value: `int`."""

    kind = "year"

    def parse_text(self, given: str) -> int:
        if not re.fullmatch(r"[0-9]{4}", given) or not EARLIEST.year <= int(given) <= LATEST.year:
            raise self.invalid(
                _("Skriv et årstall med fire sifre, fra %(first)s til %(last)s")
                % {"first": EARLIEST.year, "last": LATEST.year}
            )
        return int(given)


@dataclass(frozen=True, kw_only=True, eq=False)
class HoursField(LineField):
    """Hours a week in steps of a half. Value: `Decimal` with one place."""

    kind = "hours"
    most: int = 40

    def parse_text(self, given: str) -> Decimal:
        if re.match(r"[0-9]{1,3}(,[0-9]{1,3})?(?![0-9,])", given):
            given = self.without_unit(given, lambda number: Decimal(number.replace(",", ".")))
        plain = given.replace(" ", "").replace(",", ".")
        hours = Decimal(plain) if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", plain) else None
        if hours is None or hours > self.most or hours * 2 % 1:
            raise self.invalid(
                _("Skriv timer fra 0 til %(most)s, hele eller halve (for eksempel 22,5)") % {"most": self.most}
            )
        return hours.quantize(Decimal("0.1"))

    def text(self, value: Any) -> str:
        if value is None:
            return ""
        return f"{Decimal(value):.1f}".replace(".", ",").removesuffix(",0")

    def words(self, value: Any) -> str:
        if value is None:
            return ""
        one = 1 if value == 1 else 2  # «0,5 timer»: plural for all but one hour
        return ngettext("%(n)s time per uke", "%(n)s timer per uke", one) % {"n": self.text(value)}

    def to_json(self, value: Any) -> Any:
        return None if value is None else f"{Decimal(value):.1f}"

    def from_json(self, kept: Any) -> Any:
        return None if kept is None else Decimal(kept)


@dataclass(frozen=True, kw_only=True, eq=False)
class DateField(LineField):
    """A day, typed as in `services.core.days`, shown as dd.mm.åååå. Value: `date`."""

    kind = "date"
    earliest: date = EARLIEST

    def parse_text(self, given: str) -> date:
        day = parse_date(given, today())
        if day is None:
            raise self.invalid(_("Skriv en dato som finnes, slik: dd.mm.åååå"))
        if not self.earliest <= day <= LATEST:
            raise self.invalid(
                _("Datoen må være mellom %(first)s og %(last)s")
                % {"first": date_text(self.earliest), "last": date_text(LATEST)}
            )
        return day

    def text(self, value: Any) -> str:
        return date_text(value)

    def to_json(self, value: Any) -> Any:
        return None if value is None else value.isoformat()

    def from_json(self, kept: Any) -> Any:
        return None if kept is None else date.fromisoformat(kept)


@dataclass(frozen=True, kw_only=True, eq=False)
class MonthField(DateField):
    """A month, typed as in `services.core.days`, shown as mm.åååå. Value: its first day."""

    kind = "month"

    def parse_text(self, given: str) -> date:
        month = parse_month(given, today())
        if month is None or not EARLIEST <= month <= LATEST:
            raise self.invalid(_("Skriv måned og år, slik: mm.åååå eller mmåååå"))
        return month

    def text(self, value: Any) -> str:
        return month_text(value)


@dataclass(frozen=True, kw_only=True, eq=False)
class TextField(Field):
    """Free text up to `most` characters, on one line or several. Value: `str`, NFC."""

    most: int = 200
    lines: bool = False

    @property
    def kind(self) -> str:  # type: ignore[override]
        """`text` or `textarea`."""
        return "textarea" if self.lines else "text"

    def as_seen(self, text: str) -> str:
        return "" if is_blank(text) else legible(text)

    def parse_text(self, given: str) -> str:
        plain = legible(given).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
        clean = unicodedata.normalize("NFC", plain).strip()
        if _REPLACEMENT in clean or ("\n" in clean and not self.lines):
            raise self.invalid(_("Teksten har tegn som ikke kan lagres. Skriv den på nytt uten dem"))
        if len(clean) > self.most:
            raise self.invalid(
                _("Skriv maks %(most)s tegn (nå %(length)s)") % {"most": self.most, "length": len(clean)}
            )
        return clean


def label_options(*options: tuple[str, str]) -> tuple[Option, ...]:
    """Options from (code, label) pairs."""
    return tuple(Option(code, label) for code, label in options)


def grouped_options(groups: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> tuple[Option, ...]:
    """Options from (group, pairs), with their groups."""
    return tuple(Option(code, label, group) for group, pairs in groups for code, label in pairs)


YES_NO = label_options(("yes", N_("Ja")), ("no", N_("Nei")))
