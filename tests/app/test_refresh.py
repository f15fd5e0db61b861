"""What the registers say is read anew, daily and when a participant is opened; an outage stops nobody."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from services import standin_control
from services.db import now
from services.models import AccessEntry, Change, Participation, Person
from services.standins import Standins
from tests.app.conftest import House
from tests.conftest import FailRegister
from tests.support.client import text_of
from tests.support.registering import Office, address, goal_of

BERIT = "berit.bergen"
LONG_AGO = timedelta(hours=25)


@pytest.fixture
def office(own_house: House) -> Office:
    """The caseworkers."""
    own_house.write(update(Person).values(freg_fetched_at=now(), refresh_tried_at=None))
    return Office(own_house.app, own_house.client)


def person_of(house: House, public_id: str) -> Person:
    """The person of a participation, as she stands."""
    found: Person = house.ask(
        select(Person)
        .join(Participation, Participation.person_ref == Person.id)
        .where(Participation.public_id == public_id)
    )[0][0]
    return found


def make_old(house: House, public_id: str, age: timedelta = LONG_AGO, **facts: Any) -> datetime:
    """Let a person's data be older, and other than Folkeregisteret says; gives when they were read."""
    at = now() - age
    person = person_of(house, public_id)
    house.write(update(Person).where(Person.id == person.id).values(freg_fetched_at=at, refresh_tried_at=None, **facts))
    return at


def refresh(house: House) -> str:
    """`flask registers refresh`, which must go well."""
    result = house.app.test_cli_runner().invoke(args=["registers", "refresh"])
    assert result.exit_code == 0, result.output
    return result.output


def facts_changed(house: House, public_id: str) -> list[tuple[str, str, Any, Any]]:
    """What registers have changed: (source, fact, old, new)."""
    rows = house.ask(
        select(Change.source, Change.field, Change.old, Change.new)
        .join(Participation, Change.participation_ref == Participation.id)
        .where(Participation.public_id == public_id, Change.source != "user")
        .order_by(Change.id)
    )
    return [tuple(row) for row in rows]


def test_what_is_a_day_old_is_read_anew(office: Office, own_house: House) -> None:
    public_id = office.given()
    before = office.participation(public_id)
    was = person_of(own_house, public_id)
    name, status = was.name, was.marital_status
    make_old(own_house, public_id, name="Gammelt Navn", marital_status="uoppgitt")
    own_house.write(update(Participation).where(Participation.public_id == public_id).values(name="Gammelt Navn"))
    assert "1 persons read, 0 could not be read" in refresh(own_house)
    found = office.participation(public_id)
    assert (found.name, found.person.name, found.person.marital_status) == (name, name, status)
    assert found.name_key == before.name_key
    assert (found.version, found.status, found.changed_at, found.changed_by) == (
        before.version,
        before.status,
        before.changed_at,
        before.changed_by,
    )
    assert facts_changed(own_house, public_id) == [
        ("folkeregisteret", "name", "Gammelt Navn", name),
        ("folkeregisteret", "marital_status", "uoppgitt", status),
    ]
    assert "0 persons read" in refresh(own_house)
    lines = own_house.ask(select(AccessEntry.user_id, AccessEntry.detail).where(AccessEntry.action == "look_up"))
    assert (None, {"purpose": "refresh", "outcome": "found"}) in [tuple(line) for line in lines]


@pytest.mark.parametrize("word", ["person", "bakgrunn", "data"])
def test_opening_a_participant_reads_her_anew(office: Office, own_house: House, word: str) -> None:
    public_id = office.given()
    name = person_of(own_house, public_id).name
    make_old(own_house, public_id, name="Gammelt Navn")
    own_house.write(update(Participation).where(Participation.public_id == public_id).values(name="Gammelt Navn"))
    words = text_of(office.page(public_id, word))
    assert name in words
    assert "Gammelt Navn" not in words
    assert person_of(own_house, public_id).freg_fetched_at > now() - timedelta(minutes=1)


def test_a_new_number_is_followed(office: Office, own_house: House) -> None:
    person = office.someone("replaced")
    public_id = office.given(office.someone())
    make_old(own_house, public_id, national_id=person.number)
    own_house.write(update(Participation).where(Participation.public_id == public_id).values(national_id=person.number))
    refresh(own_house)
    found = office.participation(public_id)
    assert (found.national_id, found.person.national_id) == (person.current_number, person.current_number)
    assert ("folkeregisteret", "national_id", person.number, person.current_number) in facts_changed(
        own_house, public_id
    )


def test_an_outage_stops_nobody_and_is_not_asked_about_again_at_once(
    office: Office, own_house: House, fail_register: FailRegister
) -> None:
    public_id = office.given()
    name = office.participation(public_id).name
    at = make_old(own_house, public_id)
    fail_register("freg", "500")
    assert name in text_of(office.page(public_id, "bakgrunn"))
    person = person_of(own_house, public_id)
    assert person.freg_fetched_at == at
    assert person.refresh_tried_at is not None
    tried = person.refresh_tried_at
    office.page(public_id, "bakgrunn")
    assert person_of(own_house, public_id).refresh_tried_at == tried
    assert "0 persons read, 0 could not be read" in refresh(own_house)  # not within ten minutes


def test_a_grade_of_protection_holds_for_three_days(
    office: Office, own_house: House, fail_register: FailRegister, standins: Standins
) -> None:
    """Then the participant is closed to those without the right, until the grade is known again."""
    young, old = office.given(), office.given()
    make_old(own_house, young, timedelta(hours=71))
    make_old(own_house, old, timedelta(hours=73))
    client = office.client_of(BERIT)
    assert client.get(address(old, "historikk")).status_code == 200  # nobody has asked in vain yet
    fail_register("freg", "500")
    assert "2 could not be read" in refresh(own_house)
    assert client.get(address(young, "person")).status_code == 200
    for word in ("person", "data", "historikk", "slett"):
        assert client.get(address(old, word)).status_code == 404
    standin_control.heal(standins.freg.base_url)
    own_house.write(update(Person).values(refresh_tried_at=None))
    refresh(own_house)
    assert client.get(address(old, "person")).status_code == 200


def test_who_becomes_protected_is_closed(office: Office, own_house: House) -> None:
    person = office.someone("protected")
    public_id = office.given(office.someone())
    make_old(own_house, public_id, national_id=person.number)
    refresh(own_house)
    assert office.client_of(BERIT).get(address(public_id, "person")).status_code == 404
    assert office.client_of(BERIT).get(address(public_id, "historikk")).status_code == 404


def test_a_discharged_participant_stays_as_she_is(office: Office, own_house: House) -> None:
    public_id = office.ended()
    goal_of(office.discharge(public_id))
    make_old(own_house, public_id, name="Gammelt Navn")
    before = len(office.changes(public_id))
    refresh(own_house)
    office.page(public_id, "data")
    found = office.participation(public_id)
    assert (found.name, found.name_key, found.name_words) == ("", None, "")
    assert len(office.changes(public_id)) == before
