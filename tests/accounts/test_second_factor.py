"""The second factor: set up at the first sign-in, then required, each code once, recovered, reset."""

import json
import re
from urllib.parse import unquote

import pytest
from sqlalchemy import select, update

from services.accounts import second_factor, throttle
from services.accounts.passwords import hash_password
from services.core.db import now
from services.demo import PASSWORD
from services.tables.accounts import RecoveryCode, SignInFailure, User, UserSession
from services.tables.participants import AccessEntry
from tests.support.client import CheckedClient, form_in, text_of
from tests.support.house import Clock, House
from tests.support.letters import letters_to
from tests.support.second_factor import code_of, codes_on, enrol, forget, give_password, secret_on, send_code
from tests.support.users import id_of
from tests.support.visits import key_of, visit

WRONG = "Koden er feil"


def is_in(client: CheckedClient) -> bool:
    return client.get("/min-bruker").status_code == 200


def test_set_up_at_the_first_sign_in(strict: House) -> None:
    client = strict.nobody()
    page = give_password(client, "kari.oslo")
    assert page.request.path == "/logg-inn/oppsett"
    secret = secret_on(page)
    picture = re.search(r'<img class="qr" src="data:image/svg\+xml;[^,]*,([^"]+)"', page.text)
    assert picture
    assert "<svg" in unquote(picture[1])
    assert secret_on(client.get("/logg-inn/oppsett")) == secret, "a reload does no harm"
    for partial in (False, True):
        wrong = send_code(client, page, "000000", partial=partial)
        assert (wrong.status_code, WRONG in text_of(wrong)) == (422, True)
    codes_page = send_code(client, page, f" {code_of(secret)[:3]} {code_of(secret)[3:]} ", follow_redirects=True)
    codes = codes_on(codes_page)
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    assert codes_on(client.get("/min-bruker/koder")) == codes, "until she has stored them"
    on = client.submit(codes_page, button="Jeg har tatt vare på kodene", follow_redirects=True)
    assert on.request.path == "/hjelp", "where she wanted to go"
    later = client.get("/min-bruker/koder")
    assert not codes_on(later)
    assert "10 ubrukte koder" in text_of(later)
    stored = strict.ask(select(User.totp_secret).where(User.username == "kari.oslo"))[0][0]
    assert secret not in stored
    hashes = str([row.code_hash for row in strict.ask(select(RecoveryCode.code_hash))])
    assert not any(code.replace("-", "") in hashes for code in codes)


def test_between_the_steps_one_session_without_rights(strict: House) -> None:
    secret, _codes = enrol(strict, "berit.bergen")
    client = strict.nobody()
    page = give_password(client, "berit.bergen")
    assert page.request.path == "/logg-inn/kode"
    halfway = key_of(client)
    assert visit(strict, halfway).user_id is None
    for address in ("/deltakere", "/min-bruker", "/brukere", "/"):
        assert client.get(address).status_code == 303
        assert client.get_partial(address).status_code == 401
    done = send_code(client, page, code_of(secret), follow_redirects=True)
    assert done.request.path == "/hjelp"
    assert visit(strict, halfway) is None
    assert visit(strict, key_of(client)).user_id == id_of(strict, "berit.bergen")
    actions = [row.action for row in strict.ask(select(AccessEntry.action).order_by(AccessEntry.id))]
    assert actions[-1] == "sign_in"


def test_each_code_once(strict: House) -> None:
    secret, _codes = enrol(strict, "siri.vern")
    code = code_of(secret)
    first, second = strict.nobody(), strict.nobody()
    pages = [give_password(client, "siri.vern") for client in (first, second)]
    assert send_code(first, pages[0], code).status_code == 303
    replayed = send_code(second, pages[1], code)
    assert (replayed.status_code, WRONG in text_of(replayed)) == (422, True)
    assert send_code(second, pages[1], code_of(secret, -1)).status_code == 422, "nor an older one"
    assert send_code(second, pages[1], code_of(secret, 1)).status_code == 303


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_step_early_or_late(strict: House, steps: int, taken: bool) -> None:
    username = "anne.tokommuner"
    secret, _codes = enrol(strict, username)
    strict.write(update(User).where(User.username == username).values(totp_counter=None))
    strict.write(update(SignInFailure).values(number=0))
    client = strict.nobody()
    page = give_password(client, username)
    answer = send_code(client, page, code_of(secret, steps))
    assert (answer.status_code == 303) == taken


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "\0", "٠٠٠٠٠٠", "x" * 5000, "kode" * 3])
def test_what_is_no_code(strict: House, code: str) -> None:
    if not strict.ask(select(User.id).where(User.username == "ida.imdi", User.totp_secret.is_not(None))):
        enrol(strict, "ida.imdi")
    strict.write(update(SignInFailure).values(number=0))
    client = strict.nobody()
    page = give_password(client, "ida.imdi")
    assert send_code(client, page, code).status_code == 422
    assert not is_in(client)


def test_a_recovery_code_opens_once(strict: House) -> None:
    _secret, codes = enrol(strict, "kari.oslo")
    client = strict.nobody()
    page = give_password(client, "kari.oslo")
    assert send_code(client, page, codes[3].upper().replace("-", " ")).status_code == 303
    assert "9 ubrukte koder" in text_of(client.get("/min-bruker/koder"))
    again = strict.nobody()
    assert send_code(again, give_password(again, "kari.oslo"), codes[3]).status_code == 422
    assert "recovery_code_used" in [row.action for row in strict.ask(select(AccessEntry.action))]
    other = strict.nobody()
    enrol(strict, "berit.bergen")
    assert send_code(other, give_password(other, "berit.bergen"), codes[4]).status_code == 422, "hers alone"


def test_new_recovery_codes_kill_the_old(strict: House) -> None:
    secret, old = enrol(strict, "kari.oslo")
    client = strict.nobody()
    send_code(client, give_password(client, "kari.oslo"), code_of(secret))
    page = client.get("/min-bruker/koder")
    wrong = client.submit(page, button="Lag nye koder", fill={"Engangskode": "123456"}, follow_redirects=True)
    assert WRONG in text_of(wrong)
    assert not codes_on(wrong)
    right = client.submit(page, button="Lag nye koder", fill={"Engangskode": code_of(secret, 1)}, follow_redirects=True)
    new = codes_on(right)
    assert len(new) == 10
    assert not set(new) & set(old)
    again = strict.nobody()
    assert send_code(again, give_password(again, "kari.oslo"), old[0]).status_code == 422


def test_guesses_at_the_code_are_slowed_down(strict: House, clock: Clock) -> None:
    secret, _codes = enrol(strict, "siri.vern")
    client = strict.nobody()
    page = give_password(client, "siri.vern")
    heard = [send_code(client, page, f"{number:06}").status_code for number in range(throttle.FACTOR.free + 1)]
    assert heard[:-1] == [422] * throttle.FACTOR.free
    assert heard[-1] == 429
    assert send_code(client, page, code_of(secret)).status_code == 429
    assert not is_in(client)


@pytest.mark.parametrize("how", ["blocked", "another password", "too late"])
def test_what_happens_between_the_steps_ends_them(strict: House, how: str) -> None:
    secret, _codes = enrol(strict, "kari.oslo")
    client = strict.nobody()
    page = give_password(client, "kari.oslo")
    kari = update(User).where(User.username == "kari.oslo")
    if how == "blocked":
        strict.write(kari.values(blocked_at=now()))
    elif how == "another password":
        strict.write(kari.values(password_hash=hash_password("en helt annen regle")))
    else:
        kept = visit(strict, key_of(client))
        data = {**kept.data, "halfway": {**kept.data["halfway"], "until": 0}}
        strict.write(update(UserSession).where(UserSession.key_hash == kept.key_hash).values(data=data))
    answer = send_code(client, page, code_of(secret))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/logg-inn?neste=/hjelp")
    assert not is_in(client)
    strict.write(kari.values(blocked_at=None, password_hash=hash_password(PASSWORD)))


def test_the_administrator_resets_it(strict: House) -> None:
    secret, _codes = enrol(strict, "admin.bergen")
    admin = strict.nobody()
    send_code(admin, give_password(admin, "admin.bergen"), code_of(secret))
    hers, codes = enrol(strict, "berit.bergen")
    berit = strict.nobody()
    send_code(berit, give_password(berit, "berit.bergen"), code_of(hers))
    assert is_in(berit)
    page = admin.get(f"/brukere/{id_of(strict, 'berit.bergen')}")
    assert "Satt opp" in text_of(page)
    done = admin.submit(page, button="Nullstill engangskoder", follow_redirects=True)
    assert "Ikke satt opp" in text_of(done)
    assert not is_in(berit), "her visits end"
    assert "kode-app" in letters_to(strict.app, "berit.bergen@example.org")[-1].subject
    assert "factor_reset" in [row.action for row in strict.ask(select(AccessEntry.action))]
    again = strict.nobody()
    page = give_password(again, "berit.bergen")
    assert page.request.path == "/logg-inn/oppsett"
    assert secret_on(page) != hers
    assert send_code(again, page, codes[0]).status_code == 422


def test_a_second_telephone_cannot_be_set_up_beside_the_first(strict: House) -> None:
    forget(strict, "kari.oslo")
    first, second = strict.nobody(), strict.nobody()
    pages = [give_password(client, "kari.oslo") for client in (first, second)]
    secrets = [secret_on(page) for page in pages]
    assert secrets[0] != secrets[1]
    assert send_code(first, pages[0], code_of(secrets[0])).status_code == 303
    late = send_code(second, pages[1], code_of(secrets[1]), follow_redirects=True)
    assert late.request.path == "/logg-inn"
    assert not is_in(second)


def test_without_the_first_step_there_is_no_second(strict: House) -> None:
    client = strict.nobody()
    token = form_in(client.get("/logg-inn")).value("csrf_token")
    for address in ("/logg-inn/kode", "/logg-inn/oppsett"):
        assert client.get(address).headers["Location"] == "/logg-inn"
        answer = client.post(address, data={"csrf_token": token, "code": "123456"})
        assert answer.headers["Location"] == "/logg-inn"
    assert not is_in(client)


def test_where_it_is_off_nobody_is_asked(own_house: House) -> None:
    client = own_house.nobody()
    assert client.login("kari.oslo").request.path == "/deltakere"
    assert "bruker ikke engangskoder" in text_of(client.get("/min-bruker/koder"))


def test_signing_in_again_over_the_page_asks_for_the_code_there(strict: House) -> None:
    secret, _codes = enrol(strict, "kari.oslo")
    client = strict.nobody()
    fill = {"Brukernavn": "kari.oslo", "Passord": PASSWORD}
    first = client.submit(
        client.get("/logg-inn"), button="Logg inn", fill=fill, extra={"kept_for": "kari.oslo"}, partial=True
    )
    assert "Skriv engangskoden" in text_of(first)
    wrong = send_code(client, first, "000000", partial=True)
    assert (wrong.status_code, WRONG in text_of(wrong)) == (422, True)
    right = send_code(client, wrong, code_of(secret), partial=True)
    assert (right.status_code, right.headers["HX-Reswap"]) == (200, "none")
    token = json.loads(right.headers["HX-Trigger"])["innlogget"]["token"]
    assert client.post("/logg-ut", data={"csrf_token": token}).status_code == 303, "the page's forms go on with it"
