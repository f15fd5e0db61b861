"""The four pages without JavaScript: every button keeps the typed values, and no line claims more than is saved."""

from playwright.sync_api import expect

from services.core.clock import today
from services.core.days import date_text
from tests.browser.caseworker import Caseworker
from tests.browser.conftest import AtScreen, Someone
from tests.browser.saving import SERVERS


def begin(user: Caseworker, someone: Someone, word: str) -> str:
    """A new participant's page; returns its address."""
    user.create(someone())
    user.stands_at("Bakgrunn")
    address = user.page.url.replace("/bakgrunn", f"/{word}")
    user.page.goto(address)
    return address


@SERVERS
def test_what_belongs_to_the_answers_is_shown_and_the_answers_are_saved(
    at_screen: AtScreen, someone: Someone, server: str
) -> None:
    with at_screen("berit.bergen", server=server, javascript=False) as (berit, _watch):
        address = begin(berit, someone, "bakgrunn")
        expect(berit.page.locator("noscript .hint")).to_be_visible()
        expect(berit.page.locator("#tilstand .saved")).to_be_hidden()
        berit.answer("Antall barn under 18 år", "2")
        berit.answer("Rekrutteringskanal", "Nav")
        berit.press("Vis oppfølgingsspørsmål")
        expect(berit.field("Fødselsår for yngste barn")).to_be_visible()
        berit.go("Historikk")  # a link, and nothing is lost by it
        berit.page.goto(address)
        expect(berit.field("Antall barn under 18 år")).to_have_value("2")
        expect(berit.field("Rekrutteringskanal")).to_have_value("nav")


@SERVERS
def test_rows_come_and_go_and_what_was_typed_stays(at_screen: AtScreen, someone: Someone, server: str) -> None:
    with at_screen("berit.bergen", server=server, javascript=False) as (berit, _watch):
        address = begin(berit, someone, "programinnhold")
        berit.answer("Timer i program per uke", "i alt 20")
        berit.press("Legg til tiltak")
        expect(berit.field("Timer i program per uke")).to_have_value("i alt 20")
        row = berit.group("Tiltak 1")
        berit.answer("Type tiltak", "Norskopplæring", within=row)
        berit.answer("Fra dato", date_text(today()), within=row)
        berit.press("Legg til tiltak")
        berit.answer("Type tiltak", "Livsmestring", within=berit.group("Tiltak 2"))
        berit.press("Fjern tiltak 1")
        berit.press("Angre")
        expect(berit.group("Tiltak 1").get_by_label("Type tiltak", exact=True)).to_have_value("norwegian")
        expect(berit.group("Tiltak 2").get_by_label("Type tiltak", exact=True)).to_have_value("life_skills")
        berit.page.goto(address)
        expect(berit.field("Timer i program per uke")).to_have_value("i alt 20")
        expect(berit.group("Tiltak 1").get_by_label("Type tiltak", exact=True)).to_have_value("norwegian")
        expect(berit.group("Tiltak 2").get_by_label("Type tiltak", exact=True)).to_have_value("life_skills")


@SERVERS
def test_answers_that_others_took_away_come_back_by_a_button(
    at_screen: AtScreen, someone: Someone, server: str
) -> None:
    with at_screen("berit.bergen", server=server, javascript=False) as (berit, _watch):
        address = begin(berit, someone, "bakgrunn")
        berit.answer("Antall barn under 18 år", "2")
        berit.press("Vis oppfølgingsspørsmål")
        berit.answer("Fødselsår for yngste barn", "2021")
        berit.press("Vis oppfølgingsspørsmål")
        berit.answer("Antall barn under 18 år", "0")
        berit.press("Vis oppfølgingsspørsmål")
        expect(berit.field("Fødselsår for yngste barn")).to_have_count(0)
        expect(berit.page.locator("#tatt-bort")).to_contain_text("Svaret på «Fødselsår for yngste barn»")
        alert = berit.page.locator("#tatt-bort > .ds-alert").bounding_box()
        steps = berit.page.locator("#steg").bounding_box()
        assert alert is not None
        assert steps is not None
        assert steps["y"] - (alert["y"] + alert["height"]) >= 8, "it stands apart from what follows"
        expect(berit.page.locator("#band")).to_be_hidden()  # it would be empty
        berit.press("Angre")
        expect(berit.field("Antall barn under 18 år")).to_have_value("2")
        expect(berit.field("Fødselsår for yngste barn")).to_have_value("2021")
        expect(berit.page.locator("#tatt-bort")).to_be_empty()
        berit.page.goto(address)
        expect(berit.field("Antall barn under 18 år")).to_have_value("2")
        expect(berit.field("Fødselsår for yngste barn")).to_have_value("2021")
