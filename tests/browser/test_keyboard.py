"""The main job without a mouse, and a visible focus at every stop."""

from itertools import count

from playwright.sync_api import Locator, Page, expect

from services.demo import PASSWORD
from tests.browser import tours
from tests.browser.caseworker import OPPSTART, Caseworker, days_ago
from tests.browser.conftest import AtScreen, Someone

MOST_STOPS = 200
# Not hidden (WCAG 2.4.11): at least its beginning, middle or end is the topmost element there.
_FOCUS = """() => {
  const one = document.activeElement;
  if (one === document.body) return null;
  const style = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  const [left, right] = [Math.max(box.left, 0) + 2, Math.min(box.right, innerWidth) - 2];
  const y = (Math.max(box.top, 0) + Math.min(box.bottom, innerHeight)) / 2;
  const isSeenAt = x => {
    const hit = document.elementFromPoint(x, y);
    return !!hit && (one.contains(hit) || hit.contains(one) || [...(one.labels ?? [])].some(l => l.contains(hit)));
  };
  return {
    what: one.outerHTML.slice(0, 120),
    ring: ring || style.boxShadow !== 'none',
    seen: [left, (left + right) / 2, right].some(isSeenAt),
  };
}"""


def tab_to(page: Page, goal: Locator, *, key: str = "Tab") -> None:
    """Press Tab until the element has the focus."""
    for stops in count():
        page.keyboard.press(key)
        if goal.evaluate("one => one === document.activeElement"):
            return
        assert stops < MOST_STOPS, f"{key} never reaches {goal}"


def type_in(user: Caseworker, label: str, text: str) -> None:
    """Go to a field and write."""
    tab_to(user.page, user.field(label))
    user.page.keyboard.type(text)


def press(user: Caseworker, name: str, *, role: str = "button") -> None:
    """Go to a button or link and press Enter."""
    tab_to(user.page, user.page.get_by_role(role, name=name, exact=True))  # type: ignore[arg-type]
    user.page.keyboard.press("Enter")


def choose(user: Caseworker, group: str, choice: str) -> None:
    """Go to a group and choose with Space."""
    tab_to(user.page, user.group(group).get_by_label(choice, exact=True))
    user.page.keyboard.press("Space")


def test_the_story_by_keyboard(at_screen: AtScreen, someone: Someone) -> None:
    person = someone()
    with at_screen() as (berit, _watch):
        page = berit.page
        page.goto("/")
        type_in(berit, "Brukernavn", "berit.bergen")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        berit.stands_at("Deltakeroversikt")
        _skip_to_the_content(berit)
        press(berit, "Legg til deltaker", role="link")
        berit.stands_at("Ny deltaker")
        type_in(berit, "Fødselsnummer", person.number)
        expect(page.get_by_label("Navn", exact=True)).to_have_text(person.full_name)
        _help_opens_and_closes(berit)
        tab_to(page, page.get_by_label("Jeg bekrefter at navn vist er identisk med navn på deltaker", exact=True))
        page.keyboard.press("Space")
        type_in(berit, "Dato for oppstart", OPPSTART)
        page.keyboard.press("Enter")
        berit.stands_at("Bakgrunn")
        _background(berit)
        _rows(berit)
        _row_menu(berit, person.full_name)
        press(berit, "Logg ut")
        berit.stands_at("Logg inn")


def _skip_to_the_content(user: Caseworker) -> None:
    """The first stop skips the menu; the next is the page's own."""
    user.page.keyboard.press("Tab")
    expect(user.page.get_by_role("link", name="Hopp til hovedinnhold")).to_be_focused()
    user.page.keyboard.press("Enter")
    user.page.keyboard.press("Tab")
    expect(user.page.get_by_role("link", name="Legg til deltaker")).to_be_focused()
    user.page.keyboard.press("Shift+Tab")


def _help_opens_and_closes(user: Caseworker) -> None:
    """«i» opens with Enter, Esc closes; the focus stays on it."""
    button = user.page.get_by_role("button", name="Hjelp: Navn", exact=True)
    text = user.page.get_by_text("Navnet kommer fra Folkeregisteret")
    press(user, "Hjelp: Navn")
    expect(text).to_be_visible()
    user.page.keyboard.press("Escape")
    expect(text).to_be_hidden()
    expect(button).to_be_focused()


def _background(user: Caseworker) -> None:
    """Radio buttons by Space and arrows, a select by its first letters, a conditional field; an error."""
    keyboard = user.page.keyboard
    choose(user, "Målgruppe ved oppstart", "Hjemmeværende uten egen inntekt eller stønad")
    keyboard.press("ArrowDown")
    expect(user.group("Målgruppe ved oppstart").get_by_label("Overgangsstønad som hovedinntekt")).to_be_checked()
    type_in(user, "Rekrutteringskanal", "Vok")
    expect(user.field("Rekrutteringskanal").locator("option:checked")).to_have_text("Voksenopplæringen")
    choose(user, "Tidligere tiltak", "Introduksjonsprogram")
    expect(user.field("Når avsluttet deltakeren introduksjonsprogrammet?")).to_be_visible()
    expect(user.group("Tidligere tiltak").get_by_label("Introduksjonsprogram")).to_be_focused()
    type_in(user, "Når avsluttet deltakeren introduksjonsprogrammet?", "13.2019")
    keyboard.press("Enter")
    summary = user.page.get_by_role("group", name=tours.ERRORS)
    expect(summary).to_be_focused()
    tab_to(user.page, summary.get_by_role("link", name="Når avsluttet deltakeren introduksjonsprogrammet?"))
    keyboard.press("Enter")
    expect(user.field("Når avsluttet deltakeren introduksjonsprogrammet?")).to_be_focused()
    expect(user.field("Når avsluttet deltakeren introduksjonsprogrammet?")).to_have_value("13.2019")


def _rows(user: Caseworker) -> None:
    """A new row has the focus in its first field; when it is removed, the focus stays near."""
    user.page.goto(user.page.url.replace("bakgrunn", "programinnhold"))
    user.stands_at("Programinnhold")
    press(user, "Legg til tiltak")
    row = user.page.get_by_role("group", name="Tiltak 1", exact=True)
    expect(user.field("Type tiltak", within=row)).to_be_focused()
    user.page.keyboard.type("Livsm")
    tab_to(user.page, user.field("Fra dato", within=row))
    user.page.keyboard.type(days_ago(100))
    press(user, "Fjern tiltak 1")
    expect(row).to_have_count(0)
    expect(user.page.get_by_role("button", name="Angre", exact=True)).to_be_focused()
    press(user, "Legg til tiltak")
    expect(user.field("Type tiltak", within=row)).to_be_focused()
    tab_to(user.page, user.page.get_by_role("button", name="Til deltakeroversikten"))
    user.page.keyboard.press("Enter")
    user.stands_at("Deltakeroversikt")


def _row_menu(user: Caseworker, name: str) -> None:
    """Enter opens the menu and Tab leads into it; Esc closes it and gives the focus back."""
    button = user.page.get_by_role("button", name=f"Handlinger for {name}")
    press(user, f"Handlinger for {name}")
    user.page.keyboard.press("Tab")
    first = user.page.get_by_role("link", name="Endre registrering", exact=True)
    expect(first).to_be_focused()
    user.page.keyboard.press("Escape")
    expect(first).to_be_hidden()
    expect(button).to_be_focused()


def test_the_panel_by_keyboard(at_screen: AtScreen) -> None:
    """Open, fill in, remove a chip, clear, close: the focus is never lost."""
    with at_screen("kari.oslo") as (kari, _watch):
        page, keyboard = kari.page, kari.page.keyboard
        press(kari, "Søk og filter")
        expect(kari.search_field).to_be_visible()
        keyboard.press("Tab")
        expect(page.get_by_role("button", name="Lukk søk og filter")).to_be_focused()
        keyboard.press("Tab")
        expect(kari.search_field).to_be_focused()
        keyboard.type("a, zzyx")
        keyboard.press("Enter")
        kari.has_chips("Søk a", "Søk zzyx")
        keyboard.press("Tab")
        expect(kari.panel.locator("summary")).to_be_focused()
        keyboard.press("Enter")
        choose(kari, "Bydel", "Sagene")
        kari.has_chips("Søk a", "Søk zzyx", "Bydel Sagene")
        expect(kari.group("Bydel").get_by_label("Sagene")).to_be_focused()
        choose(kari, "Finansiering", "Per capita")
        type_in(kari, "I programmet fra", "01.01.2020")
        tab_to(page, kari.field("Tid i programmet"))
        keyboard.type("Over 24")
        type_in(kari, "Sist endret av", "kari.oslo")
        keyboard.press("Enter")
        expect(kari.chips).to_have_count(7)
        expect(kari.field("Sist endret av")).to_be_focused()
        tab_to(page, kari.chip("Søk zzyx"), key="Shift+Tab")
        keyboard.press("Space")
        expect(kari.chips).to_have_count(6)
        expect(kari.chip("Bydel Sagene")).to_be_focused()
        press(kari, "Fjern alle filtre")
        expect(kari.chips).to_have_count(0)
        expect(kari.panel_button).to_be_focused()
        press(kari, "Lukk søk og filter")
        expect(kari.search_field).to_be_hidden()
        expect(kari.panel_button).to_be_focused()


def all_stops_are_seen(page: Page, stop: str) -> None:
    """Tab through the page: the focus is visible, and no sticky element covers it."""
    page.keyboard.press("Tab")
    seen = 0
    while (focus := page.evaluate(_FOCUS)) and seen < MOST_STOPS:
        assert focus["ring"], f"{stop}: the focus does not show on {focus['what']}"
        assert focus["seen"], f"{stop}: something lies over {focus['what']}"
        page.keyboard.press("Tab")
        seen += 1
    assert seen > 4


def test_the_focus_is_seen(at_screen: AtScreen, someone: Someone) -> None:
    """On a whole page of the overview, wide and narrow, and on a long form."""
    with at_screen("kari.oslo") as (kari, _watch):
        for size in ((1280, 600), (900, 600), (320, 600)):
            kari.page.set_viewport_size({"width": size[0], "height": size[1]})
            kari.page.goto("/deltakere")
            all_stops_are_seen(kari.page, f"overview at {size[0]} px")
            kari.page.goto("/deltakere?status=endret&status=opprettet&oppstart-fra=2020-01-01")
            kari.open_panel()
            all_stops_are_seen(kari.page, f"panel at {size[0]} px")
            kari.press("Lukk søk og filter")
            expect(kari.search_field).to_be_hidden()
        kari.create(someone(), district="Alna")
        kari.page.reload()
        all_stops_are_seen(kari.page, "background at 320 px")
        kari.page.set_viewport_size({"width": 1280, "height": 600})
        kari.page.goto(kari.page.url.replace("bakgrunn", "historikk"))
        all_stops_are_seen(kari.page, "history")
