"""The search form of the access log."""

from datetime import date
from typing import Any

from wtforms import SelectField, SelectMultipleField, StringField
from wtforms.fields import SelectChoice

from app.oversight.log_words import ACTIONS
from app.web.forms import SmallForm, line, read_as
from services.core.i18n import N_
from services.core.i18n import gettext as _
from services.core.text import plain_line, seen
from services.questions.fields import DateField, legible

_LONGEST = 60
_DAY = DateField(key="day", label="")


def _cut(typed: str) -> str:
    return typed[:_LONGEST].strip()


def _actions() -> list[SelectChoice]:
    choices = [SelectChoice(action.value, _(word)) for action, word in ACTIONS.items()]
    return sorted(choices, key=lambda choice: choice.label)


def _day(label: str, name: str) -> StringField:
    return line(label, seen, legible, _cut, name=name, width="medium", inputmode="numeric")


class LogSearchForm(SmallForm):
    """The search by user or participant, action and days. `wrong`: the names of the days that show an error on screen.
    `first_day`, `last_day`: the parsed days of a validated form."""

    whom = line(
        N_("Brukernavn eller PersonId"), plain_line, legible, _cut, name="hvem", width="medium", maxlength=_LONGEST
    )
    action = SelectField(N_("Handling"), name="handling", default="", choices=_actions, validate_choice=False)
    first = _day(N_("Fra og med"), "fra")
    last = _day(N_("Til og med"), "til")
    wrong = SelectMultipleField("", name="feil", default=(), validate_choice=False)

    first_day: date | None = None
    last_day: date | None = None

    def validate_first(self, field: StringField) -> None:
        """Parse the first day."""
        self.first_day = read_as(_DAY, field)

    def validate_last(self, field: StringField) -> None:
        """Parse the last day, and refuse a first day after it."""
        self.last_day = read_as(_DAY, field)
        if self.first_day and self.last_day and self.first_day > self.last_day:
            self.first.errors.append(_("Fra-datoen er etter til-datoen"))

    def redrawn(self) -> list[Any]:
        """The fields of days that show an error now, or did before."""
        return [day for day in (self.first, self.last) if day.errors or day.name in self.wrong.data]
