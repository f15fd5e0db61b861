"""The forms about accounts, but for the one about a user (`app.accounts.user_forms`). Passwords are never cleaned."""

from collections.abc import Sequence
from typing import Any

from wtforms import PasswordField, StringField, ValidationError

from app.accounts.blueprint import own_address
from app.web.forms import SmallForm, at_most, hidden, line, password_line
from app.web.responses import is_partial
from services.accounts.invitations import is_username
from services.accounts.password_rules import fault_of, normalised
from services.core import text
from services.core.i18n import N_
from services.core.i18n import gettext as _
from services.questions.fields import legible

_LONGEST_SEARCH = 200
_NOT_LONG = at_most(1000)
_PRESENT = {"autocomplete": "current-password"}
_OF_PHONE_OR_KEPT = N_("Seks siffer fra kode-appen på telefonen, eller en av gjenopprettingskodene dine.")


def _code(**look: Any) -> StringField:
    return line(N_("Engangskode"), _NOT_LONG, autocomplete="one-time-code", width="medium", **look)


# ---- Signing in ----


class OnwardForm(SmallForm):
    """A step of signing in, which carries along where the user wants to go."""

    target = hidden(own_address, name="neste")

    @property
    def page_user(self) -> str:
        """The user name of the page that is kept under the form, if the form is a dialog over it."""
        return ""


class DialogForm(OnwardForm):
    """A step that may also stand in a dialog, over a page that is being worked on."""

    kept_for = hidden(_NOT_LONG, legible)

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

    username = line(N_("Brukernavn"), autocomplete="username")
    password = password_line(N_("Passord"), **_PRESENT)


class CodeForm(DialogForm):
    """The second step."""

    code = _code(description=_OF_PHONE_OR_KEPT)


class SetUpForm(OnwardForm):
    """The first code of a telephone that has just got the secret."""

    code = _code(inputmode="numeric")


# ---- Choosing a password ----


class ForgottenForm(SmallForm):
    """Whose password is forgotten."""

    whom = line(N_("Brukernavn eller e-post"), _NOT_LONG, legible, autocomplete="username")

    def validate_whom(self, field: StringField) -> None:
        """Something must be seen in it."""
        if text.is_blank(field.data):
            field.data = ""
            raise ValidationError(_("Skriv brukernavnet eller e-postadressen din."))


def _new_password(label: str) -> PasswordField:
    description = N_(
        "Minst 12 tegn. Tre eller flere tilfeldige ord er lette å huske og vanskelige å gjette. Mellomrom er tillatt."
    )
    return password_line(label, description=description, autocomplete="new-password", required=True)


def _repeated() -> PasswordField:
    return password_line(N_("Gjenta passordet"), autocomplete="new-password", required=True)


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

    username = line(
        N_("Brukernavn"),
        _NOT_LONG,
        text.username,
        description=N_("3 til 60 tegn. Du logger inn med det."),
        autocomplete="username",
        required=True,
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

    present = password_line(N_("Passordet du har nå"), **_PRESENT, required=True)
    password = _new_password(N_("Nytt passord"))
    repeated = _repeated()


# ---- The user's own page ----


class RecoveryCodesForm(SmallForm):
    """A code that stands for new recovery codes."""

    code = _code(description=N_("Seks siffer fra kode-appen på telefonen."))


class TieForm(SmallForm):
    """What is asked before an identity provider is tied to the user."""

    password = password_line(N_("Passordet ditt"), **_PRESENT, required=True)
    code = _code(inputmode="numeric", required=True)


class EndVisitsForm(SmallForm):
    """Which of the user's other visits ends; without one, all of them."""

    handle = hidden(name="innlogging")


# ---- The list of users ----


class UserSearchForm(SmallForm):
    """What users are searched for, from the list that is `shown`."""

    words = line(
        N_("Søk etter bruker"),
        at_most(_LONGEST_SEARCH),
        text.plain_line,
        legible,
        name="q",
        description=N_("Navn, brukernavn, e-post, telefon, kommune, rolle eller status."),
        maxlength=_LONGEST_SEARCH,
    )
    shown = hidden(_NOT_LONG, name="visning")
