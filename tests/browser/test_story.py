"""The main job from end to end, as in the guide: with JavaScript and without, on both databases."""

import pytest
from playwright.sync_api import expect

from services.standins.population import SyntheticPerson
from tests.browser.caseworker import BACKGROUND, OPPSTART, PROGRAMME, TERMINATION, Caseworker, days_ago
from tests.browser.conftest import AtScreen, Someone

WAYS = [
    pytest.param("live_server", True, id="sqlite"),
    pytest.param("live_server", False, id="without-javascript"),
    pytest.param("live_server_on_postgresql", True, id="postgresql"),
]
DISCHARGE = "Utskriv og registrer ferdig"


@pytest.mark.parametrize(("server", "javascript"), WAYS)
def test_register_find_change_discharge(at_screen: AtScreen, someone: Someone, server: str, javascript: bool) -> None:
    """One participant in the register, in the order of the guide."""
    person = someone()
    with at_screen("berit.bergen", server=server, javascript=javascript) as (berit, _watch):
        before = berit.count()
        _fill_page_1(berit, person)
        _fill_page_2(berit)
        _fill_page_3(berit)
        _is_on_top(berit, person)
        assert berit.count() == before + 1
        _change_by_the_number(berit, person)
        _change_by_the_menu(berit, person)
        _is_on_top(berit, person)
        _see_data(berit, person)
        _discharge(berit, person)
        assert berit.row_of(person).count() == 0
        assert berit.count() == before


def _fill_page_1(berit: Caseworker, person: SyntheticPerson) -> None:
    """Guide 4.1: number, name, kommune, financing, oppstart."""
    berit.begin(person)
    expect(berit.page.get_by_label("Kommune og kommunenummer", exact=True)).to_have_text("Bergen (4601)")
    expect(berit.group("Finansiering").get_by_label("Ordinær Jobbsjansen")).to_be_checked()
    assert berit.page.get_by_text("Bydel").count() == 0
    berit.answer("Dato for oppstart", OPPSTART)
    berit.press("Neste")
    berit.stands_at(f"{person.full_name} · Bakgrunn")


def _fill_page_2(berit: Caseworker) -> None:
    """Guide 4.2: four values are fetched; all fields are filled in, including conditional ones."""
    for fetched in ("Ankomstår", "Fødeland", "Sivilstand", "Prøveresultater"):
        expect(berit.page.get_by_text(fetched, exact=True)).to_be_visible()
    berit.answer_all(BACKGROUND)
    berit.press("Neste")
    berit.stands_at("Programinnhold")


def _fill_page_3(berit: Caseworker) -> None:
    """Guide 4.3: two tiltak, one of them removed again, and a permisjon."""
    berit.answer_all(PROGRAMME)
    course = {"Type tiltak": "Norskopplæring", "Fra dato": days_ago(280), "Til dato": "", "Timer per uke": "20"}
    berit.add_row("Tiltak", course | {"Kommentar": "Kurs om kvelden"})
    berit.add_row("Tiltak", {"Type tiltak": "Livsmestring", "Fra dato": days_ago(200), "Timer per uke": "2,5"})
    berit.add_row("Permisjon", {"Fra dato": days_ago(90), "Til dato": days_ago(60), "Type permisjon": ("Sykdom",)})
    berit.press("Fjern tiltak 1")
    first = berit.page.get_by_role("group", name="Tiltak 1", exact=True)
    expect(berit.field("Type tiltak", within=first)).to_have_value("life_skills")
    expect(berit.field("Timer per uke", within=first)).to_have_value("2,5")
    berit.press("Fullfør")
    berit.stands_at("Deltakeroversikt")


def _is_on_top(berit: Caseworker, person: SyntheticPerson) -> None:
    """Last changed first: the participant is on the first line, with nothing missing."""
    expect(berit.rows.first).to_contain_text(person.number)
    expected = [person.number, person.full_name, "Bergen", OPPSTART, "", "Endret", days_ago(0), "berit.bergen"]
    assert berit.cells(berit.rows.first) == expected


def _change_by_the_number(berit: Caseworker, person: SyntheticPerson) -> None:
    """Guide 4.5: the number opens page 1; the buttons above navigate, and save."""
    berit.open(person)
    berit.stands_at("Person og prosjekt")
    berit.press_step("Programinnhold")
    berit.stands_at("Programinnhold")
    berit.answer("Timer i program per uke", "22,5")
    berit.press_step("Bakgrunn")
    berit.stands_at("Bakgrunn")
    berit.answer("Morsmål", "Tigrinja")
    berit.press_step("Programinnhold")
    expect(berit.field("Timer i program per uke")).to_have_value("22,5")
    berit.go("Deltakere")


def _change_by_the_menu(berit: Caseworker, person: SyntheticPerson) -> None:
    """The three dots, «Endre registrering»; «Neste» continues from page to page."""
    berit.choose_in_menu(person, "Endre registrering")
    berit.stands_at("Person og prosjekt")
    berit.press("Neste")
    berit.stands_at("Bakgrunn")
    berit.answer("Antall barn under 18 år", "3")
    berit.press("Neste")
    berit.stands_at("Programinnhold")
    berit.press("Fullfør")
    berit.stands_at("Deltakeroversikt")


def _see_data(berit: Caseworker, person: SyntheticPerson) -> None:
    """«Se data» in the row's menu, and «Oversikt over registrerte data» at the side."""
    berit.choose_in_menu(person, "Se data")
    berit.stands_at("Oversikt over registrerte data")
    data = berit.registered_data()
    assert data["Antall barn under 18 år"] == "3"
    assert data["Mål"] == "Lønnet arbeid | Bestå norskprøve"
    assert data["Tiltak"] == f"Livsmestring, fra {days_ago(200)}, 2,5 timer per uke"
    assert data["Permisjon"] == f"Sykdom {days_ago(90)}–{days_ago(60)}"
    berit.go("Registrering")
    berit.stands_at("Person og prosjekt")
    berit.go("Oversikt over registrerte data")
    assert berit.registered_data() == data


def _discharge(berit: Caseworker, person: SyntheticPerson) -> None:
    """Guide 4.4: the button is inactive until everything is filled in, then green; «Det er OK» ends it."""
    berit.go("Registrering")
    berit.press_step("Avslutning")
    berit.stands_at("Avslutning")
    button = berit.page.get_by_role("button", name=DISCHARGE)
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(berit.page.get_by_text("Mangler: Årsak til avslutning")).to_be_visible()
    last, answer = list(TERMINATION.items())[-1]
    berit.answer_all({label: given for label, given in TERMINATION.items() if label != last})
    button.press("Enter")
    expect(berit.page.get_by_role("group", name="For å gå videre må du rette opp følgende")).to_be_focused()
    expect(berit.page).to_have_title(f"Feil: {person.full_name} · Avslutning – Jobbsjanseregisteret")
    berit.answer(last, answer)
    berit.show_fields()
    expect(button).not_to_have_attribute("aria-disabled", "true")
    expect(button).to_have_attribute("data-color", "success")
    button.click()
    expect(berit.page.get_by_role("heading", name="Er alle opplysninger riktige?")).to_be_visible()
    berit.press("Det er OK")
    berit.stands_at("Kvittering")
    berit.go("Til deltakeroversikten")
    berit.stands_at("Deltakeroversikt")


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "without-javascript"])
def test_delete(at_screen: AtScreen, someone: Someone, javascript: bool) -> None:
    """Guide 3.9: the page with the name, the button, the confirmation; then the participant is gone."""
    person = someone()
    with at_screen("berit.bergen", javascript=javascript) as (berit, _watch):
        before = berit.count()
        berit.create(person)
        berit.go("Deltakere")
        expect(berit.row_of(person)).to_contain_text("Mangler: Bakgrunn, Programinnhold")
        expect(berit.row_of(person)).to_contain_text("Opprettet")
        berit.choose_in_menu(person, "Slett deltaker")
        berit.stands_at(f"{person.full_name} · Slett deltaker")
        assert berit.registered_data()["Navn"] == person.full_name
        address = berit.page.url
        berit.press("Slett deltaker")
        if javascript:
            _close_and_open_again(berit)
        berit.page.get_by_label("Registrert ved en feil", exact=True).check()
        berit.press("Ja, slett deltaker")
        berit.stands_at("Deltakeroversikt")
        expect(berit.page.get_by_text("Deltakeren er slettet.")).to_be_visible()
        assert berit.row_of(person).count() == 0
        assert berit.count() == before
        assert berit.status_of(address) == 404


def _close_and_open_again(berit: Caseworker) -> None:
    """The pop-up: «Avbryt» has the focus, Esc closes it and gives the focus back."""
    opener = berit.page.get_by_role("main").get_by_role("button", name="Slett deltaker", exact=True)
    dialog = berit.page.get_by_role("dialog", name="Vil du virkelig slette deltakeren?")
    cancel = dialog.get_by_role("button", name="Avbryt")
    expect(cancel).to_be_focused()
    berit.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    opener.press("Enter")
    expect(cancel).to_be_focused()
    cancel.press("Enter")
    expect(opener).to_be_focused()
    opener.click()
    expect(dialog).to_be_visible()
