"""No typed value is lost: double clicks, a cut connection, slow responses, two users at once."""

import pytest
from playwright.sync_api import Route, expect

from services.standins import control as standin_control
from services.standins.run import Standins
from tests.browser.caseworker import BACKGROUND, OPPSTART, Answers, Caseworker, days_ago
from tests.browser.conftest import AtScreen, Someone
from tests.browser.slow_line import SlowLine
from tests.support.browser import assert_accessible
from tests.support.house import FailRegister


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "without-javascript"])
def test_a_double_click_creates_one(at_screen: AtScreen, someone: Someone, javascript: bool) -> None:
    person = someone()
    with at_screen("berit.bergen", javascript=javascript) as (berit, _watch):
        before = berit.count()
        berit.begin(person)
        berit.answer("Dato for oppstart", OPPSTART)
        berit.page.get_by_role("button", name="Neste", exact=True).dblclick()
        berit.stands_at(f"{person.full_name} · Bakgrunn")
        berit.go("Deltakere")
        expect(berit.row_of(person)).to_have_count(1)
        assert berit.count() == before + 1


def test_a_cut_line_loses_nothing(at_screen: AtScreen, someone: Someone) -> None:
    """A notice is shown, all typed values stay, and «Prøv igjen» continues when the connection is back."""
    person = someone()
    with at_screen("berit.bergen") as (berit, watch):
        watch.expect_lost_line()
        berit.create(person)
        berit.answer_all(BACKGROUND)
        berit.page.context.set_offline(True)
        berit.press("Neste")
        notice = berit.page.get_by_role("alert")
        expect(notice).to_contain_text("Ingen kontakt med registeret")
        expect(notice).to_be_in_viewport()
        holds(berit, BACKGROUND)
        notice.get_by_role("button", name="Prøv igjen").click()
        expect(notice).to_be_visible()
        holds(berit, BACKGROUND)
        berit.page.context.set_offline(False)
        notice.get_by_role("button", name="Prøv igjen").click()
        berit.stands_at("Programinnhold")
        berit.press_step("Bakgrunn")
        berit.stands_at("Bakgrunn")
        holds(berit, BACKGROUND)


def test_what_next_could_not_send_is_saved_by_itself(at_screen: AtScreen, someone: Someone) -> None:
    """«Neste» is pressed right after typing, and fails: the line says so, and it is saved automatically."""
    with at_screen("berit.bergen") as (berit, watch):
        watch.expect_lost_line()
        berit.create(someone())
        berit.page.context.set_offline(True)
        berit.answer("Morsmål", "Somali")
        berit.press("Neste")
        state = berit.page.locator("#tilstand")
        expect(state).to_contain_text("Ikke lagret: ingen kontakt med registeret")
        berit.page.context.set_offline(False)
        expect(state).to_contain_text("Lagret kl.", timeout=15_000)
        berit.page.reload()
        holds(berit, {"Morsmål": "Somali"})


def test_a_cut_line_does_not_create_twice(at_screen: AtScreen, someone: Someone) -> None:
    """The response to «Neste» is lost, though the participant was created: pressing again leads to the same
    participant."""
    person = someone()
    with at_screen("berit.bergen") as (berit, watch):
        watch.expect_lost_line()
        before = berit.count()
        berit.begin(person)
        berit.answer("Dato for oppstart", OPPSTART)
        berit.page.route("**/deltakere/ny", _lose_the_answer, times=1)
        berit.press("Neste")
        notice = berit.page.get_by_role("alert")
        expect(notice).to_contain_text("Ingen kontakt med registeret")
        notice.get_by_role("button", name="Prøv igjen").click()
        berit.stands_at("Bakgrunn")
        berit.go("Deltakere")
        expect(berit.row_of(person)).to_have_count(1)
        assert berit.count() == before + 1


def _lose_the_answer(route: Route) -> None:
    route.fetch(max_redirects=0)
    route.abort("connectionreset")


def test_a_register_that_is_down_loses_nothing(
    at_screen: AtScreen, someone: Someone, standins: Standins, fail_register: FailRegister
) -> None:
    """Folkeregisteret fails: a message, the form is kept, «Prøv igjen» fetches the name when it is up again."""
    person = someone()
    with at_screen("berit.bergen") as (berit, _watch):
        berit.go("Legg til deltaker")
        berit.answer("Dato for oppstart", OPPSTART)
        fail_register("freg", "500", number=person.number)
        berit.field("Fødselsnummer").fill(person.number)
        expect(berit.page.get_by_text("Det er noe galt i Folkeregisteret")).to_be_visible()
        berit.press("Neste")
        expect(berit.page.get_by_role("heading", name="Venter på oppslag")).to_be_visible()
        assert_accessible(berit.page)
        berit.page.get_by_role("navigation", name="Hovedmeny").get_by_role("link", name="Påbegynte").click()
        expect(berit.page.get_by_text("Venter på oppslag. Navnet hentes når Folkeregisteret svarer.")).to_be_visible()
        assert_accessible(berit.page)
        berit.page.get_by_role("link", name="Fortsett").first.click()  # the one changed last
        standin_control.heal(standins.freg.base_url)
        berit.press("Prøv igjen")
        expect(berit.page.get_by_label("Navn", exact=True)).to_have_text(person.full_name)
        holds(berit, {"Fødselsnummer": person.number, "Dato for oppstart": OPPSTART})


def holds(user: Caseworker, answers: Answers) -> None:
    """Check that the page still shows these answers."""
    for label, given in answers.items():
        if isinstance(given, str):
            control = user.field(label)
            shown = control.evaluate("one => one.selectedOptions ? one.selectedOptions[0].label : one.value")
            assert (label, shown) == (label, given)
        else:
            for choice in given:
                expect(user.group(label).get_by_label(choice, exact=True)).to_be_checked()


def test_typing_goes_on_while_an_answer_is_slow(at_screen: AtScreen, someone: Someone) -> None:
    """A response with a conditional field touches neither the focus nor the text being typed."""
    with at_screen("berit.bergen") as (berit, _watch):
        berit.create(someone())
        page = berit.page
        line = SlowLine(page, "**/bakgrunn/lagre")
        berit.answer("Tidligere tiltak", ("Introduksjonsprogram",))
        line.wait_for(1)
        berit.answer("Målgruppe ved oppstart", ("Annet",))
        berit.answer("Morsmål", "Somali")
        berit.field("Rekrutteringskanal").focus()
        line.let_go()
        expect(berit.field("Når avsluttet deltakeren introduksjonsprogrammet?")).to_be_visible()
        expect(berit.field("Rekrutteringskanal")).to_be_focused()
        expect(page.locator("#tilstand")).to_have_text("Lagrer …")
        line.wait_for(2)
        berit.field("Antall barn under 18 år").press_sequentially("1")
        line.let_go()
        line.wait_for(3)
        page.keyboard.type("2")
        line.let_go()
        expect(berit.field("Fødselsår for yngste barn")).to_be_visible()
        expect(berit.field("Antall barn under 18 år")).to_be_focused()
        line.wait_for(4)
        line.let_go()
        expect(page.locator("#tilstand")).to_contain_text("Lagret kl.")
        holds(
            berit,
            {
                "Antall barn under 18 år": "12",
                "Tidligere tiltak": ("Introduksjonsprogram",),
                "Målgruppe ved oppstart": ("Annet",),
                "Morsmål": "Somali",
            },
        )


def test_a_question_that_is_redrawn_keeps_its_answer(at_screen: AtScreen, someone: Someone) -> None:
    """«Deltakeren har gått ut i» becomes required by the reason, while the user is already answering it; a conditional
    field is being answered when the next one appears."""
    with at_screen("berit.bergen") as (berit, _watch):
        berit.create(someone())
        berit.press_step("Avslutning")
        berit.stands_at("Avslutning")
        page = berit.page
        line = SlowLine(page, "**/avslutning/lagre")
        berit.answer("Årsak til avslutning", "Gått ut i arbeid")
        line.wait_for(1)
        berit.answer("Deltakeren har gått ut i", ("Arbeid",))
        line.let_go()
        line.wait_for(2)
        expect(berit.group("Deltakeren har gått ut i")).to_have_accessible_description("Må fylles ut")
        line.let_go()
        berit.field("Stillingsprosent").press_sequentially("8")
        line.wait_for(3)
        berit.answer("Deltakeren har gått ut i", ("Studie",))
        berit.field("Stillingsprosent").press("End")
        page.keyboard.type("0")
        line.let_go()
        line.wait_for(4)
        line.let_go()
        expect(berit.group("Omfang")).to_be_visible()
        holds(berit, {"Deltakeren har gått ut i": ("Arbeid", "Studie"), "Stillingsprosent": "80"})
        expect(berit.field("Stillingsprosent")).to_be_focused()


def test_the_button_stands_as_the_last_change_has_left_it(at_screen: AtScreen, someone: Someone) -> None:
    with at_screen("berit.bergen") as (berit, _watch):
        berit.create(someone())
        berit.press_step("Avslutning")
        berit.stands_at("Avslutning")
        line = SlowLine(berit.page, "**/avslutning/lagre")
        berit.answer("Årsak til avslutning", "Sykdom")
        line.wait_for(1)
        berit.answer("Dato for avslutning", days_ago(3))
        berit.field("Dato for avslutning").press("Tab")
        line.let_go()
        line.wait_for(2)
        line.let_go()
        missing = berit.page.get_by_text("Mangler: Bakgrunn, Programinnhold, Gyldig fravær, dager")
        expect(missing).to_be_visible()


def test_two_people_in_the_same_field(at_screen: AtScreen, someone: Someone) -> None:
    """The second user sees what the first has written, and both values; other fields are kept."""
    person = someone()
    with at_screen("berit.bergen") as (berit, _), at_screen("anne.tokommuner") as (anne, _):
        berit.create(person)
        berit.press_step("Avslutning")
        berit.stands_at("Avslutning")
        anne.page.goto(berit.page.url)
        berit.answer("Gyldig fravær, dager", "5")
        berit.answer("Årsak til avslutning", "Sykdom")
        berit.press("Til deltakeroversikten")
        berit.stands_at("Deltakeroversikt")
        anne.answer("Gyldig fravær, dager", "7")
        anne.answer("Ugyldig fravær, dager", "2")
        anne.field("Ugyldig fravær, dager").press("Tab")
        expect(anne.page.locator("#absence_valid-error")).to_contain_text(
            "berit.bergen har endret dette til «5 dager» mens du skrev"
        )
        assert_accessible(anne.page)
        anne.page.locator("#utskriv").click(force=True)  # continuing decides nothing
        summary = anne.page.locator(".error-summary")
        expect(summary).to_be_focused()
        expect(summary).to_contain_text("berit.bergen har endret dette til «5 dager» mens du skrev")
        holds(anne, {"Gyldig fravær, dager": "7", "Ugyldig fravær, dager": "2", "Årsak til avslutning": "Sykdom"})
        anne.press("Bruk svaret til berit.bergen")
        expect(anne.page.locator("#tilstand")).to_contain_text("Lagret kl.")
        berit.open(person)
        berit.press_step("Avslutning")
        berit.stands_at("Avslutning")
        holds(berit, {"Gyldig fravær, dager": "5", "Ugyldig fravær, dager": "2", "Årsak til avslutning": "Sykdom"})
