"""Numbers and dates have limits, in every address and every form: values beyond them are refused or reported, never a
failure."""

import pytest
from werkzeug.datastructures import MultiDict

from app.overview.query import NAMES
from app.web.responses import END_MARK
from tests.support.addresses import get_addresses
from tests.support.client import form_in, text_of
from tests.support.every_form import ANSWERS, forms_of
from tests.support.house import House

pytestmark = pytest.mark.usefixtures("cheap_answers")
USERS = ("kari.oslo", "admin.imdi")
PARAMETERS = sorted(
    NAMES | {"eldre", "fra", "til", "felt", "handling", "neste", "invitasjon", "visning", "sid", "state"}
)
BEYOND = {
    "five thousand digits": "9" * 5000,
    "more than 64 bits": "9" * 20,
    "64 bits": str(2**63 - 1),
    "more than 32 bits": str(2**31),
    "below nothing": "-1",
    "the last day": "9999-12-31",
    "the last day as typed": "31.12.9999",
    "the first day": "0001-01-01",
    "the first day as typed": "01.01.0001",
    "a day by its week": "9999-W52-7",
    "the last month": "12.9999",
    "Arabic digits": "٩٩٩",
    "a raised digit": "²",
    "a fraction": "1e400",
    "a plus": "+1",
    "blanks": "\u00a0 1\u2003",
    "an underscore": "1_000",
    "no number": "nan",
    "NUL": "1\x00",
}
HEADERS = ("Accept-Language", "Accept-Encoding", "Range", "If-Modified-Since", "If-None-Match", "X-Hvem", "X-Uspurt")
HEADERS += ("HX-Current-URL", "HX-Target", "HX-Request-Type", "Sec-Fetch-Site", "Origin", "Referer", "Authorization")


@pytest.mark.parametrize("username", USERS)
def test_in_every_parameter_of_every_address(own_house: House, username: str) -> None:
    """In all parameters at once, and in each separately if there are several."""
    client = own_house.client(username)
    paths = sorted({address.partition("?")[0] for address in get_addresses(own_house, username)})
    for path in [one for one in paths if not one.startswith("/helse")]:
        for value in BEYOND.values():
            queries = [dict.fromkeys(PARAMETERS, value)]
            if path in {"/deltakere", "/tilgangslogg", "/brukere"} or path.endswith("/historikk"):
                queries += [{name: value} for name in PARAMETERS]
            for query in queries:
                with client.get(path, query_string=query) as answer:
                    assert answer.status_code in ANSWERS | {401}, f"{path} {sorted(query)}: {answer.status}"


@pytest.mark.parametrize("how", ["five thousand digits", "more than 32 bits", "the last day as typed"])
@pytest.mark.parametrize("username", USERS)
def test_in_every_field_of_every_form(own_house: House, username: str, how: str) -> None:
    client = own_house.client(username)
    for form in forms_of(own_house, username):
        if form.endpoint in {
            "accounts.sign_out",
            "accounts.own_password_submit",
        }:  # these end the session, or are throttled
            continue
        for field in {name for name, _value in form.pairs} - {"csrf_token", "go", END_MARK}:
            pairs = [(name, BEYOND[how] if name == field else value) for name, value in form.pairs]
            answer = client.post(form.address, data=MultiDict(pairs))
            assert answer.status_code in ANSWERS, f"{form.endpoint}, {field}: {answer.status}"
            if answer.status_code in {204, 303}:
                client.get("/hjelp")  # shows its message


@pytest.mark.parametrize("number", [str(2**31), str(2**63), "9" * 30, "9" * 5000])
def test_in_paths(own_house: House, number: str) -> None:
    for username, path in (("admin.imdi", "/brukere/{}"), ("kari.oslo", "/deltakere/meldinger/{}/lest")):
        client = own_house.nobody()
        client.login(username)
        token = str(form_in(client.get("/hjelp"), button="Logg ut").value("csrf_token"))
        assert client.post(path.format(number), data={"csrf_token": token, "version": "1"}).status_code in {404, 405}


def test_days_beyond_the_calendar_are_told_at_their_field(own_house: House) -> None:
    client = own_house.client("admin.imdi")
    for fill in ({"Fra og med": "01.01.0001"}, {"Til og med": "31.12.9999"}):
        answer = client.submit(client.get("/tilgangslogg"), button="Vis", fill=fill, partial=True)
        assert "Datoen må være mellom 01.01.1950 og 31.12.2100" in text_of(answer)
    assert client.get("/tilgangslogg?til=9999-12-31").status_code == 400
    assert client.get("/tilgangslogg?fra=0001-01-01").status_code == 400
    assert client.get("/tilgangslogg?fra=2020-01-01&til=2099-12-31").status_code == 200


@pytest.mark.parametrize(
    "value", ["9" * 5000, "-1", "1e400", "bytes=0-" + "9" * 5000, "nb;q=" + "9" * 4000, "nn;q=nan"]
)
def test_in_every_header_and_cookie(own_house: House, value: str) -> None:
    client = own_house.client("kari.oslo")
    for path in ("/deltakere", "/hjelp", "/deltakere/oversikt.csv"):
        for header in HEADERS:
            with client.get(path, headers={header: value}) as answer:
                assert answer.status_code in ANSWERS | {206, 304, 416}, f"{path} {header}: {answer.status}"
        stranger = own_house.nobody()
        for cookie in ("session", "spraak", "annet"):
            stranger.set_cookie(cookie, value[:4000])
        assert stranger.get(path).status_code in {200, 303}
