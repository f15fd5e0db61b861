"""Choosing a municipality in the form of a new participant hides a protected person, or shows the person again."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from sqlalchemy import create_engine, delete, insert, select

from services.access.viewer import Role
from services.standins.population import people
from services.tables.accounts import RoleGrant, User
from tests.browser.conftest import AtScreen
from tests.support.server import LiveServer

PLACE = "Kommune og kommunenummer"


@pytest.fixture
def _siri_in_bergen_too(empty_live_server: LiveServer) -> Iterator[None]:
    """Siri has the right to protected addresses in Oslo, and none in Bergen."""
    engine = create_engine(empty_live_server.settings["DATABASE_URL"])
    who = select(User.id).where(User.username == "siri.vern").scalar_subquery()
    with engine.begin() as connection:
        grant = {"role": Role.CASEWORKER.value, "municipality_number": "4601", "sees_protected": False}
        connection.execute(insert(RoleGrant).values(user_id=who, **grant))
    yield
    with engine.begin() as connection:
        in_bergen = (RoleGrant.user_id == who) & (RoleGrant.municipality_number == "4601")
        connection.execute(delete(RoleGrant).where(in_bergen))
    engine.dispose()


@pytest.mark.usefixtures("_siri_in_bergen_too")
def test_another_municipality_hides_and_shows(at_screen: AtScreen) -> None:
    person = next(one for one in people() if "protected" in one.kinds)
    with at_screen("siri.vern", server="empty_live_server") as (siri, _watch):
        siri.go("Legg til deltaker")
        page, told = siri.page, siri.page.locator("#oppslag")
        siri.field("Fødselsnummer").fill(person.number)
        expect(told).to_contain_text("Kan ikke registreres her")
        name = page.get_by_label("Navn", exact=True)
        for _time in range(2):
            siri.answer(PLACE, ("Oslo (0301)",))
            expect(name).to_have_text(person.full_name)
            expect(told).to_contain_text("Adressebeskyttelse:")
            page.get_by_label("Jeg bekrefter at navn vist", exact=False).check()
            siri.answer(PLACE, ("Bergen (4601)",))
            expect(told).to_contain_text("Kan ikke registreres her")
            assert person.full_name not in page.content()
            expect(page.locator("#tilstand")).to_contain_text("bekreftet navn")
        expect(page.locator("#tilstand")).to_contain_text("Påbegynte")
        page.reload()
        expect(page.get_by_label("Bergen (4601)", exact=True)).to_be_checked()
        assert person.full_name not in page.content()
