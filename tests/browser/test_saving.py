"""Automatic saving: input is in the register without a button, or the page says that it is not."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from services.core.clock import today
from services.core.days import date_text
from services.demo import PASSWORD
from tests.browser.caseworker import Caseworker, days_ago
from tests.browser.conftest import AtScreen, Someone
from tests.browser.saving import SERVERS, begin, is_saved
from tests.support.browser import assert_accessible


@SERVERS
def test_a_field_is_saved_when_it_is_changed_or_left(at_screen: AtScreen, someone: Someone, server: str) -> None:
    with at_screen("berit.bergen", server=server) as (berit, _watch):
        address = begin(berit, someone, "Bakgrunn")
        berit.answer("Rekrutteringskanal", "Nav")
        berit.answer("Målgruppe ved oppstart", ("Mottar sosialhjelp",))
        is_saved(berit)
        berit.field("Antall barn under 18 år").press_sequentially("2")
        expect(berit.field("Fødselsår for yngste barn")).to_be_visible()  # without leaving the field
        is_saved(berit)
        expect(berit.field("Antall barn under 18 år")).to_be_focused()
        steps = berit.page.get_by_role("navigation", name="Registreringens sider")
        expect(steps.get_by_role("button", name=re.compile(r"2\..*Bakgrunn.*Mangler \d+"))).to_be_visible()
        berit.page.goto(address)
        expect(berit.field("Rekrutteringskanal")).to_have_value("nav")
        expect(berit.field("Antall barn under 18 år")).to_have_value("2")


@SERVERS
def test_leaving_at_once_loses_nothing(at_screen: AtScreen, someone: Someone, server: str) -> None:
    """A link, another address, and closing the tab, each right after the last keystroke."""
    with at_screen("berit.bergen", server=server) as (berit, _watch):
        address = begin(berit, someone, "Bakgrunn")
        berit.field("Antall barn under 18 år").press_sequentially("1")
        berit.go("Historikk")
        berit.stands_at("Historikk")
        expect(berit.page.get_by_role("cell", name="Antall barn under 18 år")).to_be_visible()
        berit.page.goto(address)
        berit.field("Antall barn under 18 år").fill("3")
        berit.page.goto("/hjelp")
        in_time(berit, address, "3")
        other = berit.page.context.new_page()
        other.goto(address)
        other.get_by_label("Antall barn under 18 år", exact=True).fill("4")
        other.close(run_before_unload=True)
        in_time(berit, address, "4")


def in_time(user: Caseworker, address: str, children: str) -> None:
    """Check that a save sent while leaving reaches the register, though perhaps after the request for the next page."""
    user.page.goto(address)
    for _again in range(50):
        if user.field("Antall barn under 18 år").input_value() == children:
            return
        user.page.wait_for_timeout(100)
        user.page.reload()
    expect(user.field("Antall barn under 18 år")).to_have_value(children)


@SERVERS
def test_what_is_wrong_is_kept_and_said(at_screen: AtScreen, someone: Someone, server: str) -> None:
    """Not in the register, but not lost: after a reload; other users see that there is a draft."""
    with (
        at_screen("berit.bergen", server=server) as (berit, _),
        at_screen("anne.tokommuner", server=server) as (anne, _),
    ):
        address = begin(berit, someone, "Avslutning")
        date = berit.field("Dato for avslutning")
        date.press_sequentially("31.02")
        expect(berit.page.locator("#tilstand")).to_contain_text("Ikke lagret: «Dato for avslutning»")
        expect(berit.page.get_by_text("Skriv en dato som finnes")).to_have_count(0)  # the user is still typing
        date.press_sequentially(".2026")
        date.press("Tab")
        expect(berit.page.locator("#end_date-error")).to_contain_text("Skriv en dato som finnes")
        assert_accessible(berit.page)
        berit.page.goto(address)
        expect(date).to_have_value("31.02.2026")
        expect(berit.page.locator("#end_date-error")).to_contain_text("Skriv en dato som finnes")
        anne.page.goto(address)
        expect(anne.field("Dato for avslutning")).to_have_value("")
        expect(anne.page.get_by_text("berit.bergen har skrevet et svar her som ikke er lagret")).to_be_visible()
        date.fill(days_ago(2))
        date.press("Tab")
        is_saved(berit)
        expect(berit.page.locator("#end_date-error")).to_have_count(0)


@SERVERS
def test_a_cut_line_is_said_and_made_good(at_screen: AtScreen, someone: Someone, server: str) -> None:
    with at_screen("berit.bergen", server=server) as (berit, watch):
        watch.expect_lost_line()
        address = begin(berit, someone, "Bakgrunn")
        state = berit.page.locator("#tilstand")
        berit.page.context.set_offline(True)
        berit.answer("Rekrutteringskanal", "Nav")
        expect(state).to_contain_text("Ikke lagret: ingen kontakt med registeret")
        assert_accessible(berit.page)
        berit.answer("Morsmål", "Somali")
        state.get_by_role("button", name="Prøv igjen").click()
        expect(state).to_contain_text("Ikke lagret: ingen kontakt med registeret")
        berit.page.context.set_offline(False)  # the browser reports it, and the save is tried again
        is_saved(berit)
        berit.page.goto(address)
        expect(berit.field("Rekrutteringskanal")).to_have_value("nav")
        expect(berit.field("Morsmål")).to_have_value("som")


@SERVERS
def test_an_answer_that_is_lost_is_no_conflict_with_oneself(at_screen: AtScreen, someone: Someone, server: str) -> None:
    """The save succeeded, its response is lost; the user has typed on meanwhile."""
    with at_screen("berit.bergen", server=server) as (berit, watch):
        watch.expect_lost_line()
        address = begin(berit, someone, "Bakgrunn")

        def lose(route: Route) -> None:
            route.fetch()
            route.abort("connectionreset")

        berit.page.route("**/bakgrunn/lagre", lose, times=1)
        berit.answer("Antall barn under 18 år", "1")
        expect(berit.page.locator("#tilstand")).to_contain_text("Ikke lagret: ingen kontakt")
        berit.answer("Antall barn under 18 år", "2")
        is_saved(berit)
        berit.page.goto(address)
        expect(berit.field("Antall barn under 18 år")).to_have_value("2")


@SERVERS
def test_a_slow_line(at_screen: AtScreen, someone: Someone, server: str) -> None:
    """50 kbit/s and 800 ms: it says «Lagrer …» until it is really saved."""
    with at_screen("berit.bergen", server=server) as (berit, _watch):
        address = begin(berit, someone, "Bakgrunn")
        slow_down(berit.page)
        berit.answer("Rekrutteringskanal", "Nav")
        expect(berit.page.locator("#tilstand")).to_have_text("Lagrer …")
        berit.answer("Morsmål", "Somali")
        berit.field("Antall barn under 18 år").press_sequentially("2")
        is_saved(berit)
        expect(berit.field("Antall barn under 18 år")).to_be_focused()
        berit.page.goto(address)
        expect(berit.field("Rekrutteringskanal")).to_have_value("nav")
        expect(berit.field("Antall barn under 18 år")).to_have_value("2")


def slow_down(page: Page) -> None:
    """Emulate the connection of a small municipality, by the browser."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    rate = 50_000 / 8
    conditions = {"offline": False, "latency": 800, "downloadThroughput": rate, "uploadThroughput": rate}
    session.send("Network.emulateNetworkConditions", conditions)


@SERVERS
def test_two_people_at_once(at_screen: AtScreen, someone: Someone, server: str) -> None:
    """Different fields are both kept; the same field asks for a choice, which is kept."""
    with (
        at_screen("berit.bergen", server=server) as (berit, _),
        at_screen("anne.tokommuner", server=server) as (anne, _),
    ):
        address = begin(berit, someone, "Bakgrunn")
        anne.page.goto(address)
        berit.answer("Rekrutteringskanal", "Nav")
        berit.answer("Antall barn under 18 år", "1")
        berit.field("Antall barn under 18 år").press("Tab")
        is_saved(berit)
        anne.answer("Morsmål", "Somali")
        expect(anne.field("Rekrutteringskanal")).to_have_value("nav")  # a message about the change
        expect(anne.page.locator("#endret-av-andre")).to_contain_text("berit.bergen har endret «Rekrutteringskanal»")
        is_saved(anne)
        berit.answer("Høyeste fullførte utdanning", "Fagskole")
        is_saved(berit)
        anne.answer("Høyeste fullførte utdanning", "Videregående")
        expect(anne.page.locator("#education-error")).to_contain_text("berit.bergen har endret dette til «Fagskole»")
        expect(anne.page.locator("#tilstand")).to_contain_text("Ikke lagret: «Høyeste fullførte utdanning»")
        assert_accessible(anne.page)
        anne.answer("Morsmål", "Urdu")  # does not decide it
        expect(anne.page.locator("#tilstand")).to_contain_text("Ikke lagret: «Høyeste fullførte utdanning»")
        anne.page.reload()  # nor does this
        expect(anne.field("Høyeste fullførte utdanning")).to_have_value("upper_secondary")
        anne.press("Behold svaret som står her")
        is_saved(anne)
        expect(anne.page.get_by_role("button", name="Behold svaret som står her")).to_have_count(0)
        berit.page.reload()
        expect(berit.field("Høyeste fullførte utdanning")).to_have_value("upper_secondary")
        expect(berit.field("Morsmål")).to_have_value("urd")


@SERVERS
@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "without-javascript"])
def test_a_row_that_is_removed_comes_back(at_screen: AtScreen, someone: Someone, javascript: bool, server: str) -> None:
    with at_screen("berit.bergen", javascript=javascript, server=server) as (berit, _watch):
        berit.create(someone())
        berit.press_step("Programinnhold")
        berit.page.goto(berit.page.url.replace("bakgrunn", "programinnhold"))
        for number, kind in ((1, "Språkpraksis"), (2, "Livsmestring")):
            berit.press("Legg til tiltak")
            row = berit.group(f"Tiltak {number}")
            row.get_by_label("Type tiltak", exact=True).select_option(kind)
            row.get_by_label("Fra dato", exact=True).fill(date_text(today()))
        berit.press("Fjern tiltak 1")
        expect(berit.page.get_by_text("Tiltak 1 er fjernet.")).to_be_visible()
        expect(berit.page.get_by_role("button", name="Angre")).to_be_focused()
        expect(berit.group("Tiltak 1").get_by_label("Type tiltak", exact=True)).to_have_value("life_skills")
        if javascript:
            assert_accessible(berit.page)
        berit.press("Angre")
        expect(berit.group("Tiltak 1").get_by_label("Type tiltak", exact=True)).to_have_value("language_practice")
        expect(berit.group("Tiltak 2").get_by_label("Type tiltak", exact=True)).to_have_value("life_skills")
        if javascript:
            is_saved(berit)
            berit.page.reload()
            expect(berit.group("Tiltak 2").get_by_label("Type tiltak", exact=True)).to_have_value("life_skills")


def end_visit(user: Caseworker) -> None:
    """End the user's session unnoticed: the browser's cookie is deleted."""
    user.page.context.clear_cookies()


def sign_in_again(user: Caseworker, username: str) -> None:
    """Sign in, in the dialog over the page."""
    dialog = user.page.get_by_role("dialog")
    expect(dialog.get_by_label("Passord")).to_be_focused()
    dialog.get_by_label("Brukernavn").fill(username)
    dialog.get_by_label("Passord").fill(PASSWORD)
    dialog.get_by_role("button", name="Logg inn", exact=True).click()


@SERVERS
def test_the_visit_ends_while_she_types(at_screen: AtScreen, someone: Someone, server: str) -> None:
    """Typed values stay on screen, and are sent when the same user has signed in again."""
    with at_screen("berit.bergen", server=server) as (berit, _watch):
        address = begin(berit, someone, "Bakgrunn")
        end_visit(berit)
        berit.answer("Rekrutteringskanal", "Nav")
        dialog = berit.page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        expect(dialog.get_by_label("Brukernavn")).to_have_value("berit.bergen")
        dialog.get_by_label("Passord").fill("feil passord")
        dialog.get_by_role("button", name="Logg inn", exact=True).click()
        expect(dialog).to_contain_text("Brukernavnet eller passordet er feil.")
        assert_accessible(berit.page)
        dialog.get_by_label("Passord").fill(PASSWORD)
        dialog.get_by_role("button", name="Logg inn", exact=True).click()
        expect(dialog).to_be_hidden()
        is_saved(berit)
        berit.answer("Morsmål", "Somali")
        is_saved(berit)
        berit.page.goto(address)
        expect(berit.field("Rekrutteringskanal")).to_have_value("nav")
        expect(berit.field("Morsmål")).to_have_value("som")


@SERVERS
def test_another_user_who_signs_in_there_gets_nothing_of_it(at_screen: AtScreen, someone: Someone, server: str) -> None:
    with at_screen("berit.bergen", server=server) as (berit, _watch):
        address = begin(berit, someone, "Bakgrunn")
        end_visit(berit)
        berit.answer("Rekrutteringskanal", "Nav")
        berit.page.on("dialog", lambda question: question.accept())
        sign_in_again(berit, "anne.tokommuner")
        berit.stands_at("Deltakeroversikt")
        berit.page.goto(address)
        expect(berit.field("Rekrutteringskanal")).to_have_value("")


@SERVERS
def test_page_one_is_kept_before_she_is_created(at_screen: AtScreen, someone: Someone, server: str) -> None:
    """Typed, left without a button, and found again after signing out."""
    person = someone()
    with at_screen("berit.bergen", server=server) as (berit, _watch):
        berit.go("Legg til deltaker")
        expect(berit.page.locator("#tilstand")).to_contain_text("Ikke opprettet ennå. Mangler:")
        berit.field("Fødselsnummer").press_sequentially(person.number)
        expect(berit.page.get_by_label("Navn", exact=True)).to_have_text(person.full_name)
        berit.field("Dato for oppstart").fill("01.02.2024")
        expect(berit.page.locator("#tilstand")).to_contain_text("Lagret under")
        berit.page.reload()
        expect(berit.field("Fødselsnummer")).to_have_value(person.number)
        berit.press("Logg ut")
        berit.sign_in("berit.bergen")
        berit.go("Påbegynte")
        assert_accessible(berit.page)
        berit.page.get_by_role("listitem").filter(has_text=person.full_name).get_by_role(
            "link", name="Fortsett"
        ).click()
        expect(berit.field("Dato for oppstart")).to_have_value("01.02.2024")
        berit.page.get_by_label("Jeg bekrefter at navn vist er identisk").check()
        berit.press("Neste")
        berit.stands_at(f"{person.full_name} · Bakgrunn")
        berit.go("Påbegynte")
        expect(berit.page.get_by_text(person.full_name)).to_have_count(0)


@SERVERS
def test_a_form_that_has_stood_open_is_told_what_has_changed(
    at_screen: AtScreen, someone: Someone, server: str
) -> None:
    """A user who comes back to the tab sees other users' changes, before typing anything."""
    with (
        at_screen("berit.bergen", server=server) as (berit, _),
        at_screen("anne.tokommuner", server=server) as (anne, _),
    ):
        address = begin(berit, someone, "Bakgrunn")
        anne.page.goto(address)
        berit.answer("Rekrutteringskanal", "Nav")
        is_saved(berit)
        anne.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(anne.page.locator("#endret-av-andre")).to_contain_text("berit.bergen har endret «Rekrutteringskanal»")
        expect(anne.field("Rekrutteringskanal")).to_have_value("nav")
        is_saved(anne)
