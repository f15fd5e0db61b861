"""Passwords: throttled guesses, forgotten passwords, and changes."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from statistics import median

import pytest
from sqlalchemy import delete, select, update
from werkzeug.test import TestResponse

from services.accounts import throttle
from services.accounts.passwords import hash_password
from services.core.db import now
from services.demo import PASSWORD
from services.tables.accounts import AccountLink, SignInFailure, User
from services.tables.participants import AccessEntry
from tests.support import hashing
from tests.support.client import CheckedClient, text_of
from tests.support.guessing import number_of, try_to
from tests.support.house import Clock, House
from tests.support.letters import last_path, letters_to

NEW = "gul sykkel på stille vann"
PACE = throttle.PASSWORD


@pytest.mark.parametrize("username", ["kari.oslo", "finnes.ikke"])
def test_guesses_at_one_user_are_slowed_down_wherever_they_come_from(
    own_house: House, clock: Clock, username: str
) -> None:
    own_house.write(delete(SignInFailure))  # from the test before, whose clock differs
    clients = [own_house.nobody() for _guess in range(PACE.free)]
    known = own_house.nobody()
    try_to(known, "kari.oslo", PASSWORD)
    known.logout()
    before = len(letters_to(own_house.app, "kari.oslo@example.org"))
    statuses = {try_to(one, username, "feil", f"192.0.{place}.1").status_code for place, one in enumerate(clients)}
    assert statuses == {422}
    too_fast = try_to(own_house.nobody(), username, PASSWORD, "192.0.200.1")
    assert too_fast.status_code == 429
    assert "For mange forsøk. Vent 1 sekund" in text_of(too_fast)
    told = letters_to(own_house.app, "kari.oslo@example.org")[before:]
    assert [letter.subject[:20] for letter in told] == (["Mange mislykkede inn"] if username == "kari.oslo" else [])
    assert try_to(own_house.nobody(), "ida.imdi", PASSWORD, "192.0.1.1").status_code == 303, "nobody else is held back"
    assert try_to(known, username, PASSWORD, "192.0.200.1").status_code == (303 if username == "kari.oslo" else 429)
    clock.wait(throttle.FORGOTTEN_AFTER.total_seconds() + 1)


def test_a_device_is_known_for_its_users_only_and_cannot_be_made(own_house: House, clock: Clock) -> None:
    device = own_house.nobody()
    try_to(device, "ida.imdi", PASSWORD)
    device.logout()
    cookie = device.get_cookie("enhet")
    assert cookie is not None
    assert cookie.http_only
    for guess in range(PACE.free):
        try_to(own_house.nobody(), "anne.tokommuner", "feil", f"198.18.{guess}.1")
    assert try_to(device, "anne.tokommuner", PASSWORD).status_code == 429
    forged = own_house.nobody()
    forged.set_cookie("enhet", cookie.value[:-3] + "abc")
    for guess in range(PACE.free):
        try_to(own_house.nobody(), "ida.imdi", "feil", f"198.18.{guess}.1")
    assert try_to(forged, "ida.imdi", PASSWORD).status_code == 429
    for _guess in range(PACE.free):
        assert try_to(device, "ida.imdi", "feil").status_code == 422
    assert try_to(device, "ida.imdi", PASSWORD).status_code == 429, "a stolen device guesses no faster"
    clock.wait(throttle.FORGOTTEN_AFTER.total_seconds() + 1)


def test_each_failure_doubles_the_wait_up_to_a_limit_and_the_right_password_ends_it(
    own_house: House, clock: Clock
) -> None:
    client = own_house.nobody()

    def guess() -> TestResponse:
        return try_to(client, "berit.bergen", "feil", "192.0.2.20")

    assert {guess().status_code for _guess in range(PACE.free)} == {422}
    for wait in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900):
        told = f"Vent {wait} sekund" if wait < 120 else f"Vent {-(-wait // 60)} minutter"
        assert told in text_of(guess())
        clock.wait(wait - 0.5)
        assert guess().status_code == 429
        clock.wait(0.5)
        assert guess().status_code == 422
    clock.wait(900)
    assert try_to(client, "berit.bergen", PASSWORD, "192.0.2.20").status_code == 303
    assert {try_to(own_house.nobody(), "berit.bergen", "feil", "192.0.2.20").status_code for _two in range(2)} == {422}


def test_what_comes_too_early_is_not_heard_and_makes_nothing_worse(own_house: House, clock: Clock) -> None:
    address = "192.0.2.30"
    client = own_house.nobody()
    for _guess in range(PACE.free):
        try_to(client, "siri.vern", "feil", address)
    for _impatient in range(20):
        assert try_to(client, "siri.vern", PASSWORD, address).status_code == 429
    clock.wait(1)
    assert try_to(client, "siri.vern", PASSWORD, address).status_code == 303


@pytest.mark.parametrize(
    ("address", "same", "other"),
    [
        ("203.0.113.7", "203.0.113.200", "203.0.114.7"),
        ("203.0.115.7", "::ffff:203.0.115.9", "::ffff:203.0.116.9"),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"),
    ],
)
def test_a_network_may_be_wrong_300_times_an_hour(
    own_house: House, clock: Clock, address: str, same: str, other: str
) -> None:
    device = own_house.nobody()
    assert try_to(device, "kari.oslo", PASSWORD, address).status_code == 303
    device.logout()
    network, client = throttle.network_of(address), own_house.nobody()
    assert try_to(client, "bruker.1", "feil", address).status_code == 422
    assert number_of(own_house, throttle.NETWORK, network) == 1, "the failure is counted, what was right is not"
    key = own_house.app.extensions["outbox"].vault.digest(throttle.NETWORK.name, network)
    own_house.write(update(SignInFailure).where(SignInFailure.key_hash == key).values(number=299))
    clock.wait(1800)
    assert try_to(client, "bruker.2", "feil", same).status_code == 422
    assert try_to(client, "bruker.3", "feil", same).status_code == 429
    assert "Vent 30 minutter" in text_of(try_to(own_house.nobody(), "berit.bergen", PASSWORD, same))
    assert try_to(device, "kari.oslo", PASSWORD, same).status_code == 303, "a known device gets through"
    assert try_to(own_house.nobody(), "berit.bergen", PASSWORD, other).status_code == 303
    clock.wait(1801)
    assert try_to(own_house.nobody(), "berit.bergen", PASSWORD, same).status_code == 303


@pytest.mark.parametrize("password", ["feil", PASSWORD])
def test_twenty_at_once_are_counted_exactly(own_house: House, clock: Clock, password: str) -> None:
    names = ["siri.vern", "berit.bergen"]

    def guess(number: int) -> int:
        return try_to(own_house.nobody(), names[number % 2], password, "198.51.77.1").status_code

    before = number_of(own_house, throttle.NETWORK, "198.51.77.0/24")
    with ThreadPoolExecutor(20) as pool:
        heard = list(pool.map(guess, range(20)))
    wrong = password == "feil"
    assert set(heard) == {422 if wrong else 303}
    assert number_of(own_house, throttle.NETWORK, "198.51.77.0/24") - before == (20 if wrong else 0)
    assert [number_of(own_house, PACE, name) for name in names] == [10 * wrong] * 2
    clock.wait(throttle.FORGOTTEN_AFTER.total_seconds() + 1)
    try_to(own_house.nobody(), "rydder", "feil")  # old rows are deleted


def test_failures_are_forgotten(own_house: House, clock: Clock) -> None:
    client = own_house.nobody()
    for _guess in range(PACE.free):
        try_to(client, "ida.imdi", "feil", "192.0.2.50")
    assert try_to(client, "ida.imdi", "feil", "192.0.2.50").status_code == 429
    clock.wait(throttle.FORGOTTEN_AFTER.total_seconds() + 1)
    assert [try_to(client, "ida.imdi", "feil", "192.0.2.50").status_code for _two in range(2)] == [422, 422]


def test_neither_names_nor_addresses_are_kept(own_house: House) -> None:
    try_to(own_house.nobody(), "hemmelig.navn", "feil", "192.0.2.60")
    kept = str([tuple(row) for row in own_house.ask(select(SignInFailure.key_hash))])
    assert "hemmelig" not in kept
    assert "192.0.2" not in kept


@pytest.fixture
def real_hashing(own_house: House) -> Iterator[None]:
    """Hash as in production, for Kari."""
    hashing.use(hashing.REAL)
    kari = update(User).where(User.username == "kari.oslo")
    own_house.write(kari.values(password_hash=hash_password(PASSWORD)))
    yield
    hashing.hash_cheaply()
    own_house.write(kari.values(password_hash=hash_password(PASSWORD)))


@pytest.mark.usefixtures("real_hashing")
def test_an_unknown_user_takes_as_long_as_a_known_one(own_house: House) -> None:
    taken: dict[str, list[float]] = {"kari.oslo": [], "finnes.ikke": []}
    client = own_house.nobody()
    for round_number in range(9):
        for username, times in taken.items():
            begin = time.perf_counter()
            try_to(client, username, "feil", f"198.51.100.{round_number}")
            times.append(time.perf_counter() - begin)
    known, unknown = (median(times) for times in taken.values())
    assert 0.5 < known / unknown < 2, (known, unknown)


# ---- Forgotten ----


def ask(client: CheckedClient, whom: str) -> TestResponse:
    page = client.follow(client.get("/logg-inn"), "Glemt passordet?")
    return client.submit(page, button="Send lenke", fill={"Brukernavn eller e-post": whom})


def test_a_forgotten_password_is_replaced_by_a_link_that_works_once(own_house: House) -> None:
    elsewhere = own_house.nobody()
    elsewhere.login("anne.tokommuner")
    ask(own_house.nobody(), " Anne.Tokommuner ")
    path = last_path(own_house.app, "anne.tokommuner@example.org")
    client = own_house.nobody()
    page = client.get(path)
    assert "anne.tokommuner" in text_of(page)
    for partial in (False, True):
        wrong = client.submit(
            page, button="Lagre passordet", fill={"Nytt passord": NEW, "Gjenta passordet": "x"}, partial=partial
        )
        assert (wrong.status_code, "ikke like" in text_of(wrong)) == (422, True)
    fill = {"Nytt passord": NEW, "Gjenta passordet": NEW}
    done = client.submit(page, button="Lagre passordet", fill=fill, follow_redirects=True)
    assert done.request.path == "/deltakere"
    assert elsewhere.get("/deltakere").status_code == 303, "her other visits have ended"
    assert client.get("/deltakere").status_code == 200
    assert own_house.nobody().get(path).status_code == 410
    own_house.nobody().login("anne.tokommuner", NEW)
    actions = [row.action for row in own_house.ask(select(AccessEntry.action))]
    assert "password_asked" in actions
    assert "password_changed" in actions
    own_house.write(
        update(User).where(User.username == "anne.tokommuner").values(password_hash=hash_password(PASSWORD))
    )


def test_the_same_is_said_whoever_is_asked_for(own_house: House) -> None:
    own_house.write(update(User).where(User.username == "ida.imdi").values(blocked_at=now()))
    heard = set()
    for whom in ("kari.oslo", "KARI.OSLO@example.org", "ida.imdi", "finnes.ikke", "a@b.no", "<b>"):
        answer = ask(own_house.nobody(), whom)
        heard.add((answer.status_code, re.sub(r'value="[^"]*"', "", answer.text)))
    assert len(heard) == 1
    assert "søppelpost (spam)" in heard.pop()[1]
    sent = [letter.subject for letter in letters_to(own_house.app, "kari.oslo@example.org")]
    assert sent.count("Nytt passord i Jobbsjanseregisteret") == 2
    to_blocked = [letter.subject for letter in letters_to(own_house.app, "ida.imdi@example.org")]
    assert "Nytt passord i Jobbsjanseregisteret" not in to_blocked
    own_house.write(update(User).where(User.username == "ida.imdi").values(blocked_at=None))
    assert ask(own_house.nobody(), " ").status_code == 422


def test_nobody_is_flooded_with_e_mails(own_house: House, clock: Clock) -> None:
    before = len(letters_to(own_house.app, "siri.vern@example.org"))
    heard = [ask(own_house.nobody(), "siri.vern").status_code for _time in range(throttle.RESET.free + 3)]
    assert heard[-1] == 429
    assert len(letters_to(own_house.app, "siri.vern@example.org")) - before == throttle.RESET.free


@pytest.mark.parametrize("how", ["old", "replaced", "tampered", "blocked", "an invitation"])
def test_a_dead_link_to_a_new_password(own_house: House, how: str) -> None:
    username = "berit.bergen"
    own_house.write(update(SignInFailure).values(number=0))
    ask(own_house.nobody(), username)
    path = last_path(own_house.app, f"{username}@example.org")
    form = own_house.nobody()
    page = form.get(path)
    assert page.status_code == 200
    if how == "old":
        own_house.write(update(AccountLink).values(expires_at=now() - timedelta(seconds=1)))
    elif how == "replaced":
        ask(own_house.nobody(), username)
    elif how == "blocked":
        own_house.write(update(User).where(User.username == username).values(blocked_at=now()))
    elif how == "tampered":
        path += "x"
    else:
        path = path.replace("/nytt-passord/", "/invitasjon/")
    dead = own_house.nobody().get(path)
    assert dead.status_code == 410
    assert "Be om ny lenke" in text_of(dead)
    if how in {"old", "replaced", "blocked"}:
        fill = {"Nytt passord": NEW, "Gjenta passordet": NEW}
        late = form.submit(page, button="Lagre passordet", fill=fill, follow_redirects=True)
        assert late.status_code == 410
    own_house.write(update(User).where(User.username == username).values(blocked_at=None))
    own_house.nobody().login(username)


# ---- Changed by the user ----


@pytest.mark.parametrize("partial", [False, True])
def test_she_changes_it_herself(own_house: House, partial: bool) -> None:
    client, elsewhere = own_house.nobody(), own_house.nobody()
    page = client.login("kari.oslo")
    elsewhere.login("kari.oslo")
    own = client.follow(page, "Kari Østlie")
    fill = {"Passordet du har nå": PASSWORD, "Nytt passord": NEW, "Gjenta passordet": NEW}
    wrongs = {
        "Passordet du har nå": ("feil", "Passordet er feil"),
        "Nytt passord": ("kort", "minst 12 tegn"),
        "Gjenta passordet": ("noe annet", "ikke like"),
    }
    for label, (typed, problem) in wrongs.items():
        wrong = client.submit(own, button="Endre passordet", fill=fill | {label: typed}, partial=partial)
        assert (wrong.status_code, problem in text_of(wrong)) == (422, True)
    done = client.submit(own, button="Endre passordet", fill=fill, partial=partial)
    assert (done.headers.get("HX-Redirect") or done.headers.get("Location")) == "/min-bruker"
    assert "Passordet er endret" in text_of(client.get("/min-bruker"))
    assert client.get("/deltakere").status_code == 200
    assert elsewhere.get("/deltakere").status_code == 303
    assert "er endret" in letters_to(own_house.app, "kari.oslo@example.org")[-1].subject
    own_house.nobody().login("kari.oslo", NEW)
    own_house.write(update(User).where(User.username == "kari.oslo").values(password_hash=hash_password(PASSWORD)))


@pytest.mark.usefixtures("real_hashing")
def test_it_is_stored_as_argon2id_with_the_parameters_of_rfc_9106(own_house: House) -> None:
    (stored,) = own_house.ask(select(User.password_hash).where(User.username == "kari.oslo"))[0]
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
