"""Every form of the program: unknown fields are refused, no bytes cause a failure, and no response costs much.

The forms are found as a user finds them, on all pages of the program, and beside them all addresses that accept forms.
"""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from app.registration.forms import SCREEN_NAMES, STEP_OF_WORD
from app.web.form_fields import ONLY_SIGNING
from app.web.responses import END_MARK, MAX_BODY
from services.participation.page import raw_page
from services.tables.accounts import User
from services.tables.participants import Change, Participation
from tests.support.addresses import get_addresses
from tests.support.client import form_in, htmx_headers, text_of
from tests.support.every_form import ANSWERS, Found, forms_of
from tests.support.form_fields import BY_THEMSELVES, TAKEN
from tests.support.house import IS_OPEN, IS_PLAIN, House, of_places
from tests.support.rules import NOBODYS, rules_of

pytestmark = pytest.mark.usefixtures("cheap_answers")
USERS = ("kari.oslo", "admin.bergen", "ida.imdi", "admin.imdi", None)
FORM = "application/x-www-form-urlencoded"
# Fields that an attacker would like to set, and columns that a careless form would accept.
WISHED = {"role", "roles", "is_admin", "is_demo", "is_blocked", "user_id", "id", "password_hash", "sees_protected"}
COLUMNS = {column.name for model in (User, Participation) for column in model.__table__.columns}


def test_every_view_that_takes_a_form_says_which_fields(house: House) -> None:
    takes = {rule.endpoint for name, rule in rules_of(house.app).items() if name.startswith("POST ")}
    said = BY_THEMSELVES | TAKEN.keys()
    assert not takes - said, f"say with @takes which fields are taken by {sorted(takes - said)}"
    assert not said - takes, f"these take no form: {sorted(said - takes)}"
    assert not BY_THEMSELVES & TAKEN.keys()


@pytest.mark.parametrize("username", USERS, ids=lambda name: name or "nobody")
def test_fields_that_a_form_does_not_have_are_refused(own_house: House, username: str | None) -> None:
    client, forms = own_house.client(username), forms_of(own_house, username)
    known = set().union(*(form.names for form in forms)) | WISHED | COLUMNS
    before, tried, faults = _changes(own_house), 0, []
    for form in forms:
        assert form.names <= TAKEN.get(form.endpoint, form.names) | {"csrf_token", "go", END_MARK}, form
        for name in sorted(known - form.names - _also_its_own(form)):
            answer = client.post(form.address, data=MultiDict([*form.pairs, (name, "1")]))
            tried += 1
            if answer.status_code not in {400, 403}:
                faults.append(f"{form.endpoint} takes {name}: {answer.status}")
    assert not faults, "\n".join(faults)
    assert tried > 100
    assert _changes(own_house) == before


@pytest.mark.parametrize("username", USERS, ids=lambda name: name or "nobody")
def test_a_form_without_its_end_saves_nothing(own_house: House, username: str | None) -> None:
    """With FIN and a right length, as a machine in between may produce it: only the end mark is missing."""
    client, before, tried = own_house.client(username), _changes(own_house), 0
    for form in forms_of(own_house, username):
        assert form.pairs[-1] == (END_MARK, "1"), form
        if form.endpoint in ONLY_SIGNING:
            continue
        for end in ([], [(END_MARK, "")], [(END_MARK, "10")], [(END_MARK, "1")] * 2):
            for headers in ({}, htmx_headers()):
                body = urlencode([*form.pairs[:-1], *end])
                said = {**headers, "Origin": "http://localhost"}
                answer = client.post(form.address, data=body, content_type=FORM, headers=said)
                tried += 1
                assert answer.status_code == 400, form
                assert "Skjemaet kom ikke helt fram" in text_of(answer)
    assert tried
    assert _changes(own_house) == before


def test_signing_in_and_out_needs_no_end(own_house: House) -> None:
    """Pages that were open when the end mark was introduced."""
    client = own_house.nobody()
    form = form_in(client.get("/logg-inn"), button="Logg inn")
    form.fill({"Brukernavn": "kari.oslo", "Passord": "demo-passord-2026"})
    assert client.post("/logg-inn", data=dict(form.pairs(None)), whole=False).status_code == 303
    out = form_in(client.get("/hjelp"), button="Logg ut")
    assert client.post("/logg-ut", data=dict(out.pairs(None)), whole=False).status_code == 303
    assert client.get("/min-bruker").status_code == 303


def _also_its_own(form: Found) -> frozenset[str]:
    """Fields that the form also has with other answers, or when the script sends it."""
    if form.endpoint in TAKEN:
        return TAKEN[form.endpoint] | {"go"}
    if form.endpoint.startswith("accounts."):
        return frozenset({"go", "version"})
    word = form.address.rpartition("/")[2]
    own = SCREEN_NAMES | {
        "go",
        "version",
        "form_key",
        *raw_page(STEP_OF_WORD["person" if word == "ny" else word], {}).names(),
    }
    return own | ({"national_id", "name_confirmed", "shown_name", "municipality"} if word == "ny" else set())


def _changes(house: House) -> tuple[int, list[tuple[object, ...]]]:
    """The number of changes of all participants, and the users."""
    number = house.ask(select(func.count()).select_from(Change))[0][0]
    users = select(User.id, User.username, User.email, User.sees_protected, User.is_demo).order_by(User.id)
    return number, [tuple(row) for row in house.ask(users)]


# ---- Bytes that no page of ours sends ----

VALUES = {
    "NUL": b"%00",
    "a byte that is no text": b"%FF",
    "half a pair of UTF-16": b"%ED%A0%80",
    "an overlong slash": b"%C0%AF",
    "raw bytes": b"\xff\xfe\x00",
    "a bad escape": b"%zz%",
    "controls": b"%01%1b%7f%c2%85",
    "beyond Unicode": b"%F4%90%80%80",
    "the last of Unicode": b"%F4%8F%BF%BF",
    "from right to left": b"%E2%80%AE",
    "a line end": b"a%0d%0aSet-Cookie:%20a=b",
    "far too much": b"x" * 100_000,
    "a large number": b"9" * 400,
    "a negative one": b"-1",
    "no number": b"NaN",
    "a quotation mark": b"%27%22%3C%3E%5C%24%7B7*7%7D",
}


ALONE_TOO = {"NUL", "half a pair of UTF-16", "far too much"}


@pytest.mark.parametrize("username", ["kari.oslo", "admin.imdi", None], ids=lambda name: name or "nobody")
@pytest.mark.parametrize("how", VALUES)
def test_bytes_in_every_field_of_every_form(own_house: House, username: str | None, how: str) -> None:
    """In all fields at once; bytes that databases and parsers often fail on also in each, with the other fields
    unchanged."""
    client, forms = own_house.client(username), _forms_once(own_house, username)
    for form in forms:
        typed = [name for name, _value in form.pairs if name not in {"csrf_token", "go", END_MARK}]
        for spoiled in [*([name] for name in typed if how in ALONE_TOO), typed]:
            pairs = [(name, value) for name, value in form.pairs if name not in spoiled]
            body = b"&".join([urlencode(pairs).encode(), *(name.encode() + b"=" + VALUES[how] for name in spoiled)])
            for headers in ({}, htmx_headers()) if spoiled is typed else ({},):
                answer = client.post(form.address, data=body, content_type=FORM, headers=headers)
                assert answer.status_code in ANSWERS, f"{form.endpoint}, {how} in {spoiled}: {answer.status}"
                if answer.status_code in {204, 303}:
                    client.get("/hjelp")  # shows its message


def _forms_once(house: House, username: str | None) -> list[Found]:
    known: dict[str | None, list[Found]] = house.app.extensions.setdefault("tests.forms", {})
    if username not in known:
        known[username] = [form for form in forms_of(house, username) if form.endpoint != "accounts.sign_out"]
    return known[username]


BOUNDARY = "multipart/form-data; boundary=b"


def _part(name: str, value: str, more: str = "") -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'.encode()


def bodies(token: str) -> dict[str, tuple[str, bytes, set[int]]]:
    """Content type and body, all with a right token, and the permitted statuses."""
    known = f"csrf_token={token}&{END_MARK}=1".encode()
    whole = _part("csrf_token", token) + _part(END_MARK, "1")
    large = b"x" * MAX_BODY
    return {
        "ten thousand fields": (FORM, known + b"".join(b"&f%d=1" % n for n in range(10_000)), {413}),
        "one field ten thousand times": (FORM, known + b"&go=x" * 10_000, ANSWERS),
        "a name of many bytes": (FORM, known + b"&" + b"n" * 500_000 + b"=1", {400}),
        "names that are no text": (FORM, known + b"&%00%FF=1&=2&&;", {400}),
        "too large": (FORM, known + b"&go=" + large, {413}),
        "too large a part": (BOUNDARY, whole + _part("go", large.decode()) + b"--b--", {413}),
        "too large a file": (BOUNDARY, whole + _part("go", large.decode(), '; filename="a"') + b"--b--", {413}),
        "a file": (BOUNDARY, whole + _part("file", "x", '; filename="../../etc/passwd"') + b"--b--", {400, 403}),
        "two thousand parts": (BOUNDARY, whole + _part("go", "x") * 2000 + b"--b--", {413}),
        "parts without an end": (BOUNDARY, whole + b"--b\r\nContent-Disp", {400}),
        "parts without a beginning": (BOUNDARY, known, {400}),
        "parts without a boundary": ("multipart/form-data", whole + b"--b--", {400}),
        "a boundary of bytes": ("multipart/form-data; boundary=\xff\x00", whole, {400}),
        "JSON": ("application/json", b'{"csrf_token": "%s", "a": NaN}' % token.encode(), {400}),
        "broken JSON": ("application/json", b'{"csrf_token": ', {400}),
        "plain text": ("text/plain", known, {400}),
        "XML": (
            "application/xml",
            b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
            {400},
        ),
        "no kind": ("", known, {400}),
        "an unknown kind": ("\xff/\x01; charset=\x00", known, {400}),
    }


@pytest.mark.parametrize("how", bodies(""))
@pytest.mark.parametrize("username", ["kari.oslo", "admin.imdi"])
def test_bodies_that_no_page_of_ours_sends(own_house: House, username: str, how: str) -> None:
    """To every address that accepts a form, whether the user may use it or not."""
    client = own_house.client(username)
    kind, body, wanted = bodies(str(form_in(client.get("/hjelp"), button="Logg ut").value("csrf_token")))[how]
    for address in _post_addresses(own_house, username):
        answer = client.post(address, data=body, content_type=kind)
        assert answer.status_code in wanted | {403}, f"{address}: {answer.status}"


def _post_addresses(house: House, username: str) -> Iterator[str]:
    public_id = house.participants(of_places(username), IS_OPEN, IS_PLAIN)[0]
    for name in rules_of(house.app):
        method, _blank, place = name.partition(" ")
        if method == "POST" and place != "/logg-ut":
            place = place.replace("<page>", "bakgrunn").replace("<token>", NOBODYS).replace("<name>", "entra")
            is_number = place.startswith(("/brukere/", "/deltakere/meldinger"))
            yield place.replace("<id>", "2" if is_number else public_id)


# ---- Addresses, headers, cookies ----


@pytest.mark.parametrize(
    "query", ["%ff=%00", "neste=%ed%a0%80", "a=" + "x" * 3000, "&".join(f"f{n}" for n in range(900))]
)
@pytest.mark.parametrize("username", ["kari.oslo", "admin.imdi", None], ids=lambda name: name or "nobody")
def test_bytes_behind_every_address(house: House, username: str | None, query: str) -> None:
    client = house.client(username)
    for address in get_addresses(house, username):
        if not address.startswith("/helse"):
            asked = {"QUERY_STRING": query}
            for headers in ({}, htmx_headers()):
                with client.get(address.partition("?")[0], environ_overrides=asked, headers=headers) as answer:
                    assert answer.status_code in ANSWERS | {401}, f"{address}: {answer.status}"


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": "session=\xff\xfe"},
        {"Cookie": "session=" + "x" * 4000},
        {"Cookie": "session=; session=a; ;;=;\x01"},
        {"Cookie": 'session="\\000\\377"'},
        {"HX-Request-Type": "\xff"},
        {"HX-Request-Type": "partial", "HX-Current-URL": "\xff\x01", "HX-Target": "<script>"},
        {"Accept-Language": "\xff;q=NaN,,;q=;"},
        {"Accept-Encoding": "br;q=x, \xff, *;q=-1"},
        {"If-None-Match": '"\xff', "If-Modified-Since": "\xff", "Range": "bytes=9-1,-"},
        {"Referer": "http://[", "Origin": "http://["},
        {"X-Forwarded-For": "\xff", "X-Forwarded-Host": "evil.example/\xff", "Forwarded": "for=;;"},
        {"Host": "evil.example:port"},
        {"Content-Length": "1", "Content-Type": "\xff"},
    ],
)
def test_bytes_in_headers(house: House, headers: dict[str, str]) -> None:
    client = FlaskClient(house.app)  # ours could not read a compressed response
    for address in ("/logg-inn", "/deltakere", "/hjelp", "/finnes-ikke"):
        for method in ("GET", "HEAD", "OPTIONS", "POST"):
            answer = client.open(address, method=method, headers=headers)
            assert answer.status_code in {200, 204, 303, 400, 401, 404, 405}, f"{method} {address}: {answer.status}"
