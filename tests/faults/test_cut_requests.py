"""A broken connection: whatever part of a form has arrived, nothing of it is saved.

Every form of the program is sent to the real server over a socket of its own, cut off within each of its values and
between them: once with the end of the stream (FIN), as by a machine in between or an operating system, and once by
closing the connection. `make faults` cuts at every byte, and through HAProxy, too.
"""

import hashlib
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask
from sqlalchemy import inspect, text, update

from app.web.access import mark_of
from app.web.form_fields import ONLY_SIGNING
from services.core.db import db
from services.tables.accounts import User
from services.tables.participants import Participation
from tests.support.client import CheckedClient, form_in, tree_of
from tests.support.databases import DIALECTS, Databases, running_app
from tests.support.every_form import forms_of
from tests.support.forms import Form
from tests.support.haproxy import running_haproxy
from tests.support.house import IS_OPEN, IS_PLAIN, PARTICIPANTS, House
from tests.support.invitations import invited
from tests.support.letters import last_path
from tests.support.server import running_server
from tests.support.visits import key_of

EVERY_BYTE = os.environ.get("FAULTS") == "all"  # set by `make faults`
WAYS = ("bare", "haproxy") if EVERY_BYTE else ("bare",)
SECONDS = 30
AT_ONCE = 6
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
# Sessions change, since the last activity is recorded.
BESIDE = {"user_session"}
# Statuses for a complete form; an earlier one may have removed its target or signed its user out.
TAKEN_AS = {200, 204, 303, 401, 404, 409, 410, 422}
# Forms that must be among those found.
WANTED = {
    "accounts.code_submit",
    "accounts.forgotten_submit",
    "accounts.invitation_submit",
    "accounts.invite_submit",
    "accounts.own_password_submit",
    "accounts.reset_submit",
    "accounts.sign_in_submit",
    "accounts.user_action",
    "accounts.user_change",
    "creating.create",
    "creating.keep",
    "creating.look_up",
    "mending.delete",
    "mending.reopen",
    "mending.restore",
    "overview.search",
    "registration.discharge",
    "registration.keep",
    "registration.save",
    "saved_views.save",
}
PAGES = ("person", "bakgrunn", "programinnhold", "avslutning")


@dataclass(frozen=True)
class Sent:
    """A form to send: the view that receives it, its address, its fields, and its cookie."""

    view: str
    address: str
    pairs: tuple[tuple[str, str], ...]
    key: str

    @property
    def body(self) -> bytes:
        return urlencode(self.pairs).encode()

    def head(self, length: str) -> bytes:
        lines = [
            f"POST {self.address} HTTP/1.1",
            "Host: localhost",
            "Connection: close",
            "Origin: http://localhost",
            f"Cookie: session={self.key}",
            "Content-Type: application/x-www-form-urlencoded",
            length,
        ]
        return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()

    def cuts(self) -> list[int]:
        """How many bytes of the body arrive: none, all but the last one, up to each field, and half of each value."""
        if EVERY_BYTE:
            return list(range(len(self.body)))
        found, at = {0, len(self.body) - 1}, 0
        for pair in self.body.split(b"&"):
            name, _equals, value = pair.partition(b"=")
            found |= {at, at + len(name) + 1 + len(value) // 2, at + len(pair)}
            at += len(pair) + 1
        return sorted(one for one in found if one < len(self.body))


@dataclass
class Line:
    """The program on its real server, and its database."""

    app: Flask
    port: int
    forms: list[Sent] = field(default_factory=list)

    def send(self, request: bytes, *, closes: bool = False, ends: bool = True) -> bytes:
        """The response to these bytes, after which nothing more is sent: the connection `closes` without waiting for a
        response (b""), or it `ends` on this side, or the request states its own end."""
        whole = b""
        place = ("127.0.0.1", self.port)
        with socket.create_connection(place, SECONDS) as connection, suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
            if closes:
                return b""
            if ends:
                connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                whole += piece
        return whole

    def stored(self) -> dict[str, str]:
        """A digest of each table."""
        with self.app.app_context():
            with db.engine.connect() as connection:
                names = sorted(set(inspect(connection).get_table_names()) - BESIDE)
                rows = {name: connection.execute(text(f'SELECT * FROM "{name}"')).all() for name in names}
            return {
                name: hashlib.sha256("\n".join(sorted(map(repr, rows[name]))).encode()).hexdigest() for name in names
            }


TYPED = {
    "name": "Nora Ny Berg",
    "email": "nora.ny@bergen.kommune.no",
    "phone": "55 00 00 01",
    "whom": "ida.imdi",
    "username": "ida.imdi",
    "present": "demo-passord-2026",
    "password": "tre blå elefanter på tur",
    "repeated": "tre blå elefanter på tur",
    "code": "123456",
    "navn": "Mine",
    "reason": "wrong_person",
    "q": "Ali",
    "hvem": "kari.oslo",
}


def _with_values(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The fields with values instead of empty ones, so that there is something to lose."""
    return tuple((name, value or TYPED.get(name, "")) for name, value in pairs)


def _browsers(house: House) -> dict[str | None, CheckedClient]:
    return {name: house.client(name) for name in ("kari.oslo", "admin.bergen", "admin.imdi")} | {None: house.nobody()}


def _of_pages(house: House, client: CheckedClient, key: str) -> Iterator[Sent]:
    """The forms that are sent automatically, not by a button."""
    rich = house.participants(
        IS_OPEN, IS_PLAIN, Participation.municipality_number == "0301", Participation.end_date.is_not(None)
    )
    public_id = rich.pop()
    for ready in rich:
        page = client.get(f"/deltakere/{ready}/avslutning/utskriv")
        if page.status_code == 200:
            form = form_in(page, button="Det er OK")
            yield Sent("registration.discharge", form.target(None)[1], tuple(form.pairs(None)), key)
            break
    for address in [*(f"/deltakere/{public_id}/{page}" for page in PAGES), "/deltakere/ny"]:
        tree = tree_of(client.get(address))
        form = next(Form(tree, one) for one in tree.elements("form") if "data-lagre" in one.attrib)
        goals = {form.element.attrib["data-lagre"]} | {
            one.attrib["data-hx-post"]
            for one in tree.elements("input", "select", "textarea")
            if "data-hx-post" in one.attrib and one.attrib.get("name")
        }
        for goal in sorted(goals):
            endpoint, _values = house.app.url_map.bind("localhost").match(goal, method="POST")
            yield Sent(endpoint, goal, _with_values(tuple(form.pairs(None))), key)
        for button in ("next", "overview"):
            pressed = [one for one in form.buttons if one.attrib.get("value") == button]
            if pressed:
                goal = form.target(pressed[0])[1]
                endpoint, _values = house.app.url_map.bind("localhost").match(goal, method="POST")
                yield Sent(endpoint, goal, _with_values(tuple(form.pairs(pressed[0]))), key)


def all_forms(house: House) -> list[Sent]:
    """Every form that anybody finds, and those that are sent automatically; each kind once."""
    found: dict[tuple[str, frozenset[str]], Sent] = {}
    invited_path = invited(house, "brutt.linje@bergen.kommune.no")
    for username, client in _browsers(house).items():
        forms = forms_of(house, username, client)
        key = str(key_of(client))
        more = _of_pages(house, client, key) if username == "kari.oslo" else iter(())
        for one in [
            *more,
            *(Sent(form.endpoint, form.address, _with_values(form.pairs), key) for form in forms),
        ]:
            found.setdefault((one.view + one.address[-8:], frozenset(name for name, _value in one.pairs)), one)
    for sent in _by_links(house, invited_path):
        found[sent.view, frozenset()] = sent
    return list(found.values())


def _by_links(house: House, invited_path: str) -> Iterator[Sent]:
    """The forms that links in e-mails lead to, and the one for the code."""
    client = house.nobody()
    client.submit(client.get("/glemt-passord"), fill={"Brukernavn eller e-post": "anne.tokommuner"})
    reset_path = last_path(house.app, "anne.tokommuner@example.org")
    for view, path in (("accounts.invitation_submit", invited_path), ("accounts.reset_submit", reset_path)):
        tree = tree_of(client.get(path))
        form = Form(tree, next(one for one in tree.elements("form")))
        words = {"password": "tre blå elefanter på tur", "repeated": "tre blå elefanter på tur"}
        pairs = tuple((name, words.get(name, value)) for name, value in form.pairs(None))
        yield Sent(view, path, pairs, str(key_of(client)))
        client = house.nobody()
    tree = tree_of(client.get("/logg-inn"))
    form = Form(tree, next(one for one in tree.elements("form")))
    pairs = [pair for pair in form.pairs(None) if pair[0] not in {"username", "password", "page_token", "slutt"}]
    pairs += [("code", "123456"), ("slutt", "1")]
    yield Sent("accounts.code_submit", "/logg-inn/kode", tuple(pairs), str(key_of(client)))


@pytest.fixture(scope="module", params=[(dialect, way) for dialect in DIALECTS for way in WAYS], ids="-".join)
def line(request: pytest.FixtureRequest, databases: Databases, settings: dict[str, str]) -> Iterator[Line]:
    dialect, way = request.param
    environ = {**settings, "DATABASE_URL": databases.filled(dialect, PARTICIPANTS)}
    with ExitStack() as stack:
        app = stack.enter_context(running_app(environ))
        app.test_client_class = CheckedClient
        server = stack.enter_context(running_server(environ))
        port = int(urlsplit(server.base_url).port or 0)
        made = Line(app, stack.enter_context(running_haproxy(port)) if way == "haproxy" else port)
        made.forms = all_forms(House(app))
        yield made
    databases.remove(environ["DATABASE_URL"])


def broken(sent: Sent) -> Iterator[tuple[str, bytes, bool]]:
    """The form cut off in every way: a description, the bytes to send, and whether to close the connection then."""
    body = sent.body
    head = sent.head(f"Content-Length: {len(body)}")
    for at in sent.cuts():
        yield f"{at} of {len(body)} bytes, FIN", head + body[:at], False
        yield f"{at} of {len(body)} bytes, closed", head + body[:at], True
    chunked = sent.head("Transfer-Encoding: chunked") + f"{len(body):x}\r\n".encode() + body
    for end in (b"", b"\r\n", b"\r\n0", b"\r\n0\r\n"):
        yield f"in a chunk, then {end!r}", chunked + end, False
        yield f"in a chunk, then {end!r}, closed", chunked + end, True


def without_its_end(sent: Sent) -> Iterator[tuple[str, bytes, bool]]:
    """The form as shortened by a machine in between that adjusts the length: cut after each field, but consistent."""
    for number in range(len(sent.pairs)):
        body = urlencode(sent.pairs[:number]).encode()
        yield f"the first {number} fields", sent.head(f"Content-Length: {len(body)}") + body, False


def test_every_kind_of_form_is_among_them(line: Line) -> None:
    views = {one.view for one in line.forms}
    assert views >= WANTED, WANTED - views
    for sent in line.forms:
        assert sent.pairs[-1] == ("slutt", "1"), sent.view
        assert len(sent.cuts()) > 3


def test_nothing_of_a_form_that_was_cut_off_is_saved(line: Line) -> None:
    before, faults = line.stored(), []
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for sent in line.forms:
            cut = [*broken(sent), *(without_its_end(sent) if sent.view not in ONLY_SIGNING else ())]
            answers = threads.map(lambda one: line.send(one[1], closes=one[2]), cut)
            for (how, _request, _closes), answer in zip(cut, answers, strict=True):
                if answer and not 400 <= status_of(answer) < 500:
                    faults.append(f"{sent.view}, {how}: {status_of(answer)}")
            after = line.stored()
            changed = [name for name in after if after[name] != before[name]]
            if changed:
                faults.append(f"{sent.view}: {changed} changed")
                before = after
    assert not faults, "\n".join(faults[:40])


def _half_sent(line: Line, forms: list[Sent], stack: ExitStack) -> list[socket.socket]:
    """Connections on which half of each form has been sent, and the server has had time to begin."""
    made = []
    for sent in forms:
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", line.port), SECONDS))
        connection.sendall(sent.head(f"Content-Length: {len(sent.body)}") + sent.body[: len(sent.body) // 2])
        made.append(connection)
    time.sleep(0.3)
    return made


def test_a_form_counts_with_the_rights_at_its_end(line: Line) -> None:
    """After half of it, its user is blocked, then the rest follows: nothing of it is saved."""
    house, faults = House(line.app), []
    guarded = [one for one in line.forms if mark_of(line.app.view_functions[one.view]) != "public"]
    before = line.stored()
    for start in range(0, len(guarded), AT_ONCE):
        forms = guarded[start : start + AT_ONCE]
        with ExitStack() as stack:
            connections = _half_sent(line, forms, stack)
            house.write(update(User).where(User.blocked_at.is_(None)).values(blocked_at=LONG_AGO))
            for sent, connection in zip(forms, connections, strict=True):
                connection.sendall(sent.body[len(sent.body) // 2 :])
                if (status := status_of(connection.recv(65536))) not in {303, 401}:
                    faults.append(f"{sent.view}: {status}")
            house.write(update(User).where(User.blocked_at == LONG_AGO).values(blocked_at=None))
    assert not faults, "\n".join(faults)
    assert line.stored() == before


def test_the_same_forms_are_taken_when_they_are_whole(line: Line) -> None:
    """Forms refused above were refused for their missing end alone."""
    before, faults = line.stored(), []
    last = ("registration.discharge", "mending.", "accounts.", "accounts.sign_out")  # they remove what others need
    for sent in sorted(line.forms, key=lambda one: [one.view.startswith(word) for word in last]):
        answer = line.send(sent.head(f"Content-Length: {len(sent.body)}") + sent.body, ends=False)
        if status_of(answer) not in TAKEN_AS:
            faults.append(f"{sent.view}: {status_of(answer)}")
    assert not faults, "\n".join(faults)
    after = line.stored()
    assert {"participation", "change", "user_account"} <= {name for name in after if after[name] != before[name]}


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])
