"""A press that begins before a response and ends after it: the pressed element stays in place until it is released."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.caseworker import Caseworker
from tests.browser.conftest import AtScreen, Someone
from tests.browser.slow_line import SlowLine

SEARCHES = "**/deltakere/sok"
SAVES = re.compile("/lagre$")


def press_for_long(user: Caseworker, place: Locator, answer_from: str | re.Pattern[str] = SEARCHES) -> None:
    """The response to leaving the last field comes while the button is held down."""
    place.scroll_into_view_if_needed()
    place.hover()
    with user.page.expect_response(answer_from):
        user.page.mouse.down()
    user.page.wait_for_timeout(200)
    user.page.mouse.up()


def test_a_box_is_ticked(at_screen: AtScreen) -> None:
    """The first chip moves the panel down."""
    with at_screen("kari.oslo") as (kari, _watch):
        kari.open_panel()
        kari.field("Oppstart fra").fill("01.03.2022")
        press_for_long(kari, kari.group("Status").get_by_label("Endret", exact=True))
        expect(kari.group("Status").get_by_label("Endret", exact=True)).to_be_checked()
        kari.has_chips("Status Endret", "Oppstart fra 01.03.2022")


def test_a_chip_goes(at_screen: AtScreen) -> None:
    with at_screen("kari.oslo") as (kari, _watch):
        kari.open_panel()
        kari.group("Status").get_by_label("Endret", exact=True).check()
        kari.has_chips("Status Endret")
        kari.field("Oppstart fra").fill("01.03.2022")
        press_for_long(kari, kari.chip("Status Endret"))
        kari.has_chips("Oppstart fra 01.03.2022")
        expect(kari.group("Status").get_by_label("Endret", exact=True)).not_to_be_checked()


def test_the_list_is_sorted(at_screen: AtScreen) -> None:
    with at_screen("kari.oslo") as (kari, _watch):
        kari.open_panel()
        kari.field("Oppstart fra").fill("01.03.2022")
        press_for_long(kari, kari.header("Navn").get_by_role("link"))
        expect(kari.header("Navn")).to_have_attribute("aria-sort", "ascending")
        kari.has_chips("Oppstart fra 01.03.2022")


def test_a_participant_is_opened(at_screen: AtScreen) -> None:
    """Also one that the list is about to leave out."""
    with at_screen("kari.oslo") as (kari, _watch):
        kari.open_panel()
        link = kari.rows.first.get_by_role("link").first
        address = link.get_attribute("href") or ""
        kari.field("Oppstart til").fill("01.03.1999")
        press_for_long(kari, link)
        kari.page.wait_for_url(f"**{address}")


def test_a_form_is_left_by_its_button(at_screen: AtScreen, someone: Someone) -> None:
    """Saving the last input adds a conditional field, which moves the button down."""
    with at_screen("berit.bergen") as (berit, _watch):
        berit.create(someone())
        berit.stands_at("Bakgrunn")
        address = berit.page.url
        berit.field("Antall barn under 18 år").fill("2")
        press_for_long(berit, berit.page.get_by_role("button", name="Til deltakeroversikten"), SAVES)
        berit.stands_at("Deltakeroversikt")
        berit.page.goto(address)
        expect(berit.field("Antall barn under 18 år")).to_have_value("2")


def test_a_chip_goes_by_the_keyboard(at_screen: AtScreen) -> None:
    with at_screen("kari.oslo") as (kari, _watch):
        kari.open_panel()
        kari.group("Status").get_by_label("Endret", exact=True).check()
        kari.has_chips("Status Endret")
        line = SlowLine(kari.page, SEARCHES)
        kari.field("Oppstart fra").fill("01.03.2022")
        kari.chip("Status Endret").focus()
        line.wait_for(1)
        kari.page.keyboard.down("Space")
        line.let_begin()
        kari.page.wait_for_timeout(200)
        kari.page.keyboard.up("Space")
        line.wait_for(2)
        line.let_go()
        kari.has_chips("Oppstart fra 01.03.2022")


@pytest.mark.parametrize("moves", [True, False], ids=["the-pointer-moves", "nothing-more-comes"])
def test_a_press_whose_end_is_never_told_holds_nothing_up_for_good(at_screen: AtScreen, moves: bool) -> None:
    with at_screen("kari.oslo") as (kari, _watch):
        kari.open_panel()
        kari.page.mouse.move(5, 5)
        kari.page.evaluate("() => document.body.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }))")
        with kari.page.expect_response(SEARCHES):
            kari.group("Status").get_by_label("Endret", exact=True).evaluate("one => one.click()")
        kari.page.wait_for_timeout(200)
        assert kari.chips.count() == 0
        if moves:
            kari.page.mouse.move(6, 6)
        kari.has_chips("Status Endret")


# ---- A key held with the click: left to the browser ----


def links(user: Caseworker) -> dict[str, Locator]:
    """Links that htmx handles, and some that it does not."""
    return {
        "sort": user.header("Navn").get_by_role("link"),
        "pager": user.page.get_by_role("link", name="Side 2", exact=True),
        "participant": user.rows.first.get_by_role("link").first,
        "menu": user.page.get_by_role("link", name="Hjelp", exact=True),
    }


@pytest.mark.parametrize("button", ["Control", "Shift", "middle"])
@pytest.mark.parametrize("which", ["sort", "pager", "participant", "menu"])
def test_a_link_opens_a_page_of_its_own(at_screen: AtScreen, which: str, button: str) -> None:
    with at_screen("ida.imdi") as (ida, _watch):
        page, link = ida.page, links(ida)[which]
        goal = str(link.evaluate("one => one.href"))
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        address, rows = page.url, ida.column("Fødselsnummer").all_inner_texts()
        with page.context.expect_page() as opened:
            if button == "middle":
                link.click(button="middle")
            else:
                link.click(modifiers=["Control" if button == "Control" else "Shift"])
        opened.value.wait_for_url(lambda url: url.split("#")[0] != "about:blank")
        assert opened.value.url.startswith(goal) or which == "participant"  # users who may only read are shown the data
        page.wait_for_timeout(300)
        assert (page.url, ida.column("Fødselsnummer").all_inner_texts(), asked) == (address, rows, [])


@pytest.mark.parametrize("key", ["ctrlKey", "metaKey", "shiftKey", "altKey"])
@pytest.mark.parametrize("which", ["sort", "pager", "participant", "menu"])
def test_no_key_is_taken_from_the_browser(at_screen: AtScreen, which: str, key: str) -> None:
    """Whatever the browser does with them on another platform: nothing on the page prevents it, and htmx makes no
    request.

    The result is read at the end of the click, and the browser's default is prevented: Chromium would start a download
    for Alt, and may hang when it is closed meanwhile.
    """
    with at_screen("ida.imdi") as (ida, _watch):
        asked = f"""one => {{
            const click = new MouseEvent('click', {{ bubbles: true, cancelable: true, {key}: true }})
            let prevented
            const judge = () => {{ prevented ??= click.defaultPrevented; click.preventDefault() }}
            click.stopImmediatePropagation = () => {{
                Event.prototype.stopImmediatePropagation.call(click)
                judge()
            }}
            addEventListener('click', judge, {{ once: true }})
            one.dispatchEvent(click)
            return prevented
        }}"""
        by_htmx: list[str] = []
        ida.page.on("request", lambda one: by_htmx.append(one.url) if "hx-request" in one.headers else None)
        assert links(ida)[which].evaluate(asked) is False
        ida.page.wait_for_timeout(200)
        assert by_htmx == []


def test_a_form_that_is_being_typed_in_stays(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("berit.bergen") as (berit, _watch):
        berit.create(someone())
        address = berit.page.url
        berit.field("Antall barn under 18 år").press_sequentially("2")
        with berit.page.context.expect_page() as opened:
            berit.page.get_by_role("link", name="Historikk", exact=True).click(modifiers=["Control"])
        opened.value.wait_for_url("**/historikk")
        expect(berit.page.locator("#tilstand")).to_contain_text("Lagret kl.")
        assert berit.page.url == address
