"""A number that Folkeregisteret has replaced is found under the old one too, by users who may see the participant."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, text, update

from services.core.db import db
from services.demo import fill
from services.tables.participants import Change, EarlierNumber, Participation, SavedView
from tests.support.backups import done
from tests.support.client import text_of
from tests.support.house import House
from tests.support.overview_asking import asked, asked_whole, missed_in, status_of
from tests.support.refreshing import bear, fresh_data, person_of, refresh
from tests.support.registering import Office, address, goal_of

BERIT, IDA = "berit.bergen", "ida.imdi"


@pytest.fixture
def office(own_house: House) -> Iterator[Office]:
    """The caseworkers; nobody's data are old."""
    with fresh_data(own_house):
        yield Office(own_house.app, own_house.client)


def earlier_numbers(house: House) -> dict[str, int]:
    return {row.national_id: row.person_ref for row in house.ask(select(EarlierNumber.__table__))}


def replaced(office: Office, house: House) -> tuple[Any, str]:
    """A participant whose number was replaced after the creation."""
    person, public_id = office.someone("replaced"), office.given(office.someone())
    bear(house, public_id, person.number)
    refresh(house)
    return person, public_id


def test_the_old_number_finds_and_the_list_says_so(office: Office, own_house: House) -> None:
    """In the row and in the status line; typed with a blank, among others, and on the whole page as well."""
    person, public_id = replaced(office, own_house)
    words = f"{person.number} er erstattet av dette nummeret"
    typed = f"{person.number[:6]} {person.number[6:]}, finnesikke"
    for screen in (asked(own_house, BERIT, {"q": typed}), asked_whole(own_house, BERIT, {"q": typed})):
        assert screen.ids == [public_id]
        assert words in screen.text
        assert missed_in(screen) == ["finnesikke"]
    said = status_of(asked(own_house, BERIT, {"q": person.number}))
    assert f"{person.number} er erstattet av {person.current_number}." in said
    present = asked(own_house, BERIT, {"q": person.current_number})
    assert present.ids == [public_id]
    assert "erstattet" not in present.text
    both = asked(own_house, IDA, {"q": f"{person.number}, {person.current_number}"})
    assert (both.ids, missed_in(both)) == ([public_id], [])


def test_the_files_hold_whom_the_old_number_finds(office: Office, own_house: House) -> None:
    person, _public_id = replaced(office, own_house)
    screen = asked_whole(own_house, BERIT, {"q": person.number})
    for link in ("Last ned deltakeroversikt", "Last ned fullt datasett"):
        lines = screen.client.follow(screen.answer, link).get_data(as_text=True).splitlines()
        assert len(lines) == 2
        assert person.current_number in lines[1]


def test_who_may_not_see_the_participant_finds_nobody(office: Office, own_house: House) -> None:
    """Of another municipality, protected, deleted, discharged: as an unknown number."""
    person, public_id = replaced(office, own_house)
    this = update(Participation).where(Participation.public_id == public_id)

    def finds_nobody(username: str) -> None:
        screen = asked(own_house, username, {"q": person.number})
        assert (screen.ids, missed_in(screen)) == ([], [person.number])
        assert "erstattet" not in screen.text

    finds_nobody("kari.oslo")
    own_house.write(this.values(protected=True))
    finds_nobody(BERIT)
    assert asked(own_house, IDA, {"q": person.number}).ids == []
    own_house.write(this.values(protected=False))
    own_house.write(this.values(deleted_at=Participation.created_at, deleted_by=BERIT))
    finds_nobody(BERIT)


def test_the_discharged_are_not_found_by_an_old_number(office: Office, own_house: House) -> None:
    person, public_id = office.someone("replaced"), office.ended()
    bear(own_house, public_id, person.number)
    refresh(own_house)
    goal_of(office.discharge(public_id))
    assert asked(own_house, BERIT, {"q": person.number, "status": "utskrevet"}).ids == []


def test_what_folkeregisteret_tells_of_earlier_numbers_is_kept(office: Office, own_house: House) -> None:
    """For a person who was always registered under the present number."""
    person = office.someone("replaced")
    public_id = office.create(person.current_number)
    assert earlier_numbers(own_house)[person.number] == person_of(own_house, public_id).id
    assert asked(own_house, BERIT, {"q": person.number}).ids == [public_id]


def test_who_comes_back_is_found_by_the_number_of_before(office: Office, own_house: House) -> None:
    person, first = office.someone("replaced"), office.ended()
    bear(own_house, first, person.number)
    goal_of(office.discharge(first))
    second = office.create(person.current_number)
    assert asked(own_house, BERIT, {"q": person.number}).ids == [second]


def test_an_old_number_still_leads_to_a_registration(office: Office, own_house: House) -> None:
    person, public_id = replaced(office, own_house)
    begun = office.begin(person.number)
    assert f"Det er erstattet av {person.current_number}." in text_of(begun)
    again = office.client_of(BERIT).submit(begun, button="Bruk det nye nummeret")
    assert "Personen er allerede deltaker i kommunen." in text_of(again)
    assert office.client_of(BERIT).follow(again, "Gå til deltakeren").request.path == address(public_id, "person")


def test_a_number_that_is_kept_for_somebody_stays_so(office: Office, own_house: House) -> None:
    """Two persons with the same earlier number: nobody is stopped by it."""
    person, public_id = office.someone("replaced"), office.given(office.someone())
    other = person_of(own_house, office.given())
    own_house.write(insert(EarlierNumber).values(national_id=person.number, person_ref=other.id))
    bear(own_house, public_id, person.number)
    assert "1 persons read" in refresh(own_house)
    assert office.participation(public_id).national_id == person.current_number
    assert earlier_numbers(own_house)[person.number] == other.id


# ---- The migration, and backups ----


def saved_queries() -> dict[str, str]:
    return {row.id: row.query for row in db.session.execute(select(SavedView.id, SavedView.query))}


@pytest.fixture
def before_it(empty: Flask) -> Flask:
    """A register of the version before, with participants."""
    alembic = empty.extensions["alembic"]
    alembic.upgrade()
    assert fill(participants=20, seed=1)
    db.session.remove()
    alembic.downgrade("0009")
    return empty


def test_the_history_tells_of_earlier_numbers(before_it: Flask) -> None:
    with db.engine.begin() as work:
        one, other = work.execute(select(Participation.id, Participation.person_ref, Participation.national_id)).all()[
            :2
        ]
        common = {
            "municipality_number": "0301",
            "version": 1,
            "at": text("CURRENT_TIMESTAMP"),
            "username": "folkeregisteret",
        }
        for ref, old, new in (
            (one.id, "11111111111", "22222222222"),
            (one.id, "22222222222", one.national_id),
            (other.id, other.national_id, "33333333333"),
            (other.id, "33333333333", other.national_id),
        ):
            values = {**common, "participation_ref": ref, "field": "national_id", "old": old, "new": new}
            work.execute(insert(Change).values(**values))
    before_it.extensions["alembic"].upgrade()
    kept = {row.national_id: row.person_ref for row in db.session.execute(select(EarlierNumber.__table__))}
    assert kept == {
        "11111111111": one.person_ref,
        "22222222222": one.person_ref,
        "33333333333": other.person_ref,
    }
    db.session.remove()
    before_it.extensions["alembic"].downgrade("0009")


def test_saved_views_become_short_and_long_again(before_it: Flask) -> None:
    alembic = before_it.extensions["alembic"]
    long = "status=endret&" + "&".join(f"kommune={n}" for n in range(1000, 1060))
    short = "kommune=0301&sorter=navn"
    with db.engine.begin() as work:
        user = work.execute(text("SELECT id FROM user_account ORDER BY id")).scalars().first()
        for identity, query in (("aaaaaaaaaaaaaaaa", long), ("bbbbbbbbbbbbbbbb", short)):
            values = {"id": identity, "user_id": user, "name": identity, "name_key": identity, "query": query}
            work.execute(insert(SavedView).values(**values, is_start=False))
    alembic.upgrade()
    queries = saved_queries()
    assert queries["bbbbbbbbbbbbbbbb"] == short
    assert len(queries["aaaaaaaaaaaaaaaa"]) < 60
    db.session.remove()
    alembic.downgrade("0009")
    queries = saved_queries()
    assert queries == {"aaaaaaaaaaaaaaaa": long, "bbbbbbbbbbbbbbbb": short}
    assert not db.session.execute(text("SELECT id FROM search")).all()


def test_a_backup_takes_them_along(office: Office, own_house: House, tmp_path: Any) -> None:
    person, _public_id = replaced(office, own_house)
    before = earlier_numbers(own_house)
    assert person.number in before
    file = tmp_path / "register.backup"
    done(own_house.app, "backup", file)
    own_house.write(delete(EarlierNumber))
    done(own_house.app, "restore", file, "--yes")
    assert earlier_numbers(own_house) == before
