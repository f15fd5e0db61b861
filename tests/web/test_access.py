"""Access to every rule of the URL map, by every kind of user, as a page and as a fragment.

A new rule belongs in one of the four tables. The words in them:

    200, 403 …  that status
    in          the user gets in. POSTs carry a valid token and nothing of use, so what was sent may be refused
    page        200 for a page; it has no fragment, so requests for one are redirected to the page
    dead        410 for a page: a link that does not work; it has no fragment
    on          the user is redirected: 303 for a page, 204 with HX-Redirect for a fragment
    sign-in     a page goes to the sign-in page and comes back; a fragment, and what was sent, gets 401
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.web.access import mark_of
from services.access.viewer import Role
from services.core.status import Status
from services.demo import USERS
from services.tables.accounts import User
from services.tables.participants import AccessEntry, Participation
from tests.support.client import CheckedClient, form_in, htmx_headers
from tests.support.house import IS_OPEN, IS_PLAIN, House, demo_user, of_places
from tests.support.rules import NOBODYS, rules_of

EVERYONE = (None, *(user.username for user in USERS))
WHO = {
    None: "nobody",
    Role.CASEWORKER: "caseworker",
    Role.MUNICIPAL_ADMIN: "local admin",
    Role.IMDI_READER: "IMDi",
    Role.IMDI_ADMIN: "IMDi admin",
}

# Rules without a participant.
PLAIN = """
rule                                     nobody   caseworker  local admin  IMDi  IMDi admin
GET  /                                   sign-in  on          on           on    on
GET  /hjelp                              page     page        page         page  page
GET  /helse                              200      200         200          200   200
GET  /helse/klar                         200      200         200          200   200
GET  /logg-inn                           200      on          on           on    on
POST /logg-inn                           in       in          in           in    in
GET  /innlogget                          sign-in  in          in           in    in
POST /forleng                            sign-in  200         200          200   200
GET  /innlogginger                       sign-in  page        page         page  page
POST /innlogginger/avslutt               sign-in  on          on           on    on
POST /logg-ut                            on       on          on           on    on
GET  /logg-inn/kode                      on       on          on           on    on
POST /logg-inn/kode                      on       on          on           on    on
GET  /logg-inn/oppsett                   on       on          on           on    on
POST /logg-inn/oppsett                   on       on          on           on    on
GET  /logg-inn/med/<name>                404      404         404          404   404
GET  /logg-inn/med/<name>/tilbake        404      404         404          404   404
GET  /logg-inn/ferdig                    sign-in  page        page         page  page
GET  /logg-inn/igjen                     in       in          in           in    in
GET  /logg-ut/med/<name>                 404      404         404          404   404
GET  /logget-ut                          page     page        page         page  page
GET  /min-bruker/med/<name>              sign-in  on          on           on    on
POST /min-bruker/med/<name>              sign-in  404         404          404   404
POST /min-bruker/med/<name>/fjern        sign-in  404         404          404   404
GET  /glemt-passord                      200      200         200          200   200
POST /glemt-passord                      in       in          in           in    in
GET  /invitasjon/<token>                 dead     dead        dead         dead  dead
POST /invitasjon/<token>                 on       on          on           on    on
GET  /invitasjon/<token>/ny              on       on          on           on    on
POST /invitasjon/<token>/ny              in       in          in           in    in
GET  /invitasjon/bekreft                 on       on          on           on    on
POST /invitasjon/bekreft                 on       on          on           on    on
POST /invitasjon/<token>/med/<name>      404      404         404          404   404
GET  /nytt-passord/<token>               dead     dead        dead         dead  dead
POST /nytt-passord/<token>               on       on          on           on    on
GET  /min-bruker                         sign-in  200         200          200   200
POST /min-bruker                         sign-in  in          in           in    in
GET  /min-bruker/koder                   sign-in  page        page         page  page
POST /min-bruker/koder                   sign-in  in          in           in    in
GET  /brukere                            sign-in  403         200          403   200
GET  /brukere/sok                        sign-in  403         on           403   on
POST /brukere/sok                        sign-in  403         in           403   in
GET  /brukere/ny                         sign-in  403         200          403   200
POST /brukere/ny                         sign-in  403         in           403   in
GET  /tilgangslogg                       sign-in  403         403          403   200
GET  /tilgangslogg/sok                   sign-in  403         403          403   on
POST /tilgangslogg/sok                   sign-in  403         403          403   in
GET  /tilgangslogg.csv                   sign-in  403         403          403   200
GET  /deltakere                          sign-in  200         403          200   200
GET  /deltakere/oversikt.csv             sign-in  200         403          200   200
GET  /deltakere/oversikt.xlsx            sign-in  200         403          200   200
GET  /deltakere/fullt-datasett.csv       sign-in  200         403          200   200
GET  /deltakere/sok                      sign-in  on          403          on    on
POST /deltakere/sok                      sign-in  in          403          in    in
POST /deltakere/panel                    sign-in  in          403          in    in
GET  /deltakere/visninger                sign-in  200         403          200   200
POST /deltakere/visninger                sign-in  in          403          in    in
GET  /deltakere/visninger/<id>           sign-in  on          403          on    on
GET  /deltakere/visninger/<id>/slett     sign-in  404         403          404   404
POST /deltakere/visninger/<id>           sign-in  in          403          in    in
GET  /deltakere/fullt-datasett.xlsx      sign-in  200         403          200   200
GET  /deltakere/tiltak.csv               sign-in  200         403          200   200
GET  /deltakere/tiltak.xlsx              sign-in  200         403          200   200
GET  /deltakere/ny                       sign-in  200         403          403   403
POST /deltakere/ny                       sign-in  in          403          403   403
POST /deltakere/ny/oppslag               sign-in  in          403          403   403
POST /deltakere/ny/lagre                 sign-in  in          403          403   403
GET  /deltakere/ny/forlatt/<key>         sign-in  in          403          403   403
GET  /deltakere/ny/<id>                  sign-in  on          403          403   403
POST /deltakere/ny/<id>/forkast          sign-in  on          403          403   403
GET  /deltakere/pabegynte                sign-in  page        403          403   403
GET  /deltakere/meldinger                sign-in  page        403          403   403
POST /deltakere/meldinger/<id>/lest      sign-in  404         403          403   403
POST /deltakere/ny/vis                   sign-in  in          403          403   403
"""

# Rules with a participant: the caller's own and open, somebody else's, deleted, discharged, protected (for users
# without the right), or unknown. For IMDi «hidden» are the last two.
PARTICIPANT = """
rule                                     nobody   own   elsewhere  deleted  discharged  protected  IMDi  hidden  admin
GET  /deltakere/<id>/<page>              sign-in  200   404        404      on          404        on    404     403
POST /deltakere/<id>/<page>              sign-in  in    404        404      403         404        403   403     403
POST /deltakere/<id>/<page>/lagre        sign-in  in    404        404      403         404        403   403     403
GET  /deltakere/<id>/avslutning/utskriv  sign-in  on    404        404      403         404        403   403     403
POST /deltakere/<id>/avslutning/utskriv  sign-in  in    404        404      on          404        403   403     403
GET  /deltakere/<id>/data                sign-in  page  404        404      page        404        page  404     403
GET  /deltakere/<id>/historikk           sign-in  200   404        404      200         404        200   404     403
GET  /deltakere/<id>/slett               sign-in  page  404        404      403         404        403   403     403
GET  /deltakere/<id>/slett/bekreft       sign-in  200   404        404      403         404        403   403     403
POST /deltakere/<id>/slett               sign-in  in    404        404      403         404        403   403     403
GET  /deltakere/<id>/kvittering          sign-in  on    404        404      page        404        in    404     403
"""

# Rules for corrections, with a deleted participant (gjenopprett) or a discharged one (gjenapne).
MENDING = """
rule                                     nobody   caseworker  local admin  IMDi  IMDi admin
GET  /deltakere/<id>/gjenopprett         sign-in  403         403          403   200
POST /deltakere/<id>/gjenopprett         sign-in  403         403          403   in
GET  /deltakere/<id>/gjenapne            sign-in  403         403          403   200
POST /deltakere/<id>/gjenapne            sign-in  403         403          403   in
"""
# Rules with a user: of the caller's own municipality (for IMDi: anybody), of another one, or unknown.
USER = """
rule                                     nobody   caseworker  IMDi  own   elsewhere  unknown
GET  /brukere/<id>                       sign-in  403         403   200   404        404
POST /brukere/<id>                       sign-in  403         403   in    404        404
GET  /brukere/<id>/handling              sign-in  403         403   on    404        404
POST /brukere/<id>/handling              sign-in  403         403   in    404        404
"""
STATES = ("own", "elsewhere", "deleted", "discharged", "protected", "unknown")
# Users who differ from another one in some respect only: only that is tested.
STATES_FOR = {
    None: ("own", "unknown"),
    "anne.tokommuner": ("own", "elsewhere", "deleted"),
    "siri.vern": ("own", "elsewhere", "protected"),
    "admin.imdi": ("own", "deleted", "protected"),
}
PAGES = ("person", "bakgrunn", "programinnhold", "avslutning")

Table = dict[str, dict[str, str]]


def read_table(text: str) -> Table:
    """The table by rule and heading. Cells are separated by two blanks or more."""
    lines = [re.split(r"\s{2,}", line.replace("GET  ", "GET ")) for line in text.strip().splitlines()]
    return {line[0]: dict(zip(lines[0][1:], line[1:], strict=True)) for line in lines[1:]}


TABLES = (read_table(PLAIN), read_table(PARTICIPANT), read_table(MENDING), read_table(USER))


def unmarked(app: Flask) -> list[str]:
    """The rules whose view has no access mark."""
    return [name for name, rule in rules_of(app).items() if mark_of(app.view_functions[rule.endpoint]) is None]


def test_every_rule_is_in_the_tables(house: House) -> None:
    rules, listed = rules_of(house.app), {**TABLES[0], **TABLES[1], **TABLES[2], **TABLES[3]}
    missing, gone = sorted(rules.keys() - listed.keys()), sorted(listed.keys() - rules.keys())
    assert not missing, f"add to a table of {__file__} who may call {missing}, with which answer"
    assert not gone, f"remove from the tables of {__file__}, there is no such rule any more: {gone}"


def test_every_view_is_marked(house: House) -> None:
    assert not unmarked(house.app), f"mark with @public, @signed_in or @requires(right): {unmarked(house.app)}"


def test_a_view_without_a_mark_is_noticed_and_refused(app: Flask, sign_in: Callable[[str], CheckedClient]) -> None:
    app.add_url_rule("/glemt", view_func=lambda: "a secret", methods=["GET", "POST"])
    assert unmarked(app) == ["GET /glemt", "POST /glemt"] or unmarked(app) == ["POST /glemt", "GET /glemt"]
    visitor = app.test_client()
    assert visitor.get("/glemt").status_code == 303
    client = sign_in("admin.imdi")
    token = form_in(client.get("/deltakere"), button="Logg ut").value("csrf_token")
    for answer in (client.get("/glemt"), client.post("/glemt", data={"csrf_token": token})):
        assert answer.status_code == 403
        assert "secret" not in answer.text


@dataclass(frozen=True)
class Call:
    """One call of the matrix, and the table's word for it."""

    rule: str
    address: str
    wanted: str
    partial: bool

    @property
    def method(self) -> str:
        return self.rule.partition(" ")[0]

    def send(self, client: CheckedClient, token: str) -> TestResponse:
        """Send the call; a POST has the token and a button that no page has."""
        headers = htmx_headers() if self.partial else {}
        data = {"csrf_token": token, "go": "no-such-button"} if self.method == "POST" else None
        return client.open(self.address, method=self.method, headers=headers, data=data)

    def fault(self, answer: TestResponse) -> str | None:
        """The fault of the response, if any."""
        outcome = self._outcome(answer)
        allowed = {
            "page": {"on" if self.partial else "200"},
            "in": {"200", "204", "on", "400", "422"},
            "dead": {"on" if self.partial else "410"},
        }
        if outcome in allowed.get(self.wanted, {self.wanted}):
            return None
        how = "fragment" if self.partial else "page"
        return f"{self.rule} ({self.address}, {how}): {outcome}, but the table says {self.wanted}"

    def _outcome(self, answer: TestResponse) -> str:
        location = answer.headers.get("Location", "")
        if answer.status_code == 303 and not self.partial:
            return "sign-in" if location.startswith("/logg-inn?neste=") else "on"
        if answer.status_code == 204 and self.partial and answer.headers.get("HX-Redirect", "").startswith("/"):
            return "on"
        if answer.status_code == 401 and (self.partial or self.method == "POST"):
            return "sign-in"
        return str(answer.status_code)


# Rules that end the session or are slow by design, so they are tested without a user only.
ONCE = {"POST /logg-ut", "POST /logg-inn", "POST /min-bruker", "POST /invitasjon/<token>/ny"}


def _cell(row: dict[str, str], username: str | None, state: str) -> str:
    """The table's cell for a user and a participant."""
    if username is None:
        return row["nobody"]
    user = demo_user(username)
    if user.role is Role.MUNICIPAL_ADMIN:
        return row["admin"]
    if user.role is not Role.CASEWORKER:
        return row["hidden" if state in {"protected", "unknown"} else "IMDi"]
    if state == "protected" and user.sees_protected:
        return row["own"]
    return row["elsewhere" if state == "unknown" else state]


class Cast:
    """The participants in each state for a user."""

    def __init__(self, house: House, username: str | None) -> None:
        own = of_places(username or "kari.oslo")
        open_and_begun = IS_OPEN & Participation.end_date.is_(None)
        national = username is not None and demo_user(username).municipality_numbers == ()
        self._found = {
            "own": house.participants(own, open_and_begun, IS_PLAIN),
            "elsewhere": house.participants(own if national else ~own, open_and_begun, IS_PLAIN),
            "deleted": house.participants(own, Participation.deleted_at.is_not(None), IS_PLAIN),
            "discharged": house.participants(own, Participation.status == Status.DISCHARGED, IS_PLAIN),
            "protected": house.participants(own, open_and_begun, ~IS_PLAIN),
            "unknown": [NOBODYS],
        }

    def id_of(self, state: str) -> str:
        return self._found[state][0]


def _token(client: CheckedClient) -> str:
    return str(form_in(client.get("/hjelp"), button="Logg ut").value("csrf_token"))


def _sign_in_token(client: CheckedClient) -> str:
    return str(form_in(client.get("/logg-inn")).value("csrf_token"))


def _plain_calls(username: str | None) -> list[Call]:
    heading = WHO[demo_user(username).role if username else None]
    return [
        Call(
            rule,
            rule.partition(" ")[2].replace("meldinger/<id>", "meldinger/0").replace("<id>", NOBODYS),
            row[heading],
            partial,
        )
        for (rule, row), partial in product(TABLES[0].items(), (False, True))
    ]


@pytest.mark.parametrize("username", EVERYONE, ids=lambda name: name or "nobody")
def test_rules_without_a_participant(own_house: House, username: str | None) -> None:
    client, faults = own_house.client(username), []
    token = _token(client) if username else _sign_in_token(client)
    for call in _plain_calls(username):
        if call.rule in ONCE and username:
            continue
        faults.append(call.fault(call.send(client, token)))
    assert not any(faults), "\n".join(filter(None, faults))


@pytest.mark.parametrize("username", EVERYONE, ids=lambda name: name or "nobody")
def test_rules_with_a_participant(own_house: House, username: str | None) -> None:
    client, cast, faults = own_house.client(username), Cast(own_house, username), []
    token = _token(client) if username else _sign_in_token(client)
    for (rule, row), state, partial in product(TABLES[1].items(), STATES_FOR.get(username, STATES), (False, True)):
        public_id = cast.id_of(state)
        address = rule.partition(" ")[2].replace("<id>", public_id)
        for page in PAGES if "<page>" in address else ("",):
            call = Call(rule, address.replace("<page>", page), _cell(row, username, state), partial)
            faults.append(call.fault(call.send(client, token)))
        if rule == "POST /deltakere/<id>/slett" and call.wanted == "on":
            found = update(Participation).where(Participation.public_id == public_id)
            own_house.write(found.values(deleted_at=None, deleted_by=None))
    assert not any(faults), "\n".join(filter(None, faults))


@pytest.mark.parametrize("username", EVERYONE, ids=lambda name: name or "nobody")
def test_rules_for_mending(own_house: House, username: str | None) -> None:
    client, cast, faults = own_house.client(username), Cast(own_house, username), []
    token = _token(client) if username else _sign_in_token(client)
    heading = WHO[demo_user(username).role if username else None]
    for (rule, row), partial in product(TABLES[2].items(), (False, True)):
        public_id = cast.id_of("deleted" if rule.endswith("gjenopprett") else "discharged")
        call = Call(rule, rule.partition(" ")[2].replace("<id>", public_id), row[heading], partial)
        faults.append(call.fault(call.send(client, token)))
    assert not any(faults), "\n".join(filter(None, faults))


# Participants that cannot be corrected: the response to IMDi's administrator.
UNMENDABLE = {
    "gjenopprett": {"own": "403", "discharged": "403", "protected": "404", "unknown": "404"},
    "gjenapne": {"own": "403", "deleted": "403", "protected": "404", "unknown": "404"},
}


@pytest.mark.parametrize("verb", UNMENDABLE)
def test_nothing_to_mend(own_house: House, verb: str) -> None:
    client, cast, faults = own_house.client("admin.imdi"), Cast(own_house, "admin.imdi"), []
    token = _token(client)
    for (state, wanted), method, partial in product(UNMENDABLE[verb].items(), ("GET", "POST"), (False, True)):
        answer = "on" if method == "POST" and wanted == "403" else wanted  # pressed twice: shows the present state
        call = Call(f"{method} /deltakere/<id>/{verb}", f"/deltakere/{cast.id_of(state)}/{verb}", answer, partial)
        faults.append(call.fault(call.send(client, token)))
    assert not any(faults), "\n".join(filter(None, faults))


# ---- Indistinguishable responses, and logging ----


def _without_tokens(answer: TestResponse) -> str:
    return re.sub(r'name="csrf_token" value="[^"]+"', "", answer.text)


def _refusals(house: House) -> list[tuple[int | None, int | None, Any]]:
    entries = select(AccessEntry.user_id, AccessEntry.participation_ref, AccessEntry.detail)
    refused = entries.where(AccessEntry.action == "refused").order_by(AccessEntry.id)
    return [tuple(row) for row in house.ask(refused)]


@pytest.mark.parametrize("username", ["kari.oslo", "ida.imdi"])
def test_hidden_participants_answer_as_if_they_were_not_there(own_house: House, username: str) -> None:
    client, cast = own_house.client(username), Cast(own_house, username)
    token, seen = _token(client), set()
    rules = [rule for rule, row in TABLES[1].items() if _cell(row, username, "unknown") == "404"]
    hidden = [state for state in STATES if _cell(TABLES[1]["GET /deltakere/<id>/data"], username, state) == "404"]
    for rule, state, partial in product(rules, hidden, (False, True)):
        address = rule.partition(" ")[2].replace("<id>", cast.id_of(state)).replace("<page>", "person")
        answer = Call(rule, address, "404", partial).send(client, token)
        headers = {name: value for name, value in answer.headers if name != "Content-Length"}
        seen.add((partial, answer.status_code, _without_tokens(answer), str(headers)))
    assert len(seen) == 2, "the page and the fragment, whatever was asked for"
    assert {status for _partial, status, _text, _headers in seen} == {404}


@pytest.mark.parametrize("state", STATES)
def test_a_refusal_is_logged_with_the_participant_that_was_asked_for(own_house: House, state: str) -> None:
    client, cast = own_house.client("kari.oslo"), Cast(own_house, "kari.oslo")
    token, public_id = _token(client), cast.id_of(state)
    internal = own_house.ask(select(Participation.id).where(Participation.public_id == public_id))
    before, expected = len(_refusals(own_house)), []
    for rule, row in TABLES[1].items():
        if _cell(row, "kari.oslo", state) == "404":
            address = rule.partition(" ")[2].replace("<id>", public_id).replace("<page>", "avslutning")
            Call(rule, address, "404", partial=False).send(client, token)
            expected += [row.id for row in internal]
    logged = _refusals(own_house)[before:]
    assert [participation for _user, participation, _detail in logged] == expected
    assert len(expected) == (len(TABLES[1]) if state in {"elsewhere", "deleted", "protected"} else 0)


def test_a_refused_view_is_logged(own_house: House) -> None:
    before = len(_refusals(own_house))
    own_house.client("admin.bergen").get("/deltakere")
    own_house.client("berit.bergen").get("/brukere")
    details = [detail for _user, _participation, detail in _refusals(own_house)[before:]]
    assert details == [{"view": "overview.overview_page"}, {"view": "accounts.users"}]


@pytest.mark.parametrize("username", EVERYONE, ids=lambda name: name or "nobody")
def test_rules_with_a_user(own_house: House, username: str | None) -> None:
    client, faults = own_house.client(username), []
    token = _token(client) if username else _sign_in_token(client)
    role = demo_user(username).role if username else None
    ids = dict(tuple(row) for row in own_house.ask(select(User.username, User.id)))
    states = {"own": ids["berit.bergen"], "elsewhere": ids["kari.oslo"], "unknown": 999_999}
    for (rule, row), state, partial in product(TABLES[3].items(), states, (False, True)):
        address = rule.partition(" ")[2].replace("<id>", str(states[state]))
        heading = {Role.MUNICIPAL_ADMIN: state, Role.IMDI_ADMIN: "unknown" if state == "unknown" else "own"}.get(
            role, {None: "nobody", Role.IMDI_READER: "IMDi"}.get(role, "caseworker")
        )
        call = Call(rule, address, row[heading], partial)
        faults.append(call.fault(call.send(client, token)))
    assert not any(faults), "\n".join(filter(None, faults))


def test_what_is_logged_is_ids_and_codes(own_house: House) -> None:
    own_house.client("kari.oslo").get("/deltakere/oversikt.csv?sorter=navn")
    persons = own_house.ask(select(Participation.national_id, Participation.person_id, Participation.name))
    personal = {str(value) for row in persons for value in row if value}
    logged = own_house.ask(select(AccessEntry.detail).where(AccessEntry.detail.is_not(None)))
    assert logged
    assert not [row.detail for row in logged if any(value in str(row.detail) for value in personal)]


def test_users_of_a_municipality_are_seen_by_its_administrator_only(own_house: House) -> None:
    local = own_house.client("admin.bergen").get("/brukere").text
    national = own_house.client("admin.imdi").get("/brukere").text
    assert all(f">{user.username}<" in national for user in USERS)
    in_bergen = {user.username for user in USERS if "4601" in user.municipality_numbers}
    assert {user.username for user in USERS if f">{user.username}<" in local} == in_bergen


def test_options_and_head_are_closed_too(own_house: House) -> None:
    nobody = own_house.nobody()
    assert nobody.options("/deltakere").status_code == 401
    assert nobody.head("/deltakere").status_code == 303
    assert own_house.client("admin.bergen").head("/deltakere").status_code == 403
