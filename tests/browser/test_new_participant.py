"""The line that says what is missing before a participant is created."""

from playwright.sync_api import expect

from tests.browser.caseworker import OPPSTART
from tests.browser.conftest import AtScreen, Someone


def test_the_line_follows_what_is_typed(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("berit.bergen") as (berit, _watch):
        berit.go("Deltakere")
        berit.page.get_by_role("link", name="Legg til deltaker").click()
        state = berit.page.locator("#tilstand")
        expect(state).to_contain_text("Mangler: fødselsnummer og bekreftet navn, dato for oppstart")
        berit.answer("Dato for oppstart", OPPSTART)
        expect(state).to_contain_text("Mangler: fødselsnummer og bekreftet navn")
        expect(state).not_to_contain_text("dato for oppstart")
        berit.answer("Fødselsnummer", someone().number)
        berit.page.get_by_label("Jeg bekrefter at navn vist", exact=False).check()
        expect(state).to_contain_text("Gå videre for å opprette deltakeren")
        berit.answer("Fødselsnummer", someone().number)
        expect(state).to_contain_text("Mangler: bekreftet navn")
