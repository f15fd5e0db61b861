"""The stand-in servers themselves: their checks, running them, and the development key."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import RSAKey

from services.registers.folkeregisteret import FolkeregisteretClient, MaskinportenTokens
from services.registers.folkeregisteret.client import PARTS, PATH
from services.registers.folkeregisteret.maskinporten import GRANT_TYPE, SCOPE
from services.registers.pad import PadClient
from services.standins import control as standin_control
from services.standins.keys import load_or_create_key, new_key_pem, public_key_pem
from services.standins.pad import results_of
from services.standins.population import people, persons
from services.standins.run import Standins, start_standins

CLIENT_ID, KEY_ID = "en-klient", "en-nokkel"
KEY = new_key_pem()


@pytest.fixture(scope="module")
def standins() -> Iterator[Standins]:
    people()
    with start_standins(client_id=CLIENT_ID, key_id=KEY_ID, public_key_pem=public_key_pem(KEY)) as running:
        yield running


@pytest.fixture(scope="module")
def base_url(standins: Standins) -> str:
    return standins.freg.base_url


@pytest.fixture(scope="module")
def token(base_url: str) -> str:
    return MaskinportenTokens(base_url=base_url, client_id=CLIENT_ID, key_pem=KEY, key_id=KEY_ID).token()


def get(base_url: str, number: str, *parts: str, token: str, accept: str = "application/json") -> requests.Response:
    headers = {"Authorization": f"Bearer {token}", "Accept": accept}
    query = [("part", part) for part in parts]
    return requests.get(f"{base_url}{PATH}{number}", query, headers=headers, timeout=10)


# Maskinporten


def claims(base_url: str, **changes: object) -> dict[str, object]:
    now = int(time.time())
    claims: dict[str, object] = {
        "aud": f"{base_url}/",
        "iss": CLIENT_ID,
        "scope": SCOPE,
        "iat": now,
        "exp": now + 100,
        "jti": str(time.perf_counter_ns()),
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def grant(
    base_url: str, claims: dict[str, object], *, key: bytes = KEY, kid: str = KEY_ID, grant_type: str = GRANT_TYPE
) -> requests.Response:
    assertion = jwt.encode({"alg": "RS256", "kid": kid}, claims, RSAKey.import_key(key))
    form = {"grant_type": grant_type, "assertion": assertion}
    return requests.post(f"{base_url}/token", form, timeout=10)


def test_a_request_in_order_gets_a_token_for_two_minutes(base_url: str) -> None:
    body = grant(base_url, claims(base_url)).json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 120, SCOPE)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"aud": "https://maskinporten.no/"}, "invalid_grant"),
        ({"aud": None}, "invalid_grant"),
        ({"iss": "en-annen"}, "invalid_client"),
        ({"scope": "folkeregister:deling/annet"}, "invalid_scope"),
        ({"jti": None}, "invalid_grant"),
        ({"iat": None}, "invalid_grant"),
        ({"exp": "snart"}, "invalid_grant"),
        ({"resource": "https://folkeregisteret"}, "invalid_grant"),
    ],
)
def test_each_claim_is_checked(base_url: str, changes: dict[str, object], error: str) -> None:
    answer = grant(base_url, claims(base_url, **changes))
    assert answer.status_code in {400, 401}
    assert answer.json()["error"] == error


def test_the_audience_needs_its_slash(base_url: str) -> None:
    assert grant(base_url, claims(base_url, aud=base_url)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("issued", "expires"), [(0, 121), (-300, -200), (60, 120), (0, 0), (0, -1)])
def test_the_times_are_checked(base_url: str, issued: int, expires: int) -> None:
    now = int(time.time())
    answer = grant(base_url, claims(base_url, iat=now + issued, exp=now + expires))
    assert answer.json()["error"] == "invalid_grant"


def test_an_assertion_is_good_once(base_url: str) -> None:
    same = claims(base_url)
    assert grant(base_url, same).status_code == 200
    assert grant(base_url, same).json()["error"] == "invalid_grant"


def test_the_signature_the_key_and_the_grant_are_checked(base_url: str) -> None:
    assert grant(base_url, claims(base_url), key=new_key_pem()).json()["error"] == "invalid_grant"
    assert grant(base_url, claims(base_url), kid="annen").json()["error"] == "invalid_client"
    other = grant(base_url, claims(base_url), grant_type="client_credentials")
    assert other.json()["error"] == "unsupported_grant_type"
    nonsense = {"grant_type": GRANT_TYPE, "assertion": "a.b.c"}
    assert requests.post(f"{base_url}/token", nonsense, timeout=10).json()["error"] == "invalid_grant"


# Folkeregisteret


def test_only_what_was_asked_for_is_answered_and_the_number_always(base_url: str, token: str) -> None:
    number = next(persons(1)).number
    document = get(base_url, number, "navn", "foedsel", token=token).json()
    assert document.keys() == {"identifikasjonsnummer", "navn", "foedsel"}
    assert document["identifikasjonsnummer"][0]["foedselsEllerDNummer"] == number


def test_without_parts_all_but_innflytting_is_answered(base_url: str, token: str) -> None:
    number = next(persons(1, "several_arrivals")).number
    assert "innflytting" not in get(base_url, number, token=token).json()
    assert "innflytting" not in get(base_url, number, "person-basis", token=token).json()


def test_the_past_comes_with_historikk_alone(base_url: str, token: str) -> None:
    person = next(persons(1, "several_arrivals"))
    now = get(base_url, person.number, "innflytting", token=token).json()["innflytting"]
    ever = get(base_url, person.number, "innflytting", "historikk", token=token).json()["innflytting"]
    assert [each["erGjeldende"] for each in now] == [True]
    assert sorted(each["erGjeldende"] for each in ever) == [False] * (len(person.arrivals) - 1) + [True]


def test_a_person_with_a_d_number_has_no_home(base_url: str, token: str) -> None:
    document = get(base_url, next(persons(1, "d_number")).number, *PARTS, token=token).json()
    assert "bostedsadresse" not in document
    assert document["identifikasjonsnummer"][0]["identifikatortype"] == "dNummer"


def test_capitals_and_natural_case_both_occur(base_url: str, token: str) -> None:
    names = {
        get(base_url, person.number, "navn", token=token).json()["navn"][0]["etternavn"].isupper()
        for person in persons(12)
    }
    assert names == {True, False}


def test_refusals_are_in_the_own_words_of_the_register(base_url: str, token: str) -> None:
    number = next(persons(1)).number
    answers = {
        400: get(base_url, number, "navn", "formue", token=token),
        401: get(base_url, number, "navn", token="annet"),
        404: get(base_url, "03851598730", "navn", token=token),
        406: get(base_url, number, "navn", token=token, accept="text/html"),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.json().keys() == {"kode", "melding"}
    assert get(base_url, "20036914712", "navn", token=token).status_code == 400


# Control


def test_unknown_failures_and_other_callers_are_refused(base_url: str) -> None:
    url = base_url + standin_control.FAIL_PATH
    assert requests.post(url, json={"kind": "fire"}, timeout=10).status_code == 400
    assert requests.post(url, json={"kind": "500", "odd": 1}, timeout=10).status_code == 400
    assert requests.post(url, {"kind": "500"}, timeout=10).status_code == 403  # as a web page could send it
    assert requests.get(url, timeout=10).status_code == 403


def test_control_says_when_nobody_listens(standins: Standins) -> None:
    gone = start_standins(client_id=CLIENT_ID, key_id=KEY_ID, public_key_pem=public_key_pem(KEY))
    gone.stop()
    with pytest.raises(OSError):  # noqa: PT011 - any kind of refused connection
        standin_control.fail(gone.freg.base_url, "500")


def test_stopping_does_not_wait_for_those_that_are_kept_waiting() -> None:
    running = start_standins(client_id=CLIENT_ID, key_id=KEY_ID, public_key_pem=public_key_pem(KEY))
    standin_control.fail(running.pad.base_url, "slow")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(requests.post, running.pad.base_url + "/resultater", json={}, timeout=60)
        running.stop()
        assert waiting.exception() is not None or waiting.result().status_code == 500


PROGRAM = """
import sys
from pathlib import Path
from services.standins.keys import load_or_create_key, public_key_pem
from services.standins.run import serve_standins

def started(standins):
    print(standins.freg.base_url, standins.pad.base_url, flush=True)

serve_standins(
    client_id="en-klient", key_id="en-nokkel", public_key_pem=public_key_pem(load_or_create_key(Path(sys.argv[1]))),
    freg_address=("127.0.0.1", 0), pad_address=("127.0.0.1", 0), started=started,
)
print("ended")
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_process_of_its_own_serves_until_it_is_told_to_end(tmp_path: Path, how: signal.Signals) -> None:
    key = tmp_path / "key.pem"
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(key)], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        freg, pad = process.stdout.readline().split()
        tokens = MaskinportenTokens(base_url=freg, client_id=CLIENT_ID, key_pem=load_or_create_key(key), key_id=KEY_ID)
        person = next(persons(1))
        client = FolkeregisteretClient(base_url=freg, token_source=tokens, timeout=(10, 60))
        assert client.look_up(person.number) == person.record()
        assert PadClient(base_url=pad, timeout=(10, 60)).results(person.number) == results_of(person)
        process.send_signal(how)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "ended\n", "")


# The key


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "instance" / "key.pem"
    with ThreadPoolExecutor(4) as pool:
        keys = set(pool.map(lambda _: load_or_create_key(path), range(4)))
    assert keys == {path.read_bytes()}
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert b"PRIVATE" not in public_key_pem(path.read_bytes())


@pytest.mark.parametrize("content", [b"", b"nonsense", public_key_pem(KEY)], ids=["empty", "nonsense", "public"])
def test_a_file_without_a_private_key_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(ValueError):  # noqa: PT011 - the library's own texts
        load_or_create_key(path)
    assert path.read_bytes() == content
