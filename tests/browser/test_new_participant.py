"""A new participant's page: the line about what is missing, the look-up of the name, and immediate errors."""

import pytest
from playwright.sync_api import expect

from tests.browser.caseworker import OPPSTART, days_ago
from tests.browser.conftest import AtScreen, Someone
from tests.browser.slow_line import SlowLine
from tests.support.browser import NARROW, WIDE, assert_accessible

SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


def test_the_line_follows_what_is_typed(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("berit.bergen") as (berit, _watch):
        berit.go("Deltakere")
        berit.page.get_by_role("link", name="Legg til deltaker").click()
        state = berit.page.locator("#tilstand")
        expect(state).to_contain_text("Mangler: fødselsnummer og bekreftet navn, dato for oppstart")
        berit.answer("Dato for oppstart", OPPSTART)
        expect(state).to_contain_text("Mangler: fødselsnummer og bekreftet navn")
        expect(state).not_to_contain_text("dato for oppstart")
        berit.answer("Fødselsnummer", someone().number)
        berit.page.get_by_label("Jeg bekrefter at navn vist", exact=False).check()
        expect(state).to_contain_text("Trykk «Neste» for å opprette deltakeren")
        berit.answer("Fødselsnummer", someone().number)
        expect(state).to_contain_text("Mangler: bekreftet navn")


@SIZES
def test_a_slow_look_up_says_so_and_moves_nothing(at_screen: AtScreen, someone: Someone, size: tuple[int, int]) -> None:
    """«Henter navn …», and not «Lagrer …»; the space of the name is reserved."""
    person = someone()
    with at_screen("berit.bergen") as (berit, _watch):
        berit.go("Legg til deltaker")
        page = berit.page
        page.set_viewport_size({"width": size[0], "height": size[1]})
        below = page.get_by_text("Lages når deltakeren opprettes")
        before = below.bounding_box()
        line = SlowLine(page, "**/deltakere/ny/oppslag")
        said: list[str] = []
        page.expose_function("note", lambda words: said.append(words))
        page.evaluate(
            """() => new MutationObserver(() => note(document.getElementById('tilstand').textContent.trim()))
              .observe(document.getElementById('tilstand'), { childList: true, subtree: true })"""
        )
        berit.field("Fødselsnummer").fill(person.number)
        line.wait_for(1)
        name = page.get_by_label("Navn", exact=True)
        expect(name).to_have_text("Henter navn …")
        page.wait_for_timeout(2500)  # it is also saved meanwhile
        expect(name).to_have_text("Henter navn …")
        assert "Henter navn …" in said
        assert "Lagrer …" not in said
        line.let_go()
        expect(name).to_have_text(person.full_name)
        after = below.bounding_box()
        assert before is not None
        assert after is not None
        assert abs(after["y"] - before["y"]) <= (2 if size == WIDE else 30)  # a long name may take two lines


def test_a_look_up_that_is_lost_does_not_say_that_it_goes_on(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("berit.bergen") as (berit, watch):
        watch.expect_lost_line()
        berit.go("Legg til deltaker")
        berit.page.route("**/deltakere/ny/oppslag", lambda route: route.abort())
        berit.field("Fødselsnummer").fill(someone().number)
        expect(berit.page.get_by_role("alert")).to_contain_text("Ingen kontakt med registeret")
        expect(berit.page.get_by_label("Navn", exact=True)).to_have_text("Hentes når nummeret er skrevet")


def test_a_date_ahead_of_today_is_said_at_once(at_screen: AtScreen) -> None:
    with at_screen("berit.bergen") as (berit, _watch):
        berit.go("Legg til deltaker")
        field = berit.field("Dato for oppstart")
        field.press_sequentially(days_ago(-3))
        expect(berit.page.locator("#start_date-error")).to_have_text("Datoen kan ikke være fram i tid")
        expect(field).to_be_focused()
        expect(field).to_have_value(days_ago(-3))
        assert_accessible(berit.page)
        field.fill(days_ago(3))
        expect(berit.page.locator("#start_date-error")).to_have_count(0)
