"""The way back from a participant: to the list it was opened from, and to the place in it (guide 3.1 and 4.1)."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.caseworker import BACKGROUND, PROGRAMME, Caseworker, days_ago
from tests.browser.conftest import AtScreen, Someone
from tests.support.browser import NARROW, WIDE

LIST = "/deltakere?status=opprettet&status=endret&status=avsluttet&antall=50&sorter=navn"
both_ways = pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "without-javascript"])
BETWEEN = (1000, 700)  # the table scrolls under its header row


def places(page: Page) -> list[float]:
    """The scroll positions of the page, and of the table in it."""
    found = page.evaluate("[scrollY, document.querySelector('#resultat .scroll').scrollTop]")
    return [float(one) for one in found]


def open_row(user: Caseworker, number: int) -> list[float]:
    """Open the participant of a row; returns the scroll positions before."""
    link = user.rows.nth(number).get_by_role("link").first
    link.scroll_into_view_if_needed()
    stood = places(user.page) if user.scripts else []
    link.click()
    user.stands_at("Person og prosjekt")
    return stood


def is_back(user: Caseworker, number: int, stood: list[float]) -> None:
    """Check that it is the same list, with the row visible, and, with JavaScript, the same scroll positions."""
    user.stands_at("Deltakeroversikt")
    assert user.page.url.partition("#")[0].endswith(LIST)
    expect(user.rows.nth(number)).to_be_in_viewport()
    if user.scripts:
        user.page.wait_for_load_state("load")
        assert places(user.page) == pytest.approx(stood, abs=2)


@both_ways
@pytest.mark.parametrize("size", [WIDE, BETWEEN, NARROW], ids=["wide", "between", "narrow"])
def test_every_way_leads_back_to_list_and_place(at_screen: AtScreen, javascript: bool, size: tuple[int, int]) -> None:
    """The button of the form, from the next page too, the menu, the name of the register, the deletion page."""
    with at_screen("kari.oslo", javascript=javascript) as (kari, _watch):
        kari.page.set_viewport_size({"width": size[0], "height": size[1]})
        kari.page.goto(LIST)
        expect(kari.rows.nth(29)).to_be_attached()
        brand = kari.page.get_by_role("banner").get_by_role("link", name="Jobbsjanseregisteret", exact=True)
        for number, way in ((24, "form"), (29, "pages"), (18, "brand"), (27, "delete")):
            stood = open_row(kari, number)
            if way == "pages":
                kari.go("Oversikt over registrerte data")
                kari.stands_at("Oversikt over registrerte data")
                kari.go("Registrering")
            if way in {"form", "pages"}:
                kari.press("Til deltakeroversikten")
            elif way == "brand":
                brand.click()
            else:
                kari.go("Slett deltaker")
                kari.stands_at("Slett deltaker")
                kari.go("Til deltakeroversikten")
            is_back(kari, number, stood)


def test_another_page_of_the_register_begins_at_the_top(at_screen: AtScreen) -> None:
    """A user who comes from another page has not left the list for a participant."""
    with at_screen("kari.oslo") as (kari, _watch):
        kari.page.goto("/deltakere")
        kari.rows.nth(20).scroll_into_view_if_needed()
        kari.page.goto("/hjelp")
        kari.go("Deltakere")
        kari.stands_at("Deltakeroversikt")
        kari.page.wait_for_load_state("load")
        assert kari.page.evaluate("scrollY") == 0


def test_two_tabs_with_two_lists(at_screen: AtScreen) -> None:
    with at_screen("kari.oslo") as (kari, _watch):
        other = Caseworker(kari.page.context.new_page())
        other.page.goto("/deltakere?status=endret&sorter=oppstart")
        kari.page.goto(LIST)
        stood = open_row(kari, 28)
        open_row(other, 2)
        kari.press("Til deltakeroversikten")
        is_back(kari, 28, stood)
        other.press("Til deltakeroversikten")
        other.stands_at("Deltakeroversikt")
        assert other.page.url.partition("#")[0].endswith("/deltakere?status=endret&sorter=oppstart")


@both_ways
def test_from_the_list_to_fullfor_and_back(at_screen: AtScreen, someone: Someone, javascript: bool) -> None:
    """A new participant, page by page: the list with «Legg til deltaker» is still known at the end."""
    with at_screen("kari.oslo", javascript=javascript) as (kari, _watch):
        kari.page.goto(LIST)
        kari.create(someone(), district="Grünerløkka")
        kari.answer_all(BACKGROUND)
        kari.press("Neste")
        kari.stands_at("Programinnhold")
        kari.answer_all(PROGRAMME)
        kari.add_row("Tiltak", {"Type tiltak": "Norskopplæring", "Fra dato": days_ago(200), "Timer per uke": "12"})
        kari.press("Fullfør")
        kari.stands_at("Deltakeroversikt")
        assert kari.page.url.partition("#")[0].endswith(LIST)
