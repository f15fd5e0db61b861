"""The counts of participants by municipality and kind, which triggers update, are never wrong."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import case, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from services.core.db import now, writing
from services.core.status import Status
from services.tables.participants import Participation, ParticipationCount, Person
from tests.support.house import IS_OPEN, IS_PLAIN, House, of_places
from tests.support.overview_asking import QuickClient, count_of
from tests.support.overview_screen import overview
from tests.support.registering import BY_MISTAKE, FULL_BACKGROUND, FULL_PROGRAMME, FULL_TERMINATION, Office

_P, _C = Participation, ParticipationCount
Kind = tuple[str, int, bool, bool]
_numbers = count(1)


def kept(house: House) -> dict[Kind, int]:
    """The stored counts, without zeros."""
    rows = house.ask(select(_C.municipality_number, _C.status, _C.protected, _C.deleted, _C.number))
    return {tuple(row[:4]): row.number for row in rows if row.number}


def counted(house: House) -> dict[Kind, int]:
    """The counts from the participations."""
    kind = (_P.municipality_number, _P.status, _P.protected, _P.deleted_at.is_not(None))
    return {tuple(row[:4]): row[4] for row in house.ask(select(*kind, func.count()).group_by(*kind))}


def check(house: House) -> None:
    assert kept(house) == counted(house)


@pytest.fixture(scope="module")
def counting(own_house: House) -> House:
    """A house whose counts are right at the beginning."""
    check(own_house)
    assert sum(kept(own_house).values()) > 300
    return own_house


# ---- Random statements, without the program ----

PLACES = ("0301", "4601", "4627", "5001")
_MOMENT = now() - timedelta(days=9)


def new_row(place: str, status: int, protected: bool, deleted: bool) -> list[Any]:
    """A new person with one participation."""
    n = next(_numbers)
    person = {"person_id": f"8{n:07}", "national_id": f"99{n:09}", "name": "", "freg_fetched_at": _MOMENT}
    ref = select(Person.id).where(Person.person_id == person["person_id"]).scalar_subquery()
    row = {
        "public_id": f"count-{n:010}",
        "creation_key": f"count-{n}",
        "person_ref": ref,
        "name": "",
        "municipality_number": place,
        "municipality_key": "x",
        "status": status,
        "protected": protected,
        "deleted_at": _MOMENT if deleted else None,
        "changed_by": "x",
        "created_by": "x",
        "created_at": _MOMENT,
        "changed_at": _MOMENT,
        "background_missing": 0,
        "programme_missing": 0,
        "funding": "ordinary",
        "start_date": _MOMENT.date(),
    }
    row |= {key: person[key] for key in ("person_id", "national_id")}
    return [insert(Person).values(**person), insert(_P).values(**row)]


def some(seed: int, number: int) -> Any:
    """Some rows, the same for the same seed; those of the demo data break no rule about persons."""
    return _P.id % 97 == seed % 97 if number > 1 else _P.id == select(func.min(_P.id) + seed % 300).scalar_subquery()


EMPTIED = {"name": "", "name_key": None, "name_words": ""}
places, seeds, numbers = st.sampled_from(PLACES), st.integers(0, 10_000), st.sampled_from([1, 30])
flags, statuses = st.booleans(), st.integers(1, 4)
_where = st.builds(some, seeds, numbers)


def moved(where: Any, place: str) -> list[Any]:
    return [update(_P).where(where).values(municipality_number=place)]


def turned(where: Any, status: int) -> list[Any]:
    return [update(_P).where(where).values(status=status, **EMPTIED)]


def hidden(where: Any, protected: bool) -> list[Any]:
    return [update(_P).where(where).values(protected=protected)]


def struck(where: Any, deleted: bool) -> list[Any]:
    return [update(_P).where(where).values(deleted_at=_MOMENT if deleted else None)]


def struck_later(where: Any) -> list[Any]:
    """Deleted rows get another moment, which does not change their kind."""
    return [update(_P).where(where, _P.deleted_at.is_not(None)).values(deleted_at=now())]


def all_at_once(where: Any, place: str) -> list[Any]:
    """Change every part of the kind in one statement, differently from row to row."""
    values = {
        "municipality_number": case((_P.protected, place), else_=_P.municipality_number),
        "protected": ~_P.protected,
        "status": 5 - _P.status,
    }
    return [update(_P).where(where).values(**values, **EMPTIED)]


def nothing_counted(where: Any) -> list[Any]:
    return [update(_P).where(where).values(changed_at=now(), version=_P.version + 1)]


def removed(where: Any) -> list[Any]:
    """Delete rows that nothing else refers to."""
    return [delete(_P).where(where, _P.public_id.startswith("count-"))]


def remove_all(_nothing: None) -> list[Any]:
    return [delete(_P).where(_P.public_id.startswith("count-"))]


orders = st.one_of(
    st.builds(new_row, places, statuses, flags, flags),
    st.builds(moved, _where, places),
    st.builds(turned, _where, statuses),
    st.builds(hidden, _where, flags),
    st.builds(struck, _where, flags),
    st.builds(struck_later, _where),
    st.builds(all_at_once, _where, places),
    st.builds(nothing_counted, _where),
    st.builds(removed, _where),
    st.builds(remove_all, st.none()),
)
transactions = st.lists(st.tuples(st.lists(orders, min_size=1, max_size=4), st.booleans()), min_size=1, max_size=5)


def carry_out(house: House, statements: list[Any], *, keep: bool) -> None:
    """Execute in one transaction, committed or rolled back; also rolled back if the database refuses a statement."""
    with house.app.app_context():
        try:
            with writing() as work:
                for statement in statements:
                    work.execute(statement, execution_options={"synchronize_session": False})
                if not keep:
                    raise _TakenBackError
        except (_TakenBackError, IntegrityError):
            pass


class _TakenBackError(Exception):
    pass


@settings(max_examples=25)
@given(transactions)
def _check_sequence(house: House, steps: list[tuple[list[list[Any]], bool]]) -> None:
    for several, keep in steps:
        carry_out(house, [statement for order in several for statement in order], keep=keep)
        check(house)


def test_any_sequence_of_statements_is_counted(counting: House) -> None:
    _check_sequence(counting)


def test_a_part_of_a_transaction_that_is_taken_back_is_not_counted(counting: House) -> None:
    with counting.app.app_context(), writing() as work:
        work.execute(hidden(some(5, 30), True)[0], execution_options={"synchronize_session": False})
        inner = work.begin_nested()
        work.execute(moved(_P.id > 0, "0301")[0], execution_options={"synchronize_session": False})
        inner.rollback()
    check(counting)
    assert len({kind[0] for kind in counted(counting)}) > 10


def test_a_statement_that_the_database_refuses_is_not_counted(counting: House) -> None:
    before = kept(counting)
    with counting.app.app_context(), pytest.raises(IntegrityError), writing() as work:
        work.execute(update(_P).values(status=9), execution_options={"synchronize_session": False})
    assert kept(counting) == before == counted(counting)


def test_rows_that_replace_others_are_counted(counting: House) -> None:
    """INSERT … ON CONFLICT DO UPDATE, as in a repair by hand."""
    row = counting.ask(select(_P.public_id).where(IS_OPEN, IS_PLAIN).limit(1))[0].public_id
    columns = ", ".join(column.key for column in _P.__table__.columns if column.key not in {"discharged", "id"})
    order = text(
        f"INSERT INTO participation ({columns}) SELECT {columns} FROM participation WHERE public_id = :row "
        "ON CONFLICT (public_id) DO UPDATE SET protected = true, municipality_number = '5001'"
    )
    counting.write(order.bindparams(row=row))
    assert counting.ask(select(_P.protected).where(_P.public_id == row))[0].protected
    check(counting)


# ---- Many at a time ----


def test_many_who_write_at_a_time_are_all_counted(counting: House) -> None:
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(partial(_write_often, counting), range(6)))
    assert sum(done) > 60
    check(counting)


def _write_often(house: House, worker: int) -> int:
    """Write as the program does, one participation after the other; returns how often."""
    random, done = Random(worker), 0
    for _turn in range(20):
        place, status = random.choice(PLACES), random.randint(1, 3)
        order = random.choice(
            [
                new_row(place, status, random.random() < 0.5, False),
                moved(some(random.randrange(300), 1), place),
                turned(some(random.randrange(300), 1), status),
                struck(some(random.randrange(300), 1), random.random() < 0.5),
                hidden(some(random.randrange(97), 30), random.random() < 0.5),
            ]
        )
        try:
            carry_out(house, order, keep=random.random() < 0.8)
            done += 1
        except OperationalError as error:  # a deadlock: the database aborts one of the two
            assert "deadlock" in str(error)
    return done


# ---- By the program ----


@pytest.fixture
def office(counting: House) -> Office:
    """Caseworkers with their clients."""
    return Office(counting.app, counting.client)


def shown(house: House, username: str = "berit.bergen") -> int:
    return count_of(overview(house, username))


def in_list(house: House) -> int:
    rows = house.ask(select(func.count()).select_from(_P).where(of_places("berit.bergen"), IS_OPEN, IS_PLAIN))
    return int(rows[0][0])


PAGES = {"bakgrunn": FULL_BACKGROUND, "programinnhold": FULL_PROGRAMME, "avslutning": FULL_TERMINATION}


def test_creating_saving_and_discharging_are_counted(counting: House, office: Office) -> None:
    before = shown(counting)
    one = office.create()
    check(counting)
    assert shown(counting) == before + 1 == in_list(counting)
    for word, answers in PAGES.items():
        office.save(one, word, answers)
        check(counting)
        assert shown(counting) == before + 1, word
    assert counting.ask(select(_P.status).where(_P.public_id == one))[0].status == Status.ENDED
    office.discharge(one)
    assert counting.ask(select(_P.status).where(_P.public_id == one))[0].status == Status.DISCHARGED
    check(counting)
    assert shown(counting) == before == in_list(counting)


def test_deleting_is_counted(counting: House, office: Office) -> None:
    one, client = office.create(), counting.client("berit.bergen")
    before = shown(counting), shown(counting, "ida.imdi")
    question = client.submit(client.get(f"/deltakere/{one}/slett"), button="Slett deltaker")
    client.submit(question, button="Ja, slett deltaker", fill=BY_MISTAKE, follow_redirects=True)
    check(counting)
    assert (shown(counting), shown(counting, "ida.imdi")) == (before[0] - 1, before[1])


@pytest.mark.parametrize("username", ["kari.oslo", "siri.vern", "anne.tokommuner", "ida.imdi"])
def test_the_count_of_each_status_is_that_of_its_rows(counting: House, username: str) -> None:
    browser = QuickClient.beside(counting, username)
    for query in ("status=endret", "status=utskrevet&status=opprettet", "status=avsluttet", ""):
        ids = browser.pages(query)  # also checks the count
        assert ids, query
        assert len(set(ids)) == len(ids), query
