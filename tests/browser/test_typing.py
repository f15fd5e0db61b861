"""Filling in as people do: with the keypad of a telephone, with the keyboard alone, and on a page translated by the
browser."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.caseworker import BACKGROUND, Caseworker
from tests.browser.conftest import AtScreen, Someone
from tests.browser.saving import SERVERS, begin, is_saved

OPTIONAL = "Er utdanningen godkjent i Norge?"
NOT_ANSWERED = "Ikke besvart"
# The keys of a telephone for each kind of field, and what people type with them.
KEYS = {"numeric": "0123456789", "decimal": "0123456789,"}
ON_KEYPAD = {
    "Fødselsnummer": "",  # the person's
    "Dato for oppstart": "010924",
    "Når avsluttet deltakeren introduksjonsprogrammet?": "062022",
    "Antall barn under 18 år": "2",
    "Fødselsår for yngste barn": "2021",
    "Dato for individuell plan": "02092024",
    "Timer i program per uke": "22,5",
    "Fra dato": "030924",
    "Til dato": "04092024",
    "Timer per uke": "7,5",
    "Dato for avslutning": "011024",
    "Gyldig fravær, dager": "3",
    "Ugyldig fravær, dager": "0",
    "Stillingsprosent": "80",
}


def with_keypad(user: Caseworker) -> list[Locator]:
    """Fill in the visible fields with a keypad, using only its keys; returns them."""
    found = user.page.get_by_role("main").locator("input[inputmode]").all()
    for one in found:
        label = one.evaluate("one => one.labels[0].textContent")
        typed, keys = ON_KEYPAD[label], KEYS[str(one.get_attribute("inputmode"))]
        assert set(typed) <= set(keys), label
        if typed:
            one.fill(typed)
            one.blur()
    return found


@SERVERS
def test_all_fields_are_filled_with_the_keypad_of_a_telephone(
    at_screen: AtScreen, someone: Someone, server: str
) -> None:
    with at_screen("berit.bergen", server=server) as (berit, _watch):
        berit.begin(someone())
        assert len(with_keypad(berit)) == 2
        berit.press("Neste")
        berit.stands_at("Bakgrunn")
        berit.answer("Tidligere tiltak", ("Introduksjonsprogram",))
        berit.answer("Antall barn under 18 år", "2")
        expect(berit.field("Fødselsår for yngste barn")).to_be_visible()
        expect(berit.field("Når avsluttet deltakeren introduksjonsprogrammet?")).to_be_visible()
        assert len(with_keypad(berit)) == 3
        is_saved(berit)
        berit.page.reload()
        expect(berit.field("Når avsluttet deltakeren introduksjonsprogrammet?")).to_have_value("06.2022")
        berit.press_step("Avslutning")
        berit.answer("Deltakeren har gått ut i", ("Arbeid",))
        expect(berit.field("Stillingsprosent")).to_be_visible()
        assert len(with_keypad(berit)) == 4
        is_saved(berit)
        berit.page.reload()
        expect(berit.field("Dato for avslutning")).to_have_value("01.10.2024")


@SERVERS
def test_rows_are_filled_with_the_keypad_of_a_telephone(at_screen: AtScreen, someone: Someone, server: str) -> None:
    with at_screen("berit.bergen", server=server) as (berit, _watch):
        berit.begin(someone())
        berit.answer("Dato for oppstart", "1/9-24")
        berit.press("Neste")
        berit.stands_at("Bakgrunn")
        berit.answer_all(BACKGROUND)
        berit.press("Neste")
        berit.stands_at("Programinnhold")
        berit.answer("Er det laget en individuell plan?", ("Ja",))
        berit.add_row("Tiltak", {"Type tiltak": "Norskopplæring"})
        berit.add_row("Permisjon", {"Type permisjon": ("Sykdom",)})
        expect(berit.field("Dato for individuell plan")).to_be_visible()
        assert len(with_keypad(berit)) == 7
        is_saved(berit)
        berit.page.reload()
        expect(berit.field("Timer i program per uke")).to_have_value("22,5")
        expect(berit.field("Fra dato").first).to_have_value("03.09.2024")
        expect(berit.field("Til dato").last).to_have_value("04.09.2024")


@SERVERS
def test_days_and_numbers_take_the_standard_form_once_they_are_left(
    at_screen: AtScreen, someone: Someone, server: str
) -> None:
    """On page 1 before there is a participant, on the other pages, and in rows; nothing is rewritten while typing."""
    with at_screen("berit.bergen", server=server) as (berit, _watch):
        berit.begin(someone())
        started = berit.field("Dato for oppstart")
        with berit.page.expect_response(re.compile("/ny/lagre$")):
            started.press_sequentially("1.2.26")
        expect(started).to_have_value("1.2.26")
        started.press("Tab")
        expect(started).to_have_value("01.02.2026")
        berit.page.reload()
        expect(started).to_have_value("01.02.2026")
        berit.press("Neste")
        berit.stands_at("Bakgrunn")
        berit.page.goto(berit.page.url.replace("bakgrunn", "programinnhold"))
        hours = berit.field("Timer i program per uke")
        hours.fill("20,0")
        berit.add_row("Tiltak", {"Type tiltak": "Norskopplæring"})
        expect(hours).to_have_value("20")
        first = berit.field("Fra dato").first
        first.fill("3/2-26")
        first.press("Tab")
        expect(first).to_have_value("03.02.2026")
        is_saved(berit)


@SERVERS
def test_an_optional_answer_is_taken_back_with_the_keyboard(at_screen: AtScreen, someone: Someone, server: str) -> None:
    with at_screen("berit.bergen", server=server) as (berit, _watch):
        begin(berit, someone, "Bakgrunn")
        group = berit.group(OPTIONAL)
        none = group.get_by_label(NOT_ANSWERED, exact=True)
        expect(none).to_be_checked()
        none.focus()
        berit.page.keyboard.press("ArrowUp")  # «Ikke aktuelt»
        expect(group.get_by_label("Ikke aktuelt", exact=True)).to_be_checked()
        is_saved(berit)
        with berit.page.expect_response(re.compile("/lagre$")):
            berit.page.keyboard.press("ArrowDown")
        expect(none).to_be_checked()
        expect(none).to_be_focused()
        is_saved(berit)
        berit.page.reload()
        expect(group.get_by_label(NOT_ANSWERED, exact=True)).to_be_checked()
        berit.go("Historikk")
        expect(berit.page.get_by_role("main")).to_contain_text(OPTIONAL)


@pytest.mark.parametrize("server", ["live_server", "live_server_on_postgresql"])
def test_an_optional_answer_is_taken_back_without_scripts(at_screen: AtScreen, someone: Someone, server: str) -> None:
    with at_screen("berit.bergen", server=server, javascript=False) as (berit, _watch):
        berit.create(someone())
        address = berit.page.url
        berit.answer_all(BACKGROUND)
        for answer in ("Ja", NOT_ANSWERED):
            berit.answer(OPTIONAL, (answer,))
            berit.press("Neste")
            berit.stands_at("Programinnhold")
            berit.page.goto(address)
            expect(berit.group(OPTIONAL).get_by_label(answer, exact=True)).to_be_checked()


@SERVERS
def test_a_translation_by_the_browser_changes_nothing_that_is_sent(
    at_screen: AtScreen, someone: Someone, server: str
) -> None:
    """As a browser does it: texts are replaced within their elements, except those marked as not translatable."""
    with at_screen("berit.bergen", server=server) as (berit, _watch):
        address = begin(berit, someone, "Bakgrunn")
        berit.answer("Morsmål", "Thai")
        berit.answer("Land for utdanningen", "Thailand")
        is_saved(berit)
        berit.page.evaluate(
            """() => {
              const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
              while (texts.nextNode()) {
                const node = texts.currentNode;
                const isKept = node.parentElement.closest("[translate=no], script");
                if (node.data.trim() && !isKept) node.data = `x ${node.data} x`;
              }
            }"""
        )
        with berit.page.expect_response(re.compile("/lagre$")) as saved:
            berit.page.locator("#recruitment").select_option(value="nav")
        assert saved.value.status == 200
        with berit.page.expect_response(re.compile("/lagre$")) as saved:
            berit.page.locator("#mother_tongue").select_option(value="som")
        assert saved.value.status == 200
        berit.page.goto(address)
        assert [
            berit.field(label).evaluate("one => one.selectedOptions[0].label")
            for label in ("Rekrutteringskanal", "Morsmål", "Land for utdanningen")
        ] == ["Nav", "Somali", "Thailand"]
