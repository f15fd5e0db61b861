"""The panel «Søk og filter» over HTTP: opening and closing, and what is kept. In a browser: `browser/test_panel`."""

import pytest

from tests.support.client import form_in, htmx_headers, tree_of
from tests.support.forms import Form
from tests.support.house import House
from tests.support.overview_asking import (
    Register,
    asked_whole,
    at,
    chips_of,
    faults_in,
    fields_redrawn,
    form_data,
    panel_of,
    parts_of,
    query_of,
)
from tests.support.overview_screen import Screen, ids_on_all_pages, overview

LIST = "antall=50&sorter=navn&retning=synkende"


def form_of(screen: Screen) -> Form:
    return form_in(screen.answer, form="liste")


def test_the_panel_opens_and_closes_and_keeps_the_criteria(own_house: House) -> None:
    client = own_house.client("siri.vern")
    page = asked_whole(own_house, "siri.vern", {"q": "kari", "status": "endret"}, shown=LIST)
    before, query = chips_of(page), query_of(page)
    assert not form_of(page).has("q"), "closed at first"
    opened = client.submit(page.answer, button="Søk og filter")
    assert (opened.status_code, opened.headers["Location"]) == (303, f"/deltakere?{query}")
    page = Screen(client, client.get(opened.headers["Location"]))
    assert form_of(page).value("q") == "kari"
    assert form_of(page).value("Status") == ["Endret"]
    assert form_of(overview_of(own_house)).has("q"), "it stays open from page to page"
    closed = client.submit(page.answer, button="Lukk søk og filter", follow_redirects=True)
    page = Screen(client, closed)
    assert (chips_of(page), query_of(page)) == (before, query)
    assert not form_of(page).has("q")
    assert not form_of(overview_of(own_house)).has("q"), "and closed"


def overview_of(house: House) -> Screen:
    return overview(house, "siri.vern", "?sorter=navn")


@pytest.mark.parametrize("button", ["Lukk søk og filter", "Søk og filter"])
def test_closing_without_javascript_keeps_what_is_typed(own_house: House, button: str) -> None:
    """The whole form is sent; invalid values stay on screen with their messages."""
    client = own_house.client("siri.vern")
    typed = {"Oppstart fra": "01.01.2020", "Sist endret av": "kari.oslo"}
    page = panel_of(own_house, "siri.vern", "status=endret&sorter=navn")
    wrong = client.submit(page, button=button, fill={**typed, "Avslutning fra": "31.02.2024"})
    assert wrong.status_code == 422
    assert form_in(wrong, form="liste").value("Avslutning fra") == "31.02.2024"
    closed = Screen(client, client.submit(page, button=button, fill=typed, follow_redirects=True))
    assert not form_of(closed).has("q")
    assert chips_of(closed) == ["Status Endret", "Oppstart fra 01.01.2020", "Sist endret av kari.oslo"]
    assert parts_of(closed)["sorter"] == ["navn"]


def test_another_order_or_page_brings_no_chips_along(own_house: House) -> None:
    """They are on screen already, and a connection may be slow."""
    panel_of(own_house, "kari.oslo")
    for query in ("status=endret&sorter=navn", "status=endret&side=2", "status=endret&antall=50"):
        screen = at(own_house, "kari.oslo", query)
        assert not [one for one in screen.tree.elements("hx-partial") if one.attrib["data-hx-target"] == "#kriterier"]
        assert screen.ids


def test_the_panel_as_a_fragment(own_house: House) -> None:
    client = own_house.client("siri.vern")
    for state, expanded in (("1", "true"), ("0", "false")):
        data = form_data(own_house, "siri.vern", {"apen": state, "kryss": "1"}, "status=endret&sorter=navn")
        screen = Screen(client, client.post_partial("/deltakere/panel", data))
        switch = screen.tree.by_id["panel-bryter"]
        assert switch.attrib["aria-expanded"] == expanded
        assert ("q" in {one.attrib["name"] for one in screen.tree.elements("textarea")}) == (state == "1")
        assert not chips_of(screen), "the chips stay: they may be changing at the same time"
        assert "HX-Push-Url" not in screen.answer.headers, "the list is the same"
    assert "autofocus" in switch.attrib, "closed by the cross: the focus goes back to the button"
    assert not form_of(overview_of(own_house)).has("q")


def test_the_panel_is_each_users_own(own_house: House) -> None:
    panel_of(own_house, "admin.imdi")
    assert form_of(overview(own_house, "admin.imdi")).has("q")
    fresh = own_house.nobody()
    assert not form_in(fresh.login("admin.imdi"), form="liste").has("q"), "another visit begins with it closed"


@pytest.mark.parametrize("username", ["kari.oslo", "berit.bergen", "anne.tokommuner", "ida.imdi"])
def test_fields_are_those_of_the_user(own_house: House, username: str) -> None:
    form = form_in(panel_of(own_house, username), form="liste")
    assert form.has("Kommune") == (username in {"anne.tokommuner", "ida.imdi"})
    assert form.has("Bydel") == (username in {"kari.oslo", "ida.imdi"})
    for label in ("Søk på fødselsnummer, PersonId eller navn", "Status", "Mangler opplysninger", "Finansiering"):
        assert form.has(label)
    for label in ("I programmet fra", "Oppstart til", "Avslutning fra", "Sist endret til", "Sist endret av"):
        assert form.value(label) == ""
    assert form.value("Tid i programmet") == ["Alle"]


def test_the_filter_at_once_as_htmx_sends_it(own_house: House) -> None:
    """A change sends the whole form, for the results alone."""
    page = panel_of(own_house, "kari.oslo", "sorter=navn&side=1")
    client, form = own_house.client("kari.oslo"), form_in(page, form="liste")
    form.fill({"Status": ["Endret"]})
    data = list(form.pairs(None))
    answer = client.post(
        "/deltakere/sok",
        data={name: [v for n, v in data if n == name] for name, _value in data},
        headers=htmx_headers(source="form#liste", target="div#resultat"),
    )
    screen = Screen(client, answer)
    assert query_of(screen) == "status=endret&sorter=navn"
    assert ids_on_all_pages(screen) == Register.of(own_house).ids(
        "kari.oslo", {"status": "endret"}, "Navn", descending=False
    )
    assert fields_redrawn(screen) == [], "the fields stand as they were typed"
    assert tree_of(answer).by_id["statuslinje"] is not None


def test_the_panel_does_not_close_over_what_is_wrong_in_it(own_house: House) -> None:
    """That would hide the error, and lose the typed text; valid choices stay, too."""
    client = own_house.client("kari.oslo")
    sent = {"panel": "1", "apen": "0", "status": "endret", "mangler": "bakgrunn", "oppstart-fra": "i går"}
    for more in ({"kryss": "1"}, {}):
        data = form_data(own_house, "kari.oslo", {**sent, **more}, "status=endret")
        screen = Screen(client, client.post_partial("/deltakere/panel", data, target="div#panel"))
        assert faults_in(screen) == {"oppstart-fra": "Skriv en dato som finnes, slik: dd.mm.åååå"}
        kept = [one.attrib["value"] for one in screen.tree.elements("input") if "checked" in one.attrib]
        assert kept == ["endret", "bakgrunn"]
        data.setlist("oppstart-fra", [""])
        closed = client.post_partial("/deltakere/panel", data, target="div#panel")
        assert (closed.status_code, "Oppstart fra" in closed.text) == (200, False)
