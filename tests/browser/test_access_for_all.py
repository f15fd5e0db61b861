"""Accessibility of every page and state: axe in light and dark, narrow windows, large text, sizes of targets."""

from collections.abc import Iterable

from playwright.sync_api import Page, expect

from tests.browser import tours
from tests.browser.caseworker import Caseworker
from tests.browser.conftest import AtScreen, Someone
from tests.support.browser import NARROW, WIDE, assert_accessible, assert_no_sideways_scrolling

LEAST_TARGET = 24

# Controls that are too small. A choice's target includes its label; a link within a sentence is exempt (WCAG 2.5.8),
# and elements for screen readers alone have no size.
_SMALL_TARGETS = """least => {
  const visible = one => one.checkVisibility({visibilityProperty: true, opacityProperty: true})
    && !one.closest('.ds-sr-only') && one.getBoundingClientRect().width > 1;
  const inSentence = one => one.matches('a') && one.parentElement.matches('p, li, dd')
    && one.parentElement.textContent.trim() !== one.textContent.trim();
  const box = one => {
    const boxes = [one, ...(one.labels ?? [])].map(each => each.getBoundingClientRect());
    const side = (pick, name) => pick(...boxes.map(each => each[name]));
    return [side(Math.max, 'right') - side(Math.min, 'left'), side(Math.max, 'bottom') - side(Math.min, 'top')];
  };
  return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
    .filter(one => visible(one) && !inSentence(one) && Math.min(...box(one)) < least - 0.01)
    .map(one => `${box(one).map(Math.round).join(' × ')}: ${one.outerHTML.slice(0, 100)}`);
}"""


def check(page: Page, stop: str) -> None:
    """Check a page in its present state."""
    small = page.evaluate(_SMALL_TARGETS, LEAST_TARGET)
    assert not small, f"{stop}: targets under {LEAST_TARGET} px\n" + "\n".join(small)
    page.emulate_media(color_scheme="dark")
    assert_accessible(page, rules=["color-contrast"])  # nothing else depends on the colours
    page.emulate_media(color_scheme="light")
    assert_accessible(page)
    _fits(page, stop)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    _fits(page, f"{stop} with large text")
    page.evaluate("document.documentElement.style.fontSize = ''")
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    _fits(page, f"{stop} on a phone")
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})


def _fits(page: Page, stop: str) -> None:
    assert_no_sideways_scrolling(page)
    width, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width <= room, f"{stop}: {width} px in {room} px"


def look(user: Caseworker, tour: Iterable[str]) -> None:
    """Check every stop of a tour, without animations: axe cannot judge half a fade."""
    user.page.emulate_media(reduced_motion="reduce")
    for stop in tour:
        check(user.page, stop)


def test_signing_in(at_screen: AtScreen) -> None:
    with at_screen() as (visitor, watch):
        watch.expect_status(410)  # a link that no longer works
        look(visitor, tours.signing_in(visitor))


def test_second_factor(at_screen: AtScreen) -> None:
    with at_screen(server="strict_live_server") as (visitor, _watch):
        look(visitor, tours.second_factor(visitor))


def test_overview(at_screen: AtScreen) -> None:
    with at_screen("berit.bergen") as (berit, _watch):
        look(berit, tours.overview(berit))


def test_searching(at_screen: AtScreen) -> None:
    with at_screen("kari.oslo") as (kari, _watch):
        look(kari, tours.searching(kari))


def test_searching_the_country(at_screen: AtScreen) -> None:
    with at_screen("ida.imdi") as (ida, _watch):
        look(ida, tours.searching_the_country(ida))


# Colours chosen by the reader replace ours: anything shown by a background alone would be lost.
_UNSEEN = """() => [...document.querySelectorAll('.ds-chip, .filters .ds-input, .filters .ds-button')]
  .filter(one => one.checkVisibility() && !one.matches('[data-variant=tertiary]')
    && (getComputedStyle(one).borderTopStyle === 'none' || parseFloat(getComputedStyle(one).borderTopWidth) === 0))
  .map(one => one.outerHTML.slice(0, 120))"""


def test_panel_in_forced_colours(at_screen: AtScreen) -> None:
    """Chips, fields and buttons have an edge; the × of a chip and the arrow of the folded choices are visible."""
    with at_screen("kari.oslo", forced_colors="active") as (kari, _watch):
        kari.page.goto("/deltakere?status=endret")
        kari.open_panel()
        assert kari.page.evaluate(_UNSEEN) == []
        drawn = "one => getComputedStyle(one, '::after').backgroundColor !== getComputedStyle(one).backgroundColor"
        assert kari.chip("Status Endret").evaluate(drawn)
        arrow = "one => getComputedStyle(one, '::after').borderBottomWidth"
        assert kari.panel.locator("summary .ds-input").evaluate(arrow) != "0px"
        assert_accessible(kari.page)


def test_menu_on_a_phone(at_screen: AtScreen) -> None:
    """The main menu opens under its button; Esc closes it."""
    with at_screen("berit.bergen") as (berit, _watch):
        berit.page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
        place = berit.page.get_by_role("link", name="Hjelp", exact=True)
        expect(place).to_be_hidden()
        berit.press("Meny")
        expect(place).to_be_visible()
        expect(berit.page.get_by_text("Berit Fløysand")).to_be_visible()
        assert_accessible(berit.page)
        _fits(berit.page, "menu on a phone")
        berit.page.keyboard.press("Escape")
        expect(place).to_be_hidden()
        berit.press("Meny")
        place.click()
        berit.stands_at("Hjelp")


def test_empty_overview(at_screen: AtScreen) -> None:
    with at_screen("berit.bergen", server="empty_live_server") as (berit, _watch):
        look(berit, tours.overview_empty(berit))


def test_creating(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("kari.oslo") as (kari, _watch):
        look(kari, tours.creating(kari, someone()))


def test_registering_and_the_participants_pages(at_screen: AtScreen, someone: Someone) -> None:
    person = someone()
    with at_screen("berit.bergen") as (berit, _watch):
        look(berit, tours.registering(berit, person))
        look(berit, tours.one_participant(berit, person))


def test_refusals(at_screen: AtScreen) -> None:
    with at_screen("berit.bergen") as (berit, watch):
        watch.expect_lost_line()
        look(berit, tours.refusals(berit))
        look(berit, tours.no_contact(berit))


def test_oversight(at_screen: AtScreen) -> None:
    with at_screen("admin.imdi") as (odd, _watch):
        look(odd, tours.oversight(odd))
        look(odd, tours.users(odd))
