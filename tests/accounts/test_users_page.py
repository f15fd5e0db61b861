"""The users page: who sees whom, search and order, changes, blocking, and refusals."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import delete, insert, select, update

from services.core.code_lists import municipality_names
from services.core.db import now
from services.demo import PASSWORD, USERS
from services.tables.accounts import RoleGrant, User, UserSession
from services.tables.participants import AccessEntry
from tests.support.client import form_in, text_of
from tests.support.house import House
from tests.support.letters import letters_to
from tests.support.users import act, id_of, names_in, page_of


def grants_of(house: House, username: str) -> set[tuple[str, str | None]]:
    found = select(RoleGrant.role, RoleGrant.municipality_number).join(User).where(User.username == username)
    return {(row[0], row[1]) for row in house.ask(found)}


def log_about(house: House, user_id: int) -> list[Any]:
    entries = select(AccessEntry.action, AccessEntry.detail).order_by(AccessEntry.id)
    return [row for row in house.ask(entries) if row.detail and row.detail.get("user") == user_id]


# ---- The list ----


def test_the_list_tells_all(own_house: House) -> None:
    own_house.client("berit.bergen")
    answer = own_house.client("admin.bergen").get("/brukere")
    words = text_of(answer)
    columns = ("Navn", "Brukernavn", "E-post", "Jobbtelefon", "Kommuner", "Rolle", "Status", "Sist innlogget")
    assert all(word in words for word in columns)
    assert "Anne Kleppestø anne.tokommuner anne.tokommuner@example.org +47 00 00 00 03" in words
    assert "Askøy, Bergen Kommunebruker Aktiv" in words
    assert names_in(answer) == ["anne.tokommuner", "admin.bergen", "berit.bergen"]
    everybody = names_in(own_house.client("admin.imdi").get("/brukere"))
    assert sorted(everybody) == sorted(user.username for user in USERS)


def test_it_is_sorted_by_each_column_both_ways(own_house: House) -> None:
    client = own_house.client("admin.imdi")
    page = client.get("/brukere")
    for label in ("Brukernavn", "E-post", "Jobbtelefon", "Kommuner", "Rolle", "Status", "Sist innlogget"):
        rising = client.follow(page, label)
        falling = client.follow(rising, label)
        assert 'aria-sort="ascending"' in rising.text
        assert 'aria-sort="descending"' in falling.text
        assert sorted(names_in(rising)) == sorted(names_in(falling))
    assert names_in(client.get("/brukere?sorter=brukernavn")) == sorted(user.username for user in USERS)
    falling_names = names_in(client.get("/brukere?sorter=brukernavn&retning=synkende"))
    assert falling_names == sorted((user.username for user in USERS), reverse=True)
    fragment = client.get_partial("/brukere?sorter=epost")
    assert fragment.headers["HX-Push-Url"] == "/brukere?sorter=epost"
    assert "sortert etter e-post, stigende" in fragment.text
    for bad in ("sorter=passord", "retning=opp", "side=0", "side=x"):
        assert client.get(f"/brukere?{bad}").status_code == 400


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("KARI", ["kari.oslo"]),
        ("fløysand bergen", ["berit.bergen"]),
        ("anne.tokommuner@example.org", ["anne.tokommuner"]),
        ("askøy", ["anne.tokommuner"]),
        ("kommuneadministrator", ["admin.bergen"]),
        ("+4700000001", ["kari.oslo"]),
        ("finnes ikke", []),
    ],
)
def test_a_search_finds_and_stands_in_no_address(own_house: House, words: str, found: list[str]) -> None:
    client = own_house.client("admin.imdi")
    page = client.get("/brukere?sorter=brukernavn")
    sent = client.submit(page, button="Søk", fill={"Søk etter bruker": words})
    address = sent.headers["Location"]
    assert sent.status_code == 303
    assert address.startswith("/brukere?sok=")
    assert "sorter=brukernavn" in address
    assert not any(word.lower() in address.lower() for word in words.split() if len(word) > 3)
    assert names_in(client.get(address)) == found
    fragment = client.submit(page, button="Søk", fill={"Søk etter bruker": words}, partial=True)
    assert names_in(fragment) == found
    assert urlsplit(fragment.headers["HX-Push-Url"]).path == "/brukere"
    other = own_house.client("admin.bergen").get(address)
    assert form_in(other, form="brukersok").value("Søk etter bruker") == "", "another one's search is not hers"


# ---- Changes ----


def test_a_change_is_stored_and_logged(own_house: House) -> None:
    page = page_of(own_house, "admin.bergen", "berit.bergen")
    fill = {"Navn": "Berit  Ny", "E-post": "Berit.Ny@example.org", "Jobbtelefon": "55 55 55 55"}
    client = own_house.client("admin.bergen")
    answer = client.submit(page, button="Lagre endringene", fill=fill, follow_redirects=True)
    assert "Endringene er lagret" in text_of(answer)
    (row,) = own_house.ask(select(User.name, User.email, User.phone).where(User.username == "berit.bergen"))
    assert tuple(row) == ("Berit Ny", "berit.ny@example.org", "55 55 55 55")
    assert "endret" in letters_to(own_house.app, "berit.bergen@example.org")[-1].subject, "the old address hears of it"
    last = log_about(own_house, id_of(own_house, "berit.bergen"))[-1]
    assert (last.action, last.detail["what"]) == ("change_user", ["name", "email", "phone"])
    undo = {"Navn": "Berit Fløysand", "E-post": "berit.bergen@example.org", "Jobbtelefon": "+47 00 00 00 02"}
    client.submit(answer, button="Lagre endringene", fill=undo)


def test_two_administrators_at_once(own_house: House) -> None:
    first, second = own_house.client("admin.bergen"), own_house.client("admin.imdi")
    shown = page_of(own_house, "admin.bergen", "berit.bergen")
    mine = form_in(page_of(own_house, "admin.imdi", "berit.bergen"), button="Lagre endringene")
    second.submit(mine, button="Lagre endringene", fill={"Jobbtelefon": "11 11 11 11"})
    for partial in (False, True):
        answer = first.submit(shown, button="Lagre endringene", fill={"Jobbtelefon": "22 22 22 22"}, partial=partial)
        assert answer.status_code == 409
        assert "11 11 11 11" in text_of(answer)
        assert form_in(answer, button="Lagre endringene").value("Jobbtelefon") == "22 22 22 22"
    again = first.submit(answer, button="Lagre endringene", follow_redirects=True)
    assert again.status_code == 200
    assert "22 22 22 22" in text_of(again)


def test_roles_by_imdi(own_house: House) -> None:
    client = own_house.client("admin.imdi")
    answer = client.submit(
        page_of(own_house, "admin.imdi", "anne.tokommuner"),
        button="Lagre endringene",
        fill={
            "Kommunebruker i": "Askøy",
            "Kommuneadministrator i": "Bergen",
            "Kan se deltakere med adressebeskyttelse i": "Askøy",
        },
        follow_redirects=True,
    )
    assert answer.status_code == 200
    assert grants_of(own_house, "anne.tokommuner") == {("caseworker", "4627"), ("municipal_admin", "4601")}
    last = log_about(own_house, id_of(own_house, "anne.tokommuner"))[-1]
    assert set(last.detail["what"]) == {"+municipal_admin 4601", "-caseworker 4601", "+sees_protected 4627"}
    client.submit(
        answer,
        button="Lagre endringene",
        fill={
            "Kommunebruker i": "Bergen, 4627",
            "Kommuneadministrator i": "",
            "Kan se deltakere med adressebeskyttelse i": "",
        },
    )
    assert grants_of(own_house, "anne.tokommuner") == {("caseworker", "4627"), ("caseworker", "4601")}


def test_municipalities_as_a_column_and_twice(own_house: House) -> None:
    """As in a spreadsheet, also with all of the country: nothing is cut, and duplicates are granted once."""
    client = own_house.client("admin.imdi")
    before = grants_of(own_house, "anne.tokommuner")
    page = page_of(own_house, "admin.imdi", "anne.tokommuner")
    for column in (
        "Bergen\r\nAskøy (4627)\r\nbergen",
        "4601\tBergen\r\n4627\tAskøy",
        "Bergen;Askøy kommune;Bergen;4627",
    ):
        page = client.submit(page, button="Lagre endringene", fill={"Kommunebruker i": column}, follow_redirects=True)
        assert grants_of(own_house, "anne.tokommuner") == {("caseworker", "4601"), ("caseworker", "4627")}
    everywhere = "\r\n".join(municipality_names().values())
    page = client.submit(page, button="Lagre endringene", fill={"Kommunebruker i": everywhere}, follow_redirects=True)
    assert {number for _role, number in grants_of(own_house, "anne.tokommuner")} == set(municipality_names())
    too_many = client.submit(
        page, button="Lagre endringene", fill={"Kommunebruker i": "\r\n".join(map(str, range(401)))}
    )
    assert too_many.status_code == 422
    assert "Skriv maks 400 kommuner om gangen. Du skrev 401." in text_of(too_many)
    client.submit(page, button="Lagre endringene", fill={"Kommunebruker i": "Bergen, Askøy"})
    assert grants_of(own_house, "anne.tokommuner") == before


def test_a_box_that_is_sent_twice_stays_chosen(own_house: House) -> None:
    client, page = own_house.client("admin.bergen"), page_of(own_house, "admin.bergen", "berit.bergen")
    answer = client.submit(page, button="Lagre endringene", extra={"places": ["4601", "4601"]}, follow_redirects=True)
    assert form_in(answer, button="Lagre endringene").value("Kommunebruker i") == ["Bergen"]
    assert grants_of(own_house, "berit.bergen") == {("caseworker", "4601")}


def test_of_a_user_of_two_municipalities_only_the_own_one_is_changed(own_house: House) -> None:
    client = own_house.client("admin.bergen")
    page = page_of(own_house, "admin.bergen", "anne.tokommuner")
    form = form_in(page, button="Lagre endringene")
    assert not form.has("E-post")
    assert "Sperr bruker" not in text_of(page)
    gone = client.submit(page, button="Lagre endringene", fill={"Kommunebruker i": []})
    assert (gone.status_code, gone.headers["Location"]) == (303, "/brukere"), "she is not hers to see any more"
    assert grants_of(own_house, "anne.tokommuner") == {("caseworker", "4627")}
    anne = {"user_id": id_of(own_house, "anne.tokommuner"), "role": "caseworker", "municipality_number": "4601"}
    own_house.write(insert(RoleGrant).values(**anne))


def test_the_last_role_is_not_taken_but_she_can_be_blocked(own_house: House) -> None:
    client = own_house.client("admin.bergen")
    page = page_of(own_house, "admin.bergen", "berit.bergen")
    answer = client.submit(page, button="Lagre endringene", fill={"Kommunebruker i": []})
    assert answer.status_code == 422
    assert "sperr brukeren" in text_of(answer)
    assert grants_of(own_house, "berit.bergen") == {("caseworker", "4601")}


MORE = (
    {"imdi_role": "imdi_admin"},
    {"admin_in": "Bergen"},
    {"caseworker_in": "Oslo"},
    {"sees_protected": "1"},
    {"protected_in": "Bergen"},
    {"username": "admin.imdi"},
    {"password_hash": "x"},
    {"places": ["4601", "0301"]},
)


@pytest.mark.parametrize("more", MORE, ids=str)
def test_fields_that_are_not_hers_are_refused(own_house: House, more: dict[str, Any]) -> None:
    before = own_house.ask(select(User.__table__).where(User.username == "berit.bergen"))
    page = page_of(own_house, "admin.bergen", "berit.bergen")
    answer = own_house.client("admin.bergen").submit(page, button="Lagre endringene", extra=more)
    assert answer.status_code == 403
    assert own_house.ask(select(User.__table__).where(User.username == "berit.bergen")) == before
    assert grants_of(own_house, "berit.bergen") == {("caseworker", "4601")}


def test_a_user_elsewhere_too_cannot_be_renamed_by_a_form_made_by_hand(own_house: House) -> None:
    page = page_of(own_house, "admin.bergen", "anne.tokommuner")
    more = {"name": "X Y", "email": "x@example.org", "phone": "55 55 55 55"}
    answer = own_house.client("admin.bergen").submit(page, button="Lagre endringene", extra=more)
    assert answer.status_code == 403


# ---- Blocking, visits ----


def test_blocked_at_once_and_let_in_again(own_house: House) -> None:
    berit = own_house.nobody()
    berit.login("berit.bergen")
    client = own_house.client("admin.bergen")
    page = act(client, page_of(own_house, "admin.bergen", "berit.bergen"), "Sperr bruker")
    assert "Sperret" in text_of(page)
    assert berit.get("/deltakere").status_code == 303
    refused = berit.submit(berit.get("/logg-inn"), fill={"Brukernavn": "berit.bergen", "Passord": PASSWORD})
    assert refused.status_code == 422
    assert "Aktiv" in text_of(act(client, page, "Opphev sperring"))
    berit.login("berit.bergen")
    actions = [row.action for row in log_about(own_house, id_of(own_house, "berit.bergen"))]
    assert actions[-2:] == ["block", "unblock"]


def test_visits_are_ended(own_house: House) -> None:
    berit = own_house.nobody()
    berit.login("berit.bergen")
    act(own_house.client("admin.bergen"), page_of(own_house, "admin.bergen", "berit.bergen"), "Logg ut overalt")
    assert berit.get("/deltakere").status_code == 303
    visits = select(UserSession.key_hash).where(UserSession.user_id == id_of(own_house, "berit.bergen"))
    assert not own_house.ask(visits)


@pytest.mark.parametrize("button", ["sperr", "logg-ut", "kode"])
@pytest.mark.parametrize("admin", ["admin.bergen", "admin.imdi"])
def test_nobody_does_it_to_herself(own_house: House, admin: str, button: str) -> None:
    page = page_of(own_house, admin, admin)
    assert "Sperr bruker" not in text_of(page)
    token = str(form_in(page, button="Lagre endringene").value("csrf_token"))
    client = own_house.client(admin)
    answer = client.post(f"{page.request.path}/handling", data={"csrf_token": token, "go": button})
    assert answer.status_code == 403
    assert client.get("/brukere").status_code == 200


def test_nobody_changes_her_own_roles(own_house: House) -> None:
    for admin, more in (
        ("admin.bergen", {"places": ["4601"]}),
        ("admin.imdi", {"imdi_role": "", "caseworker_in": "Oslo"}),
    ):
        before = grants_of(own_house, admin)
        page = page_of(own_house, admin, admin)
        answer = own_house.client(admin).submit(page, button="Lagre endringene", extra=more)
        assert answer.status_code == 403
        assert grants_of(own_house, admin) == before


@pytest.mark.parametrize("button", ["sperr", "opphev", "logg-ut", "kode"])
def test_who_belongs_elsewhere_too_or_sees_protected_is_not_hers_to_act_on(own_house: House, button: str) -> None:
    page = page_of(own_house, "admin.bergen", "anne.tokommuner")
    token = str(form_in(page, button="Lagre endringene").value("csrf_token"))
    client = own_house.client("admin.bergen")
    assert client.post(f"{page.request.path}/handling", data={"csrf_token": token, "go": button}).status_code == 403
    right = update(RoleGrant).where(RoleGrant.user_id == id_of(own_house, "berit.bergen"))
    own_house.write(right.values(sees_protected=True))
    address = f"/brukere/{id_of(own_house, 'berit.bergen')}"
    assert client.post(f"{address}/handling", data={"csrf_token": token, "go": button}).status_code == 403
    assert not form_in(client.get(address), button="Lagre endringene").has("E-post")
    own_house.write(right.values(sees_protected=False))


def test_somebody_elses_user_answers_as_one_that_was_never_there(own_house: House) -> None:
    client = own_house.client("admin.bergen")
    heard = set()
    for address in (f"/brukere/{id_of(own_house, 'kari.oslo')}", "/brukere/999999"):
        answer = client.get(address)
        heard.add((answer.status_code, re.sub(r'name="csrf_token" value="[^"]+"', "", answer.text)))
    assert len(heard) == 1
    refused = log_about(own_house, id_of(own_house, "kari.oslo"))[-1]
    assert refused.action == "refused"
    assert client.get("/brukere/99999999999999").status_code == 404


# ---- Who is my kommuneadministrator? ----


def test_everybody_is_told_who_administers_her_municipality(own_house: House) -> None:
    berit = own_house.nobody()
    help_page = berit.follow(berit.login("berit.bergen"), "Hvem er min kommuneadministrator?")
    assert "Bergen: Arne Nygård, admin.bergen@example.org" in text_of(help_page)
    oslo = text_of(own_house.client("kari.oslo").get("/hjelp"))
    assert "Oslo: ingen er registrert" in oslo
    assert "Arne Nygård" not in oslo
    nobody = text_of(own_house.nobody().get("/hjelp"))
    assert "Arne" not in nobody
    assert "ta kontakt med IMDi" in nobody
    words = text_of(own_house.nobody().get("/logg-inn"))
    assert all(word in words for word in ("Kommuneadministratoren", "søppelpost (spam)", "ta kontakt med IMDi"))


def test_without_a_role_she_comes_to_the_help(own_house: House) -> None:
    berit = id_of(own_house, "berit.bergen")
    own_house.write(delete(RoleGrant).where(RoleGrant.user_id == berit))
    client = own_house.nobody()
    assert client.login("berit.bergen").request.path == "/hjelp"
    assert client.get("/deltakere").status_code == 403
    own_house.write(insert(RoleGrant).values(user_id=berit, role="caseworker", municipality_number="4601"))


def test_an_invited_one_has_no_user_name_and_cannot_sign_in(own_house: House) -> None:
    own_house.write(
        insert(User).values(name="Uten Navn", email="uten@example.org", phone="55555", created_at=now(), version=1)
    )
    client = own_house.nobody()
    for name in ("", "null", "uten@example.org"):
        answer = client.submit(client.get("/logg-inn"), fill={"Brukernavn": name, "Passord": PASSWORD})
        assert answer.status_code == 422
