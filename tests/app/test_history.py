"""The history: every change in words, the newest first."""

import pytest

from services.fields import date_text
from tests.app.conftest import House
from tests.support.client import text_of, tree_of
from tests.support.registering import START, Office


@pytest.fixture
def office(own_house: House) -> Office:
    """The caseworkers."""
    return Office(own_house.app, own_house.client)


def lines(office: Office, public_id: str, by: str = "berit.bergen") -> list[list[str]]:
    """Who, field, from and to of each line of the history page."""
    tree = tree_of(office.page(public_id, "historikk", by))
    body = next(tree.elements("tbody"))
    return [[tree.text(cell) for cell in row][1:] for row in body]


def test_every_change_stands_there_in_words(office: Office) -> None:
    public_id = office.given()
    office.put(public_id, "bakgrunn", {"Tidligere tiltak": ["Norskopplæring", "Kvalifiseringsprogram"]})
    office.put(public_id, "bakgrunn", {"Tidligere tiltak": ["Ingen av disse"]}, "anne.tokommuner")
    office.put(public_id, "programinnhold", {"Timer i program per uke": "22,5", "Ingen tiltak gjennomført": True})
    office.put(public_id, "programinnhold", {"Timer i program per uke": ""})
    office.put(public_id, "avslutning", {"Dato for avslutning": date_text(START)})
    assert lines(office, public_id) == [
        ["berit.bergen", "Dato for avslutning", "", date_text(START)],
        ["berit.bergen", "Timer i program per uke", "22,5", ""],
        ["berit.bergen", "Ingen tiltak gjennomført", "", "Ja"],
        ["berit.bergen", "Timer i program per uke", "", "22,5"],
        ["anne.tokommuner", "Tidligere tiltak", "Norskopplæring, Kvalifiseringsprogram", "Ingen av disse"],
        ["berit.bergen", "Tidligere tiltak", "", "Norskopplæring, Kvalifiseringsprogram"],
        ["berit.bergen", "Dato for oppstart", "", date_text(START)],
        ["berit.bergen", "Finansiering", "", "Ordinær Jobbsjansen"],
    ]
    assert lines(office, public_id, "ida.imdi") == lines(office, public_id)


def test_rows_and_discharge_stand_there_too(office: Office) -> None:
    public_id = office.ended()
    client = office.client_of("berit.bergen")
    page = client.submit(office.page(public_id, "programinnhold"), button="Legg til permisjon")
    extra = {"leaves-0-from_date": "01.02.2024", "leaves-0-to_date": "02.02.2024", "leaves-0-kind": "care"}
    client.submit(page, button="Fullfør", extra=extra)
    office.discharge(public_id)
    assert lines(office, public_id)[:2] == [
        ["berit.bergen", "Deltakeren", "", "Utskrevet"],
        ["berit.bergen", "Permisjon", "", "01.02.2024, 02.02.2024, Omsorg"],
    ]


def test_what_is_kept_as_typed_is_no_change(office: Office) -> None:
    public_id = office.given()
    office.put(public_id, "bakgrunn", {"Antall barn under 18 år": "mange"})
    assert len(lines(office, public_id)) == 2
    assert "mange" not in text_of(office.page(public_id, "historikk"))
