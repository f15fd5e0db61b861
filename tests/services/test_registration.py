"""Creating and saving by the services: rights, parallel requests, and consistency."""

import threading
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from random import Random
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from services.access.viewer import Viewer
from services.accounts.sign_in import viewer_of
from services.core.clock import today
from services.core.days import date_text
from services.core.db import db
from services.core.status import Status
from services.intake.look_up import running_participation
from services.participation.answers import missing_on, values_of
from services.participation.corrections import delete
from services.participation.create import AlreadyRunning, create, created_with, new_creation_key
from services.participation.find import NoSuchParticipant, NotAllowed, find
from services.participation.page import Page, page_again, page_of, pages_of, read_page
from services.participation.save import Conflict, Incomplete, StaleParticipation, Unfinished, discharge, obstacles, save
from services.participation.sent_form import SentForm, ShownForm
from services.questions.fields import ChoiceField, ManyField
from services.questions.pages import BACKGROUND, FIELDS, PERSON, PROGRAMME, STEPS, TERMINATION, Step
from services.questions.row_fields import RowsField
from services.standins.population import SyntheticPerson, persons
from services.tables.accounts import User
from services.tables.participants import Change, Participation, Person
from tests.support.postgres import log_of

START = today() - timedelta(days=700)


@pytest.fixture
def register(app: Flask) -> Flask:
    """The program; each test opens its own context, as each request does."""
    return app


def viewer(username: str) -> Viewer:
    """The viewer of a demo user."""
    found = viewer_of(db.session.scalar(select(User.id).where(User.username == username)) or 0)
    assert found is not None
    return found


def page_1(number: str = "4601", start: date = START) -> Page:
    """Page 1, filled in."""
    form = {"funding": ["ordinary"], "start_date": [date_text(start)]}
    return read_page(PERSON, form, {"today": today(), "municipality": number})


def register_one(person: SyntheticPerson, by: str = "berit.bergen", number: str = "4601", key: str = "") -> str:
    """Create a participation; returns the public id."""
    return create(
        viewer(by),
        person=person.record(),
        results=None,
        municipality_number=number,
        page=page_1(number),
        creation_key=key or new_creation_key(),
    )


# ---- Creating ----


def test_only_in_her_own_municipality_and_only_what_is_complete(register: Flask) -> None:
    person = next(persons(1))
    with register.app_context():
        for by, number in (("berit.bergen", "0301"), ("ida.imdi", "4601"), ("admin.bergen", "4601")):
            with pytest.raises(NotAllowed):
                register_one(person, by, number)
        lacking = read_page(PERSON, {"funding": ["ordinary"]}, {"today": today(), "municipality": "4601"})
        with pytest.raises(NotAllowed):
            create(
                viewer("berit.bergen"),
                person=person.record(),
                results=None,
                municipality_number="4601",
                page=lacking,
                creation_key=new_creation_key(),
            )
        assert db.session.scalar(select(Participation.id)) is None
        assert db.session.scalar(select(Person.id)) is None


def test_the_key_of_a_form_creates_once(register: Flask) -> None:
    one, other = persons(2)
    key = new_creation_key()
    with register.app_context():
        first = register_one(one, key=key)
        assert register_one(one, key=key) == first
        assert created_with(viewer("berit.bergen"), key) == first
        assert created_with(viewer("anne.tokommuner"), key) is None
        with pytest.raises(AlreadyRunning):
            register_one(one)
        with pytest.raises(AlreadyRunning):
            register_one(other, "anne.tokommuner", key=key)  # somebody else's key


def test_ten_at_once_register_one_person_once(register: Flask) -> None:
    """Each user with their own form, in two municipalities."""
    person = next(persons(1))
    made: list[str] = []
    refused: list[str] = []
    start = threading.Barrier(10)

    def work(number: str) -> None:
        with register.app_context():
            start.wait()
            try:
                made.append(register_one(person, "anne.tokommuner", number))
            except AlreadyRunning:
                refused.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in ("4601", "4627") * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(refused)) == (1, 9)
    with register.app_context():
        assert len(list(db.session.scalars(select(Person)))) == 1
        running = running_participation({person.number})
        assert running is not None
        assert running.public_id == made[0]
        assert person.number not in log_of(db.engine.url), "the database's own log holds nobody"


def test_a_person_keeps_her_person_id_and_gets_new_facts(register: Flask) -> None:
    person = next(persons(1))
    with register.app_context():
        first = register_one(person)
        delete(viewer("berit.bergen"), first, reason="mistake")
        second = register_one(person)
        ids = list(db.session.scalars(select(Participation.person_id)))
        assert len(ids) == 2
        assert len(set(ids)) == 1
        assert first != second


def test_all_periods_of_a_person_are_protected_with_her(register: Flask) -> None:
    person, protected = next(persons(1)), next(persons(1, "protected"))
    with register.app_context():
        first = register_one(person)
        delete(viewer("berit.bergen"), first, reason="mistake")
        db.session.execute(update(Person).values(national_id=protected.number))  # the person is protected from now on
        db.session.commit()
        create(
            viewer("siri.vern"),
            person=protected.record(),
            results=None,
            municipality_number="0301",
            page=read_page(
                PERSON,
                {"funding": ["ordinary"], "start_date": [date_text(START)], "district": ["030101"]},
                {"today": today(), "municipality": "0301"},
            ),
            creation_key=new_creation_key(),
        )
        assert list(db.session.scalars(select(Participation.protected))) == [True, True]
        with pytest.raises(NoSuchParticipant):
            find(viewer("ida.imdi"), first)


# ---- Saving ----


def save_raw(
    public_id: str, step: Step, raw: dict[str, list[Any]], *, seen: int | None = None, keep: bool = True
) -> Participation:
    """Save a page with some raw answers changed."""
    by = viewer("berit.bergen")
    found = find(by, public_id)
    page = page_again(page_of(found, step), raw, values_of(found))
    shown = ShownForm(found.version if seen is None else seen)
    return save(by, public_id, SentForm(page, shown), keep_unread=keep).participation


def test_forwards_nothing_is_saved_of_a_page_with_faults(register: Flask) -> None:
    with register.app_context():
        public_id = register_one(next(persons(1)))
        with pytest.raises(Unfinished) as caught:
            save_raw(public_id, BACKGROUND, {"mother_tongue": ["urd"], "children": ["x"]}, keep=False)
        assert caught.value.version == 1
        assert caught.value.page.unread == {"children"}
        found = find(viewer("berit.bergen"), public_id)
        assert (found.version, found.mother_tongue, found.status) == (1, None, Status.CREATED)
        assert found.drafts == []


def test_others_may_not_save(register: Flask) -> None:
    with register.app_context():
        public_id = register_one(next(persons(1)))
        page = page_of(find(viewer("berit.bergen"), public_id), BACKGROUND)
        with pytest.raises(NoSuchParticipant):
            save(viewer("kari.oslo"), public_id, SentForm(page, ShownForm(1)))
        with pytest.raises(NotAllowed):
            save(viewer("ida.imdi"), public_id, SentForm(page, ShownForm(1)))


def test_an_unreadable_answer_leaves_the_registered_one_and_what_hangs_on_it(register: Flask) -> None:
    with register.app_context():
        public_id = register_one(next(persons(1)))
        save_raw(public_id, BACKGROUND, {"children": ["2"], "youngest_child": ["2020"]})
        found = save_raw(public_id, BACKGROUND, {"children": ["to"]})
        assert (found.children, found.youngest_child) == (2, 2020)
        page = page_of(find(viewer("berit.bergen"), public_id), BACKGROUND)
        assert "youngest_child" in {question.key for question in page.asked}
        assert page.problems["children"] == "Skriv et tall fra 0 til 15. Registrert svar: «2»"


def test_discharge_needs_everything_and_the_newest_version(register: Flask) -> None:
    with register.app_context():
        by = viewer("berit.bergen")
        public_id = register_one(next(persons(1)))
        with pytest.raises(Incomplete):
            discharge(by, public_id, seen=1)
        with pytest.raises(StaleParticipation):
            discharge(by, public_id, seen=0)
        assert obstacles(pages_of(find(by, public_id))).keys() == {"background", "programme", "termination"}
        with pytest.raises(NoSuchParticipant):
            discharge(viewer("kari.oslo"), public_id, seen=1)


# ---- Everything at once ----


@dataclass
class OpenForm:
    """A page on a user's screen: user, page, content, and the registered values when it was opened."""

    by: str
    step: Step
    raw: dict[str, Any]
    base: dict[str, Any]
    drafted: set[str]
    seen: int


class Walk:
    """Two users who open pages, write valid and invalid answers, and save in any order; after each save all must be
    consistent."""

    def __init__(self, seed: int, public_id: str) -> None:
        self.random = Random(seed)
        self.public_id = public_id
        self.forms: list[OpenForm] = []
        self.outcomes: dict[str, int] = {"saved": 0, "conflict": 0, "unfinished": 0}

    def take_a_step(self) -> None:
        """Open a page, or write in an open one and save it."""
        if len(self.forms) < 4 and self.random.random() < 0.6:
            by = self.random.choice(["berit.bergen", "anne.tokommuner"])
            step = self.random.choice([PERSON, BACKGROUND, BACKGROUND, PROGRAMME, TERMINATION])
            self.open(by, step)
        elif self.forms:
            self.save(self.forms.pop(self.random.randrange(len(self.forms))))

    def open(self, by: str, step: Step, written: dict[str, Any] | None = None) -> None:
        """Open a page, perhaps with something written already."""
        found = find(viewer(by), self.public_id)
        drafted = {draft.field for draft in found.drafts}
        base = dict(page_of(found, step).raw)
        self.forms.append(OpenForm(by, step, written or base, base, drafted, found.version))

    def save(self, form: OpenForm) -> None:
        """Write some answers, and save."""
        raw = dict(form.raw)
        for question in self.random.sample(form.step.fields, self.random.randrange(min(12, len(form.step.fields)))):
            raw[question.key] = self.answer(question)
        by = viewer(form.by)
        before = values_of(find(by, self.public_id))
        changes = len(self.history())
        page = page_again(read_page(form.step, {}, before), raw, before)
        try:
            save(by, self.public_id, SentForm(page, ShownForm(form.seen)), keep_unread=self.random.random() < 0.8)
        except Conflict as conflict:
            self.outcomes["conflict"] += 1
            assert conflict.clashes
            shown = {question.key for question in conflict.page.asked}
            assert conflict.clashes.keys() <= shown  # shown at a visible place
            assert len(self.history()) == changes
            self.open(form.by, form.step, dict(conflict.page.raw))
            assert self.forms[-1].seen == conflict.version
        except Unfinished as unfinished:
            self.outcomes["unfinished"] += 1
            assert unfinished.page.problems
            assert len(self.history()) == changes
        else:
            self.outcomes["saved"] += 1
            self.check_others_work(form, raw, before)
        self.check()

    def check_others_work(self, form: OpenForm, raw: dict[str, Any], before: dict[str, Any]) -> None:
        """Check that fields this form has not changed are unchanged, unless they no longer apply."""
        found = find(viewer(form.by), self.public_id)
        after = values_of(found)
        for key, value in after.items():
            untouched = key not in raw or (raw[key] == form.base[key] and key not in form.drafted)
            if key in FIELDS and untouched and value != before[key]:
                assert value is None, key
                assert not FIELDS[key].shown(after), key

    def answer(self, question: Any) -> list[Any]:
        """A raw answer: valid, invalid, or empty."""
        if self.random.random() < 0.15:
            return []
        if isinstance(question, RowsField):
            rows = range(self.random.randrange(0, 3))
            return [{inner.key: self.answer(inner) for inner in question.fields} for _ in rows]
        if isinstance(question, ManyField):
            codes = [option.code for option in question.options]
            return self.random.sample(codes, self.random.randrange(1, 3))
        if isinstance(question, ChoiceField):
            return [self.random.choice(question.options).code]
        if question.kind == "check":
            return ["1"]
        wild = ["", "x", "0", "1", "2", "2020", "22,5", "06.2020", "31.02.2024", "Fritekst", "12.2040"]
        day = date_text(today() + timedelta(days=self.random.randrange(-900, 60)))
        return [self.random.choice([*wild, day, day, day])]

    def history(self) -> list[Change]:
        """All changes, oldest first."""
        query = select(Change).join(Participation, Change.participation_ref == Participation.id)
        return list(db.session.scalars(query.where(Participation.public_id == self.public_id).order_by(Change.id)))

    def check(self) -> None:
        """The conditions after every save."""
        found = find(viewer("berit.bergen"), self.public_id)
        values = values_of(found)
        drafts = {draft.field for draft in found.drafts}
        for step, stored in ((BACKGROUND, found.background_missing), (PROGRAMME, found.programme_missing)):
            assert stored == missing_on(step, values, drafts)
            assert stored == len({name.partition("-")[0] for name in page_of(found, step).problems})
        for step in STEPS:
            assert step.pruned(values) == {key: values[key] for key in (one.key for one in step.fields)}
        replayed: dict[str, Any] = dict.fromkeys(FIELDS)
        for change in self.history():
            assert replayed[change.field] == change.old
            assert change.old != change.new
            assert change.version <= found.version
            replayed[change.field] = change.new
        assert replayed == {key: question.to_json(values[key]) for key, question in FIELDS.items()}
        changed = {change.version for change in self.history()} - {1}
        status = Status.CREATED if not changed else Status.ENDED if found.end_date else Status.CHANGED
        assert found.status == status
        assert found.start_date <= (found.end_date or found.start_date)
        assert found.start_date <= today()
        assert found.hours_per_week is None or isinstance(found.hours_per_week, Decimal)


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_two_people_do_all_adds_up(register: Flask, seed: int) -> None:
    person = next(islice(persons(seed), seed - 1, None))
    with register.app_context():
        walk = Walk(seed, register_one(person))
    for _ in range(80):
        with register.app_context():
            walk.take_a_step()
    assert all(count >= 2 for count in walk.outcomes.values()), walk.outcomes


def test_saving_again_what_is_kept_as_typed_changes_nothing(register: Flask) -> None:
    with register.app_context():
        public_id = register_one(next(persons(1)))
        first = save_raw(public_id, TERMINATION, {"end_date": ["i fjor"], "absence_valid": ["-1"]})
        assert (first.version, first.status, first.changed_by) == (2, Status.CREATED, "berit.bergen")
        version, at = first.version, first.changed_at
        again = save_raw(public_id, TERMINATION, {})
        assert (again.version, again.changed_at) == (version, at)
