"""Searching and filtering: each criterion applies at once, and can be removed (guide 3.4 to 3.8)."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from services.demo import PASSWORD
from tests.browser.caseworker import Caseworker
from tests.browser.conftest import AtScreen
from tests.browser.slow_line import SlowLine
from tests.support.browser import NARROW, WIDE, assert_accessible

SEARCH_ANSWERS = "**/deltakere/sok"
WRONG_DATE = "Skriv en dato som finnes, slik: dd.mm.åååå"
both_ways = pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "without-javascript"])


def box(user: Caseworker, group: str, choice: str) -> Locator:
    """A box of the panel."""
    return user.group(group).get_by_label(choice, exact=True)


def asked(page: Page) -> dict[str, str]:
    """The query of the address."""
    return dict(parse_qsl(urlsplit(page.url).query))


def number_of(user: Caseworker, place: int) -> str:
    """The number of a participant on screen, counted from the top."""
    return user.column("Fødselsnummer").nth(place).inner_text()


def narrows(user: Caseworker, before: int) -> int:
    """Check that count, rows and status line agree and are fewer; returns the count."""
    now = user.count()
    assert 0 < now < before
    words = "deltaker" if now == 1 else "deltakere"
    expect(user.page.get_by_role("status")).to_have_text(re.compile(rf"^{now} {words}\. "))
    expect(user.rows).to_have_count(min(now, 25))
    return now


def test_each_answer_narrows_at_once(at_screen: AtScreen) -> None:
    """A box when it is checked, a date when it is left, Enter and «Søk» in the search; the address has the criteria."""
    with at_screen("ida.imdi") as (ida, _watch):
        name = ida.column("Navn").first.inner_text().splitlines()[0].split()[0]
        ida.open_panel()
        number = ida.count()
        box(ida, "Status", "Endret").check()
        ida.has_chips("Status Endret")
        number = narrows(ida, number)
        assert all(status.startswith("Endret") for status in ida.column("Status").all_inner_texts())
        assert asked(ida.page) == {"status": "endret"}
        expect(box(ida, "Status", "Endret")).to_be_focused()
        ida.field("Oppstart fra").fill("1.1.2024")
        ida.page.keyboard.press("Tab")
        ida.has_chips("Status Endret", "Oppstart fra 01.01.2024")
        number = narrows(ida, number)
        expect(ida.field("Oppstart til")).to_be_focused()
        assert asked(ida.page) == {"status": "endret", "oppstart-fra": "2024-01-01"}
        ida.field("Tid i programmet").select_option(label="Over 24 måneder")
        ida.has_chips("Status Endret", "Oppstart fra 01.01.2024", "I programmet over 24 måneder")
        narrows(ida, number)
        ida.page.get_by_role("button", name="Fjern alle filtre").click()
        expect(ida.chips).to_have_count(0)
        ida.search_field.fill(name)
        ida.page.keyboard.press("Enter")
        ida.has_chips(f"Søk {name}")
        expect(ida.search_field).to_be_focused()
        address = ida.page.url
        expect(ida.search_field).to_have_value(name)
        assert asked(ida.page).keys() == {"sok"}
        ida.search(f"{name}, zzyx")
        ida.has_chips(f"Søk {name}", "Søk zzyx")
        expect(ida.page.get_by_role("heading", name="Ingen treff: zzyx")).to_be_visible()
        assert ida.page.url != address
        assert name not in ida.page.url


@pytest.mark.parametrize("label", ["Søk på fødselsnummer, PersonId eller navn", "Sist endret av", "Oppstart fra"])
def test_enter_and_leaving_ask_once(at_screen: AtScreen, label: str) -> None:
    """Leaving a field whose value Enter has sent makes no request; another value does, and so does «Søk»."""
    with at_screen("kari.oslo") as (kari, _watch):
        questions: list[str] = []
        kari.page.on("request", lambda one: questions.append(one.url) if one.url.endswith("/deltakere/sok") else None)
        kari.open_panel()
        field = kari.field(label)
        field.fill("01.01.2020")
        field.press("Enter")
        expect(kari.chips).to_have_count(1)
        kari.has_answer()
        field.press("Tab")
        expect(field).not_to_be_focused()
        kari.press("Søk")
        kari.has_answer()
        assert len(questions) == 2
        field.fill("01.01.2021")
        field.press("Tab")
        expect(kari.chips.first).to_contain_text("2021")
        kari.has_answer()
        assert len(questions) == 3


def test_a_column_from_a_spreadsheet(at_screen: AtScreen) -> None:
    """Line breaks and tabs separate like commas; whole numbers, with a blank or without; none of it in the address."""
    with at_screen("ida.imdi") as (ida, _watch):
        numbers = [number_of(ida, place) for place in (3, 1, 7)]
        ida.open_panel()
        ida.search_field.focus()
        ida.page.keyboard.insert_text(f"{numbers[0]}\n{numbers[1][:6]} {numbers[1][6:]}\t{numbers[2]}\n")
        ida.press("Søk")
        expect(ida.chips).to_have_count(3)
        assert sorted(ida.column("Fødselsnummer").all_inner_texts()) == sorted(numbers)
        assert re.fullmatch(r"sok=[A-Za-z0-9_-]{16}", urlsplit(ida.page.url).query)
        ida.page.reload()
        assert sorted(ida.column("Fødselsnummer").all_inner_texts()) == sorted(numbers)
        expect(ida.search_field).to_have_value(re.compile(", ".join(n[:6] for n in numbers[:1])))


def three_criteria(user: Caseworker) -> None:
    """Set two boxes and a date in the open panel."""
    user.open_panel()
    box(user, "Status", "Endret").check()
    user.has_chips("Status Endret")
    box(user, "Status", "Opprettet").check()
    user.has_chips("Status Opprettet", "Status Endret")
    user.field("Oppstart fra").fill("01.01.2020")
    user.page.keyboard.press("Tab")
    user.has_chips("Status Opprettet", "Status Endret", "Oppstart fra 01.01.2020")


@pytest.mark.parametrize("by_keyboard", [False, True], ids=["mouse", "keyboard"])
def test_chips_take_criteria_away(at_screen: AtScreen, by_keyboard: bool) -> None:
    """The focus goes to the next chip, after the last one to the panel's button; the fields follow."""

    def press(user: Caseworker, criterion: str) -> None:
        chip = user.chip(criterion)
        chip.press("Enter") if by_keyboard else chip.click()

    with at_screen("kari.oslo") as (kari, _watch):
        before = kari.count()
        three_criteria(kari)
        press(kari, "Status Opprettet")
        kari.has_chips("Status Endret", "Oppstart fra 01.01.2020")
        expect(kari.chip("Status Endret")).to_be_focused()
        expect(box(kari, "Status", "Opprettet")).not_to_be_checked()
        expect(box(kari, "Status", "Endret")).to_be_checked()
        expect(kari.page.get_by_role("status")).to_have_text(re.compile(rf"^{kari.count()} deltaker"))
        press(kari, "Oppstart fra 01.01.2020")
        kari.has_chips("Status Endret")
        expect(kari.chip("Status Endret")).to_be_focused()
        expect(kari.field("Oppstart fra")).to_have_value("")
        press(kari, "Status Endret")
        expect(kari.chips).to_have_count(0)
        expect(kari.panel_button).to_be_focused()
        expect(box(kari, "Status", "Endret")).not_to_be_checked()
        assert kari.count() == before
        assert kari.page.url.endswith("/deltakere")


def test_chips_while_the_panel_is_closed(at_screen: AtScreen) -> None:
    """They are shown and can be removed; with the last one their space disappears too."""
    with at_screen("kari.oslo") as (kari, _watch):
        kari.page.goto("/deltakere?status=endret&oppstart-fra=2020-01-01")
        kari.chip("Status Endret").click()
        kari.has_chips("Oppstart fra 01.01.2020")
        kari.chip("Oppstart fra 01.01.2020").click()
        expect(kari.panel).to_be_hidden()
        expect(kari.panel_button).to_be_focused()


def test_clearing_all(at_screen: AtScreen) -> None:
    """«Fjern alle filtre» empties the panel too, including an error and unsent input; the order stays."""
    with at_screen("kari.oslo") as (kari, _watch):
        kari.header("Navn").get_by_role("link").click()
        expect(kari.header("Navn")).to_have_attribute("aria-sort", "ascending")
        three_criteria(kari)
        kari.search("a, b")
        expect(kari.chips).to_have_count(5)
        kari.field("Avslutning fra").fill("tull")
        kari.page.keyboard.press("Tab")
        expect(kari.page.get_by_text(WRONG_DATE, exact=True)).to_be_visible()
        kari.page.get_by_role("button", name="Fjern alle filtre").click()
        expect(kari.chips).to_have_count(0)
        expect(kari.panel_button).to_be_focused()
        for label in ("Oppstart fra", "Avslutning fra"):
            expect(kari.field(label)).to_have_value("")
        expect(kari.search_field).to_have_value("")
        expect(box(kari, "Status", "Endret")).not_to_be_checked()
        expect(kari.page.get_by_text(WRONG_DATE, exact=True)).to_have_count(0)
        assert asked(kari.page) == {"sorter": "navn"}


@pytest.mark.parametrize("way", ["Søk", "Fjern alle filtre", "Lukk søk og filter"])
def test_what_a_whole_page_says_is_wrong_goes_with_the_error(at_screen: AtScreen, way: str) -> None:
    """The summary above the list, and the title."""
    with at_screen("kari.oslo") as (kari, _watch):
        kari.page.goto("/deltakere?status=endret&oppstart-fra=junk")
        summary = kari.page.get_by_role("group", name="Listen er vist uten dette")
        expect(summary).to_be_focused()
        expect(kari.page).to_have_title(re.compile("^Feil: Deltakeroversikt"))
        assert_accessible(kari.page)
        kari.chip("Status Endret").click()
        kari.has_chips()
        expect(summary).to_be_visible()
        box(kari, "Status", "Opprettet").check()
        kari.has_chips("Status Opprettet")
        expect(kari.field("Oppstart fra")).to_have_attribute("aria-invalid", "true")
        if way == "Søk":
            kari.field("Oppstart fra").fill("01.01.2020")
        kari.press(way)
        expect(summary).to_have_count(0)
        expect(kari.page).to_have_title(re.compile("^Deltakeroversikt"))


def test_an_error_stands_at_its_field(at_screen: AtScreen) -> None:
    """The list follows the other criteria; the error disappears when the date is corrected."""
    with at_screen("kari.oslo") as (kari, _watch):
        kari.open_panel()
        kari.field("Avslutning fra").fill("31.02.2024")
        kari.page.keyboard.press("Tab")
        wrong = kari.field("Avslutning fra")
        expect(wrong).to_have_attribute("aria-invalid", "true")
        expect(wrong).to_have_accessible_description(WRONG_DATE)
        expect(kari.field("Avslutning til")).to_be_focused()
        box(kari, "Status", "Avsluttet").check()
        kari.has_chips("Status Avsluttet")
        expect(wrong).to_have_value("31.02.2024")
        expect(wrong).to_have_attribute("aria-invalid", "true")
        assert_accessible(kari.page)
        wrong.fill("29.02.2024")
        kari.page.keyboard.press("Tab")
        kari.has_chips("Status Avsluttet", "Avslutning fra 29.02.2024")
        expect(kari.page.get_by_text(WRONG_DATE, exact=True)).to_have_count(0)
        expect(wrong).not_to_have_attribute("aria-invalid", "true")
        kari.field("Avslutning til").fill("28.02.2024")
        kari.page.keyboard.press("Tab")
        expect(wrong).to_have_accessible_description("Fra-datoen er etter til-datoen")
        kari.has_chips("Status Avsluttet")


def test_municipalities_by_name(at_screen: AtScreen) -> None:
    """The national user types names or numbers; each becomes a chip, and the field is free for the next."""
    with at_screen("ida.imdi") as (ida, _watch):
        ida.open_panel()
        field = ida.field("Kommune")
        field.fill("bergen, 0301")
        field.press("Enter")
        ida.has_chips("Kommune Oslo", "Kommune Bergen")
        expect(field).to_have_value("")
        assert set(ida.column("Kommune").all_inner_texts()) <= {"Oslo", "Bergen"}
        field.fill("Be")
        field.press("Enter")
        expect(field).to_have_accessible_description(re.compile("^Flere kommuner begynner med «Be»: "))
        field.fill("Askøy")
        field.press("Enter")
        ida.has_chips("Kommune Oslo", "Kommune Bergen", "Kommune Askøy")
        ida.chip("Kommune Bergen").click()
        ida.has_chips("Kommune Oslo", "Kommune Askøy")
        box(ida, "Status", "Endret").check()
        ida.has_chips("Kommune Oslo", "Kommune Askøy", "Status Endret")


# ---- Slow responses ----


def test_what_is_typed_meanwhile_stays(at_screen: AtScreen) -> None:
    """The response redraws the field in which the user is typing: its text, the focus and the cursor are kept."""
    with at_screen("kari.oslo") as (kari, _watch):
        kari.open_panel()
        line = SlowLine(kari.page, SEARCH_ANSWERS)
        kari.field("Avslutning fra").fill("31.02.2024")
        kari.page.keyboard.press("Tab")
        line.wait_for(1)
        kari.page.keyboard.type("01.0")
        line.let_go()
        expect(kari.field("Avslutning fra")).to_have_accessible_description(WRONG_DATE)
        expect(kari.field("Avslutning til")).to_be_focused()
        kari.page.keyboard.type("3.2024")
        expect(kari.field("Avslutning til")).to_have_value("01.03.2024")
        kari.search_field.focus()
        line.wait_for(2)
        kari.page.keyboard.type("Amal")
        line.let_go()
        kari.has_chips("Avslutning til 01.03.2024")
        expect(kari.search_field).to_be_focused()
        expect(kari.search_field).to_have_value("Amal")


def test_the_next_municipality_meanwhile(at_screen: AtScreen) -> None:
    """The first becomes a chip while the second is typed."""
    with at_screen("ida.imdi") as (ida, _watch):
        ida.open_panel()
        line = SlowLine(ida.page, SEARCH_ANSWERS)
        ida.field("Kommune").fill("Bergen")
        ida.field("Kommune").press("Enter")
        line.wait_for(1)
        ida.field("Kommune").fill("Aske")
        line.let_go()
        ida.has_chips("Kommune Bergen")
        expect(ida.field("Kommune")).to_be_focused()
        ida.page.keyboard.type("r")
        expect(ida.field("Kommune")).to_have_value("Asker")


def test_the_newest_state_of_the_form_counts(at_screen: AtScreen) -> None:
    """Two boxes one after the other: the first response never comes, the second includes both."""
    with at_screen("kari.oslo") as (kari, _watch):
        kari.open_panel()
        line = SlowLine(kari.page, SEARCH_ANSWERS)
        box(kari, "Status", "Endret").check()
        line.wait_for(1)
        box(kari, "Status", "Avsluttet").check()
        line.wait_for(2)
        line.let_go()
        kari.has_chips("Status Endret", "Status Avsluttet")
        expect(box(kari, "Status", "Endret")).to_be_checked()


def test_a_click_during_an_answer_builds_upon_it(at_screen: AtScreen) -> None:
    """Leaving a field sends it. A press at the same moment (a heading, a chip, another chip) comes after it."""
    with at_screen("kari.oslo") as (kari, _watch):
        three_criteria(kari)
        line = SlowLine(kari.page, SEARCH_ANSWERS)
        kari.field("Sist endret fra").fill("01.01.2019")
        kari.header("Navn").get_by_role("link").click()
        line.wait_for(1)
        kari.chip("Status Opprettet").click()
        kari.chip("Oppstart fra 01.01.2020").click()
        assert line.number == 1
        line.let_go()
        line.wait_for(2)
        kari.has_chips("Status Opprettet", "Status Endret", "Oppstart fra 01.01.2020", "Sist endret fra 01.01.2019")
        expect(kari.header("Navn")).to_have_attribute("aria-sort", "ascending")
        line.let_go()
        line.wait_for(3)
        kari.has_chips("Status Endret", "Oppstart fra 01.01.2020", "Sist endret fra 01.01.2019")
        line.let_go()
        kari.has_chips("Status Endret", "Sist endret fra 01.01.2019")
        assert asked(kari.page) == {"status": "endret", "endret-fra": "2019-01-01", "sorter": "navn"}
        expect(box(kari, "Status", "Opprettet")).not_to_be_checked()
        expect(kari.field("Oppstart fra")).to_have_value("")


def test_a_box_during_a_sort_builds_upon_it(at_screen: AtScreen) -> None:
    """The order of a running request is kept."""
    with at_screen("kari.oslo") as (kari, _watch):
        kari.open_panel()
        line = SlowLine(kari.page, "**/deltakere?sorter=navn")
        kari.header("Navn").get_by_role("link").click()
        line.wait_for(1)
        box(kari, "Status", "Endret").check()
        line.let_go()
        kari.has_chips("Status Endret")
        expect(kari.header("Navn")).to_have_attribute("aria-sort", "ascending")
        assert asked(kari.page) == {"status": "endret", "sorter": "navn"}


def test_a_cut_line_loses_nothing(at_screen: AtScreen) -> None:
    """A notice is shown, input and choices stay, and «Prøv igjen» continues when the connection is back."""
    with at_screen("kari.oslo") as (kari, watch):
        watch.expect_lost_line()
        three_criteria(kari)
        kari.page.context.set_offline(True)
        kari.search_field.fill("zzyx")
        kari.press("Søk")
        notice = kari.page.get_by_role("alert")
        expect(notice).to_contain_text("Ingen kontakt med registeret")
        expect(notice).to_be_in_viewport()
        kari.press("Prøv igjen")
        expect(notice).to_be_visible()
        expect(kari.search_field).to_have_value("zzyx")
        expect(box(kari, "Status", "Endret")).to_be_checked()
        kari.page.context.set_offline(False)
        kari.press("Prøv igjen")
        kari.has_chips("Søk zzyx", "Status Opprettet", "Status Endret", "Oppstart fra 01.01.2020")
        expect(notice).to_have_count(0)
        expect(kari.page.get_by_role("heading", name="Ingen deltakere passer")).to_be_visible()


def test_signed_out_meanwhile(at_screen: AtScreen) -> None:
    """The user signs in again over the list, which stays with all input, and continues."""
    with at_screen("kari.oslo") as (kari, _watch):
        three_criteria(kari)
        rows, address = kari.column("Fødselsnummer").all_text_contents(), kari.page.url
        kari.page.context.clear_cookies()
        kari.search_field.fill("zzyx")
        kari.page.keyboard.press("Enter")
        dialog = kari.page.get_by_role("dialog")
        expect(dialog.get_by_role("heading")).to_have_text("Du er logget ut")
        expect(kari.search_field).to_have_value("zzyx")
        assert kari.column("Fødselsnummer").all_text_contents() == rows
        assert not any(kari.column("Fødselsnummer").all_inner_texts())  # in the page, but covered
        assert kari.page.url == address
        dialog.get_by_label("Passord").fill(PASSWORD)
        dialog.get_by_role("button", name="Logg inn", exact=True).click()
        expect(dialog).to_be_hidden()
        expect(kari.page.get_by_role("heading", name="Ingen treff: zzyx")).to_be_visible()


def test_what_the_list_was_asked_is_asked_again_after_signing_in(at_screen: AtScreen) -> None:
    """A filter, an order, the panel; also after the user has closed the dialog, since the input is in the panel."""
    with at_screen("kari.oslo") as (kari, _watch):
        dialog, sorted_by = kari.page.get_by_role("dialog"), kari.header("Navn")

        def sign_in_again() -> None:
            dialog.get_by_label("Passord").fill(PASSWORD)
            dialog.get_by_role("button", name="Logg inn", exact=True).click()
            expect(dialog).to_be_hidden()

        kari.page.context.clear_cookies()
        kari.press("Søk og filter")
        sign_in_again()
        expect(kari.search_field).to_be_visible()
        kari.page.context.clear_cookies()
        box(kari, "Status", "Endret").check()
        sign_in_again()
        kari.has_chips("Status Endret")
        kari.page.context.clear_cookies()
        box(kari, "Status", "Opprettet").check()
        expect(dialog).to_be_visible()
        kari.page.keyboard.press("Escape")
        expect(dialog).to_be_visible()  # the page stays covered
        sign_in_again()
        kari.header("Navn").get_by_role("link").click()
        expect(sorted_by).to_have_attribute("aria-sort", "ascending")
        kari.has_chips("Status Opprettet", "Status Endret")


# ---- Reading on ----


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_another_page_is_read_from_its_first_row(at_screen: AtScreen, size: tuple[int, int]) -> None:
    with at_screen("ida.imdi") as (ida, _watch):
        ida.page.set_viewport_size({"width": size[0], "height": size[1]})
        for link in ("Neste", "50 rader på siden"):
            before = str(ida.rows.first.text_content())
            ida.page.get_by_role("link", name=link, exact=True).click()
            expect(ida.rows.first).not_to_have_text(before)
            expect(ida.rows.first).to_be_in_viewport(ratio=1)
            expect(ida.page.get_by_role("link", name=link, exact=True)).to_be_focused()


# ---- Back, Forward, reload, a second tab ----


def test_the_whole_state_is_kept(at_screen: AtScreen) -> None:
    """Criteria, order, page, rows on it and the scroll position, after a participant was opened and left."""
    with at_screen("ida.imdi") as (ida, _watch):
        page = ida.page
        ida.open_panel()
        box(ida, "Status", "Endret").check()
        ida.has_chips("Status Endret")
        ida.header("Navn").get_by_role("link").click()
        expect(ida.header("Navn")).to_have_attribute("aria-sort", "ascending")
        expect(ida.header("Navn").get_by_role("link")).to_be_focused()
        page.get_by_role("link", name="50 rader på siden").click()
        expect(ida.rows).to_have_count(50)
        expect(page.get_by_role("link", name="50 rader på siden")).to_be_focused()
        first = ida.column("Fødselsnummer").all_inner_texts()
        page.get_by_role("navigation", name="Sider").get_by_role("link", name="Neste", exact=True).click()
        expect(page.get_by_role("link", name="Side 2")).to_have_attribute("aria-current", "page")
        shown, address = ida.column("Fødselsnummer").all_inner_texts(), page.url
        assert asked(page) == {"status": "endret", "sorter": "navn", "antall": "50", "side": "2"}
        assert shown[0] not in first
        row = ida.rows.nth(len(shown) // 2)
        row.get_by_role("link").first.scroll_into_view_if_needed()
        row.get_by_role("link").first.click()
        expect(page).not_to_have_url(address)
        page.go_back()

        def is_as_before(tab: Page) -> None:
            user = Caseworker(tab)
            expect(tab).to_have_url(address)
            user.has_chips("Status Endret")
            expect(user.header("Navn")).to_have_attribute("aria-sort", "ascending")
            expect(tab.get_by_role("link", name="50 rader på siden")).to_have_attribute("aria-current", "true")
            expect(user.column("Fødselsnummer")).to_have_text(shown)
            expect(box(user, "Status", "Endret")).to_be_checked()
            expect(tab.get_by_role("heading", level=1)).to_have_count(1)

        is_as_before(page)
        expect(row).to_be_in_viewport()
        page.reload()
        is_as_before(page)
        expect(row).to_be_in_viewport()
        second = page.context.new_page()
        second.goto(address)
        is_as_before(second)
        second.close()
        page.go_back()
        expect(ida.column("Fødselsnummer")).to_have_text(first)
        page.go_forward()
        is_as_before(page)


def test_back_takes_a_filter_away(at_screen: AtScreen) -> None:
    """One step for each change, none for the same list again; list, chips and panel change together."""
    with at_screen("kari.oslo") as (kari, _watch):
        kari.open_panel()
        box(kari, "Status", "Endret").check()
        kari.has_chips("Status Endret")
        kari.search_field.fill("zzyx")
        kari.search_field.press("Enter")
        kari.has_chips("Søk zzyx", "Status Endret")
        expect(kari.page.get_by_role("heading", name="Ingen deltakere passer")).to_be_visible()
        with kari.page.expect_response(SEARCH_ANSWERS):
            kari.press("Søk")
        kari.page.go_back()
        kari.has_chips("Status Endret")
        expect(kari.search_field).to_have_value("")
        assert set(kari.column("Status").all_inner_texts()) == {"Endret"}
        kari.page.go_back()
        expect(kari.chips).to_have_count(0)
        expect(box(kari, "Status", "Endret")).not_to_be_checked()
        kari.page.go_forward()
        kari.has_chips("Status Endret")
        expect(box(kari, "Status", "Endret")).to_be_checked()


# ---- Without JavaScript ----


def test_the_story_without_javascript(at_screen: AtScreen) -> None:
    """Whole pages: panel, several criteria at once, an error, chips, order, rows, pages, all filters removed."""
    with at_screen("ida.imdi", javascript=False) as (ida, _watch):
        page = ida.page
        ida.open_panel()
        before = ida.count()
        box(ida, "Status", "Endret").check()
        box(ida, "Status", "Opprettet").check()
        ida.field("Oppstart fra").fill("31.02.2020")
        ida.search_field.fill("a")
        ida.search_field.press("Tab")
        ida.press("Søk")
        expect(ida.field("Oppstart fra")).to_have_accessible_description(WRONG_DATE)
        ida.has_chips("Søk a", "Status Opprettet", "Status Endret")
        page.reload()
        expect(ida.field("Oppstart fra")).to_be_visible()
        ida.search("")
        box(ida, "Status", "Endret").check()
        box(ida, "Status", "Opprettet").check()
        ida.field("Oppstart fra").fill("01.01.2020")
        ida.field("Oppstart fra").press("Enter")
        ida.has_chips("Status Opprettet", "Status Endret", "Oppstart fra 01.01.2020")
        assert ida.count() < before
        ida.chip("Status Opprettet").click()
        ida.has_chips("Status Endret", "Oppstart fra 01.01.2020")
        expect(box(ida, "Status", "Opprettet")).not_to_be_checked()
        ida.header("Navn").get_by_role("link").click()
        page.get_by_role("link", name="50 rader på siden").click()
        page.get_by_role("navigation", name="Sider").get_by_role("link", name="Neste", exact=True).click()
        expect(page.get_by_role("link", name="Side 2")).to_have_attribute("aria-current", "page")
        expect(ida.header("Navn")).to_have_attribute("aria-sort", "ascending")
        ida.has_chips("Status Endret", "Oppstart fra 01.01.2020")
        page.get_by_role("button", name="Fjern alle filtre").click()
        expect(ida.chips).to_have_count(0)
        expect(ida.header("Navn")).to_have_attribute("aria-sort", "ascending")
        assert ida.count() == before
