"""The form that names a saved view. The criteria of the list have their own declaration (`app.overview.query`)."""

from wtforms import StringField, ValidationError

from app.overview.list_request import SHOWN_FIELD
from app.web.forms import SmallForm, hidden, line
from services.core.i18n import N_
from services.core.i18n import gettext as _
from services.core.text import seen
from services.listing.saved_views import LONGEST_NAME
from services.questions.fields import legible


def _one_line(typed: str) -> str:
    return " ".join(typed.split())


class ViewForm(SmallForm):
    """The name of a saved view. `shown`: the query of the list that the form was sent from."""

    name = line(N_("Navn på visningen"), seen, legible, _one_line, name="navn", maxlength=LONGEST_NAME)
    shown = hidden(name=SHOWN_FIELD)

    def validate_name(self, field: StringField) -> None:
        """Require a name that is not too long."""
        if not field.data:
            raise ValidationError(_("Gi visningen et navn"))
        if len(field.data) > LONGEST_NAME:
            raise ValidationError(_("Navnet kan ha maks %(n)s tegn") % {"n": LONGEST_NAME})
