"""The form about a user, for invitations and changes: the viewer's fields, and the parsed values."""

from collections.abc import Iterable
from typing import Any

from flask import abort, request
from wtforms import RadioField, SelectMultipleField, StringField, ValidationError
from wtforms.fields import SelectChoice

from app.web.access import viewer
from app.web.form_fields import EVERY_FORM
from app.web.forms import SingleCheckbox, SmallForm, area, at_most, hidden, line
from services.access.audit import Action, record
from services.access.viewer import Role
from services.accounts.administration import Administered, Details, Grant, grants_of
from services.core import text
from services.core.code_lists import municipality_names
from services.core.i18n import N_
from services.core.i18n import gettext as _
from services.core.municipality_names import MOST_PLACES, places_called
from services.listing.search_terms import divided
from services.mail.smtp import is_address
from services.questions.fields import legible

_LONGEST_NAME = 200
_TYPED = (at_most(1000), legible)
_PLACES: dict[str, Any] = {"rows": 1, "attrs": {"data-enter": ""}}
_BY_NAME_OR_NUMBER = N_("Kommuner med navn eller nummer, med komma mellom.")
_PERSON = ("name", "email", "phone")
_BY_NAME = {Role.CASEWORKER: "caseworker_in", Role.MUNICIPAL_ADMIN: "admin_in"}
_IMDI_ROLES = {"": None, **{role.value: role for role in (Role.IMDI_READER, Role.IMDI_ADMIN)}}


def _imdi_choices() -> list[SelectChoice]:
    labels = {"": _("Ingen"), Role.IMDI_READER: _("IMDi-bruker"), Role.IMDI_ADMIN: _("IMDi-administrator")}
    return [SelectChoice(value, label) for value, label in labels.items()]


class UserForm(SmallForm):
    """The form about a user (`one`), or about a new one. Fields that the viewer does not have are `None`.

    `details`, `grants`, `protected`: the parsed values of a validated form, `None` for parts that it does not have."""

    name = line(N_("Navn"), *_TYPED, required=True, maxlength=_LONGEST_NAME)
    email = line(N_("E-post"), *_TYPED, inputmode="email", required=True, maxlength=254)
    phone = line(N_("Jobbtelefon"), *_TYPED, type="tel", required=True, maxlength=30, width="medium")
    places = SelectMultipleField(N_("Kommunebruker i"), default=(), validate_choice=False)
    # Municipalities by name are never cut: an omitted one would be revoked.
    caseworker_in = area(N_("Kommunebruker i"), legible, description=_BY_NAME_OR_NUMBER, **_PLACES)
    admin_in = area(N_("Kommuneadministrator i"), legible, description=_BY_NAME_OR_NUMBER, **_PLACES)
    imdi_role = RadioField(N_("Rolle i IMDi"), default="", choices=_imdi_choices, validate_choice=False)
    protected_in = area(
        N_("Kan se deltakere med adressebeskyttelse i"),
        legible,
        description=N_("Kommuner der brukeren er kommunebruker, med komma mellom."),
        **_PLACES,
    )
    sees_protected = SingleCheckbox(
        N_("Kan se deltakere med adressebeskyttelse i hele landet"), description=N_("Bare for roller i IMDi.")
    )
    version = hidden()

    def __init__(self, one: Administered | None = None, **values: Any) -> None:
        super().__init__(**values)
        self.one = one
        self.details: Details | None = None
        self.grants: frozenset[Grant] | None = None
        self.protected: frozenset[Grant] | None = None
        self.places.choices = [SelectChoice(place.number, place.name) for place in viewer().administers]
        for key in set(self._fields) - _asked_about(one):
            del self[key]

    def validate_name(self, field: StringField) -> None:
        """Require two visible characters."""
        name = " ".join(field.data.split())
        if len(text.seen(name).strip()) < 2 or len(name) > _LONGEST_NAME:
            raise ValidationError(_("Skriv navnet."))

    def validate_email(self, field: StringField) -> None:
        """Require an e-mail address."""
        if not is_address(text.username(field.data)):
            raise ValidationError(_("Skriv en e-postadresse, slik: navn@kommune.no"))

    def validate_phone(self, field: StringField) -> None:
        """Require a telephone number."""
        if text.telephone(field.data) is None:
            raise ValidationError(_("Skriv telefonnummeret med tall."))

    def validate(self, extra_validators: Any = None) -> bool:
        """Check each field, then the roles that the fields give together."""
        super().validate(extra_validators)
        if self.name:
            name, email = " ".join(self.name.data.split()), text.username(self.email.data)
            self.details = Details(name=name, email=email, phone=text.telephone(self.phone.data) or "")
        if self.places:
            self._read_own_places()
        if self.imdi_role:
            self._read_roles()
        if self.protected_in:
            self._read_protected()
        return not self.errors

    def _read_own_places(self) -> None:
        """Parse the viewer's own municipalities. Others are refused by the service: the viewer may not grant them."""
        self.grants = frozenset((Role.CASEWORKER, number) for number in self.places.data)
        own = {(Role.CASEWORKER, place.number) for place in viewer().administers}
        held = self.one.grants if self.one else ()
        keeps = any((Role.CASEWORKER, number) not in own for _role, number in held)
        has_other_role = any(role is not Role.CASEWORKER for role, _number in held)
        if not self.grants and not keeps and not has_other_role:
            self.places.errors = [_("Velg minst én kommune. Skal brukeren ikke ha tilgang lenger, sperr brukeren.")]

    def _read_roles(self) -> None:
        grants: set[Grant] = set()
        for role, key in _BY_NAME.items():
            numbers, problem = _places(self[key].data)
            grants |= {(role, number) for number in numbers}
            if problem:
                self[key].errors = [problem]
        if self.imdi_role.data not in _IMDI_ROLES:
            abort(400)
        imdi_role = _IMDI_ROLES[self.imdi_role.data]
        if imdi_role and grants:
            self.imdi_role.errors = [_("En bruker hører enten til kommuner eller til IMDi.")]
        elif imdi_role:
            grants.add((imdi_role, None))
        elif not grants and not self.errors:
            self.caseworker_in.errors = [_("Gi brukeren minst én rolle, eller sperr brukeren.")]
        self.grants = frozenset(grants)

    def _read_protected(self) -> None:
        numbers, problem = _places(self.protected_in.data)
        held = self.grants or frozenset()
        lacking = [number for number in numbers if (Role.CASEWORKER, number) not in held]
        if lacking and not problem and not self.errors:
            problem = _("Brukeren må være kommunebruker der: %(names)s") % {"names": _written(lacking)}
        if problem:
            self.protected_in.errors = [problem]
        everywhere = self.sees_protected.data
        national = {grant for grant in held if grant[1] is None} if everywhere else set()
        if everywhere and not national and not self.errors:
            self.sees_protected.errors = [
                _("Hele landet er bare for dem som har en rolle i IMDi. Skriv kommunene i stedet.")
            ]
        self.protected = frozenset({(Role.CASEWORKER, number) for number in numbers}) | national


def _asked_about(one: Administered | None) -> set[str]:
    """The fields that the viewer gets for a user, or for a new one."""
    is_national = Role.IMDI_ADMIN in viewer().roles
    found = {"version"} if one else set()
    if one is None or one.governed:
        found |= set(_PERSON)
    if one is None or one.user.id != viewer().user_id:
        found |= {*_BY_NAME.values(), "imdi_role"} if is_national else {"places"}
        if is_national and one is not None:
            found |= {"protected_in", "sees_protected"}
    return found


def shown(one: Administered | None = None) -> UserForm:
    """The form with its initial values."""
    own = [place.number for place in viewer().administers]
    if one is None:
        return UserForm(formdata=None, places=own if len(own) == 1 else [])
    grants = grants_of(one.user)
    by_name = {key: [number for held, number in grants if held is role and number] for role, key in _BY_NAME.items()}
    seeing = [grant.municipality_number for grant in one.user.grants if grant.sees_protected]
    return UserForm(
        one,
        formdata=None,
        **{key: getattr(one.user, key) for key in _PERSON},
        **{key: _written(numbers) for key, numbers in by_name.items()},
        places=[number for role, number in grants if role is Role.CASEWORKER and number in own],
        imdi_role=next((role.value for role, number in grants if number is None), ""),
        protected_in=_written(number for number in seeing if number),
        sees_protected=None in seeing,
    )


def sent(one: Administered | None = None) -> UserForm:
    """The form as sent. Fields that the viewer may not set are refused with 403, and logged."""
    form = UserForm(one)
    if set(request.form) - {field.name for field in form} - EVERY_FORM:
        record(Action.REFUSED, viewer=viewer(), detail={"view": request.endpoint, "user": one.user.id if one else None})
        abort(403)
    form.validate()
    return form


def _places(typed: str) -> tuple[list[str], str]:
    """The numbers of municipalities typed by name or number, and an error message."""
    numbers = []
    values = divided(typed)
    if len(values) > MOST_PLACES:
        told = {"most": MOST_PLACES, "number": len(values)}
        return [], _("Skriv maks %(most)s kommuner om gangen. Du skrev %(number)s.") % told
    for one in values:
        found = places_called(one)
        if len(found) > 1:
            names = ", ".join(municipality_names()[number] for number in found)
            return [], _("Flere kommuner heter «%(text)s»: %(names)s") % {"text": one, "names": names}
        if not found:
            return [], _("Ingen kommune heter «%(text)s». Skriv navnet eller kommunenummeret.") % {"text": one}
        numbers += found
    return list(dict.fromkeys(numbers)), ""


def _written(numbers: Iterable[str]) -> str:
    """Municipalities as text for the form."""
    return ", ".join(sorted(municipality_names()[number] for number in numbers))
