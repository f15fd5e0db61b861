"""Pages and their fragments, and the headers of every kind of response.

The test client itself checks Vary, Cache-Control and the security headers of each response; here every kind of response
passes through it once.
"""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from app.web.access import signed_in
from app.web.responses import MAX_BODY, SECURITY_HEADERS, redirect_to
from services.core.db import db
from services.tables.participants import Participation
from tests.support.addresses import get_addresses
from tests.support.client import CheckedClient, form_in, htmx_headers, text_of, tree_of
from tests.support.databases import Databases
from tests.support.house import IS_OPEN, IS_PLAIN, House, of_places, running_house
from tests.support.html_checks import HtmlTree

RETARGETED = {"HX-Retarget": "#varsler", "HX-Reswap": "innerHTML", "HX-Push-Url": "false"}
USERS = ("kari.oslo", "admin.bergen", "ida.imdi", "admin.imdi", None)

# Parts that differ between any two responses, and parts that only fragments have.
_PASSING = re.compile(r'(?<=value=")[^"]*(?=" autocomplete="off")')
_TITLE = re.compile(r"\A\s*<title>[^<]*</title>")
_ELSEWHERE = re.compile(r'<hx-partial data-hx-target="#(?!versjon)[^>]*>(.*?)</hx-partial>', re.S)
_SAID = re.compile(r'<div id="statuslinje"[^>]*>[^<]*</div>\s*\Z')
# A confirmation is in a dialog or on a page of its own: another heading level, another way to cancel.
_LEVEL = re.compile(r"(?<=<h)[12]|(?<=</h)[12]")
_CANCEL = re.compile(
    r'<form method="dialog">.*?</form>|<a [^>]*>Avbryt</a>|<hx-partial data-hx-target="#versjon".*?</hx-partial>', re.S
)


def squeezed(html: str, *, is_question: bool) -> str:
    """The HTML without blanks between lines, and without parts that always differ."""
    html = _PASSING.sub("", html)
    if is_question:
        html = _CANCEL.sub("", _LEVEL.sub("", html))
    return re.sub(r"\s+", " ", html).strip()


def own_parts(answer: TestResponse) -> list[str]:
    """A fragment without its title and status line, and its parts for other places."""
    html = _SAID.sub("", _TITLE.sub("", answer.text))
    return [_ELSEWHERE.sub("", html), *(part[1] for part in _ELSEWHERE.finditer(html))]


@pytest.mark.parametrize("username", USERS, ids=lambda name: name or "nobody")
def test_every_fragment_stands_inside_its_page(house: House, username: str | None) -> None:
    client, fragments = house.client(username), []
    for address in get_addresses(house, username):
        if address.startswith(("/helse", "/tilgangslogg")) or address.endswith(".csv"):
            continue  # the access log grows by a line each time: see `test_access_log`
        fragment = client.get_partial(address)
        if fragment.status_code != 200 or fragment.mimetype != "text/html":
            continue
        page = client.get(address)
        assert page.status_code == 200
        is_question = address.endswith(("/bekreft", "/utskriv"))
        whole = squeezed(page.text, is_question=is_question)
        for part in own_parts(fragment):
            inner = squeezed(part, is_question=is_question)
            assert inner in whole, f"{address}: let the page include the very partial that the fragment is"
        assert "<!doctype" in page.text
        fragments.append(address)
    wanted = {"kari.oslo": 9, "ida.imdi": 3, "admin.imdi": 6, "admin.bergen": 4, None: 2}[username]
    assert len(fragments) >= wanted, fragments


def test_a_fragment_brings_the_title_and_the_status_line(house: House) -> None:
    client = house.client("kari.oslo")
    fragment = client.get_partial("/deltakere?sorter=navn")
    assert tree_of(fragment).by_id["statuslinje"].attrib["data-hx-swap-oob"] == "innerHTML"
    assert "Sortert etter navn, stigende" in text_of(fragment)
    form = client.get_partial("/deltakere/ny")
    assert next(tree_of(form).elements("title"), None) is not None


# ---- Error responses ----


def _is_alert(answer: TestResponse) -> bool:
    tree = tree_of(answer)
    alerts = [one for one in tree.elements("div") if "ds-alert" in one.attrib.get("class", "")]
    focused = [one for one in tree.elements() if "autofocus" in one.attrib]
    return len(alerts) == 1 and focused == alerts


def check_error(page: TestResponse, fragment: TestResponse, status: int) -> None:
    """Both have a message; the fragment goes to the alert area and pushes no address."""
    assert (page.status_code, fragment.status_code) == (status, status)
    assert not [name for name in dict(page.headers) if name.startswith("HX-")]
    assert {name: fragment.headers.get(name) for name in RETARGETED} == RETARGETED
    assert _is_alert(fragment)
    heading = next(HtmlTree(page.text, is_page=True).elements("h1"))
    assert heading.text
    assert heading.text in text_of(fragment)
    assert "<!doctype" not in fragment.text


ASKED = {
    400: "/deltakere?sorter=skostørrelse",
    403: "/brukere",
    404: "/deltakere/0123456789abcdef/data",
}


@pytest.mark.parametrize("status", ASKED)
def test_what_is_asked_wrongly(house: House, status: int) -> None:
    client = house.client("kari.oslo")
    check_error(client.get(ASKED[status]), client.get_partial(ASKED[status]), status)


def test_an_unknown_address_says_so_to_everybody_alike(house: House) -> None:
    for client in (house.nobody(), house.client("kari.oslo")):
        check_error(client.get("/finnes/ikke"), client.get_partial("/finnes/ikke"), 404)
        for address in ("/deltakere/%00", "/deltakere/%ff", "/deltakere/../../etc/passwd", "/deltakere/kort/data"):
            assert client.get(address).status_code == 404


def test_a_method_that_a_view_does_not_take(house: House) -> None:
    client = house.client("kari.oslo")
    page = client.put("/deltakere")
    assert "GET" in page.headers["Allow"]
    check_error(page, client.put("/deltakere", headers=htmx_headers()), 405)


def token_of(client: CheckedClient) -> str:
    return str(form_in(client.get("/hjelp"), button="Logg ut").value("csrf_token"))


def test_signed_out_meanwhile(house: House) -> None:
    """A POST after the end of the session gets that message, and not that the form's token is wrong."""
    client = house.nobody()
    public_id = house.participants(of_places("kari.oslo"), IS_OPEN, IS_PLAIN)[0]
    address = f"/deltakere/{public_id}/bakgrunn"
    page, fragment = client.post(address, data={}), client.post_partial(address, {})
    assert (page.status_code, fragment.status_code) == (401, 401)
    assert {name: fragment.headers.get(name) for name in RETARGETED} == {**RETARGETED, "HX-Retarget": "#dialog"}
    assert "står der fortsatt" in text_of(fragment)
    assert form_in(fragment, button="Logg inn").has("Passord")
    assert "ikke lagret" in text_of(page)
    back = client.follow(page, "Logg inn")
    assert form_in(back).value("neste") == address
    nowhere = client.post(f"{address}/lagre", data={})
    assert form_in(client.follow(nowhere, "Logg inn")).value("neste") == ""


@pytest.mark.parametrize("token", ["", "wrong", "IjEi.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb", None])
def test_a_form_without_its_token(house: House, token: str | None) -> None:
    client = house.client("kari.oslo")
    data = {} if token is None else {"csrf_token": token}
    check_error(client.post("/logg-ut", data=data), client.post_partial("/logg-ut", data), 400)
    assert client.get("/deltakere").status_code == 200, "she is still signed in"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example", ""])
def test_a_form_from_another_site(house: House, origin: str) -> None:
    """Refused though its token is right; from our own site, and from programs without the header, it is accepted."""
    client = house.client("kari.oslo")
    data = {"csrf_token": token_of(client), "visning": "", "apen": "1"}
    assert client.post("/deltakere/panel", data=data, headers={"Origin": origin}).status_code == 400
    for ours in ({"Origin": "http://localhost"}, {"Origin": "https://localhost"}, {}):
        assert client.post("/deltakere/panel", data=data, headers=ours).status_code == 303


@pytest.mark.parametrize(
    ("referer", "status"),
    [
        ("https://localhost/deltakere", 303),
        ("http://localhost/deltakere", 400),
        ("https://localhost.evil.example/", 400),
        ("https://[", 400),
        ("", 400),
    ],
)
def test_over_https_a_form_says_where_it_stands(house: House, referer: str, status: int) -> None:
    client = house.client("kari.oslo")
    data = {"csrf_token": token_of(client), "visning": "", "apen": "1"}
    headers = {"Referer": referer} if referer else {}
    answer = client.post("/deltakere/panel", data=data, headers=headers, base_url="https://localhost")
    assert answer.status_code == status


def test_another_users_token_does_not_count(house: House) -> None:
    client = house.client("kari.oslo")
    foreign = token_of(house.client("berit.bergen"))
    assert client.post("/logg-ut", data={"csrf_token": foreign}).status_code == 400


def test_more_is_sent_than_a_form_can_hold(house: House) -> None:
    client = house.client("kari.oslo")
    data = {"csrf_token": token_of(client), "national_id": "1" * (MAX_BODY + 1)}
    check_error(client.post("/deltakere/ny", data=data), client.post_partial("/deltakere/ny", data), 413)


def test_a_participant_that_is_seen_and_not_changed(house: House) -> None:
    client = house.client("kari.oslo")
    public_id = house.participants(of_places("kari.oslo"), Participation.discharged_at.is_not(None), IS_PLAIN)[0]
    address = f"/deltakere/{public_id}/slett"
    page = client.get(address)
    check_error(page, client.get_partial(address), 403)
    assert "Deltakeren kan ikke endres" in text_of(page)


def test_a_failure_of_our_own(
    app: Flask, sign_in: Callable[[str], CheckedClient], caplog: pytest.LogCaptureFixture
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False  # in tests they would be raised here instead
    client = sign_in("kari.oslo")
    with app.app_context():
        for table in ("participation", "participation_count"):
            db.session.execute(text(f"ALTER TABLE {table} RENAME TO elsewhere_{table}"))
        db.session.commit()
    page = client.get("/deltakere")
    check_error(page, client.get_partial("/deltakere"), 500)
    assert "participation" not in page.text
    assert "Traceback" not in page.text
    assert client.get("/deltakere/oversikt.csv").status_code == 500
    assert client.get("/hjelp").status_code == 200, "the rest still answers"
    assert "FROM participation" in caplog.text
    assert "0301" not in caplog.text, "values of a statement are personal data"


# ---- Redirects ----


def test_going_on_is_303_for_a_page_and_204_for_a_fragment(house: House) -> None:
    client = house.client("kari.oslo")
    page, fragment = client.get("/"), client.get_partial("/")
    assert (page.status_code, page.headers["Location"]) == (303, "/deltakere")
    assert (fragment.status_code, fragment.headers["HX-Redirect"]) == (204, "/deltakere")
    assert "Location" not in fragment.headers
    assert not fragment.data


def test_a_page_without_a_fragment_is_never_nested_into_another(house: House) -> None:
    fragment = house.client("kari.oslo").get_partial("/hjelp?a=%C3%A5")
    assert (fragment.status_code, fragment.headers["HX-Redirect"]) == (204, "/hjelp?a=%C3%A5")


def test_addresses_to_go_on_to_are_plain_ascii(app: Flask, sign_in: Callable[[str], CheckedClient]) -> None:
    app.add_url_rule("/videre", view_func=signed_in(lambda: redirect_to("/å/中")))
    client = sign_in("kari.oslo")
    assert client.get("/videre").headers["Location"] == "/%C3%A5/%E4%B8%AD"
    assert client.get_partial("/videre").headers["HX-Redirect"] == "/%C3%A5/%E4%B8%AD"


@pytest.mark.parametrize("query", ["sorter=%ff", "sorter=\xff", "sorter=%00", "\xe5=1", "sorter=%F0%9F%98%80", "%"])
def test_odd_bytes_in_the_address(house: House, query: str) -> None:
    asked = {"QUERY_STRING": query}  # as the server passes on the bytes
    assert house.client("kari.oslo").get("/deltakere", environ_overrides=asked).status_code == 400
    signed_out = house.nobody().get("/deltakere", environ_overrides=asked)
    assert signed_out.status_code == 303
    assert signed_out.headers["Location"].isascii()


# ---- Headers ----


def test_every_kind_of_answer_carries_the_headers(house: House) -> None:
    client = house.client("kari.oslo")
    page = client.get("/deltakere")
    head = list(tree_of(page).elements("link", "script"))
    files = [one.attrib.get("src") or one.attrib["href"] for one in head]
    addresses = [address for address in files if address.startswith("/static/")]
    assert len(addresses) == 2
    addresses += ["/", "/deltakere/oversikt.csv", "/deltakere/fullt-datasett.csv", "/logg-inn", "/finnes-ikke"]
    addresses += ["/deltakere/oversikt.xlsx", "/deltakere/fullt-datasett.xlsx", "/deltakere/tiltak.csv"]
    addresses += ["/deltakere/oversikt.csv?sorter=feil", "/static/finnes-ikke.css"]
    for address in addresses:
        asks = (client.get, client.head, client.options, client.delete)
        for ask in asks[:2] if address in files else asks:
            with ask(address) as answer:
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
    plain = FlaskClient(house.app)
    for address in ("/helse", "/helse/klar"):
        answer = plain.get(address)
        assert SECURITY_HEADERS.items() <= dict(answer.headers).items()
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_content_policy_is_the_measured_one() -> None:
    assert SECURITY_HEADERS["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_pages_are_compressed(house: House, encoding: str) -> None:
    plain = FlaskClient(house.app)
    answer = plain.get("/logg-inn", headers={"Accept-Encoding": encoding})
    assert answer.headers["Content-Encoding"] == encoding
    assert {"accept-encoding", "hx-request", "hx-request-type"} <= {word.lower() for word in answer.vary}


def test_what_a_server_is_told_of_the_root_comes_into_no_address(
    databases: Databases, settings: dict[str, str]
) -> None:
    """Neither into the requested page, nor into others: addresses are cached."""
    with running_house("sqlite", databases, settings, participants=0) as house:
        for root in ("//evil.example", "/evil"):
            for address in ("/logg-inn", "/hjelp", "/deltakere"):
                answer = house.nobody().get(address, environ_overrides={"SCRIPT_NAME": root})
                assert "evil" not in answer.text + str(answer.headers)
        page = house.nobody().get("/logg-inn")
        assert 'action="/logg-inn"' in page.text
        assert "evil" not in page.text
