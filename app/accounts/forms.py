"""The forms about accounts, but for the one about a user (`app.accounts.user_forms`). Passwords are never cleaned."""

from collections.abc import Sequence
from typing import Any

from wtforms import HiddenField, PasswordField, StringField, ValidationError

from app.accounts.blueprint import own_address
from app.web.forms import SmallForm, at_most
from app.web.responses import is_partial
from services.accounts.invitations import is_username
from services.accounts.password_rules import fault_of, normalised
from services.core import text
from services.core.i18n import N_
from services.core.i18n import gettext as _
from services.questions.fields import legible

_LONGEST = 1000
_LONGEST_SEARCH = 200
_PRESENT = {"autocomplete": "current-password"}
_CODE = {"autocomplete": "one-time-code", "width": "medium"}
_OF_PHONE_OR_KEPT = N_("Seks siffer fra kode-appen på telefonen, eller en av gjenopprettingskodene dine.")


def _password(label: str, **look: Any) -> PasswordField:
    return PasswordField(label, default="", filters=[at_most(_LONGEST)], render_kw=look)


def _code(description: str = "", **look: Any) -> StringField:
    return StringField(
        N_("Engangskode"), description=description, default="", filters=[at_most(_LONGEST)], render_kw=_CODE | look
    )


# ---- Signing in ----


class OnwardForm(SmallForm):
    """A step of signing in, which carries along where the user wants to go."""

    target = HiddenField(name="neste", default="", filters=[own_address])

    @property
    def page_user(self) -> str:
        """The user name of the page that is kept under the form, if the form is a dialog over it."""
        return ""


class DialogForm(OnwardForm):
    """A step that may also stand in a dialog, over a page that is being worked on."""

    kept_for = HiddenField(default="", filters=[at_most(_LONGEST), legible])

    @property
    def is_over_page(self) -> bool:
        """True for the dialog."""
        return is_partial() and bool(self.kept_for.raw_data)

    @property
    def page_user(self) -> str:
        """The user name of the page that is kept."""
        return self.kept_for.data if self.is_over_page else ""


class SignInForm(DialogForm):
    """User name and password."""

    username = StringField(N_("Brukernavn"), default="", render_kw={"autocomplete": "username"})
    password = _password(N_("Passord"), **_PRESENT)


class CodeForm(DialogForm):
    """The second step."""

    code = _code(_OF_PHONE_OR_KEPT)


class SetUpForm(OnwardForm):
    """The first code of a telephone that has just got the secret."""

    code = _code(inputmode="numeric")


# ---- Choosing a password ----


class ForgottenForm(SmallForm):
    """Whose password is forgotten."""

    whom = StringField(
        N_("Brukernavn eller e-post"),
        default="",
        filters=[at_most(_LONGEST), legible],
        render_kw={"autocomplete": "username"},
    )

    def validate_whom(self, field: StringField) -> None:
        """Something must be seen in it."""
        if text.is_blank(field.data):
            raise ValidationError(_("Skriv brukernavnet eller e-postadressen din."))


def _new_password(label: str) -> PasswordField:
    return PasswordField(
        label,
        description=N_(
            "Minst 12 tegn. Tre eller flere tilfeldige ord er lette å huske og vanskelige å gjette. "
            "Mellomrom er tillatt."
        ),
        default="",
        filters=[at_most(_LONGEST)],
        render_kw={"autocomplete": "new-password", "required": True},
    )


def _repeated() -> PasswordField:
    return _password(N_("Gjenta passordet"), autocomplete="new-password", required=True)


class _ChosenPassword(SmallForm):
    """A new password, twice. `about_user`: what it must not be made of."""

    password: Any
    repeated: Any

    def __init__(self, about_user: Sequence[str] = (), **values: Any) -> None:
        super().__init__(**values)
        self.about_user = about_user

    def validate_password(self, field: PasswordField) -> None:
        """The rules for passwords."""
        if fault := fault_of(field.data, about_user=self.about_user):
            raise ValidationError(fault)

    def validate_repeated(self, field: PasswordField) -> None:
        """Twice the same."""
        if not self.password.errors and normalised(field.data) != normalised(self.password.data):
            raise ValidationError(_("De to passordene er ikke like."))


class InvitationForm(_ChosenPassword):
    """What an invited person chooses."""

    username = StringField(
        N_("Brukernavn"),
        description=N_("3 til 60 tegn. Du logger inn med det."),
        default="",
        filters=[at_most(_LONGEST), text.username],
        render_kw={"autocomplete": "username", "required": True},
    )
    password = _new_password(N_("Passord"))
    repeated = _repeated()

    def __init__(self, about_user: Sequence[str] = (), **values: Any) -> None:
        super().__init__(about_user, **values)
        self.about_user = (*about_user, self.username.data)

    def validate_username(self, field: StringField) -> None:
        """The rule for user names."""
        if not is_username(field.data):
            raise ValidationError(_("Bruk 3 til 60 tegn: bokstaver, tall, punktum og bindestrek, bokstav først."))


class ResetForm(_ChosenPassword):
    """A new password in place of a forgotten one."""

    password = _new_password(N_("Nytt passord"))
    repeated = _repeated()


class OwnPasswordForm(_ChosenPassword):
    """A new password in place of the present one."""

    present = _password(N_("Passordet du har nå"), **_PRESENT, required=True)
    password = _new_password(N_("Nytt passord"))
    repeated = _repeated()


# ---- The user's own page ----


class RecoveryCodesForm(SmallForm):
    """A code that stands for new recovery codes."""

    code = _code(N_("Seks siffer fra kode-appen på telefonen."))


class TieForm(SmallForm):
    """What is asked before an identity provider is tied to the user."""

    password = _password(N_("Passordet ditt"), **_PRESENT, required=True)
    code = _code(inputmode="numeric", required=True)


class EndVisitsForm(SmallForm):
    """Which of the user's other visits ends; without one, all of them."""

    handle = HiddenField(name="innlogging", default="")


# ---- The list of users ----


class UserSearchForm(SmallForm):
    """What users are searched for, from the list that is `shown`."""

    words = StringField(
        N_("Søk etter bruker"),
        name="q",
        description=N_("Navn, brukernavn, e-post, telefon, kommune, rolle eller status."),
        default="",
        filters=[at_most(_LONGEST_SEARCH), text.plain_line, legible],
        render_kw={"maxlength": _LONGEST_SEARCH},
    )
    shown = HiddenField(name="visning", default="", filters=[at_most(_LONGEST)])
