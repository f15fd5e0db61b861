"""The base of the small forms, which the features declare with Flask-WTF, each once: names, labels, hints, cleaning and
rules of its fields. `fields.control` draws a field.

The four pages of a registration and the query of the list have declarations of their own (docs/decisions/0043).
"""

from collections.abc import Callable
from typing import Any

from flask_wtf import FlaskForm
from wtforms.fields.core import UnboundField

from services.core.i18n import gettext as _


class SmallForm(FlaskForm):
    """A form in the language in force. The token of each POST is checked before any form is read (`app.web.csrf`)."""

    class Meta(FlaskForm.Meta):
        """How WTForms makes such a form."""

        csrf = False

        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            """The field of one form, with its texts translated."""
            field = super().bind_field(form, unbound_field, options)
            field.label.text = _(field.label.text)
            if field.description:
                field.description = _(field.description)
            return field

    @classmethod
    def names(cls) -> frozenset[str]:
        """The names that its fields have in HTML."""
        declared = ((key, getattr(cls, key)) for key in dir(cls))
        return frozenset(one.name or key for key, one in declared if isinstance(one, UnboundField))

    @property
    def summary(self) -> list[tuple[str, str, str]]:
        """The lines of the error summary: the control's id, its label, what is wrong."""
        return [(field.id, field.label.text, field.errors[0]) for field in self if field.errors]


def at_most(longest: int) -> Callable[[str], str]:
    """A filter of a field: far too much counts as nothing."""
    return lambda typed: typed if len(typed) <= longest else ""
