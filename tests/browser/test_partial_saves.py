"""An autosave contains the fields touched since they were last saved, and nothing of the others."""

import re
from urllib.parse import parse_qs

from playwright.sync_api import Request, Route, expect

from services.core.clock import today
from services.core.days import date_text
from tests.browser.caseworker import Caseworker
from tests.browser.conftest import AtScreen, Someone
from tests.browser.saving import begin, is_saved
from tests.browser.slow_line import SlowLine

SAVES = re.compile("/lagre$")
OF_EVERY_FORM = {"csrf_token", "form_key", "version", "vist", "sagt", "varslet", "uavklart", "slutt", "skriver"}


class Saves:
    """The saves of a page while it is being filled in: the names, without those that every save has."""

    def __init__(self, user: Caseworker) -> None:
        self.bodies: list[dict[str, list[str]]] = []
        user.page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if SAVES.search(request.url):
            self.bodies.append(parse_qs(request.post_data or "", keep_blank_values=True))

    @property
    def names(self) -> list[set[str]]:
        """The names of each save."""
        return [set(body) - OF_EVERY_FORM for body in self.bodies]

    @property
    def marks(self) -> list[list[str]]:
        """The fields of each save."""
        return [sorted(name.removeprefix("felt-") for name in body if name.startswith("felt-")) for body in self.bodies]


def test_only_what_was_touched_is_sent(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("berit.bergen") as (berit, _watch):
        begin(berit, someone, "Bakgrunn")
        saves = Saves(berit)
        berit.answer("Rekrutteringskanal", "Nav")
        is_saved(berit)
        berit.answer("Tidligere tiltak", ("Norskopplæring",))
        is_saved(berit)
        expect(berit.page.locator("#tilstand")).to_contain_text("Lagret kl.")
        assert saves.names == [{"recruitment", "felt-recruitment"}, {"earlier_measures", "felt-earlier_measures"}]
        assert saves.marks == [["recruitment"], ["earlier_measures"]]
        berit.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        berit.page.wait_for_timeout(500)
        assert saves.names[2:] == [set()]  # it only asks what others have changed


def test_what_is_touched_again_meanwhile_is_sent_again(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("berit.bergen") as (berit, _watch):
        begin(berit, someone, "Bakgrunn")
        saves = Saves(berit)
        line = SlowLine(berit.page, "**/bakgrunn/lagre")
        berit.answer("Rekrutteringskanal", "Nav")
        line.wait_for(1)
        berit.answer("Morsmål", "Somali")
        berit.answer("Rekrutteringskanal", "Helsestasjon, barnehage eller skole")
        line.let_go()
        line.wait_for(2)
        line.let_go()
        is_saved(berit)
        assert saves.marks == [["recruitment"], ["mother_tongue", "recruitment"]]
        berit.page.unroute("**/bakgrunn/lagre")
        berit.page.reload()
        expect(berit.field("Morsmål")).to_have_value("som")


def test_what_was_not_saved_is_sent_with_the_next(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("berit.bergen") as (berit, watch):
        watch.expect_lost_line()
        begin(berit, someone, "Bakgrunn")
        saves = Saves(berit)

        def cut(route: Route) -> None:
            route.abort("connectionreset")

        berit.page.route(SAVES, cut, times=1)
        berit.answer("Rekrutteringskanal", "Nav")
        expect(berit.page.locator("#tilstand")).to_contain_text("Ikke lagret")
        berit.answer("Morsmål", "Somali")
        is_saved(berit)
        assert saves.marks == [["recruitment"], ["mother_tongue", "recruitment"]]


def test_a_rows_button_sends_its_own_question(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("berit.bergen") as (berit, _watch):
        begin(berit, someone, "Bakgrunn")
        berit.page.goto(berit.page.url.replace("bakgrunn", "programinnhold"))
        saves = Saves(berit)
        berit.press("Legg til tiltak")
        row = berit.group("Tiltak 1")
        row.get_by_label("Type tiltak", exact=True).select_option("Livsmestring")
        expect(berit.page.locator("#tilstand")).to_contain_text("lagret")
        berit.press("Fjern tiltak 1")
        expect(berit.page.get_by_text("Tiltak 1 er fjernet.")).to_be_visible()
        assert [body["go"] for body in saves.bodies if "go" in body] == [["add-activities"], ["remove-activities-0"]]
        assert all(marks == ["activities"] for marks in saves.marks)


def test_a_button_that_did_not_get_through_is_said(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("berit.bergen") as (berit, watch):
        watch.expect_lost_line()
        begin(berit, someone, "Bakgrunn")
        berit.page.goto(berit.page.url.replace("bakgrunn", "programinnhold"))
        berit.page.route(SAVES, lambda route: route.abort("connectionreset"), times=1)
        berit.press("Legg til tiltak")
        expect(berit.page.locator("#tilstand")).to_contain_text("Ikke lagret: ingen kontakt med registeret")


def test_the_mark_of_the_end_is_the_last(at_screen: AtScreen, someone: Someone) -> None:
    """Whatever is added to a form before sending, and whatever button was pressed: it comes before the mark."""
    with at_screen("berit.bergen") as (berit, _watch):
        begin(berit, someone, "Bakgrunn")
        berit.page.evaluate(
            """() => {
              const end = Object.assign(document.createElement('input'), { type: 'hidden', name: 'slutt', value: '1' });
              document.querySelectorAll('#registrering [name=slutt]').forEach((one) => one.remove());
              document.getElementById('registrering').append(end);
            }"""
        )
        sent: list[str] = []
        berit.page.on("request", lambda request: sent.append(request.post_data or ""))
        berit.field("Antall barn under 18 år").press_sequentially("2")
        is_saved(berit)
        berit.press_step("Avslutning")
        berit.stands_at("Avslutning")
        posted = [body for body in sent if body]
        assert posted
        assert all(body.endswith("&slutt=1") for body in posted)


def test_a_new_row_stays_while_others_change_the_rows(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("berit.bergen") as (berit, _watch), at_screen("anne.tokommuner") as (anne, _):
        address = begin(berit, someone, "Bakgrunn").replace("/bakgrunn", "/programinnhold")
        for user in (berit, anne):
            user.page.goto(address)
        berit.press("Legg til tiltak")
        expect(berit.group("Tiltak 1")).to_be_visible()
        anne.press("Legg til tiltak")
        anne.answer("Type tiltak", "Norskopplæring", within=anne.group("Tiltak 1"))
        anne.answer("Fra dato", date_text(today()), within=anne.group("Tiltak 1"))
        is_saved(anne)
        berit.answer("Mottar deltakeren stønad gjennom Jobbsjansen?", ("Ja",))
        expect(berit.group("Tiltak 2").get_by_label("Type tiltak", exact=True)).to_have_value("norwegian")
        expect(berit.group("Tiltak 1").get_by_label("Type tiltak", exact=True)).to_have_value("")


def test_what_others_have_changed_takes_the_place_of_what_stood_there(at_screen: AtScreen, someone: Someone) -> None:
    """For a text, a choice and a row that are not sent, since they have not been touched here."""
    with at_screen("berit.bergen") as (berit, _watch), at_screen("anne.tokommuner") as (anne, _):
        address = begin(berit, someone, "Bakgrunn").replace("/bakgrunn", "/programinnhold")
        berit.page.goto(address)
        berit.answer("Timer i program per uke", "10")
        berit.answer("Er det laget en individuell plan?", ("Nei",))
        berit.press("Legg til tiltak")
        for label, given in (
            ("Type tiltak", "Norskopplæring"),
            ("Fra dato", date_text(today())),
            ("Timer per uke", "6"),
        ):
            berit.answer(label, given, within=berit.group("Tiltak 1"))
        is_saved(berit)
        anne.page.goto(address)
        anne.answer("Timer i program per uke", "20")
        anne.answer("Er det laget en individuell plan?", ("Ja",))
        anne.answer("Timer per uke", "8", within=anne.group("Tiltak 1"))
        anne.field("Timer i program per uke").focus()
        is_saved(anne)
        berit.answer("Mottar deltakeren stønad gjennom Jobbsjansen?", ("Ja",))
        expect(berit.field("Timer i program per uke")).to_have_value("20")
        expect(berit.page.get_by_role("radio", name="Ja").first).to_be_checked()
        expect(berit.group("Tiltak 1").get_by_label("Timer per uke", exact=True)).to_have_value("8")
