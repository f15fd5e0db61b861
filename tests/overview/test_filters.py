"""Every criterion, and any combination, compared with all rows checked one by one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.test import TestResponse

from services.core.clock import OSLO_TIME, today
from services.core.code_lists import district_names, municipality_name
from services.listing.criteria import LONG_STAYS
from services.questions.programme_time import duration_start
from services.tables.participants import Leave, Participation
from tests.support.client import tree_of
from tests.support.forms import Form, find_form
from tests.support.house import IS_OPEN, IS_PLAIN, House, of_places
from tests.support.overview_asking import (
    QuickClient,
    Register,
    Values,
    asked,
    asked_whole,
    change,
    chips_of,
    count_of,
    faults_in,
    form_data,
    panel_of,
    parts_of,
    query_of,
    written,
)
from tests.support.overview_screen import COLUMN_WORDS, COLUMNS, ids_on_all_pages, overview
from tests.support.registering import FULL_BACKGROUND, FULL_PROGRAMME, FULL_TERMINATION, Office, last_start

_P = Participation
FEW = "anne.tokommuner"  # sees so few participants that possibly none match
USERS = ("kari.oslo", FEW, "ida.imdi")
STATUSES = ("opprettet", "endret", "avsluttet", "utskrevet")
PAGES = ("bakgrunn", "programinnhold", "avslutning")


@pytest.fixture(scope="module")
def register(house: House) -> Register:
    """All rows of the unchanged house."""
    return Register.of(house)


def check(house: House, register: Register, username: str, values: Values) -> int:
    """The fragment, and the whole list by its address, contain exactly the matching participants; returns how many."""
    wanted = register.ids(username, values)
    screen = asked(house, username, values)
    assert count_of(screen) == len(wanted), values
    assert screen.ids == wanted[:25], values
    assert QuickClient.beside(house, username).pages(query_of(screen)) == wanted, values
    number = sum(1 if isinstance(value, str) else len(value) for value in values.values() if value)
    ranges = {name.partition("-")[0] for name in values if name.endswith(("-fra", "-til"))}
    ends = sum(1 for name, value in values.items() if name.endswith(("-fra", "-til")) and value)
    assert len(chips_of(screen)) == number - ends + len(ranges), chips_of(screen)
    return len(wanted)


# ---- Kommune and bydel ----


@pytest.mark.parametrize("numbers", [["0301"], ["4601", "4627"], ["0301", "5001", "1103"], ["1860"]])
def test_municipalities_of_the_nation(house: House, register: Register, numbers: list[str]) -> None:
    check(house, register, "ida.imdi", {"kommune": numbers})


def test_boxes_for_those_of_two_municipalities(house: House, register: Register) -> None:
    sizes = [check(house, register, "anne.tokommuner", {"kommune": chosen}) for chosen in (["4601"], ["4627"])]
    assert max(sizes) > 0
    assert check(house, register, "anne.tokommuner", {"kommune": ["4601", "4627"]}) == sum(sizes)


@pytest.mark.parametrize("username", ["kari.oslo", "anne.tokommuner"])
def test_another_municipality_never_opens_the_list(house: House, register: Register, username: str) -> None:
    assert check(house, register, username, {"kommune": ["5001"]}) == 0
    own = "0301" if username == "kari.oslo" else "4601"
    assert check(house, register, username, {"kommune": [own, "5001"]}) > 0


def places_in(house: House, typed: str, chosen: tuple[str, ...] = ()) -> list[str]:
    """The numbers of the municipalities that the field accepts for a text."""
    screen = asked(house, "ida.imdi", {"kommune-navn": typed, "kommune": chosen})
    assert screen.answer.status_code == 200
    return parts_of(screen).get("kommune", [])


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("Bergen", ["4601"]),
        ("bERGEN ", ["4601"]),
        ("4601", ["4601"]),
        ("Trond", ["5001"]),
        ("oslo, bergen,,", ["0301", "4601"]),
        ("bergen, 0301, Oslo", ["0301", "4601"]),
        ("Ås", ["3218"]),  # the whole name, though Åsnes and others begin so
        ("aas", ["3218"]),
        ("Ålesund", ["1508"]),
        ("Porsanger", ["5622"]),
        ("", []),
        (" , ,", []),
    ],
)
def test_the_nation_types_names_or_numbers(house: House, typed: str, wanted: list[str]) -> None:
    assert places_in(house, typed) == wanted


def test_what_is_typed_comes_on_top_of_what_is_chosen(house: House) -> None:
    assert places_in(house, "Bergen", ("5001", "0301")) == ["0301", "4601", "5001"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("Ber", "Flere kommuner begynner med «Ber»: Bergen"),
        ("46", "Flere kommuner begynner med «46»: Bergen, Kinn, Etne, Sveio, Bømlo, Stord og 37 til."),
        (
            "Atlantis;Oslo\t9999",
            "Ingen kommune heter «Atlantis». Skriv navnet eller kommunenummeret. Ingen kommune heter «9999».",
        ),
        (",".join("abcde"), "Flere kommuner begynner med «a»: "),
        (
            ",".join(f"x{n}" for n in range(9)),
            " ".join(f"Ingen kommune heter «x{n}». Skriv navnet eller kommunenummeret." for n in range(3))
            + " 6 til er feil.",
        ),
        ("Atlantis", "Ingen kommune heter «Atlantis». Skriv navnet eller kommunenummeret."),
        ("9999", "Ingen kommune heter «9999»."),
        ("%", "Ingen kommune heter «%»."),
        ("<b>", "Ingen kommune heter «<b>»."),
        ("--", "Ingen kommune heter «--»."),
        ("\x00\x08", "Ingen kommune heter «"),
    ],
)
def test_a_municipality_that_is_none_or_several_is_said_at_the_field(house: House, typed: str, words: str) -> None:
    screen = asked(house, "ida.imdi", {"kommune-navn": f"Bergen, {typed}", "status": "endret"})
    assert screen.answer.status_code == 422
    assert faults_in(screen)["kommune-navn"].startswith(words)
    right = ["Oslo", "Bergen"] if "Oslo" in typed else ["Bergen"]
    assert chips_of(screen) == [*(f"Kommune {name}" for name in right), "Status Endret"], "the rest is kept"


@pytest.mark.parametrize("username", ["kari.oslo", "ida.imdi"])
def test_districts(house: House, register: Register, username: str) -> None:
    for chosen in ([number] for number in district_names()):
        check_quickly(house, register, username, {"bydel": chosen})
    assert check(house, register, username, {"bydel": list(district_names())[:6]}) > 0


def check_quickly(house: House, register: Register, username: str, values: Values) -> int:
    """The first page only, by the address."""
    wanted = register.ids(username, values)
    ids, count = QuickClient.beside(house, username).page(f"{written(values)}&antall=100")
    assert (ids, count) == (wanted[:100], len(wanted)), values
    return count


def test_districts_are_within_the_municipalities_chosen(house: House, register: Register) -> None:
    district = next(iter(district_names()))
    assert check(house, register, "ida.imdi", {"kommune": ["0301", "4601"], "bydel": district}) > 0
    assert check(house, register, "ida.imdi", {"kommune": "4601", "bydel": district}) == 0


def test_districts_are_for_those_who_see_them(house: House) -> None:
    client, district = house.client("berit.bergen"), next(iter(district_names()))
    assert client.get(f"/deltakere?bydel={district}").status_code == 400
    data = form_data(house, "berit.bergen", {"bydel": district})
    assert client.post("/deltakere/sok", data=data).status_code == 400
    assert "Bydel" not in panel_of(house, "berit.bergen").text.partition("<table")[0]


# ---- Status, financing, missing fields ----


@pytest.mark.parametrize("username", [*USERS, "siri.vern"])
def test_statuses(house: House, register: Register, username: str) -> None:
    for chosen in (["endret"], ["opprettet", "avsluttet"], ["utskrevet"], ["avsluttet", "utskrevet"], STATUSES):
        assert check(house, register, username, {"status": chosen}) > 0 or username == FEW


def test_the_discharged_are_shown_without_names(house: House) -> None:
    for page in asked(house, "kari.oslo", {"status": "utskrevet"}).pages():
        assert {row["Navn"] for row in page.rows} == {""}
        assert {row["Status"] for row in page.rows} == {"Utskrevet"}
        assert {len(menu) for menu in page.menus.values()} == {1}, "«Se data» alone"


@pytest.mark.parametrize("username", USERS)
def test_fundings(house: House, register: Register, username: str) -> None:
    sizes = [check(house, register, username, {"finansiering": one}) for one in ("ordinaer", "per-capita")]
    assert check(house, register, username, {"finansiering": ["ordinaer", "per-capita"]}) == sum(sizes)


@pytest.mark.parametrize("username", USERS)
def test_what_is_missing_by_page(house: House, register: Register, username: str) -> None:
    for chosen in (*([one] for one in PAGES), PAGES[:2], PAGES):
        assert check(house, register, username, {"mangler": chosen}) > 0 or username == FEW


def test_what_is_missing_agrees_with_the_remark_in_the_row(house: House) -> None:
    screen = asked(house, "kari.oslo", {"mangler": ["bakgrunn"]})
    assert all("Bakgrunn" in row["Navn, remark"] for page in screen.pages() for row in page.rows)


def test_the_filter_follows_what_is_registered(own_house: House) -> None:
    office = Office(own_house.app, own_house.client)
    one = office.create(by="berit.bergen")

    def lacks() -> list[str]:
        return [page for page in PAGES if one in ids_on_all_pages(asked(own_house, "berit.bergen", {"mangler": page}))]

    assert lacks() == ["bakgrunn", "programinnhold"]
    office.save(one, "bakgrunn", FULL_BACKGROUND)
    assert lacks() == ["programinnhold"]
    office.save(one, "programinnhold", FULL_PROGRAMME)
    assert lacks() == []
    office.save(one, "avslutning", {"Dato for avslutning": FULL_TERMINATION["Dato for avslutning"]})
    assert lacks() == ["avslutning"]
    office.save(one, "avslutning", FULL_TERMINATION)
    assert lacks() == []


# ---- Days ----


def quantiles(values: Iterator[date]) -> list[date]:
    """Some days with many before and after them, and the first and last."""
    ordered = sorted(values)
    return [ordered[0], ordered[len(ordered) // 3], ordered[2 * len(ordered) // 3], ordered[-1]]


@pytest.mark.parametrize(
    ("word", "days"),
    [
        ("deltok", lambda row: row.start_date + timedelta(days=200)),
        ("oppstart", lambda row: row.start_date),
        ("avslutning", lambda row: row.end_date),
        ("endret", lambda row: row.changed_at.astimezone(OSLO_TIME).date()),
    ],
)
@pytest.mark.parametrize("username", USERS)
def test_spans_of_days(house: House, register: Register, username: str, word: str, days: Any) -> None:
    first, early, late, last = quantiles(day for row in register.rows if (day := days(row)))
    sizes = [
        check(house, register, username, {f"{word}-fra": f"{early}"}),
        check(house, register, username, {f"{word}-til": f"{late}"}),
        check(house, register, username, {f"{word}-fra": f"{early}", f"{word}-til": f"{late}"}),
        check(house, register, username, {f"{word}-fra": f"{early}", f"{word}-til": f"{early}"}),
        check(house, register, username, {f"{word}-fra": f"{first}", f"{word}-til": f"{last}"}),
        check(house, register, username, {f"{word}-fra": "1950-01-01", f"{word}-til": "2100-12-31"}),
    ]
    assert max(sizes[:3]) > 0
    assert check(house, register, username, {f"{word}-til": "1950-01-01"}) == 0
    both = {f"{word}-fra": f"{early}", f"{word}-til": f"{late}", "status": STATUSES}
    assert check(house, register, username, both) > sizes[2] or username == FEW


def test_a_day_is_typed_as_it_is_written_in_norway(house: House) -> None:
    screen = asked(house, "kari.oslo", {"oppstart-fra": " 1.2.2024 ", "oppstart-til": "31.12.2024"})
    assert query_of(screen) == "oppstart-fra=2024-02-01&oppstart-til=2024-12-31"
    assert chips_of(screen) == ["Oppstart fra 01.02.2024 til 31.12.2024"]


def test_an_open_end_takes_part_for_ever_and_not_before_oppstart(own_house: House) -> None:
    (one,) = own_house.participants(of_places("kari.oslo"), IS_OPEN, IS_PLAIN)[:1]
    change(own_house, [one], start_date=date(2019, 3, 1), end_date=None)

    def is_there(**days: str) -> bool:
        values = {f"deltok-{end}": day for end, day in days.items()}
        return one in ids_on_all_pages(asked(own_house, "kari.oslo", values))

    assert is_there(fra="2099-01-01")
    assert is_there(til="2019-03-01")
    assert is_there(fra="2019-03-01", til="2019-03-01")
    assert not is_there(til="2019-02-28")
    change(own_house, [one], end_date=date(2019, 6, 30))
    assert is_there(fra="2019-06-30")
    assert is_there(fra="2019-06-30", til="2019-06-30")
    assert is_there(fra="2019-01-01", til="2019-12-31"), "the whole stay lies within"
    assert is_there(fra="2019-04-01", til="2019-04-02"), "within the stay"
    assert not is_there(fra="2019-07-01")


BORDERS = [
    "2025-03-30T00:00",  # summer time begins: 23 hours
    "2025-03-30T01:59",
    "2025-03-30T03:00",
    "2025-03-30T23:59",
    "2025-03-31T00:00",
    "2025-10-26T00:00",  # summer time ends: 25 hours
    "2025-10-26T23:59",
    "2025-10-27T00:00",
    "2025-06-30T23:59",  # still June in Norway and in London, but not the same hour
    "2025-07-01T00:00",  # still June in London
    "2024-12-31T23:59",
    "2025-01-01T00:30",
]


def test_last_changed_by_the_days_of_norway(own_house: House) -> None:
    oslo = own_house.participants(of_places("kari.oslo"), IS_OPEN, IS_PLAIN)[1:]
    borders = [datetime.fromisoformat(text).replace(tzinfo=OSLO_TIME) for text in BORDERS]
    moments = dict(zip(oslo, borders, strict=False))
    for one, moment in moments.items():
        change(own_house, [one], changed_at=moment)
    register = Register.of(own_house)
    for text in BORDERS:
        day = text[:10]
        here = {one for one, moment in moments.items() if f"{moment:%Y-%m-%d}" == day}
        found = asked(own_house, "kari.oslo", {"endret-fra": day, "endret-til": day})
        assert here <= set(found.ids)
        assert {row["Sist endret"] for row in found.rows} == {f"{day[8:]}.{day[5:7]}.{day[:4]}"}
        check_quickly(own_house, register, "kari.oslo", {"endret-fra": day, "endret-til": day})
        check_quickly(own_house, register, "kari.oslo", {"endret-til": day})


# ---- Last changed by, and time in the programme ----


@pytest.mark.parametrize("username", USERS)
def test_last_changed_by(house: House, register: Register, username: str) -> None:
    rows = register.expected(username, {})
    one, other = rows[0].changed_by, rows[-1].changed_by
    assert check(house, register, username, {"endret-av": one}) > 0
    screen = asked(house, username, {"endret-av": f"{other.upper()} , {one}, nobody.here"})
    assert ids_on_all_pages(screen) == register.ids(username, {"endret-av": f"{other},{one}"})
    assert not asked(house, username, {"endret-av": one[:-1]}).ids, "whole user names"
    assert one not in query_of(screen), "user names are personal data as well"


@pytest.mark.parametrize("username", USERS)
def test_long_stays(house: House, register: Register, username: str) -> None:
    sizes = [check(house, register, username, {"over": str(months)}) for months in LONG_STAYS]
    assert sizes == sorted(sizes, reverse=True)
    check(house, register, username, {"over": "24", "status": STATUSES})


def test_leave_moves_the_months(own_house: House) -> None:
    day = today()
    chosen = own_house.participants(of_places("kari.oslo"), IS_OPEN, IS_PLAIN)[-4:]
    two_years = last_start(day)
    starts = [two_years, two_years + timedelta(days=1), two_years - timedelta(days=10), two_years - timedelta(days=10)]
    leaves = {2: [(two_years, two_years + timedelta(days=9))], 3: [(two_years, two_years + timedelta(days=10))]}
    for place, (one, start) in enumerate(zip(chosen, starts, strict=True)):
        put_stay(own_house, one, start, leaves.get(place, []))
    found = ids_on_all_pages(asked(own_house, "kari.oslo", {"over": "24"}))
    assert [one in found for one in chosen] == [True, False, True, False]
    assert found == Register.of(own_house).ids("kari.oslo", {"over": "24"})
    change(own_house, chosen[:1], end_date=day)
    change(own_house, chosen[2:3], end_date=day - timedelta(days=1))
    found = ids_on_all_pages(asked(own_house, "kari.oslo", {"over": "24"}))
    assert [one in found for one in chosen] == [True, False, False, False], "who has ended is not there too long"


def put_stay(house: House, public_id: str, start: date, leaves: list[tuple[date, date]]) -> None:
    """Set a stay without an end, with exactly these permisjoner."""
    ref = house.ask(select(_P.id).where(_P.public_id == public_id))[0].id
    change(house, [public_id], start_date=start, end_date=None, duration_start=duration_start(start, leaves))
    rows = [
        Leave.__table__.insert().values(
            participation_ref=ref, municipality_number="0301", position=n, from_date=a, to_date=b, kind="other"
        )
        for n, (a, b) in enumerate(leaves)
    ]
    house.write(Leave.__table__.delete().where(Leave.participation_ref == ref), *rows)


# ---- All together ----


@dataclass(frozen=True)
class Asking:
    """A request to the list."""

    values: dict[str, Any] = field(default_factory=dict)
    column: str | None = None
    descending: bool = False
    size: int = 25


def check_asking(register: Register, browser: QuickClient, house: House, username: str, asking: Asking) -> None:
    """Check the form, then every page of the resulting list."""
    order = {"sorter": COLUMN_WORDS[asking.column]} if asking.column else {}
    order |= {"retning": "synkende"} if asking.column and asking.descending else {}
    order |= {"antall": str(asking.size)} if asking.size != 25 else {}
    descending = asking.descending or asking.column is None
    wanted = register.ids(username, asking.values, asking.column or "Sist endret", descending=descending)
    ids, count, query = browser.ask(form_data(house, username, asking.values, written(order)))
    assert count == len(wanted)
    assert ids == wanted[: asking.size]
    pages = -(-count // asking.size)
    for page in dict.fromkeys((2, pages // 2, pages - 1, pages)):
        if 1 < page <= pages:
            found = browser.page(f"{query}&side={page}".removeprefix("&"))
            assert found == (wanted[(page - 1) * asking.size : page * asking.size], count), f"page {page}"


@pytest.mark.parametrize("column", [None, *COLUMNS])
@pytest.mark.parametrize("username", USERS)
def test_filtered_lists_in_each_order(house: House, register: Register, username: str, column: str | None) -> None:
    if column == "Bydel" and username == "anne.tokommuner":
        column = None
    browser = QuickClient.beside(house, username)
    filters: list[dict[str, Any]] = [
        {"status": STATUSES},
        {"status": ["endret", "utskrevet"], "oppstart-fra": "2024-06-01"},
        {"deltok-fra": "2025-01-01", "deltok-til": "2025-12-31", "finansiering": "ordinaer"},
        {"avslutning-fra": "2025-01-01", "status": STATUSES},
        {"endret-fra": f"{today() - timedelta(days=90)}", "mangler": ["bakgrunn", "avslutning"]},
    ]
    for values in filters:
        for descending in (False, True):
            check_asking(register, browser, house, username, Asking(values, column, descending))


def some_of(words: tuple[str, ...], most: int = 3) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(words), max_size=most, unique=True).map(lambda some: sorted(some, key=words.index))


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Usually empty: otherwise few rows are left."""
    return st.one_of(st.just(""), st.just(""), st.just(""), values)


def askings(register: Register, username: str) -> st.SearchStrategy[Asking]:
    """Any possible request of the user, with existing values."""
    rows = register.rows
    users = tuple(sorted({row.changed_by for row in rows}))
    numbers = tuple(sorted({row.municipality_number for row in rows}))
    words = tuple(word for row in rows if row.name for word in (row.name, row.name.split()[0][1:4], row.name[:2]))
    values = tuple(value for row in rows for value in (row.national_id, row.person_id, row.national_id[:3]))
    fixed: dict[str, st.SearchStrategy[Any]] = {
        "q": maybe(st.lists(st.sampled_from(words) | st.sampled_from(values), min_size=1, max_size=6).map(",".join)),
        "status": some_of(STATUSES),
        "mangler": maybe(some_of(PAGES)),
        "finansiering": maybe(some_of(("ordinaer", "per-capita"))),
        "over": maybe(st.sampled_from(("24", "36", "48"))),
        "endret-av": maybe(some_of(users, 8).map(",".join)),
        "kommune": maybe(some_of(numbers, 4)),
    }
    columns: tuple[str | None, ...] = (None, *COLUMNS)
    if username == "anne.tokommuner":
        columns = tuple(column for column in columns if column != "Bydel")
    else:
        fixed["bydel"] = maybe(some_of(tuple(district_names()), 8))
    values_of_spans = st.tuples(*(spans(word) for word in ("deltok", "oppstart", "avslutning", "endret")))
    values_drawn = st.tuples(st.fixed_dictionaries(fixed), values_of_spans).map(_together)
    return st.builds(Asking, values_drawn, st.sampled_from(columns), st.booleans(), st.sampled_from((25, 50, 100)))


def _together(parts: tuple[dict[str, Any], tuple[Mapping[str, str], ...]]) -> dict[str, Any]:
    values = dict(parts[0])
    for span in parts[1]:
        values |= span
    return values


def spans(word: str) -> st.SearchStrategy[Mapping[str, str]]:
    """From and to, either of them open."""
    day = st.dates(today() - timedelta(days=1200), today()).map(str) | st.just("")
    both = st.tuples(day, day).map(lambda days: sorted(days) if all(days) else list(days))
    return maybe(both).map(lambda days: {f"{word}-fra": days[0], f"{word}-til": days[1]} if days else {})


@pytest.mark.parametrize("username", USERS)
def test_whatever_is_asked(house: House, register: Register, username: str) -> None:
    browser = QuickClient.beside(house, username)

    @settings(max_examples=40)
    @given(askings(register, username))
    def ask(asking: Asking) -> None:
        check_asking(register, browser, house, username, asking)

    ask()


# ---- The form itself ----


def test_the_form_without_javascript(own_house: House) -> None:
    register, client = Register.of(own_house), own_house.client("ida.imdi")
    page = panel_of(own_house, "ida.imdi", "antall=50&side=2&sorter=navn")
    fill = {
        "Kommune": "Bergen, 0301",
        "Status": ["Opprettet", "Endret"],
        "Mangler opplysninger": ["Bakgrunn"],
        "Finansiering": ["Ordinær Jobbsjansen"],
        "Oppstart fra": "01.01.2020",
        "Tid i programmet": "Alle",
    }
    answer = client.submit(page, button="Søk", fill=fill)
    assert answer.status_code == 303
    path, _mark, query = answer.headers["Location"].partition("?")
    assert path == "/deltakere"
    assert parse_qs(query) == {
        "kommune": ["0301", "4601"],
        "status": ["opprettet", "endret"],
        "finansiering": ["ordinaer"],
        "mangler": ["bakgrunn"],
        "oppstart-fra": ["2020-01-01"],
        "sorter": ["navn"],
        "antall": ["50"],
    }
    values = {"kommune": ["0301", "4601"], "status": ["opprettet", "endret"], "mangler": "bakgrunn"}
    again = client.get(answer.headers["Location"])
    form = find_form_of(again)
    assert form.value("Status") == ["Opprettet", "Endret"]
    assert form.value("Oppstart fra") == "01.01.2020"
    assert form.value("Kommune") == ""
    wanted = register.ids("ida.imdi", values, "Navn", descending=False)
    found = asked_whole(own_house, "ida.imdi", values, shown="antall=50&sorter=navn")
    assert ids_on_all_pages(found) == wanted
    same = client.submit(again, button="Søk")
    assert same.headers["Location"] == answer.headers["Location"], "sent once more as it stands it asks the same"


def find_form_of(answer: TestResponse) -> Form:
    """The form of the criteria."""
    return find_form(tree_of(answer), form="liste")


def test_names_of_municipalities_on_chips(house: House) -> None:
    screen = overview(house, "ida.imdi", "?kommune=0301&kommune=5501")
    assert chips_of(screen) == [f"Kommune {municipality_name(number)}" for number in ("0301", "5501")]
