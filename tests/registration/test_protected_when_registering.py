"""A protected person is hidden while registering, unless the user has the right in the municipality."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from sqlalchemy import delete, insert, select, update
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from app.connections.registers import connect_registers
from services.access.viewer import Role
from services.standins import control as standin_control
from services.standins.population import SyntheticPerson
from services.tables.accounts import RoleGrant, User
from services.tables.participants import AccessEntry, Beginning
from tests.support.client import CheckedClient, form_in, text_of
from tests.support.house import FailRegister, House
from tests.support.registering import NAME_IS_RIGHT, Office, goal_of

SIRI = "siri.vern"
PLACE, OSLO, BERGEN = "Kommune og kommunenummer", "Oslo (0301)", "Bergen (4601)"
NOT_HERE = "Kan ikke registreres her. Ta kontakt med IMDi."


@pytest.fixture
def office(own_house: House) -> Iterator[Office]:
    """Siri registers in Oslo and in Bergen, and has the right to protected addresses in Oslo alone."""
    who = own_house.ask(select(User.id).where(User.username == SIRI))[0].id
    grant = {"user_id": who, "role": Role.CASEWORKER.value, "municipality_number": "4601", "sees_protected": False}
    own_house.write(insert(RoleGrant).values(grant))
    yield Office(own_house.app, own_house.client)
    in_bergen = (RoleGrant.user_id == who) & (RoleGrant.municipality_number == "4601")
    own_house.write(delete(RoleGrant).where(in_bergen), delete(Beginning))


@pytest.fixture
def siri(office: Office) -> CheckedClient:
    return office.client_of(SIRI)


def tells(answer: TestResponse, person: SyntheticPerson) -> bool:
    """True if the response shows the person: the name, the grade, or any other data."""
    page = answer.get_data(as_text=True)
    found = [word in page for word in (person.full_name, "Adressebeskyttelse:")]
    assert len(set(found)) == 1, "either all or nothing"
    return found[0]


def looked_up(house: House) -> int:
    return len(house.ask(select(AccessEntry.id).where(AccessEntry.action == "look_up")))


def fragment(client: CheckedClient, page: TestResponse, word: str, **fill: str) -> TestResponse:
    """The response to the script for the form of the page: «oppslag», «vis» or «lagre»."""
    form = form_in(page, form="registrering")
    sent = MultiDict({**dict(form.pairs(None)), **fill})
    return client.post_partial(f"/deltakere/ny/{word}", sent)


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_before_a_municipality_is_chosen_the_person_is_hidden(
    office: Office, siri: CheckedClient, own_house: House, script: bool
) -> None:
    """Unless the user has the right in all of the user's municipalities."""
    person = office.someone("protected")
    new = siri.get("/deltakere/ny")

    def asked() -> TestResponse:
        if script:
            return fragment(siri, new, "oppslag", national_id=person.number)
        return siri.submit(new, button="Hent navn", fill={"Fødselsnummer": person.number})

    answer = asked()
    assert not tells(answer, person)
    assert NOT_HERE in text_of(answer)
    assert not tells(siri.get("/deltakere/pabegynte"), person)
    right = update(RoleGrant).where(RoleGrant.municipality_number == "4601", RoleGrant.user.has(username=SIRI))
    own_house.write(right.values(sees_protected=True).execution_options(synchronize_session=False))
    assert tells(asked(), person)
    assert tells(siri.get("/deltakere/pabegynte"), person)


def test_choosing_another_municipality_hides_and_shows(office: Office, siri: CheckedClient, own_house: House) -> None:
    """In the fragment, after a reload, in an unfinished registration; with one look-up."""
    person = office.someone("protected")
    before = looked_up(own_house)
    answer = fragment(siri, siri.get("/deltakere/ny"), "oppslag", national_id=person.number, municipality="4601")
    place = urlsplit(answer.headers["HX-Replace-Url"]).path
    for number, is_shown in (("0301", True), ("4601", False), ("", False), ("0301", True)):
        page = siri.get(place)
        shown = fragment(siri, page, "vis", municipality=number)
        assert tells(shown, person) is is_shown, number
        assert (NOT_HERE in text_of(shown)) is not is_shown
        assert 'data-hx-target="#oppslag"' in shown.text
        fragment(siri, page, "lagre", municipality=number)
        for address in (place, "/deltakere/pabegynte"):
            assert tells(siri.get(address), person) is is_shown, (number, address)
        again = fragment(siri, siri.get(place), "oppslag")
        assert tells(again, person) is is_shown, number
    assert looked_up(own_house) == before + 1


def test_without_a_script_too(office: Office, siri: CheckedClient, own_house: House) -> None:
    person = office.someone("protected")
    page = siri.submit(
        siri.get("/deltakere/ny"), button="Hent navn", fill={"Fødselsnummer": person.number, PLACE: OSLO}
    )
    assert tells(page, person)
    confirmed = {NAME_IS_RIGHT: True, "Dato for oppstart": "01.02.2024"}
    for button in ("Hent navn", "Neste"):
        hidden = siri.submit(page, button=button, fill={**confirmed, PLACE: BERGEN})
        assert not tells(hidden, person), button
        assert NOT_HERE in text_of(hidden)
    assert own_house.ask(select(Beginning.id)), "what was typed is kept"
    page = siri.submit(hidden, button="Hent navn", fill={PLACE: OSLO})
    assert tells(page, person)
    goal_of(office.finish(page, SIRI, fill={"Bydel": "Sagene"}))


def test_who_is_found_while_it_waits_is_shown_where_the_right_is(
    office: Office, siri: CheckedClient, own_house: House, fail_register: FailRegister
) -> None:
    person, fill = office.someone("protected"), {"Dato for oppstart": "01.02.2024"}
    fail_register("freg", "500", number=person.number)
    page = siri.submit(siri.get("/deltakere/ny"), button="Hent navn", fill={"Fødselsnummer": person.number})
    page = siri.submit(page, button="Neste", fill={**fill, PLACE: OSLO}, extra={"district": "030103"})
    place = goal_of(page)
    settings = own_house.app.config["SETTINGS"]
    standin_control.heal(settings.freg_url)
    own_house.app.extensions["registers"] = connect_registers(settings)
    result = own_house.app.test_cli_runner().invoke(args=["registers", "refresh"])
    assert result.exit_code == 0, result.output
    for address in (place, "/deltakere/pabegynte"):
        assert tells(siri.get(address), person)
    fragment(siri, siri.get(place), "lagre", municipality="4601")
    for address in (place, "/deltakere/pabegynte"):
        assert not tells(siri.get(address), person)


def test_an_ordinary_person_stays_on_screen(office: Office) -> None:
    """The name is not redrawn when a municipality is chosen."""
    person, anne = office.someone(), office.client_of("anne.tokommuner")
    page = office.begin(person, "anne.tokommuner")
    assert person.full_name in text_of(page)
    chosen = fragment(anne, page, "vis", municipality="4627")
    assert chosen.status_code == 200
    assert "#oppslag" not in chosen.text
