"""The way back from a participant's pages to the list that the participant was opened from."""

from typing import Any

import pytest
from sqlalchemy import select

from services.tables.accounts import UserSession
from services.tables.participants import Participation
from tests.support.client import CheckedClient, tree_of
from tests.support.house import IS_OPEN, IS_PLAIN, House, of_places
from tests.support.overview_asking import asked, asked_whole, panel_of, query_of
from tests.support.overview_screen import Screen
from tests.support.registering import BY_MISTAKE, Office, address, goal_of

BERIT = "berit.bergen"
LIST = "status=opprettet&status=endret&side=2&sorter=navn"
OTHER = "sorter=oppstart&retning=synkende"


@pytest.fixture
def office(own_house: House) -> Office:
    return Office(own_house.app, own_house.client)


def fresh(house: House, username: str = BERIT) -> CheckedClient:
    """A new client, without an earlier list."""
    made = house.nobody()
    made.login(username)
    return made


def some(house: House, number: int = 1) -> list[str]:
    return house.participants(IS_OPEN, IS_PLAIN, of_places(BERIT))[:number]


def opened(client: CheckedClient, place: str, query: str = "", *, site: str = "http://localhost") -> Any:
    """A page opened by a link in a list."""
    referer = f"{site}/deltakere" + (f"?{query}" if query else "")
    return client.get(place, headers={"Referer": referer})


def ways_back(answer: Any) -> set[str]:
    """The addresses of the menu's «Deltakere» and of the register's name."""
    links = [one for one in tree_of(answer).elements("a") if one.attrib.get("class") == "brand"]
    links += [one for one in tree_of(answer).elements("a") if "".join(one.itertext()) == "Deltakere"]
    assert len(links) == 2
    return {one.attrib["href"] for one in links}


@pytest.mark.parametrize("word", ["person", "bakgrunn", "programinnhold", "avslutning", "data", "historikk", "slett"])
def test_every_page_of_a_participant_leads_back(own_house: House, word: str) -> None:
    """Whichever is opened from the list, and all that are opened from it afterwards."""
    client, (one,) = fresh(own_house), some(own_house)
    wanted = f"/deltakere?{LIST}#{one}"
    assert ways_back(opened(client, address(one, word), LIST)) == {wanted}
    for later in ("person", "data", "slett"):
        assert ways_back(client.get(address(one, later))) == {wanted}
    left = client.submit(client.get(address(one, "person")), button="Til deltakeroversikten")
    assert (left.status_code, left.headers["Location"]) == (303, wanted)
    partly = client.submit(client.get(address(one, "person")), button="Til deltakeroversikten", partial=True)
    assert partly.headers["HX-Redirect"] == wanted


def test_whom_nobody_has_opened_from_a_list(own_house: House) -> None:
    client, (one, other) = fresh(own_house), some(own_house, 2)
    assert ways_back(client.get(address(one, "data"))) == {"/", "/deltakere"}
    opened(client, address(other, "data"), LIST)
    assert ways_back(client.get(address(one, "data"))) == {f"/deltakere?{LIST}"}, "the list that was left last"


def test_each_participant_has_a_list_of_its_own(own_house: House) -> None:
    """Two tabs with two lists are independent; opening the same participant again selects the newer one."""
    client, (one, other) = fresh(own_house), some(own_house, 2)
    opened(client, address(one, "person"), LIST)
    opened(client, address(other, "person"), OTHER)
    assert ways_back(client.get(address(one, "data"))) == {f"/deltakere?{LIST}#{one}"}
    assert ways_back(client.get(address(other, "data"))) == {f"/deltakere?{OTHER}#{other}"}
    opened(client, address(one, "person"))
    assert ways_back(client.get(address(one, "data"))) == {f"/deltakere#{one}"}


@pytest.mark.parametrize(
    ("site", "query"),
    [
        ("https://example.org", LIST),
        ("http://localhost", "sorter=ukjent"),
        ("http://localhost", "kommune=0301&next=https://example.org"),
        ("http://localhost", "//example.org"),
        ("http://localhost/andre", LIST),
        ("http://[", LIST),
    ],
)
def test_only_lists_of_ours_are_ways_back(own_house: House, site: str, query: str) -> None:
    client, (one,) = fresh(own_house), some(own_house)
    page = opened(client, address(one, "data"), query, site=site)
    assert ways_back(page) == {"/", "/deltakere"}


def test_what_is_kept_is_bounded(own_house: House) -> None:
    client, several = fresh(own_house, "ida.imdi"), own_house.participants(IS_OPEN, IS_PLAIN)[:33]
    for number, one in enumerate(several):
        opened(client, address(one, "data"), f"sorter=navn&side={number + 1}")
    assert ways_back(client.get(address(several[-1], "historikk"))) == {
        f"/deltakere?side={len(several)}&sorter=navn#{several[-1]}"
    }
    kept = [row.data.get("lists", []) for row in own_house.ask(select(UserSession.data))]
    assert max(map(len, kept)) == 30


def test_a_search_stays_out_of_it(own_house: House) -> None:
    """The searched text is in no address; its id is, and leads back to the same participants."""
    client, (one,) = own_house.client(BERIT), some(own_house)
    panel_of(own_house, BERIT)
    (row,) = own_house.ask(select(Participation.person_id).where(Participation.public_id == one))
    screen = asked(own_house, BERIT, {"q": row.person_id})
    opened(client, address(one, "person"), query_of(screen))
    (back,) = ways_back(client.get(address(one, "data")))
    assert row.person_id not in back
    assert Screen(client, client.get(back)).ids == [one]


def test_after_deleting(office: Office, own_house: House) -> None:
    client, public_id = fresh(own_house), office.given()
    opened(client, address(public_id, "slett"), LIST)
    question = client.get(address(public_id, "slett", "bekreft"))
    assert f"/deltakere?{LIST}#{public_id}" in ways_back(question)
    done = client.submit(question, button="Ja, slett deltaker", fill=BY_MISTAKE)
    assert done.headers["Location"] == f"/deltakere?{LIST}"


def test_after_discharging(office: Office, own_house: House) -> None:
    public_id = office.ended()
    client = office.client_of(BERIT)
    opened(client, address(public_id, "avslutning"), LIST)
    receipt = client.get(goal_of(office.discharge(public_id)))
    link = next(one for one in tree_of(receipt).elements("a") if "".join(one.itertext()) == "Til deltakeroversikten")
    assert link.attrib["href"] == f"/deltakere?{LIST}"


def test_a_new_participant_leads_back_to_the_list_of_the_form(office: Office, own_house: House) -> None:
    """By the link of the form, and from the created participant, also from a form that was stored meanwhile."""
    client = office.client_of(BERIT)
    first = opened(client, "/deltakere/ny", LIST)
    assert ways_back(first) == {f"/deltakere?{LIST}"}
    opened(client, "/deltakere/ny", OTHER)
    created = client.submit(
        first,
        button="Hent navn",
        fill={"Fødselsnummer": office.someone().number},
        follow_redirects=True,
    )
    assert ways_back(created) == {f"/deltakere?{LIST}"}
    done = office.finish(created)
    public_id = goal_of(done).split("/")[2]
    assert ways_back(client.get(address(public_id, "bakgrunn"))) == {f"/deltakere?{LIST}#{public_id}"}


def test_a_form_with_something_wrong_is_a_list_too(own_house: House) -> None:
    """Without JavaScript the list then has the address of the form."""
    client, (one,) = own_house.client(BERIT), some(own_house)
    panel_of(own_house, BERIT)
    wrong = asked_whole(own_house, BERIT, {"status": "endret", "oppstart-fra": "i går"}, shown="sorter=navn")
    assert wrong.answer.status_code == 422
    client.get(address(one, "person"), headers={"Referer": "http://localhost/deltakere/sok"})
    assert ways_back(client.get(address(one, "data"))) == {f"/deltakere?status=endret&sorter=navn#{one}"}


def test_other_pages_lead_to_the_whole_list(own_house: House) -> None:
    client, (one,) = fresh(own_house), some(own_house)
    opened(client, address(one, "person"), LIST)
    for place in ("/deltakere", "/deltakere/pabegynte", "/deltakere/meldinger", "/hjelp"):
        assert ways_back(client.get(place)) == {"/", "/deltakere"}
