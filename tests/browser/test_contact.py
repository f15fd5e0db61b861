"""Responses of a machine in between instead of the program: none of it gets into the page, there is a message, the
request is tried again, and typed values are neither lost nor reported as saved."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from services.demo import PASSWORD
from tests.browser.caseworker import Caseworker
from tests.browser.conftest import AtScreen, Someone
from tests.browser.saving import begin, is_saved
from tests.browser.slow_line import SlowLine

PORTAL = (
    "<html><head><title>Gjestenett</title></head><body><h1>Velkommen til gjestenettet</h1>"
    '<form id="registrering"><input name="version" value="9"></form></body></html>'
)
SAVES = re.compile("/lagre$")
BACKGROUND = re.compile("/bakgrunn$")
SEARCHES = "**/deltakere/sok"
ANOTHER = "ingen kontakt med registeret, et annet system svarte"
ANSWERS = [
    pytest.param(200, {}, ANOTHER, id="200"),
    pytest.param(204, {}, ANOTHER, id="204"),
    pytest.param(302, {"Location": "/gjestenett"}, ANOTHER, id="redirect"),
    pytest.param(401, {}, ANOTHER, id="401"),
    pytest.param(403, {"HX-Trigger": "varighet", "HX-Redirect": "/gjestenett"}, ANOTHER, id="403"),
    pytest.param(408, {}, "sendingen tok for lang tid", id="408"),
    pytest.param(413, {}, "det som ble sendt, er for stort", id="413"),
    pytest.param(429, {"Retry-After": "1"}, "for mange forespørsler på kort tid", id="429"),
    pytest.param(431, {}, "nettleseren sendte for mye", id="431"),
    pytest.param(502, {}, ANOTHER, id="502"),
]
Between = Callable[[Route], None]


def between(status: int, headers: dict[str, str]) -> Between:
    """A machine that responds by itself."""

    def answer(route: Route) -> None:
        route.fulfill(status=status, headers=headers, content_type="text/html", body="" if status == 204 else PORTAL)

    return answer


def put_between(user: Caseworker, watch: Any, address: Any, status: int = 200, **headers: str) -> None:
    """Let the machine respond at an address from now on."""
    watch.expect_status(status)
    watch.expect_lost_line()
    user.page.route("**/gjestenett", between(200, {}))
    user.page.route(address, between(status, headers))


def is_untouched(page: Page, address: str, title: str) -> None:
    """Check that nothing of the other machine's page is shown."""
    assert (page.url, page.title()) == (address, title)
    expect(page.get_by_text("gjestenettet")).to_have_count(0)


@pytest.mark.parametrize(("status", "headers", "words"), ANSWERS)
def test_an_autosave(at_screen: AtScreen, someone: Someone, status: int, headers: dict[str, str], words: str) -> None:
    with at_screen("berit.bergen") as (berit, watch):
        address = begin(berit, someone, "Bakgrunn")
        title = berit.page.title()
        put_between(berit, watch, SAVES, status, **headers)
        berit.answer("Rekrutteringskanal", "Nav")
        state = berit.page.locator("#tilstand")
        expect(state).to_contain_text(f"Ikke lagret: {words}")
        is_untouched(berit.page, address, title)
        berit.page.unroute(SAVES)
        state.get_by_role("button", name="Prøv igjen").click()
        is_saved(berit)
        berit.page.reload()
        expect(berit.field("Rekrutteringskanal")).to_have_value("nav")


@pytest.mark.parametrize(("status", "headers", "words"), [ANSWERS[0], ANSWERS[2], ANSWERS[4], ANSWERS[7]])
def test_a_whole_form(at_screen: AtScreen, someone: Someone, status: int, headers: dict[str, str], words: str) -> None:
    with at_screen("berit.bergen") as (berit, watch):
        address = begin(berit, someone, "Bakgrunn")
        title = berit.page.title()
        berit.answer("Rekrutteringskanal", "Nav")
        is_saved(berit)
        put_between(berit, watch, BACKGROUND, status, **headers)
        berit.press_step("Avslutning")
        notice = berit.page.get_by_role("alert")
        expect(notice).to_contain_text(words, ignore_case=True)
        expect(notice).to_be_in_viewport()
        is_untouched(berit.page, address, title)
        expect(berit.field("Rekrutteringskanal")).to_have_value("nav")
        berit.page.unroute(BACKGROUND)
        notice.get_by_role("button", name="Prøv igjen").click()
        berit.stands_at("Avslutning")


def test_the_list_is_asked_again_by_itself(at_screen: AtScreen) -> None:
    with at_screen("kari.oslo") as (kari, watch):
        kari.open_panel()
        address, title, rows = kari.page.url, kari.page.title(), kari.column("Fødselsnummer").all_inner_texts()
        put_between(kari, watch, SEARCHES, 200)
        kari.group("Status").get_by_label("Endret", exact=True).check()
        expect(kari.page.get_by_role("alert")).to_contain_text("Ingen kontakt med registeret")
        is_untouched(kari.page, address, title)
        assert kari.column("Fødselsnummer").all_inner_texts() == rows
        kari.page.unroute(SEARCHES)
        kari.has_chips("Status Endret")
        expect(kari.page.get_by_role("alert")).to_have_count(0)


def test_the_tries_are_bounded(at_screen: AtScreen, someone: Someone) -> None:
    """The pauses grow, and finally it waits for the user."""
    with at_screen("berit.bergen") as (berit, watch):
        begin(berit, someone, "Bakgrunn")
        berit.page.clock.install()
        berit.page.reload()
        tries: list[str] = []
        watch.expect_status(403)
        watch.expect_lost_line()

        def refuse(route: Route) -> None:
            tries.append(route.request.url)
            route.fulfill(status=403, body=PORTAL)

        berit.page.route(SAVES, refuse)
        berit.answer("Rekrutteringskanal", "Nav")
        state = berit.page.locator("#tilstand")
        expect(state).to_contain_text("Ikke lagret")
        by_minute = []
        for _minute in range(12):
            before = len(tries)
            for _second in range(30):
                berit.page.clock.run_for(2000)
            by_minute.append(len(tries) - before)
        assert by_minute[0] > by_minute[2] > 0
        assert by_minute[-4:] == [0, 0, 0, 0]
        berit.page.unroute(SAVES)
        berit.page.clock.resume()
        state.get_by_role("button", name="Prøv igjen").click()
        is_saved(berit)


def test_leaving_asks_while_it_is_not_saved(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("berit.bergen") as (berit, watch):
        address = begin(berit, someone, "Bakgrunn")
        put_between(berit, watch, SAVES)
        berit.answer("Rekrutteringskanal", "Nav")
        expect(berit.page.locator("#tilstand")).to_contain_text("Ikke lagret")
        asked: list[str] = []

        def stay(dialog: Any) -> None:
            asked.append(dialog.type)
            dialog.dismiss()

        berit.page.on("dialog", stay)
        berit.page.close(run_before_unload=True)
        berit.page.wait_for_timeout(500)
        assert asked == ["beforeunload"]
        assert berit.page.url == address
        berit.page.unroute(SAVES)
        berit.press("Prøv igjen")
        is_saved(berit)


def test_a_slow_server_is_not_called_a_lost_line(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("berit.bergen") as (berit, watch):
        watch.expect_lost_line()
        begin(berit, someone, "Bakgrunn")
        berit.page.clock.install()
        berit.page.reload()
        line = SlowLine(berit.page, "**/lagre")
        berit.answer("Rekrutteringskanal", "Nav")
        line.wait_for(1)
        berit.page.clock.fast_forward("00:21")
        state = berit.page.locator("#tilstand")
        expect(state).to_contain_text("Ikke lagret: registeret svarer sent")
        expect(state).not_to_contain_text("kontakt")
        berit.page.clock.resume()
        state.get_by_role("button", name="Prøv igjen").click()
        line.wait_for(2)
        line.let_go()
        is_saved(berit)


def test_the_dialog_stays(at_screen: AtScreen) -> None:
    """Signing in again over a page: a portal's response replaces neither the page nor the dialog."""
    with at_screen("kari.oslo") as (kari, watch):
        kari.page.context.clear_cookies()
        kari.header("Navn").get_by_role("link").click()
        dialog = kari.page.get_by_role("dialog")
        dialog.get_by_label("Passord").fill(PASSWORD)
        put_between(kari, watch, "**/logg-inn")
        dialog.get_by_role("button", name="Logg inn", exact=True).click()
        expect(dialog.get_by_role("alert")).to_contain_text("Ingen kontakt med registeret")
        expect(dialog.get_by_label("Passord")).to_have_value(PASSWORD)
        kari.page.unroute("**/logg-inn")
        dialog.get_by_role("button", name="Prøv igjen").click()
        expect(kari.header("Navn")).to_have_attribute("aria-sort", "ascending")
