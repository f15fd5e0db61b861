"""The financing of a new participant follows the chosen municipality."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import expect
from sqlalchemy import create_engine, update

from services.tables.participants import Municipality
from tests.browser.caseworker import Caseworker
from tests.browser.conftest import AtScreen
from tests.browser.slow_line import SlowLine
from tests.support.server import LiveServer

ORDINARY, PER_CAPITA = "Ordinær Jobbsjansen", "Per capita"


@contextmanager
def trial_in_askoy(server: LiveServer) -> Iterator[None]:
    """Askøy is in the trial within the block."""
    engine = create_engine(server.settings["DATABASE_URL"])
    this = update(Municipality).where(Municipality.number == "4627")
    with engine.begin() as work:
        work.execute(this.values(funding="per_capita"))
    try:
        yield
    finally:
        with engine.begin() as work:
            work.execute(this.values(funding="ordinary"))
        engine.dispose()


def choose(user: Caseworker, municipality: str) -> None:
    user.group("Kommune og kommunenummer").get_by_label(municipality).check()


def has_financing(user: Caseworker, wanted: str) -> None:
    """Check that exactly this one is chosen, and would be sent."""
    for one in (ORDINARY, PER_CAPITA):
        expect(user.group("Finansiering").get_by_label(one, exact=True)).to_be_checked(checked=one == wanted)
    code = "per_capita" if wanted == PER_CAPITA else "ordinary"
    assert user.page.evaluate("new FormData(document.getElementById('registrering')).getAll('funding')") == [code]


def test_the_financing_follows_to_and_fro(at_screen: AtScreen, empty_live_server: LiveServer) -> None:
    with trial_in_askoy(empty_live_server), at_screen("anne.tokommuner", server="empty_live_server") as (anne, _watch):
        anne.go("Legg til deltaker")
        for _round in range(3):
            choose(anne, "Askøy (4627)")
            has_financing(anne, PER_CAPITA)
            choose(anne, "Bergen (4601)")
            has_financing(anne, ORDINARY)
        anne.group("Finansiering").get_by_label(PER_CAPITA, exact=True).check()
        anne.field("Dato for oppstart").fill("01.02.2024")
        anne.page.keyboard.press("Tab")
        anne.page.wait_for_load_state("networkidle")
        has_financing(anne, PER_CAPITA)
        anne.page.reload()
        has_financing(anne, PER_CAPITA)
        choose(anne, "Askøy (4627)")
        has_financing(anne, PER_CAPITA)
        choose(anne, "Bergen (4601)")
        has_financing(anne, ORDINARY)


def test_to_and_fro_in_haste(at_screen: AtScreen, empty_live_server: LiveServer) -> None:
    """Both requests run at once: the municipality that was chosen last counts."""
    with trial_in_askoy(empty_live_server), at_screen("anne.tokommuner", server="empty_live_server") as (anne, _watch):
        anne.go("Legg til deltaker")
        choose(anne, "Askøy (4627)")
        has_financing(anne, PER_CAPITA)
        line = SlowLine(anne.page, "**/deltakere/ny/vis")
        choose(anne, "Bergen (4601)")
        line.wait_for(1)
        choose(anne, "Askøy (4627)")
        line.wait_for(2)
        line.let_go()
        anne.page.wait_for_timeout(300)
        has_financing(anne, PER_CAPITA)
