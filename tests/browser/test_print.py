"""«Oversikt over registrerte data» on paper."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import AtScreen, Someone

BREAKS = "all => all.map(one => getComputedStyle(one).breakInside)"


def test_registered_data_fit_on_sheets_of_a4(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("kari.oslo") as (kari, _watch):
        page = kari.page
        kari.create(someone(), district="Grünerløkka")
        page.get_by_role("link", name="Oversikt over registrerte data").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Oversikt over registrerte data")
        person_id = page.locator("dt:text-is('PersonId') + dd").inner_text()
        above = page.get_by_text(re.compile(f"PersonId {person_id}. Utskriftsdato [0-9.]+ kl. [0-9.]+"))
        expect(above).to_be_hidden()

        page.emulate_media(media="print")
        expect(above).to_be_visible()
        assert above.bounding_box()["y"] < page.locator("section h2").first.bounding_box()["y"]
        for kind in ("navigation", "button", "contentinfo"):
            expect(page.get_by_role(kind)).to_have_count(0)
        assert set(page.locator(".printed .data > div").evaluate_all(BREAKS)) == {"avoid"}
        assert page.locator(".printed > .on-paper").evaluate("one => getComputedStyle(one).display") == (
            "table-header-group"
        ), "so that it stands on each sheet"

        paper = page.pdf(prefer_css_page_size=True)
        sizes = {tuple(map(round, map(float, box.split()))) for box in re.findall(rb"/MediaBox \[([^]]+)\]", paper)}
        assert sizes == {(0, 0, 595, 842)}
        assert len(re.findall(rb"/Type /Page\b", paper)) >= 2
