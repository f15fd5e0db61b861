"""Public pages that were open for long: their forms still work, and those of other sites do not."""

import time
from collections.abc import Mapping
from hashlib import sha256

import pytest
from itsdangerous import TimestampSigner
from sqlalchemy import delete, update
from werkzeug.test import TestResponse

from app.web.access import mark_of
from app.web.csrf import PAGE_SECONDS
from services.accounts.passwords import hash_password
from services.demo import PASSWORD
from services.tables.accounts import User, UserSession
from tests.support.addresses import get_addresses
from tests.support.client import CheckedClient, form_in, htmx_headers, text_of, tree_of
from tests.support.forms import Form
from tests.support.house import House
from tests.support.invitations import CHOSEN, invited
from tests.support.letters import last_path
from tests.support.rules import rules_of
from tests.support.second_factor import code_of, enrol, give_password
from tests.support.visits import key_of, visit

OURS = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
SILENT: dict[str, str] = {}
WANTED = "/deltakere?sorter=navn&retning=synkende"


def send(client: CheckedClient, form: Form, headers: Mapping[str, str], **more: str) -> TestResponse:
    """Send a form as a browser does, with its headers about the form's origin."""
    method, address = form.target(None)
    assert method == "POST"
    return client.post(address, data=dict(form.pairs(form.default_button())) | more, headers=dict(headers))


def sign_in_form(client: CheckedClient, *, password: str = PASSWORD, username: str = "kari.oslo") -> Form:
    """The sign-in page reached by a link, filled in."""
    form = form_in(client.get(WANTED, follow_redirects=True), button="Logg inn")
    form.fill({"Brukernavn": username, "Passord": password})
    return form


def forget_visits(house: House) -> None:
    """Delete anonymous sessions, as after more than half an hour."""
    house.write(delete(UserSession).where(UserSession.user_id.is_(None)))


def end_all_visits(house: House) -> None:
    """Delete all sessions, as after twelve hours."""
    house.write(delete(UserSession))


def aged(house: House, address: str, seconds: int) -> str:
    """The token of a page that was shown so long ago."""

    class Earlier(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(time.time()) - seconds

    return Earlier(str(house.app.secret_key), salt=f"page {address}", digest_method=sha256).sign("page").decode()


def is_in(client: CheckedClient) -> bool:
    return client.get("/min-bruker").status_code == 200


@pytest.mark.parametrize(
    "headers", [OURS, {"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}], ids=["both", "origin", "site"]
)
def test_an_old_sign_in_page_signs_in_and_leads_where_it_should(own_house: House, headers: dict[str, str]) -> None:
    client = own_house.nobody()
    form = sign_in_form(client)
    forget_visits(own_house)
    answer = send(client, form, headers)
    assert (answer.status_code, answer.headers["Location"]) == (303, WANTED)
    assert is_in(client)


def test_a_wrong_password_is_told_as_on_any_page(own_house: House) -> None:
    client = own_house.nobody()
    form = sign_in_form(client, password="feil")
    forget_visits(own_house)
    answer = send(client, form, OURS)
    assert answer.status_code == 422
    assert "Brukernavnet eller passordet er feil" in text_of(answer)


FOREIGN = {
    "another site": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    "another site, an older browser": {"Origin": "https://evil.example"},
    "no site": {"Origin": "null"},
    "a site beside ours": {"Origin": "http://evil.localhost", "Sec-Fetch-Site": "same-site"},
    "our name over another scheme": {"Origin": "https://localhost"},
    "our name, and a browser that knows better": {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    "nobody's page": {"Sec-Fetch-Site": "none"},
    "nothing said": SILENT,
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_another_site_signs_nobody_in(own_house: House, headers: dict[str, str]) -> None:
    """Its owner has a sign-in page, and so its token; the victim's browser states the form's origin."""
    attackers = sign_in_form(own_house.nobody(), username="berit.bergen")
    victim = own_house.nobody()
    assert send(victim, attackers, headers).status_code in {400, 422}
    assert not is_in(victim)
    kari = own_house.nobody()
    kari.login("kari.oslo")
    key = key_of(kari)
    assert send(kari, attackers, headers).status_code in {303, 400}
    assert key_of(kari) == key
    assert "Kari Østlie" in text_of(kari.get("/min-bruker"))


def test_where_the_browser_says_nothing_the_page_comes_anew_with_what_was_typed(own_house: House) -> None:
    client = own_house.nobody()
    form = sign_in_form(client)
    forget_visits(own_house)
    again = send(client, form, SILENT)
    assert again.status_code == 422
    assert "Siden sto åpen for lenge" in text_of(again)
    assert PASSWORD not in again.text
    assert form_in(again, button="Logg inn").value("Brukernavn") == "kari.oslo"
    answer = client.submit(again, button="Logg inn", fill={"Passord": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (303, WANTED)


@pytest.mark.parametrize(("seconds", "status"), [(PAGE_SECONDS - 60, 303), (PAGE_SECONDS + 60, 422)])
def test_it_is_good_for_a_day(own_house: House, seconds: int, status: int) -> None:
    client = own_house.nobody()
    form = sign_in_form(client)
    forget_visits(own_house)
    answer = send(client, form, OURS, page_token=aged(own_house, "/logg-inn", seconds))
    assert answer.status_code == status
    assert is_in(client) is (status == 303)


@pytest.mark.parametrize("token", ["", "feil", "page.x.y", "\x00", "other"])
def test_what_is_no_token_of_the_page_is_refused(own_house: House, token: str) -> None:
    client = own_house.nobody()
    form = sign_in_form(client)
    forget_visits(own_house)
    token = aged(own_house, "/glemt-passord", 0) if token == "other" else token
    assert send(client, form, OURS, page_token=token).status_code == 400
    assert not is_in(client)


def test_the_second_tab_goes_on_with_the_visit_of_the_first(own_house: House) -> None:
    client = own_house.nobody()
    first, second = sign_in_form(client), sign_in_form(client)
    assert send(client, first, OURS).status_code == 303
    open_form, key = form_in(client.get("/hjelp"), button="Logg ut"), key_of(client)
    answer = send(client, second, OURS)
    assert (answer.status_code, answer.headers["Location"]) == (303, WANTED)
    assert key_of(client) == key
    silent = send(client, second, SILENT)
    assert (silent.status_code, silent.headers["Location"]) == (303, WANTED)
    assert send(client, open_form, OURS).status_code == 303, "the form of the first tab is still good"
    assert not is_in(client)


def test_the_sign_in_page_leads_on_those_who_are_in_already(own_house: House) -> None:
    client = own_house.nobody()
    client.login("kari.oslo")
    answer = client.get("/logg-inn?neste=/hjelp")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/hjelp")
    away = client.get("/logg-inn?neste=//evil.example")
    assert (away.status_code, away.headers["Location"]) == (303, "/deltakere")


def test_another_user_in_the_second_tab_is_who_is_in_then(own_house: House) -> None:
    client = own_house.nobody()
    first, second = sign_in_form(client), sign_in_form(client, username="berit.bergen")
    send(client, first, OURS)
    key = key_of(client)
    send(client, second, OURS)
    assert key_of(client) != key
    assert visit(own_house, key) is None
    assert "Berit" in text_of(client.get("/min-bruker"))


def test_the_dialog_over_a_page(own_house: House) -> None:
    client = own_house.nobody()
    client.login("kari.oslo")
    client.delete_cookie("session")
    form = form_in(client.get_partial("/deltakere"), button="Logg inn")
    form.fill({"Brukernavn": "kari.oslo", "Passord": PASSWORD})
    forget_visits(own_house)
    silent = send(client, form, htmx_headers(), kept_for="kari.oslo")
    assert silent.status_code == 422
    assert "<!doctype" not in silent.text
    assert form_in(silent, button="Logg inn").value("kept_for") == "kari.oslo"
    assert "innlogget" in send(client, form, htmx_headers() | OURS, kept_for="kari.oslo").headers["HX-Trigger"]
    again = send(client, form, htmx_headers() | OURS, kept_for="kari.oslo")  # the other tab was faster
    assert "innlogget" in again.headers["HX-Trigger"]


@pytest.mark.parametrize("headers", [OURS, SILENT], ids=["said", "silent"])
def test_the_code_page_leads_back_to_the_beginning_and_on_from_there(strict: House, headers: dict[str, str]) -> None:
    secret, _codes = enrol(strict, "kari.oslo")
    client = strict.nobody()
    form = form_in(give_password(client, "kari.oslo"), button="Fortsett")
    form.fill({"Engangskode": code_of(secret)})
    forget_visits(strict)
    answer = send(client, form, headers)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/logg-inn?neste=/hjelp")
    page = client.get(answer.headers["Location"])
    assert "Det tok for lang tid" in text_of(page)
    fill = {"Brukernavn": "kari.oslo", "Passord": PASSWORD}
    code = client.submit(page, button="Logg inn", fill=fill, follow_redirects=True)
    done = client.submit(code, button="Fortsett", fill={"Engangskode": code_of(secret)})
    assert (done.status_code, done.headers["Location"]) == (303, "/hjelp")
    late = send(client, form, headers)  # the code page of another tab
    assert (late.status_code, late.headers["Location"]) == (303, "/hjelp")
    assert is_in(client)


def test_an_old_page_for_setting_up_leads_back_to_the_beginning(strict: House) -> None:
    client = strict.nobody()
    strict.write(update(User).where(User.username == "siri.vern").values(totp_secret=None))
    form = form_in(give_password(client, "siri.vern"), button="Fortsett")
    forget_visits(strict)
    answer = send(client, form, OURS)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/logg-inn?neste=/hjelp")


def test_an_old_page_for_a_forgotten_password(own_house: House) -> None:
    client = own_house.nobody()
    form = form_in(client.get("/glemt-passord"))
    form.fill({"Brukernavn eller e-post": "anne.tokommuner"})
    forget_visits(own_house)
    again = send(client, form, SILENT)
    assert again.status_code == 422
    assert form_in(again).value("Brukernavn eller e-post") == "anne.tokommuner"
    assert "Se i e-posten din" in text_of(send(client, form, OURS))
    reset = form_in(own_house.nobody().get(last_path(own_house.app, "anne.tokommuner@example.org")))
    reset.fill({"Nytt passord": CHOSEN, "Gjenta passordet": CHOSEN})
    late = own_house.nobody()
    told = send(late, reset, SILENT)
    assert told.status_code == 422
    assert "Siden sto åpen for lenge" in text_of(told)
    assert CHOSEN not in told.text
    assert send(late, reset, OURS).status_code == 303
    assert is_in(late)
    own_house.write(
        update(User).where(User.username == "anne.tokommuner").values(password_hash=hash_password(PASSWORD))
    )


def test_an_old_invitation(own_house: House) -> None:
    path = invited(own_house, "gammel.side@bergen.kommune.no")
    client = own_house.nobody()
    form = form_in(client.get(path))
    form.fill({"Brukernavn": "gammel.side", "Passord": CHOSEN, "Gjenta passordet": CHOSEN})
    forget_visits(own_house)
    again = send(client, form, SILENT)
    assert again.status_code == 422
    assert form_in(again).value("Brukernavn") == "gammel.side"
    assert send(client, form, OURS).status_code == 303
    assert is_in(client)
    dead = form_in(own_house.nobody().get(path), button="Be om ny lenke")
    for headers, said in ((SILENT, "Siden sto åpen for lenge"), (OURS, "kommer det straks en ny e-post")):
        late = own_house.nobody()
        answer = send(late, dead, headers)
        assert answer.status_code == 303
        assert said in text_of(late.get(answer.headers["Location"]))


def test_every_form_for_anybody_has_it_and_no_other_form(own_house: House) -> None:
    public = {
        rule.endpoint
        for name, rule in rules_of(own_house.app).items()
        if name.startswith("POST ") and mark_of(own_house.app.view_functions[rule.endpoint]) == "public"
    }
    adapter, found = own_house.app.url_map.bind("localhost"), set()
    link = invited(own_house, "nok.en@bergen.kommune.no")
    for username in (None, "kari.oslo", "admin.imdi"):
        client = own_house.nobody()
        if username:
            client.login(username)
        addresses = [one for one in get_addresses(own_house, username) if one != "/tilgangslogg"]
        for address in [*addresses, *([link] if username is None else [])]:
            with client.get(address) as page:
                page.get_data()
            if page.mimetype != "text/html":
                continue
            tree = tree_of(page)
            for form in (Form(tree, one) for one in tree.elements("form")):
                method, target = form.target(None)
                if method == "POST":
                    endpoint, _values = adapter.match(target, method="POST")
                    assert ("page_token" in dict(form.pairs(None))) is (endpoint in public), (address, endpoint)
                    found.add(endpoint)
    by_links = {"accounts.reset_submit", "accounts.code_submit", "accounts.set_up_submit"}
    by_providers = {"accounts.invitation_by", "accounts.confirm_invitation_submit"}  # see `test_single_sign_on`
    assert public - by_links - by_providers <= found, "the others are tried above"


def sign_out_form(client: CheckedClient) -> Form:
    """The form of an open page."""
    return form_in(client.get("/min-bruker"), button="Logg ut")


def test_signing_out_from_a_page_whose_visit_has_ended(own_house: House) -> None:
    client = own_house.nobody()
    send(client, sign_in_form(client), OURS)
    form = sign_out_form(client)
    end_all_visits(own_house)
    answer = send(client, form, OURS)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/logg-inn")


def test_signing_out_from_a_page_of_an_earlier_visit(own_house: House) -> None:
    """The user has signed in again in another tab: the old page asks for confirmation, with a working form."""
    client = own_house.nobody()
    send(client, sign_in_form(client), OURS)
    old = sign_out_form(client)
    end_all_visits(own_house)
    send(client, sign_in_form(client), OURS)
    asked = send(client, old, OURS)
    assert asked.status_code == 400
    assert is_in(client)
    assert "logget inn som kari.oslo" in text_of(asked)
    assert send(client, form_in(asked, button="Ja, logg ut"), OURS).status_code == 303
    assert not is_in(client)


def test_another_site_signs_nobody_out(own_house: House) -> None:
    client = own_house.nobody()
    send(client, sign_in_form(client), OURS)
    for headers in ({}, {"Origin": "https://fremmed.example"}):
        assert client.post("/logg-ut", headers=headers).status_code == 400
        assert is_in(client)
