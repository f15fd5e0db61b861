"""Leaving a page within the delay of autosave, in any way: the input is in the register, and the next page waits for it
instead of showing earlier values."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.caseworker import Caseworker
from tests.browser.conftest import AtScreen, Someone
from tests.browser.saving import SERVERS, begin, is_saved

SAVES = re.compile("/lagre$")
CHILDREN = "Antall barn under 18 år"


class Beacon:
    """Holds requests that a page sends while being left, until the test releases them."""

    def __init__(self, page: Page) -> None:
        self.held: list[Route] = []
        self.page = page
        page.route(SAVES, self._look)

    def _look(self, route: Route) -> None:
        if "avsted=" in (route.request.post_data or ""):
            self.held.append(route)
        else:
            route.continue_()

    def let_go(self) -> None:
        """Release all held requests."""
        for route in self.held:
            route.continue_()
        self.held.clear()


def says_nothing_of_others(user: Caseworker) -> None:
    """Check that there is no message and no choice, since the user made the change."""
    expect(user.page.locator("#endret-av-andre")).to_be_empty()
    expect(user.page.get_by_role("button", name="Behold svaret som står her")).to_have_count(0)


def go_and_come_back(page: Page) -> None:
    """Use the browser's own buttons."""
    page.go_back()
    page.go_forward()


WAYS: dict[str, Callable[[Page], Any]] = {
    "reload": lambda page: page.reload(),
    "address bar": lambda page: page.goto(page.url),
    "elsewhere and back": lambda page: (page.goto("/hjelp"), page.go_back()),
    "back and forward": go_and_come_back,
    "link": lambda page: page.get_by_role("link", name="Registrering", exact=True).click(),
}


@SERVERS
@pytest.mark.parametrize("way", WAYS)
def test_what_was_typed_last_stands_there(at_screen: AtScreen, someone: Someone, server: str, way: str) -> None:
    with at_screen("berit.bergen", server=server) as (berit, _watch):
        address = begin(berit, someone, "Bakgrunn")
        berit.field(CHILDREN).press_sequentially("3")
        WAYS[way](berit.page)
        berit.page.wait_for_load_state()
        if way == "link":
            berit.stands_at("Person og prosjekt")
            berit.page.goto(address)
        expect(berit.field(CHILDREN)).to_have_value("3")
        is_saved(berit)
        says_nothing_of_others(berit)
        berit.answer(CHILDREN, "4")
        berit.field(CHILDREN).press("Tab")
        is_saved(berit)
        says_nothing_of_others(berit)
        berit.page.reload()
        expect(berit.field(CHILDREN)).to_have_value("4")


@SERVERS
def test_the_next_page_waits_for_it(at_screen: AtScreen, someone: Someone, server: str) -> None:
    """The next page is loaded before the old one's request has arrived: it does not show «Lagret» before that."""
    with at_screen("berit.bergen", server=server) as (berit, _watch):
        begin(berit, someone, "Bakgrunn")
        beacon = Beacon(berit.page)
        berit.field(CHILDREN).press_sequentially("3")
        berit.page.reload()
        state = berit.page.locator("#tilstand")
        expect(state).to_have_text("Lagrer …")
        expect(berit.field(CHILDREN)).to_have_value("")
        assert beacon.held
        beacon.let_go()
        expect(berit.field(CHILDREN)).to_have_value("3")
        is_saved(berit)
        says_nothing_of_others(berit)


@SERVERS
def test_what_is_typed_meanwhile_is_no_conflict(at_screen: AtScreen, someone: Someone, server: str) -> None:
    """The user types a value, leaves, and types another: the last one is kept, without a conflict."""
    with at_screen("berit.bergen", server=server) as (berit, _watch):
        begin(berit, someone, "Bakgrunn")
        beacon = Beacon(berit.page)
        berit.field(CHILDREN).press_sequentially("3")
        berit.page.reload()
        expect(berit.page.locator("#tilstand")).to_have_text("Lagrer …")
        berit.field(CHILDREN).press_sequentially("5")
        beacon.let_go()
        berit.field(CHILDREN).press("Tab")
        is_saved(berit)
        says_nothing_of_others(berit)
        berit.page.reload()
        expect(berit.field(CHILDREN)).to_have_value("5")


def test_what_never_arrives_is_said(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("berit.bergen") as (berit, watch):
        watch.expect_lost_line()
        begin(berit, someone, "Bakgrunn")
        beacon = Beacon(berit.page)
        berit.field(CHILDREN).press_sequentially("3")
        berit.page.reload()
        state = berit.page.locator("#tilstand")
        expect(state).to_contain_text("det siste du skrev, er kanskje ikke lagret", timeout=40_000)
        expect(berit.field(CHILDREN)).to_have_value("")
        berit.field(CHILDREN).press_sequentially("3")
        is_saved(berit)
        for route in beacon.held:
            route.abort()


def test_a_form_longer_than_a_page_that_is_gone_may_send(at_screen: AtScreen, someone: Someone) -> None:
    """A browser sends at most 64 KiB for a page that is gone: the browser asks, and it is sent meanwhile."""
    text = "å" * 12_000  # six times as long when encoded
    with at_screen("berit.bergen") as (berit, _watch):
        begin(berit, someone, "Bakgrunn")
        address = berit.page.url.replace("bakgrunn", "programinnhold")
        other = Caseworker(berit.page.context.new_page())
        other.page.goto(address)
        other.press("Legg til tiltak")
        other.field("Kommentar").fill(text)
        with other.page.expect_event("close"):
            other.page.on("dialog", lambda question: (berit.page.wait_for_timeout(1500), question.accept()))
            with other.page.expect_event("dialog") as asked:
                other.page.close(run_before_unload=True)
            assert asked.value.type == "beforeunload"
        berit.page.goto(address)
        expect(berit.field("Kommentar")).to_have_value(text)


def test_a_participant_who_is_not_created_yet(at_screen: AtScreen, someone: Someone) -> None:
    """Page 1 is stored completely, also when it is left right after typing."""
    person = someone()
    with at_screen("berit.bergen") as (berit, _watch):
        berit.go("Legg til deltaker")
        berit.field("Fødselsnummer").fill(person.number)
        expect(berit.page.get_by_label("Navn", exact=True)).to_have_text(person.full_name)
        berit.page.wait_for_url(re.compile("/ny/.+"))
        berit.field("Dato for oppstart").press_sequentially("01.02.2024")
        berit.page.goto("/hjelp")
        berit.go("Påbegynte")
        begun = berit.page.get_by_role("listitem").filter(has_text=person.full_name)
        begun.get_by_role("link", name="Fortsett").click()
        expect(berit.field("Dato for oppstart")).to_have_value("01.02.2024")


@pytest.mark.parametrize("is_begun", [False, True], ids=["blank", "begun"])
def test_page_1_waits_for_what_it_sent_while_it_was_left(at_screen: AtScreen, someone: Someone, is_begun: bool) -> None:
    """On a slow connection the page is loaded before the input has arrived. Nothing is typed into the older form."""
    person = someone()
    with at_screen("berit.bergen") as (berit, _watch):
        berit.go("Legg til deltaker")
        if is_begun:
            berit.field("Fødselsnummer").fill(person.number)
            berit.page.wait_for_url(re.compile("/ny/.+"))
            expect(berit.page.locator("#tilstand")).to_contain_text("Lagret")
        beacon = Beacon(berit.page)
        berit.field("Dato for oppstart").press_sequentially("01.02.2024")
        berit.page.reload()
        expect(berit.page.locator("#registrering")).to_have_attribute("inert", "")
        expect(berit.field("Dato for oppstart")).to_have_value("")
        beacon.let_go()
        expect(berit.field("Dato for oppstart")).to_have_value("01.02.2024")
        expect(berit.page.locator("#registrering")).not_to_have_attribute("inert", "")
        berit.page.reload()
        expect(berit.page.locator("#registrering")).not_to_have_attribute("inert", "")
        expect(berit.field("Dato for oppstart")).to_have_value("01.02.2024")


def test_a_new_page_1_is_blank_after_one_was_left(at_screen: AtScreen) -> None:
    """The form that was left is under «Påbegynte»; another participant begins with an empty form."""
    with at_screen("berit.bergen") as (berit, _watch):
        berit.go("Legg til deltaker")
        berit.field("Dato for oppstart").press_sequentially("02.02.2024")
        berit.page.goto("/deltakere")
        berit.go("Legg til deltaker")
        expect(berit.page.locator("#registrering")).not_to_have_attribute("inert", "")
        expect(berit.field("Dato for oppstart")).to_have_value("")
