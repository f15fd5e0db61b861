"""Single sign-on: with an honest provider, and with a lying one."""

import html
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from sqlalchemy import delete, select, update
from werkzeug.test import TestResponse

from services.core.db import now
from services.demo import PASSWORD
from services.registers.http import CircuitBreaker
from services.tables.accounts import AccountLink, Identity, User, UserSession
from services.tables.participants import AccessEntry
from tests.support.client import CheckedClient, text_of
from tests.support.databases import DIALECTS, Databases
from tests.support.hostile_provider import CLIENT_ID, SECRET, HostileProvider, hostile_provider
from tests.support.house import House, running_house
from tests.support.invitations import invite
from tests.support.letters import last_path, letters_to
from tests.support.second_factor import code_of, give_password, secret_on, send_code
from tests.support.users import id_of
from tests.support.visits import key_of

BACK = "/logg-inn/med/idporten/tilbake"
BASE = "https://register.example"


@pytest.fixture(scope="module")
def providers() -> Iterator[tuple[HostileProvider, HostileProvider]]:
    """Two providers: one with levels of assurance as ID-porten's, one without, as Entra ID."""
    with hostile_provider() as one, hostile_provider() as other:
        yield one, other


@pytest.fixture(scope="module", params=DIALECTS)
def joined(
    request: pytest.FixtureRequest,
    databases: Databases,
    settings: dict[str, str],
    providers: tuple[HostileProvider, HostileProvider],
) -> Iterator[House]:
    """A house with both providers; users of the one without levels need the second factor."""
    more = {
        "OIDC_PROVIDERS": "idporten, entra",
        "OIDC_IDPORTEN_ISSUER": providers[0].issuer,
        "OIDC_IDPORTEN_CLIENT_ID": CLIENT_ID,
        "OIDC_IDPORTEN_CLIENT_SECRET": SECRET,
        "OIDC_IDPORTEN_ACR": "idporten-loa-substantial",
        "OIDC_ENTRA_ISSUER": providers[1].issuer,
        "OIDC_ENTRA_CLIENT_ID": CLIENT_ID,
        "OIDC_ENTRA_KEY_FILE": settings["MASKINPORTEN_KEY_FILE"],
        "OIDC_ENTRA_KEY_ID": "nokkel-9",
        "OIDC_ENTRA_LABEL": "Kommunens pålogging",
        "PUBLIC_URL": BASE,
    }
    with running_house(request.param, databases, {**settings, **more}, participants=0) as made:
        yield made


@pytest.fixture
def idporten(providers: tuple[HostileProvider, HostileProvider], joined: House) -> Iterator[HostileProvider]:
    """The first provider, honest; only kari.oslo has an identity there."""
    there = providers[0]
    kari = id_of(joined, "kari.oslo")
    joined.write(delete(Identity), update(User).where(User.id == kari).values(blocked_at=None))
    joined.write(update(User).values(totp_secret=None))
    tie(joined, "kari.oslo", there)
    yield there
    honest = HostileProvider(issuer=there.issuer, key=there.key)
    for name in ("subject", "sid", "sign", "claims", "header", "metadata", "answer", "checks_verifier", "kid"):
        setattr(there, name, getattr(honest, name))
    forget_description(joined)


@pytest.fixture
def entra(providers: tuple[HostileProvider, HostileProvider], idporten: HostileProvider) -> HostileProvider:
    """The second provider, without identities."""
    return providers[1]


def forget_description(house: House) -> None:
    """Forget the provider's metadata and failures, as after a day."""
    for provider in house.app.extensions["providers"].values():
        provider.server_metadata = {}
        provider._breaker.succeeded()


def tie(house: House, username: str, there: HostileProvider) -> None:
    """Connect the provider's person to the user."""
    known = Identity.__table__.insert()
    user_id = id_of(house, username)
    house.write(known.values(user_id=user_id, issuer=there.issuer, subject=there.subject, created_at=now()))


def at_provider(answer: TestResponse) -> str:
    """The address outside of the program that the browser is redirected to."""
    assert answer.status_code == 303, text_of(answer)
    return str(answer.headers["Location"])


def sent_back(address: str) -> str:
    """Sign in at the provider; returns the path that it redirects back to."""
    back = requests.get(address, allow_redirects=False, timeout=5).headers["Location"]
    assert back.startswith(f"{BASE}/logg-inn/med/"), back
    return back.removeprefix(BASE)


def come_in(client: CheckedClient, start: str = "/logg-inn/med/idporten") -> TestResponse:
    """Sign in by the link on the sign-in page; returns the page after coming back."""
    return client.get(sent_back(at_provider(client.get(start))))


def is_in(client: CheckedClient) -> bool:
    return client.get("/min-bruker").status_code == 200


def failures(house: House) -> list[str]:
    """The reasons of failed sign-ins by providers, from the access log."""
    entries = house.ask(
        select(AccessEntry.detail).where(AccessEntry.action == "sign_in_failed").order_by(AccessEntry.id)
    )
    return [row.detail["why"] for row in entries if row.detail and "provider" in row.detail]


def last_entry(house: House, action: str) -> tuple[int, object]:
    """User and detail of the newest line of that kind in the access log."""
    found = select(AccessEntry.user_id, AccessEntry.detail).where(AccessEntry.action == action)
    row = house.ask(found.order_by(AccessEntry.id.desc()).limit(1))[0]
    return row.user_id, row.detail


# ---- The honest way ----


def test_the_way_in(joined: House, idporten: HostileProvider) -> None:
    client = joined.nobody()
    page = client.get("/logg-inn?neste=/hjelp")
    assert "Logg inn med ID-porten" in text_of(page)
    assert "Logg inn med Kommunens pålogging" in text_of(page)
    begun = client.follow(page, "Logg inn med ID-porten")
    asked = dict(parse_qsl(urlsplit(at_provider(begun)).query))
    assert asked["response_type"] == "code"
    assert asked["scope"] == "openid"
    assert asked["client_id"] == CLIENT_ID
    assert asked["redirect_uri"] == f"{BASE}{BACK}"
    assert asked["code_challenge_method"] == "S256"
    assert asked["acr_values"] == "idporten-loa-substantial"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 20
    in_at_last = client.get(sent_back(at_provider(begun)))
    assert in_at_last.status_code == 303
    assert in_at_last.headers["Location"] == "/hjelp"
    assert is_in(client)
    assert last_entry(joined, "sign_in") == (id_of(joined, "kari.oslo"), {"provider": "idporten"})


def test_a_new_key_at_each_sign_in(joined: House, idporten: HostileProvider) -> None:
    client = joined.nobody()
    begun = at_provider(client.get("/logg-inn/med/idporten"))
    before = client.get_cookie("session")
    client.get(sent_back(begun))
    after = client.get_cookie("session")
    assert before
    assert after
    assert before.value != after.value


def test_the_provider_is_shown_who_asks(joined: House, idporten: HostileProvider, entra: HostileProvider) -> None:
    """By a secret in the header, or by a token signed with our key; always by one of them."""
    come_in(joined.nobody())
    form, authorization = idporten.exchanged[-1]
    assert authorization.startswith("Basic ")
    assert SECRET not in json.dumps(form)
    come_in(joined.nobody(), "/logg-inn/med/entra")
    form, authorization = entra.exchanged[-1]
    assert not authorization
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert form["client_assertion"].count(".") == 2


def test_a_higher_level_is_good_enough(joined: House, idporten: HostileProvider) -> None:
    idporten.claims = {"acr": "idporten-loa-high"}
    client = joined.nobody()
    come_in(client)
    assert is_in(client)


def test_without_a_level_the_second_factor_is_asked(
    joined: House, entra: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entra ID states no level of assurance: it counts as a password."""
    tie(joined, "berit.bergen", entra)
    monkeypatch.setitem(joined.app.config, "SETTINGS", replace(joined.app.config["SETTINGS"], second_factor=True))
    client = joined.nobody()
    begun = come_in(client, "/logg-inn/med/entra?neste=/hjelp")
    assert begun.headers["Location"] == "/logg-inn/oppsett"
    assert not is_in(client)
    page = client.get("/logg-inn/oppsett")
    send_code(client, page, code_of(secret_on(page)), follow_redirects=True)
    assert is_in(client)
    out = client.submit(client.get("/min-bruker"), button="Logg ut")
    assert out.headers["Location"] == "/logget-ut"  # the provider is known after the second step, too


# ---- Lies ----


JSON = {"Content-Type": "application/json"}
LIES = {
    "another nonce": ({"claims": {"nonce": "en-annen"}}, "token"),
    "no nonce": ({"claims": {"nonce": None}}, "token"),
    "unsigned": ({"sign": "none"}, "token"),
    "unsigned, and the description allows it": (
        {"sign": "none", "metadata": {"id_token_signing_alg_values_supported": ["none", "RS256"]}},
        "token",
    ),
    "signed with the public key as a secret": (
        {"sign": "hmac-public", "metadata": {"id_token_signing_alg_values_supported": ["HS256", "RS256"]}},
        "token",
    ),
    "signed with the client's secret": (
        {"sign": "hmac-secret", "metadata": {"id_token_signing_alg_values_supported": ["HS256"]}},
        "token",
    ),
    "signed with another key": ({"sign": "other-key"}, "token"),
    "signed with another key of an unknown name": ({"sign": "other-key", "header": {"kid": "ukjent"}}, "token"),
    "for somebody else": ({"claims": {"aud": "en-annen-tjeneste"}}, "token"),
    "for several, and for whom is not said": ({"claims": {"aud": [CLIENT_ID, "en-annen-tjeneste"]}}, "token"),
    "given to somebody else": ({"claims": {"azp": "en-annen-tjeneste"}}, "token"),
    "expired": ({"claims": {"exp": 1_700_000_000}}, "token"),
    "that never expires": ({"claims": {"exp": None}}, "token"),
    "from tomorrow": ({"claims": {"iat": int(time.time()) + 86_400, "nbf": int(time.time()) + 86_400}}, "token"),
    "from another issuer": ({"claims": {"iss": "https://en-annen.example"}}, "token"),
    "a lower level": ({"claims": {"acr": "idporten-loa-low"}}, "acr"),
    "a list of levels": ({"claims": {"acr": ["idporten-loa-substantial"]}}, "token"),
    "a name of no letters": ({"claims": {"sub": "\ud800"}}, "token"),
    "a name with a zero byte": ({"claims": {"sub": "a\0b"}}, "token"),
    "a visit of no letters": ({"claims": {"sid": "\ud800"}}, "token"),
    "a token of no letters": (
        {"answer": {"/token": (200, JSON, b'{"access_token":"a","id_token":"\\ud800.a.b"}')}},
        "token",
    ),
    "an expiry of many digits": ({"claims": {"exp": 10**400}}, "token"),
    "issued after the last day": ({"claims": {"iat": 10**300}}, "token"),
    "a key of no letters": ({"header": {"kid": "\ud800"}}, "token"),
    "a list of issuers": ({"claims": {"iss": ["x"]}}, "token"),
    "a nonce in a list": ({"claims": {"nonce": ["x"]}}, "token"),
    "an audience that is a thing": ({"claims": {"aud": {CLIENT_ID: 1}}}, "token"),
    "an audience of numbers": ({"claims": {"aud": [CLIENT_ID, 1]}}, "token"),
    "an expiry without end": ({"claims": {"exp": float("inf")}}, "token"),
    "an expiry that is true": ({"claims": {"exp": True}}, "token"),
    "a visit in a list": ({"claims": {"sid": ["a"]}}, "token"),
    "means that are a text": ({"claims": {"amr": {"pwd": 1}}}, "token"),
    "an address that is a list": ({"claims": {"email": ["a@b.no"]}}, "token"),
    "a time that is a text": ({"claims": {"auth_time": "i går"}}, "token"),
    "a level of another ladder": ({"claims": {"acr": "high"}}, "acr"),
    "no level": ({"claims": {"acr": None}}, "acr"),
    "of nobody": ({"claims": {"sub": None}}, "token"),
    "of an empty name": ({"claims": {"sub": ""}}, "token"),
    "of a number": ({"claims": {"sub": 17}}, "token"),
    "of an endless name": ({"claims": {"sub": "x" * 256}}, "token"),
    "a visit that is no text": ({"claims": {"sid": {"a": 1}}}, "token"),
    "no token": (
        {"answer": {"/token": (200, JSON, b'{"access_token": "a"}')}},
        "token",
    ),
    "a list": ({"answer": {"/token": (200, JSON, b"[1]")}}, "token"),
    "junk for a token": (
        {"answer": {"/token": (200, JSON, b'{"access_token":"a","id_token":"a.b.c"}')}},
        "token",
    ),
    "a page": ({"answer": {"/token": (200, {"Content-Type": "text/html"}, b"<h1>Hei</h1>")}}, "token"),
    "an error": ({"answer": {"/token": (500, {}, b"")}}, "down"),
    "go elsewhere with the code": ({"answer": {"/token": (307, {"Location": "/token2"}, b"")}}, "down"),
    "broken keys": (
        {"answer": {"/jwks": (200, JSON, b'{"keys": [{"kty": "x"}]}')}},
        "token",
    ),
}
WORDS = {"token": "var ikke til å stole på", "acr": "høyere sikkerhetsnivå", "down": "Får ikke svar fra ID-porten"}


@pytest.mark.parametrize("lie", LIES)
def test_lies_open_nothing(joined: House, idporten: HostileProvider, lie: str) -> None:
    """If any part of a token is wrong, the user is not signed in, and gets a message."""
    changes, why = LIES[lie]
    forget_description(joined)
    for name, value in changes.items():
        setattr(idporten, name, value)
    client = joined.nobody()
    told = come_in(client)
    assert told.status_code in {403, 503}
    assert WORDS[why] in text_of(told)
    assert not is_in(client)
    assert failures(joined)[-1] == why


DESCRIPTIONS = {
    "of another issuer": {"issuer": "https://en-annen.example"},
    "without keys": {"jwks_uri": None},
    "a place for tokens that is none": {"token_endpoint": "javascript:alert(1)"},
    "a place for users that is none": {"authorization_endpoint": ["/"]},
}


@pytest.mark.parametrize("description", DESCRIPTIONS)
def test_a_false_description_sends_nobody_anywhere(joined: House, idporten: HostileProvider, description: str) -> None:
    forget_description(joined)
    idporten.metadata = DESCRIPTIONS[description]
    answer = joined.nobody().get("/logg-inn/med/idporten")
    assert answer.status_code == 503
    assert "Får ikke svar fra ID-porten" in text_of(answer)


def test_a_description_cannot_switch_off_what_protects(joined: House, idporten: HostileProvider) -> None:
    forget_description(joined)
    idporten.metadata = {"code_challenge_method": None, "scope": "profile", "response_type": "token", "prompt": "none"}
    asked = dict(parse_qsl(urlsplit(at_provider(joined.nobody().get("/logg-inn/med/idporten"))).query))
    assert asked["code_challenge_method"] == "S256"
    assert (asked["scope"], asked["response_type"]) == ("openid", "code")
    assert "prompt" not in asked


def test_a_state_is_used_once(joined: House, idporten: HostileProvider) -> None:
    client = joined.nobody()
    back = sent_back(at_provider(client.get("/logg-inn/med/idporten")))
    assert client.get(back).status_code == 303
    other = joined.nobody()
    for replaying in (client, other):
        again = replaying.get(back)
        assert again.status_code == 403
        assert "begynt i et annet vindu, eller er brukt før" in text_of(again)
    assert not is_in(other)


def test_a_state_is_used_up_by_what_is_refused(joined: House, idporten: HostileProvider) -> None:
    client = joined.nobody()
    back = sent_back(at_provider(client.get("/logg-inn/med/idporten")))
    idporten.claims = {"nonce": "en-annen"}
    assert client.get(back).status_code == 403
    idporten.claims = {}
    assert "brukt før" in text_of(client.get(back))


def test_a_state_of_somebody_else(joined: House, idporten: HostileProvider) -> None:
    """The attacker's own code and state in the victim's browser would sign the victim in as the attacker."""
    attacker, victim = joined.nobody(), joined.nobody()
    back = sent_back(at_provider(attacker.get("/logg-inn/med/idporten")))
    victim.get("/logg-inn/med/idporten")
    assert victim.get(back).status_code == 403
    assert not is_in(victim)


def test_a_stolen_code_lacks_its_verifier(joined: House, idporten: HostileProvider) -> None:
    """The victim's code with the attacker's own state: the verifier belongs to another challenge, so there is no
    token."""
    victim, attacker = joined.nobody(), joined.nobody()
    stolen = dict(parse_qsl(urlsplit(sent_back(at_provider(victim.get("/logg-inn/med/idporten")))).query))["code"]
    own = dict(parse_qsl(urlsplit(at_provider(attacker.get("/logg-inn/med/idporten"))).query))["state"]
    signed = len(idporten.signed)
    answer = attacker.get(f"{BACK}?code={stolen}&state={own}")
    assert answer.status_code == 403
    assert len(idporten.signed) == signed
    assert not is_in(attacker)
    assert len(idporten.exchanged[-1][0]["code_verifier"]) >= 43


def test_even_if_the_provider_forgets_the_verifier_the_nonce_holds(joined: House, idporten: HostileProvider) -> None:
    idporten.checks_verifier = False
    victim, attacker = joined.nobody(), joined.nobody()
    stolen = dict(parse_qsl(urlsplit(sent_back(at_provider(victim.get("/logg-inn/med/idporten")))).query))["code"]
    own = dict(parse_qsl(urlsplit(at_provider(attacker.get("/logg-inn/med/idporten"))).query))["state"]
    assert attacker.get(f"{BACK}?code={stolen}&state={own}").status_code == 403
    assert not is_in(attacker)


def test_one_providers_answer_does_not_count_for_another(
    joined: House, idporten: HostileProvider, entra: HostileProvider
) -> None:
    client = joined.nobody()
    back = sent_back(at_provider(client.get("/logg-inn/med/entra")))
    assert client.get(back.replace("/entra/", "/idporten/")).status_code == 403
    mixed = sent_back(at_provider(client.get("/logg-inn/med/idporten")))
    answer = client.get(f"{mixed}&iss={entra.issuer}")
    assert answer.status_code == 403
    assert not is_in(client)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?state=x",
        "?code=x",
        "?code=&state=",
        "?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E",
        "?error=server_error",
        "?state=%00&code=%00",
        "?state[]=a&code[]=b",
        f"?state={'x' * 3000}&code={'y' * 3000}",
    ],
)
def test_junk_that_comes_back(joined: House, idporten: HostileProvider, query: str) -> None:
    client = joined.nobody()
    client.get("/logg-inn/med/idporten")
    answer = client.get(BACK + query)
    assert answer.status_code in {200, 403, 503} | ({400} if "%00" in query else set())
    assert "<script>alert" not in answer.text
    assert not is_in(client)


def test_who_gives_up_there_is_back_at_the_beginning(joined: House, idporten: HostileProvider) -> None:
    client = joined.nobody()
    state = dict(parse_qsl(urlsplit(at_provider(client.get("/logg-inn/med/idporten"))).query))["state"]
    answer = client.get(f"{BACK}?error=access_denied&state={state}")
    assert answer.status_code == 200
    assert "Innloggingen ble avbrutt" in text_of(answer)
    assert client.follow(answer, "Til innlogging").status_code == 200


@pytest.mark.parametrize("error", ["temporarily_unavailable", "server_error"])
def test_a_provider_that_says_that_it_cannot_now(joined: House, idporten: HostileProvider, error: str) -> None:
    """Nobody is refused: the provider does not respond, and a new attempt leads to the original destination."""
    client = joined.nobody()
    state = state_in(at_provider(client.get("/logg-inn/med/idporten?neste=/hjelp")))
    answer = client.get(f"{BACK}?error={error}&state={state}")
    assert answer.status_code == 503
    assert "Får ikke svar fra ID-porten" in text_of(answer)
    assert "Prøv igjen om litt" in text_of(answer)
    again = client.follow(answer, "Prøv igjen med ID-porten")
    back = client.get(sent_back(at_provider(again)))
    assert (back.status_code, back.headers["Location"]) == (303, "/hjelp")
    for _try in range(4):  # an error in a handmade address does not open the circuit breaker
        joined.nobody().get(f"{BACK}?error={error}")
    assert at_provider(joined.nobody().get("/logg-inn/med/idporten"))


@pytest.mark.parametrize("error", ["login_required", "interaction_required", "consent_required"])
def test_a_provider_that_did_not_get_as_far_as_that(joined: House, idporten: HostileProvider, error: str) -> None:
    client = joined.nobody()
    state = state_in(at_provider(client.get("/logg-inn/med/idporten")))
    assert "Innloggingen ble avbrutt" in text_of(client.get(f"{BACK}?error={error}&state={state}"))


# ---- Two tabs ----


def state_in(address: str) -> str:
    """The state sent to the provider."""
    return dict(parse_qsl(urlsplit(address).query))["state"]


def test_begun_in_two_tabs(joined: House, idporten: HostileProvider) -> None:
    """The slower tab continues to its destination, with the session of the faster one."""
    client = joined.nobody()
    slow = at_provider(client.get("/logg-inn/med/idporten?neste=/hjelp"))
    fast = at_provider(client.get("/logg-inn/med/idporten?neste=/deltakere/meldinger"))
    done = client.get(sent_back(fast))
    assert (done.status_code, done.headers["Location"]) == (303, "/deltakere/meldinger")
    key, path = key_of(client), sent_back(slow)
    late = client.get(path)
    assert (late.status_code, late.headers["Location"]) == (303, "/hjelp")
    assert key_of(client) == key
    assert is_in(client)
    assert client.get(path).status_code == 403, "it is used up"


def test_begun_in_one_tab_and_signed_in_by_password_in_another(
    joined: House, idporten: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first step alone gives no access, but the other tab continues from there, and from the end."""
    monkeypatch.setitem(joined.app.config, "SETTINGS", replace(joined.app.config["SETTINGS"], second_factor=True))
    joined.write(update(User).where(User.username == "anne.tokommuner").values(totp_secret=None))
    client = joined.nobody()
    slow = [at_provider(client.get(f"/logg-inn/med/idporten?neste={target}")) for target in ("/hjelp", "/min-bruker")]
    fill = {"Brukernavn": "anne.tokommuner", "Passord": PASSWORD}
    page = client.submit(client.get("/logg-inn"), button="Logg inn", fill=fill, follow_redirects=True)
    halfway = client.get(sent_back(slow[0]))
    assert (halfway.status_code, halfway.headers["Location"]) == (303, "/logg-inn/oppsett")
    assert not is_in(client)
    send_code(client, page, code_of(secret_on(page)), follow_redirects=True)
    late = client.get(sent_back(slow[1]))
    assert (late.status_code, late.headers["Location"]) == (303, "/min-bruker")
    assert is_in(client)
    joined.write(update(User).where(User.username == "anne.tokommuner").values(totp_secret=None))


def test_a_visit_that_ended_meanwhile_does_not_lose_where_it_led(joined: House, idporten: HostileProvider) -> None:
    """The user took long at the provider: a new attempt leads to the original destination."""
    client = joined.nobody()
    address = at_provider(client.get("/logg-inn/med/idporten?neste=/hjelp"))
    assert "hjelp" not in address
    back = sent_back(address)
    joined.write(delete(UserSession).where(UserSession.user_id.is_(None)))
    answer = client.get(back)
    assert answer.status_code == 403
    assert '"/logg-inn/med/idporten?neste=/hjelp"' in answer.text


def test_a_state_of_another_browser_leads_nowhere(joined: House, idporten: HostileProvider) -> None:
    mine, other = joined.nobody(), joined.nobody()
    begun = at_provider(other.get("/logg-inn/med/idporten?neste=/hjelp"))
    mine.get("/logg-inn/med/idporten")
    come_in(mine)
    assert mine.get(sent_back(begun)).status_code == 403


def test_a_provider_that_is_down_is_not_waited_for_by_everybody(joined: House, idporten: HostileProvider) -> None:
    forget_description(joined)
    joined.app.extensions["providers"]["idporten"]._breaker = CircuitBreaker(threshold=3, cool_down=600, longest=600)
    idporten.answer = {"/.well-known/openid-configuration": (503, {}, b"")}
    before = idporten.asked
    for _try in range(5):
        assert joined.nobody().get("/logg-inn/med/idporten").status_code == 503
    assert idporten.asked == before + 3
    other = joined.nobody()
    other.login("kari.oslo")  # the password still works
    assert is_in(other)


def test_new_keys_are_fetched(joined: House, idporten: HostileProvider) -> None:
    client = joined.nobody()
    come_in(client)
    fresh = HostileProvider()
    old = idporten.key
    try:
        idporten.key, idporten.kid = fresh.key, "nokkel-2"
        other = joined.nobody()
        come_in(other)
        assert is_in(other)
    finally:
        idporten.key = old


def test_many_that_were_begun_do_not_grow_the_visit(joined: House, idporten: HostileProvider) -> None:
    client = joined.nobody()
    addresses = [at_provider(client.get("/logg-inn/med/idporten")) for _one in range(12)]
    stored = joined.ask(select(UserSession.data).order_by(UserSession.created_at.desc()))[0].data
    assert len([key for key in stored if key.startswith("_state_")]) == 5
    assert client.get(sent_back(addresses[-2])).status_code == 303
    assert is_in(client)


def test_only_own_addresses_afterwards(joined: House, idporten: HostileProvider) -> None:
    for target in ("https://ond.example/", "//ond.example/", "/\\ond.example", "javascript:alert(1)"):
        client = joined.nobody()
        answer = come_in(client, f"/logg-inn/med/idporten?neste={target}")
        assert answer.headers["Location"] == "/deltakere"


# ---- Identities ----


def test_nobody_knows_her(joined: House, idporten: HostileProvider) -> None:
    idporten.subject = "en-fremmed"
    client = joined.nobody()
    answer = come_in(client)
    assert answer.status_code == 403
    assert "Er du invitert, åpne lenken i e-posten" in text_of(answer)
    assert "jobbsjansen.palogging @imdi.no" in text_of(answer)
    assert not is_in(client)


def test_the_same_name_at_another_provider_is_somebody_else(
    joined: House, idporten: HostileProvider, entra: HostileProvider
) -> None:
    assert entra.subject == idporten.subject
    client = joined.nobody()
    assert come_in(client, "/logg-inn/med/entra").status_code == 403
    assert not is_in(client)


def test_whoever_is_blocked_stays_outside(joined: House, idporten: HostileProvider) -> None:
    client = joined.nobody()
    joined.write(update(User).where(User.username == "kari.oslo").values(blocked_at=now()))
    assert come_in(client).status_code == 403
    assert not is_in(client)
    (kari,) = joined.ask(select(User.id).where(User.username == "kari.oslo"))
    entries = select(AccessEntry.user_id, AccessEntry.detail).where(AccessEntry.action == "sign_in_failed")
    last = joined.ask(entries.order_by(AccessEntry.id.desc()).limit(1))[0]
    assert (last.user_id, last.detail) == (kari.id, {"provider": "idporten", "why": "blocked"})


def invited_path(house: House, email: str) -> str:
    admin = house.nobody()
    admin.login("admin.bergen")
    assert invite(admin, **{"E-post": email}).status_code == 200
    return last_path(house.app, email)


def test_an_invited_user_comes_in_without_a_password(joined: House, idporten: HostileProvider) -> None:
    path = invited_path(joined, f"nora.{joined.app.config['SETTINGS'].database_url[:6]}@bergen.kommune.no")
    idporten.subject = f"nora-{path[-8:]}"
    client = joined.nobody()
    page = client.get(path)
    on = client.submit(page, button="Fortsett med ID-porten")
    token = path.rpartition("/")[2]
    assert token not in onward(on)
    stored = joined.ask(select(UserSession.data).order_by(UserSession.created_at.desc()))[0].data
    assert token not in json.dumps(stored)
    asked = client.get(sent_back(onward(on)), follow_redirects=True)
    assert "Er du Nora Ny Berg?" in text_of(asked)
    assert not is_in(client), "before it is confirmed, nothing is tied"
    assert joined.nobody().get(path).status_code == 200
    first = client.submit(asked, button="Ja, opprett brukeren min", follow_redirects=True)
    assert first.request.path == "/deltakere"
    assert "Nora Ny Berg" in text_of(first)
    assert "Du har ikke noe passord her" in text_of(client.get("/min-bruker"))
    again = joined.nobody()
    come_in(again)
    assert is_in(again)
    assert client.get(path).status_code == 410
    used = joined.ask(select(AccountLink.used_at).order_by(AccountLink.id.desc()))[0]
    assert used.used_at is not None


def test_an_invitation_of_a_person_who_has_a_user(joined: House, idporten: HostileProvider) -> None:
    """The person gets a message, and the link still works in another way."""
    path = invited_path(joined, f"dobbel.{joined.app.config['SETTINGS'].database_url[:6]}@bergen.kommune.no")
    client = joined.nobody()
    answer = client.get(sent_back(onward(client.submit(client.get(path), button="Fortsett med ID-porten"))))
    assert answer.status_code == 403
    assert "hører til en annen bruker" in text_of(answer)
    assert joined.nobody().get(path).status_code == 200


def test_a_link_makes_nobody_the_user_of_an_invitation(joined: House, idporten: HostileProvider) -> None:
    """Neither the way to the provider, nor the way back, nor a browser in which somebody else is signed in."""
    path = invited_path(joined, f"lokket.{joined.app.config['SETTINGS'].database_url[:6]}@bergen.kommune.no")
    idporten.subject = "den-som-lokkes"
    answer = come_in(joined.nobody(), f"/logg-inn/med/idporten?invitasjon={path.rpartition('/')[2]}")
    assert answer.status_code == 403, "it is a sign-in like any other"
    assert joined.nobody().post(f"{path}/med/idporten", data={"slutt": "1"}).status_code == 400, "no token"
    client = joined.nobody()
    page = client.get(path)
    back = sent_back(onward(client.submit(page, button="Fortsett med ID-porten")))
    client.login("berit.bergen")
    for heard in (client.get(path), client.submit(page, button="Opprett bruker"), client.get(back)):
        assert heard.status_code in {400, 403, 409}
    assert "logg ut først" in text_of(client.get(path))
    assert "berit.bergen" in text_of(client.get("/min-bruker"))
    assert joined.ask(select(Identity.id).where(Identity.subject == "den-som-lokkes")) == []


def test_an_administrator_sees_and_removes_it(joined: House, idporten: HostileProvider) -> None:
    joined.write(delete(Identity))
    tie(joined, "berit.bergen", idporten)
    visitor = joined.nobody()
    come_in(visitor)
    assert is_in(visitor)
    admin = joined.nobody()
    admin.login("admin.bergen")
    address = f"/brukere/{id_of(joined, 'berit.bergen')}"
    page = admin.get(address)
    assert "ID-porten, koblet til" in text_of(page)
    done = admin.submit(page, button="Fjern ID-porten", follow_redirects=True)
    assert "Innloggingsmåten er fjernet" in text_of(done)
    assert "koblet til" not in text_of(done)
    assert not is_in(visitor)
    assert come_in(joined.nobody()).status_code == 403
    assert letters_to(joined.app, "berit.bergen@example.org")[-1].subject.startswith("En innloggingsmåte")


@pytest.mark.parametrize("recovery", ["link", "own password", "block"])
def test_a_recovery_removes_it(joined: House, idporten: HostileProvider, recovery: str) -> None:
    joined.write(delete(Identity))
    tie(joined, "berit.bergen", idporten)
    kept = joined.ask(select(User.password_hash).where(User.username == "berit.bergen"))[0].password_hash
    client, new = joined.nobody(), "gul sykkel på stille vann"
    if recovery == "link":
        client.submit(client.get("/glemt-passord"), fill={"Brukernavn eller e-post": "berit.bergen"})
        page = client.get(last_path(joined.app, "berit.bergen@example.org"))
        client.submit(page, fill={"Nytt passord": new, "Gjenta passordet": new})
    elif recovery == "own password":
        client.login("berit.bergen")
        fill = {"Passordet du har nå": PASSWORD, "Nytt passord": new, "Gjenta passordet": new}
        client.submit(client.get("/min-bruker"), button="Endre passordet", fill=fill)
    else:
        client.login("admin.bergen")
        address = f"/brukere/{id_of(joined, 'berit.bergen')}"
        for button in ("Sperr bruker", "Opphev sperring"):
            client.submit(client.get(address), button=button)
    joined.write(update(User).where(User.username == "berit.bergen").values(password_hash=kept))
    assert joined.ask(select(Identity.id).where(Identity.user_id == id_of(joined, "berit.bergen"))) == []
    assert come_in(joined.nobody()).status_code == 403


# ---- Connecting an identity to the signed-in user ----


def send_password(client: CheckedClient, password: str) -> TestResponse:
    page = client.get("/min-bruker")
    return client.submit(page, button="Koble til ID-porten", fill={"password": password})


def test_a_user_ties_it_and_lets_it_go(joined: House, idporten: HostileProvider) -> None:
    joined.write(delete(Identity))
    client = joined.nobody()
    client.login("berit.bergen")
    assert "Passordet er feil" in text_of(send_password(client, "feil passord her"))
    on = send_password(client, PASSWORD)
    assert on.headers["Location"] == "/min-bruker/med/idporten"
    page = client.get(on.headers["Location"])
    address = onward(page)
    assert client.get(on.headers["Location"]).headers["Location"] == "/min-bruker"  # the password counts once
    done = client.get(sent_back(address), follow_redirects=True)
    assert "Du kan nå logge inn med ID-porten." in text_of(done)
    assert letters_to(joined.app, "berit.bergen@example.org")[-1].subject.startswith("Ny innloggingsmåte")
    other = joined.nobody()
    come_in(other)
    assert "berit.bergen" in text_of(other.get("/min-bruker"))
    gone = client.submit(client.get("/min-bruker"), button="Slutt å bruke ID-porten", follow_redirects=True)
    assert "Du logger ikke lenger inn med ID-porten." in text_of(gone)
    assert come_in(joined.nobody()).status_code == 403


def onward(page: TestResponse) -> str:
    """The address that the page continues to; its link has the same."""
    assert page.status_code == 200
    address = page.headers["Refresh"].removeprefix("0; url=")
    assert f'href="{html.escape(address)}"' in page.text
    return address


def test_who_has_a_second_factor_shows_it_too(
    joined: House, idporten: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user without a required second factor must set it up first."""
    joined.write(delete(Identity))
    client = joined.nobody()
    client.login("anne.tokommuner")
    monkeypatch.setitem(joined.app.config, "SETTINGS", replace(joined.app.config["SETTINGS"], second_factor=True))
    assert "Da setter du opp engangskoder først" in text_of(send_password(client, PASSWORD))
    client = joined.nobody()
    page = give_password(client, "anne.tokommuner")
    secret = secret_on(page)
    send_code(client, page, code_of(secret), follow_redirects=True)
    wrong = send_password(client, PASSWORD)
    assert (wrong.status_code, "Koden er feil" in text_of(wrong)) == (422, True)
    assert client.get("/min-bruker/med/idporten").headers["Location"] == "/min-bruker"
    fill = {"Passordet ditt": PASSWORD, "Engangskode": code_of(secret, 1)}
    on = client.submit(client.get("/min-bruker"), button="Koble til ID-porten", fill=fill)
    client.get(sent_back(onward(client.get(on.headers["Location"]))))
    assert joined.ask(select(Identity.user_id)) == [(id_of(joined, "anne.tokommuner"),)]


def test_without_the_password_nothing_is_tied(joined: House, idporten: HostileProvider) -> None:
    """Another site could lead the user's browser there while it is signed in at the provider as somebody else."""
    joined.write(delete(Identity))
    client = joined.nobody()
    client.login("berit.bergen")
    assert client.get("/min-bruker/med/idporten").headers["Location"] == "/min-bruker"
    come_in(client)
    assert joined.ask(select(Identity.user_id)) == []


def test_what_another_user_has_cannot_be_tied(joined: House, idporten: HostileProvider) -> None:
    client = joined.nobody()
    client.login("berit.bergen")
    page = client.get(send_password(client, PASSWORD).headers["Location"])
    answer = client.get(sent_back(onward(page)))
    assert "hører til en annen bruker" in text_of(answer)
    assert [row.user_id for row in joined.ask(select(Identity.user_id))] == [id_of(joined, "kari.oslo")]


def test_another_user_at_the_screen_meanwhile(joined: House, idporten: HostileProvider) -> None:
    joined.write(delete(Identity))
    client = joined.nobody()
    client.login("berit.bergen")
    page = client.get(send_password(client, PASSWORD).headers["Location"])
    back = sent_back(onward(page))
    client.logout()
    client.login("anne.tokommuner")
    assert client.get(back).status_code == 403
    assert joined.ask(select(Identity.user_id)) == []


def test_the_only_way_in_stays(joined: House, idporten: HostileProvider) -> None:
    client = joined.nobody()
    come_in(client)
    kept = joined.ask(select(User.password_hash).where(User.username == "kari.oslo"))[0].password_hash
    kari = update(User).where(User.username == "kari.oslo")
    joined.write(kari.values(password_hash=None))
    try:
        page = client.get("/min-bruker")
        assert "Slutt å bruke" not in page.text
        token = {"csrf_token": client_token(page)}
        answer = client.post("/min-bruker/med/idporten/fjern", data=token, follow_redirects=True)
        assert "den eneste måten du kan logge inn på" in text_of(answer)
        assert joined.ask(select(Identity.user_id)) != []
    finally:
        joined.write(kari.values(password_hash=kept))


def client_token(page: TestResponse) -> str:
    return page.text.partition('name="csrf_token" value="')[2].partition('"')[0]


# ---- Signing out ----


def test_signing_out_here_signs_out_there(joined: House, idporten: HostileProvider) -> None:
    client = joined.nobody()
    come_in(client)
    key = client.get_cookie("session")
    out = client.submit(client.get("/min-bruker"), button="Logg ut")
    assert out.headers["Location"] == "/logget-ut"
    assert not is_in(client)
    page = client.get("/logget-ut")
    address = onward(page)
    asked = dict(parse_qsl(urlsplit(address).query))
    assert address.startswith(f"{idporten.issuer}/endsession?")
    assert asked["post_logout_redirect_uri"] == f"{BASE}/logget-ut"
    assert asked["client_id"] == CLIENT_ID
    assert asked["id_token_hint"].count(".") == 2
    assert "Logg inn igjen" in text_of(client.get("/logget-ut"))  # once only
    assert key
    old = joined.nobody()
    old.set_cookie("session", key.value)
    assert not is_in(old)


def test_what_the_provider_signed_does_not_lie_open(joined: House, idporten: HostileProvider) -> None:
    client = joined.nobody()
    come_in(client)
    signed = idporten.signed[-1]
    client.submit(client.get("/min-bruker"), button="Logg ut")
    assert signed in onward(client.get("/logget-ut"))
    come_in(client)
    for row in joined.ask(select(UserSession.data)):
        assert not any(part in json.dumps(row.data) for part in idporten.signed[-1].split("."))


@pytest.mark.parametrize("trouble", ["down", "has none"])
def test_signing_out_works_without_the_provider(joined: House, idporten: HostileProvider, trouble: str) -> None:
    client = joined.nobody()
    come_in(client)
    forget_description(joined)
    if trouble == "down":
        idporten.answer = {"/.well-known/openid-configuration": (500, {}, b"")}
    else:
        idporten.metadata = {"end_session_endpoint": None}
    client.submit(client.get("/min-bruker"), button="Logg ut")
    assert not is_in(client)
    assert "Du kan fortsatt være logget inn hos ID-porten" in text_of(client.get("/logget-ut"))


def test_signing_out_there_signs_out_here(joined: House, idporten: HostileProvider, entra: HostileProvider) -> None:
    """The provider's page opens our address in a frame, so there is no cookie."""
    idporten.sid = "besok-1"
    first, second, third, by_password = (joined.nobody() for _one in range(4))
    come_in(first)
    come_in(second)
    idporten.sid = "besok-2"
    come_in(third)
    by_password.login("kari.oslo")
    frame = joined.app.test_client(use_cookies=False)
    for query, status in (("", 400), ("?sid=", 400), (f"?sid={'x' * 256}", 400), ("?sid=besok-9", 200)):
        assert frame.get(f"/logg-ut/med/idporten{query}").status_code == status
    assert frame.get(f"/logg-ut/med/idporten?sid=besok-1&iss={entra.issuer}").status_code == 400
    assert frame.get("/logg-ut/med/entra?sid=besok-1").status_code == 200
    assert all(is_in(one) for one in (first, second, third, by_password))
    answer = frame.get(f"/logg-ut/med/idporten?sid=besok-1&iss={idporten.issuer}")
    assert answer.status_code == 200
    assert not is_in(first)
    assert not is_in(second)
    assert is_in(third)
    assert is_in(by_password)
    entry = joined.ask(select(AccessEntry).where(AccessEntry.action == "sign_out").order_by(AccessEntry.id.desc()))[0][
        0
    ]
    assert (entry.user_id, entry.detail) == (id_of(joined, "kari.oslo"), {"by": "provider"})


# ---- Signing in again over a page ----


def test_again_in_another_tab(joined: House, idporten: HostileProvider) -> None:
    client = joined.nobody()
    come_in(client)
    joined.write(delete(UserSession))
    dialog = client.get_partial("/min-bruker")
    assert dialog.status_code == 401
    assert "Logg inn med ID-porten (åpnes i ny fane)" in text_of(dialog)
    early = client.get_partial("/logg-inn/igjen")
    assert "Du er ikke logget inn ennå" in text_of(early)
    done = come_in(client, "/logg-inn/med/idporten?neste=/logg-inn/ferdig")
    assert "Lukk denne fanen" in text_of(client.get(done.headers["Location"]))
    told = json.loads(client.get_partial("/logg-inn/igjen").headers["HX-Trigger"])["innlogget"]
    assert told["user"] == "kari.oslo"
    assert client.post("/forleng", data={"csrf_token": told["token"]}).status_code == 200


def test_no_words_of_a_provider_reach_the_log(
    joined: House, idporten: HostileProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    idporten.claims = {"acr": "hemmelig-niva", "email": "nora@example.no"}
    client = joined.nobody()
    back = sent_back(at_provider(client.get("/logg-inn/med/idporten")))
    client.get(back)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("app", "authlib"))]
    assert "sign-in by idporten refused: acr (InvalidClaimError)" in ours
    words = dict(parse_qsl(urlsplit(back).query))
    verifier = idporten.exchanged[-1][0]["code_verifier"]
    for secret in (*words.values(), verifier, "hemmelig-niva", "nora@example.no"):
        assert not any(secret in line for line in ours), secret
