"""With any number of criteria, no address of the program is longer than a server accepts; and pasted columns are
several values."""

import csv
import io
import re
from datetime import date
from urllib.parse import urlencode

import pytest

from services.core.code_lists import district_names, municipality_names
from tests.support.client import form_in
from tests.support.house import House
from tests.support.overview_asking import (
    Register,
    Values,
    asked,
    asked_whole,
    at,
    chip_buttons,
    chips_of,
    count_of,
    faults_in,
    form_data,
    missed_in,
    panel_of,
    parts_of,
    query_of,
    status_of,
)
from tests.support.overview_screen import Screen, ids_on_all_pages, overview

LONGEST = 2_000
MANY = tuple(municipality_names())[:330]
A_DAY = "2024-02-29"
EVERYTHING: Values = {
    "kommune": tuple(municipality_names()),
    "bydel": tuple(district_names()),
    "status": ("opprettet", "endret", "avsluttet", "utskrevet"),
    "mangler": ("bakgrunn", "programinnhold", "avslutning"),
    "finansiering": ("ordinaer", "per-capita"),
    "over": "24",
    **{f"{word}-{end}": A_DAY for word in ("deltok", "oppstart", "avslutning", "endret") for end in ("fra", "til")},
    "q": ", ".join(f"navn nummer {n}" for n in range(400)),
    "endret-av": ", ".join(f"bruker.nummer{n}" for n in range(400)),
}
LONG_ORDER = "antall=100&sorter=sist-endret-av&retning=synkende"


def addresses_in(screen: Screen) -> list[str]:
    """All addresses of a response, including those it pushes or redirects to."""
    found = [screen.answer.headers[name] for name in ("HX-Push-Url", "Location") if name in screen.answer.headers]
    for one in screen.tree.elements():
        found += [one.attrib[name] for name in ("href", "action", "formaction", "data-hx-get") if name in one.attrib]
    return found


def check_addresses(screen: Screen) -> None:
    longest = max(addresses_in(screen), key=len)
    assert len(longest) <= LONGEST, longest


def test_a_column_of_330_municipalities(house: House) -> None:
    """Pasted into the field. The address contains none of them, and represents all."""
    panel_of(house, "ida.imdi")
    wanted = Register.of(house).ids("ida.imdi", {"kommune": MANY})
    screen = asked(house, "ida.imdi", {"kommune-navn": "\r\n".join(municipality_names()[n] for n in MANY)})
    assert parts_of(screen).keys() == {"sok"}
    check_addresses(screen)
    assert ids_on_all_pages(screen) == wanted
    assert len(chips_of(screen)) == len(MANY)
    again = overview(house, "ida.imdi", f"?{query_of(screen)}")
    check_addresses(again)
    assert (chips_of(again), ids_on_all_pages(again)) == (chips_of(screen), wanted)
    lines = again.client.follow(again.answer, "Last ned deltakeroversikt").get_data(as_text=True)
    assert len(list(csv.reader(io.StringIO(lines), delimiter=";"))) == len(wanted) + 1


def test_everything_is_chosen(house: House) -> None:
    """In the fragment, on the whole page with the panel, on the pages of the views, and when signing in again."""
    panel_of(house, "ida.imdi")
    screen = asked(house, "ida.imdi", EVERYTHING, shown=LONG_ORDER)
    assert screen.answer.status_code == 200
    check_addresses(screen)
    query = query_of(screen)
    whole = overview(house, "ida.imdi", f"?{query}")
    assert chips_of(whole) == chips_of(screen)
    check_addresses(whole)
    views = Screen(whole.client, whole.client.submit(whole.answer, button="Lagre eller ordne visninger"))
    check_addresses(views)
    nobody = house.nobody().get(f"/deltakere?{query}")
    assert nobody.status_code == 303
    assert len(nobody.headers["Location"]) <= LONGEST


@pytest.mark.parametrize("number", [39, 40, 41, 42])
def test_where_an_address_ends_to_hold_them(house: House, number: int) -> None:
    """Chips, orders and pages lead to the same participants on both sides of the limit, and across it."""
    panel_of(house, "ida.imdi")
    chosen = MANY[:number]
    screen = asked(house, "ida.imdi", {"kommune": chosen, "status": "endret"}, shown="sorter=navn")
    assert ("kommune" in parts_of(screen)) == (number <= 40)
    register = Register.of(house)
    values = {"kommune": chosen, "status": "endret"}
    assert ids_on_all_pages(screen) == register.ids("ida.imdi", values, "Navn", descending=False)
    down = at(house, "ida.imdi", screen.links["Navn"].attrib["href"].partition("?")[2])
    assert ids_on_all_pages(down) == register.ids("ida.imdi", values, "Navn")
    key = chip_buttons(screen)[3].attrib["value"]
    data = form_data(house, "ida.imdi", {"fjern": key, "panel": "1"}, query_of(screen))
    after = Screen(screen.client, screen.client.post_partial("/deltakere/sok", data))
    left = chosen[:3] + chosen[4:]
    assert ids_on_all_pages(after) == register.ids("ida.imdi", {**values, "kommune": left}, "Navn", descending=False)
    again = asked(house, "ida.imdi", {"kommune": (*left, chosen[3]), "status": "endret"}, shown=query_of(after))
    assert sorted(chips_of(again)) == sorted(chips_of(screen))


def test_an_address_that_somebody_has_made_by_hand(house: House) -> None:
    """It redirects to a short one, with its search and order."""
    panel_of(house, "ida.imdi")
    search = parts_of(asked(house, "ida.imdi", {"q": "a"}))["sok"][0]
    pairs = [*(("kommune", number) for number in MANY[:120]), ("sok", search), ("sorter", "navn")]
    client = house.client("ida.imdi")
    answer = client.get(f"/deltakere?{urlencode(pairs)}")
    assert answer.status_code == 303
    screen = overview(house, "ida.imdi", "?" + answer.headers["Location"].partition("?")[2])
    assert parts_of(screen).keys() == {"sok", "sorter"}
    wanted = {"kommune": MANY[:120], "q": "a"}
    assert ids_on_all_pages(screen) == Register.of(house).ids("ida.imdi", wanted, "Navn", descending=False)


def test_signing_in_on_the_way_to_a_long_address(house: House) -> None:
    """The sign-in page has an address that works, and leads to the list."""
    long = "&".join(f"kommune={number}" for number in MANY[:280])
    answer = house.nobody().get(f"/deltakere?{long}")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/logg-inn?neste=/deltakere"


def test_a_saved_view_of_many_municipalities(house: House) -> None:
    panel_of(house, "ida.imdi")
    screen = asked_whole(house, "ida.imdi", {"kommune": MANY, "status": "endret"})
    form = screen.client.submit(screen.answer, button="Lagre eller ordne visninger", follow_redirects=True)
    screen.client.submit(form, button="Lagre visningen", fill={"Navn på visningen": "Mange"}, follow_redirects=True)
    panel = Screen(screen.client, panel_of(house, "ida.imdi"))
    check_addresses(panel)
    found = Screen(screen.client, screen.client.follow(panel.answer, "Mange"))
    assert len(chips_of(found)) == len(MANY) + 1
    assert count_of(found) == count_of(screen)


def test_more_values_than_are_taken_are_refused_with_words(house: House) -> None:
    """400 of each at most; valid values beside them count, and the typed text stays."""
    panel_of(house, "ida.imdi")
    for name, words in (
        ("kommune-navn", "Skriv maks 400 kommuner om gangen. Du skrev 401."),
        ("q", "Søk på maks 400 verdier om gangen. Du skrev 401."),
        ("endret-av", "Søk på maks 400 verdier om gangen. Du skrev 401."),
    ):
        typed = "\r\n".join(f"verdi{n}" for n in range(401))
        screen = asked(house, "ida.imdi", {name: typed, "status": "endret"})
        assert screen.answer.status_code == 422
        assert faults_in(screen) == {name: words}
        field = next(one for one in screen.tree.elements("textarea") if one.attrib["name"] == name)
        assert "".join(field.itertext()).split() == typed.split()
        assert chips_of(screen) == ["Status Endret"]


# ---- Columns ----


@pytest.mark.parametrize("divider", ["\r\n", "\n", "\t", ";", ",", " ; ", "\r\n\r\n"])
def test_a_column_is_several_values(house: House, divider: str) -> None:
    """In «Kommune» and in «Sist endret av», each once however often it occurs."""
    panel_of(house, "ida.imdi")
    places = divider.join(["Bergen", "0301", "bergen", "Askøy (4627)", "Bergen kommune", "301"])
    screen = asked(house, "ida.imdi", {"kommune-navn": places})
    assert chips_of(screen) == ["Kommune Oslo", "Kommune Bergen", "Kommune Askøy"]
    screen = asked(house, "ida.imdi", {"endret-av": divider.join(["kari.oslo", "KARI.oslo", "berit.bergen", ""])})
    assert chips_of(screen) == ["Sist endret av kari.oslo", "Sist endret av berit.bergen"]
    wanted = Register.of(house).ids("ida.imdi", {"endret-av": "kari.oslo,berit.bergen"})
    assert ids_on_all_pages(screen) == wanted


def test_the_fields_of_several_values_take_several_lines(house: House) -> None:
    """A field of one line joins the lines of pasted text."""
    form = form_in(panel_of(house, "ida.imdi"), form="liste")
    screen = Screen(house.client("ida.imdi"), panel_of(house, "ida.imdi"))
    areas = {one.attrib["name"] for one in screen.tree.elements("textarea") if "data-enter" in one.attrib}
    assert areas == {"q", "kommune-navn", "endret-av"}
    assert form.has("Kommune")


def test_chosen_twice_is_chosen_once(house: House) -> None:
    """A box that is sent twice, a municipality that is chosen already, in a form and in an address."""
    panel_of(house, "ida.imdi")
    screen = asked(
        house, "ida.imdi", {"kommune": ["4601", "4601"], "kommune-navn": "Bergen, 4601", "status": ["endret"] * 2}
    )
    assert chips_of(screen) == ["Kommune Bergen", "Status Endret"]
    panel_of(house, "anne.tokommuner")
    page = overview(house, "anne.tokommuner", "?kommune=4601&kommune=4601&status=endret&status=endret")
    assert chips_of(page) == ["Kommune Bergen", "Status Endret"]
    form = form_in(page.answer, form="liste")
    assert (form.value("Kommune"), form.value("Status")) == (["Bergen"], ["Endret"])


# ---- User names without a match ----


def test_user_names_without_hits_are_named(house: House) -> None:
    """User names without a change in the list, on any page; also read aloud."""
    panel_of(house, "ida.imdi")
    users = sorted({row.changed_by for row in Register.of(house).expected("ida.imdi", {})})
    names = [*users, "ingen.her", "finnes.ikke"]
    screen = asked(house, "ida.imdi", {"endret-av": ", ".join(names)}, shown="sorter=navn")
    assert missed_in(screen) == ["ingen.her", "finnes.ikke"]
    assert "Ingen treff: ingen.her, finnes.ikke." in status_of(screen)
    assert len(screen.ids) < count_of(screen), "some stand on other pages"
    assert missed_in(asked(house, "ida.imdi", {"endret-av": ", ".join(users)})) == []


def test_user_names_without_hits_beside_other_criteria(house: House) -> None:
    """Without a match among the filtered participants; search terms are named first."""
    panel_of(house, "kari.oslo")
    (row, *_rest) = Register.of(house).expected("kari.oslo", {})
    screen = asked(house, "kari.oslo", {"q": f"{row.person_id}, zzyx", "endret-av": f"{row.changed_by}, ingen.her"})
    assert screen.ids == [row.public_id]
    assert missed_in(screen) == ["zzyx", "ingen.her"]
    nobody = asked(house, "kari.oslo", {"endret-av": row.changed_by, "oppstart-til": date(1990, 1, 1).isoformat()})
    assert missed_in(nobody) == [row.changed_by]
    assert re.search(r"^0 deltakere\. ", status_of(nobody))
