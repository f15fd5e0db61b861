"""A user at the screen: acts as a person does, by labels and roles, with and without JavaScript."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from playwright.sync_api import Locator, Page, expect

from services.core.clock import today
from services.core.days import date_text
from services.demo import PASSWORD
from services.standins.population import SyntheticPerson

# An answer: a text for a text field or a select, or the choices of a group.
Answer = str | tuple[str, ...]
Answers = Mapping[str, Answer]


def days_ago(days: int) -> str:
    """A day before today, as typed."""
    return date_text(today() - timedelta(days=days))


OPPSTART = days_ago(300)

BACKGROUND: Answers = {
    "Målgruppe ved oppstart": ("Mottar sosialhjelp",),
    "Rekrutteringskanal": "Voksenopplæringen",
    "Tidligere tiltak": ("Introduksjonsprogram", "Norskopplæring"),
    "Når avsluttet deltakeren introduksjonsprogrammet?": "06.2019",
    "Lese- og skriveferdigheter på eget morsmål": ("Gode ferdigheter",),
    "Morsmål": "Tigrinja",
    "Norsknivå ved oppstart, muntlig": "A2",
    "Norsknivå ved oppstart, skriftlig": "A1",
    "Høyeste fullførte utdanning": "Videregående",
    "Land for utdanningen": "Eritrea",
    "Er utdanningen godkjent i Norge?": ("Søknad sendt",),
    "Arbeidserfaring før oppstart": ("Fra både Norge og utlandet",),
    "Lengde på lønnet arbeid i Norge": ("6–12 md.",),
    "Antall barn under 18 år": "2",
    "Fødselsår for yngste barn": str(today().year - 4),
    "Hovedkilde til livsopphold ved oppstart": "Økonomisk sosialhjelp",
}
PROGRAMME: Answers = {
    "Er det laget en individuell plan?": ("Ja",),
    "Dato for individuell plan": days_ago(290),
    "Mål": ("Lønnet arbeid", "Bestå norskprøve"),
    "Nivå på norskprøven": ("B1",),
    "Timer i program per uke": "30",
    "Mottar deltakeren stønad gjennom Jobbsjansen?": ("Ja",),
}
TERMINATION: Answers = {
    "Årsak til avslutning": "Gått ut i arbeid",
    "Dato for avslutning": days_ago(3),
    "Gyldig fravær, dager": "4",
    "Ugyldig fravær, dager": "0",
    "Deltakeren har gått ut i": ("Arbeid", "Annet"),
    "Type arbeid": ("Fast",),
    "Stillingsprosent": "80",
    "Sektor": ("Offentlig",),
    "Bransje": "Barnehage og skole",
    "Lønnstilskudd fra Nav": ("Nei",),
    "Hva går deltakeren til?": "Foreldrepermisjon",
    "Hovedkilde til livsopphold etter avslutning": "Lønn",
    "Norsknivå ved avslutning, muntlig": "B1",
    "Norsknivå ved avslutning, skriftlig": "A2",
}
# Conditional fields: without JavaScript they appear only after «Vis felt …».
CONDITIONAL = frozenset(
    {
        "Når avsluttet deltakeren introduksjonsprogrammet?",
        "Lengde på lønnet arbeid i Norge",
        "Fødselsår for yngste barn",
        "Dato for individuell plan",
        "Nivå på norskprøven",
        "Type arbeid",
        "Stillingsprosent",
        "Sektor",
        "Bransje",
        "Lønnstilskudd fra Nav",
        "Hva går deltakeren til?",
    }
)


@dataclass
class Caseworker:
    """A user on a page. `scripts`: whether the browser runs JavaScript."""

    page: Page
    scripts: bool = True

    # ---- Navigation ----

    def sign_in(self, username: str) -> None:
        """From the sign-in page to the start page."""
        self.page.goto("/")
        self.page.get_by_label("Brukernavn").fill(username)
        self.page.get_by_label("Passord").fill(PASSWORD)
        self.press("Logg inn")
        expect(self.page.get_by_role("button", name="Logg ut")).to_be_visible()

    def press(self, name: str) -> None:
        """Press the button with exactly this name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def go(self, name: str) -> None:
        """Follow the link with exactly this name."""
        self.page.get_by_role("link", name=name, exact=True).click()

    def press_step(self, title: str) -> None:
        """Press one of the four pages' buttons above the form."""
        self.page.get_by_role("navigation", name="Registreringens sider").get_by_role("button", name=title).click()

    def status_of(self, address: str) -> int:
        """Go to an address; returns the response's status."""
        answer = self.page.goto(address)
        assert answer is not None
        return answer.status

    def stands_at(self, heading: str) -> None:
        """Check that the page's heading contains this text."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(heading)

    # ---- The overview ----

    @property
    def rows(self) -> Locator:
        """The participants on screen."""
        return self.page.locator("#resultat tbody tr")

    def row_of(self, person: SyntheticPerson) -> Locator:
        """The row that shows this person's number."""
        return self.rows.filter(has=self.page.get_by_role("link", name=person.number))

    def cells(self, row: Locator) -> list[str]:
        """The texts of a row, without its menu."""
        return [text.strip() for text in row.locator("td[data-label]").all_inner_texts()]

    def count(self) -> int:
        """The number «Antall deltakere»."""
        said = self.page.get_by_text("Antall deltakere:").inner_text()
        return int(re.sub(r"\D", "", said))

    def open(self, person: SyntheticPerson) -> None:
        """Open a participant by the number in the overview."""
        self.row_of(person).get_by_role("link", name=person.number).click()

    def choose_in_menu(self, person: SyntheticPerson, choice: str) -> None:
        """Choose in the menu of the row's three dots."""
        row = self.row_of(person)
        row.get_by_role("button", name=f"Handlinger for {person.full_name}").click()
        row.get_by_role("link", name=choice, exact=True).click()

    @property
    def panel_button(self) -> Locator:
        """The button «Søk og filter»."""
        return self.page.get_by_role("button", name="Søk og filter", exact=True)

    @property
    def panel(self) -> Locator:
        """The panel under the heading, with the chips."""
        return self.page.get_by_role("region", name="Søk og filter")

    @property
    def search_field(self) -> Locator:
        """The field for numbers and names; visible only while the panel is open."""
        return self.page.get_by_label("Søk på fødselsnummer, PersonId eller navn")

    def open_panel(self) -> None:
        """Open the panel by its button."""
        self.panel_button.click()
        expect(self.search_field).to_be_visible()

    def search(self, text: str) -> None:
        """Fill in the search field, and press «Søk»."""
        self.search_field.fill(text)
        self.press("Søk")

    def has_answer(self) -> None:
        """Wait until no request is running."""
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0)

    @property
    def chips(self) -> Locator:
        """The chips of the criteria in force."""
        return self.page.get_by_role("list", name="Aktive filtre").get_by_role("button")

    def chip(self, criterion: str) -> Locator:
        """The chip that removes this criterion, such as «Status Endret»."""
        return self.page.get_by_role("button", name=f"Fjern filter: {criterion}", exact=True)

    def has_chips(self, *texts: str) -> None:
        """Check that exactly these criteria are beside «Filtrer»."""
        expect(self.chips).to_have_text(list(texts))

    def header(self, label: str) -> Locator:
        """A column's header cell."""
        return self.page.get_by_role("columnheader", name=label, exact=True)

    def column(self, label: str) -> Locator:
        """The cells of a column on screen."""
        return self.rows.locator(f'td[data-label="{label}"]')

    def registered_data(self) -> dict[str, str]:
        """Label and value of everything on the page of registered data, several values separated as in the file."""
        pairs = self.page.locator(".data > div").evaluate_all(
            """all => all.map(one => [
              one.querySelector('dt').innerText,
              [...one.querySelectorAll('li')].map(li => li.innerText).join(' | ')
                || one.querySelector('dd').innerText,
            ])"""
        )
        return {label.strip(): value.strip() for label, value in pairs}

    # ---- Forms ----

    def group(self, label: str) -> Locator:
        """Radio buttons or check boxes with a common name."""
        choices = self.page.get_by_role("radiogroup", name=label, exact=True)
        return choices.or_(self.page.get_by_role("group", name=label, exact=True))

    def field(self, label: str, *, within: Locator | None = None) -> Locator:
        """A text field or a select by its label."""
        place = within or self.page.get_by_role("main")
        return place.get_by_role("textbox", name=label, exact=True).or_(
            place.get_by_role("combobox", name=label, exact=True)
        )

    def answer(self, label: str, given: Answer, *, within: Locator | None = None) -> None:
        """Fill in one field as a person does."""
        if isinstance(given, tuple):
            for choice in given:
                self.group(label).get_by_label(choice, exact=True).check()
            return
        control = self.field(label, within=within)
        if control.evaluate("one => one.tagName") == "SELECT":
            control.select_option(label=given)
        else:
            control.fill(given)

    def answer_all(self, answers: Answers) -> None:
        """Fill in a page from the top; without scripts, request conditional fields."""
        later = {label: given for label, given in answers.items() if label in CONDITIONAL and not self.scripts}
        for label, given in answers.items():
            if label not in later:
                self.answer(label, given)
        if later:
            self.show_fields()
        for label, given in later.items():
            self.answer(label, given)

    def show_fields(self) -> None:
        """Without JavaScript: «Vis oppfølgingsspørsmål»."""
        if not self.scripts:
            self.press("Vis oppfølgingsspørsmål")

    # ---- The main steps of a registration ----

    def begin(self, person: SyntheticPerson) -> None:
        """«Legg til deltaker», the number, the confirmed name."""
        self.go("Legg til deltaker")
        self.field("Fødselsnummer").fill(person.number)
        if not self.scripts:
            self.press("Hent navn")
        expect(self.page.get_by_label("Navn", exact=True)).to_have_text(person.full_name)
        self.page.get_by_label("Jeg bekrefter at navn vist er identisk med navn på deltaker", exact=True).check()

    def create(self, person: SyntheticPerson, *, start: str = OPPSTART, district: str = "") -> None:
        """Create a participant with page 1; ends on Bakgrunn."""
        self.begin(person)
        if district:
            self.answer("Bydel", district)
        self.answer("Dato for oppstart", start)
        self.press("Neste")
        self.stands_at("Bakgrunn")

    def add_row(self, item: str, answers: Answers) -> None:
        """«Legg til tiltak» or «Legg til permisjon», and the new, last row filled in."""
        rows = self.page.get_by_role("group", name=re.compile(rf"^{item} \d+$"))
        before = rows.count()
        self.press(f"Legg til {item.lower()}")
        expect(rows).to_have_count(before + 1)
        for label, given in answers.items():
            if isinstance(given, tuple):
                rows.last.get_by_role("radiogroup", name=label).get_by_label(given[0], exact=True).check()
            else:
                self.answer(label, given, within=rows.last)

    def complete(self, person: SyntheticPerson) -> None:
        """From the overview: create a participant with the first three pages filled in; ends in the overview."""
        self.create(person)
        self.answer_all(BACKGROUND)
        self.press("Neste")
        self.stands_at("Programinnhold")
        self.answer_all(PROGRAMME)
        self.page.get_by_label("Ingen tiltak gjennomført", exact=True).check()
        self.press("Fullfør")
        self.stands_at("Deltakeroversikt")
