"""The search of the overview: what each value finds, and where its text must not be."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select, update

from services.access.audit import Action
from services.core.clock import today
from services.core.db import db
from services.core.status import Status
from services.listing import stored_searches as searches
from services.tables.participants import AccessEntry, Participation, SavedView, Search
from tests.support.client import text_of
from tests.support.databases import POSTGRESQL, SQLITE, Databases
from tests.support.house import IS_OPEN, IS_PLAIN, House, of_places, running_house
from tests.support.overview_asking import (
    Register,
    asked,
    asked_whole,
    at,
    chips_of,
    count_of,
    faults_in,
    form_data,
    give_name,
    missed_in,
    panel_of,
    parts_of,
    query_of,
    search_id,
    status_of,
)
from tests.support.overview_screen import Screen, ids_on_all_pages, overview

_P = Participation
NAMES = (
    "Kari Nordmann",
    "Ole-Martin Åsheim",
    "Astrid Aasheim",
    "Jane O'Hara",
    "Đivgga Eira",
    "Ŋiŋŋá Buljo",
    "Šimon Čáhppe",
    "Łucja Żak",
    "Zoë Özil",
    "Bjørn Ægir",
    "Per 100% Moe",
    "Anne_Lise Dahl",
    "Li Bo",
    "Berit Eli",
    'Quo"te Back\\slash',
    "Star* Hash#",
    "Near:Colon ^Caret",
    "Plus+Plus (Paren)",
    "And Or Not",
    "Kari Berg",
)
FILLER = "Tom Fyll"


@pytest.fixture(scope="module")
def named(own_house: House) -> House:
    """Give Oslo's participants the names above, one each, and the rest the same one."""
    oslo = own_house.participants(of_places("kari.oslo"), IS_OPEN, IS_PLAIN)
    assert len(oslo) > len(NAMES)
    for place, public_id in enumerate(oslo):
        give_name(own_house, public_id, NAMES[place] if place < len(NAMES) else FILLER)
    return own_house


def names_found(house: House, typed: str) -> set[str]:
    """The names in Kari's list; checks that values without a match are named."""
    screen = asked(house, "kari.oslo", {"q": typed})
    assert count_of(screen) == len(screen.ids)
    return {row["Navn"] for row in screen.rows}


def someone(house: House, *wanted: Any) -> Participation:
    """The first participation of that kind."""
    return house.ask(select(_P).where(*wanted).order_by(_P.id).limit(1))[0][0]


def own(house: House) -> Participation:
    """A participation of Oslo."""
    return someone(house, of_places("kari.oslo"), IS_OPEN, IS_PLAIN)


# ---- Numbers ----


def test_a_whole_number_is_found_with_and_without_a_blank(named: House) -> None:
    one = own(named)
    for typed in (one.national_id, f"{one.national_id[:6]} {one.national_id[6:]}", f"  {one.national_id} "):
        assert asked(named, "kari.oslo", {"q": typed}).ids == [one.public_id], typed


@pytest.mark.parametrize(
    "written",
    [
        '"{0} {1}"',
        "«{0}{1}»",
        "'{0}{1}",
        "{0}-{1}",
        "{0}–{1}",
        "{0}\u200b{1}",
        "\ufeff{0}\u00a0{1}",
        "\u202a{0}{1}\u202c",
        "“{0} {1}”",
    ],
)
def test_a_number_is_found_with_what_programs_put_around_it(named: House, written: str) -> None:
    """Quotes, dashes, and invisible characters."""
    one = own(named)
    screen = asked(named, "kari.oslo", {"q": written.format(one.national_id[:6], one.national_id[6:])})
    assert screen.ids == [one.public_id]


@pytest.mark.parametrize("length", [1, 2, 4, 6, 8, 10])
def test_the_first_digits_of_a_number_are_enough(named: House, length: int) -> None:
    register, digits = Register.of(named), own(named).national_id[:length]
    screen = asked(named, "kari.oslo", {"q": digits})
    assert ids_on_all_pages(screen) == register.ids("kari.oslo", {"q": digits})
    assert own(named).public_id in ids_on_all_pages(screen)


def test_digits_in_the_middle_of_a_number_find_nobody(named: House) -> None:
    middle = own(named).national_id[4:]
    assert not asked(named, "kari.oslo", {"q": middle}).ids


def test_a_longer_number_finds_nobody(named: House) -> None:
    screen = asked(named, "kari.oslo", {"q": own(named).national_id + "0"})
    assert not screen.ids
    assert len(missed_in(screen)) == 1


def test_the_person_id_is_found_whole(named: House) -> None:
    one = own(named)
    assert asked(named, "kari.oslo", {"q": one.person_id}).ids == [one.public_id]
    assert asked(named, "kari.oslo", {"q": f"{one.person_id[:4]} {one.person_id[4:]}"}).ids == [one.public_id]
    assert not asked(named, "kari.oslo", {"q": one.person_id[:7]}).ids


# ---- Names ----


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("nordmann", {"Kari Nordmann"}),
        ("NORDMANN", {"Kari Nordmann"}),
        ("rdma", {"Kari Nordmann"}),
        ("kari", {"Kari Nordmann", "Kari Berg"}),
        ("kari berg", {"Kari Berg"}),
        ("berg kari", {"Kari Berg"}),
        ("  kari \t", {"Kari Nordmann", "Kari Berg"}),
        ("kari dahl", set()),
        ("åsheim", {"Ole-Martin Åsheim", "Astrid Aasheim"}),
        ("aasheim", {"Ole-Martin Åsheim", "Astrid Aasheim"}),
        ("A\N{COMBINING RING ABOVE}SHEIM", {"Ole-Martin Åsheim", "Astrid Aasheim"}),
        ("asheim", {"Ole-Martin Åsheim", "Astrid Aasheim"}),  # in the middle of aasheim
        ("å", {"Ole-Martin Åsheim", "Astrid Aasheim"}),
        ("martin", {"Ole-Martin Åsheim"}),
        ("ole-martin", {"Ole-Martin Åsheim"}),
        ("ole martin", {"Ole-Martin Åsheim"}),
        ("ole–martin", {"Ole-Martin Åsheim"}),
        ("ohara", {"Jane O'Hara"}),
        ("o'hara", {"Jane O'Hara"}),
        ("O’Hara", {"Jane O'Hara"}),
        ("divgga", {"Đivgga Eira"}),
        ("ninna", {"Ŋiŋŋá Buljo"}),
        ("ŋiŋŋá", {"Ŋiŋŋá Buljo"}),
        ("simon cahppe", {"Šimon Čáhppe"}),
        ("lucja zak", {"Łucja Żak"}),
        ("zoe", {"Zoë Özil"}),
        ("ozil", {"Zoë Özil"}),
        ("bjørn", {"Bjørn Ægir"}),
        ("bjorn", set()),  # ø is a letter of its own, like æ
        ("ægi", {"Bjørn Ægir"}),
        ("li", {"Li Bo"}),
        ("eli", {"Berit Eli"}),
        ("e", {"Đivgga Eira", "Berit Eli"}),
        ("bo li", {"Li Bo"}),
        ("b kari", {"Kari Berg"}),
        ("tom", {FILLER}),
    ],
)
def test_parts_of_names(named: House, typed: str, wanted: set[str]) -> None:
    assert names_found(named, typed) == wanted


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("%", set()),
        ("_", set()),
        ("*", set()),
        ("100%", {"Per 100% Moe"}),
        ("00% moe", {"Per 100% Moe"}),
        ("1%0", set()),
        ("kar_", set()),
        ("k%i", set()),
        ("kari%", set()),
        ("kari*", set()),
        ("_lise", {"Anne_Lise Dahl"}),
        ("anne_lise", {"Anne_Lise Dahl"}),
        ("anne_", {"Anne_Lise Dahl"}),
        ("annexlise", set()),
        ('quo"te', {'Quo"te Back\\slash'}),
        ('"quo', set()),
        ('"kari"', set()),
        ("back\\sl", {'Quo"te Back\\slash'}),
        ("\\\\", set()),
        ("star* hash#", {"Star* Hash#"}),
        ("near:colon", {"Near:Colon ^Caret"}),
        ("^caret", {"Near:Colon ^Caret"}),
        ("^kari", set()),
        ("name_words:kari", set()),
        ("plus+plus (paren)", {"Plus+Plus (Paren)"}),
        ("(paren", {"Plus+Plus (Paren)"}),
        ("(kari)", set()),
        ("and or not", {"And Or Not"}),
        ("kari OR dahl", set()),
        ("kari NOT berg", set()),
        ("kari AND berg", set()),
        ("NEAR(kari berg)", set()),
        ("'; DROP TABLE participation; --", set()),
        ("-", set()),
        ("'", set()),
        ("\x00\x01\ufffe", set()),
        ("\N{SMILING FACE WITH OPEN MOUTH}", set()),
    ],
)
def test_wildcards_and_quotes_stand_for_themselves(named: House, typed: str, wanted: set[str]) -> None:
    assert names_found(named, typed) == wanted


# ---- Several values ----


def test_several_values_find_the_union(named: House) -> None:
    number, person_id = (one.rows[0] for one in (asked(named, "kari.oslo", {"q": n}) for n in ("zoe", "lucja")))
    chosen = Register.of(named).expected("kari.oslo", {"q": person_id["Navn"]})[0]
    screen = asked(named, "kari.oslo", {"q": f"nordmann, {number['Fødselsnummer']},{chosen.person_id},Kari"})
    assert {row["Navn"] for row in screen.rows} == {"Kari Nordmann", "Kari Berg", "Zoë Özil", "Łucja Żak"}
    assert len(screen.ids) == count_of(screen) == 4
    assert not missed_in(screen)


@pytest.mark.parametrize("divider", [",", ";", "\r\n", "\n", "\t", " ,\r\n\r\n; \t,"])
def test_a_column_pasted_from_a_spreadsheet(named: House, divider: str) -> None:
    wanted = Register.of(named).expected("kari.oslo", {"q": "kari"})
    column = divider.join(f"{row.national_id[:6]} {row.national_id[6:]}" for row in wanted) + divider
    screen = asked(named, "kari.oslo", {"q": column})
    assert set(screen.ids) == {row.public_id for row in wanted}
    assert len(chips_of(screen)) == len(wanted)


def test_a_value_that_stands_twice_counts_once(named: House) -> None:
    screen = asked(named, "kari.oslo", {"q": "kari, kari ,  kari"})
    assert chips_of(screen) == ["Søk kari"]
    assert count_of(screen) == 2


def test_empty_values_search_for_nothing(named: House) -> None:
    screen = asked(named, "kari.oslo", {"q": " ,,;\r\n\t "})
    assert query_of(screen) == ""
    assert not chips_of(screen)


def test_four_hundred_values_are_searched_for(named: House) -> None:
    one = own(named)
    values = [one.national_id, *(f"{n:011}" for n in range(399))]
    screen = asked(named, "kari.oslo", {"q": "\r\n".join(values)})
    assert screen.ids == [one.public_id]
    assert missed_in(screen) == values[1:]
    assert chips_of(screen) == [f"Søk {value}" for value in values]


@pytest.mark.parametrize("number", [401, 5000])
def test_too_many_values_are_said_at_the_field_and_the_rest_is_kept(named: House, number: int) -> None:
    before = asked(named, "kari.oslo", {"q": "kari"})
    values = "\r\n".join(f"{n:011}" for n in range(number))
    sent = {"q": values, "status": ["endret", "opprettet"]}
    wanted = Register.of(named).ids("kari.oslo", {"q": "kari", "status": ["endret", "opprettet"]})
    panel_of(named, "kari.oslo")
    for screen in (
        asked(named, "kari.oslo", sent, shown=query_of(before)),
        asked_whole(named, "kari.oslo", sent, shown=query_of(before)),
    ):
        assert screen.answer.status_code == 422
        assert faults_in(screen) == {"q": f"Søk på maks 400 verdier om gangen. Du skrev {number}."}
        typed = next(one for one in screen.tree.elements("textarea") if one.attrib["name"] == "q")
        assert "".join(typed.itertext()).split() == values.split(), "what was typed stays"
        assert screen.ids == wanted
        assert chips_of(screen) == ["Søk kari", "Status Opprettet", "Status Endret"]


def test_too_many_words_are_said_at_the_field_and_the_rest_is_kept(named: House) -> None:
    """Two hundred values of ten words are answered; a hundred words each would take seconds."""
    before = asked(named, "kari.oslo", {"q": "kari"})
    values = [f"kari anna maria berg dahl lie moe hansen nordmann a{n}" for n in range(200)]
    sent = {"q": ",".join([*values[:-1], f"{values[-1]} b"]), "status": ["endret", "opprettet"]}
    wanted = Register.of(named).ids("kari.oslo", {"q": "kari", "status": ["endret", "opprettet"]})
    screen = asked(named, "kari.oslo", sent, shown=query_of(before))
    assert screen.answer.status_code == 422
    assert screen.ids == wanted
    assert chips_of(screen) == ["Søk kari", "Status Opprettet", "Status Endret"]
    whole = asked_whole(named, "kari.oslo", sent, shown=query_of(before))
    assert faults_in(whole) == {"q": "Søk på maks 2000 ord om gangen. Du skrev 2001."}
    assert asked(named, "kari.oslo", {**sent, "q": ",".join(values)}).answer.status_code == 200


def test_two_hundred_values_of_the_worst_kind(named: House) -> None:
    """Two hundred values of a hundred words each: the database is not asked at all."""
    values = [" ".join(chr(97 + (n + place) % 26) for place in range(100)) for n in range(26)]
    values += [" ".join(f"{chr(97 + place % 26)}{n}" for place in range(60)) for n in range(174)]
    screen = asked(named, "kari.oslo", {"q": ",".join(values)})
    assert screen.answer.status_code == 422


# ---- «Ingen treff» ----


def test_values_without_hits_are_named(named: House) -> None:
    number = own(named).national_id
    screen = asked(named, "kari.oslo", {"q": f"kari, finnesikke, {number}, 01010112345, <b>ingen"})
    assert missed_in(screen) == ["finnesikke", "01010112345", "<b>ingen"]


def test_values_without_hits_are_said(named: House) -> None:
    """By the status line: a few by name, otherwise their number."""
    few, many = (["kari", *(f"zzy{n:03}" for n in range(number))] for number in (2, 6))
    said = [status_of(asked(named, "kari.oslo", {"q": ",".join(values)})) for values in (few, many)]
    assert said[0] == "2 deltakere. Sist endret først. Ingen treff: zzy000, zzy001."
    assert said[1] == "2 deltakere. Sist endret først. 6 verdier ga ingen treff."


def test_a_value_with_hits_on_another_page_is_not_named(named: House) -> None:
    last = Register.of(named).expected("ida.imdi", {"q": "0,1,2,3"})[-1]
    first = asked(named, "ida.imdi", {"q": f"0,1,2,3,{last.national_id},finnesikke"})
    assert count_of(first) > 100
    assert [missed_in(page) for page in first.pages()] == [["finnesikke"]] * -(-count_of(first) // 25)


def test_a_value_whose_hits_are_filtered_away_is_named(named: House) -> None:
    one = own(named)
    others = {"opprettet", "endret", "avsluttet"} - {{1: "avsluttet", 2: "endret", 3: "opprettet"}[one.status]}
    screen = asked(named, "kari.oslo", {"q": one.national_id, "status": sorted(others)})
    assert not screen.ids
    assert missed_in(screen) == [one.national_id]


# ---- Participants who are not found ----


def test_the_discharged_are_found_by_person_id_with_the_filter_only(named: House) -> None:
    one = someone(
        named,
        of_places("kari.oslo"),
        IS_PLAIN,
        _P.status == Status.DISCHARGED,
        _P.national_id.not_in(select(_P.national_id).where(IS_OPEN)),
    )
    name = named.ask(select(func.max(_P.name)).where(_P.person_ref == one.person_ref))[0][0]
    assert name == ""
    for values in ({"q": one.national_id}, {"q": one.national_id[:9]}, {"q": one.person_id}):
        for username in ("kari.oslo", "siri.vern", "ida.imdi", "admin.imdi"):
            screen = asked(named, username, values)
            assert one.public_id not in screen.ids
            assert missed_in(screen) == [values["q"]]
    for status in ("utskrevet", ["utskrevet", "endret"]):
        found = asked(named, "kari.oslo", {"q": one.person_id, "status": status})
        assert found.ids == [one.public_id]
        assert found.rows[0]["Navn"] == ""
        assert not asked(named, "kari.oslo", {"q": one.national_id, "status": status}).ids
    assert not asked(named, "kari.oslo", {"q": one.person_id, "status": "endret"}).ids


def test_who_has_returned_is_found_by_number_once(named: House) -> None:
    again = select(_P.national_id).where(_P.status == Status.DISCHARGED)
    one = someone(named, IS_OPEN, IS_PLAIN, _P.national_id.in_(again))
    assert asked(named, "ida.imdi", {"q": one.national_id}).ids == [one.public_id]
    both = asked(named, "ida.imdi", {"q": one.person_id, "status": ["opprettet", "endret", "avsluttet", "utskrevet"]})
    assert len(both.ids) == count_of(both) == 2


def answer_without(value: str, screen: Screen) -> str:
    """The response, without the value and the random id of the search."""
    headers = sorted((name, text) for name, text in screen.answer.headers if name != "Content-Length")
    return re.sub(r"sok=[A-Za-z0-9_-]{16}", "sok=", f"{headers}\n{screen.answer.text}".replace(value, "…"))


HIDDEN = {
    "protected": of_places("kari.oslo") & IS_OPEN & ~IS_PLAIN,
    "deleted": of_places("kari.oslo") & _P.deleted_at.is_not(None) & IS_PLAIN,
    "elsewhere": of_places("berit.bergen") & IS_OPEN & IS_PLAIN,
    "discharged": of_places("kari.oslo") & (_P.status == Status.DISCHARGED) & IS_PLAIN,
}


@pytest.mark.parametrize("kind", HIDDEN)
def test_a_hidden_participant_answers_as_one_who_does_not_exist(named: House, kind: str) -> None:
    # Participants whose person has no other visible stay
    seen = select(_P.person_ref).where(of_places("kari.oslo"), IS_OPEN, IS_PLAIN)
    hidden = someone(named, HIDDEN[kind], _P.person_ref.not_in(seen))
    give_away = {"number": hidden.national_id, "PersonId": hidden.person_id, "first digits": hidden.national_id[:10]}
    strangers = {"number": "41019999999", "PersonId": "99999999", "first digits": "4101999999"}
    if kind != "discharged":
        give_name(named, hidden.public_id, "Hemmelig Skjultsen")
        give_away["name"], strangers["name"] = "skjultsen", "finnesikk"
    for what, value in give_away.items():
        stranger = strangers[what]
        assert not named.ask(select(_P.id).where(_P.national_id.startswith(stranger) | (_P.person_id == stranger)))
        for more in ({}, {"status": ["opprettet", "endret", "avsluttet"]}):
            for before in ("", "kari, "):
                one = asked(named, "kari.oslo", {"q": before + value, **more})
                other = asked(named, "kari.oslo", {"q": before + stranger, **more})
                assert missed_in(one) == [value], (kind, what)
                assert answer_without(value, one) == answer_without(stranger, other), (kind, what)


def test_protected_and_deleted_ones_are_found_by_those_with_the_right(named: House) -> None:
    protected, deleted = someone(named, HIDDEN["protected"]), someone(named, HIDDEN["deleted"])
    assert asked(named, "siri.vern", {"q": protected.national_id}).ids == [protected.public_id]
    assert not asked(named, "ida.imdi", {"q": protected.national_id}).ids
    assert deleted.public_id in asked(named, "ida.imdi", {"q": deleted.national_id}).ids
    assert deleted.public_id not in asked(named, "siri.vern", {"q": deleted.national_id}).ids


def test_those_of_several_municipalities_find_in_all_of_them(named: House) -> None:
    askoy = someone(named, _P.municipality_number == "4627", IS_OPEN, IS_PLAIN)
    assert asked(named, "anne.tokommuner", {"q": askoy.national_id}).ids == [askoy.public_id]
    assert asked(named, "anne.tokommuner", {"q": askoy.name}).ids == [askoy.public_id]
    assert not asked(named, "berit.bergen", {"q": askoy.name}).ids


# ---- Places without the searched text ----


def addresses_in(answer: Any) -> str:
    """All addresses on a page and in the headers of its response."""
    names = ("href", "action", "formaction", "src", "data-hx-get", "data-hx-post")
    found = re.findall(rf'(?:{"|".join(names)})="([^"]*)"', answer.text)
    return "\n".join([*found, *(value for _name, value in answer.headers)])


def test_nothing_personal_stands_in_an_address_or_a_log(named: House, caplog: pytest.LogCaptureFixture) -> None:
    one = own(named)
    values = [one.national_id, one.person_id, "nordmann", "hemmeligheten"]
    client = named.client("kari.oslo")
    with caplog.at_level(0):
        page = panel_of(named, "kari.oslo")
        direct = client.submit(page, button="Søk", fill={"q": ", ".join(values), "endret-av": "per.oslo"})
        assert direct.status_code == 303
        fragment = asked(named, "kari.oslo", {"q": ", ".join(values)}, shown="antall=50&sorter=navn")
        answers = [direct, client.get(direct.headers["Location"]), fragment.answer]
        answers.append(client.submit(answers[1], button=f"Fjern filter: Søk {values[2]}"))
        answers.append(client.get(f"/deltakere/oversikt.csv?{query_of(fragment)}"))
        answers.append(client.get(f"/deltakere/visninger?{query_of(fragment)}"))
    for answer in answers:
        for value in [*values, "per.oslo"]:
            assert value not in addresses_in(answer), answer.request.full_path
    assert parts_of(fragment).keys() == {"sok", "sorter", "antall"}
    assert not [record for record in caplog.records if any(value in record.getMessage() for value in values)]


_SEARCHES = select(AccessEntry).where(AccessEntry.action != Action.VIEW)  # those are written in the background


def test_a_search_is_logged_by_ids_and_counts(named: House) -> None:
    one = own(named)
    screen = asked(
        named, "kari.oslo", {"q": f"kari, berg, {one.national_id}, {one.person_id}, 0101", "status": "endret"}
    )
    (entry,) = named.ask(_SEARCHES.order_by(AccessEntry.id.desc()).limit(1))[0]
    counts = {"name": 2, "number": 1, "number_start": 1, "person_id": 1}
    assert (entry.action, entry.detail) == ("search", {"search": search_id(screen)} | counts)
    assert entry.participation_ref is None


def test_the_same_search_is_kept_and_logged_once(named: House) -> None:
    first = asked(named, "kari.oslo", {"q": "kari, berg"})
    number = len(named.ask(_SEARCHES))
    again = asked(named, "kari.oslo", {"q": "kari, berg", "status": "endret"}, shown=query_of(first))
    assert search_id(again) == search_id(first)
    assert len(named.ask(_SEARCHES)) == number
    other = asked(named, "kari.oslo", {"q": "kari"}, shown=query_of(again))
    assert search_id(other) != search_id(first)


# ---- How long a search is kept, and for whom ----

GONE = "Søket finnes ikke lenger"


def plain_with(status: str, screen: Screen, house: House) -> None:
    """Check that this is the list without the search, with its other criteria and a message."""
    assert GONE in screen.text
    assert "sok" not in parts_of(screen) or screen.answer.status_code == 200
    assert chips_of(screen) == ["Status Endret"]
    assert ids_on_all_pages(screen) == Register.of(house).ids("kari.oslo", {"status": status})


def age(house: House, screen: Screen, days: int) -> None:
    """Set the last use of a search to so many days ago, and clear the process's cache."""
    searches.recalled_on.cache_clear()
    house.write(update(Search).where(Search.id == search_id(screen)).values(used_on=today() - timedelta(days=days)))


def used_on(house: House, screen: Screen) -> Any:
    rows = house.ask(select(Search.used_on).where(Search.id == search_id(screen)))
    return rows[0].used_on if rows else None


@pytest.mark.parametrize("identity", ["0123456789abcdef", "0123456789abcde", "1", "../../../../etc/pas", "%C3%A5"])
def test_an_unknown_search_is_the_list_without_it(named: House, identity: str) -> None:
    """Also if a part was lost when it was copied."""
    query = f"sok={identity}&status=endret"
    plain_with("endret", at(named, "kari.oslo", query), named)
    plain_with("endret", overview(named, "kari.oslo", f"?{query}"), named)


def test_a_search_that_is_gone_is_said(named: House) -> None:
    assert status_of(at(named, "kari.oslo", "sok=0123456789abcdef")).startswith(f"{GONE}. ")


def test_no_search_is_none(named: House) -> None:
    screen = at(named, "kari.oslo", "sok=&status=endret")
    assert GONE not in screen.text
    assert query_of(screen) == "status=endret"


def test_another_users_search_is_unknown(named: House) -> None:
    theirs = asked(named, "siri.vern", {"q": "kari"})
    screen = at(named, "kari.oslo", f"status=endret&sok={search_id(theirs)}")
    plain_with("endret", screen, named)
    assert "sok" not in parts_of(screen)
    assert used_on(named, theirs) == today()


def test_an_expired_search_is_unknown(named: House) -> None:
    search = asked(named, "kari.oslo", {"q": "kari", "status": "endret"})
    age(named, search, 31)
    plain_with("endret", at(named, "kari.oslo", query_of(search)), named)
    assert used_on(named, search) == today() - timedelta(days=31), "who looks for it does not bring it back"


def test_a_search_lives_for_thirty_days_from_its_last_use(named: House) -> None:
    search = asked(named, "kari.oslo", {"q": "kari"})
    age(named, search, 30)
    assert count_of(at(named, "kari.oslo", query_of(search))) == 2
    assert used_on(named, search) == today()


def test_a_search_is_asked_for_once_a_day(named: House) -> None:
    """And its last use is written once; a failure is not cached."""
    search, asked_for = asked(named, "kari.oslo", {"q": "kari"}), []
    age(named, search, 1)

    def listen(*args: Any) -> None:
        asked_for.extend(re.findall(r"^UPDATE search|FROM search", args[2]))

    with named.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", listen)
    try:
        for _time in range(3):
            assert count_of(at(named, "kari.oslo", query_of(search))) == 2
            assert GONE in at(named, "siri.vern", query_of(search)).text
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    assert sorted(asked_for) == ["FROM search"] * (1 + 3) + ["UPDATE search"]


def test_searches_unused_for_thirty_days_are_cleared_whosever_they_are(named: House) -> None:
    old, young = asked(named, "siri.vern", {"q": "kari"}), asked(named, "siri.vern", {"q": "berg"})
    age(named, old, 31)
    age(named, young, 30)
    asked(named, "kari.oslo", {"q": "dahl"})
    assert used_on(named, old) is None
    assert used_on(named, young) == today() - timedelta(days=30)


def test_who_searches_again_on_a_page_whose_search_is_gone_is_answered(named: House) -> None:
    first = asked(named, "kari.oslo", {"q": "kari"})
    age(named, first, 31)
    again = asked(named, "kari.oslo", {"q": "kari"}, shown=query_of(first))
    assert count_of(again) == 2
    assert GONE not in again.text, "there is a search again, and the list is by it"


def test_a_download_of_a_search_that_is_gone_is_refused(named: House) -> None:
    search = asked(named, "kari.oslo", {"q": "kari"})
    assert named.client("kari.oslo").get(f"/deltakere/oversikt.csv?{query_of(search)}").status_code == 200
    age(named, search, 31)
    answer = named.client("kari.oslo").get(f"/deltakere/oversikt.csv?{query_of(search)}")
    assert answer.status_code == 400
    assert GONE in text_of(answer)


def test_a_search_for_users_lives_as_long_as_a_view_that_it_stands_in(named: House) -> None:
    """A search with user names only lives as long as a saved view with it; one with participants' data does not."""
    mine, hers, both, other = (
        asked(named, "kari.oslo", values)
        for values in (
            {"endret-av": "kari.oslo"},
            {"endret-av": "siri.vern"},
            {"endret-av": "kari.oslo", "q": "kari"},
            {"endret-av": "per.oslo"},
        )
    )
    client = named.client("kari.oslo")
    for name, screen in (("Mine", mine), ("Begge", both), ("Andres", other)):
        page = client.get(f"/deltakere/visninger?{query_of(screen)}")
        client.submit(page, button="Lagre visningen", fill={"Navn på visningen": name})
    others = select(SavedView.id).where(SavedView.name == "Andres")
    client.post(
        f"/deltakere/visninger/{named.ask(others)[0].id}", data=form_data(named, "kari.oslo", {"go": "slett-ja"})
    )
    for screen in (mine, hers, both, other):
        age(named, screen, 31)
    assert chips_of(overview(named, "kari.oslo", f"?{query_of(mine)}")) == ["Sist endret av kari.oslo"]
    assert used_on(named, mine) == today(), "it is used again"
    for screen in (hers, both, other):
        assert GONE in at(named, "kari.oslo", query_of(screen)).text
    age(named, mine, 400)
    asked(named, "kari.oslo", {"q": "dahl"})  # deletes expired ones
    assert [used_on(named, screen) is None for screen in (mine, hers, both, other)] == [False, True, True, True]
    assert chips_of(overview(named, "kari.oslo", f"?{query_of(mine)}")) == ["Sist endret av kari.oslo"]


def test_reloading_the_answer_to_a_search_leads_to_the_list(named: House) -> None:
    answer = named.client("kari.oslo").get("/deltakere/sok")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/deltakere")


def test_a_search_needs_the_token(named: House) -> None:
    data = form_data(named, "kari.oslo", {"q": "kari"})
    del data["csrf_token"]
    answer = named.client("kari.oslo").post("/deltakere/sok", data=data)
    assert answer.status_code == 400
    assert "kari" not in text_of(answer)


def test_one_process_may_serve_both_databases(databases: Databases, settings: dict[str, str]) -> None:
    """Statements cached for one of them are not used for the other."""
    lite, large = (running_house(dialect, databases, settings, 40) for dialect in (SQLITE, POSTGRESQL))
    with lite as one, large as other:
        for house in (one, other, one):
            wanted = Register.of(house).ids("anne.tokommuner", {"q": "a"})
            assert asked(house, "anne.tokommuner", {"q": "a"}).ids == wanted
