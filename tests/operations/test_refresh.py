"""Refreshing from the registers, daily and when a participant is opened; an outage stops nobody."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.settings.config import PROJECT
from services.core.db import now
from services.refresh.leases import prolong, release, take
from services.refresh.refresh import refresh_all
from services.standins import control as standin_control
from services.standins.run import Standins
from services.tables.participants import AccessEntry, Change, Lease, Participation, Person
from tests.support.client import text_of
from tests.support.house import FailRegister, House
from tests.support.overview_asking import asked
from tests.support.refreshing import LONG_AGO, bear, fresh_data, heal, make_old, person_of, refresh
from tests.support.registering import Office, address, goal_of

BERIT = "berit.bergen"


@pytest.fixture
def office(own_house: House) -> Iterator[Office]:
    """The caseworkers; nobody's data are old."""
    with fresh_data(own_house):
        yield Office(own_house.app, own_house.client)


def facts_changed(house: House, public_id: str) -> list[tuple[str, str, Any, Any]]:
    """The changes by registers: (source, fact, old, new)."""
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
    told = {"purpose": "refresh", "outcome": "found", "person": found.person_ref}
    assert (None, told) in [tuple(line) for line in lines]


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
    """Then the participant is hidden from viewers without the right, until the grade is known again."""
    young, old = office.given(), office.given()
    make_old(own_house, young, timedelta(hours=71))
    make_old(own_house, old, timedelta(hours=73))
    client = office.client_of(BERIT)
    assert client.get(address(old, "historikk")).status_code == 200  # no failed attempt yet
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


# ---- Numbers ----


def test_a_new_number_is_found_and_the_old_one_too(office: Office, own_house: House) -> None:
    person, public_id = office.someone("replaced"), office.given(office.someone())
    bear(own_house, public_id, person.number)
    refresh(own_house)
    assert asked(own_house, BERIT, {"q": person.current_number}).ids == [public_id]
    assert asked(own_house, BERIT, {"q": person.number}).ids == [public_id]


def test_a_number_that_another_bears_already_is_for_imdi_to_settle(office: Office, own_house: House) -> None:
    """Two persons of the register turn out to be one. Both stay unchanged, and the access log has a line."""
    person = office.someone("replaced")
    first, second = office.given(office.someone()), office.given(person, "kari.oslo", district="030101")
    bear(own_house, first, person.number)
    assert "1 persons read" in refresh(own_house)
    one, other = person_of(own_house, first), person_of(own_house, second)
    assert (one.national_id, other.national_id) == (person.number, person.current_number)
    assert office.participation(first).national_id == person.number
    logged = own_house.ask(select(AccessEntry.detail).where(AccessEntry.action == "look_up"))
    told = {"purpose": "refresh", "outcome": "found", "person": one.id, "same_as": other.id}
    assert told in [row.detail for row in logged]


def test_who_runs_under_her_old_number_is_known_by_the_new_one(office: Office, own_house: House) -> None:
    """Before the refresh has updated the person's number, somebody registers the person again."""
    person, public_id = office.someone("replaced"), office.given(office.someone())
    bear(own_house, public_id, person.number, timedelta())
    here = office.begin(person.current_number)
    assert "Personen er allerede deltaker i kommunen." in text_of(here)
    assert office.client_of(BERIT).follow(here, "Gå til deltakeren").request.path == address(public_id, "person")
    elsewhere = office.begin(person.current_number, "kari.oslo")
    assert "Kan ikke registreres her. Ta kontakt med IMDi." in text_of(elsewhere)


def test_who_comes_back_with_a_new_number_keeps_her_person_id(office: Office, own_house: House) -> None:
    person, first = office.someone("replaced"), office.ended()
    bear(own_house, first, person.number, timedelta())
    goal_of(office.discharge(first))
    second = office.create(person.current_number)
    before, after = office.participation(first), office.participation(second)
    assert before.person_id == after.person_id
    assert (before.national_id, after.national_id) == (person.number, person.current_number)


# ---- What stays ----


def test_an_ended_record_takes_nothing_away(office: Office, own_house: House) -> None:
    """Folkeregisteret's record of a number that has ended lacks name, birth and the rest."""
    public_id = office.given(next(one for one in iter(office.someone, None) if one.arrivals))
    bear(own_house, public_id, office.someone("no_name").number)
    before = person_of(own_house, public_id)
    refresh(own_house)
    after = person_of(own_house, public_id)
    assert after.freg_fetched_at > before.freg_fetched_at
    for fact in ("name", "birth_date", "sex", "birth_country", "arrival_year", "marital_status"):
        assert getattr(after, fact) == getattr(before, fact)
        assert getattr(after, fact) is not None
    assert facts_changed(own_house, public_id) == []


def test_results_are_kept_with_their_day_while_pad_is_down(
    office: Office, own_house: House, fail_register: FailRegister
) -> None:
    public_id = office.given()
    at = make_old(own_house, public_id, pad_fetched_at=now() - LONG_AGO, test_results=[])
    fail_register("pad", "500")
    assert "1 persons read" in refresh(own_house)
    person = person_of(own_house, public_id)
    assert person.freg_fetched_at > at
    assert person.pad_fetched_at is not None
    assert person.pad_fetched_at < now() - timedelta(hours=24)
    assert "Ingen resultater" in text_of(office.page(public_id, "bakgrunn"))
    heal(own_house)
    own_house.write(update(Person).values(refresh_tried_at=None))
    assert "1 persons read" in refresh(own_house), "PAD alone is asked, though Folkeregisteret's are fresh"
    again = person_of(own_house, public_id)
    assert again.freg_fetched_at == person.freg_fetched_at
    assert again.pad_fetched_at is not None
    assert again.pad_fetched_at > now() - timedelta(minutes=1)


def test_pad_that_is_down_is_left_alone(office: Office, own_house: House, fail_register: FailRegister) -> None:
    people = [office.given() for _number in range(5)]
    for public_id in people:
        make_old(own_house, public_id, timedelta(), pad_fetched_at=now() - LONG_AGO)
    fail_register("pad", "500")
    refresh(own_house)
    assert len([one for one in people if person_of(own_house, one).refresh_tried_at]) == 3
    logged = own_house.ask(select(AccessEntry.detail).where(AccessEntry.action == "look_up"))
    asked_about = {person_of(own_house, one).id for one in people}
    outcomes = [row.detail["outcome"] for row in logged if row.detail and row.detail.get("person") in asked_about]
    assert outcomes == ["down"] * 3
    heal(own_house)
    refresh(own_house)
    assert len([one for one in people if person_of(own_house, one).refresh_tried_at]) == 5


def test_new_results_are_told_in_the_history(office: Office, own_house: House) -> None:
    public_id = office.create()
    person = person_of(own_house, public_id)
    make_old(own_house, public_id, pad_fetched_at=now() - LONG_AGO, test_results=None)
    refresh(own_house)
    told = [("pad", "test_results", None, person.test_results)]
    assert facts_changed(own_house, public_id) == told


def test_fetching_results_is_a_look_up_that_somebody_asks_for(office: Office, own_house: House) -> None:
    public_id = office.create()
    page = office.page(public_id, "bakgrunn")
    goal_of(office.client_of(BERIT).submit(page, button="Hent prøveresultater på nytt"))
    assert ("look_up", {"purpose": "results"}) in office.log(public_id)


# ---- One at a time, and within limits ----


def test_only_one_process_refreshes(office: Office, own_house: House) -> None:
    public_id = office.given()
    at = make_old(own_house, public_id)
    with own_house.app.app_context():
        held = take("refresh", timedelta(minutes=1))
        assert held is not None
        assert take("refresh", timedelta(minutes=1)) is None
        assert prolong(held)
    assert "Nothing done: another process is at it." in refresh(own_house)
    assert person_of(own_house, public_id).freg_fetched_at == at
    own_house.write(update(Lease).values(until=now() - timedelta(seconds=1)))  # its process has disappeared
    assert "1 persons read" in refresh(own_house)
    with own_house.app.app_context():
        assert not prolong(held)
        release(held)
    assert own_house.ask(select(Lease)) == []


def test_of_ten_that_begin_at_once_one_does(office: Office, own_house: House) -> None:
    public_id = office.given()
    make_old(own_house, public_id)
    before, done = reads_of(own_house, public_id), []
    start = threading.Barrier(10)

    def begin() -> None:
        start.wait()
        with own_house.app.app_context():
            done.append(refresh_all(own_house.app.extensions["registers"]))

    in_threads([begin] * 10)
    assert len(done) == 10
    assert sum(one.read for one in done if one) == 1
    assert reads_of(own_house, public_id) == before + 1


def in_threads(works: list[Any]) -> None:
    """Run all functions at once."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def reads_of(house: House, public_id: str) -> int:
    """How many refreshes of the person the access log has."""
    person = person_of(house, public_id).id
    rows = house.ask(select(AccessEntry.detail).where(AccessEntry.action == "look_up", AccessEntry.user_id.is_(None)))
    details: list[Mapping[str, Any]] = [row.detail or {} for row in rows]
    return sum(detail.get("person") == person for detail in details)


def test_opened_by_ten_at_once_she_is_asked_about_once(office: Office, own_house: House) -> None:
    public_id = office.given()
    make_old(own_house, public_id)
    name, before = office.participation(public_id).name, reads_of(own_house, public_id)
    cookie = office.client_of(BERIT).get_cookie("session")
    assert cookie is not None

    def open_her() -> None:
        client = own_house.nobody()
        client.set_cookie("session", cookie.value)
        assert name in text_of(client.get(address(public_id, "bakgrunn")))

    in_threads([open_her] * 10)
    assert reads_of(own_house, public_id) == before + 1


@pytest.mark.parametrize(("kind", "asked"), [("500", 3), ("429", 1), ("403", 1)])
def test_a_register_that_is_down_or_busy_is_left_alone(
    office: Office, own_house: House, fail_register: FailRegister, kind: str, asked: int
) -> None:
    people = [office.given() for _number in range(5)]
    for public_id in people:
        make_old(own_house, public_id)
    fail_register("freg", kind)
    assert f"0 persons read, {asked} could not be read" in refresh(own_house)
    assert len([one for one in people if person_of(own_house, one).refresh_tried_at]) == asked
    heal(own_house)
    assert f"{5 - asked} persons read" in refresh(own_house)


def test_a_slow_register_does_not_hold_the_page(office: Office, own_house: House, fail_register: FailRegister) -> None:
    public_id = office.given()
    make_old(own_house, public_id)
    name = office.participation(public_id).name
    fail_register("freg", "slow")
    began = time.monotonic()
    assert name in text_of(office.page(public_id, "data"))
    assert time.monotonic() - began < 4
    began = time.monotonic()
    assert name in text_of(office.page(public_id, "data"))
    assert time.monotonic() - began < 1, "not asked again within ten minutes"


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_again_and_again_until_it_is_told_to_end(database_url: str, settings: dict[str, str]) -> None:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "registers", "refresh", "--every", "1s"]
    environment = {**settings, "DATABASE_URL": database_url, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _time in range(2)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert (
        lines == ["0 waiting registrations answered, 0 persons read, 0 could not be read, 0 participants closed.\n"] * 2
    )


@pytest.mark.parametrize("span", ["", "15", "0m", "m", "-1s", "1d"])
def test_a_span_that_is_none(office: Office, own_house: House, span: str) -> None:
    result = own_house.app.test_cli_runner().invoke(args=["registers", "refresh", "--every", span])
    assert result.exit_code == 2
    assert "Write it like 30s, 15m or 2h." in result.output
