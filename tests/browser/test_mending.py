"""Corrections: deleted by mistake and restored, discharged too early and reopened, by two users at two screens."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.caseworker import TERMINATION, Caseworker
from tests.browser.conftest import AtScreen, Someone
from tests.support.browser import NARROW, WIDE, assert_accessible, assert_no_sideways_scrolling

WHY = "Kommunen ringte: det var feil deltaker"


def look(user: Caseworker) -> None:
    """Check the accessibility of the page, also on a phone."""
    page: Page = user.page
    if user.scripts:
        assert_accessible(page)
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    assert_no_sideways_scrolling(page)
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without"])
def test_what_was_done_by_mistake_is_mended(at_screen: AtScreen, someone: Someone, javascript: bool) -> None:
    person = someone()
    with (
        at_screen("berit.bergen", javascript=javascript) as (berit, _watch),
        at_screen("admin.imdi", javascript=javascript) as (odd, _other_watch),
    ):
        berit.page.emulate_media(reduced_motion="reduce")
        berit.complete(person)
        berit.open(person)
        berit.go("Oversikt over registrerte data")
        berit.stands_at(f"{person.full_name} · Oversikt over registrerte data")
        data = berit.page.url

        _delete(berit)
        _mend(odd, data, "Gjenopprett deltaker", "Deltakeren er gjenopprettet.")
        berit.page.goto(data)
        expect(berit.page.get_by_role("heading", name="IMDi har gjenopprettet deltakeren")).to_be_visible()
        look(berit)
        berit.press("Merk som lest")
        berit.stands_at(f"{person.full_name} · Oversikt over registrerte data")
        expect(berit.page.get_by_text(WHY)).to_have_count(0)

        _discharge(berit, data)
        expect(berit.page.get_by_text(person.full_name)).to_have_count(0)
        look(berit)
        _mend(odd, data, "Gjenåpne deltaker", "Deltakeren er gjenåpnet.")
        berit.go("Meldinger")
        notice = berit.page.get_by_role("listitem").filter(has_text=f"{person.full_name}: gjenåpnet")
        expect(notice).to_contain_text(WHY)
        look(berit)
        notice.get_by_role("button", name="Merk som lest").click()
        expect(notice).to_contain_text("Lest av berit.bergen")
        notice.get_by_role("link").click()
        _see_history(berit, person.full_name)


def _delete(berit: Caseworker) -> None:
    """Without a reason it is refused, and the summary's link leads to the choice."""
    berit.go("Slett deltaker")
    berit.page.get_by_role("main").get_by_role("button", name="Slett deltaker").click()
    berit.press("Ja, slett deltaker")
    summary = berit.page.get_by_role("group", name="Slettingen må begrunnes")
    expect(summary).to_be_focused()
    look(berit)
    summary.get_by_role("link").click()
    expect(berit.page.get_by_label("Registrert ved en feil", exact=True)).to_be_focused()
    berit.page.get_by_label("Dobbeltregistrert", exact=True).check()
    berit.press("Ja, slett deltaker")
    expect(berit.page.get_by_text("Deltakeren er slettet.")).to_be_visible()


def _mend(odd: Caseworker, data: str, what: str, done: str) -> None:
    """IMDi corrects it, with a reason."""
    odd.page.goto(data)
    odd.go(what)
    look(odd)
    odd.press(what)
    expect(odd.page.get_by_role("group", name="For å gå videre må du rette opp følgende")).to_be_focused()
    look(odd)
    odd.page.get_by_label("Begrunnelse", exact=True).fill(WHY)
    odd.press(what)
    expect(odd.page.get_by_text(done)).to_be_visible()


def _discharge(berit: Caseworker, data: str) -> None:
    """Page 4, the confirmation, the receipt."""
    berit.page.goto(data.replace("/data", "/avslutning"))
    berit.answer_all(TERMINATION)
    berit.show_fields()
    berit.press("Utskriv og registrer ferdig")
    berit.press("Det er OK")
    berit.stands_at("Kvittering")
    expect(berit.page.get_by_text("filtrere på status «Utskrevet»")).to_be_visible()


def _see_history(berit: Caseworker, name: str) -> None:
    """All events of the participant are shown, and one field can be chosen."""
    berit.go("Historikk")
    berit.stands_at(f"{name} · Historikk")
    happened = [f"Gjenåpnet: {WHY}", "Utskrevet", f"Gjenopprettet: {WHY}", "Slettet: Dobbeltregistrert", "Opprettet"]
    events = berit.page.get_by_role("row").filter(has=berit.page.get_by_role("cell", name="Deltakeren", exact=True))
    expect(events.locator("td:last-child")).to_have_text(happened)
    look(berit)
    berit.page.get_by_label("Vis endringer av").select_option("Norsknivå ved avslutning, muntlig")
    if not berit.scripts:
        berit.press("Vis")
    expect(berit.page.locator("tbody tr")).to_have_count(1)
    assert "felt=oral_end" in berit.page.url
