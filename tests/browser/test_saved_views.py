"""Saved views: the present criteria and order under a name, found again, renamed, used as start view, deleted."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.caseworker import Caseworker
from tests.browser.conftest import AtScreen
from tests.support.browser import assert_accessible

both_ways = pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "without-javascript"])


def entry(user: Caseworker, name: str) -> Locator:
    """A view on the page of views."""
    link = user.page.get_by_role("link", name=name, exact=True)
    return user.page.get_by_role("main").get_by_role("listitem").filter(has=link)


def save(user: Caseworker, name: str) -> None:
    """From the open panel: the page of views, a name, «Lagre visningen»."""
    user.press("Lagre eller ordne visninger")
    user.stands_at("Lagrede visninger")
    user.page.get_by_label("Navn på visningen").fill(name)
    user.press("Lagre visningen")


@both_ways
def test_from_saving_to_deleting(at_screen: AtScreen, javascript: bool) -> None:
    with at_screen("anne.tokommuner", javascript=javascript) as (anne, _watch):
        page = anne.page
        anne.open_panel()
        anne.group("Status").get_by_label("Endret", exact=True).check()
        anne.search("a")
        anne.has_chips("Søk a", "Status Endret")
        anne.header("Navn").get_by_role("link").click()
        expect(anne.header("Navn")).to_have_attribute("aria-sort", "ascending")
        shown, address = anne.column("Fødselsnummer").all_inner_texts(), page.url
        save(anne, "Mine, mangler Bakgrunn")
        anne.stands_at("Deltakeroversikt")
        assert page.url == address
        page.goto("/deltakere")
        views = page.get_by_role("navigation", name="Lagrede visninger")
        views.get_by_role("link", name="Mine, mangler Bakgrunn").click()
        anne.has_chips("Søk a", "Status Endret")
        expect(anne.header("Navn")).to_have_attribute("aria-sort", "ascending")
        assert anne.column("Fødselsnummer").all_inner_texts() == shown
        save(anne, "Mine, mangler Bakgrunn")
        expect(page.get_by_text("Du har allerede en visning som heter «Mine, mangler Bakgrunn»")).to_be_visible()
        expect(page.get_by_label("Navn på visningen")).to_have_value("Mine, mangler Bakgrunn")
        expect(page.get_by_text("Søk: a. Status: Endret. Sortert etter navn, stigende.")).to_be_visible()
        page.get_by_label("Nytt navn på «Mine, mangler Bakgrunn»").fill("Årets")
        entry(anne, "Mine, mangler Bakgrunn").get_by_role("button", name="Gi nytt navn").click()
        expect(entry(anne, "Mine, mangler Bakgrunn")).to_have_count(0)
        entry(anne, "Årets").get_by_role("button", name="Bruk som startvisning").click()
        expect(entry(anne, "Årets")).to_contain_text("Startvisning")
        if javascript:
            assert_accessible(page)
        anne.press("Logg ut")
        anne.sign_in("anne.tokommuner")
        anne.stands_at("Deltakeroversikt")
        anne.has_chips("Søk a", "Status Endret")
        assert anne.column("Fødselsnummer").all_inner_texts() == shown
        page.goto("/deltakere/visninger")
        anne.press("Ikke begynn med denne")
        expect(entry(anne, "Årets")).not_to_contain_text("Startvisning")
        anne.press("Slett visningen")
        expect(page.get_by_role("link", name="Avbryt")).to_be_focused()
        if javascript:
            assert_accessible(page)
        anne.press("Ja, slett visningen")
        expect(page.get_by_text("Visningen er slettet.")).to_be_visible()
        expect(page.get_by_text("Du har ingen lagrede visninger ennå.")).to_be_visible()
        anne.press("Logg ut")
        anne.sign_in("anne.tokommuner")
        expect(anne.chips).to_have_count(0)


def test_a_name_is_needed(at_screen: AtScreen) -> None:
    """Nothing is saved without a name; the list that the user came from is kept."""
    with at_screen("berit.bergen") as (berit, _watch):
        berit.page.goto("/deltakere?status=endret")
        berit.open_panel()
        save(berit, "  ")
        expect(berit.page.get_by_label("Navn på visningen")).to_have_accessible_description(
            "Gi visningen et navn Må fylles ut"
        )
        expect(berit.page.get_by_label("Navn på visningen")).to_be_focused()
        assert_accessible(berit.page)
        berit.go("Til deltakeroversikten")
        berit.has_chips("Status Endret")
