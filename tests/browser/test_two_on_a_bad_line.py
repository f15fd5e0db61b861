"""Two users fill in page 3 of one participant at the same time, on a connection that is cut at random: at the end both
see the same, all of it is registered, and every value that a user has overwritten had been on that user's screen.

In `make test` for some dozens of steps; `make faults` continues for ten minutes (FAULTS=all).
"""

import json
import os
import re
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import Any

import pytest
from playwright.sync_api import Route, expect
from sqlalchemy import create_engine, text

from services.core.clock import today
from services.core.days import date_text
from tests.browser.caseworker import Caseworker
from tests.browser.conftest import AtScreen, Someone
from tests.browser.saving import SERVERS, begin
from tests.support.browser import Watch

IS_LONG = os.environ.get("FAULTS") == "all"
STEPS, LONG_SECONDS = 30, 600
HOURS = ("10", "12,5", "20", "33", "99", "ti")  # the last two cannot be registered
ROW = {
    "kind": ("norwegian", "society", "digital"),
    "hours": ("6", "8", "9,5", "mye"),
    "comment": ("Kurs", "Praksis", ""),
}
# How a chosen answer is quoted, where the control has its code.
_WORDS = {
    "norwegian": "Norskopplæring",
    "society": "Samfunnskunnskap",
    "digital": "Digital kompetanse",
    "yes": "Ja",
    "no": "Nei",
}
CUT, ANSWER_LOST = 0.15, 0.15
# The content of the page: the controls of page 3 that are filled in here, each tiltak by its identity, and the text.
SHOWN = """() => {
  const shown = [];
  const of = (name) => [...document.getElementsByName(name)].find((one) => one.type !== "radio" || one.checked);
  for (const name of ["hours_per_week", "allowance"]) shown.push([name, of(name) ? of(name).value : ""]);
  for (const key of document.querySelectorAll("[name$=-row_key]")) {
    for (const inner of ["kind", "from_date", "hours", "comment"]) {
      const control = of(key.name.replace("row_key", inner));
      if (control) shown.push([`${key.value} ${inner}`, control.value]);
    }
  }
  return [shown, document.querySelector("main").innerText];
}"""
# The content after each change: a response may be drawn and typed over between two looks from outside.
WATCHED = """() => {
  window.watched = [];
  const read = SHOWN;
  const note = () => { window.watched.push(read()); };
  const whatever = { childList: true, subtree: true, attributes: true };
  new MutationObserver(note).observe(document.querySelector("main"), whatever);
  document.addEventListener("input", note, true);
  note();
}""".replace("SHOWN", SHOWN)


@dataclass
class User:
    """One of the two users, and what the screen has shown: values by answer, and quotes."""

    at: Caseworker
    watch: Watch
    random: Random
    seen: dict[str, set[str]] = field(default_factory=dict)
    quoted: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Record what the page has shown since the last look."""
        for shown, words in self.at.page.evaluate("() => window.watched.splice(0)"):
            for cell, value in shown:
                self.seen.setdefault(cell, set()).add(value)
            self.quoted.update(re.findall("«([^»]*)»", words))

    def has_seen(self, cell: str, value: str) -> bool:
        """True if the screen has shown a registered value, as typed, or quoted as text."""
        words = _WORDS.get(value, value)
        return value in self.seen.get(cell, set()) or any(words in one for one in self.quoted)

    def line(self, route: Route) -> None:
        """This user's connection: cut before the request is sent, or before the response arrives."""
        luck = self.random.random()
        if luck < CUT:
            route.abort("internetdisconnected")
        elif luck < CUT + ANSWER_LOST:
            route.fetch()
            route.abort("internetdisconnected")
        else:
            route.continue_()

    def act(self) -> None:
        """Do something on the page, as a user does."""
        page = self.at.page
        self.look()
        self.random.choice(
            (self.type_hours, self.answer_allowance, self.fill_row, self.fill_row, self.add, self.choose)
        )()
        for _moment in range(self.random.randrange(1, 8)):
            page.wait_for_timeout(150)
            self.look()

    def type_hours(self) -> None:
        self.at.field("Timer i program per uke").fill(self.random.choice(HOURS))

    def answer_allowance(self) -> None:
        self.at.answer("Mottar deltakeren stønad gjennom Jobbsjansen?", (self.random.choice(("Ja", "Nei")),))

    def add(self) -> None:
        keys = self.at.page.locator("[name^=activities-][name$=-row_key]")
        if keys.count() < 4:
            self.at.press("Legg til tiltak")

    def fill_row(self) -> None:
        """Fill in an answer of a tiltak, if there is one; a new one gets its day at some time."""
        page = self.at.page
        number = page.locator("[name^=activities-][name$=-row_key]").count()
        if not number:
            return self.add()
        place = self.random.randrange(number)
        inner = self.random.choice((*ROW, "from_date"))
        control = page.locator(f"[name=activities-{place}-{inner}]")
        value = date_text(today()) if inner == "from_date" else self.random.choice(ROW[inner])
        if control.count() == 0:  # removed meanwhile
            return None
        return control.select_option(value) and None if inner == "kind" else control.fill(value)

    def choose(self) -> None:
        """In a conflict, press one of the buttons."""
        buttons = self.at.page.locator("button[value^=mine-], button[value^=theirs-]")
        if buttons.count():
            buttons.nth(self.random.randrange(buttons.count())).click(timeout=5000)

    def settle(self) -> None:
        """The connection works again: correct invalid values, and decide conflicts."""
        page = self.at.page
        page.unroute("**/programinnhold/lagre")
        for _try in range(40):
            self.look()
            state = page.locator("#tilstand").inner_text()
            if state.startswith("Lagret"):
                return
            again = page.get_by_role("button", name="Prøv igjen")
            buttons = page.locator("button[value^=mine-], button[value^=theirs-]")
            if again.count():
                again.first.click()
            elif buttons.count():
                buttons.first.click()
            elif state.startswith("Ikke lagret"):
                self.put_right()
            page.wait_for_timeout(400)
        raise AssertionError(f"it is not saved at the end: {state}")

    def put_right(self) -> None:
        """Replace values that cannot be registered."""
        page = self.at.page
        hours = self.at.field("Timer i program per uke")
        if hours.get_attribute("aria-invalid") == "true":
            hours.fill("21")
        for place in range(page.locator("[name^=activities-][name$=-row_key]").count()):
            for inner, value in (("kind", "norwegian"), ("from_date", date_text(today())), ("hours", "7")):
                control = page.locator(f"[name=activities-{place}-{inner}]")
                is_empty = inner != "hours" and not control.input_value()
                if is_empty or control.get_attribute("aria-invalid") == "true":
                    control.select_option(value) if inner == "kind" else control.fill(value)


def changes(database_url: str, public_id: str) -> list[tuple[str, str, Any, Any]]:
    """The history: user, field, old, new, oldest first."""
    engine = create_engine(database_url)
    asked = text(
        "SELECT c.username, c.field, c.old, c.new FROM change c JOIN participation p ON c.participation_ref = p.id "
        "WHERE p.public_id = :id ORDER BY c.id"
    )
    with engine.connect() as connection:
        rows = connection.execute(asked, {"id": public_id}).all()
    engine.dispose()
    if engine.dialect.name == "sqlite":  # PostgreSQL's driver reads JSON itself
        return [(user, name, json.loads(old or "null"), json.loads(new or "null")) for user, name, old, new in rows]
    return [tuple(row) for row in rows]


def overwritten(old: Any, new: Any, field: str) -> dict[str, str]:
    """The values that a change has removed, as in their controls, by answer."""
    if field != "activities":
        return {field: _as_typed(field, old)} if old is not None else {}
    after = {row["row_key"]: row for row in new or []}
    return {
        f"{row['row_key']} {inner}": _as_typed(inner, row[inner])
        for row in old or []
        for inner in ("kind", "from_date", "hours", "comment")
        if row[inner] is not None and after.get(row["row_key"], {}).get(inner) != row[inner]
    }


def _as_typed(field: str, value: Any) -> str:
    if field in {"hours", "hours_per_week"}:
        return str(value).removesuffix(".0").replace(".", ",")
    if field == "from_date":
        return ".".join(reversed(str(value).split("-")))
    return str(value)


@SERVERS
def test_two_users_on_a_bad_line(
    at_screen: AtScreen, someone: Someone, server: str, request: pytest.FixtureRequest
) -> None:
    random = Random(12)
    with (
        at_screen("berit.bergen", server=server) as (berit, berits),
        at_screen("anne.tokommuner", server=server) as (anne, annes),
    ):
        address = begin(berit, someone, "Bakgrunn").replace("/bakgrunn", "/programinnhold")
        users = [User(at, watch, random) for at, watch in ((berit, berits), (anne, annes))]
        for user in users:
            user.watch.expect_lost_line()
            user.at.page.goto(address)
            user.at.page.evaluate(WATCHED)
            user.at.page.route("**/programinnhold/lagre", user.line)
        end, steps = monotonic() + LONG_SECONDS, 0
        while steps < STEPS or (IS_LONG and monotonic() < end):
            random.choice(users).act()
            steps += 1
        for user in [*users, *users]:
            user.settle()
        for user in users:
            user.look()
            user.at.page.reload()
            expect(user.at.page.locator("#tilstand")).to_contain_text("Lagret")
        shown = [user.at.page.evaluate(SHOWN)[0] for user in users]
        assert shown[0] == shown[1]
        by_name = {"berit.bergen": users[0], "anne.tokommuner": users[1]}
        public_id = address.split("/")[-2]
        history = changes(request.getfixturevalue(server).settings["DATABASE_URL"], public_id)
        assert len(history) > 5
        for username, name, old, new in history:
            for cell, value in overwritten(old, new, name).items():
                user = by_name[username]
                told = f"{username} has never seen {cell} «{value}», but {user.seen.get(cell)} and {user.quoted}"
                assert user.has_seen(cell, value), f"{told}\n{history}"
