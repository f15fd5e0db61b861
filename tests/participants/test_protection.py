"""Protected addresses, and participants whose grade is unknown: for users without the right they do not exist, in list,
search, count, downloads, history, drafts, messages and titles."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.connections.registers import connect_registers
from services.core.db import now
from services.standins import control as standin_control
from services.tables.accounts import RoleGrant, User
from services.tables.participants import AccessEntry, Beginning, Participation, Person
from tests.support.client import form_in, text_of
from tests.support.house import FailRegister, House
from tests.support.overview_asking import asked, at, count_of
from tests.support.registering import Office, address, goal_of

KARI, SIRI, IDA = "kari.oslo", "siri.vern", "ida.imdi"
NOT_HERE = "Kan ikke registreres her. Ta kontakt med IMDi."


@pytest.fixture
def office(own_house: House) -> Iterator[Office]:
    """The caseworkers; nobody's data are old. Afterwards the stand-ins work."""
    own_house.write(update(Person).values(freg_fetched_at=now(), refresh_tried_at=None))
    yield Office(own_house.app, own_house.client)
    settings = own_house.app.config["SETTINGS"]
    standin_control.heal(settings.freg_url)
    own_house.app.extensions["registers"] = connect_registers(settings)
    own_house.write(Beginning.__table__.delete())  # type: ignore[attr-defined]


def refresh(house: House) -> str:
    """Run `flask registers refresh`, which must succeed."""
    result = house.app.test_cli_runner().invoke(args=["registers", "refresh"])
    assert result.exit_code == 0, result.output
    return str(result.output)


def set_person(house: House, public_id: str, **values: object) -> None:
    """Change the stored data of the participant's person, without the program."""
    hers = select(Participation.person_ref).where(Participation.public_id == public_id).scalar_subquery()
    house.write(update(Person).where(Person.id == hers).values(refresh_tried_at=None, **values))


def traces(house: House, public_id: str, username: str) -> dict[str, bool]:
    """The places where a user can find a participant."""
    office = Office(house.app, house.client)
    found, client = office.participation(public_id), office.client_of(username)
    person = found.person
    words = (found.national_id, person.name, found.person_id)

    def tells(address: str) -> bool:
        return any(word in client.get(address).get_data(as_text=True) for word in words)

    values = {"number": found.national_id, "name": person.name, "id": found.person_id}
    met = {f"search {what}": asked(house, username, {"q": value}).ids == [public_id] for what, value in values.items()}
    met |= {file: tells(f"/deltakere/{file}") for file in ("oversikt.csv", "fullt-datasett.csv")}
    met["list"] = tells("/deltakere")
    return met | {page: tells(address(public_id, page)) for page in ("data", "historikk")}


def count(house: House, username: str) -> int:
    """The number «Antall deltakere» of the whole list."""
    return count_of(at(house, username))


def test_whom_folkeregisteret_protects_is_gone_and_comes_back(office: Office, own_house: House) -> None:
    person, other = office.someone("protected"), office.someone()
    public_id = office.given(other, KARI, district="030103")
    assert all(traces(own_house, public_id, KARI).values())
    before = count(own_house, KARI), count(own_house, SIRI)

    set_person(own_house, public_id, freg_fetched_at=now() - timedelta(hours=25), national_id=person.number)
    refresh(own_house)
    for username in (KARI, IDA):
        assert not any(traces(own_house, public_id, username).values()), username
        assert office.client_of(username).get(address(public_id, "data")).status_code == 404
    assert all(traces(own_house, public_id, SIRI).values())
    assert (count(own_house, KARI), count(own_house, SIRI)) == (before[0] - 1, before[1])

    set_person(own_house, public_id, freg_fetched_at=now() - timedelta(hours=25), national_id=other.number)
    refresh(own_house)
    assert all(traces(own_house, public_id, KARI).values())
    for username, is_told in ((KARI, False), (IDA, False), (SIRI, True)):
        history = text_of(office.page(public_id, "historikk", username))
        assert ("fortrolig" in history.lower()) is is_told, "the mark is confidential itself, also when it is past"


def test_opening_closes_her_at_once(office: Office, own_house: House) -> None:
    person = office.someone("protected")
    public_id = office.given(office.someone(), KARI, district="030103")
    set_person(own_house, public_id, freg_fetched_at=now() - timedelta(hours=25), national_id=person.number)
    answer = office.page(public_id, "data", KARI)
    assert answer.status_code == 404
    assert person.full_name not in answer.get_data(as_text=True)
    assert ("refused", None) in office.log(public_id)


def test_a_grade_holds_for_72_hours_and_then_she_is_closed(
    office: Office, own_house: House, fail_register: FailRegister
) -> None:
    """All with an older grade, including those that the refresh never reaches, since it gives up early."""
    people = [office.given(office.someone(), KARI, district="030103") for _number in range(6)]
    young, old = people[0], people[1:]
    set_person(own_house, young, freg_fetched_at=now() - timedelta(hours=71))
    for public_id in old:
        set_person(own_house, public_id, freg_fetched_at=now() - timedelta(hours=73))
    before = count(own_house, KARI)
    number = office.participation(old[4]).national_id
    assert asked(own_house, KARI, {"q": number}).ids == [old[4]], "nobody has asked in vain yet"

    fail_register("freg", "500")
    assert "0 persons read, 3 could not be read, 5 participants closed" in refresh(own_house)
    assert count(own_house, KARI) == before - 5
    for public_id in old:
        assert not any(traces(own_house, public_id, KARI).values())
        assert office.participation(public_id).person.protection is None, "closed, but not graded"
    assert all(traces(own_house, young, KARI).values())
    assert all(traces(own_house, old[0], SIRI).values())
    closed = own_house.ask(select(AccessEntry.detail).where(AccessEntry.action == "look_up"))
    assert {"purpose": "refresh", "outcome": "closed", "number": 5} in [row.detail for row in closed]

    standin_control.heal(own_house.app.config["SETTINGS"].freg_url)
    own_house.app.extensions["registers"] = connect_registers(own_house.app.config["SETTINGS"])
    own_house.write(update(Person).values(refresh_tried_at=None))
    refresh(own_house)
    assert all(all(traces(own_house, public_id, KARI).values()) for public_id in people)
    assert count(own_house, KARI) == before


def test_whom_folkeregisteret_does_not_know_is_not_closed(office: Office, own_house: House) -> None:
    """That is a response, not an outage."""
    public_id = office.given(office.someone(), KARI, district="030103")
    set_person(own_house, public_id, freg_fetched_at=now() - timedelta(hours=73), national_id="15507600333")
    assert "1 could not be read, 0 participants closed" in refresh(own_house)
    assert not office.participation(public_id).protected


def test_a_closed_participant_sounds_like_one_elsewhere(
    office: Office, own_house: House, fail_register: FailRegister
) -> None:
    person = office.someone()
    public_id = office.given(person, KARI, district="030103")
    assert "Personen er allerede deltaker i kommunen." in text_of(office.begin(person, KARI))
    set_person(own_house, public_id, freg_fetched_at=now() - timedelta(hours=73))
    fail_register("freg", "500", times=2)
    refresh(own_house)
    page = office.begin(person, KARI)
    assert NOT_HERE in text_of(page)
    assert person.full_name not in text_of(page)
    assert "Personen er allerede deltaker i kommunen." in text_of(office.begin(person, SIRI))


def test_a_draft_shows_nobody_who_may_not_be_seen(office: Office, own_house: House) -> None:
    """Siri has found a protected person; then Siri loses the right."""
    person = office.someone("protected")
    page = office.begin(person, SIRI)
    assert person.full_name in text_of(page)
    (kept,) = own_house.ask(select(Beginning.id, Beginning.record))
    assert kept.record
    siri_id = select(User.id).where(User.username == SIRI).scalar_subquery()
    siri = update(RoleGrant).where(RoleGrant.user_id == siri_id)
    places = ("/deltakere/pabegynte", f"/deltakere/ny/{kept.id}", "/deltakere/ny")
    own_house.write(siri.values(sees_protected=False))
    try:
        for place in places:
            answer = office.client_of(SIRI).get(place)
            assert person.full_name not in answer.get_data(as_text=True)
            assert (NOT_HERE in text_of(answer)) is (place != "/deltakere/ny")
        refused = office.client_of(SIRI).submit(form_in(page, form="registrering"), button="Neste")
        assert person.full_name not in refused.get_data(as_text=True)
        assert NOT_HERE in text_of(refused)
    finally:
        own_house.write(siri.values(sees_protected=True))


def test_without_the_right_nothing_of_her_is_kept(office: Office, own_house: House) -> None:
    person = office.someone("protected")
    office.begin(person, KARI)
    (kept,) = own_house.ask(select(Beginning.outcome, Beginning.record, Beginning.form))
    assert (kept.outcome, kept.record) == ("not_here", None)
    assert person.full_name not in str(kept.form)


def test_a_kept_name_is_not_shown_longer_than_a_grade_holds(office: Office, own_house: House) -> None:
    person = office.someone()
    office.begin(person, KARI)
    own_house.write(update(Beginning).values(looked_up_at=now() - timedelta(hours=73)))
    listed = office.client_of(KARI).get("/deltakere/pabegynte")
    page = office.client_of(KARI).follow(listed, "Fortsett")
    assert person.full_name not in listed.get_data(as_text=True) + page.get_data(as_text=True)
    page = office.client_of(KARI).submit(page, button="Hent navnet")
    assert person.full_name in text_of(page)
    goal_of(office.finish(page, KARI, fill={"Bydel": "Sagene"}))
