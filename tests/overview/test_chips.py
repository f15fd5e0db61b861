"""The chips beside «Filtrer»: what they remove, what is kept, where the focus goes."""

from urllib.parse import parse_qsl

import pytest
from sqlalchemy import func, select

from services.tables.participants import AccessEntry
from tests.support.client import form_in, text_of
from tests.support.house import House
from tests.support.overview_asking import (
    Register,
    asked,
    asked_whole,
    at,
    chip_buttons,
    chips_of,
    count_of,
    faults_in,
    fields_redrawn,
    form_data,
    panel_of,
    parts_of,
    query_of,
    search_id,
    status_of,
)
from tests.support.overview_screen import Screen, ids_on_all_pages, overview

EVERYTHING = {
    "q": "kari, 0101",
    "kommune": ["0301", "4601"],
    "bydel": ["030101", "030110"],
    "status": ["opprettet", "utskrevet"],
    "mangler": ["bakgrunn", "avslutning"],
    "finansiering": ["ordinaer", "per-capita"],
    "over": "24",
    "deltok-fra": "2024-01-01",
    "oppstart-fra": "2023-01-01",
    "oppstart-til": "2026-06-30",
    "avslutning-til": "2026-12-31",
    "endret-fra": "2025-01-01",
    "endret-til": "2025-01-01",
    "endret-av": "kari.oslo, per.oslo",
}
WORDS = [
    "Søk kari",
    "Søk 0101",
    "Kommune Oslo",
    "Kommune Bergen",
    "Bydel Gamle Oslo",
    "Bydel Grorud",
    "Status Opprettet",
    "Status Utskrevet",
    "Mangler Bakgrunn",
    "Mangler Avslutning",
    "Finansiering Ordinær Jobbsjansen",
    "Finansiering Per capita",
    "I programmet fra 01.01.2024",
    "Oppstart fra 01.01.2023 til 30.06.2026",
    "Avslutning til 31.12.2026",
    "Sist endret 01.01.2025",
    "I programmet over 24 måneder",
    "Sist endret av kari.oslo",
    "Sist endret av per.oslo",
]
LIST = "antall=50&sorter=navn&retning=synkende"


@pytest.fixture(scope="module")
def everything(own_house: House) -> Screen:
    """The list with a chip of every kind."""
    panel_of(own_house, "ida.imdi")
    return asked(own_house, "ida.imdi", EVERYTHING, shown=LIST)


def focused(screen: Screen) -> list[str]:
    """The texts of elements that take the focus."""
    return [screen.tree.text(one) for one in screen.tree.elements() if "autofocus" in one.attrib]


def removed(house: House, screen: Screen, key: str, *, username: str = "ida.imdi", panel: bool = True) -> Screen:
    """The fragment after a press on a chip's ×. The form also sends the fields of the panel, as on screen."""
    client = house.client(username)
    fields = {"panel": "1", "q": "typed but not sent"} if panel else {}
    data = form_data(house, username, {"fjern": key, **fields}, query_of(screen))
    return Screen(client, client.post_partial("/deltakere/sok", data, source="button#brikke-1"))


def test_one_chip_for_each_value(everything: Screen) -> None:
    assert chips_of(everything) == WORDS
    names = [everything.tree.accessible_name(one) for one in chip_buttons(everything)]
    assert names == [f"Fjern filter: {words}" for words in WORDS], "what is seen is part of what is said"


def test_no_chips_without_criteria(own_house: House) -> None:
    screen = overview(own_house, "berit.bergen")
    assert not chips_of(screen)
    assert "Fjern alle filtre" not in screen.text


@pytest.mark.parametrize("place", range(len(WORDS)))
def test_each_cross_takes_away_its_own_only(own_house: House, everything: Screen, place: int) -> None:
    key = chip_buttons(everything)[place].attrib["value"]
    after = removed(own_house, everything, key)
    left = WORDS[:place] + WORDS[place + 1 :]
    assert chips_of(after) == left
    assert focused(after) == [left[min(place, len(left) - 1)]], "the next chip, at the end the last"
    assert fields_redrawn(after) == [key.partition(":")[0]]
    parts = parts_of(after)
    assert {name: parts[name] for name in ("sorter", "retning", "antall")} == {
        "sorter": ["navn"],
        "retning": ["synkende"],
        "antall": ["50"],
    }
    again = overview(own_house, "ida.imdi", f"?{query_of(after)}")
    assert query_of(at(own_house, "ida.imdi", query_of(after))) == query_of(after), "what is pushed is its own address"
    assert (chips_of(again), again.ids, count_of(again)) == (left, after.ids, count_of(after))


def test_crosses_one_after_the_other(own_house: House) -> None:
    panel_of(own_house, "kari.oslo")
    values = {"q": "a, e, i", "status": ["opprettet", "endret"], "mangler": ["bakgrunn"], "endret-av": "kari.oslo"}
    register, left = Register.of(own_house), {**values, "q": ["a", "e", "i"]}
    screen = asked(own_house, "kari.oslo", values)
    for name, place, last in (("q", 1, "e"), ("status", 0, "opprettet"), ("q", 1, "i"), ("endret-av", 0, "")):
        key = f"{name}:{place}" if name in {"q", "endret-av"} else f"{name}:{last}"
        screen = removed(own_house, screen, key, username="kari.oslo")
        left[name] = [one for one in left[name] if one != last] if last else []
        wanted = register.ids("kari.oslo", {**left, "q": ",".join(left["q"])})
        assert ids_on_all_pages(screen) == wanted, name
    assert chips_of(screen) == ["Søk a", "Status Endret", "Mangler Bakgrunn"]


def test_the_last_chip_leaves_the_plain_list(own_house: House) -> None:
    screen = asked(own_house, "kari.oslo", {"q": "kari"}, shown="sorter=navn")
    after = removed(own_house, screen, "q:0", username="kari.oslo")
    assert query_of(after) == "sorter=navn"
    assert not chips_of(after)
    assert ids_on_all_pages(after) == Register.of(own_house).ids("kari.oslo", {}, "Navn", descending=False)


def folded_in(screen: Screen) -> tuple[list[str], bool]:
    """The folded chips, and whether they are shown."""
    for one in screen.tree.elements("details"):
        folded = [screen.tree.text(chip) for chip in one.iter("button")]
        assert screen.tree.text(next(one.iter("summary"))) == f"{len(folded)} verdi{'er' * (len(folded) > 1)} til"
        return folded, "open" in one.attrib
    return [], False


def test_each_of_many_values_has_a_chip(own_house: House) -> None:
    """From the twenty-first on they are folded, after all others; the fold opens if one of them takes the focus."""
    values = [f"{n:011}" for n in range(23)]
    sent = {"q": ",".join(values), "status": "endret"}
    screen = asked(own_house, "kari.oslo", sent, panel=False)
    words = [f"Søk {value}" for value in values]
    assert chips_of(screen) == [*words[:20], "Status Endret", *words[20:]]
    assert folded_in(screen) == (words[20:], False)
    for key, left, shown in (("q:21", ["20", "22"], True), ("q:21", ["20"], True), ("q:3", [], False)):
        screen = removed(own_house, screen, key, username="kari.oslo", panel=False)
        assert folded_in(screen) == ([f"Søk 000000000{one}" for one in left], shown), key
    assert focused(screen) == ["Søk 00000000004"]
    page = text_of(
        own_house.client("kari.oslo").get(f"/deltakere/visninger?{query_of(asked(own_house, 'kari.oslo', sent))}")
    )
    assert "Søk: 00000000019. Status: Endret. 3 verdier til. Sist endret først." in page
    assert "00000000020" not in page


def test_the_redrawn_field_shows_what_is_left(own_house: House) -> None:
    panel_of(own_house, "ida.imdi")
    screen = asked(own_house, "ida.imdi", {"q": "kari, ola", "kommune": ["0301", "4601"], "oppstart-fra": "2024-01-01"})
    for key, controls in (
        ("q:0", {"q": "ola"}),
        ("kommune:0301", {"kommune": "4601", "kommune-navn": ""}),
        ("oppstart", {"oppstart-fra": "", "oppstart-til": ""}),
    ):
        after = removed(own_house, screen, key)
        shown = {
            one.attrib["name"]: one.attrib.get("value", "") if one.tag == "input" else "".join(one.itertext()).strip()
            for one in after.tree.elements("input", "textarea")
            if one.attrib["name"] != "visning"
        }
        assert shown == controls


def test_with_the_panel_closed_nothing_of_it_comes_along(own_house: House) -> None:
    screen = asked(own_house, "berit.bergen", {"q": "kari, ola"})
    assert fields_redrawn(removed(own_house, screen, "q:0", username="berit.bergen", panel=False)) == []


def test_the_panel_that_sends_the_form_stands(own_house: House) -> None:
    """Another tab of the same session closed or opened it there; the fields here must be right."""
    client = own_house.client("siri.vern")
    open_page = panel_of(own_house, "siri.vern", "status=endret&status=opprettet")
    closed_page = client.submit(open_page, button="Lukk søk og filter", follow_redirects=True)
    for page, fields in ((open_page, ["status"]), (closed_page, [])):
        for opens in (True, False):
            data = form_data(own_house, "siri.vern", {"apen": str(int(opens))})
            client.post("/deltakere/panel", data=data)
            after = Screen(client, client.submit(page, button="Fjern filter: Status Endret", partial=True))
            assert fields_redrawn(after) == fields, (fields, opens)


def test_all_criteria_are_taken_away_at_once(own_house: House, everything: Screen) -> None:
    client = own_house.client("ida.imdi")
    panel_of(own_house, "ida.imdi")
    after = removed(own_house, everything, "alle")
    assert query_of(after) == LIST, "order and rows on the page are kept"
    assert not chips_of(after)
    assert ids_on_all_pages(after) == Register.of(own_house).ids("ida.imdi", {}, "Navn")
    assert set(fields_redrawn(after)) >= {"q", "kommune", "status", "oppstart", "over", "endret-av"}
    whole = Screen(client, client.get(f"/deltakere?{query_of(after)}"))
    assert whole.rows == after.rows
    assert form_in(whole.answer, form="liste").value("Status") == []


def test_the_status_line_says_the_new_count(own_house: House) -> None:
    screen = asked(own_house, "kari.oslo", {"status": ["opprettet", "endret"]})
    after = removed(own_house, screen, "status:endret", username="kari.oslo")
    number = len(Register.of(own_house).expected("kari.oslo", {"status": "opprettet"}))
    assert status_of(after).startswith(f"{number} deltaker")


def test_the_status_line_says_the_page(own_house: House) -> None:
    first = at(own_house, "ida.imdi", "sorter=navn")
    pages = -(-count_of(first) // 25)
    assert status_of(first).endswith("deltakere. Sortert etter navn, stigende.")
    second = at(own_house, "ida.imdi", "sorter=navn&side=2")
    assert status_of(second).endswith(f"Sortert etter navn, stigende. Side 2 av {pages}.")


# ---- Without JavaScript ----


def test_a_chip_without_javascript(own_house: House) -> None:
    client = own_house.client("kari.oslo")
    page = asked_whole(own_house, "kari.oslo", {"q": "kari, a", "status": ["opprettet", "endret"]}, shown=LIST)
    answer = client.submit(page.answer, button="Fjern filter: Status Endret")
    assert answer.status_code == 303
    parts = dict(parse_qsl(answer.headers["Location"].partition("?")[2]))
    assert parts == {
        "sok": search_id(page),
        "status": "opprettet",
        "sorter": "navn",
        "retning": "synkende",
        "antall": "50",
    }
    page = Screen(client, client.get(answer.headers["Location"]))
    assert chips_of(page) == ["Søk kari", "Søk a", "Status Opprettet"]
    page = Screen(client, client.submit(page.answer, button="Fjern filter: Søk kari", follow_redirects=True))
    assert chips_of(page) == ["Søk a", "Status Opprettet"]
    page = Screen(client, client.submit(page.answer, button="Fjern alle filtre", follow_redirects=True))
    assert not chips_of(page)
    assert query_of(page) == LIST


def test_what_is_chosen_meanwhile_goes_along_without_javascript(own_house: House) -> None:
    """Unless it is invalid: then only the criterion is removed."""
    client = own_house.client("kari.oslo")
    page = panel_of(own_house, "kari.oslo", "status=opprettet&status=endret&sorter=navn")
    cross = "Fjern filter: Status Endret"
    for fill, wanted in (
        (
            {"Mangler opplysninger": ["Bakgrunn"], "Oppstart fra": "1.2.2024"},
            "status=opprettet&mangler=bakgrunn&oppstart-fra=2024-02-01",
        ),
        ({"Mangler opplysninger": ["Bakgrunn"], "Oppstart fra": "1.22.2024"}, "status=opprettet"),
        ({"Status": ["Opprettet", "Avsluttet"]}, "status=opprettet&status=avsluttet"),
    ):
        answer = client.submit(page, button=cross, fill=fill)
        assert answer.headers["Location"] == f"/deltakere?{wanted}&sorter=navn"


def test_a_search_typed_meanwhile_goes_along_without_javascript(own_house: House) -> None:
    """One press is one search, in the log too."""
    client, field = own_house.client("kari.oslo"), "Søk på fødselsnummer, PersonId eller navn"

    def searches() -> int:
        return int(own_house.ask(select(func.count()).where(AccessEntry.action == "search"))[0][0])

    page = panel_of(
        own_house, "kari.oslo", query_of(asked(own_house, "kari.oslo", {"q": "kari, a", "status": "endret"}))
    )
    for cross, typed, wanted in (
        ("Søk kari", "kari, a", ["Søk a", "Status Endret"]),
        ("Søk kari", "kari, a, o", ["Søk a", "Søk o", "Status Endret"]),
        ("Søk a", "o", ["Søk o", "Status Endret"]),
        ("Status Endret", "kari, o", ["Søk kari", "Søk o"]),
    ):
        before = searches()
        answer = client.submit(page, button=f"Fjern filter: {cross}", fill={field: typed})
        after = Screen(client, client.get(answer.headers["Location"]))
        assert (chips_of(after), searches()) == (wanted, before + 1), (cross, typed)


def test_what_is_chosen_meanwhile_can_be_saved_without_javascript(own_house: House) -> None:
    client = own_house.client("kari.oslo")
    page = panel_of(own_house, "kari.oslo", "status=endret")
    button = "Lagre eller ordne visninger"
    answer = client.submit(page, button=button, fill={"Mangler opplysninger": ["Bakgrunn"]})
    assert answer.headers["Location"] == "/deltakere/visninger?status=endret&mangler=bakgrunn"
    answer = client.submit(page, button=button, fill={"Oppstart fra": "i går"})
    assert answer.status_code == 422
    assert faults_in(Screen(client, answer)) == {"oppstart-fra": "Skriv en dato som finnes, slik: dd.mm.åååå"}
