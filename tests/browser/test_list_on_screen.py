"""What stays on screen when the list is requested again: focus, place, user; and what is never shown."""

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from services.demo import PASSWORD
from tests.browser.caseworker import Caseworker
from tests.browser.conftest import AtScreen
from tests.browser.slow_line import SlowLine
from tests.support.browser import NARROW

SEARCHES = "**/deltakere/sok"


def box(user: Caseworker, choice: str) -> Locator:
    """A choice of «Status»."""
    return user.group("Status").get_by_label(choice, exact=True)


def cut(page: Page, address: str) -> None:
    """Cut the connection for the next request to an address."""
    page.route(address, lambda route: route.abort(), times=1)


def focus(page: Page) -> str:
    """The tag of the focused element, with its id."""
    return str(page.evaluate("document.activeElement.tagName + '#' + document.activeElement.id"))


# ---- Focus ----


def test_focus_is_never_lost_to_an_answer(at_screen: AtScreen) -> None:
    """Wherever it is meanwhile: to the list if it was in the old rows, to the panel's button from the chips."""
    with at_screen("kari.oslo") as (kari, _watch):
        page = kari.page
        kari.open_panel()
        line = SlowLine(page, SEARCHES)
        places = (
            (kari.rows.first.get_by_role("link"), "DIV#resultat"),
            (page.get_by_role("region", name="Deltakere"), "DIV#resultat"),
            (page.get_by_role("link", name="Last ned deltakeroversikt", exact=True), "A#oversikt.csv"),
            (kari.chips.first, "BUTTON#panel-bryter"),
        )
        for number, (place, wanted) in enumerate(places, start=1):
            box(kari, ("Opprettet", "Endret", "Avsluttet", "Opprettet")[number - 1]).click()
            line.wait_for(number)
            place.focus()
            line.let_go()
            kari.has_answer()
            assert focus(page) == wanted, number


def test_trying_again_gives_the_focus_back(at_screen: AtScreen) -> None:
    with at_screen("kari.oslo") as (kari, watch):
        watch.expect_lost_line()
        kari.open_panel()
        asked = (box(kari, "Endret"), SEARCHES), (kari.header("Navn").get_by_role("link"), "**/deltakere?**")
        for control, address in asked:
            cut(kari.page, address)
            control.focus()
            control.press("Enter" if address != SEARCHES else "Space")
            again = kari.page.get_by_role("button", name="Prøv igjen")
            again.press("Enter")
            expect(again).to_have_count(0)
            kari.has_answer()
            expect(control).to_be_focused()
        kari.has_chips("Status Endret")


def test_on_a_phone_who_asks_for_the_list_is_led_to_what_is_wrong(at_screen: AtScreen) -> None:
    with at_screen("kari.oslo") as (kari, _watch):
        kari.page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
        kari.open_panel()
        kari.search_field.fill("\n".join(str(number) for number in range(401)))
        kari.field("Sist endret av").fill("per.oslo")
        kari.press("Vis deltakerne")
        expect(kari.search_field).to_be_focused()
        expect(kari.search_field).to_be_in_viewport()
        expect(kari.search_field).to_have_attribute("aria-invalid", "true")


def test_the_panel_stays_open_over_an_error(at_screen: AtScreen) -> None:
    """× right after typing: the error is shown, and the typed text stays."""
    with at_screen("kari.oslo") as (kari, _watch):
        kari.open_panel()
        kari.field("Oppstart fra").fill("32.13.2020")
        kari.press("Lukk søk og filter")
        expect(kari.field("Oppstart fra")).to_have_attribute("aria-invalid", "true")
        expect(kari.field("Oppstart fra")).to_be_focused()
        expect(kari.field("Oppstart fra")).to_have_value("32.13.2020")
        kari.field("Oppstart fra").fill("")
        kari.has_answer()
        kari.press("Lukk søk og filter")
        expect(kari.search_field).to_be_hidden()


# ---- Panel and list agree ----


def test_a_lost_filter_goes_before_what_is_pressed_next(at_screen: AtScreen) -> None:
    with at_screen("kari.oslo") as (kari, watch):
        watch.expect_lost_line()
        kari.open_panel()
        cut(kari.page, SEARCHES)
        box(kari, "Avsluttet").check()
        expect(kari.page.get_by_role("alert")).to_contain_text("Ingen kontakt")
        kari.header("Navn").get_by_role("link").click()
        expect(kari.header("Navn")).to_have_attribute("aria-sort", "ascending")
        kari.has_chips("Status Avsluttet")
        expect(kari.page.get_by_role("alert")).to_have_count(0)
        cut(kari.page, SEARCHES)
        box(kari, "Endret").check()
        expect(kari.page.get_by_role("alert")).to_contain_text("Ingen kontakt")
        kari.press("Lukk søk og filter")
        expect(kari.search_field).to_be_hidden()
        kari.header("Oppstart").get_by_role("link").click()
        expect(kari.header("Oppstart")).to_have_attribute("aria-sort", "ascending")
        kari.has_chips("Status Avsluttet")


def test_the_panel_closes_after_what_is_yet_to_be_sent_from_it(at_screen: AtScreen) -> None:
    """A box checked while another request is running, and × right after it."""
    with at_screen("kari.oslo") as (kari, _watch):
        kari.open_panel()
        box(kari, "Endret").check()
        kari.has_chips("Status Endret")
        line = SlowLine(kari.page, "**/deltakere?**")
        kari.header("Navn").get_by_role("link").click()
        line.wait_for(1)
        box(kari, "Opprettet").check()
        kari.press("Lukk søk og filter")
        line.let_go()
        kari.has_chips("Status Opprettet", "Status Endret")
        expect(kari.search_field).to_be_hidden()
        expect(kari.header("Navn")).to_have_attribute("aria-sort", "ascending")


def test_what_a_proxy_says_is_a_lost_answer(at_screen: AtScreen) -> None:
    with at_screen("kari.oslo") as (kari, watch):
        watch.expect_status(502)
        watch.expect_lost_line()
        page = kari.page
        page.goto("/deltakere?sorter=navn&antall=50")
        kari.open_panel()
        rows, title = kari.column("Fødselsnummer").all_inner_texts(), page.title()

        def fail(route: Route) -> None:
            body = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
            route.fulfill(status=502, content_type="text/html", body=body)

        page.route(SEARCHES, fail, times=1)
        box(kari, "Endret").check()
        expect(page.get_by_role("alert")).to_contain_text("Ingen kontakt")
        assert (kari.column("Fødselsnummer").all_inner_texts(), page.title()) == (rows, title)
        kari.press("Prøv igjen")
        kari.has_chips("Status Endret")
        assert page.url.endswith("/deltakere?status=endret&antall=50&sorter=navn")


def test_unfolded_chips_stay_so(at_screen: AtScreen) -> None:
    with at_screen("kari.oslo") as (kari, _watch):
        kari.open_panel()
        kari.search(", ".join(f"{number:011}" for number in range(25)))
        fold = kari.page.get_by_text("5 verdier til")
        fold.click()
        kari.chip("Søk 00000000000").click()
        expect(kari.page.get_by_text("4 verdier til")).to_be_visible()
        expect(kari.chip("Søk 00000000024")).to_be_visible()


# ---- Two tabs ----


def test_another_tab_has_begun_another_visit(at_screen: AtScreen) -> None:
    """Of the same user: the list continues. Of another user: the page is reloaded."""
    with at_screen("kari.oslo") as (kari, _watch):
        kari.open_panel()
        other = Caseworker(kari.page.context.new_page())
        other.page.goto("/deltakere")
        other.press("Logg ut")
        other.sign_in("kari.oslo")
        box(kari, "Endret").check()
        kari.has_chips("Status Endret")
        expect(kari.page.locator("#varsler")).to_be_empty()
        other.press("Logg ut")
        other.sign_in("berit.bergen")
        kari.header("Navn").get_by_role("link").click()
        expect(kari.page.get_by_role("link", name="Berit")).to_be_visible()
        assert {one.inner_text() for one in kari.column("Kommune").all()} == {"Bergen"}


# ---- The place in the table ----


@pytest.mark.parametrize("way", ["back", "reload"])
def test_a_table_that_scrolls_stands_where_it_stood(at_screen: AtScreen, way: str) -> None:
    with at_screen("ida.imdi") as (ida, _watch):
        page = ida.page
        page.set_viewport_size({"width": 768, "height": 900})
        page.goto("/deltakere?antall=100&sorter=navn")
        row = ida.rows.nth(60)
        row.scroll_into_view_if_needed()
        expect(row).to_be_in_viewport()
        if way == "back":
            row.get_by_role("link").first.click()
            page.wait_for_url("**/data")
            page.go_back()
        else:
            page.reload()
        expect(ida.rows.nth(60)).to_be_in_viewport()
        expect(ida.rows.first).not_to_be_in_viewport()
        page.goto("/deltakere?antall=50&sorter=navn")
        expect(ida.rows.first).to_be_in_viewport()


@pytest.mark.parametrize("size", [(768, 900), NARROW])
def test_a_sorted_column_stays_in_sight(at_screen: AtScreen, size: tuple[int, int]) -> None:
    with at_screen("ida.imdi") as (ida, _watch):
        ida.page.set_viewport_size({"width": size[0], "height": size[1]})
        heading = ida.header("Sist endret av")
        heading.get_by_role("link").focus()
        for order in ("ascending", "descending"):
            ida.page.keyboard.press("Enter")
            expect(heading).to_have_attribute("aria-sort", order)
            expect(heading.get_by_role("link")).to_be_in_viewport(ratio=0.9)


def test_signing_in_again_is_for_the_same_list(at_screen: AtScreen) -> None:
    """After a download that met the end of the session."""
    with at_screen("kari.oslo") as (kari, _watch):
        kari.page.goto("/deltakere?status=endret&sorter=navn")
        kari.page.context.clear_cookies()
        kari.go("Last ned deltakeroversikt")
        kari.page.get_by_label("Brukernavn").fill("kari.oslo")
        kari.page.get_by_label("Passord").fill(PASSWORD)
        kari.press("Logg inn")
        kari.stands_at("Deltakeroversikt")
        kari.has_chips("Status Endret")
