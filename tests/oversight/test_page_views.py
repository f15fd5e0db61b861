"""Pages that show participants are logged with a line each, and their number per hour is limited."""

import os
import re
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from sqlalchemy import event, insert, select, text

from app.web.page_views import end_shown
from services.access.page_views import PATIENCE, ViewLog
from services.core.db import db, now
from services.tables.participants import AccessEntry, Participation
from tests.support.access_log import person_id_of, rows_of, search
from tests.support.client import CheckedClient, htmx_headers, text_of
from tests.support.databases import DIALECTS, Databases, running_app
from tests.support.house import IS_OPEN, IS_PLAIN, House, of_places, running_house
from tests.support.overview_asking import asked, at, query_of
from tests.support.server import running_server
from tests.support.users import id_of

MANY, PAGES = 1_600, 14
_P = Participation


def log_of(house: House) -> ViewLog:
    log: ViewLog = house.app.extensions["view_log"]
    return log


def lines_of(house: House, username: str, action: str = "view") -> list[Any]:
    """The lines of a user, oldest first."""
    log_of(house).write()
    mine = (AccessEntry.user_id == id_of(house, username), AccessEntry.action == action)
    return house.ask(select(AccessEntry.__table__).where(*mine).order_by(AccessEntry.id))


@pytest.fixture(scope="module", params=DIALECTS)
def full_house(request: pytest.FixtureRequest, databases: Databases, settings: dict[str, str]) -> Iterator[House]:
    with running_house(request.param, databases, settings, MANY) as made:
        yield made


@pytest.mark.parametrize("size", [50, 100])
def test_who_leafs_through_the_register_leaves_a_line_for_each_page(full_house: House, size: int) -> None:
    client, on_screen = full_house.client("ida.imdi"), []
    order = f"status=opprettet&status=endret&status=avsluttet&status=utskrevet&antall={size}"
    before = len(lines_of(full_house, "ida.imdi"))
    for page in range(1, PAGES + 1):
        answer = client.get(f"/deltakere?{order}&side={page}")
        on_screen.append(set(re.findall(r"/deltakere/([A-Za-z0-9_-]{16})/", answer.text)))
    public = {row.id: row.public_id for row in full_house.ask(select(_P.id, _P.public_id))}
    lines = lines_of(full_house, "ida.imdi")[before:]
    assert [{public[one] for one in line.detail["shown"]} for line in lines] == on_screen
    assert [len(one) for one in on_screen] == [size] * PAGES
    assert len(set().union(*on_screen)) == size * PAGES
    assert [line.detail["order"] for line in lines[:2]] == [order, f"{order}&side=2"]


def test_the_list_costs_one_statement_for_it_and_writes_nothing_itself(full_house: House) -> None:
    """Not counting the log's thread."""
    client, mine = full_house.client("ida.imdi"), threading.get_ident()
    with full_house.app.app_context():
        engine, statements = db.engine, list[str]()

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if threading.get_ident() == mine:
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        for headers in ({}, htmx_headers()):
            for page in (1, 2):
                statements.clear()
                assert client.get(f"/deltakere?antall=100&side={page}", headers=headers).status_code == 200
                of_log = [one for one in statements if "access_entry" in one or "shown_in" in one]
                assert len(of_log) == 1, statements
                assert of_log[0].startswith("SELECT")
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_every_way_to_see_the_list_leaves_one_line(own_house: House) -> None:
    """The line has the criteria, but not the search."""
    client = own_house.client("kari.oslo")
    name = own_house.ask(select(_P.name).where(of_places("kari.oslo"), IS_OPEN, IS_PLAIN))[0].name
    before = len(lines_of(own_house, "kari.oslo"))
    client.get("/deltakere?status=endret&sorter=navn")
    client.get("/deltakere?side=2", headers=htmx_headers())
    lines = lines_of(own_house, "kari.oslo")[before:]
    assert [line.detail.get("order") for line in lines] == ["status=endret&sorter=navn", "side=2"]
    screen = asked(own_house, "kari.oslo", {"q": name})
    at(own_house, "kari.oslo", query_of(screen))
    lines = lines_of(own_house, "kari.oslo")[before:]
    assert [line.detail["order"] for line in lines[-2:]] == [query_of(screen)] * 2
    assert query_of(screen).startswith("sok=")
    assert all(line.detail["shown"] and line.participation_ref is None for line in lines)
    assert name not in str(lines)


def test_the_page_for_deleting_leaves_a_line_about_the_participant(own_house: House) -> None:
    client = own_house.client("berit.bergen")
    (found,) = own_house.ask(select(_P.id, _P.public_id).where(of_places("berit.bergen"), IS_OPEN, IS_PLAIN).limit(1))
    before = len(lines_of(own_house, "berit.bergen"))
    client.get(f"/deltakere/{found.public_id}/slett")
    client.get(f"/deltakere/{found.public_id}/slett/bekreft")
    lines = lines_of(own_house, "berit.bergen")[before:]
    assert [(line.participation_ref, line.detail["what"]) for line in lines] == [(found.id, "delete")] * 2


def test_who_saw_whom_is_found_by_the_participant(own_house: House) -> None:
    own_house.client("ida.imdi").get("/deltakere?antall=100")
    shown = lines_of(own_house, "ida.imdi")[-1].detail["shown"]
    public_id = own_house.ask(select(_P.public_id).where(_P.id == shown[-1]))[0].public_id
    number = person_id_of(own_house, public_id)
    admin = own_house.client("admin.imdi")
    page = search(admin, whom=number, action="view")
    first = rows_of(page)[0]
    assert first[1:3] == ["ida.imdi", "Så deltakere"]
    assert f"deltakere på siden: {len(shown)} (" in first[5]
    assert f"og {len(shown) - 25} til" in first[5]
    assert number in admin.follow(page, "Last ned som CSV").get_data(as_text=True)


def test_whoever_does_not_see_the_protected_does_not_see_that_they_were_shown(own_house: House) -> None:
    hidden = own_house.ask(select(_P.id, _P.person_id).where(of_places("siri.vern"), IS_OPEN, ~IS_PLAIN))[0]
    line = {"at": now(), "user_id": id_of(own_house, "siri.vern"), "action": "view"}
    own_house.write(insert(AccessEntry).values(**line, detail={"what": "list", "shown": [hidden.id]}))
    admin = own_house.client("admin.imdi")
    assert hidden.person_id not in admin.get("/tilgangslogg?handling=view").text
    assert hidden.person_id not in admin.get("/tilgangslogg.csv?handling=view").get_data(as_text=True)
    assert "deltakere på siden: 0" in rows_of(admin.get("/tilgangslogg?handling=view"))[0][5]


def test_the_log_is_searched_by_its_indexes(own_house: House) -> None:
    """A page of a participant's lines does not scan all lines."""
    sql = (
        "SELECT id FROM access_entry WHERE id IN (SELECT id FROM access_entry WHERE participation_ref = 1 "
        "UNION SELECT line FROM shown_in WHERE participation_ref = 1) ORDER BY id DESC LIMIT 101"
    )
    is_sqlite = "sqlite" in own_house.app.config["SQLALCHEMY_DATABASE_URI"]
    with own_house.app.app_context():
        filler = [{"at": now(), "user_id": 1, "action": "open", "participation_ref": n} for n in range(10, 5_000)]
        own_house.write(insert(AccessEntry).values(filler[:2_000]), insert(AccessEntry).values(filler[2_000:]))
        if not is_sqlite:
            own_house.write(text("ANALYZE access_entry"), text("ANALYZE shown_in"))
    plan = str(own_house.ask(text(("EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN ") + sql)))
    assert "SCAN access_entry" not in plan
    assert "Seq Scan on access_entry" not in plan


# ---- When they cannot be written ----


def test_lists_are_closed_after_a_minute_without_the_log_and_open_again_by_themselves(own_house: House) -> None:
    client, log = own_house.client("anne.tokommuner"), log_of(own_house)
    before, clock, moment = len(lines_of(own_house, "anne.tokommuner")), log.clock, log.clock()
    log.clock = lambda: moment
    own_house.write(text("ALTER TABLE shown_in RENAME TO gone"))
    try:
        assert client.get("/deltakere").status_code == 200
        moment += PATIENCE - 1
        assert client.get("/deltakere").status_code == 200
        moment += 1
        for headers in ({}, htmx_headers()):
            closed = client.get("/deltakere", headers=headers)
            assert closed.status_code == 503
            assert "Deltakerne kan ikke vises akkurat nå" in text_of(closed)
        assert client.get("/hjelp").status_code == 200
    finally:
        own_house.write(text("ALTER TABLE gone RENAME TO shown_in"))
        log.write()
        log.clock = clock
    assert client.get("/deltakere").status_code == 200
    lines = lines_of(own_house, "anne.tokommuner")[before:]
    assert len(lines) == 3, "what had been shown is logged, each page once"
    assert [line.detail.get("late") for line in lines] == [60, 1, None] or lines[0].detail["late"] >= 60


# ---- Hourly limit ----


@pytest.fixture(params=DIALECTS)
def strict(request: pytest.FixtureRequest, databases: Databases, settings: dict[str, str]) -> Iterator[House]:
    """A house without a setting for the number of pages, so that it is 300."""
    given = {name: value for name, value in settings.items() if name != "LIST_PAGES_PER_HOUR"}
    with running_house(request.param, databases, given, 40) as made:
        yield made


def earlier(house: House, number: int, age: timedelta) -> None:
    """Add views of another process."""
    line = {"user_id": id_of(house, "kari.oslo"), "action": "view", "detail": {"what": "list", "shown": [1]}}
    house.write(insert(AccessEntry).values([{**line, "at": now() - age} for _one in range(number)]))


def test_more_than_300_pages_in_an_hour_are_slowed_and_reported(strict: House) -> None:
    kari = strict.client("kari.oslo")
    earlier(strict, 297, timedelta(minutes=30))  # one more has come with signing in
    for _page in range(2):
        assert kari.get("/deltakere").status_code == 200
    for headers in ({}, htmx_headers(), {}):
        refused = kari.get("/deltakere", headers=headers)
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["Retry-After"]) <= 13
        assert "uvanlig mange sider" in text_of(refused)
    assert strict.client("berit.bergen").get("/deltakere").status_code == 200, "each user by themselves"
    assert kari.get("/hjelp").status_code == 200
    assert len(lines_of(strict, "kari.oslo")) == 300, "what was not shown is not logged as shown"
    (report,) = lines_of(strict, "kari.oslo", "many_views")
    assert report.detail["number"] >= 300
    assert rows_of(strict.client("admin.imdi").get("/tilgangslogg?handling=many_views"))[0][1:3] == [
        "kari.oslo",
        "Åpnet uvanlig mange sider",
    ]


def test_the_next_page_comes_after_twelve_seconds(strict: House) -> None:
    earlier(strict, 400, timedelta(seconds=13))
    kari = strict.nobody()
    assert kari.login("kari.oslo").request.path == "/deltakere"
    assert kari.get("/deltakere").status_code == 429


def test_two_processes_show_no_more_than_their_waiting_lines_beyond_it(
    dialect: str, databases: Databases, settings: dict[str, str]
) -> None:
    """Four windows of one user at two processes, as fast as they can: 50 lines may wait in the other process, and
    running requests are no longer refused. Afterwards both know all views."""
    most, windows, waiting = 80, 4, 50
    address = databases.filled(dialect, 40)
    mine = {**settings, "DATABASE_URL": address, "LIST_PAGES_PER_HOUR": str(most)}
    with running_server(mine, workers=2) as server:
        headers, place = {"Cookie": _signed_in(server.base_url)}, urlsplit(server.base_url)

        def leaf(_window: int) -> int:
            for number in range(most + waiting + windows):
                with closing(HTTPConnection(str(place.hostname), place.port, timeout=60)) as connection:
                    connection.request("GET", "/deltakere", headers=headers)
                    answer = connection.getresponse()
                    answer.read()
                if answer.status == 429:
                    return number
                assert answer.status == 200
            return most + waiting + windows

        with ThreadPoolExecutor(windows) as pool:
            shown = sum(pool.map(leaf, range(windows)))
        assert shown <= most + waiting + windows
    with running_app(mine) as app:
        app.test_client_class = CheckedClient
        house = House(app)
        assert len(house.ask(select(AccessEntry.id).where(AccessEntry.action == "view"))) == shown >= most
        assert house.client("kari.oslo").get("/deltakere").status_code == 429
    databases.remove(address)


def test_a_process_keeps_no_more_than_50_lines_of_a_user(own_house: House) -> None:
    """While they cannot be written, the next page is not shown."""
    log, client, who = log_of(own_house), own_house.client("anne.tokommuner"), id_of(own_house, "anne.tokommuner")
    own_house.client("ida.imdi")
    before = len(lines_of(own_house, "anne.tokommuner"))
    own_house.write(text("ALTER TABLE shown_in RENAME TO gone"))
    try:
        assert {client.get("/deltakere").status_code for _page in range(50)} == {200}
        assert client.get("/deltakere").status_code == 503
        assert own_house.client("ida.imdi").get("/deltakere").status_code == 200, "each user by themselves"
        assert log.waiting_of(who) == 50
    finally:
        own_house.write(text("ALTER TABLE gone RENAME TO shown_in"))
    assert client.get("/deltakere").status_code == 200
    assert len(lines_of(own_house, "anne.tokommuner")) == before + 51


def test_after_an_hour_they_do_not_count(strict: House) -> None:
    earlier(strict, 400, timedelta(minutes=61))
    kari = strict.client("kari.oslo")
    assert [kari.get("/deltakere").status_code for _page in range(2)] == [200, 200]


# ---- When the program ends ----


def test_nothing_is_lost_when_the_program_is_told_to_end(
    dialect: str, databases: Databases, settings: dict[str, str]
) -> None:
    address = databases.filled(dialect, 40)
    with running_app({**settings, "DATABASE_URL": address}) as app:
        with running_server({**settings, "DATABASE_URL": address}, workers=2) as server:
            cookie = _signed_in(server.base_url)
            place = urlsplit(server.base_url)
            with closing(HTTPConnection(str(place.hostname), place.port, timeout=60)) as connection:
                for _page in range(30):
                    connection.request("GET", "/deltakere", headers={"Cookie": cookie})
                    answer = connection.getresponse()
                    answer.read()
                    assert answer.status == 200
                os.kill(server.process_id, signal.SIGTERM)
        found = House(app).ask(select(AccessEntry.id).where(AccessEntry.action == "view"))
        assert len(found) == 30
    databases.remove(address)


def _signed_in(base_url: str) -> str:
    place = urlsplit(base_url)
    connection = HTTPConnection(str(place.hostname), place.port, timeout=60)
    connection.request("GET", "/logg-inn")
    answer = connection.getresponse()
    page, cookie = answer.read().decode(), (answer.getheader("Set-Cookie") or "").partition(";")[0]
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    form = {"csrf_token": token[1], "username": "kari.oslo", "password": "demo-passord-2026", "slutt": "1"}
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    connection.request("POST", "/logg-inn", urlencode(form), headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 303
    set_now = [line.partition(";")[0] for line in answer.headers.get_all("Set-Cookie") or ()]
    return next(one for one in set_now if one.startswith("session="))


def test_what_waits_is_written_when_a_program_ends_before_its_process(
    dialect: str, databases: Databases, settings: dict[str, str]
) -> None:
    with running_house(dialect, databases, settings, 40) as house:
        house.client("kari.oslo").get("/deltakere")
        end_shown(house.app)
        assert len(house.ask(select(AccessEntry.id).where(AccessEntry.action == "view"))) >= 1
