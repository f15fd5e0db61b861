"""Signing in and out, and sessions: in the database, under random keys."""

import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update
from werkzeug.test import TestResponse

from app.accounts.blueprint import own_address
from services.access.audit import Action
from services.accounts.sign_in import ABSOLUTE, ANONYMOUS, IDLE
from services.core.db import now
from services.demo import PASSWORD
from services.standins.keys import load_or_create_key
from services.tables.accounts import RoleGrant, User, UserSession
from services.tables.participants import AccessEntry
from tests.support.client import CheckedClient, form_in, text_of
from tests.support.databases import running_app
from tests.support.house import House
from tests.support.visits import key_of, visit

WRONG = "Brukernavnet eller passordet er feil."


def log_of(house: House, *, after: int = 0) -> list[tuple[str, str | None]]:
    """Actions and user names of the access log, without views, which are written in the background."""
    entries = select(AccessEntry.action, User.username).outerjoin(User, User.id == AccessEntry.user_id)
    entries = entries.where(AccessEntry.action != Action.VIEW)
    return [tuple(row) for row in house.ask(entries.order_by(AccessEntry.id))][after:]


def try_to(client: CheckedClient, username: str, password: str) -> TestResponse:
    """Send the sign-in form."""
    fill = {"Brukernavn": username, "Passord": password}
    return client.submit(client.get("/logg-inn"), button="Logg inn", fill=fill)


def test_in_and_out_again(own_house: House) -> None:
    client, before = own_house.nobody(), len(log_of(own_house))
    page = client.login(" Kari.Oslo ")
    assert page.request.path == "/deltakere"
    assert "Kari Østlie" in text_of(page)
    assert "Oslo" in text_of(page)
    key = key_of(client)
    assert visit(own_house, key).user_id is not None
    assert text_of(client.logout()).count("Logg inn") > 0
    assert visit(own_house, key) is None, "the visit has ended in the database, not only in the browser"
    assert client.get("/deltakere").status_code == 303
    client.set_cookie("session", str(key))
    assert client.get("/deltakere").status_code == 303, "the old key opens nothing"
    assert log_of(own_house, after=before) == [("sign_in", "kari.oslo"), ("sign_out", "kari.oslo")]


def test_everyone_lands_where_she_works(own_house: House) -> None:
    names = {"anne.tokommuner": ("/deltakere", "Askøy, Bergen"), "admin.bergen": ("/brukere", "Bergen")}
    for username, (path, places) in names.items():
        page = own_house.client(username).get("/", follow_redirects=True)
        assert page.request.path == path
        assert places in text_of(page)
    again = own_house.client("admin.bergen").get("/logg-inn")
    assert (again.status_code, again.headers["Location"]) == (303, "/brukere")


ODD = ("kari.oslo\0", "\x00\x01\x1f\x7f", "kari.oslo'--", "%", "k" * 5000, "\ufffe\ufffd", "", "<b>kari</b>")


def test_whoever_is_refused_hears_the_same(own_house: House) -> None:
    own_house.write(update(User).where(User.username == "siri.vern").values(blocked_at=now()))
    tries = [("kari.oslo", "feil"), ("finnes.ikke", PASSWORD), ("siri.vern", PASSWORD), ("kari.oslo", "")]
    tries += [("kari.oslo", "\0" + PASSWORD), ("kari.oslo", PASSWORD + "x" * 5000)]
    tries += [(name, PASSWORD) for name in ODD]
    client, heard = own_house.nobody(), set()
    page = client.get("/logg-inn")
    for username, password in tries:
        answer = client.submit(page, button="Logg inn", fill={"Brukernavn": username, "Passord": password})
        assert answer.status_code == 422
        assert WRONG in text_of(answer)
        assert PASSWORD not in answer.text
        heard.add(re.sub(r'(name="(csrf_token|page_token|username)"[^>]*) value="[^"]*"', r"\1", answer.text))
    assert client.get("/").status_code == 303
    assert visit(own_house, key_of(client)).user_id is None
    assert len(heard) == 1
    assert form_in(try_to(client, "kari.oslo", "feil")).value("Brukernavn") == "kari.oslo"
    own_house.write(update(User).where(User.username == "siri.vern").values(blocked_at=None))


def test_a_refusal_is_logged_without_what_was_typed(own_house: House, caplog: pytest.LogCaptureFixture) -> None:
    before = len(log_of(own_house))
    with caplog.at_level(logging.DEBUG):
        try_to(own_house.nobody(), "kari.oslo", "hemmelig-ord")
        try_to(own_house.nobody(), "hemmelig.navn", "hemmelig-ord")
    assert log_of(own_house, after=before) == [("sign_in_failed", "kari.oslo"), ("sign_in_failed", None)]
    assert "hemmelig" not in caplog.text
    failed = own_house.ask(select(AccessEntry.detail).where(AccessEntry.action == "sign_in_failed"))
    assert all(row.detail in (None, {"why": "blocked"}) for row in failed)


def test_as_a_fragment(own_house: House) -> None:
    client = own_house.nobody()
    form = client.get("/logg-inn")
    wrong = client.submit(form, button="Logg inn", fill={"Brukernavn": "kari.oslo", "Passord": "feil"}, partial=True)
    assert wrong.status_code == 422
    assert WRONG in text_of(wrong)
    assert "<!doctype" not in wrong.text
    fill = {"Brukernavn": "kari.oslo", "Passord": PASSWORD}
    right = client.submit(wrong, button="Logg inn", fill=fill, extra={"neste": "/deltakere/ny"}, partial=True)
    assert (right.status_code, right.headers["HX-Redirect"]) == (204, "/deltakere/ny")


# ---- The key ----


def test_signing_in_gives_a_new_key(own_house: House) -> None:
    client = own_house.nobody()
    client.set_cookie("session", "chosen-by-somebody-else")
    client.get("/logg-inn")
    anonymous = key_of(client)
    assert anonymous != "chosen-by-somebody-else"
    assert visit(own_house, "chosen-by-somebody-else") is None
    assert visit(own_house, anonymous).user_id is None
    client.login("berit.bergen")
    first = key_of(client)
    assert first != anonymous
    assert visit(own_house, anonymous) is None
    token = str(form_in(client.get("/hjelp"), button="Logg ut").value("csrf_token"))
    client.post("/logg-inn", data={"csrf_token": token, "username": "kari.oslo", "password": PASSWORD})
    assert key_of(client) != first
    assert visit(own_house, first) is None, "signing in as another ends the visit of the first"
    assert "Kari Østlie" in text_of(client.get("/deltakere"))


def test_the_key_is_long_and_stored_as_a_digest(own_house: House) -> None:
    key = key_of(own_house.client("kari.oslo"))
    assert key is not None
    assert len(key) >= 43  # 32 bytes
    stored = own_house.ask(select(UserSession))
    assert key not in str([(row[0].key_hash, row[0].data) for row in stored])


def cookies_set(answer: TestResponse) -> list[dict[str, str]]:
    """Each cookie that is set: name and value as «name», and its attributes."""
    found = []
    for header in answer.headers.get_all("Set-Cookie"):
        first, *rest = (part.strip().partition("=") for part in header.split(";"))
        found.append({"name": first[0], "value": first[2]} | {one[0].lower(): one[2] for one in rest})
    return found


def test_the_cookie(own_house: House) -> None:
    client = own_house.nobody()
    (cookie,) = cookies_set(client.get("/logg-inn"))
    assert cookie == {"name": "session", "value": key_of(client), "httponly": "", "samesite": "Lax", "path": "/"}
    assert not cookies_set(client.get("/logg-inn")), "it is set once"
    assert not cookies_set(client.get("/hjelp"))
    (gone,) = cookies_set(own_house_sign_out(own_house))
    assert (gone["name"], gone["value"], gone["max-age"], gone["path"]) == ("session", "", "0", "/")


def own_house_sign_out(house: House) -> TestResponse:
    client = house.nobody()
    client.login("kari.oslo")
    return client.submit(client.get("/hjelp"), button="Logg ut")


@pytest.fixture
def production(databases: Any, settings: dict[str, str], tmp_path: Path) -> Iterator[CheckedClient]:
    """The program as in production, over https; without calls to Folkeregisteret and PAD."""
    load_or_create_key(tmp_path / "key.pem")
    address = databases.migrated("sqlite")
    more = {
        "APP_ENV": "production",
        "TRUSTED_PROXIES": "0",
        "DATABASE_URL": address,
        "MASKINPORTEN_KEY_FILE": str(tmp_path / "key.pem"),
    }
    more |= {"MAIL_URL": "smtp://mail.example.org", "PUBLIC_URL": "https://register.example.org"}
    outside = dict.fromkeys(("FREG_URL", "MASKINPORTEN_URL", "PAD_URL"), "https://register.example.org")
    with running_app({**settings, **more, **outside}) as app:
        app.test_client_class = CheckedClient
        client = app.test_client()
        assert isinstance(client, CheckedClient)
        yield client
    databases.remove(address)


def test_the_cookie_in_production(production: CheckedClient) -> None:
    answer = production.get("/logg-inn", base_url="https://localhost")
    (cookie,) = cookies_set(answer)
    assert cookie == {
        "name": "__Host-session",
        "value": key_of(production, "__Host-session"),
        "secure": "",
        "httponly": "",
        "samesite": "Lax",
        "path": "/",
    }
    assert "max-age=63072000" in answer.headers["Strict-Transport-Security"]


# ---- The visit ends ----


def set_back(house: House, client: CheckedClient, **columns: timedelta) -> None:
    """Make the client's session older."""
    one = visit(house, key_of(client))
    values = {name: getattr(one, name) - by for name, by in columns.items()}
    house.write(update(UserSession).where(UserSession.key_hash == one.key_hash).values(**values))


SHORT = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("columns", "stays"),
    [
        ({"seen_at": IDLE - SHORT}, True),
        ({"seen_at": IDLE + SHORT}, False),
        ({"created_at": ABSOLUTE - SHORT}, True),
        ({"created_at": ABSOLUTE + SHORT}, False),
    ],
)
def test_idle_and_in_all(own_house: House, columns: dict[str, timedelta], stays: bool) -> None:
    client = own_house.nobody()
    client.login("kari.oslo")
    set_back(own_house, client, **columns)
    token = str(visit(own_house, key_of(client)).data["csrf_token"])
    assert client.get("/deltakere").status_code == (200 if stays else 303)
    if stays:
        assert now() - visit(own_house, key_of(client)).seen_at < timedelta(seconds=30), "seen just now"
    else:
        assert client.get_partial("/deltakere").status_code == 401
        assert client.post_partial("/forleng", {"csrf_token": token}).status_code == 401


def test_a_form_before_sign_in_lives_for_an_hour(own_house: House) -> None:
    client = own_house.nobody()
    client.get("/logg-inn")
    old = key_of(client)
    set_back(own_house, client, created_at=ANONYMOUS + SHORT)
    client.get("/logg-inn")
    assert key_of(client) != old


def test_visits_that_ended_by_themselves_are_cleared_away(own_house: House) -> None:
    idle, other = own_house.nobody(), own_house.nobody()
    idle.get("/logg-inn")
    set_back(own_house, idle, seen_at=IDLE + SHORT)
    old = key_of(idle)
    other.login("kari.oslo")
    assert visit(own_house, old) is None


def test_whoever_is_blocked_is_out_at_once(own_house: House) -> None:
    client = own_house.nobody()
    client.login("siri.vern")
    assert client.get("/deltakere").status_code == 200
    one = update(User).where(User.username == "siri.vern")
    own_house.write(one.values(blocked_at=now()))
    assert client.get("/deltakere").status_code == 303
    assert client.get_partial("/deltakere").status_code == 401
    own_house.write(one.values(blocked_at=None))


def test_a_right_that_is_taken_away_is_gone_at_once(own_house: House) -> None:
    client = own_house.client("kari.oslo")
    assert client.get("/deltakere").status_code == 200
    mine = RoleGrant.user_id == select(User.id).where(User.username == "kari.oslo").scalar_subquery()
    (row,) = own_house.ask(select(RoleGrant.user_id, RoleGrant.role, RoleGrant.municipality_number).where(mine))
    own_house.write(delete(RoleGrant).where(mine))
    assert client.get("/deltakere").status_code == 403
    own_house.write(insert(RoleGrant).values(**row._asdict()))
    assert client.get("/deltakere").status_code == 200


def test_another_browser_goes_on(own_house: House) -> None:
    one, other = own_house.nobody(), own_house.nobody()
    one.login("berit.bergen")
    other.login("berit.bergen")
    one.logout()
    assert other.get("/deltakere").status_code == 200


def test_sign_out_is_a_post_with_a_token(own_house: House) -> None:
    client = own_house.client("berit.bergen")
    assert client.get("/logg-ut").status_code == 405
    assert client.post("/logg-ut").status_code == 400
    assert client.get("/deltakere").status_code == 200


# ---- Tokens and addresses ----


@pytest.mark.parametrize("token", [[], "", "feil"])
def test_the_form_needs_its_token(own_house: House, token: Any) -> None:
    client = own_house.nobody()
    fill = {"Brukernavn": "kari.oslo", "Passord": PASSWORD}
    answer = client.submit(
        client.get("/logg-inn"), button="Logg inn", fill=fill, extra={"csrf_token": token, "page_token": token}
    )
    assert answer.status_code == 400
    assert client.get("/deltakere").status_code == 303


def test_back_to_where_she_was(own_house: House) -> None:
    client = own_house.nobody()
    asked = "/deltakere?sorter=navn&retning=synkende&side=1"
    page = client.get(asked, follow_redirects=True)
    assert page.request.path == "/logg-inn"
    fill = {"Brukernavn": "kari.oslo", "Passord": "feil"}
    wrong = client.submit(page, button="Logg inn", fill=fill)
    answer = client.submit(wrong, button="Logg inn", fill={"Passord": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (303, asked)


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_never_to_somebody_elses_address(house: House, elsewhere: str) -> None:
    client = house.nobody()
    page = client.get(f"/logg-inn?neste={quote(elsewhere)}")
    answer = client.submit(page, button="Logg inn", fill={"Brukernavn": "kari.oslo", "Passord": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/deltakere")


pieces = st.sampled_from(
    [
        "/",
        "\\",
        "//",
        "evil.example",
        "@",
        ":",
        "http",
        "javascript",
        "\t",
        "\n",
        "\r",
        " ",
        ".",
        "..",
        "%2f",
        "%09",
        "\u3002",
        "\uff0f",
        "?",
        "#",
        "\0",
    ]
)


@given(st.lists(pieces, max_size=8).map("".join) | st.text(max_size=12))
def test_an_address_to_go_on_to_is_one_of_ours(target: str) -> None:
    r"""Browsers remove tabs and line breaks anywhere, blanks at the ends, and take \\ for / (WHATWG URL)."""
    chosen = own_address(target)
    as_browser = re.sub(r"[\t\n\r]", "", chosen).strip("\0 ").replace("\\", "/")
    goal = urlsplit(urljoin("https://register.example.org/logg-inn", as_browser))
    assert (goal.scheme, goal.netloc) == ("https", "register.example.org")
    assert not re.search(r"[\x00-\x1f\x7f]", chosen)
    assert chosen in {"", target}


def test_a_long_or_odd_address_is_forgotten(house: House) -> None:
    for odd in ("/" + "a" * 3000, "/%EF%BF%BE", "/a%0D%0ASet-Cookie:b", ""):
        assert form_in(house.nobody().get(f"/logg-inn?neste={odd}")).value("neste") == ""


def test_who_signs_in_for_a_file_comes_to_the_page_that_it_hangs_on(house: House) -> None:
    """A file would leave the sign-in page on screen."""
    client = house.nobody()
    for file, page in (("oversikt.csv", "/deltakere"), ("fullt-datasett.xlsx", "/deltakere")):
        answer = client.get(f"/deltakere/{file}?status=endret&sorter=navn", follow_redirects=True)
        fill = {"Brukernavn": "kari.oslo", "Passord": "demo-passord-2026"}
        landed = client.submit(answer, button="Logg inn", fill=fill)
        assert landed.headers["Location"] == f"{page}?status=endret&sorter=navn"
        client.submit(client.get("/hjelp"), button="Logg ut")
