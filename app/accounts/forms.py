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
    """A step of signing in, with the destination after it."""

    target = hidden(own_address, name="neste")

    @property
    def page_user(self) -> str:
        """The user name on the page under the dialog; '' if the form is no dialog."""
        return ""


class DialogForm(OnwardForm):
    """A step that may also be a dialog, over the page that the user was working on."""

    kept_for = hidden(_NOT_LONG, legible)

    @property
    def is_over_page(self) -> bool:
        """True for the dialog."""
        return is_partial() and bool(self.kept_for.raw_data)

    @property
    def page_user(self) -> str:
        return self.kept_for.data if self.is_over_page else ""


class SignInForm(DialogForm):
    """The first step of signing in: user name and password."""

    username = line(N_("Brukernavn"), autocomplete="username")
    password = password_line(N_("Passord"), **_PRESENT)


class CodeForm(DialogForm):
    """The second step of signing in: a code."""

    code = _code(description=_OF_PHONE_OR_KEPT)


class SetUpForm(OnwardForm):
    """The set-up of one-time codes: the first code of the telephone."""

    code = _code(inputmode="numeric")


# ---- Choosing a password ----


class ForgottenForm(SmallForm):
    """The request for a link to a new password."""

    whom = line(N_("Brukernavn eller e-post"), _NOT_LONG, legible, autocomplete="username")

    def validate_whom(self, field: StringField) -> None:
        """Refuse a blank value."""
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
    """A new password, typed twice. `about_user`: texts that the password must not contain."""

    password: Any
    repeated: Any

    def __init__(self, about_user: Sequence[str] = (), **values: Any) -> None:
        super().__init__(**values)
        self.about_user = about_user

    def validate_password(self, field: PasswordField) -> None:
        """Apply the password rules."""
        if fault := fault_of(field.data, about_user=self.about_user):
            raise ValidationError(fault)

    def validate_repeated(self, field: PasswordField) -> None:
        """Compare with the password, if that is valid."""
        if not self.password.errors and normalised(field.data) != normalised(self.password.data):
            raise ValidationError(_("De to passordene er ikke like."))


class InvitationForm(_ChosenPassword):
    """The user name and password of an invited user."""

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
        """Apply the rule for user names."""
        if not is_username(field.data):
            raise ValidationError(_("Bruk 3 til 60 tegn: bokstaver, tall, punktum og bindestrek, bokstav først."))


class ResetForm(_ChosenPassword):
    """The new password of a user who has forgotten the old one."""

    password = _new_password(N_("Nytt passord"))
    repeated = _repeated()


class OwnPasswordForm(_ChosenPassword):
    """The change of the user's own password."""

    present = password_line(N_("Passordet du har nå"), **_PRESENT, required=True)
    password = _new_password(N_("Nytt passord"))
    repeated = _repeated()


# ---- The user's own page ----


class RecoveryCodesForm(SmallForm):
    """The request for new recovery codes, with a code of the telephone."""

    code = _code(description=N_("Seks siffer fra kode-appen på telefonen."))


class TieForm(SmallForm):
    """The check of the user before an identity provider is connected."""

    password = password_line(N_("Passordet ditt"), **_PRESENT, required=True)
    code = _code(inputmode="numeric", required=True)


class EndVisitsForm(SmallForm):
    """The end of one of the user's other sessions; of all of them without a handle."""

    handle = hidden(name="innlogging")


# ---- The list of users ----


class UserSearchForm(SmallForm):
    """The search in the list of users; `shown`: the query of the list that the form was sent from."""

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
