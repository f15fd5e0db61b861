"""The end of a session, by the browser's clock: «Forleng», and requests that do not postpone the warning."""

from playwright.sync_api import expect

from tests.browser.conftest import AtScreen, Someone
from tests.browser.visits import idle, with_clock
from tests.support.browser import assert_accessible
from tests.support.server import LiveServer

ASKED = "**/innlogget"


def test_two_minutes_before_the_end_there_is_a_warning(at_screen: AtScreen, live_server: LiveServer) -> None:
    with at_screen("kari.oslo") as (kari, _watch):
        with_clock(kari)
        kari.page.clock.fast_forward("27:30")
        expect(kari.page.get_by_role("alert")).to_have_count(0)
        idle(live_server, kari, 28.5)
        kari.page.clock.fast_forward("00:31")
        expect(kari.page.get_by_role("alert")).to_contain_text("Du blir logget ut om")
        assert_accessible(kari.page)
        kari.press("Forleng")
        expect(kari.page.get_by_role("alert")).to_have_count(0)
        with kari.page.expect_response(ASKED) as asked:
            kari.page.clock.fast_forward("28:01")
        assert asked.value.status == 204  # it has been prolonged, so there is no warning yet


def test_what_nobody_asked_for_does_not_put_the_warning_off(at_screen: AtScreen, someone: Someone) -> None:
    """Returning to a form asks for changes by others, which does not prolong the session: the page knows."""
    with at_screen("berit.bergen") as (berit, _watch):
        berit.create(someone())
        berit.stands_at("Bakgrunn")
        with_clock(berit)
        berit.page.clock.fast_forward("20:00")
        with berit.page.expect_response("**/lagre"):
            berit.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
        with berit.page.expect_response(ASKED):
            berit.page.clock.fast_forward("08:01")


def test_who_does_something_is_warned_later(at_screen: AtScreen) -> None:
    with at_screen("kari.oslo") as (kari, _watch):
        with_clock(kari)
        asked: list[str] = []
        kari.page.on("request", lambda request: asked.append(request.url))
        kari.page.clock.fast_forward("20:00")
        kari.open_panel()
        kari.page.clock.fast_forward("27:00")
        assert not [url for url in asked if url.endswith("/innlogget")]
        with kari.page.expect_response(ASKED):
            kari.page.clock.fast_forward("01:01")
