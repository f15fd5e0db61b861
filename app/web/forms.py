"""The base of the small forms. A feature declares each form once with Flask-WTF: the names, labels, hints, filters and
rules of its fields. A template draws a field by `{{ form.username(id="dialog-username") }}`: the macro for its type in
`ui/fields.html` gets the arguments of the call and of the field's `render_kw`.

The four pages of a registration and the query of the list have declarations of their own (docs/decisions/0043).
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from flask import current_app
from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms import BooleanField, Field, HiddenField, PasswordField, StringField, TextAreaField, ValidationError
from wtforms.fields.core import UnboundField

from services.core.i18n import gettext as _
from services.questions.fields import Field as Question
from services.questions.fields import Invalid

Filter: TypeAlias = Callable[[str], str]
# By the type of a field: the macro that draws it, and the macro's argument for the value.
_MACROS = {
    "SingleCheckbox": ("checkbox_field", "checked"),
    "PasswordField": ("text_field", ""),
    "RadioField": ("radio_group", "value"),
    "SelectField": ("select_field", "value"),
    "SelectMultipleField": ("checkbox_group", "values"),
    "StringField": ("text_field", "value"),
    "TextAreaField": ("text_area", "value"),
}


class SingleCheckbox(BooleanField):
    """A check box with the value 1; no other value checks it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Parse the sent value."""
        self.data = valuelist[:1] == ["1"]


class SmallForm(FlaskForm):
    """A form in the language in force. The token of each POST is checked before any form is read (`app.web.csrf`)."""

    class Meta(FlaskForm.Meta):
        """The settings and hooks of WTForms."""

        csrf = False

        def get_translations(self, form: Any) -> None:
            """No translations of WTForms: all texts are ours, and are translated when shown."""

        def render_field(self, field: Any, render_kw: dict[str, Any]) -> Markup:
            """The field as HTML. A typed password is never drawn."""
            fields: Any = current_app.jinja_env.globals["fields"]
            drawn: Markup
            if field.type == "HiddenField":
                drawn = fields.hidden_field(field.name, field.data)
                return drawn
            said = {"label": _(field.label.text), "name": field.name, **(field.render_kw or {}), **render_kw}
            macro, value = _MACROS[field.type]
            if value:
                said.setdefault(value, field.data)
            if field.description:
                said["description"] = _(field.description)
            if field.errors:
                said.setdefault("error", field.errors[0])
            if choices := getattr(field, "choices", None):
                said["options"] = [(one.value, one.label) for one in choices]
            drawn = getattr(fields, macro)(**said)
            return drawn

    @classmethod
    def names(cls) -> frozenset[str]:
        """The names of its fields in HTML."""
        declared = ((key, getattr(cls, key)) for key in dir(cls))
        return frozenset(one.name or key for key, one in declared if isinstance(one, UnboundField))

    @property
    def summary(self) -> list[tuple[str, str, str]]:
        """The lines of the error summary: the control's id, its label, the error."""
        return [(field.id, _(field.label.text), field.errors[0]) for field in self if field.errors]


# ---- Fields. `look`: arguments of the macro; `filters`: functions that clean the typed value, in this order. ----


def line(label: str, *filters: Filter, name: str | None = None, description: str = "", **look: Any) -> StringField:
    """A field for text on one line."""
    return StringField(label, name=name, description=description, default=str, filters=filters, render_kw=look)


def area(label: str, *filters: Filter, description: str = "", **look: Any) -> TextAreaField:
    """A field for text on several lines."""
    return TextAreaField(label, description=description, default=str, filters=filters, render_kw=look)


def password_line(label: str, *, description: str = "", **look: Any) -> PasswordField:
    """A field for a password, which is never cleaned and never drawn."""
    look["type"] = "password"
    return PasswordField(label, description=description, default=str, filters=[at_most(1000)], render_kw=look)


def hidden(*filters: Filter, name: str | None = None) -> HiddenField:
    """A hidden field."""
    return HiddenField("", name=name, default=str, filters=filters)


def read_as(question: Question, field: Field) -> Any:
    """The typed value as parsed by a field of the register; raises `ValidationError`."""
    try:
        return question.parse([field.data])
    except Invalid as invalid:
        raise ValidationError(invalid.errors[question.key]) from None


def at_most(longest: int) -> Filter:
    """A filter that drops a value of more characters."""
    return lambda typed: typed if len(typed) <= longest else ""
