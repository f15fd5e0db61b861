"""The mark of a protected address: on screen for users with the right, and in no file or title."""

import io

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, update

from services.core.db import now
from services.tables.accounts import RoleGrant, User
from services.tables.participants import Participation, Person
from tests.support.client import text_of, tree_of
from tests.support.house import House
from tests.support.overview_asking import asked
from tests.support.overview_screen import overview
from tests.support.registering import FULL_BACKGROUND, FULL_PROGRAMME, FULL_TERMINATION, Office

KARI, SIRI, IDA = "kari.oslo", "siri.vern", "ida.imdi"
GRADES = {"fortrolig": "fortrolig", "strengtFortrolig": "strengt fortrolig", None: "ukjent grad"}
FILES = [f"{name}.{kind}" for name in ("oversikt", "fullt-datasett", "tiltak") for kind in ("csv", "xlsx")]


def protect(house: House, public_id: str, grade: str | None) -> None:
    """Set the grade, as read from Folkeregisteret, or unknown."""
    person = select(Participation.person_ref).where(Participation.public_id == public_id).scalar_subquery()
    house.write(
        update(Person).where(Person.id == person).values(protection=grade, freg_fetched_at=now()),
        update(Participation).where(Participation.public_id == public_id).values(protected=True),
    )


def given(office: Office) -> str:
    """A participant with all pages answered."""
    pages = {"bakgrunn": FULL_BACKGROUND, "programinnhold": FULL_PROGRAMME, "avslutning": FULL_TERMINATION}
    return office.given(office.someone(), KARI, district="030103", **pages)


@pytest.mark.parametrize("grade", list(GRADES))
def test_the_mark_stands_wherever_the_participant_is_shown(office: Office, own_house: House, grade: str | None) -> None:
    public_id, mark = given(office), f"Adressebeskyttelse: {GRADES[grade]}"
    pages = ("person", "bakgrunn", "programinnhold", "avslutning", "data", "historikk", "slett", "slett/bekreft")
    pages += ("avslutning/utskriv",)
    for page in pages:
        assert mark not in text_of(office.page(public_id, page, KARI)), "not for others who are not protected"
    protect(own_house, public_id, grade)
    for page in pages:
        answer = office.page(public_id, page, SIRI)
        assert text_of(answer).count(mark) == 1, page
        tree = tree_of(answer)
        assert mark not in tree.text(next(tree.elements("title")))
        assert mark not in tree.text(next(tree.elements("h1")))
        assert office.page(public_id, page, KARI).status_code == 404
    office.discharge(public_id, SIRI)
    for page in ("data", "historikk", "kvittering"):
        assert mark in text_of(office.page(public_id, page, SIRI))


def test_the_mark_stands_in_the_list_in_every_order(office: Office, own_house: House) -> None:
    public_id = given(office)
    protect(own_house, public_id, "strengtFortrolig")
    with own_house.app.app_context():
        number = office.participation(public_id).national_id
    for query in ("", "?sorter=navn&retning=synkende", "?sorter=kommune", "?status=avsluttet&sorter=oppstart"):
        screen = overview(own_house, SIRI, query)
        named = {
            row["Fødselsnummer"].replace(" ", ""): row["Navn, remark"] for page in screen.pages() for row in page.rows
        }
        assert "Adressebeskyttelse: strengt fortrolig" in named.pop(number)
        protected = select(Participation.national_id).where(Participation.protected)
        known = {row.national_id for row in own_house.ask(protected)}
        assert all(("Adressebeskyttelse" in name) == (one in known) for one, name in named.items())
        others = [row["Navn, remark"] for page in overview(own_house, KARI, query).pages() for row in page.rows]
        assert others
        assert not any("Adressebeskyttelse" in name for name in others)


def test_imdi_users_with_the_right_see_it_too(office: Office, own_house: House) -> None:
    public_id = given(office)
    protect(own_house, public_id, "fortrolig")
    number = office.participation(public_id).national_id
    ida = update(RoleGrant).where(RoleGrant.user_id == select(User.id).where(User.username == IDA).scalar_subquery())
    assert office.page(public_id, "data", IDA).status_code == 404
    own_house.write(ida.values(sees_protected=True))
    try:
        assert "Adressebeskyttelse: fortrolig" in text_of(office.page(public_id, "data", IDA))
        (row,) = asked(own_house, IDA, {"q": number}).rows
        assert "Adressebeskyttelse: fortrolig" in row["Navn, remark"]
    finally:
        own_house.write(ida.values(sees_protected=False))


@pytest.mark.parametrize("file", FILES)
def test_no_file_holds_the_mark(office: Office, own_house: House, file: str) -> None:
    public_id = given(office)
    protect(own_house, public_id, "strengtFortrolig")
    number = office.participation(public_id).national_id
    answer = office.client_of(SIRI).get(f"/deltakere/{file}")
    if file.endswith("csv"):
        said = answer.text
    else:
        rows = load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True)
        said = " ".join(str(cell) for row in rows for cell in row)
    assert number in said or file.startswith("tiltak")
    assert "fortrolig" not in said.lower()
    assert "adressebeskyttelse" not in said.lower()


def test_whom_one_is_about_to_register(office: Office) -> None:
    person = office.someone("protected")
    page = office.begin(person, SIRI)
    assert "Adressebeskyttelse: " in text_of(page)
    assert "Adressebeskyttelse: " in text_of(office.client_of(SIRI).get("/deltakere/pabegynte"))
    assert "Adressebeskyttelse" not in text_of(office.begin(person, KARI))
    assert "Adressebeskyttelse" not in text_of(office.client_of(KARI).get("/deltakere/pabegynte"))
