"""The panel «Søk og filter»: opens and closes in place, keeps the criteria, is a sheet of its own on a phone."""

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.caseworker import Caseworker
from tests.browser.conftest import AtScreen
from tests.support.browser import NARROW, assert_no_sideways_scrolling


def pages_loaded(page: Page) -> list[str]:
    """The addresses of whole pages that are requested from now on."""
    loaded: list[str] = []

    def note(request: Request) -> None:
        if request.resource_type == "document":
            loaded.append(request.url)

    page.on("request", note)
    return loaded


def is_open(user: Caseworker, *, with_field: bool) -> None:
    """Check that the button states whether the panel is open, and that the screen agrees."""
    expect(user.panel_button).to_have_attribute("aria-expanded", "true" if with_field else "false")
    expect(user.search_field).to_be_visible(visible=with_field)


def test_opens_and_closes_without_a_new_page(at_screen: AtScreen) -> None:
    """Guide 3.8; the focus stays on the button, and × gives it back to the button."""
    with at_screen("kari.oslo") as (kari, _watch):
        loaded = pages_loaded(kari.page)
        is_open(kari, with_field=False)
        expect(kari.panel).to_be_hidden()
        kari.panel_button.press("Enter")
        is_open(kari, with_field=True)
        expect(kari.panel_button).to_be_focused()
        expect(kari.panel.get_by_role("heading", name="Filtrer")).to_be_visible()
        kari.panel_button.press("Enter")
        is_open(kari, with_field=False)
        expect(kari.panel).to_be_hidden()
        expect(kari.panel_button).to_be_focused()
        kari.open_panel()
        kari.press("Lukk søk og filter")
        is_open(kari, with_field=False)
        expect(kari.panel_button).to_be_focused()
        assert loaded == []


def test_the_count_stands_under_the_icon(at_screen: AtScreen) -> None:
    """Guide 3.4: visible while the criteria are chosen, and as new as the list."""
    with at_screen("kari.oslo") as (kari, _watch):
        count, before = kari.page.get_by_text("Antall deltakere:"), kari.count()
        kari.open_panel()
        kari.group("Status").get_by_label("Endret", exact=True).check()
        kari.has_chips("Status Endret")
        expect(count).to_be_in_viewport(ratio=1)
        assert 0 < kari.count() < before
        button, text = kari.panel_button.bounding_box(), count.bounding_box()
        assert button is not None
        assert text is not None
        assert text["y"] >= button["y"] + button["height"]
        assert abs(text["x"] + text["width"] - button["x"] - button["width"]) < 2


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "without-javascript"])
def test_closing_keeps_the_criteria(at_screen: AtScreen, javascript: bool) -> None:
    """The chips stay, and the fields are as before when it is opened again."""
    with at_screen("kari.oslo", javascript=javascript) as (kari, _watch):
        kari.open_panel()
        kari.answer("Oppstart fra", "01.03.2022")
        kari.group("Status").get_by_label("Endret", exact=True).check()
        kari.press("Søk")
        kari.has_chips("Status Endret", "Oppstart fra 01.03.2022")
        address, number = kari.page.url, kari.count()
        kari.press("Lukk søk og filter")
        is_open(kari, with_field=False)
        kari.has_chips("Status Endret", "Oppstart fra 01.03.2022")
        assert (kari.page.url, kari.count()) == (address, number)
        kari.open_panel()
        expect(kari.group("Status").get_by_label("Endret", exact=True)).to_be_checked()
        expect(kari.field("Oppstart fra")).to_have_value("01.03.2022")
        kari.page.reload()
        is_open(kari, with_field=True)


def test_the_fields_of_each_user(at_screen: AtScreen) -> None:
    """Bydel for Oslo and IMDi, Kommune for users with more than one: as boxes, or by name for the whole country."""
    for username, bydel, kommune in (
        ("kari.oslo", True, ""),
        ("berit.bergen", False, ""),
        ("anne.tokommuner", False, "group"),
        ("ida.imdi", True, "textbox"),
    ):
        with at_screen(username) as (user, _watch):
            user.open_panel()
            expect(user.panel.locator("summary", has_text="Bydel")).to_have_count(int(bydel))
            for role in ("group", "textbox"):
                field = user.panel.get_by_role(role, name="Kommune", exact=True)  # type: ignore[arg-type]
                expect(field).to_have_count(int(role == kommune))


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "without-javascript"])
def test_closing_keeps_what_is_typed(at_screen: AtScreen, javascript: bool) -> None:
    """Typed, but neither left nor sent: closing sends it, with the script or without."""
    with at_screen("kari.oslo", javascript=javascript) as (kari, _watch):
        kari.open_panel()
        kari.field("Oppstart fra").fill("01.01.2020")
        kari.press("Lukk søk og filter")
        is_open(kari, with_field=False)
        kari.has_chips("Oppstart fra 01.01.2020")


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "without-javascript"])
def test_on_a_phone_it_is_a_sheet_of_its_own(at_screen: AtScreen, javascript: bool) -> None:
    """It replaces the list; «Vis deltakerne» applies the typed input and leads to the list."""
    with at_screen("kari.oslo", javascript=javascript) as (kari, _watch):
        kari.page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
        expect(kari.rows.first).to_be_visible()
        kari.open_panel()
        expect(kari.rows.first).to_be_hidden()
        assert_no_sideways_scrolling(kari.page)
        expect(kari.page.get_by_role("button", name="Vis deltakerne")).to_be_in_viewport()
        kari.field("Oppstart fra").fill("01.01.2020")
        kari.field("Sist endret til").fill("31.01.2001")
        kari.press("Vis deltakerne")
        is_open(kari, with_field=False)
        kari.has_chips("Oppstart fra 01.01.2020", "Sist endret til 31.01.2001")
        expect(kari.page.get_by_role("heading", name="Ingen deltakere passer")).to_be_in_viewport()
        kari.chip("Sist endret til 31.01.2001").click()
        kari.has_chips("Oppstart fra 01.01.2020")
        expect(kari.rows.first).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "without-javascript"])
def test_on_a_phone_an_error_keeps_the_sheet(at_screen: AtScreen, javascript: bool) -> None:
    """Nobody is led to a list that does not match the input."""
    with at_screen("kari.oslo", javascript=javascript) as (kari, _watch):
        kari.page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
        kari.open_panel()
        kari.field("Oppstart fra").fill("31.02.2024")
        kari.press("Vis deltakerne")
        expect(kari.field("Oppstart fra")).to_have_accessible_description("Skriv en dato som finnes, slik: dd.mm.åååå")
        is_open(kari, with_field=True)
        kari.field("Oppstart fra").fill("28.02.2024")
        kari.press("Vis deltakerne")
        is_open(kari, with_field=False)
        kari.has_chips("Oppstart fra 28.02.2024")
        if javascript:
            expect(kari.rows.first).to_be_in_viewport(ratio=0.5)


def test_on_a_phone_a_long_value_is_read_whole(at_screen: AtScreen) -> None:
    value = "et navn som ingen har hatt og som ikke får plass på en linje"
    with at_screen("kari.oslo") as (kari, _watch):
        kari.page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
        kari.open_panel()
        kari.search(value)
        chip = kari.chip(f"Søk {value}")
        expect(chip).to_be_visible()
        assert chip.evaluate("chip => chip.scrollWidth <= chip.clientWidth && chip.scrollHeight <= chip.clientHeight")
        assert_no_sideways_scrolling(kari.page)
