"""The form about a user, for invitations and changes: the viewer's fields, and the parsed values."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from flask import abort, request

from app.accounts.blueprint import given
from app.web.access import viewer
from app.web.responses import END_MARK
from services.access.audit import Action, record
from services.access.viewer import Role
from services.accounts.administration import Administered, Details, Grant, grants_of
from services.core import text
from services.core.code_lists import municipality_names
from services.core.i18n import gettext as _
from services.core.municipality_names import MOST_PLACES, places_called
from services.listing.search_terms import divided
from services.mail.smtp import is_address
from services.questions.fields import legible

_PERSON = ("name", "email", "phone")
_OWN_PLACES = "places"  # check boxes of the viewer's own municipalities
_BY_NAME = {Role.CASEWORKER: "caseworker_in", Role.MUNICIPAL_ADMIN: "admin_in"}  # municipalities as text
_IMDI_ROLE = "imdi_role"
_PROTECTED_IN, _PROTECTED = (
    "protected_in",
    "sees_protected",
)  # municipalities as text; a check box for all of them, for IMDi's roles
_IMDI_ROLES = {"": None, **{role.value: role for role in (Role.IMDI_READER, Role.IMDI_ADMIN)}}
_BESIDE = {"csrf_token", "version", "go", END_MARK}
_LONGEST_NAME = 200


@dataclass
class UserForm:
    """The form: `values` as shown, `errors` by field. `fields`: those that the viewer gets. `details`, `grants`,
    `protected`: the parsed values, `None` for parts that the form does not have."""

    fields: frozenset[str]
    values: dict[str, str | list[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    details: Details | None = None
    grants: frozenset[Grant] | None = None
    protected: frozenset[Grant] | None = None


def fields_for(one: Administered | None) -> frozenset[str]:
    """The fields that the viewer gets for a user, or for a new one."""
    is_national = Role.IMDI_ADMIN in viewer().roles
    found = set(_PERSON) if one is None or one.governed else set()
    if one is None or one.user.id != viewer().user_id:
        found |= {*_BY_NAME.values(), _IMDI_ROLE} if is_national else {_OWN_PLACES}
        if is_national and one is not None:
            found |= {_PROTECTED_IN, _PROTECTED}
    return frozenset(found)


def shown(one: Administered | None = None) -> UserForm:
    """The form with its initial values."""
    form = UserForm(fields_for(one))
    own = [place.number for place in viewer().administers]
    if one is None:
        form.values = {_OWN_PLACES: own if len(own) == 1 else []}
        return form
    grants = grants_of(one.user)
    form.values = {name: getattr(one.user, name) for name in _PERSON}
    form.values[_OWN_PLACES] = [number for role, number in grants if role is Role.CASEWORKER and number in own]
    for role, name in _BY_NAME.items():
        form.values[name] = _written(number for held, number in grants if held is role and number)
    form.values[_IMDI_ROLE] = next((role.value for role, number in grants if number is None), "")
    seeing = [grant.municipality_number for grant in one.user.grants if grant.sees_protected]
    form.values[_PROTECTED_IN] = _written(number for number in seeing if number)
    form.values[_PROTECTED] = "1" if None in seeing else ""
    return form


def sent(one: Administered | None = None) -> UserForm:
    """The form as sent. Fields that the viewer may not set are refused with 403, and logged."""
    form = UserForm(fields_for(one))
    if set(request.form) - form.fields - _BESIDE:
        record(Action.REFUSED, viewer=viewer(), detail={"view": request.endpoint, "user": one.user.id if one else None})
        abort(403)
    form.values = {name: legible(given(name)) for name in form.fields} | {
        _OWN_PLACES: request.form.getlist(_OWN_PLACES)
    }
    for name in form.fields & {
        *_BY_NAME.values(),
        _PROTECTED_IN,
    }:  # never cut: an omitted one would be revoked
        form.values[name] = legible(request.form.get(name, ""))
    if _PERSON[0] in form.fields:
        _read_person(form)
    if _OWN_PLACES in form.fields:
        _read_own_places(form, one)
    if _IMDI_ROLE in form.fields:
        _read_roles(form)
    if _PROTECTED in form.fields:
        _read_protected(form)
    return form


def _read_person(form: UserForm) -> None:
    name, email, phone = (str(form.values[key]) for key in _PERSON)
    name, email, number = " ".join(name.split()), text.username(email), text.telephone(phone)
    if len(text.seen(name).strip()) < 2 or len(name) > _LONGEST_NAME:
        form.errors["name"] = _("Skriv navnet.")
    if not is_address(email):
        form.errors["email"] = _("Skriv en e-postadresse, slik: navn@kommune.no")
    if number is None:
        form.errors["phone"] = _("Skriv telefonnummeret med tall.")
    form.details = Details(name=name, email=email, phone=number or "")


def _read_own_places(form: UserForm, one: Administered | None) -> None:
    """Parse the viewer's own municipalities. Others are refused by the service, since the viewer may not grant them."""
    form.grants = frozenset((Role.CASEWORKER, number) for number in form.values[_OWN_PLACES])
    keeps = one is not None and any((Role.CASEWORKER, number) not in _own() for _role, number in one.grants)
    has_other_role = one is not None and any(role is not Role.CASEWORKER for role, _number in one.grants)
    if not form.grants and not keeps and not has_other_role:
        form.errors[_OWN_PLACES] = _("Velg minst én kommune. Skal brukeren ikke ha tilgang lenger, sperr brukeren.")


def _own() -> set[Grant]:
    return {(Role.CASEWORKER, place.number) for place in viewer().administers}


def _read_roles(form: UserForm) -> None:
    grants: set[Grant] = set()
    for role, name in _BY_NAME.items():
        numbers, problem = _places(str(form.values[name]))
        grants |= {(role, number) for number in numbers}
        if problem:
            form.errors[name] = problem
    if form.values[_IMDI_ROLE] not in _IMDI_ROLES:
        abort(400)
    imdi_role = _IMDI_ROLES[str(form.values[_IMDI_ROLE])]
    if imdi_role and grants:
        form.errors[_IMDI_ROLE] = _("En bruker hører enten til kommuner eller til IMDi.")
    elif imdi_role:
        grants.add((imdi_role, None))
    elif not grants and not form.errors:
        form.errors[_BY_NAME[Role.CASEWORKER]] = _("Gi brukeren minst én rolle, eller sperr brukeren.")
    form.grants = frozenset(grants)


def _read_protected(form: UserForm) -> None:
    numbers, problem = _places(str(form.values[_PROTECTED_IN]))
    held = form.grants or frozenset()
    lacking = [number for number in numbers if (Role.CASEWORKER, number) not in held]
    if lacking and not problem and not form.errors:
        problem = _("Brukeren må være kommunebruker der: %(names)s") % {"names": _written(lacking)}
    if problem:
        form.errors[_PROTECTED_IN] = problem
    national = {grant for grant in held if grant[1] is None} if form.values[_PROTECTED] == "1" else set()
    if form.values[_PROTECTED] == "1" and not national and not form.errors:
        form.errors[_PROTECTED] = _("Hele landet er bare for dem som har en rolle i IMDi. Skriv kommunene i stedet.")
    form.protected = frozenset({(Role.CASEWORKER, number) for number in numbers}) | national


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
