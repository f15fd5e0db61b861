"""Three caseworkers at two participants, in any order: what was called saved is never lost, nor changed unseen.

A form on screen is sent as the script sends it, and is never refreshed by its answers: as on a line that loses them
all. The model knows what each form has shown, what was typed into it, and what its answers have told.
"""

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from services.models import Status
from tests.support.client import CheckedClient, form_in, text_of, tree_of
from tests.support.databases import Databases, running_app
from tests.support.forms import Form
from tests.support.registering import BY_MISTAKE, Office, address

USERS = ("berit.bergen", "anne.tokommuner", "berit.bergen in another tab")
VALUES = {
    "mother_tongue": ("som", "urd", "tam"),
    "recruitment": ("nav", "other", "herself"),
    "children": ("0", "3", "mange"),  # the last one cannot be registered
}
LABELS = {"mother_tongue": "Morsmål", "recruitment": "Rekrutteringskanal", "children": "Antall barn under 18 år"}


@dataclass
class Screen:
    """A form on somebody's screen: what it showed, what stands in it, and which registered answers she has been
    shown since."""

    pairs: list[tuple[str, str]]
    shown: dict[str, str]
    typed: dict[str, str]
    seen: dict[str, set[str]]
    undecided: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)

    def sent(self, **more: str) -> MultiDict[str, str]:
        """The whole form."""
        own = [(name, value) for name, value in self.pairs if name not in VALUES and name != "uavklart"]
        typed = [(name, value) for name, value in self.typed.items() if value]
        return MultiDict([*own, *typed, *(("uavklart", key) for key in sorted(self.undecided)), *more.items()])


def _shown(form: Form) -> dict[str, str]:
    pairs = dict(form.pairs(None))
    return {name: pairs.get(name, "") for name in VALUES}


class Story(RuleBasedStateMachine):
    """What can happen."""

    address: str
    program: dict[str, str]

    def __init__(self) -> None:
        super().__init__()
        self.running = ExitStack()
        self.clients: dict[str, CheckedClient] = {}
        self.screens: dict[tuple[str, str], Screen] = {}
        self.closed: set[str] = set()
        self.start()

    def start(self) -> None:
        """Start the program; whoever was signed in still is, since visits are kept in the database."""
        app: Flask = self.running.enter_context(running_app({**self.program, "DATABASE_URL": self.address}))
        app.test_client_class = CheckedClient
        cookies = {user: client.get_cookie("session") for user, client in self.clients.items()}
        self.office = Office(app, self.client_of)
        self.clients = {}
        for user in USERS:
            client = app.test_client()
            assert isinstance(client, CheckedClient)
            if kept := cookies.get(user):
                client.set_cookie("session", kept.value)
            else:
                client.login(user.partition(" ")[0])
            self.clients[user] = client

    def client_of(self, user: str) -> CheckedClient:
        """Her browser."""
        return self.clients[user]

    @initialize()
    def begin(self) -> None:
        """Two participants who could be discharged."""
        self.people = [self.office.ended() for _number in range(2)]
        self.known = {public_id: self.registered(public_id) for public_id in self.people}

    def registered(self, public_id: str) -> dict[str, str]:
        """The answers in the register."""
        found = self.office.participation(public_id)
        return {key: "" if getattr(found, key) is None else str(getattr(found, key)) for key in VALUES}

    def screen(self, user: str, public_id: str) -> Screen:
        """Her form; opened, if it is not on screen yet."""
        if (user, public_id) not in self.screens:
            form = form_in(self.clients[user].get(address(public_id, "bakgrunn")), form="registrering")
            pairs, shown = form.pairs(None), _shown(form)
            undecided = {value for name, value in pairs if name == "uavklart"}
            seen = {key: {shown[key], value} for key, value in self.known[public_id].items()}
            self.screens[user, public_id] = Screen(pairs, shown, dict(shown), seen, undecided)
        return self.screens[user, public_id]

    @rule(user=st.sampled_from(USERS), which=st.integers(0, 1))
    def reload(self, user: str, which: int) -> None:
        """The page anew: it shows what is registered, or what is kept as typed."""
        public_id = self.people[which]
        self.screens.pop((user, public_id), None)
        if public_id in self.closed:
            assert self.clients[user].get(address(public_id, "bakgrunn")).status_code in {303, 404}
            return
        drafts = {key: raw[0] if raw else "" for key, raw in self.office.drafts(public_id).items()}
        shown = self.screen(user, public_id).shown
        assert shown == {key: drafts.get(key, value) for key, value in self.known[public_id].items()}

    @rule(
        user=st.sampled_from(USERS),
        which=st.integers(0, 1),
        key=st.sampled_from(sorted(VALUES)),
        choice=st.integers(0, 2),
        again=st.booleans(),
    )
    def write(self, user: str, which: int, key: str, choice: int, again: bool) -> None:
        """One answer is changed on screen and the form is sent, perhaps twice."""
        public_id = self.people[which]
        if public_id in self.closed and (user, public_id) not in self.screens:
            return
        screen = self.screen(user, public_id)
        screen.typed[key] = VALUES[key][choice]
        screen.touched.add(key)
        for _time in range(1 + again):
            self.send(user, public_id, screen)

    @rule(user=st.sampled_from(USERS), which=st.integers(0, 1), mine=st.booleans())
    def choose(self, user: str, which: int, mine: bool) -> None:
        """Where two have answered, one of the answers is chosen."""
        public_id = self.people[which]
        screen = self.screens.get((user, public_id))
        if screen is None or not screen.undecided or public_id in self.closed:
            return
        key = sorted(screen.undecided)[0]
        before = self.known[public_id][key]
        screen.touched.add(key)
        version = str(self.office.participation(public_id).version)  # as the answer has told
        screen.pairs = [(n, version if n == "version" else v) for n, v in screen.pairs]
        self.send(user, public_id, screen, go=f"{'mine' if mine else 'theirs'}-{key}")
        if not mine and key not in screen.undecided:
            assert self.known[public_id][key] == before
            screen.typed[key] = before

    def send(self, user: str, public_id: str, screen: Screen, **more: str) -> None:
        """Send a form as the script does, and hold its answer against what is registered then."""
        before = self.known[public_id]
        answer = self.clients[user].post_partial(address(public_id, "bakgrunn", "lagre"), screen.sent(**more))
        after = self.known[public_id] = self.registered(public_id)
        if public_id in self.closed:
            assert answer.status_code in {403, 404}
            assert after == before
            return
        assert answer.status_code == 200, text_of(answer)
        told = self.told(answer)
        for key, value in before.items():
            if after[key] != value:
                assert key in screen.touched, "nobody touched it here"
                assert value in screen.seen[key], "it was overwritten unseen"
                assert after[key] == screen.typed[key]
        if "Lagret kl." in told["tilstand"] and not more:
            for key, typed in screen.typed.items():
                if key in screen.touched and after[key] != typed:  # then another's stands, and she is told
                    assert LABELS[key] in told["endret-av-andre"]
        self.learn(screen, answer, before, after)

    def learn(self, screen: Screen, answer: TestResponse, before: dict[str, str], after: dict[str, str]) -> None:
        """What the answer has shown her."""
        told = self.told(answer)
        marks = {str(one.get("value")) for one in tree_of(answer).elements("input") if one.get("name") == "uavklart"}
        screen.undecided = marks
        for key in VALUES:
            if key in marks or LABELS[key] in told.get("endret-av-andre", ""):
                screen.seen[key].add(after[key])
            if after[key] == screen.typed[key]:
                screen.seen[key].add(after[key])

    def told(self, answer: TestResponse) -> dict[str, str]:
        """The words that an answer puts into each place."""
        tree = tree_of(answer)
        parts = {one.attrib["data-hx-target"].removeprefix("#"): tree.text(one) for one in tree.elements("hx-partial")}
        return {"endret-av-andre": "", **parts}

    @rule()
    def restart(self) -> None:
        """The program is ended and started again."""
        self.running.close()
        self.start()

    @rule(user=st.sampled_from(USERS), which=st.integers(0, 1), really=st.integers(0, 5))
    def discharge(self, user: str, which: int, really: int) -> None:
        """«Utskriv og registrer ferdig», now and then."""
        public_id = self.people[which]
        if really or public_id in self.closed or self.office.drafts(public_id):
            return
        question = self.clients[user].get(address(public_id, "avslutning", "utskriv"))
        if question.status_code != 200:  # something is missing
            return
        self.clients[user].submit(question, button="Det er OK")
        assert self.office.participation(public_id).status == Status.DISCHARGED
        self.closed.add(public_id)

    @rule(user=st.sampled_from(USERS), which=st.integers(0, 1), really=st.integers(0, 5))
    def delete(self, user: str, which: int, really: int) -> None:
        """«Slett deltaker», now and then."""
        public_id = self.people[which]
        if really or public_id in self.closed:
            return
        question = self.clients[user].get(address(public_id, "slett", "bekreft"))
        self.clients[user].submit(question, button="Ja, slett deltaker", fill=BY_MISTAKE)
        self.closed.add(public_id)

    @invariant()
    def what_is_registered_stands(self) -> None:
        """Nothing changes but by a save."""
        for public_id, known in getattr(self, "known", {}).items():
            assert self.registered(public_id) == known
            self.check_history(public_id)

    def check_history(self, public_id: str) -> None:
        """The history tells how each answer came to be what it is."""
        last: dict[str, Any] = {}
        for _version, _user, key, old, new in self.office.changes(public_id):
            assert last.get(key) == old
            last[key] = new
        for key, value in self.known[public_id].items():
            assert str(last.get(key) if last.get(key) is not None else "") == value

    def teardown(self) -> None:
        self.running.close()


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_nothing_that_was_called_saved_is_lost(databases: Databases, settings: dict[str, str], dialect: str) -> None:
    story = type("StoryHere", (Story,), {"address": databases.filled(dialect, 0), "program": settings})
    run_state_machine_as_test(
        story,
        settings=hypothesis_settings(
            max_examples=10, stateful_step_count=30, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate)
        ),
    )
    databases.remove(story.address)
