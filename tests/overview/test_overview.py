"""The overview for each user: columns, order, pages, count, hidden participants, and the row's menu."""

from datetime import datetime

import pytest
from sqlalchemy import select, update

from services.core.clock import OSLO_TIME
from services.core.code_lists import district_name
from services.core.status import Status
from services.participation.person_data import name_key
from services.tables.participants import Participation
from tests.support.client import CheckedClient, text_of
from tests.support.house import IS_OPEN, IS_PLAIN, House, demo_user, of_places
from tests.support.overview_screen import COLUMNS, Screen, ids_on_all_pages, in_order, overview, visible
from tests.support.registering import BY_MISTAKE

PAGE = 25
READERS = ("kari.oslo", "berit.bergen", "anne.tokommuner", "siri.vern", "ida.imdi", "admin.imdi")

# In alphabetical order: Á as A, Č as C, Đ as D, Ŋ as N, Š as S, Ä with Æ, Ö with Ø, AA with Å.
NAMES = (
    "Abdi Warsame",
    "Áile Utsi",
    "Ali Abdi",
    "anne lie",
    "Anne Å. Lie",
    "Čáhppe Sara",
    "Dagny Moe",
    "Đivgga Eira",
    "Eva Dahl",
    "Jane O'Hara",
    "Nina Lie",
    "Ŋiŋŋá Buljo",
    "Sara Šimon",
    "Zahra Noor",
    "Ægir Dal",
    "Ärla Moe",
    'Øystein <b>&amp;</b> "Bø"',
    "Öznur Ak",
    "Åse Berg",
    "Aase Berg",
)


@pytest.fixture(scope="module")
def listed(own_house: House) -> House:
    """Give Oslo's participants the names above, in turn, so that there are ties as well."""
    oslo = own_house.participants(of_places("kari.oslo"), IS_OPEN, IS_PLAIN)
    assert len(oslo) > PAGE, "more than one page, else nothing is tried here"
    for place, public_id in enumerate(oslo):
        name = NAMES[place * 7 % len(NAMES)]
        one = update(Participation).where(Participation.public_id == public_id)
        own_house.write(one.values(name=name, name_key=name_key(name)))
    return own_house


def test_columns(house: House) -> None:
    for username in ("kari.oslo", "berit.bergen", "anne.tokommuner", "ida.imdi"):
        sees_districts = username in {"kari.oslo", "ida.imdi"}
        wanted = [label for label in COLUMNS if label != "Bydel" or sees_districts]
        assert overview(house, username).headings == [*wanted, "Handlinger"], username


@pytest.mark.parametrize("username", READERS)
def test_last_changed_first_and_all_who_belong_there(house: House, username: str) -> None:
    first = overview(house, username)
    wanted = sorted(visible(house, username), key=lambda p: (p.changed_at, p.id), reverse=True)
    assert ids_on_all_pages(first) == [row.public_id for row in wanted]
    assert f"Antall deltakere: {len(wanted)}" in first.text


def test_values_on_screen(house: House) -> None:
    rows = {row["id"]: row for row in overview(house, "kari.oslo").rows}
    for one in (one for one in visible(house, "kari.oslo") if one.public_id in rows):
        unfinished = [("Bakgrunn", one.background_missing), ("Programinnhold", one.programme_missing)]
        missing = [page for page, count in unfinished if count]
        assert {label: rows[one.public_id][label] for label in [*COLUMNS, "Navn, remark"]} == {
            "Fødselsnummer": one.national_id,
            "Navn": one.name,
            "Kommune": "Oslo",
            "Bydel": district_name(one.district_number),
            "Oppstart": f"{one.start_date:%d.%m.%Y}",
            "Avslutning": f"{one.end_date:%d.%m.%Y}" if one.end_date else "",
            "Status": {1: "Avsluttet", 2: "Endret", 3: "Opprettet"}[one.status],
            "Sist endret": f"{one.changed_at.astimezone(OSLO_TIME):%d.%m.%Y}",
            "Sist endret av": one.changed_by,
            "Navn, remark": f"Mangler: {', '.join(missing)}" if missing else "",
        }


@pytest.mark.parametrize("column", COLUMNS)
def test_three_clicks_on_a_heading(listed: House, column: str) -> None:
    rows = visible(listed, "kari.oslo")
    start = page = overview(listed, "kari.oslo")
    for aria, descending in (("ascending", False), ("descending", True)):
        page = page.press(column)
        assert page.sorting == {column: aria}
        assert ids_on_all_pages(page) == in_order(rows, column, descending=descending)
        assert f"sortert etter {column.lower()}" in page.text.lower()
    back = page.press(column)
    assert back.answer.request.full_path == "/deltakere?"
    assert back.sorting == {}
    assert back.rows == start.rows


@pytest.mark.parametrize("column", ["Kommune", "Bydel", "Avslutning", "Sist endret av"])
def test_order_over_the_whole_country(listed: House, column: str) -> None:
    page = overview(listed, "ida.imdi").press(column).press(column)
    assert ids_on_all_pages(page) == in_order(visible(listed, "ida.imdi"), column, descending=True)


def test_norwegian_order_on_screen(listed: House) -> None:
    page = overview(listed, "kari.oslo").press("Navn")
    shown = [row["Navn"] for one in page.pages() for row in one.rows]
    assert list(dict.fromkeys(shown)) == list(NAMES)
    assert "<b>&amp;" not in page.answer.text


def test_empty_values_come_last_both_ways(listed: House) -> None:
    page = overview(listed, "kari.oslo")
    for _click in ("ascending", "descending"):
        page = page.press("Avslutning")
        shown = [row["Avslutning"] for one in page.pages() for row in one.rows]
        assert shown[0]
        assert not any(shown[shown.index("") :])


def test_the_same_rows_as_a_fragment(listed: House) -> None:
    client = listed.client("kari.oslo")
    for address in ("/deltakere", "/deltakere?sorter=navn&retning=synkende&side=2"):
        assert Screen(client, client.get_partial(address)).rows == Screen(client, client.get(address)).rows


# ---- Pages ----


def test_twenty_five_a_page(house: House) -> None:
    total = len(visible(house, "ida.imdi"))
    pages = list(overview(house, "ida.imdi").pages())
    assert len(pages) == -(-total // PAGE) > 3
    for number, page in enumerate(pages, start=1):
        first, last = (number - 1) * PAGE + 1, min(total, number * PAGE)
        assert len(page.rows) == last - first + 1
        assert f"Viser {first}–{last} av {total}" in page.text
        assert f"Antall deltakere: {total}" in page.text
        assert page.number == number
    assert pages[2].press("Forrige").rows == pages[1].rows
    assert pages[0].press(f"Side {len(pages)}").rows == pages[-1].rows


def test_pages_keep_the_order(house: House) -> None:
    page = overview(house, "ida.imdi", "?sorter=navn&retning=synkende").press("Neste")
    assert page.answer.request.args.to_dict() == {"sorter": "navn", "retning": "synkende", "side": "2"}
    other = page.press("Kommune").answer.request.args.to_dict()
    assert other == {"sorter": "kommune"}, "another order begins at its first page"


def test_a_page_beyond_the_last_shows_the_last(house: House) -> None:
    total = len(visible(house, "ida.imdi"))
    beyond = overview(house, "ida.imdi", "?side=1000000")
    assert beyond.number == -(-total // PAGE)
    assert f"av {total}" in beyond.text
    assert len(beyond.rows) == (total % PAGE or PAGE)


def test_one_page_needs_no_page_links(house: House) -> None:
    page = overview(house, "berit.bergen")
    assert len(visible(house, "berit.bergen")) == len(page.rows) <= PAGE
    assert not [one for one in page.tree.elements("nav") if one.attrib.get("aria-label") == "Sider"]


def test_an_empty_list_says_so(client: CheckedClient) -> None:
    page = Screen(client, client.login("kari.oslo"))
    assert "Antall deltakere: 0" in page.text
    assert "Ingen deltakere" in page.text
    assert not Screen(client, client.get("/deltakere?side=7&sorter=navn")).rows


# ---- Hidden participants ----


def test_the_discharged_are_nowhere(house: House) -> None:
    """The rows are checked above; here, that nothing else of the others is shown."""
    persons = select(Participation.national_id, Participation.public_id)
    here = {row.national_id for row in house.ask(persons.where(Participation.status != Status.DISCHARGED))}
    over = house.ask(persons.where(Participation.status == Status.DISCHARGED, of_places("kari.oslo")))
    page = overview(house, "kari.oslo", "?sorter=navn&side=2")
    assert "" not in {row["Navn"] for row in page.rows}
    for row in over:
        assert row.public_id not in page.answer.text
        assert row.national_id in here or row.national_id not in page.text


def test_protected_ones_are_there_only_for_those_with_the_right(house: House) -> None:
    in_oslo = house.participants(of_places("siri.vern"), IS_OPEN, ~IS_PLAIN)
    kari, siri = overview(house, "kari.oslo"), overview(house, "siri.vern")
    assert in_oslo
    assert set(ids_on_all_pages(siri)) - set(ids_on_all_pages(kari)) == set(in_oslo)
    total = len(visible(house, "kari.oslo"))
    assert f"Antall deltakere: {total}" in kari.text
    assert f"Antall deltakere: {total + len(in_oslo)}" in siri.text


def test_a_deleted_one_is_gone_for_the_municipality_and_marked_for_imdi(own_house: House) -> None:
    before = overview(own_house, "berit.bergen")
    client, row = before.client, before.rows[-1]
    question = client.submit(client.get(f"/deltakere/{row['id']}/slett"), button="Slett deltaker")
    page = Screen(client, client.submit(question, button="Ja, slett deltaker", fill=BY_MISTAKE, follow_redirects=True))
    assert "Deltakeren er slettet" in page.text
    assert page.ids == before.ids[:-1]
    assert f"Antall deltakere: {len(before.ids) - 1}" in page.text
    national = overview(own_house, "ida.imdi", "?sorter=sist-endret")
    marked = next(one for page in national.pages() for one in page.rows if one["id"] == row["id"])
    today = datetime.now(OSLO_TIME)
    assert marked["Status, remark"] == f"Slettet {today:%d.%m.%Y} av berit.bergen"
    same = [label for label in COLUMNS if label != "Bydel"]
    assert {label: marked[label] for label in same} == {label: row[label] for label in same}


# ---- The row's menu ----


def test_choices_of_the_row(house: House) -> None:
    for username in ("kari.oslo", "anne.tokommuner", "ida.imdi"):
        page, writes = overview(house, username), bool(demo_user(username).municipality_numbers)
        choices = [("Endre registrering", "person"), ("Se data", "data"), ("Slett deltaker", "slett")]
        wanted = choices if writes else [("Se data", "data")]
        assert {f"Handlinger for {row['Navn']}" for row in page.rows} == set(page.menus)
        assert all(menu == wanted for menu in page.menus.values()), username
        assert ("Legg til deltaker" in page.links) == writes


def test_choices_lead_where_they_say(house: House) -> None:
    page = overview(house, "kari.oslo")
    row, choices = page.rows[0], next(iter(page.menus.values()))
    address = f"/deltakere/{row['id']}"
    assert page.links[row["Fødselsnummer"]].attrib["href"] == f"{address}/person"
    for _text, end in choices:
        answer = page.client.get(f"{address}/{end}")
        assert answer.status_code == 200
        assert row["Navn"] in text_of(answer)
