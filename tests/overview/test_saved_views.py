"""Saved views: saved, found, renamed, deleted, used as start view; each user's own."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, insert, select, update
from werkzeug.test import TestResponse

from services.core.clock import today
from services.core.status import Status
from services.listing import stored_searches as searches
from services.listing.saved_views import LONGEST_NAME, MOST_VIEWS
from services.tables.accounts import User
from services.tables.participants import Participation, SavedView, Search
from tests.support.client import CheckedClient, form_in, text_of, tree_of
from tests.support.forms import Form
from tests.support.house import House
from tests.support.overview_asking import asked, asked_whole, chips_of, form_data, panel_of, query_of, token_of
from tests.support.overview_screen import Screen, ids_on_all_pages
from tests.support.registering import Office

PAGE = "/deltakere/visninger"
QUERY = "status=endret&mangler=bakgrunn&sorter=navn&retning=synkende"
NOBODYS = "0123456789abcdef"


@pytest.fixture
def empty(own_house: House) -> House:
    """A house without saved views."""
    own_house.write(delete(SavedView))
    return own_house


def save(house: House, name: str, query: str = QUERY, username: str = "kari.oslo") -> TestResponse:
    """Save by the form of the page; the destination is checked."""
    client = house.client(username)
    page = client.get(f"{PAGE}?{query}")
    return _looked_at(client, client.submit(page, button="Lagre visningen", fill={"Navn på visningen": name}))


def _looked_at(client: CheckedClient, answer: TestResponse) -> TestResponse:
    if answer.status_code == 303:
        client.get(answer.headers["Location"])
    return answer


def views(house: House, username: str = "kari.oslo") -> list[tuple[str, str, bool]]:
    """(name, query, is the start view) in alphabetical order."""
    own = select(SavedView).join(User, User.id == SavedView.user_id).where(User.username == username)
    rows = [row[0] for row in house.ask(own.order_by(SavedView.name_key))]
    return [(row.name, row.query, row.is_start) for row in rows]


def id_of(house: House, name: str) -> str:
    return str(house.ask(select(SavedView.id).where(SavedView.name == name))[0].id)


def listed(page: TestResponse) -> list[str]:
    """The names on the page, in its order."""
    links = [one for one in tree_of(page).elements("a") if one.attrib.get("href", "").startswith("/deltakere")]
    names = [tree_of(page).text(one) for one in links if "ds-link" in one.attrib.get("class", "")]
    return [name for name in names if name != "Til deltakeroversikten"]


def form_for(page: TestResponse, view_id: str) -> Form:
    """The form of a view."""
    tree = tree_of(page)
    (found,) = [one for one in tree.elements("form") if one.attrib["action"] == f"{PAGE}/{view_id}"]
    return Form(tree, found)


def filled(page: TestResponse, view_id: str, name: str) -> Form:
    """The form of a view with a typed name."""
    form = form_for(page, view_id)
    form.fill({next(one.label for one in form.controls if one.name == "navn"): name})
    return form


def press(house: House, view_id: str, button: str, name: str = "", username: str = "kari.oslo") -> TestResponse:
    """Press a button in the form of a view, with a typed name."""
    client = house.client(username)
    page = client.get(PAGE)
    form = filled(page, view_id, name) if name else form_for(page, view_id)
    return _looked_at(client, client.submit(form, button=button))


def remove(house: House, view_id: str) -> None:
    """Delete a view of kari.oslo's, and confirm it."""
    question = house.client("kari.oslo").get(press(house, view_id, "Slett visningen").headers["Location"])
    answer = house.client("kari.oslo").submit(form_for(question, view_id), button="Ja, slett visningen")
    _looked_at(house.client("kari.oslo"), answer)


def sent(house: House, view_id: str, username: str = "kari.oslo", **values: str) -> TestResponse:
    """Send values that no page offers."""
    data = {"csrf_token": token_of(house, username), **values}
    return house.client(username).post(f"{PAGE}/{view_id}", data=data)


def error_in(page: TestResponse) -> str:
    """The message at the field with an error."""
    assert page.status_code == 422
    tree = tree_of(page)
    (wrong,) = [one for one in tree.elements("input") if one.attrib.get("aria-invalid") == "true"]
    assert "autofocus" in wrong.attrib
    return " ".join(tree.text(tree.by_id[one]) for one in wrong.attrib["aria-describedby"].split() if "-error" in one)


# ---- Saving and finding ----


def test_a_view_is_saved_and_found(empty: House) -> None:
    one = Office(empty.app, empty.client).given(by="kari.oslo", district="030103")
    empty.write(update(Participation).where(Participation.public_id == one).values(status=Status.CHANGED))
    client = empty.client("kari.oslo")
    page = panel_of(empty, "kari.oslo", f"{QUERY}&antall=100&side=1")
    page = client.submit(page, button="Lagre eller ordne visninger", follow_redirects=True)
    shown = QUERY.replace("&sorter", "&antall=100&sorter")
    assert page.request.full_path == f"{PAGE}?{shown}"
    back = Screen(client, page).links["Til deltakeroversikten"].attrib["href"]
    assert back == f"/deltakere?{shown}", "with its number of rows"
    assert "Status: Endret. Mangler: Bakgrunn. Sortert etter navn, synkende." in text_of(page)
    assert "Du har ingen lagrede visninger ennå." in text_of(page)
    answer = client.submit(page, button="Lagre visningen", fill={"Navn på visningen": "  Mine,   mangler Bakgrunn "})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/deltakere?{QUERY}")
    assert "Visningen «Mine, mangler Bakgrunn» er lagret." in text_of(client.get(answer.headers["Location"]))
    assert views(empty) == [("Mine, mangler Bakgrunn", QUERY, False)]
    panel = panel_of(empty, "kari.oslo")
    found = Screen(client, client.follow(panel, "Mine, mangler Bakgrunn"))
    assert query_of(found) == QUERY
    assert chips_of(found) == ["Status Endret", "Mangler Bakgrunn"]
    assert found.sorting == {"Navn": "descending"}
    assert one in found.ids


def test_the_plain_list_is_a_view_too(empty: House) -> None:
    answer = save(empty, "Alle", "")
    assert answer.headers["Location"] == "/deltakere"
    assert views(empty) == [("Alle", "", False)]
    assert "Alle deltakere. Sist endret først." in text_of(empty.client("kari.oslo").get(PAGE))


def test_views_stand_in_norwegian_order(empty: House) -> None:
    for name in ("Ørjans", "bergen", "Åpne", "Ærlig", "Alle", "Čáhppe", "<b>&\"'"):
        save(empty, name)
    wanted = ["<b>&\"'", "Alle", "bergen", "Čáhppe", "Ærlig", "Ørjans", "Åpne"]
    assert listed(empty.client("kari.oslo").get(PAGE)) == wanted


def test_a_name_can_be_taken_once_by_each(empty: House) -> None:
    save(empty, "Mine")
    page = save(empty, "Mine", "status=opprettet")
    assert error_in(page) == "Du har allerede en visning som heter «Mine»"
    assert form_in(page, button="Lagre visningen").value("Navn på visningen") == "Mine"
    assert form_in(page, button="Lagre visningen").pairs(None)[-2:] != []
    assert ("visning", "status=opprettet") in form_in(page, button="Lagre visningen").pairs(None), "for another try"
    save(empty, "Mine", username="siri.vern")
    assert [len(views(empty, user)) for user in ("kari.oslo", "siri.vern")] == [1, 1]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Gi visningen et navn"),
        ("  \t ", "Gi visningen et navn"),
        ("x" * (LONGEST_NAME + 1), f"Navnet kan ha maks {LONGEST_NAME} tegn"),
        ("æ" * 5000, f"Navnet kan ha maks {LONGEST_NAME} tegn"),
    ],
)
def test_a_name_that_is_none(empty: House, name: str, words: str) -> None:
    data = form_data(empty, "kari.oslo", {"navn": name}, QUERY)
    client = empty.client("kari.oslo")
    assert error_in(client.post(PAGE, data=data)) == words
    save(empty, "Den første")
    page = sent(empty, id_of(empty, "Den første"), go="navn", navn=name)
    assert error_in(page) == words
    assert views(empty) == [("Den første", QUERY, False)]


def test_any_letters_will_do_for_a_name(empty: House) -> None:
    names = ["x" * LONGEST_NAME, "Å" * LONGEST_NAME, "\N{SMILING FACE WITH OPEN MOUTH}", "%_'\"\\", "a\x00b"]
    for name in names:
        data = form_data(empty, "kari.oslo", {"navn": name}, QUERY)
        assert empty.client("kari.oslo").post(PAGE, data=data).status_code == 303
    assert {name for name, _query, _start in views(empty)} == {*names[:4], "a\N{REPLACEMENT CHARACTER}b"}
    assert len(listed(empty.client("kari.oslo").get(PAGE))) == 5


def test_fifty_views_at_most(empty: House) -> None:
    user_id = empty.ask(select(User.id).where(User.username == "kari.oslo"))[0].id
    rows = [
        {"id": f"view-of-many-{n:03}", "user_id": user_id, "name": f"Nr. {n}", "name_key": f"{n}", "query": ""}
        for n in range(MOST_VIEWS - 1)
    ]
    empty.write(insert(SavedView).values(rows))
    assert save(empty, "Den siste").status_code == 303
    assert error_in(save(empty, "En til")) == f"Du kan ha maks {MOST_VIEWS} visninger. Slett en først."
    assert len(listed(empty.client("kari.oslo").get(PAGE))) == MOST_VIEWS == 50
    remove(empty, "view-of-many-000")
    assert save(empty, "En til").status_code == 303


# ---- Changing ----


def test_renaming(empty: House) -> None:
    save(empty, "Gammelt")
    save(empty, "Annet")
    view = id_of(empty, "Gammelt")
    answer = press(empty, view, "Gi nytt navn", "Nytt")
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    assert [name for name, *_rest in views(empty)] == ["Annet", "Nytt"]
    page = press(empty, view, "Gi nytt navn", "Annet")
    assert error_in(page) == "Du har allerede en visning som heter «Annet»"
    assert "Alle deltakere. Sist endret først." in text_of(page)
    assert press(empty, view, "Gi nytt navn").status_code == 303, "its own name is free to it"
    assert [name for name, *_rest in views(empty)] == ["Annet", "Nytt"]


@pytest.mark.parametrize("button", ["Gi nytt navn", "Bruk som startvisning", "Slett visningen"])
def test_the_list_that_she_came_from_is_kept(empty: House, button: str) -> None:
    """After any action on a view, successful or not, it can be saved."""
    save(empty, "Mine", "status=opprettet")
    client, view = empty.client("kari.oslo"), id_of(empty, "Mine")
    page = client.get(f"{PAGE}?{QUERY}")
    wrong = client.submit(filled(page, view, " "), button="Gi nytt navn")
    assert error_in(wrong) == "Gi visningen et navn"
    answer = client.submit(filled(wrong, view, "Andre"), button=button)
    if button == "Slett visningen":
        answer = client.get(answer.headers["Location"])
        assert "Status: Endret. Mangler: Bakgrunn. Sortert etter navn, synkende." in text_of(answer)
        answer = client.submit(form_for(answer, view), button="Ja, slett visningen")
    assert answer.headers["Location"] == f"{PAGE}?{QUERY}"
    for one in (wrong, client.get(answer.headers["Location"])):
        assert "Status: Endret. Mangler: Bakgrunn. Sortert etter navn, synkende." in text_of(one)
        assert form_in(one, button="Lagre visningen").value("visning") == QUERY


def test_deleting(empty: House) -> None:
    save(empty, "Mine")
    save(empty, "Andre")
    view = id_of(empty, "Mine")
    question = empty.client("kari.oslo").get(press(empty, view, "Slett visningen", name="Tredje").headers["Location"])
    assert "Vil du slette visningen «Mine»? Deltakerne berøres ikke." in text_of(question)
    client = empty.client("kari.oslo")
    kept = client.follow(question, "Avbryt")
    assert [name for name, *_rest in views(empty)] == ["Andre", "Mine"] == listed(kept)
    done = client.submit(form_for(question, view), button="Ja, slett visningen", follow_redirects=True)
    assert "Visningen er slettet." in text_of(done)
    assert [name for name, *_rest in views(empty)] == ["Andre"] == listed(done)
    assert sent(empty, view, go="slett-ja").status_code == 303
    assert sent(empty, view, go="slett").status_code == 303, "deleted twice is deleted"


def test_reloading_an_answer_about_a_view_leads_to_the_list_of_them(empty: House) -> None:
    assert empty.client("kari.oslo").get(f"{PAGE}/{NOBODYS}").headers["Location"] == PAGE


def test_another_users_view_is_none(empty: House) -> None:
    save(empty, "Siris", username="siri.vern")
    theirs = id_of(empty, "Siris")
    assert listed(empty.client("kari.oslo").get(PAGE)) == []
    for view in (theirs, NOBODYS):
        for values in ({"go": "navn", "navn": "Mitt"}, {"go": "navn", "navn": ""}, {"go": "start"}):
            assert sent(empty, view, **values).status_code == 404, values
        for button in ("slett", "slett-ja"):
            assert sent(empty, view, go=button).status_code == 303, "gone for her in any case"
    assert views(empty, "siri.vern") == [("Siris", QUERY, False)]
    assert sent(empty, theirs, go="ikke-start").status_code == 303
    assert sent(empty, theirs, go="noe").status_code == 400
    assert sent(empty, theirs).status_code == 400


def test_a_start_view_of_hers_stays_when_she_tries_anothers(empty: House) -> None:
    save(empty, "Siris", username="siri.vern")
    save(empty, "Mine")
    press(empty, id_of(empty, "Mine"), "Bruk som startvisning")
    assert sent(empty, id_of(empty, "Siris"), go="start").status_code == 404
    assert views(empty) == [("Mine", QUERY, True)]


# ---- The start view ----


def begins_with(house: House, username: str = "kari.oslo") -> str:
    """The destination of `/` and of signing in, which is the same."""
    there = house.client(username).get("/").headers["Location"]
    fresh: CheckedClient = house.nobody()
    fill = {"Brukernavn": username, "Passord": "demo-passord-2026"}
    assert fresh.submit(fresh.get("/logg-inn"), button="Logg inn", fill=fill).headers["Location"] == there
    return there


def test_the_start_view_is_where_she_begins(empty: House) -> None:
    assert begins_with(empty) == "/deltakere"
    save(empty, "Mine")
    save(empty, "Andre", "status=opprettet")
    assert begins_with(empty) == "/deltakere"
    press(empty, id_of(empty, "Mine"), "Bruk som startvisning")
    assert begins_with(empty) == f"/deltakere?{QUERY}"
    assert begins_with(empty, "siri.vern") == "/deltakere"
    press(empty, id_of(empty, "Andre"), "Bruk som startvisning")
    assert views(empty) == [("Andre", "status=opprettet", True), ("Mine", QUERY, False)], "one at a time"
    assert begins_with(empty) == "/deltakere?status=opprettet"
    press(empty, id_of(empty, "Andre"), "Ikke begynn med denne")
    assert begins_with(empty) == "/deltakere"


@pytest.mark.parametrize("query", ["bydel=030101", "sorter=bydel"])
def test_a_view_with_what_she_has_lost_is_the_whole_list_in_words(empty: House, query: str) -> None:
    """A user moves from Oslo to another municipality: a view by bydel can no longer be used."""
    (row,) = empty.ask(select(User.id).where(User.username == "berit.bergen"))
    view = {"id": NOBODYS, "user_id": row.id, "name": "Min bydel", "name_key": "x", "query": query, "is_start": True}
    empty.write(insert(SavedView).values(view))
    client = empty.client("berit.bergen")
    for address in ("/", f"/deltakere?{query}"):
        page = client.get(address, follow_redirects=True)
        assert page.status_code == 200
        assert "Visningen «Min bydel» har et filter eller en sortering som du ikke har lenger." in text_of(page)
        assert Screen(client, page).ids
    assert client.get(f"/deltakere?{query}&side=2").status_code == 400, "what is no view of hers is refused"
    assert empty.client("anne.tokommuner").get(f"/deltakere?{query}").status_code == 400


def test_a_start_view_that_is_deleted_is_forgotten(empty: House) -> None:
    save(empty, "Mine")
    press(empty, id_of(empty, "Mine"), "Bruk som startvisning")
    remove(empty, id_of(empty, "Mine"))
    assert begins_with(empty) == "/deltakere"


def test_signing_in_to_an_address_goes_there_all_the_same(empty: House) -> None:
    save(empty, "Mine")
    press(empty, id_of(empty, "Mine"), "Bruk som startvisning")
    fresh = empty.nobody()
    page = fresh.get("/deltakere?sorter=navn", follow_redirects=True)
    fill = {"Brukernavn": "kari.oslo", "Passord": "demo-passord-2026"}
    assert fresh.submit(page, button="Logg inn", fill=fill).headers["Location"] == "/deltakere?sorter=navn"


# ---- With a search ----


def test_a_view_with_a_search_lives_as_long_as_the_search(empty: House) -> None:
    search = asked_whole(empty, "kari.oslo", {"q": "kari, a", "status": "endret"})
    query = query_of(search)
    save(empty, "Mitt søk", query)
    press(empty, id_of(empty, "Mitt søk"), "Bruk som startvisning")
    client = empty.client("kari.oslo")
    assert chips_of(Screen(client, client.get("/", follow_redirects=True)))[:2] == ["Søk kari", "Søk a"]
    searches.recalled_on.cache_clear()
    empty.write(update(Search).values(used_on=today() - timedelta(days=31)))
    after = Screen(client, client.get("/", follow_redirects=True))
    assert "Søket finnes ikke lenger" in after.text
    assert chips_of(after) == ["Status Endret"]
    assert ids_on_all_pages(after) == ids_on_all_pages(asked(empty, "kari.oslo", {"status": "endret"}))
    assert listed(client.get(PAGE)) == ["Mitt søk"]


def test_a_view_holds_nothing_personal(empty: House) -> None:
    search = asked_whole(empty, "kari.oslo", {"q": "nordmann, 01019912345", "endret-av": "per.oslo"})
    save(empty, "Mitt søk", query_of(search))
    ((_name, query, _start),) = views(empty)
    assert query == query_of(search)
    assert not any(value in query for value in ("nordmann", "0101", "per"))


def test_saving_needs_a_list_that_can_be_read(empty: House) -> None:
    client = empty.client("kari.oslo")
    for shown in ("sorter=nei", "ukjent=1", "kommune=9999"):
        data = form_data(empty, "kari.oslo", {"navn": "Mine"}, shown)
        assert client.post(PAGE, data=data).status_code == 400
        assert client.get(f"{PAGE}?{shown}").status_code == 400
    data = form_data(empty, "kari.oslo", {"navn": "Mine"}, "oppstart-fra=tull&status=endret")
    assert client.post(PAGE, data=data).status_code == 303
    assert views(empty) == [("Mine", "status=endret", False)]
    assert empty.ask(select(func.count()).select_from(SavedView))[0][0] == 1
