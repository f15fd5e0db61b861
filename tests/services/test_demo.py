"""Demo data: everything could have been registered by hand, and is the same every time."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.connections.registers import registers
from services.access.viewer import Right, Role
from services.accounts import sign_in as accounts
from services.core.clock import OSLO_TIME, today
from services.core.days import date_text
from services.core.db import Base, now, session
from services.core.encryption import Vault
from services.core.status import Status
from services.demo import PASSWORD, USERS, NotForRealPeople, fill, unregistered
from services.mail.outbox import Outbox
from services.mail.smtp import Letter
from services.participation.answers import facts_of, missing_on, values_of
from services.participation.create import create, new_creation_key
from services.participation.find import find
from services.participation.page import page_of, pages_of, read_page
from services.participation.person_data import name_key, results_of
from services.participation.save import obstacles
from services.questions.pages import BACKGROUND, FIELDS, PERSON, PROGRAMME, STEPS
from services.standins.population import PUBLISHED_KINDS, persons
from services.tables.accounts import User
from services.tables.participants import Change, Participation, Person
from tests.support.databases import DIALECTS, SQLITE, Databases, running_app

DAY = date(2026, 11, 20)
OSLO, BERGEN, ASKOY = "0301", "4601", "4627"
Dump = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def filled(databases: Databases, settings: dict[str, str]) -> Callable[..., Dump]:
    """Fills a new database and returns the rows of all or some tables, without the salted password."""

    def fill_and_read(dialect: str, participants: int, seed: int, *only: str) -> Dump:
        address = databases.empty(dialect)
        with running_app({**settings, "DATABASE_URL": address}) as app, app.app_context():
            app.extensions["alembic"].upgrade()
            fill(participants=participants, seed=seed, on=DAY)
            tables = [table for table in Base.metadata.sorted_tables if not only or table.name in only]
            dump = {table.name: _rows(table) for table in tables}
        databases.remove(address)
        return dump

    return fill_and_read


def _rows(table: Any) -> list[dict[str, Any]]:
    found = session().execute(select(table).order_by(*table.primary_key))
    rows = [dict(row._mapping) for row in found]
    for row in rows:
        row.pop("password_hash", None)
    return rows


def everybody() -> list[Participation]:
    found = select(Participation).options(
        selectinload(Participation.person),
        selectinload(Participation.activities),
        selectinload(Participation.leaves),
    )
    return list(session().scalars(found))


def test_same_seed_gives_the_same_rows_on_both_databases(filled: Callable[..., Dump]) -> None:
    first, second = (filled(dialect, 60, 7) for dialect in DIALECTS)
    assert len(first["participation"]) == 60
    assert first == second
    other = filled(SQLITE, 60, 8, "participation")
    assert other["participation"] != first["participation"]


@pytest.mark.participants(200)
@pytest.mark.usefixtures("services_context")
def test_every_page_satisfies_the_rules() -> None:
    for participation in everybody():
        values = values_of(participation)
        for step in STEPS:
            page = page_of(participation, step)
            assert page.errors == {}, (participation.id, step.name)
            assert page.page_values() == {question.key: values[question.key] for question in step.fields}
        missing = [missing_on(step, values, set()) for step in (BACKGROUND, PROGRAMME)]
        assert [participation.background_missing, participation.programme_missing] == missing
        if participation.status == Status.DISCHARGED:
            assert obstacles(pages_of(participation)) == {}


@pytest.mark.participants(200)
@pytest.mark.usefixtures("services_context")
def test_oslo_and_bergen_hold_everything() -> None:
    found = defaultdict(set)
    for participation in everybody():
        states = found[participation.municipality_number]
        if participation.deleted_at:
            states.add("deleted")
        else:
            states.add((participation.status, participation.protected))
    every_status = {(status, False) for status in Status}
    assert found[BERGEN] >= every_status | {"deleted", (Status.CHANGED, True)}
    assert found[OSLO] >= every_status | {"deleted"} | {(status, True) for status in Status}
    assert found[ASKOY] >= every_status
    assert len(found) > 25


def test_shares_are_likely(filled: Callable[..., Dump]) -> None:
    rows = filled(SQLITE, 1000, 2026, "participation")["participation"]
    places = Counter(row["municipality_number"] for row in rows)
    statuses = Counter(row["status"] for row in rows)
    assert len(rows) == 1000
    assert 130 < places[OSLO] < 190
    assert 45 < places[BERGEN] < 90
    assert 3 < places[ASKOY] < 30
    assert len(places) > 40
    assert min(statuses[status] for status in Status) > 50
    assert 10 < sum(row["protected"] for row in rows) < 50
    assert 10 < sum(row["deleted_at"] is not None for row in rows) < 50
    assert all((row["district_number"] is not None) == (row["municipality_number"] == OSLO) for row in rows)
    assert {row["funding"] for row in rows} == {"ordinary", "per_capita"}
    for key in ("extension", "goals_other", "end_reason_text", "no_activities", "intro_end", "job_subsidy"):
        assert any(row[key] is not None for row in rows), key


@pytest.mark.participants(200)
@pytest.mark.usefixtures("services_context")
def test_history_tells_how_it_came_to_be() -> None:
    changes = defaultdict(list)
    for change in session().scalars(select(Change).order_by(Change.participation_ref, Change.version, Change.id)):
        changes[change.participation_ref].append(change)
    for participation in everybody():
        told = changes[participation.id]
        assert {change.version for change in told} == set(range(1, participation.version + 1))
        assert [change.at for change in told] == sorted(change.at for change in told)
        state: dict[str, Any] = {}
        for change in told:
            assert change.old == state.get(change.field)
            state[change.field] = change.new
        values = values_of(participation)
        for key, question in FIELDS.items():
            assert state.get(key) == question.to_json(values[key]), key
        written = [change for change in told if change.field != "deleted"]
        assert (told[0].at, told[0].username) == (participation.created_at, participation.created_by)
        assert (written[-1].at, written[-1].username) == (participation.changed_at, participation.changed_by)
        reason = participation.deleted_reason
        assert state.get("deleted") == ({"reason": reason, "text": ""} if reason else None)
        assert (reason is not None) == (participation.deleted_at is not None)
        assert state.get("discharged", False) == (participation.status == Status.DISCHARGED)
        assert (participation.status == Status.CREATED) == (len({change.version for change in written}) == 1)


@pytest.mark.participants(200)
@pytest.mark.usefixtures("services_context")
def test_moments_and_days_are_in_order() -> None:
    for participation in everybody():
        created_on = participation.created_at.astimezone(OSLO_TIME).date()
        assert participation.start_date <= created_on
        assert participation.created_at <= participation.changed_at < now()
        person = participation.person
        assert person.birth_date is not None
        assert participation.start_date.year - person.birth_date.year >= 18
        assert person.arrival_year is None or person.arrival_year <= participation.start_date.year
        for row in (*participation.activities, *participation.leaves):
            assert row.from_date >= participation.start_date
        if participation.status == Status.DISCHARGED:
            assert participation.end_date is not None
            assert participation.discharged_at == participation.changed_at
            assert participation.end_date <= participation.discharged_at.date()
            assert all(activity.to_date for activity in participation.activities)


@pytest.mark.participants(200)
@pytest.mark.usefixtures("services_context")
def test_copies_agree_with_the_person() -> None:
    running = Counter()
    for participation in everybody():
        person = participation.person
        is_over = participation.status == Status.DISCHARGED
        assert participation.name == ("" if is_over else person.name)
        assert participation.name_key == (None if is_over else name_key(person.name))
        assert participation.national_id == person.national_id
        assert participation.person_id == person.person_id
        assert participation.protected == (person.protection is not None)
        assert facts_of(participation)["birth_date"] == person.birth_date
        if not is_over and participation.deleted_at is None:
            running[person.id] += 1
    assert set(running.values()) == {1}


@pytest.mark.participants(200)
@pytest.mark.usefixtures("services_context")
def test_some_have_returned() -> None:
    stays = defaultdict(list)
    for participation in everybody():
        stays[participation.person_ref].append(participation)
    returned = [sorted(each, key=lambda stay: stay.start_date) for each in stays.values() if len(each) > 1]
    assert returned
    for first, second in returned:
        assert first.status == Status.DISCHARGED
        assert first.changed_at < second.created_at
        assert second.earlier_measures is None or "jobbsjansen" in second.earlier_measures


@pytest.mark.participants(40)
def test_register_and_standins_say_the_same(services_context: Flask) -> None:
    outside = registers()
    checked = 0
    for person in session().scalars(select(Person).order_by(Person.id).limit(12)).all():
        record = outside.folkeregisteret.look_up(person.national_id)
        assert record.national_id == person.national_id
        assert not record.is_dead
        assert (record.full_name, record.protection) == (person.name, person.protection)
        assert (record.arrival_year, record.marital_status) == (person.arrival_year, person.marital_status)
        if person.pad_fetched_at:
            assert outside.pad.results(person.national_id) == results_of(person)
            checked += 1
    assert checked


@pytest.mark.usefixtures("services_context")
def test_users_of_the_contract() -> None:
    viewers = {}
    for user in session().scalars(select(User)).all():
        assert user.is_demo
        viewers[user.username] = accounts.viewer_of(user.id)
    assert set(viewers) == {user.username for user in USERS}
    places = {name: {place.number for place in viewer.places} for name, viewer in viewers.items() if viewer}
    assert places == {
        "kari.oslo": {OSLO},
        "berit.bergen": {BERGEN},
        "anne.tokommuner": {BERGEN, ASKOY},
        "siri.vern": {OSLO},
        "admin.bergen": set(),
        "ida.imdi": set(),
        "admin.imdi": set(),
    }
    assert [name for name, viewer in viewers.items() if viewer and viewer.sees_protected_in(OSLO)] == ["siri.vern"]
    assert [place.number for place in viewers["admin.bergen"].administers] == [BERGEN]
    assert not viewers["admin.bergen"].can(Right.READ)
    assert viewers["ida.imdi"].roles == {Role.IMDI_READER}
    assert viewers["admin.imdi"].roles == {Role.IMDI_ADMIN}
    vault = Vault("any")
    outbox = Outbox(vault=vault, sender="a@example.org")
    here = accounts.AttemptOrigin(
        address="127.0.0.1", devices={}, outbox=outbox, warning=lambda user: Letter(user.name, "", "")
    )
    assert accounts.check_password(vault, "berit.bergen", PASSWORD, place=here) is not None


@pytest.mark.usefixtures("services_context")
def test_what_holds_something_is_left_alone() -> None:
    assert not fill(participants=10, seed=1)
    assert everybody() == []


@pytest.mark.participants(40)
def test_numbering_goes_on(services_context: Flask) -> None:
    found = persons(1, taken=set(session().scalars(select(Person.national_id))))
    record = registers().folkeregisteret.look_up(next(iter(found)).number)
    user_id = session().scalar(select(User.id).where(User.username == "berit.bergen"))
    assert user_id is not None
    viewer = accounts.viewer_of(user_id)
    assert viewer is not None
    facts = {"municipality_number": BERGEN, "today": today()}
    page = read_page(PERSON, {"funding": ["ordinary"], "start_date": [date_text(today())]}, facts)
    created = create(
        viewer, person=record, results=[], municipality_number=BERGEN, page=page, creation_key=new_creation_key()
    )
    assert find(viewer, created).name == record.full_name


def test_register_of_real_people_is_refused() -> None:
    with pytest.raises(NotForRealPeople):
        fill(participants=1, seed=1, accepts="real")
    with pytest.raises(ValueError, match="negative"):
        fill(participants=-1, seed=1)


@pytest.mark.participants(40)
@pytest.mark.usefixtures("services_context")
def test_there_is_somebody_of_each_kind_to_try() -> None:
    taken = set(session().scalars(select(Person.national_id)))
    for kind in PUBLISHED_KINDS:
        found = unregistered(5, kind)
        assert len(found) == 5
        assert found == list(persons(5, kind, taken))
        for person in found:
            assert kind in person.kinds
            assert taken.isdisjoint({person.number, person.current_number})
