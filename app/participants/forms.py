"""The forms for deletions and their corrections."""

from wtforms import RadioField, StringField, TextAreaField, ValidationError
from wtforms.fields import SelectChoice

from app.web.forms import SmallForm, area, hidden, line, read_as
from services.core.i18n import N_
from services.core.i18n import gettext as _
from services.participation.corrections import DELETION_REASONS, LONGEST_REASON
from services.questions.fields import TextField, legible

_TEXT = TextField(key="text", label="", most=LONGEST_REASON)
_WHY = TextField(key="reason", label="", most=500, lines=True)
_OTHER = "other"


def _reasons() -> list[SelectChoice]:
    return [SelectChoice(option.code, _(option.label)) for option in DELETION_REASONS]


class DeletionForm(SmallForm):
    """The reason for a deletion."""

    reason = RadioField(
        N_("Hvorfor slettes deltakeren?"),
        default="",
        choices=_reasons,
        validate_choice=False,
        render_kw={"required": True},
    )
    text = line(
        N_("Beskriv grunnen"),
        legible,
        description=N_("Må fylles ut når grunnen er «Annet». Ikke skriv om helse eller andre personer."),
    )

    def validate_reason(self, field: RadioField) -> None:
        """Require one of the reasons."""
        if field.data not in {option.code for option in DELETION_REASONS}:
            field.data = ""
            raise ValidationError(_("Velg hvorfor deltakeren slettes"))

    def validate_text(self, field: StringField) -> None:
        """Parse the details; «Annet» requires some."""
        field.data = read_as(_TEXT, field) or ""
        if self.reason.data == _OTHER and not field.data:
            raise ValidationError(_("Beskriv grunnen"))


class ReasonForm(SmallForm):
    """The reason for restoring or reopening a participant."""

    reason = area(N_("Begrunnelse"), legible, required=True)

    def validate_reason(self, field: TextAreaField) -> None:
        """Parse the reason, and require one."""
        field.data = read_as(_WHY, field) or ""
        if not field.data:
            raise ValidationError(_("Skriv en begrunnelse. Kommunen får se den"))


class MarkReadForm(SmallForm):
    """The mark that a notice is read. `page`: the page that the form was sent from, '' for the list of notices."""

    page = hidden(name="fra")
