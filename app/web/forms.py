"""The base of the small forms, which the features declare with Flask-WTF, each once: names, labels, hints, cleaning and
rules of its fields. A template draws a field by calling it, `{{ form.username(id="dialog-username") }}`: so it is
drawn by the macro of its kind in `ui/fields.html` as the call and the field's `render_kw` say.

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
# By the kind of a field: the macro that draws it, and its argument for what stands in the field.
_MACROS = {
    "CheckField": ("checkbox_field", "checked"),
    "PasswordField": ("text_field", ""),
    "RadioField": ("radio_group", "value"),
    "SelectField": ("select_field", "value"),
    "SelectMultipleField": ("checkbox_group", "values"),
    "StringField": ("text_field", "value"),
    "TextAreaField": ("text_area", "value"),
}


class CheckField(BooleanField):
    """A box with the value 1; anything else does not check it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was sent."""
        self.data = valuelist[:1] == ["1"]


class SmallForm(FlaskForm):
    """A form in the language in force. The token of each POST is checked before any form is read (`app.web.csrf`)."""

    class Meta(FlaskForm.Meta):
        """What WTForms asks of a form."""

        csrf = False

        def get_translations(self, form: Any) -> None:
            """All texts are ours, and are translated where they are shown."""

        def render_field(self, field: Any, render_kw: dict[str, Any]) -> Markup:
            """The field in HTML. What is typed as a password is never drawn."""
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
        """The names that its fields have in HTML."""
        declared = ((key, getattr(cls, key)) for key in dir(cls))
        return frozenset(one.name or key for key, one in declared if isinstance(one, UnboundField))

    @property
    def summary(self) -> list[tuple[str, str, str]]:
        """The lines of the error summary: the control's id, its label, what is wrong."""
        return [(field.id, _(field.label.text), field.errors[0]) for field in self if field.errors]


# ---- Fields. `look`: how the macro of the kind draws it; `filters` clean what was typed, in this order. ----


def line(label: str, *filters: Filter, name: str | None = None, description: str = "", **look: Any) -> StringField:
    """Text on one line."""
    return StringField(label, name=name, description=description, default=str, filters=filters, render_kw=look)


def area(label: str, *filters: Filter, description: str = "", **look: Any) -> TextAreaField:
    """Text on several lines."""
    return TextAreaField(label, description=description, default=str, filters=filters, render_kw=look)


def password_line(label: str, *, description: str = "", **look: Any) -> PasswordField:
    """A password, which is never cleaned and never drawn."""
    look["type"] = "password"
    return PasswordField(label, description=description, default=str, filters=[at_most(1000)], render_kw=look)


def hidden(*filters: Filter, name: str | None = None) -> HiddenField:
    """What the user does not see."""
    return HiddenField("", name=name, default=str, filters=filters)


def read_as(question: Question, field: Field) -> Any:
    """What was typed, as a question of the register reads it."""
    try:
        return question.parse([field.data])
    except Invalid as invalid:
        raise ValidationError(invalid.errors[question.key]) from None


def at_most(longest: int) -> Filter:
    """A filter: far too much counts as nothing."""
    return lambda typed: typed if len(typed) <= longest else ""
