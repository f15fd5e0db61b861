"""The band that stays visible: session warning, lost connection and state of saving, at any scroll position and without
moving the page; the messages to screen readers about saving; and the cover over the page after a session."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from services.demo import PASSWORD
from tests.browser.caseworker import Caseworker
from tests.browser.conftest import AtScreen, Someone
from tests.browser.saving import begin, is_saved
from tests.browser.visits import idle, with_clock
from tests.support.browser import NARROW, WIDE, assert_accessible, assert_no_sideways_scrolling
from tests.support.server import LiveServer

SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


def resize(page: Page, size: tuple[int, int]) -> None:
    """Resize the window."""
    page.set_viewport_size({"width": size[0], "height": size[1]})


def place_of(field: Locator) -> tuple[float, float]:
    """The field's position in the window, and the page's scroll position."""
    top = field.evaluate("one => one.getBoundingClientRect().top")
    return round(top), round(field.page.evaluate("scrollY"))


def is_uncovered(field: Locator) -> None:
    """Check that the band does not cover the field."""
    bottom = field.evaluate("one => one.getBoundingClientRect().bottom")
    assert bottom <= field.page.locator("#band").evaluate("one => one.getBoundingClientRect().top")


def warned(user: Caseworker, server: LiveServer) -> Locator:
    """Wait for the warning two minutes before the session ends."""
    idle(server, user, 28.5)
    user.page.clock.fast_forward("28:01")
    warning = user.page.get_by_role("alert")
    expect(warning).to_contain_text("Du blir logget ut om")
    return warning


@SIZES
def test_the_session_warning(
    at_screen: AtScreen, someone: Someone, live_server: LiveServer, size: tuple[int, int]
) -> None:
    """Visible at any scroll position; «Forleng» gives the focus back, and the page has not moved."""
    with at_screen("berit.bergen") as (berit, _watch):
        begin(berit, someone, "Bakgrunn")
        resize(berit.page, size)
        with_clock(berit)
        field = berit.field("Antall barn under 18 år")
        field.click()
        field.evaluate("one => one.scrollIntoView({ block: 'center' })")
        before = place_of(field)
        warning = warned(berit, live_server)
        expect(warning).to_be_in_viewport(ratio=0.9)
        assert_accessible(berit.page)
        assert_no_sideways_scrolling(berit.page)
        is_uncovered(field)
        assert place_of(field) == before
        warning.get_by_role("button", name="Forleng").click()
        expect(warning).to_have_count(0)
        expect(field).to_be_focused()
        assert place_of(field) == before


@SIZES
def test_a_lost_line_moves_nothing(at_screen: AtScreen, someone: Someone, size: tuple[int, int]) -> None:
    with at_screen("berit.bergen") as (berit, watch):
        watch.expect_lost_line()
        begin(berit, someone, "Bakgrunn")
        resize(berit.page, size)
        field = berit.field("Antall barn under 18 år")
        field.evaluate("one => one.scrollIntoView({ block: 'center' })")
        field.press_sequentially("2")
        is_saved(berit)
        expect(berit.page.locator("#tilstand")).to_be_in_viewport(ratio=0.9)
        before = place_of(field)
        berit.page.context.set_offline(True)
        field.press_sequentially("1")
        expect(berit.page.locator("#tilstand")).to_contain_text("Ikke lagret: ingen kontakt med registeret")
        assert place_of(field) == before
        berit.page.evaluate("() => document.getElementById('registrering').requestSubmit()")
        notice = berit.page.get_by_role("alert")
        expect(notice).to_contain_text("Ingen kontakt med registeret")
        expect(notice).to_be_in_viewport(ratio=0.9)
        expect(berit.page.locator("#tilstand")).to_be_in_viewport(ratio=0.9)
        expect(field).to_be_focused()
        is_uncovered(field)
        assert place_of(field) == before
        assert_no_sideways_scrolling(berit.page)
        assert_accessible(berit.page)


@SIZES
def test_no_field_is_hidden_under_it(at_screen: AtScreen, someone: Someone, size: tuple[int, int]) -> None:
    """Every keyboard stop is above the band."""
    with at_screen("berit.bergen") as (berit, watch):
        watch.expect_lost_line()
        begin(berit, someone, "Bakgrunn")
        resize(berit.page, size)
        berit.page.context.set_offline(True)
        berit.page.evaluate("() => document.getElementById('registrering').requestSubmit()")
        expect(berit.page.get_by_role("alert")).to_be_visible()
        for _press in range(60):
            berit.page.keyboard.press("Tab")
            focused = berit.page.locator("main :focus")
            if focused.count():
                is_uncovered(focused)
                if focused.get_attribute("id") == "neste":
                    return
        raise AssertionError("«Neste» was never reached")


def test_in_colours_of_the_users_own(at_screen: AtScreen, someone: Someone) -> None:
    """A line separates the band from the page if all backgrounds are the same."""
    with at_screen("berit.bergen", forced_colors="active") as (berit, _watch):
        begin(berit, someone, "Bakgrunn")
        band = berit.page.locator("#band")
        assert band.evaluate("one => getComputedStyle(one).borderTopWidth") == "1px"
        assert band.evaluate("one => getComputedStyle(one).backgroundColor") != "rgba(0, 0, 0, 0)"


# ---- Screen readers ----


def listen(page: Page) -> None:
    """Record the messages of the live regions from now on."""
    page.evaluate(
        """() => {
          window.heard = [];
          for (const region of document.querySelectorAll('[role=status], [aria-live]')) {
            const how = region.getAttribute('aria-live') || 'polite';
            const note = () => { if (region.textContent.trim()) window.heard.push([how, region.textContent.trim()]); };
            new MutationObserver(note).observe(region, { childList: true, characterData: true, subtree: true });
          }
        }"""
    )


def heard(page: Page) -> list[list[str]]:
    """The recorded messages."""
    found: list[list[str]] = page.evaluate("window.heard")
    return found


def test_saving_is_heard_once_for_each_pause(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("berit.bergen") as (berit, _watch):
        begin(berit, someone, "Bakgrunn")
        listen(berit.page)
        for text in ("Nav", "Flyktningtjenesten"):
            berit.answer("Rekrutteringskanal", text)
            berit.field("Antall barn under 18 år").press_sequentially("1", delay=50)
            expect(berit.page.locator("#lagringslinje")).to_contain_text("Lagret kl.")
            is_saved(berit)
        said = heard(berit.page)
        assert [how for how, _words in said] == ["polite", "polite"]
        assert all(words.startswith("Lagret kl.") for _how, words in said)


def test_what_is_wrong_is_heard_at_once_and_once(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("berit.bergen") as (berit, _watch):
        begin(berit, someone, "Avslutning")
        listen(berit.page)
        berit.field("Dato for avslutning").fill("31.02.2026")
        berit.field("Dato for avslutning").press("Tab")
        alarm = berit.page.locator("#alarm")
        expect(alarm).to_contain_text("Ikke lagret")
        expect(alarm).to_contain_text("Skriv en dato som finnes")
        berit.answer("Årsak til avslutning", "Sykdom")
        berit.page.wait_for_timeout(2500)
        said = heard(berit.page)
        assert [how for how, _words in said].count("assertive") <= 2  # without the field's own error, and with it
        assert not [words for _how, words in said if words.startswith("Lagret")]


def test_a_lost_line_is_heard_at_once_and_once(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("berit.bergen") as (berit, watch):
        watch.expect_lost_line()
        begin(berit, someone, "Bakgrunn")
        listen(berit.page)
        berit.page.context.set_offline(True)
        berit.answer("Rekrutteringskanal", "Nav")
        expect(berit.page.locator("#alarm")).to_contain_text("Ikke lagret: ingen kontakt med registeret")
        berit.page.wait_for_timeout(4000)  # it is tried again meanwhile
        assert [how for how, _words in heard(berit.page)] == ["assertive"]
        berit.page.context.set_offline(False)
        expect(berit.page.locator("#lagringslinje")).to_contain_text("Lagret kl.")
        assert [how for how, _words in heard(berit.page)] == ["assertive", "polite"]


# ---- The cover ----


def sign_in_over_it(user: Caseworker) -> None:
    """Sign in, in the dialog."""
    dialog = user.page.get_by_role("dialog")
    dialog.get_by_label("Passord").fill(PASSWORD)
    dialog.get_by_role("button", name="Logg inn", exact=True).click()
    expect(dialog).to_be_hidden()


def is_covered(user: Caseworker, name: str) -> None:
    """Check that nobody can read the participant's name or data."""
    expect(user.page.get_by_role("dialog")).to_contain_text("Du er logget ut")
    expect(user.page.locator("[aria-busy=true]")).to_have_count(0)
    expect(user.page.locator("main")).to_be_hidden()
    expect(user.page.locator("main .sheet")).to_be_hidden()
    assert name not in user.page.title()


def test_after_the_visit_the_page_is_covered(at_screen: AtScreen, someone: Someone, live_server: LiveServer) -> None:
    """Automatically; until the same user has signed in again. Typed values stay."""
    person = someone()
    with at_screen("berit.bergen") as (berit, _watch):
        begin(berit, lambda: person, "Bakgrunn")
        with_clock(berit)
        title = berit.page.title()
        assert person.full_name in title
        warned(berit, live_server)
        berit.page.evaluate("() => { document.getElementById('children').value = '7'; }")  # typed, without an event yet
        idle(live_server, berit, 30.1)
        berit.page.clock.fast_forward("02:00")
        is_covered(berit, person.full_name)
        berit.page.wait_for_timeout(700)  # the clock skipped several requests: the last one is answered
        expect(berit.page.locator("[aria-busy=true]")).to_have_count(0)
        assert_accessible(berit.page)
        berit.page.keyboard.press("Escape")
        berit.page.keyboard.press("Escape")
        berit.page.wait_for_timeout(300)
        is_covered(berit, person.full_name)
        sign_in_over_it(berit)
        expect(berit.page.locator("main")).to_be_visible()
        assert berit.page.title() == title
        expect(berit.field("Antall barn under 18 år")).to_have_value("7")


def test_a_visit_that_was_ended_elsewhere(at_screen: AtScreen, someone: Someone) -> None:
    """Any response that reveals the end of the session covers the page."""
    person = someone()
    with at_screen("berit.bergen") as (berit, _watch):
        begin(berit, lambda: person, "Bakgrunn")
        berit.page.context.clear_cookies()
        berit.answer("Rekrutteringskanal", "Nav")
        is_covered(berit, person.full_name)
        sign_in_over_it(berit)
        expect(berit.field("Rekrutteringskanal")).to_have_value("nav")
        is_saved(berit)


def test_the_end_of_a_visit_without_contact(at_screen: AtScreen, someone: Someone) -> None:
    """Nobody can sign in, and nobody can read the page either."""
    person = someone()
    with at_screen("berit.bergen") as (berit, watch):
        watch.expect_lost_line()
        begin(berit, lambda: person, "Bakgrunn")
        with_clock(berit)
        berit.page.context.set_offline(True)
        berit.page.clock.fast_forward("28:01")
        expect(berit.page.get_by_role("alert")).to_contain_text("Ingen kontakt med registeret")
        expect(berit.page.locator("main")).to_be_visible()
        berit.page.clock.fast_forward("02:05")
        expect(berit.page.locator("main")).to_be_hidden()
        assert person.full_name not in berit.page.title()
        berit.page.context.set_offline(False)
        berit.press("Prøv igjen")  # not over yet, according to the server, which has another clock
        expect(berit.page.locator("main")).to_be_visible()


def test_another_tab_has_prolonged_the_visit(at_screen: AtScreen, live_server: LiveServer) -> None:
    """Nothing is covered, not even for a moment, and the focus stays."""
    with at_screen("berit.bergen") as (berit, _watch):
        with_clock(berit)
        warned(berit, live_server)
        idle(live_server, berit, 0)
        berit.panel_button.focus()
        covered: list[Any] = berit.page.evaluate(
            """() => { window.covered = [];
            new MutationObserver(() => window.covered.push(document.body.className))
              .observe(document.body, { attributes: true, attributeFilter: ['class'] });
            return window.covered; }"""
        )
        assert covered == []
        with berit.page.expect_response("**/innlogget"):
            berit.page.clock.fast_forward("02:00")
        expect(berit.page.locator("#utlop")).to_be_empty()
        assert berit.page.evaluate("window.covered") == []
        expect(berit.panel_button).to_be_focused()
