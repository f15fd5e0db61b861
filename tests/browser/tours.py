"""Tours through every page and state of the program. Each stop is a name, with the page in that state.

The caller decides what to check there (axe, widths, pictures).
"""

from collections.abc import Callable, Iterator

import pyotp
from playwright.sync_api import expect

from services.demo import PASSWORD
from services.standins.population import SyntheticPerson, persons
from tests.browser.caseworker import BACKGROUND, PROGRAMME, TERMINATION, Caseworker, days_ago

Tour = Iterator[str]
ERRORS = "For å gå videre må du rette opp følgende"


def signing_in(user: Caseworker) -> Tour:
    """The pages of a user who is not signed in."""
    user.page.goto("/")
    yield "sign-in"
    user.page.get_by_label("Brukernavn").fill("berit.bergen")
    user.page.get_by_label("Passord").fill("feil")
    user.press("Logg inn")
    expect(user.page.get_by_text("Brukernavnet eller passordet er feil.")).to_be_visible()
    yield "sign-in refused"
    user.page.goto("/")
    user.go("Glemt passordet?")
    user.press("Send lenke")
    expect(user.page.get_by_label("Brukernavn eller e-post")).to_have_attribute("aria-invalid", "true")
    yield "forgotten password, nothing written"
    user.page.get_by_label("Brukernavn eller e-post").fill("finnes.ikke")
    user.press("Send lenke")
    expect(user.page.get_by_role("heading", name="Se i e-posten din")).to_be_visible()
    yield "forgotten password, asked"
    for path in ("/invitasjon/finnes-ikke", "/nytt-passord/finnes-ikke"):
        user.page.goto(path)
        user.stands_at("Lenken virker ikke")
        yield f"dead link {path}"
    user.page.goto("/hjelp")
    yield "help"


def second_factor(user: Caseworker) -> Tour:
    """From the password to the recovery codes, with a required second factor."""
    user.page.goto("/")
    user.page.get_by_label("Brukernavn").fill("kari.oslo")
    user.page.get_by_label("Passord").fill(PASSWORD)
    user.press("Logg inn")
    user.stands_at("Sett opp engangskoder")
    yield "setting up"
    user.page.get_by_label("Engangskode").fill("000000")
    user.press("Fortsett")
    expect(user.page.get_by_role("heading", name="Koden er feil")).to_be_visible()
    yield "a wrong code"
    secret = (user.page.locator("code").text_content() or "").replace(" ", "")
    user.page.get_by_label("Engangskode").fill(pyotp.TOTP(secret).now())
    user.press("Fortsett")
    user.stands_at("Gjenopprettingskoder")
    yield "recovery codes"
    code = user.page.locator("code").first.text_content() or ""
    user.press("Jeg har tatt vare på kodene")
    user.stands_at("Deltakeroversikt")
    user.page.goto("/min-bruker/koder")
    yield "recovery codes left"
    user.press("Logg ut")
    user.page.get_by_label("Brukernavn").fill("kari.oslo")
    user.page.get_by_label("Passord").fill(PASSWORD)
    user.press("Logg inn")
    user.stands_at("Skriv engangskoden")
    yield "asked for the code"
    user.page.get_by_label("Engangskode").fill(code)
    user.press("Fortsett")
    user.stands_at("Deltakeroversikt")
    yield "in by a recovery code"


def overview(user: Caseworker) -> Tour:
    """The list, with everything that opens on it."""
    user.page.goto("/deltakere")
    yield "overview"
    user.rows.first.get_by_role("button", name="Handlinger for").click()
    yield "row menu open"
    user.page.keyboard.press("Escape")
    user.page.get_by_role("columnheader", name="Navn", exact=True).get_by_role("link").click()
    expect(user.page.get_by_role("columnheader", name="Navn", exact=True)).to_have_attribute("aria-sort", "ascending")
    yield "overview sorted"


def searching(user: Caseworker) -> Tour:
    """The panel of Oslo's user in all its states, and the saved views."""
    user.page.goto("/deltakere")
    user.open_panel()
    user.has_answer()
    yield "panel open"
    user.panel.locator("summary").click()
    user.group("Bydel").get_by_label("Sagene", exact=True).check()
    user.has_chips("Bydel Sagene")
    user.group("Status").get_by_label("Endret", exact=True).check()
    user.search("a, zzyx")
    user.has_chips("Søk a", "Søk zzyx", "Bydel Sagene", "Status Endret")
    user.has_answer()
    yield "panel with chips, folded choices open, a value without a hit"
    user.field("Oppstart fra").fill("31.02.2024")
    user.press("Søk")
    expect(user.field("Oppstart fra")).to_have_attribute("aria-invalid", "true")
    user.has_answer()
    yield "panel with an error"
    user.field("Oppstart fra").fill("01.01.2001")
    user.field("Oppstart til").fill("02.01.2001")
    user.press("Søk")
    expect(user.page.get_by_role("heading", name="Ingen deltakere passer")).to_be_visible()
    user.has_answer()
    yield "nobody fits"
    user.press("Lagre eller ordne visninger")
    user.stands_at("Lagrede visninger")
    user.has_answer()
    yield "no saved views"
    user.page.get_by_label("Navn på visningen").fill("Sagene, endret")
    user.press("Lagre visningen")
    user.stands_at("Deltakeroversikt")
    expect(user.page.get_by_role("link", name="Sagene, endret")).to_be_visible()
    user.has_answer()
    yield "panel with a saved view"
    user.press("Lukk søk og filter")
    expect(user.search_field).to_be_hidden()
    user.has_answer()
    yield "chips, panel closed"
    user.page.goto("/deltakere/visninger")
    user.press("Bruk som startvisning")
    expect(user.page.get_by_text("Startvisning")).to_be_visible()
    user.has_answer()
    yield "saved views"
    user.press("Slett visningen")
    user.stands_at("Lagrede visninger")
    user.has_answer()
    yield "whether a saved view shall go"
    user.press("Ja, slett visningen")
    expect(user.page.get_by_text("Visningen er slettet.")).to_be_visible()
    user.page.goto("/deltakere?sok=aaaaaaaaaaaaaaaa")
    expect(user.page.get_by_role("heading", name="Søket finnes ikke lenger")).to_be_visible()
    user.has_answer()
    yield "a search that is gone"


def searching_the_country(user: Caseworker) -> Tour:
    """Municipalities by name, with and without a mistake."""
    user.page.goto("/deltakere")
    user.open_panel()
    user.field("Kommune").fill("Bergen, Oslo")
    user.press("Søk")
    user.has_chips("Kommune Oslo", "Kommune Bergen")
    user.has_answer()
    yield "panel of IMDi"
    user.field("Kommune").fill("Be")
    user.press("Søk")
    expect(user.field("Kommune")).to_have_attribute("aria-invalid", "true")
    user.has_answer()
    yield "panel with an ambiguous name"


def overview_empty(user: Caseworker) -> Tour:
    """A list without participants."""
    user.page.goto("/deltakere")
    expect(user.page.get_by_role("heading", name="Ingen deltakere")).to_be_visible()
    yield "overview empty"


def creating(user: Caseworker, person: SyntheticPerson) -> Tour:
    """Page 1 of a new participant, with all possible errors."""
    user.page.goto("/deltakere/ny")
    yield "new"
    user.page.get_by_role("button", name="Hjelp: Dato for oppstart").click()
    yield "new with help open"
    user.page.keyboard.press("Escape")
    user.press("Neste")
    expect(user.page.get_by_role("group", name=ERRORS)).to_be_focused()
    yield "new with errors"
    user.field("Fødselsnummer").fill(next(persons(1, "dead")).number)
    expect(user.page.get_by_text("registrert som død")).to_be_visible()
    yield "new with a dead person"
    user.field("Fødselsnummer").fill(person.number)
    expect(user.page.get_by_label("Navn", exact=True)).to_have_text(person.full_name)
    yield "new with name"


def registering(user: Caseworker, person: SyntheticPerson) -> Tour:
    """The four pages from the beginning to the confirmation of the discharge."""
    user.create(person)
    yield "background"
    user.press("Neste")
    expect(user.page.get_by_role("group", name=ERRORS)).to_be_focused()
    yield "background with errors"
    user.answer_all(BACKGROUND)
    yield "background filled in"
    user.press("Neste")
    user.stands_at("Programinnhold")
    yield "programme"
    user.answer_all(PROGRAMME)
    user.add_row("Tiltak", {"Type tiltak": "Norskopplæring", "Fra dato": days_ago(280), "Timer per uke": "20"})
    user.add_row("Tiltak", {"Type tiltak": "Arbeidspraksis i ordinær virksomhet"})
    user.add_row("Permisjon", {"Fra dato": days_ago(90), "Til dato": days_ago(60), "Type permisjon": ("Sykdom",)})
    yield "programme with rows"
    user.press("Fullfør")
    expect(user.page.get_by_role("group", name=ERRORS)).to_be_focused()
    yield "programme with errors"
    user.press("Fjern tiltak 2")
    expect(user.page.get_by_role("group", name="Tiltak 2", exact=True)).to_have_count(0)
    user.press_step("Person og prosjekt")
    user.stands_at("Person og prosjekt")
    yield "person"
    user.press_step("Avslutning")
    user.stands_at("Avslutning")
    yield "termination"
    user.answer_all(TERMINATION)
    button = user.page.get_by_role("button", name="Utskriv og registrer ferdig")
    expect(button).to_have_attribute("data-color", "success")
    yield "termination filled in"
    button.click()
    expect(user.page.get_by_role("dialog").get_by_role("button", name="Avbryt")).to_be_focused()
    yield "discharge asked"


def one_participant(user: Caseworker, person: SyntheticPerson) -> Tour:
    """The other pages of a registered participant."""
    user.page.goto("/deltakere")
    user.choose_in_menu(person, "Se data")
    user.stands_at("Oversikt over registrerte data")
    yield "registered data"
    user.go("Historikk")
    user.stands_at("Historikk")
    yield "history"
    user.go("Slett deltaker")
    user.stands_at("Slett deltaker")
    yield "delete"
    user.page.get_by_role("main").get_by_role("button", name="Slett deltaker").click()
    expect(user.page.get_by_role("dialog").get_by_role("button", name="Avbryt")).to_be_focused()
    yield "delete asked"
    user.page.get_by_label("Registrert ved en feil", exact=True).check()
    user.press("Ja, slett deltaker")
    expect(user.page.get_by_text("Deltakeren er slettet.")).to_be_visible()
    yield "overview after deletion"


def refusals(user: Caseworker) -> Tour:
    """Unknown addresses."""
    user.page.goto("/deltakere/finnes-ikke-her0/person")
    yield "not found"
    user.page.goto("/deltakere?sorter=tull")
    yield "not understood"
    user.page.goto("/brukere")
    yield "no access"


def no_contact(user: Caseworker) -> Tour:
    """The connection is cut while the user sorts."""
    user.page.goto("/deltakere")
    user.page.context.set_offline(True)
    user.page.get_by_role("columnheader", name="Navn", exact=True).get_by_role("link").click()
    expect(user.page.get_by_role("alert")).to_be_visible()
    yield "no contact"
    user.page.context.set_offline(False)


def oversight(user: Caseworker) -> Tour:
    """IMDi's view: deleted ones marked, nothing to change."""
    user.page.goto("/deltakere")
    yield "overview of IMDi"
    deleted = user.rows.filter(has_text="Slettet")
    while not deleted.count():
        user.page.get_by_role("navigation", name="Sider").get_by_role("link", name="Neste", exact=True).click()
        user.page.wait_for_load_state("networkidle")
    yield "deleted participant in the overview"
    deleted = deleted.first
    deleted.get_by_role("button", name="Handlinger for").click()
    deleted.get_by_role("link", name="Se data").click()
    user.stands_at("Oversikt over registrerte data")
    yield "data of a deleted participant"
    user.go("Tilgangslogg")
    yield "the access log"
    if user.scripts:
        user.page.get_by_label("Handling", exact=True).select_option("Åpnet deltaker")
        expect(user.page).to_have_url("/tilgangslogg?handling=open")
        yield "the access log of one action"
    user.page.get_by_label("Fra og med", exact=True).fill("i går")
    user.press("Vis")
    expect(user.page.get_by_role("heading", name=ERRORS)).to_be_visible()
    yield "the access log, a day that is none"


def users(user: Caseworker) -> Tour:
    """The users, one of them, an invitation, and the user's own page."""
    user.page.goto("/brukere")
    yield "users"
    user.page.get_by_role("columnheader", name="Navn", exact=True).get_by_role("link").click()
    expect(user.page.get_by_role("columnheader", name="Navn", exact=True)).to_have_attribute("aria-sort", "descending")
    user.page.get_by_label("Søk etter bruker").fill("zzyx")
    user.page.get_by_label("Søk etter bruker").press("Enter")
    expect(user.page.get_by_role("heading", name="Ingen brukere passer")).to_be_visible()
    yield "no user fits"
    user.go("Inviter bruker")
    user.stands_at("Inviter bruker")
    yield "inviting"
    user.press("Send invitasjon")
    expect(user.page.get_by_role("heading", name=ERRORS)).to_be_visible()
    yield "inviting, nothing filled in"
    user.page.get_by_label("Navn", exact=True).fill("Tora Tur")
    user.page.get_by_label("E-post", exact=True).fill(f"tora.{user.scripts}@example.org".lower())
    user.page.get_by_label("Jobbtelefon", exact=True).fill("55 00 00 00")
    user.page.get_by_label("Kommunebruker i", exact=True).fill("Herøy (Nordland), 0301")
    user.press("Send invitasjon")
    user.stands_at("Tora Tur")
    yield "invited"
    user.press("Sperr bruker")
    expect(user.page.get_by_text("Brukeren er sperret og logget ut.")).to_be_visible()
    yield "blocked"
    user.page.goto("/min-bruker")
    user.press("Endre passordet")
    expect(user.page.get_by_role("heading", name=ERRORS)).to_be_visible()
    yield "own page, nothing filled in"


WITH_PERSON: tuple[Callable[[Caseworker, SyntheticPerson], Tour], ...] = (creating, registering, one_participant)
