"""The overview in the browser: sorting, paging, downloads, and the view of another municipality."""

import csv
import io
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from services.core.collation import sort_key
from tests.browser.caseworker import Caseworker, days_ago
from tests.browser.conftest import AtScreen, Someone
from tests.support.overview_screen import COLUMNS


def shown_order(user: Caseworker) -> list[str]:
    """The numbers on screen from the top."""
    return user.rows.locator("td:first-child a").all_inner_texts()


def names(user: Caseworker) -> list[str]:
    """The names on screen from the top, without remarks about missing fields."""
    return [name.splitlines()[0] for name in user.rows.locator("td:nth-child(2)").all_inner_texts()]


def is_whole_page(page: Page) -> None:
    """Check that the page is not a bare fragment, nor nested in itself."""
    expect(page.get_by_role("banner")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Deltakeroversikt")
    expect(page.get_by_role("table")).to_have_count(1)


def test_three_clicks_sort_and_restore(at_screen: AtScreen) -> None:
    """Guide 3.2; the focus stays on the header, and the address has the order."""
    with at_screen("berit.bergen") as (berit, _watch):
        default = shown_order(berit)
        expect(berit.header("Navn")).to_have_attribute("aria-sort", "none")
        for order, address in (("ascending", "sorter=navn"), ("descending", "sorter=navn&retning=synkende")):
            berit.header("Navn").get_by_role("link").click()
            expect(berit.header("Navn")).to_have_attribute("aria-sort", order)
            expect(berit.header("Navn").get_by_role("link")).to_be_focused()
            assert berit.page.url.endswith(f"/deltakere?{address}")
            assert names(berit) == sorted(names(berit), key=sort_key, reverse=order == "descending")
        expect(berit.page.get_by_role("status")).to_have_text(
            re.compile(r"^\d+ deltakere\. Sortert etter navn, synkende\.$")
        )
        berit.header("Navn").get_by_role("link").press("Enter")
        expect(berit.header("Navn")).to_have_attribute("aria-sort", "none")
        expect(berit.header("Navn").get_by_role("link")).to_be_focused()
        assert shown_order(berit) == default
        assert berit.page.url.endswith("/deltakere")


def test_back_forward_and_reload_keep_the_order(at_screen: AtScreen) -> None:
    """Each shows a whole page in the order of its address."""
    with at_screen("berit.bergen") as (berit, _watch):
        page, orders = berit.page, [shown_order(berit)]
        for label in ("Oppstart", "Kommune"):
            berit.header(label).get_by_role("link").click()
            expect(berit.header(label)).to_have_attribute("aria-sort", "ascending")
            orders.append(shown_order(berit))
        moves = [(page.reload, 2), (page.go_back, 1), (page.go_back, 0), (page.go_forward, 1), (page.reload, 1)]
        for move, expected in moves:
            move()
            sorted_by = ["none", "ascending", "none"][expected]
            expect(berit.header("Oppstart")).to_have_attribute("aria-sort", sorted_by)
            is_whole_page(page)
            assert shown_order(berit) == orders[expected]


def test_sorting_without_javascript(at_screen: AtScreen) -> None:
    """The headers are plain links."""
    with at_screen("berit.bergen", javascript=False) as (berit, _watch):
        berit.header("Navn").get_by_role("link").click()
        expect(berit.header("Navn")).to_have_attribute("aria-sort", "ascending")
        assert names(berit) == sorted(names(berit), key=sort_key)
        is_whole_page(berit.page)


def all_pages(user: Caseworker) -> list[list[str]]:
    """The cells of all rows, page after page."""
    rows: list[list[str]] = []
    while True:
        rows += [user.cells(row) for row in user.rows.all()]
        onwards = user.page.get_by_role("navigation", name="Sider").get_by_role("link", name="Neste", exact=True)
        if not onwards.count():
            return rows
        first = shown_order(user)[0]
        onwards.click()
        expect(user.rows.first).not_to_contain_text(first)


def download(user: Caseworker, name: str) -> list[list[str]]:
    """The rows of the file behind a link, as a spreadsheet reads them."""
    with user.page.expect_download() as waiting:
        user.go(name)
    content = Path(waiting.value.path()).read_bytes()
    assert content.startswith("\ufeff".encode())
    assert content.endswith(b"\r\n")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def as_on_screen(row: list[str]) -> list[str]:
    """A row of the screen as in the file: zeros kept by a tab, without remarks about missing fields."""
    number, name, *rest = row
    return [f"\t{number}", name.splitlines()[0], *rest]


def test_downloads_hold_what_the_screen_shows(at_screen: AtScreen) -> None:
    """Guide 5: the same columns and rows in the same order, all pages of them; and the full data set."""
    with at_screen("kari.oslo") as (kari, _watch):
        kari.header("Oppstart").get_by_role("link").click()
        expect(kari.header("Oppstart")).to_have_attribute("aria-sort", "ascending")
        overview = download(kari, "Last ned deltakeroversikt")
        full = download(kari, "Last ned fullt datasett")
        shown = all_pages(kari)
        assert overview == [COLUMNS, *map(as_on_screen, shown)]
        assert len(shown) == kari.count() > 25
        assert [row[0] for row in full[1:]] == [row[0] for row in overview[1:]]
        for place in (0, len(shown_order(kari)) - 1):
            _data_page_agrees(kari, place, full)


def _data_page_agrees(user: Caseworker, place: int, full: list[list[str]]) -> None:
    """Check that the page of registered data of a row agrees with the full data set."""
    row = user.rows.nth(place)
    number = row.get_by_role("link").first.inner_text()
    registered = next(dict(zip(full[0], line, strict=True)) for line in full if line[0].strip() == number)
    row.get_by_role("button", name="Handlinger for").click()
    row.get_by_role("link", name="Se data", exact=True).click()
    user.stands_at("Oversikt over registrerte data")
    shown = user.registered_data()
    shared = shown.keys() & registered.keys()
    assert {"Fødselsnummer", "Bydel", "Finansiering", "Status", "Målgruppe ved oppstart", "Mål"} <= shared
    for label in shared - {"Opprettet", "Sist endret"}:  # the page also has the time of day and the user
        said = shown[label].replace("Ikke registrert", "")
        number = re.sub(r"(?<=[0-9])( %| timer? per uke)$", "", said)  # a file has numbers without their units
        assert (label, registered[label].strip()) in {(label, said), (label, number)}
    user.page.go_back()
    is_whole_page(user.page)


def test_oslo_has_districts(at_screen: AtScreen, someone: Someone) -> None:
    """Only Oslo's users see the column Bydel; creating requires a bydel."""
    person = someone()
    with at_screen("kari.oslo") as (kari, _watch):
        expect(kari.header("Bydel")).to_be_visible()
        kari.begin(person)
        kari.answer("Dato for oppstart", days_ago(20))
        kari.press("Neste")
        summary = kari.page.get_by_role("group", name="For å gå videre må du rette opp følgende")
        expect(summary).to_be_focused()
        summary.get_by_role("link", name="Bydel").press("Enter")
        expect(kari.field("Bydel")).to_be_focused()
        expect(kari.field("Bydel")).to_have_attribute("aria-invalid", "true")
        expect(kari.field("Dato for oppstart")).to_have_value(days_ago(20))
        kari.answer("Bydel", "Grünerløkka")
        kari.press("Neste")
        kari.stands_at("Bakgrunn")
        kari.go("Deltakere")
        assert kari.cells(kari.row_of(person))[2:5] == ["Oslo", "Grünerløkka", days_ago(20)]


def test_another_municipality_finds_nothing(at_screen: AtScreen, someone: Someone) -> None:
    """Neither in list, count, downloads nor by address. After deletion the own municipality does not see the
    participant either; IMDi does."""
    person = someone()
    with (
        at_screen("berit.bergen") as (berit, _),
        at_screen("kari.oslo") as (kari, _),
        at_screen("ida.imdi") as (ida, _),
    ):
        before = kari.count()
        berit.create(person)
        address = re.sub(r"bakgrunn$", "", berit.page.url)
        _finds_nothing(kari, person.number, address)
        assert kari.count() == before
        berit.page.goto(f"{address}slett")
        berit.press("Slett deltaker")
        berit.page.get_by_label("Registrert ved en feil", exact=True).check()
        berit.press("Ja, slett deltaker")
        berit.stands_at("Deltakeroversikt")
        _finds_nothing(berit, person.number, address)
        ida.page.reload()
        row = ida.row_of(person)
        expect(row).to_contain_text(f"Slettet {days_ago(0)} av berit.bergen")
        ida.choose_in_menu(person, "Se data")
        ida.stands_at(person.full_name)


def _finds_nothing(user: Caseworker, number: str, address: str) -> None:
    for page in ("person", "bakgrunn", "programinnhold", "avslutning", "data", "historikk", "slett"):
        assert (user.status_of(address + page), page) == (404, page)
    user.page.goto("/deltakere")
    for name in ("Last ned deltakeroversikt", "Last ned fullt datasett"):
        rows = download(user, name)
        assert len(rows) - 1 == user.count()
        assert not any(number in text for row in rows for text in row)
    assert not user.page.get_by_role("link", name=number).count()
