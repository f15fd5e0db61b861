"""Lists of very many rows: limited before the work is done, and a page takes less than a second of the processor."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select
from werkzeug.test import TestResponse

from services.accounts.sessions import MOST_SHOWN
from services.core.code_lists import municipality_names
from services.core.db import db, now
from services.participation.corrections import PAGE
from services.tables.accounts import OutboxMessage, RoleGrant, User, UserSession, keys_of
from services.tables.participants import AccessEntry, Notice, Participation
from tests.support.access_log import rows_of
from tests.support.client import text_of, tree_of
from tests.support.cost import costs_held
from tests.support.house import IS_OPEN, IS_PLAIN, House, of_places
from tests.support.users import id_of, names_in

MANY = 20_000
KARI = "kari.oslo"
Values = dict[str, Any]


@pytest.fixture(scope="module")
def crowd(own_house: House) -> Iterator[House]:
    """Very many users, notices, sessions and lines of the log; with the cost of responses limited."""
    for username in (KARI, "admin.imdi", "admin.bergen"):
        own_house.client(username)
    known = {row.id for row in own_house.ask(select(User.id))}
    _write(own_house, User, _users())
    ids = [row.id for row in own_house.ask(select(User.id).order_by(User.id)) if row.id not in known]
    shown = own_house.ask(select(Participation).where(of_places(KARI), IS_OPEN, IS_PLAIN).limit(50))
    people = [row[0] for row in shown]
    _write(own_house, RoleGrant, _grants(ids))
    _write(own_house, OutboxMessage, _letters(ids))
    _write(own_house, Notice, _notices(people))
    _write(own_house, AccessEntry, _lines(ids, people))
    _write(own_house, UserSession, _visits(id_of(own_house, KARI)))
    with costs_held(own_house.app):
        yield own_house


def _write(house: House, model: Any, rows: list[Values]) -> None:
    with house.app.app_context():
        db.session.execute(insert(model), rows)
        db.session.commit()


def _users() -> list[Values]:
    """Users, a third of them invited and not active yet."""
    phone = "+47 55 55 55 55"
    told = [(f"Navn{n % 9} Åsen{n:05}", f"mange{n}" if n % 3 else None, f"mange{n}@example.org") for n in range(MANY)]
    return [
        {"name": name, "username": username, "email": email, "phone": phone, "created_at": now()}
        | {"activated_at": now() if username else None}
        | keys_of(name, username, email, phone)
        for name, username, email in told
    ]


def _grants(ids: list[int]) -> list[Values]:
    numbers = list(municipality_names())
    places = [("4601", numbers[n % len(numbers)]) for n in range(MANY)]
    return [
        {"user_id": user, "role": role, "municipality_number": place, "sees_protected": False}
        for user, both in zip(ids, places, strict=True)
        for role, place in zip(("caseworker", "municipal_admin"), both, strict=True)
    ]


def _letters(ids: list[int]) -> list[Values]:
    """Letters to the invited users, none of them delivered."""
    common = {"subject": "Invitasjon", "body": "x" * 2_000, "created_at": now(), "expires_at": now()}
    common |= {"next_try_at": None, "failed_at": now(), "last_error": "refused", "attempts": 9}
    return [
        common | {"message_id": f"m{n}", "user_id": user, "recipient": f"mange{n}@example.org"}
        for n, user in enumerate(ids)
        if n % 3 == 0
    ]


def _notices(people: list[Participation]) -> list[Values]:
    common = {"kind": "restored", "username": "admin.imdi"}
    return [
        common
        | {"participation_ref": one.id, "municipality_number": one.municipality_number, "reason": f"Grunn {n:05}."}
        | {"at": now() + timedelta(seconds=n), "read_at": now() if n % 2 else None, "read_by": KARI if n % 2 else None}
        for n, one in ((n, people[n % len(people)]) for n in range(MANY))
    ]


def _lines(ids: list[int], people: list[Participation]) -> list[Values]:
    shown = [one.id for one in people] * 2
    return [
        {"at": now() - timedelta(minutes=n), "user_id": ids[n % MANY], "action": "view", "detail": {"shown": shown}}
        | {"participation_ref": people[n % len(people)].id}
        for n in range(MANY)
    ]


def _visits(user_id: int) -> list[Values]:
    return [
        {"key_hash": f"{n:064}", "user_id": user_id, "data": {}, "created_at": now(), "seen_at": now()}
        for n in range(MANY)
    ]


def links_in(page: TestResponse) -> dict[str, str]:
    tree = tree_of(page)
    return {tree.accessible_name(one): one.attrib["href"] for one in tree.elements("a") if "href" in one.attrib}


@pytest.mark.parametrize("column", ["navn", "epost", "telefon", "kommuner", "rolle", "tilstand", "innlogget"])
def test_users_in_each_order(crowd: House, column: str) -> None:
    for username in ("admin.imdi", "admin.bergen"):
        for query in (f"?sorter={column}", f"?sorter={column}&retning=synkende&side=390"):
            page = crowd.client(username).get(f"/brukere{query}")
            assert len(names_in(page)) in range(1, 51)
            assert re.search(r"\b200[0-9]{2} brukere", text_of(page))


def test_users_are_found_among_many(crowd: House) -> None:
    client = crowd.client("admin.imdi")
    for words, number in (("åsen00001", 1), ("kunne ikke leveres", 50), ("+4755555555", 50), ("finnes ikke", 0)):
        found = client.submit(client.get("/brukere"), button="Søk", fill={"Søk etter bruker": words}, partial=True)
        assert len(names_in(found)) == number


def test_notices_come_page_by_page(crowd: House) -> None:
    """The unread ones first; a page beyond the last one is the last one, and an invalid page is refused."""
    client = crowd.client(KARI)
    first = client.get("/deltakere/meldinger")
    assert text_of(first).count("Grunn ") == PAGE
    assert "Grunn 19998." in text_of(first)
    assert "Grunn 19999." not in text_of(first), "it has been read"
    assert "Side 1 av 200" in text_of(first)
    second = client.follow(first, "Neste")
    assert text_of(second).count("Grunn ") == PAGE
    assert links_in(second)["Forrige"] == "/deltakere/meldinger?side=1"
    last = client.get("/deltakere/meldinger?side=99999")
    assert "Side 200 av 200" in text_of(last)
    assert "Neste" not in links_in(last)
    for wrong in ("0", "-1", "x", "٣", "100000"):
        assert client.get("/deltakere/meldinger", query_string={"side": wrong}).status_code == 400
    shown = [row for row in crowd.ask(select(AccessEntry.detail).order_by(AccessEntry.id)) if row.detail]
    assert shown[-1].detail["what"] == "notices"
    assert len(shown[-1].detail["shown"]) <= PAGE


def test_many_notices_of_one_participant(crowd: House) -> None:
    (row,) = crowd.ask(select(Participation.public_id, Notice.id).join(Notice).where(Notice.reason == "Grunn 00000."))
    page = crowd.client(KARI).get(f"/deltakere/{row.public_id}/data")
    assert text_of(page).count("Grunn ") == PAGE


def test_many_visits_of_one_user(crowd: House) -> None:
    page = crowd.client(KARI).get("/innlogginger")
    assert text_of(page).count("Begynte ") == MOST_SHOWN
    assert f"Her står de {MOST_SHOWN} som var sist i bruk." in text_of(page)
    answer = crowd.client(KARI).submit(page, button="Avslutt alle andre", follow_redirects=True)
    assert text_of(answer).count("Begynte ") == 1


@pytest.mark.parametrize(
    "query", ["", "handling=view", "handling=restore_backup", "fra=2026-01-01&til=2026-02-01", "fra=1950-01-01"]
)
def test_the_log_by_each_filter(crowd: House, query: str) -> None:
    client = crowd.client("admin.imdi")
    page = client.get(f"/tilgangslogg?{query}")
    assert len(rows_of(page)) <= 100
    if older := links_in(page).get("Eldre"):
        assert len(rows_of(client.get(older))) <= 100


@pytest.mark.parametrize("whom", ["mange7", "kari.oslo", "participant"])
def test_the_log_of_one(crowd: House, whom: str) -> None:
    if whom == "participant":
        whom = crowd.ask(select(Participation.person_id).join(Notice).where(Notice.reason == "Grunn 00000."))[0][0]
    client = crowd.client("admin.imdi")
    found = client.submit(client.get("/tilgangslogg"), button="Vis", fill={"hvem": whom}, partial=True)
    assert rows_of(found)
