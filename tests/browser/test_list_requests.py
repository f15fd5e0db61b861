"""Presses right after typing: a file has the form's criteria, one Enter makes one request, and no field moves away."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Download, Locator, Page, expect

from tests.browser.caseworker import Caseworker
from tests.browser.conftest import AtScreen
from tests.browser.slow_line import SlowLine

SEARCHES = "**/deltakere/sok"
FILES = ("oversikt.csv", "oversikt.xlsx", "fullt-datasett.csv", "fullt-datasett.xlsx")
NAMES = {
    "oversikt.csv": "Last ned deltakeroversikt",
    "oversikt.xlsx": "Last ned deltakeroversikt som Excel-fil",
    "fullt-datasett.csv": "Last ned fullt datasett",
    "fullt-datasett.xlsx": "Last ned fullt datasett som Excel-fil",
}
PRESSED: dict[str, Callable[[Locator], None]] = {
    "mouse": lambda link: link.click(),
    "enter": lambda link: link.press("Enter"),
    "assistive": lambda link: link.evaluate("one => one.click()"),  # the field keeps the focus
}


def a_name(user: Caseworker) -> str:
    """A name of some participants, not of all."""
    return user.column("Navn").first.inner_text().splitlines()[0].split()[0]


def query_of(address: str) -> str:
    return urlsplit(address).query


def holds_the_list(user: Caseworker, download: Download) -> None:
    """Check that the file has the filtered list on screen."""
    assert query_of(download.url) == query_of(user.page.url) != ""
    if download.suggested_filename.endswith(".csv"):
        lines = download.path().read_bytes().count(b"\r\n")
        assert lines == user.count() + 1


@pytest.mark.parametrize("way", PRESSED)
@pytest.mark.parametrize("file", FILES)
def test_a_file_waits_for_what_has_been_typed(at_screen: AtScreen, file: str, way: str) -> None:
    with at_screen("ida.imdi") as (ida, _watch):
        ida.open_panel()
        before, line = ida.count(), SlowLine(ida.page, SEARCHES)
        downloads: list[str] = []
        ida.page.on("download", lambda one: downloads.append(one.url))
        link = ida.page.get_by_role("link", name=NAMES[file], exact=True)
        ida.search_field.fill(a_name(ida))
        PRESSED[way](link)
        line.wait_for(1)
        PRESSED[way](link)  # a second press downloads no second file
        ida.page.wait_for_timeout(300)
        assert downloads == []
        with ida.page.expect_download() as told:
            line.let_go()
        expect(ida.chips).to_have_count(1)
        assert ida.count() < before
        holds_the_list(ida, told.value)
        expect(link).to_be_focused()
        assert len(downloads) == 1


def test_a_file_waits_for_enter_for_a_chip_and_for_an_order(at_screen: AtScreen) -> None:
    """Whatever request is running, and in the order of the presses."""
    with at_screen("ida.imdi") as (ida, _watch):
        ida.open_panel()
        line = SlowLine(ida.page, SEARCHES)
        link = ida.page.get_by_role("link", name=NAMES["oversikt.csv"], exact=True)
        ida.search_field.fill(f"{a_name(ida)}, zzyx")
        ida.search_field.press("Enter")
        line.wait_for(1)
        with ida.page.expect_download() as told:
            link.click()
            line.let_go()
        expect(ida.chips).to_have_count(2)
        holds_the_list(ida, told.value)
        ida.chip("Søk zzyx").click()
        line.wait_for(2)
        ida.header("Navn").get_by_role("link").click()
        with ida.page.expect_download() as told:
            link.click()
            line.let_go()
        expect(ida.header("Navn")).to_have_attribute("aria-sort", "ascending")
        holds_the_list(ida, told.value)
        assert "sorter=navn" in told.value.url


def test_what_was_not_answered_is_asked_again_before_a_file(at_screen: AtScreen) -> None:
    with at_screen("ida.imdi") as (ida, watch):
        watch.expect_lost_line()
        ida.open_panel()
        ida.page.route(SEARCHES, lambda route: route.abort(), times=1)
        link = ida.page.get_by_role("link", name=NAMES["oversikt.csv"], exact=True)
        ida.search_field.fill(a_name(ida))
        link.click()
        expect(ida.page.get_by_role("alert")).to_contain_text("Ingen kontakt med registeret")
        with ida.page.expect_download() as told:
            link.click()
        expect(ida.chips).to_have_count(1)
        holds_the_list(ida, told.value)


@pytest.mark.parametrize("way", PRESSED)
def test_the_file_of_the_access_log_waits_too(at_screen: AtScreen, way: str) -> None:
    with at_screen("admin.imdi") as (admin, _watch):
        admin.page.goto("/tilgangslogg")
        line = SlowLine(admin.page, "**/tilgangslogg/sok")
        admin.field("Brukernavn eller PersonId").fill("admin.imdi")
        PRESSED[way](admin.page.get_by_role("link", name="Last ned som CSV"))
        line.wait_for(1)
        with admin.page.expect_download() as told:
            line.let_go()
        admin.has_answer()
        assert query_of(told.value.url) == query_of(admin.page.url) != ""


# ---- One Enter, one request ----


@pytest.mark.parametrize(
    ("address", "label", "searches"),
    [
        ("/tilgangslogg", "Brukernavn eller PersonId", "/tilgangslogg/sok"),
        ("/tilgangslogg", "Fra og med", "/tilgangslogg/sok"),
        ("/brukere", "Søk etter bruker", "/brukere/sok"),
        ("/deltakere", "Søk på fødselsnummer, PersonId eller navn", "/deltakere/sok"),
        ("/deltakere", "Kommune", "/deltakere/sok"),
        ("/deltakere", "Sist endret av", "/deltakere/sok"),
        ("/deltakere", "Oppstart fra", "/deltakere/sok"),
    ],
)
def test_one_enter_makes_one_request(at_screen: AtScreen, address: str, label: str, searches: str) -> None:
    """Enter sends everything, leaving the field sends nothing more, at any speed; another value makes a request."""
    values = {"Fra og med": ("01.01.2020", "01.01.2021"), "Oppstart fra": ("01.01.2020", "01.01.2021")}
    values |= {"Kommune": ("Bergen", "Askøy")}
    first, second = values.get(label, ("ida.imdi", "kari.oslo"))
    with at_screen("admin.imdi") as (admin, _watch):
        admin.page.goto(address)
        if address == "/deltakere":
            admin.open_panel()
        asked: list[str] = []
        admin.page.on("request", lambda one: asked.append(one.url) if one.url.endswith(searches) else None)
        field = admin.field(label)
        for number, value in enumerate((first, second), start=1):
            field.fill(value)
            with admin.page.expect_response(lambda answer: answer.url.endswith(searches)):
                field.press("Enter")
                field.press("Tab")
            admin.has_answer()
            admin.page.wait_for_timeout(300)
            assert len(asked) == number


# ---- Nothing moves under the mouse ----


def boxes(page: Page) -> dict[str, dict[str, float]]:
    """The positions of the panel's controls on the page, without the buttons that stick to the bottom on a phone."""
    found: dict[str, dict[str, float]] = page.evaluate(
        """() => {
          const controls = [...document.querySelectorAll('#panel :is(input, textarea, select, button, summary)')];
          const seen = controls.filter(one => one.getClientRects().length && !one.closest('.actions'));
          return Object.fromEntries(seen.map((one, n) => {
            const {x, y, width, height} = one.getBoundingClientRect();
            return [one.id || `${one.tagName} ${n}`, {x, y: y + scrollY, width, height}];
          }));
        }"""
    )
    return found


@pytest.mark.parametrize("width", [1280, 1000, 360])
@pytest.mark.parametrize("username", ["kari.oslo", "ida.imdi"])
def test_filters_leave_the_panel_where_it_is(at_screen: AtScreen, username: str, width: int) -> None:
    """The first one, and all after it, until they are removed again."""
    with at_screen(username) as (user, _watch):
        user.page.set_viewport_size({"width": width, "height": 800})
        user.open_panel()
        before = boxes(user.page)
        assert len(before) > 10
        for number, choice in enumerate(("Opprettet", "Endret", "Avsluttet", "Utskrevet"), start=1):
            user.group("Status").get_by_label(choice, exact=True).check()
            expect(user.chips).to_have_count(number)
            user.has_answer()
            assert boxes(user.page) == before, f"{number} filters"
        user.field("Sist endret av").fill(", ".join(f"bruker.nummer{n}" for n in range(30)))
        user.field("Sist endret av").press("Enter")
        expect(user.chips.nth(10)).to_be_attached()
        user.has_answer()
        last = user.chip("Status Utskrevet")
        last.click()
        expect(last).to_have_count(0)
        clear = user.page.get_by_role("button", name="Fjern alle filtre")
        expect(clear).to_be_in_viewport(ratio=1)
        clear.click()
        expect(user.chips).to_have_count(0)
        user.has_answer()
        assert boxes(user.page) == before
