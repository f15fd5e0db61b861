"""Searching the access log."""

from playwright.sync_api import expect

from tests.browser.conftest import AtScreen


def test_a_wrong_day_is_marked_and_mended(at_screen: AtScreen) -> None:
    with at_screen("admin.imdi") as (admin, _watch):
        admin.go("Tilgangslogg")
        first, last = admin.page.get_by_label("Fra og med"), admin.page.get_by_label("Til og med")
        summary = admin.page.locator("#error-summary")
        last.fill("01.02.2099")
        first.fill("32.01.2026")
        last.focus()
        expect(summary).to_be_focused()
        expect(summary).to_contain_text("Fra og med: skriv en dato som finnes, slik: dd.mm.åååå")
        expect(first).to_have_attribute("aria-invalid", "true")
        expect(first).to_have_value("32.01.2026")
        expect(last).to_have_value("01.02.2099")
        expect(admin.page).to_have_title("Feil: Tilgangslogg – Jobbsjanseregisteret")
        summary.get_by_role("link").click()
        expect(first).to_be_focused()
        first.fill("31.01.2026")
        first.press("Enter")
        expect(summary).to_have_count(0)
        expect(first).not_to_have_attribute("aria-invalid", "true")
        expect(first).to_be_focused()
        expect(admin.page).to_have_title("Tilgangslogg – Jobbsjanseregisteret")
        expect(admin.page.get_by_role("table")).to_contain_text("Leste tilgangsloggen")
