"""Input that no page of ours sends, and typing mistakes: 400, or a message at the field; never a 500, and the other
criteria stay. Addresses alone: `test_query`."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from app.overview.query import BadQuery, parse, write
from tests.support.bad_queries import BAD
from tests.support.client import form_in, htmx_headers
from tests.support.house import House
from tests.support.overview_asking import (
    Register,
    asked,
    asked_whole,
    at,
    chips_of,
    faults_in,
    form_data,
    panel_of,
    query_of,
    status_of,
    token_of,
)
from tests.support.overview_screen import Screen, ids_on_all_pages, overview

NO_DATE = "Skriv en dato som finnes, slik: dd.mm.åååå"
OUT_OF_BOUNDS = "Datoen må være mellom 01.01.1950 og 31.12.2100"
TURNED = "Fra-datoen er etter til-datoen"


@pytest.mark.usefixtures("cheap_answers")
@pytest.mark.parametrize("word", ["deltok", "oppstart", "avslutning", "endret"])
@pytest.mark.parametrize(
    ("first", "last", "wanted"),
    [
        ("30.02.2024", "", {"-fra": NO_DATE}),
        ("", "2024-02-30", {"-til": NO_DATE}),
        ("i går", "snart", {"-fra": NO_DATE, "-til": NO_DATE}),
        ("01.01.1949", "", {"-fra": OUT_OF_BOUNDS}),
        ("", "01.01.2101", {"-til": OUT_OF_BOUNDS}),
        ("0000-00-00", "", {"-fra": NO_DATE}),
        ("9" * 3000, "", {"-fra": NO_DATE}),
        ("\x00\x07", "", {"-fra": NO_DATE}),
        ("²1.01.2024", "", {"-fra": NO_DATE}),
        ("<script>", "'\"", {"-fra": NO_DATE, "-til": NO_DATE}),
        ("02.01.2025", "01.01.2025", {"-fra": TURNED}),
    ],
)
def test_days_that_are_none(house: House, word: str, first: str, last: str, wanted: dict[str, str]) -> None:
    values = {"status": "endret", f"{word}-fra": first, f"{word}-til": last}
    screen = asked(house, "kari.oslo", values, shown="antall=50&sorter=navn")
    assert screen.answer.status_code == 422
    said = {name: words for name, words in faults_in(screen).items() if words}
    assert said == {f"{word}{end}": words for end, words in wanted.items()}
    assert "Status Endret" in chips_of(screen), "the rest is kept"
    assert query_of(screen).startswith("status=endret")
    assert query_of(screen).endswith("antall=50&sorter=navn")


def test_what_was_typed_stays_and_what_is_right_is_used(own_house: House) -> None:
    panel_of(own_house, "kari.oslo")
    values = {"status": "endret", "oppstart-fra": "31.11.2024", "oppstart-til": "31.12.2025", "endret-fra": "1.1.2020"}
    for screen in (asked(own_house, "kari.oslo", values), asked_whole(own_house, "kari.oslo", values)):
        assert screen.answer.status_code == 422
        (typed,) = [one for one in screen.tree.elements("input") if one.attrib.get("name") == "oppstart-fra"]
        assert typed.attrib["value"] == "31.11.2024"
        right = {"status": "endret", "oppstart-til": "2025-12-31", "endret-fra": "2020-01-01"}
        assert ids_on_all_pages(screen) == Register.of(own_house).ids("kari.oslo", right)
        assert chips_of(screen) == ["Status Endret", "Oppstart til 31.12.2025", "Sist endret fra 01.01.2020"]


def test_the_whole_page_says_what_is_wrong_with_the_panel_open(own_house: House) -> None:
    client = own_house.client("berit.bergen")
    page = asked_whole(own_house, "berit.bergen", {"oppstart-fra": "31.11.2024", "status": "endret"})
    assert page.answer.status_code == 422
    assert faults_in(page) == {"oppstart-fra": NO_DATE}
    assert form_in(page.answer, form="liste").value("Oppstart fra") == "31.11.2024"
    mended = client.submit(page.answer, button="Søk", fill={"Oppstart fra": "30.11.2024"})
    assert mended.headers["Location"] == "/deltakere?status=endret&oppstart-fra=2024-11-30"


def test_what_is_wrong_is_said_at_once(own_house: House) -> None:
    """On a whole page by the title and a focused summary; with a fragment by the status line, and without the
    summary."""
    values = {"oppstart-fra": "31.11.2024", "avslutning-fra": "02.01.2025", "avslutning-til": "01.01.2025"}
    page = asked_whole(own_house, "siri.vern", values)
    assert page.tree.text(next(page.tree.elements("title"))).startswith("Feil: Deltakeroversikt")
    summary = page.tree.by_id["error-summary"]
    assert "autofocus" in summary.attrib
    lines = {one.attrib["href"]: page.tree.text(one) for one in summary.iter("a")}
    said = {"#oppstart-fra": f"Oppstart fra: {NO_DATE}", "#avslutning-fra": f"Avslutning fra: {TURNED}"}
    assert {where: words.lower() for where, words in lines.items()} == {k: words.lower() for k, words in said.items()}
    assert all(one.removeprefix("#") in page.tree.by_id for one in lines)
    wrong = asked(own_house, "siri.vern", values)
    assert "error-summary" not in wrong.tree.by_id
    assert status_of(wrong).startswith(f"Feil i Oppstart fra: {NO_DATE}. Feil i Avslutning fra: {TURNED}. ")
    client = own_house.client("siri.vern")
    for fill in ({}, {"Oppstart fra": "30.11.2024", "Avslutning fra": ""}):
        answer = Screen(client, client.submit(page.answer, button="Søk", fill=fill, partial=True))
        emptied = [one for one in answer.tree.elements("hx-partial") if one.attrib["data-hx-target"] == "#feil"]
        assert [answer.tree.text(one) for one in emptied] == [""]


def test_a_mended_field_is_drawn_without_its_message(own_house: House) -> None:
    panel_of(own_house, "siri.vern")
    wrong = asked(own_house, "siri.vern", {"oppstart-fra": "31.11.2024"})
    marks = [one.attrib["value"] for one in wrong.tree.elements("input") if one.attrib.get("name") == "feil"]
    assert marks == ["oppstart"]
    right = asked(own_house, "siri.vern", {"oppstart-fra": "30.11.2024", "feil": marks})
    shown = [one for one in right.tree.elements("input") if one.attrib.get("name") == "oppstart-fra"]
    assert [one.attrib["value"] for one in shown] == ["30.11.2024"]
    assert not faults_in(right)


def test_an_address_with_a_day_that_is_none(house: House) -> None:
    for screen in (
        at(house, "kari.oslo", "status=endret&oppstart-fra=2024-02-30&sorter=navn"),
        overview(house, "kari.oslo", "?status=endret&oppstart-fra=2024-02-30&sorter=navn"),
    ):
        assert screen.answer.status_code == 422
        assert faults_in(screen) == {"oppstart-fra": NO_DATE}
        assert chips_of(screen) == ["Status Endret"]


# ---- Input that no form of ours sends ----


def both(house: House, username: str, address: str, data: "MultiDict[str, str]") -> list[int]:
    """The statuses of the responses to a page's form and to htmx's."""
    client = house.client(username)
    return [client.post(address, data=data, headers=headers).status_code for headers in ({}, htmx_headers())]


@pytest.mark.parametrize("query", [one for one in BAD if "q=kari" not in one])
def test_what_the_form_says_of_the_list_before_is_looked_at(house: House, query: str) -> None:
    for address in ("/deltakere/sok", "/deltakere/panel", "/deltakere/visninger"):
        data = form_data(house, "kari.oslo", {"navn": "Mine"} if "visninger" in address else {}, query)
        assert both(house, "kari.oslo", address, data) == [400, 400], address


@pytest.mark.usefixtures("cheap_answers")
@pytest.mark.parametrize(
    "values",
    [
        {"ukjent": "1"},
        {"status": "4"},
        {"status": ["endret", "alle"]},
        {"kommune": "9999"},
        {"bydel": "0301"},
        {"mangler": "alt"},
        {"finansiering": "gratis"},
        {"over": "12"},
        {"over": ["24", "36"]},
        {"sorter": "name_key"},
        {"side": "0"},
        {"side": "-1"},
        {"antall": "1000000"},
        {"oppstart-fra": ["01.01.2024", "02.01.2024"]},
        {"fjern": "status:endret"},
        {"fjern": "q:0"},
        {"fjern": "q:20"},
        {"fjern": "endret-av:x"},
        {"fjern": "kommune"},
        {"fjern": "'; --"},
        {"fjern": "\x00"},
    ],
)
def test_values_that_are_not_ours(house: House, values: dict[str, str | list[str]]) -> None:
    data = form_data(house, "kari.oslo", values, "mangler=bakgrunn")
    assert both(house, "kari.oslo", "/deltakere/sok", data) == [400, 400]


def test_a_chip_of_another_list_is_not_there(house: House) -> None:
    data = form_data(house, "kari.oslo", {"fjern": "status:endret"}, "status=opprettet")
    assert both(house, "kari.oslo", "/deltakere/sok", data) == [400, 400]
    data = form_data(house, "kari.oslo", {"fjern": "status:endret"}, "status=endret&status=opprettet")
    assert both(house, "kari.oslo", "/deltakere/sok", data) == [303, 200]


def test_a_form_that_does_not_say_where_it_was_is_the_plain_lists(house: House) -> None:
    data = form_data(house, "kari.oslo", {"status": "endret"})
    del data["visning"]
    client = house.client("kari.oslo")
    assert client.post("/deltakere/sok", data=data).headers["Location"] == "/deltakere?status=endret"
    data = MultiDict({"csrf_token": token_of(house, "kari.oslo"), "apen": "nei"})
    assert client.post("/deltakere/panel", data=data).headers["Location"] == "/deltakere"


def test_other_criteria_begin_at_the_first_page(house: House) -> None:
    screen = asked(house, "ida.imdi", {"status": ["endret"]}, shown="side=7&sorter=navn")
    assert query_of(screen) == "status=endret&sorter=navn"


words = st.sampled_from(["visning", "fjern", "feil", "q", "endret-av", "kommune-navn", "apen", "kryss", "navn", "go"])
words |= st.sampled_from(["kommune", "status", "over", "sok", "side", "oppstart-fra", "endret-til"]) | st.text(
    max_size=6
)
junk = st.text(max_size=20) | st.sampled_from(
    ["", "0", "-1", "q:0", "status=endret", "sok=0123456789abcdef", "24", "0301", "%", "\x00", "1" * 400, "a, b\t\r\nc"]
)


@pytest.mark.usefixtures("cheap_answers")
@pytest.mark.parametrize("username", ["kari.oslo", "ida.imdi"])
def test_junk_is_never_an_error_of_ours(house: House, username: str) -> None:
    client, token = house.client(username), token_of(house, username)

    @settings(max_examples=50)
    @given(st.lists(st.tuples(words, junk), max_size=5), st.booleans(), st.sampled_from(["sok", "panel", "visninger"]))
    def send(pairs: list[tuple[str, str]], partial: bool, where: str) -> None:
        data = MultiDict([*((name, value) for name, value in pairs if name != "csrf_token"), ("csrf_token", token)])
        answer = client.post(f"/deltakere/{where}", data=data, headers=htmx_headers() if partial else {})
        assert answer.status_code in {200, 204, 303, 400, 422}

    send()


@given(
    st.dictionaries(st.sampled_from(["oppstart-fra", "oppstart-til", "kommune-navn", "status"]), st.text(max_size=30))
)
def test_what_is_typed_can_always_be_shown_again(values: dict[str, str]) -> None:
    try:
        reading = parse(MultiDict(values))
    except BadQuery:
        assert values.get("status") not in {None, "endret"}
        return
    assert parse(MultiDict(reading.typed)).faults.keys() >= reading.faults.keys() & reading.typed.keys()
    assert write(reading.query).isascii()
    assert not any(character in text for text in reading.typed.values() for character in "\x00\x0b\x1f\x7f\x9f")


def test_pages_beyond_all_bounds(house: House) -> None:
    last = overview(house, "kari.oslo", "?side=1000000")
    assert last.ids
    searched = asked(house, "kari.oslo", {"q": "0,1,2,3"})
    beyond = at(house, "kari.oslo", f"{query_of(searched)}&side=1000000&antall=100")
    assert beyond.ids
    nobody = asked(house, "kari.oslo", {"q": "finnesikke"})
    assert not at(house, "kari.oslo", f"{query_of(nobody)}&side=1000000").ids
