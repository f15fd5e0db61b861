"""CSRF tokens look different in each response, and all tokens of a session are valid as long as it lasts."""

import json
import re
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.support.client import CheckedClient, form_in, htmx_headers
from tests.support.house import House

PASSWORD = "demo-passord-2026"
_TOKENS = re.compile(r'name="csrf_token" value="([^"]*)"')
# A search form, the page header's button, a form of many, public forms.
PAGES = ("/deltakere", "/hjelp", "/deltakere/ny", "/innlogginger", "/deltakere/visninger", "/min-bruker")


def tokens_in(answer: TestResponse) -> set[str]:
    return set(_TOKENS.findall(answer.text))


def try_token(client: CheckedClient, token: str, *, partial: bool = False) -> int:
    """The status of a POST that changes nothing."""
    headers = htmx_headers() if partial else {}
    return client.post("/forleng", data={"csrf_token": token}, headers=headers).status_code


def a_token(client: CheckedClient) -> str:
    return str(form_in(client.get("/hjelp"), button="Logg ut").value("csrf_token"))


@pytest.mark.parametrize("address", PAGES)
def test_one_token_in_an_answer_and_another_in_the_next(house: House, address: str) -> None:
    client = house.client("kari.oslo")
    answers = [tokens_in(client.get(address)) for _ in range(3)]
    assert [len(tokens) for tokens in answers] == [1, 1, 1], "many forms of an answer carry the same text"
    assert len(set().union(*answers)) == 3


def test_nothing_of_a_token_stays_the_same(house: House) -> None:
    """At each position several characters occur within a few responses: no beginning or end can be guessed."""
    client = house.client("kari.oslo")
    tokens = [a_token(client) for _ in range(12)]
    assert {len(token) for token in tokens} == {48}
    assert min(len(set(column)) for column in zip(*tokens, strict=True)) > 3


def test_every_token_of_a_visit_is_good_until_its_end(own_house: House) -> None:
    client = own_house.nobody()
    client.login("kari.oslo")
    tokens = [*tokens_in(client.get("/deltakere")), a_token(client), *tokens_in(client.get_partial("/deltakere/ny"))]
    assert len(set(tokens)) == 3
    for token in [*tokens, *reversed(tokens)]:
        assert [try_token(client, token), try_token(client, token, partial=True)] == [200, 200]
    assert client.post("/logg-ut", data={"csrf_token": tokens[0]}).status_code == 303
    client.login("kari.oslo")
    assert [try_token(client, token) for token in tokens] == [400, 400, 400], "the next visit knows none of them"


def test_a_token_from_before_signing_in_is_not_good_after(own_house: House) -> None:
    client = own_house.nobody()
    before = str(form_in(client.get("/logg-inn")).value("csrf_token"))
    client.login("kari.oslo")
    assert try_token(client, before) == 400


def test_signing_in_again_over_the_page_brings_a_token_of_the_new_visit(own_house: House) -> None:
    client = own_house.nobody()
    fill = {"Brukernavn": "kari.oslo", "Passord": PASSWORD}
    answer = client.submit(
        client.get("/logg-inn"), button="Logg inn", fill=fill, extra={"kept_for": "kari.oslo"}, partial=True
    )
    token = json.loads(answer.headers["HX-Trigger"])["innlogget"]["token"]
    assert [try_token(client, token), try_token(client, a_token(client))] == [200, 200]


def altered(token: str) -> dict[str, str]:
    """Changed tokens, by the kind of change."""
    swapped = "B" if token[-1] != "B" else "C"
    return {
        "nothing": "",
        "a mask alone": token[:24],
        "a mask of no length": token[24:],
        "cut off": token[:-1],
        "longer": token + "A",
        "twice": token * 2,
        "another end": token[:-1] + swapped,
        "another beginning": ("B" if token[0] != "B" else "C") + token[1:],
        "blanks": f" {token}",
        "a line end": f"{token}\n",
        "padding": f"{token}====",
        "other signs of base64": token[:24] + "+/+/" + token[28:],
        "a character that is left out": token[:12] + "!" + token[12:],
        "zeros": urlsafe_b64encode(bytes(36)).decode(),
        "other letters": token.translate({ord(one): ord(one) + 0xFEE0 for one in token}),
        "NUL": f"{token}\x00",
        "junk": "æøå€😀",
        "very long": token * 2000,
    }


@pytest.mark.parametrize("how", altered("x" * 48))
def test_what_is_no_token_of_the_visit_is_refused(house: House, how: str) -> None:
    client = house.client("kari.oslo")
    token = altered(a_token(client))[how]
    assert [try_token(client, token), try_token(client, token, partial=True)] == [400, 400]


@pytest.mark.parametrize("body", [b"csrf_token=%ff%fe", b"csrf_token=\xff\x00", b"csrf_token=%ED%A0%80", b"csrf_token"])
def test_bytes_that_are_no_text_are_no_token(house: House, body: bytes) -> None:
    client = house.client("kari.oslo")
    content_type = "application/x-www-form-urlencoded"
    assert client.post("/forleng", data=body, content_type=content_type).status_code == 400


def test_another_visits_token_is_refused_though_the_user_is_the_same(own_house: House) -> None:
    one, other = own_house.nobody(), own_house.nobody()
    one.login("kari.oslo")
    other.login("kari.oslo")
    assert try_token(one, a_token(other)) == 400


@given(st.text(max_size=60) | st.text("ABCabc019-_", min_size=48, max_size=48))
def test_whatever_is_sent_is_refused_and_no_failure(house: House, text: str) -> None:
    assert try_token(house.client("kari.oslo"), text) == 400


def test_a_token_counts_in_the_form_alone(house: House) -> None:
    """Not in the address, where logs and bookmarks would keep it, nor in a header that no page of ours sends."""
    client = house.client("kari.oslo")
    token = a_token(client)
    assert client.post(f"/forleng?csrf_token={token}").status_code == 400
    assert client.post("/forleng", headers={"X-CSRFToken": token}).status_code == 400
    assert client.post("/forleng", data={"x-csrf_token": token}).status_code == 400
    assert client.post("/forleng", json={"csrf_token": token}).status_code == 400


def test_a_page_of_an_earlier_visit_is_told_the_new_token(house: House) -> None:
    """Its user has signed in again in another tab. Nobody else gets it, and no page that is being left."""
    client = house.nobody()  # a client of its own: the one that other tests share stays signed in
    client.login("kari.oslo")
    old = a_token(client)
    client.post("/logg-ut", data={"csrf_token": old})
    client.login("kari.oslo")
    answer = client.post_partial("/deltakere/sok", {"csrf_token": old, "visning": ""})
    told = json.loads(answer.headers["HX-Trigger"])["innlogget"]
    assert (answer.status_code, told["user"]) == (400, "kari.oslo")
    assert client.post_partial("/deltakere/sok", {"csrf_token": told["token"], "visning": ""}).status_code == 200
    assert "HX-Trigger" not in client.post("/deltakere/sok", data={"csrf_token": old}).headers
    stranger = house.nobody()
    assert "HX-Trigger" not in stranger.post_partial("/logg-inn", {"csrf_token": old}).headers


def test_the_page_of_another_user_begins_anew(house: House) -> None:
    """Two tabs of one browser: one user's data must not get into a page with the other user's name."""
    client = house.client("kari.oslo")
    for method, address in (("GET", "/deltakere?sorter=navn"), ("POST", "/deltakere/sok"), ("GET", "/innlogget")):
        for user, place in (("ida.imdi", "/"), ("kari.oslo", None)):
            headers = htmx_headers() | {"X-Hvem": user}
            answer = client.open(address, method=method, headers=headers, data={"csrf_token": a_token(client)})
            assert answer.status_code in {200, 204}
            assert answer.headers.get("HX-Redirect") == place, (address, user)
            assert place is None or not answer.data
