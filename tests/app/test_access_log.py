"""The access log as IMDi reads it: on a page, searched, and as a file."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, update
from werkzeug.test import TestResponse

from app.oversight.words import ACTIONS
from services.access_log import PAGE
from services.account_models import User
from services.audit import Action
from services.db import now
from services.models import AccessEntry, Participation
from services.registration import today
from tests.app.conftest import IS_OPEN, IS_PLAIN, House, of_places
from tests.app.test_users_page import id_of
from tests.support.client import CheckedClient, text_of, tree_of


def rows_of(page: TestResponse) -> list[list[str]]:
    """The table as a person reads it."""
    tree = tree_of(page)
    return [[tree.text(cell) for cell in row.iter() if cell.tag == "td"] for row in tree.elements("tr")][1:]


def search(client: CheckedClient, *, partial: bool = False, **fill: str) -> TestResponse:
    """Fill in the form over the log and send it."""
    names = {"whom": "hvem", "action": "handling", "first": "fra", "last": "til"}
    page = client.get("/tilgangslogg")
    changes = {names[key]: value for key, value in fill.items()}
    return client.submit(page, button="Vis", fill=changes, partial=partial, follow_redirects=not partial)


def person_id_of(house: House, public_id: str) -> str:
    return str(house.ask(select(Participation.person_id).where(Participation.public_id == public_id))[0].person_id)


def test_who_opened_whom(own_house: House) -> None:
    """Searched by user name and by PersonId; the names of participants are in no line."""
    public_id = own_house.participants(of_places("berit.bergen"), IS_OPEN, IS_PLAIN)[0]
    own_house.client("berit.bergen").get(f"/deltakere/{public_id}/bakgrunn")
    number = person_id_of(own_house, public_id)
    admin = own_house.client("admin.imdi")
    by_user = search(admin, whom="Berit.Bergen", action="open")
    assert by_user.request.path == "/tilgangslogg"
    assert "berit" not in by_user.request.query_string.decode().lower()
    first = rows_of(by_user)[0]
    assert first[1:5] == ["berit.bergen", "Åpnet deltaker", number, "Bergen"]
    about = search(admin, whom=number)
    assert number not in about.request.query_string.decode()
    assert {row[3] for row in rows_of(about)} == {number}
    assert "berit.bergen" in {row[1] for row in rows_of(about)}
    name = own_house.ask(select(Participation.name).where(Participation.public_id == public_id))[0].name
    assert name not in about.text


def test_reading_it_is_logged_too(own_house: House) -> None:
    admin = own_house.client("admin.imdi")
    admin.get("/tilgangslogg")
    assert rows_of(admin.get("/tilgangslogg?handling=read_log"))[0][1:3] == ["admin.imdi", "Leste tilgangsloggen"]


def test_a_fragment_pushes_its_address(own_house: House) -> None:
    answer = search(own_house.client("admin.imdi"), partial=True, action="sign_in")
    assert answer.headers["HX-Push-Url"] == "/tilgangslogg?handling=sign_in"
    assert "<!doctype" not in answer.text
    table = answer.text[answer.text.index("<table") : answer.text.index("</table>")]
    assert table in own_house.client("admin.imdi").get("/tilgangslogg?handling=sign_in").text
    assert {row[2] for row in rows_of(own_house.client("admin.imdi").get("/tilgangslogg?handling=sign_in"))} == {
        "Logget inn"
    }


def test_days(own_house: House) -> None:
    admin = own_house.client("admin.imdi")
    day = f"{today():%d.%m.%Y}"
    yesterday = f"{today() - timedelta(days=1):%d.%m.%Y}"
    assert rows_of(search(admin, first=day, last=day))
    assert "Ingen linjer passer" in text_of(search(admin, last=yesterday))
    wrong = search(admin, first="32.01.2026")
    assert wrong.status_code == 422
    assert "Skriv en dato som finnes" in text_of(wrong)


def test_pages(own_house: House) -> None:
    """Older and newest, each line once."""
    line = {"user_id": id_of(own_house, "siri.vern"), "action": "search", "detail": {"search": "x", "name": 1}}
    own_house.write(insert(AccessEntry).values([{**line, "at": now()} for _one in range(PAGE + 5)]))
    admin = own_house.client("admin.imdi")
    page = search(admin, whom="siri.vern", action="search")
    assert len(rows_of(page)) == PAGE
    older = admin.follow(page, "Eldre")
    mine = AccessEntry.user_id == id_of(own_house, "siri.vern")
    number = own_house.ask(select(func.count()).where(mine, AccessEntry.action == "search"))[0][0]
    assert len(rows_of(older)) == number - PAGE
    newest = admin.follow(older, "Nyeste")
    assert rows_of(newest) == rows_of(page)


def test_the_file_holds_what_the_screen_shows(own_house: House) -> None:
    own_house.client("berit.bergen").get("/deltakere")
    admin = own_house.client("admin.imdi")
    page = search(admin, whom="berit.bergen")
    answer = admin.follow(page, "Last ned som CSV")
    assert answer.mimetype == "text/csv"
    text = answer.get_data().decode("utf-8-sig")
    table = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert table[0] == ["Når", "Hvem", "Hva", "PersonId", "Kommune", "Mer"]
    plain = [[cell.lstrip("\t") for cell in row] for row in table[1:]]
    assert plain[: len(rows_of(page))] == rows_of(page)
    assert rows_of(admin.get("/tilgangslogg?handling=download"))[0][5].startswith("hva: access_log")


def test_the_file_is_longer_than_a_page(own_house: House) -> None:
    line = {"user_id": id_of(own_house, "kari.oslo"), "action": "open", "detail": None}
    own_house.write(insert(AccessEntry).values([{**line, "at": now()} for _one in range(1_500)]))
    answer = own_house.client("admin.imdi").get("/tilgangslogg.csv?handling=open")
    number = own_house.ask(select(func.count()).where(AccessEntry.action == "open", _plain()))[0][0]
    assert len(answer.get_data().splitlines()) == number + 1


def _plain() -> object:
    hidden = select(Participation.id).where(Participation.protected)
    return AccessEntry.participation_ref.is_(None) | AccessEntry.participation_ref.not_in(hidden)


def test_protected_participants_are_not_there(own_house: House) -> None:
    """For those who do not see them; for those who do they are."""
    public_id = own_house.participants(of_places("siri.vern"), IS_OPEN, ~IS_PLAIN)[0]
    own_house.client("siri.vern").get(f"/deltakere/{public_id}/bakgrunn")
    number = person_id_of(own_house, public_id)
    admin = own_house.nobody()
    admin.login("admin.imdi")
    assert "Ingen linjer passer" in text_of(search(admin, whom=number))
    assert number not in admin.get("/tilgangslogg?handling=open").text
    assert number not in admin.get("/tilgangslogg.csv?handling=open").text
    grant = update(User).where(User.username == "admin.imdi")
    own_house.write(grant.values(sees_protected=True))
    try:
        assert {row[3] for row in rows_of(search(admin, whom=number))} == {number}
    finally:
        own_house.write(grant.values(sees_protected=False))


def test_words_for_everything(own_house: House) -> None:
    """Every action has its words, and what a line says more is said in words, too."""
    assert set(ACTIONS) == set(Action)
    lines = [
        ("change", {"fields": ["mother_tongue", "recruitment"]}, "felt: Morsmål, Rekrutteringskanal"),
        ("delete", {"reason": "duplicate"}, "grunn: "),
        ("block", {"user": id_of(own_house, "kari.oslo")}, "bruker: kari.oslo"),
        ("gone_action", {"user": 999_999, "unknown": {"a": [1, 2]}}, "bruker: 999999; unknown: a 1, 2"),
    ]
    own_house.write(
        *(
            insert(AccessEntry).values(at=now(), user_id=None, action=action, detail=detail)
            for action, detail, _ in lines
        )
    )
    shown = {row[2]: row[5] for row in rows_of(own_house.client("admin.imdi").get("/tilgangslogg"))[: len(lines) + 1]}
    said = ("Endret deltaker", "Slettet deltaker", "Sperret bruker", "gone_action")
    for (_action, _detail, words), one in zip(lines, said, strict=True):
        assert shown[one].startswith(words)


@pytest.mark.parametrize(
    "query",
    [
        "handling=ukjent",
        "eldre=x",
        "eldre=-1",
        "eldre=99999999999999999999",
        "fra=2026-13-01",
        "til=i%20dag",
        "fra=%00",
    ],
)
def test_an_address_that_means_nothing(own_house: House, query: str) -> None:
    assert own_house.client("admin.imdi").get(f"/tilgangslogg?{query}").status_code == 400
    assert own_house.client("admin.imdi").get(f"/tilgangslogg.csv?{query}").status_code == 400


@pytest.mark.parametrize("whom", ["nobody", "%", "1234567", "12345678", "\x00", "x" * 60, "'; DROP TABLE"])
def test_a_search_that_finds_nothing(own_house: House, whom: str) -> None:
    assert "Ingen linjer passer" in text_of(search(own_house.client("admin.imdi"), whom=whom))


def test_somebody_elses_search(own_house: House) -> None:
    """Its id means nothing to another user: all is shown, and not what the other one looked for."""
    own_house.client("berit.bergen").get("/deltakere")
    mine = search(own_house.client("admin.imdi"), whom="berit.bergen").request
    other = own_house.nobody()
    other.login("admin.imdi")  # the same user may
    assert rows_of(other.get(f"/tilgangslogg?{mine.query_string.decode()}"))
    assert own_house.client("ida.imdi").get(f"/tilgangslogg?{mine.query_string.decode()}").status_code == 403
