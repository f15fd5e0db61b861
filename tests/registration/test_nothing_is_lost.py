"""Three users at two participants, in any order: saved values are never lost, nor overwritten unseen.

The users fill in two pages with valid, invalid, incomplete and conditional values and rows. Their forms are sent as by
the script. Responses are lost, or put into the page. The model knows what each screen has shown.
"""

import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from services.core.status import Status
from services.participation.answers import values_of
from services.questions.fields import Field
from services.questions.pages import FIELDS
from services.questions.row_fields import RowsField
from services.tables.participants import Participation
from tests.support.client import CheckedClient, text_of
from tests.support.databases import Databases, running_app
from tests.support.registering import BY_MISTAKE, Office, address
from tests.support.screen import Screen

USERS = ("berit.bergen", "anne.tokommuner", "berit.bergen in another tab")
VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "bakgrunn": {
        "recruitment": ("nav", "other", "herself"),
        "children": ("0", "2", "3", "mange"),  # the last one cannot be registered
        "youngest_child": ("2019", "2020", "i fjor"),  # only with children
        "work_experience": ("none", "norway", "both"),
        "work_norway": ("under_6", "over_3"),  # only with work in Norway
    },
    "programinnhold": {
        "hours_per_week": ("20", "33", "99"),
        "individual_plan": ("yes", "no"),
        "plan_date": ("01.03.2024", "02.03.2024", "31.02.2024"),  # only with a plan
        "no_activities": ("1", ""),
    },
}
ROW_VALUES = {
    "kind": ("norwegian", "society", ""),
    "from_date": ("01.02.2024", "02.02.2024", "30.02.2024", ""),
    "hours": ("10", "12", "ti"),
}
WORDS = ("bakgrunn", "programinnhold")
ROWS = "activities"
WHO: dict[str, Any] = {"user": st.sampled_from(USERS), "which": st.integers(0, 1)}


@dataclass
class Watched:
    """A screen, and the registered values of each answer that it has shown since it was opened. Cells are answers by
    key, or (row, key) for the answers of a tiltak."""

    screen: Screen
    seen: dict[Any, set[str]] = field(default_factory=dict)

    def look(self) -> None:
        """Record what the page shows now: in its controls, and quoted in its messages."""
        for key in VALUES["bakgrunn"] | VALUES["programinnhold"]:
            if self.screen.question(key) is not None:
                self._see(key, self.screen.value(key), f"felt-{key}")
        for place in self.screen.rows(ROWS):
            row = self.screen.value(f"{ROWS}-{place}-row_key")
            for key in ROW_VALUES:
                self._see((row, key), self.screen.value(f"{ROWS}-{place}-{key}"), f"felt-{ROWS}")

    def _see(self, cell: Any, shown: str, container: str) -> None:
        words = self.screen.spoken(container)
        quoted = re.findall("«([^»]*)»", words)
        named = {code for code, label in _labels(cell).items() if any(label in text for text in quoted)}
        plain = {part for text in quoted for part in re.split(r", | til | fra | timer|: ", text)}
        emptied = {""} if "ikke noe svar" in words else set()
        self.seen.setdefault(cell, set()).update({shown}, quoted, plain, named, emptied)


def _labels(cell: Any) -> dict[str, str]:
    question = FIELDS[cell] if isinstance(cell, str) else _inner()[cell[1]]
    labels: dict[str, str] = getattr(question, "labels", {})
    return labels


def _inner() -> dict[str, Field]:
    """The fields of a tiltak."""
    question = FIELDS[ROWS]
    assert isinstance(question, RowsField)
    return {one.key: one for one in question.fields}


def _text(key: str, value: Any, fields: Mapping[str, Field]) -> str:
    raw = fields[key].raw(value)
    return str(raw[0]) if raw else ""


def cells_of(participation: Participation) -> dict[Any, str]:
    """The registered answers, as the texts of their controls."""
    values = values_of(participation)
    cells: dict[Any, str] = {key: _text(key, values[key], FIELDS) for page in VALUES.values() for key in page}
    inner = _inner()
    for row in values[ROWS] or []:
        cells |= {(row["row_key"], key): _text(key, row[key], inner) for key in ROW_VALUES}
    return cells


class Story(RuleBasedStateMachine):
    """The rules of the state machine."""

    address: str
    program: dict[str, str]

    def __init__(self) -> None:
        super().__init__()
        self.running = ExitStack()
        self.clients: dict[str, CheckedClient] = {}
        self.screens: dict[tuple[str, str, str], Watched] = {}
        self.closed: set[str] = set()
        self.start()

    def start(self) -> None:
        """Start the program; users stay signed in, since sessions are in the database."""
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
        for (user, _public_id, _word), watched in self.screens.items():
            watched.screen.client = self.clients[user]

    def client_of(self, user: str) -> CheckedClient:
        """The client of a user."""
        return self.clients[user]

    @initialize()
    def begin(self) -> None:
        """Create two participants who could be discharged."""
        self.people = [self.office.ended() for _number in range(2)]
        self.known = {public_id: self.registered(public_id) for public_id in self.people}

    def registered(self, public_id: str) -> dict[Any, str]:
        """The answers in the register."""
        return cells_of(self.office.participation(public_id))

    def watched(self, user: str, which: int, word: str) -> Watched | None:
        """A form on screen; opened, if it is not on screen yet. `None` if it cannot be opened any more."""
        key = (user, self.people[which], word)
        if key not in self.screens:
            if key[1] in self.closed:
                return None
            self.screens[key] = Watched(Screen.of(self.clients[user], address(key[1], word)))
            self.screens[key].look()
        return self.screens[key]

    # ---- Actions of users ----

    @rule(**WHO, word=st.sampled_from(WORDS))
    def reload(self, user: str, which: int, word: str) -> None:
        """Load the page again. Its values are registered, or the user's own drafts."""
        self.screens.pop((user, self.people[which], word), None)
        watched = self.watched(user, which, word)
        if watched is None:
            assert self.clients[user].get(address(self.people[which], word)).status_code in {303, 404}
            return
        own = self.office.drafts(self.people[which], by=user.partition(" ")[0])
        for key in VALUES[word]:
            if watched.screen.control(key) is not None:
                shown, registered = watched.screen.value(key), self.known[self.people[which]][key]
                assert shown == (str(own[key][0]) if own.get(key) else registered)

    @rule(**WHO, key=st.sampled_from(sorted(VALUES["bakgrunn"])), choice=st.integers(0, 3), lost=st.booleans())
    def answer_background(self, user: str, which: int, key: str, choice: int, lost: bool) -> None:
        """Change one answer on page 2."""
        self.write(user, which, "bakgrunn", key, VALUES["bakgrunn"][key], choice, lost)

    @rule(**WHO, key=st.sampled_from(sorted(VALUES["programinnhold"])), choice=st.integers(0, 3), lost=st.booleans())
    def answer_programme(self, user: str, which: int, key: str, choice: int, lost: bool) -> None:
        """Change one answer on page 3."""
        self.write(user, which, "programinnhold", key, VALUES["programinnhold"][key], choice, lost)

    def write(
        self, user: str, which: int, word: str, name: str, values: tuple[str, ...], choice: int, lost: bool
    ) -> None:
        """Fill in a control and send the form."""
        watched = self.watched(user, which, word)
        if watched is not None and watched.screen.put(name, values[choice % len(values)]):
            self.send(user, which, word, lost=lost)

    @rule(**WHO, lost=st.booleans())
    def add_row(self, user: str, which: int, lost: bool) -> None:
        """«Legg til tiltak»."""
        if self.watched(user, which, "programinnhold") is not None:
            self.send(user, which, "programinnhold", lost=lost, go=f"add-{ROWS}")

    @rule(
        **WHO,
        place=st.integers(0, 2),
        values=st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in ROW_VALUES.items()}),
        lost=st.booleans(),
    )
    def fill_row(self, user: str, which: int, place: int, values: dict[str, str], lost: bool) -> None:
        """Change some answers of a tiltak; it may be incomplete, or invalid."""
        watched = self.watched(user, which, "programinnhold")
        if watched is None or place not in watched.screen.rows(ROWS) or not values:
            return
        for key, value in values.items():
            watched.screen.put(f"{ROWS}-{place}-{key}", value)
        self.send(user, which, "programinnhold", lost=lost)

    @rule(**WHO, place=st.integers(0, 2), undone=st.booleans())
    def remove_row(self, user: str, which: int, place: int, undone: bool) -> None:
        """«Fjern tiltak», and perhaps «Angre»."""
        watched = self.watched(user, which, "programinnhold")
        if watched is None or place not in watched.screen.rows(ROWS):
            return
        self.send(user, which, "programinnhold", go=f"remove-{ROWS}-{place}")
        if undone and f"angre-{ROWS}" in watched.screen.tree.by_id:
            self.send(user, which, "programinnhold", go=watched.screen.tree.by_id[f"angre-{ROWS}"].attrib["value"])

    @rule(**WHO, word=st.sampled_from(WORDS), mine=st.booleans())
    def choose(self, user: str, which: int, word: str, mine: bool) -> None:
        """Choose one of the answers in a conflict."""
        watched = self.screens.get((user, self.people[which], word))
        if watched is None:
            return
        verb = "mine-" if mine else "theirs-"
        buttons = [one.attrib["value"] for one in watched.screen.form.buttons if one.attrib.get("name") == "go"]
        for value in [one for one in buttons if one.startswith(verb)][:1]:
            self.send(user, which, word, go=value)

    @rule(**WHO, word=st.sampled_from(WORDS))
    def leave(self, user: str, which: int, word: str) -> None:
        """«Til deltakeroversikten» sends the whole form; if something cannot be saved, the form stays with a
        message."""
        key = (user, self.people[which], word)
        watched = self.screens.get(key)
        if watched is None:
            return
        before = self.known[key[1]]
        answer = watched.screen.client.post(
            watched.screen.address, data=watched.screen.sent({"go": "overview"}, whole=True)
        )
        self.judge(watched, key[1], before, f"leave {answer.status_code}")
        if answer.status_code == 303:
            self.screens.pop(key)
        elif key[1] not in self.closed:
            assert answer.status_code in {409, 422}
            watched.screen = watched.screen.showing(answer)
            watched.look()

    def send(self, user: str, which: int, word: str, *, lost: bool = False, **more: str) -> None:
        """Send a form as by the script, and compare its response with the registered values."""
        public_id = self.people[which]
        watched = self.screens[user, public_id, word]
        before = self.known[public_id]
        watched.look()  # users see what they type
        answer = watched.screen.autosave(is_lost=lost, **more)
        if public_id in self.closed:
            assert answer.status_code in {403, 404}
            assert self.registered(public_id) == before
            return
        assert answer.status_code == 200, text_of(answer)
        self.judge(watched, public_id, before, f"{word} {more.get('go', '')} {'lost' if lost else ''}")
        if not lost:
            watched.look()
        if not lost and "Lagret kl." in watched.screen.spoken("tilstand"):
            for key in VALUES[word]:
                if watched.screen.control(key) is not None:
                    assert watched.screen.value(key) == self.known[public_id][key], f"{key} is not what was saved"
            for place in watched.screen.rows(ROWS):
                row = watched.screen.value(f"{ROWS}-{place}-row_key")
                for key in ROW_VALUES:
                    shown = watched.screen.value(f"{ROWS}-{place}-{key}")
                    assert shown == self.known[public_id].get((row, key), ""), f"{row} {key} is not what was saved"

    def judge(self, watched: Watched, public_id: str, before: dict[Any, str], done: str) -> None:
        """Check that a save has only changed values that its user has seen."""
        after = self.known[public_id] = self.registered(public_id)
        for cell, old in before.items():
            if old and after.get(cell, "") != old:
                assert old in watched.seen.get(cell, set()), (
                    f"{done}: {cell} was «{old}», which this screen never showed"
                )

    # ---- Events of the program and the participants ----

    @rule()
    def restart(self) -> None:
        """Restart the program."""
        self.running.close()
        self.start()

    @rule(**WHO, really=st.integers(0, 5))
    def discharge(self, user: str, which: int, really: int) -> None:
        """«Utskriv og registrer ferdig», sometimes."""
        public_id = self.people[which]
        if really or public_id in self.closed:
            return
        question = self.clients[user].get(address(public_id, "avslutning", "utskriv"))
        if question.status_code != 200:  # something is missing
            return
        self.clients[user].submit(question, button="Det er OK")
        assert self.office.participation(public_id).status == Status.DISCHARGED
        self.closed.add(public_id)

    @rule(**WHO, really=st.integers(0, 5))
    def delete(self, user: str, which: int, really: int) -> None:
        """«Slett deltaker», sometimes."""
        public_id = self.people[which]
        if really or public_id in self.closed:
            return
        question = self.clients[user].get(address(public_id, "slett", "bekreft"))
        self.clients[user].submit(question, button="Ja, slett deltaker", fill=BY_MISTAKE)
        self.closed.add(public_id)

    @invariant()
    def what_is_registered_stands(self) -> None:
        """Registered values change by saves only."""
        for public_id, known in getattr(self, "known", {}).items():
            assert self.registered(public_id) == known
            self.check_history(public_id)

    def check_history(self, public_id: str) -> None:
        """The history explains each present answer."""
        last: dict[str, Any] = {}
        for _version, _user, key, old, new in self.office.changes(public_id):
            assert last.get(key) == old
            last[key] = new
        for key, value in self.known[public_id].items():
            if isinstance(key, str):
                assert _text(key, FIELDS[key].from_json(last.get(key)), FIELDS) == value

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
