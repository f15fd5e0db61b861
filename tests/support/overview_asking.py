"""Requests to the overview by its form, as by a user or htmx; and the expected participants, computed from all rows
without the program's queries."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.etree.ElementTree import Element

from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from app.web.responses import END_MARK
from services.access.viewer import Role
from services.core.clock import OSLO_TIME, today
from services.core.name_folding import name_words
from services.core.status import Status
from services.participation.person_data import name_key
from services.tables.participants import Leave, Participation
from tests.support.client import form_in, htmx_headers
from tests.support.house import House, demo_user
from tests.support.overview_screen import Screen, in_order

Values = Mapping[str, str | Sequence[str]]
_ID = re.compile(r'<td[^>]*>\s*<a class="ds-link[^"]*" href="/deltakere/([A-Za-z0-9_-]{16})/')
_COUNT = re.compile(r"Antall deltakere: ([0-9]+)")


# ---- Requests ----


def token_of(house: House, username: str) -> str:
    """The CSRF token of a user's forms, read from a page once."""
    known: dict[str, str] = house.app.extensions.setdefault("tests.tokens", {})
    if username not in known:
        known[username] = str(form_in(house.client(username).get("/hjelp"), button="Logg ut").value("csrf_token"))
    return known[username]


def form_data(house: House, username: str, values: Values, shown: str = "") -> MultiDict[str, str]:
    """The values that the criteria form sends; empty choices are empty in `values`. `shown`: the query of the list on
    screen."""
    data = MultiDict([("csrf_token", token_of(house, username)), ("visning", shown)])
    for name, value in values.items():
        data.setlist(name, [value] if isinstance(value, str) and value else list(value))
    return data


def asked(house: House, username: str, values: Values, *, shown: str = "", panel: bool = True) -> Screen:
    """The response to the form with these values, as a fragment; with the panel open."""
    client = house.client(username)
    data = form_data(house, username, {**values, "panel": "1"} if panel else values, shown)
    return Screen(client, client.post_partial("/deltakere/sok", data, target="div#resultat"))


def asked_whole(house: House, username: str, values: Values, *, shown: str = "") -> Screen:
    """The page that the form leads to without JavaScript."""
    client = house.client(username)
    data = form_data(house, username, values, shown)
    return Screen(client, client.post("/deltakere/sok", data=data, follow_redirects=True))


def at(house: House, username: str, query: str = "") -> Screen:
    """The fragment of the list with that query."""
    client = house.client(username)
    return Screen(client, client.get_partial(f"/deltakere?{query}" if query else "/deltakere"))


def panel_of(house: House, username: str, query: str = "") -> TestResponse:
    """The page of the list with the panel open."""
    client = house.client(username)
    page = client.get(f"/deltakere?{query}" if query else "/deltakere")
    if 'id="panel-bryter" name="apen" value="1"' in page.text:
        page = client.submit(page, button="Søk og filter", follow_redirects=True)
    return page


def query_of(screen: Screen) -> str:
    """The query of the list on screen, from the address that a fragment pushes, or of the page."""
    address = screen.answer.headers.get("HX-Push-Url") or screen.answer.request.full_path
    return urlsplit(address).query


def parts_of(screen: Screen) -> dict[str, list[str]]:
    """The query of the list on screen, by name."""
    return parse_qs(query_of(screen))


def search_id(screen: Screen) -> str:
    """The id of the stored search."""
    return parts_of(screen)["sok"][0]


def count_of(screen: Screen) -> int:
    """The number after «Antall deltakere»."""
    found = _COUNT.findall(screen.text)
    assert len(found) == 1, found
    return int(found[0])


def chip_buttons(screen: Screen) -> list[Element]:
    """The chips on screen."""
    return [one for one in screen.tree.elements("button") if "ds-chip" in one.attrib.get("class", "")]


def chips_of(screen: Screen) -> list[str]:
    """The texts of the chips."""
    return [screen.tree.text(one) for one in chip_buttons(screen)]


def status_of(screen: Screen) -> str:
    """The text of a fragment's status line."""
    return screen.tree.text(screen.tree.by_id["statuslinje"])


def missed_in(screen: Screen) -> list[str]:
    """The values without a match."""
    for alert in screen.tree.elements("div"):
        text = screen.tree.text(alert)
        if "ds-alert" in alert.attrib.get("class", "") and "Ingen treff: " in text:
            return text.partition("Ingen treff: ")[2].split(", ")
    return []


def faults_in(screen: Screen) -> dict[str, str]:
    """The messages of fields with an error, by name."""
    found = {}
    for control in screen.tree.elements("input", "textarea", "select"):
        if control.attrib.get("aria-invalid") == "true":
            words = [screen.tree.by_id[one] for one in control.attrib["aria-describedby"].split() if "-error" in one]
            found[control.attrib["name"]] = " ".join(screen.tree.text(one) for one in words)
    return found


def fields_redrawn(screen: Screen) -> list[str]:
    """The fields of the panel in the fragment."""
    targets = (one.attrib.get("data-hx-target", "") for one in screen.tree.elements("hx-partial"))
    return [target.removeprefix("#felt-") for target in targets if target.startswith("#felt-")]


class QuickClient(FlaskClient):
    """A client for many responses of a kind that is checked elsewhere: reads the ids only."""

    @classmethod
    def beside(cls, house: House, username: str) -> "QuickClient":
        """A client with the session of the user's own client."""
        made = cls(house.app, response_wrapper=TestResponse)
        cookie = house.client(username).get_cookie("session")
        assert cookie is not None
        made.set_cookie("session", cookie.value)
        return made

    def page(self, query: str) -> tuple[list[str], int]:
        """The ids of a page of the list, and the count."""
        return self._read(self.get(f"/deltakere?{query}", headers=htmx_headers()))

    def pages(self, query: str) -> list[str]:
        """The ids on all pages of the list, a hundred on each; checked against the count."""
        ids, count = self.page(f"{query}&antall=100".removeprefix("&"))
        for page in range(2, -(-count // 100) + 1):
            ids += self.page(f"{query}&antall=100&side={page}".removeprefix("&"))[0]
        assert len(ids) == count
        return ids

    def ask(self, data: MultiDict[str, str]) -> tuple[list[str], int, str]:
        """The first page of a form's result, the count, and the query of its address."""
        whole = MultiDict([*data.items(multi=True), (END_MARK, "1")])
        answer = self.post("/deltakere/sok", data=whole, headers=htmx_headers(source="form#liste"))
        ids, count = self._read(answer)
        return ids, count, urlsplit(answer.headers["HX-Push-Url"]).query

    def _read(self, answer: TestResponse) -> tuple[list[str], int]:
        assert answer.status_code == 200, f"{answer.status}: {answer.request.full_path}"
        (count,) = _COUNT.findall(answer.text)
        return _ID.findall(answer.text), int(count)


# ---- Expected rows ----


def folded(text: str) -> list[str]:
    """Words without case and accents, å as aa: independent of the program's own folding."""
    text = unicodedata.normalize("NFC", text).casefold().replace("å", "aa").translate(_LETTERS)
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).split()


_LETTERS = str.maketrans(
    {"đ": "d", "ŋ": "n", "ŧ": "t", "ł": "l", "ħ": "h", "ı": "i", "ð": "d", "þ": "th", "œ": "oe", "ə": "e", "ʒ": "z"}
    | dict.fromkeys("'’‘ʼ`´")
    | dict.fromkeys("-–‐", " ")
)


def is_found(row: Participation, value: str) -> bool:
    """True if a value of the search finds a row (guide 3.6, domain section 4)."""
    digits = value.replace(" ", "")
    if digits.isdigit():
        if len(digits) == 8 and digits.startswith("9"):
            return row.person_id == digits
        return row.status != Status.DISCHARGED and row.national_id.startswith(digits)
    words, names = folded(value), folded(row.name)
    return bool(words) and all(_in_names(word, names) for word in words)


def _in_names(word: str, names: list[str]) -> bool:
    return any(word in name if len(word) > 2 else name.startswith(word) for name in names)


@dataclass(frozen=True)
class Register:
    """All rows of a register, read without the program, and the days of permisjon of each."""

    rows: list[Participation]
    days_away: dict[int, int]

    @classmethod
    def of(cls, house: House) -> "Register":
        """The present rows of a house."""
        rows = [row[0] for row in house.ask(select(Participation).order_by(Participation.id))]
        starts = {row.id: row.start_date for row in rows}
        away: dict[int, set[date]] = {}
        for leave in (row[0] for row in house.ask(select(Leave))):
            days = (leave.from_date + timedelta(days=n) for n in range((leave.to_date - leave.from_date).days + 1))
            start = starts[leave.participation_ref]
            away.setdefault(leave.participation_ref, set()).update(day for day in days if start and day >= start)
        return cls(rows, {ref: len(days) for ref, days in away.items()})

    def expected(self, username: str, values: Values) -> list[Participation]:
        """The participants of the user's list with these values, in the order of registration."""
        lists = {name: [value] if isinstance(value, str) else list(value) for name, value in values.items()}
        lists = {name: [one for one in value if one] for name, value in lists.items()}
        statuses = lists.get("status") or ["opprettet", "endret", "avsluttet"]
        found = [row for row in self.rows if is_visible(row, username) and STATUS_WORDS[Status(row.status)] in statuses]
        return [row for row in found if self._fits(row, lists)]

    def ids(self, username: str, values: Values, column: str = "Sist endret", *, descending: bool = True) -> list[str]:
        """The public ids of `expected` in order; without a column the last changed first."""
        return in_order(self.expected(username, values), column, descending=descending)

    def _fits(self, row: Participation, values: Mapping[str, list[str]]) -> bool:
        for name, wanted in values.items():
            if name == "over":
                if wanted and not self._is_over(row, int(wanted[0])):
                    return False
            elif name in _CHECKS and wanted and not _CHECKS[name](row, wanted):
                return False
        return True

    def _is_over(self, row: Participation, months: int) -> bool:
        """True if still in the programme after so many months, not counting days of permisjon."""
        start, now = row.start_date + timedelta(days=self.days_away.get(row.id, 0)), today()
        return (start.year + months // 12, start.month, start.day) <= (now.year, now.month, now.day) and _lasts(
            row, now
        )


def is_visible(row: Participation, username: str) -> bool:
    """True if the user may see the row, by sections 3 and 7 of the domain."""
    user = demo_user(username)
    if row.protected and not user.sees_protected:
        return False
    is_national = user.role in {Role.IMDI_READER, Role.IMDI_ADMIN}
    return is_national or (row.municipality_number in user.municipality_numbers and row.deleted_at is None)


STATUS_WORDS = {
    Status.CREATED: "opprettet",
    Status.CHANGED: "endret",
    Status.ENDED: "avsluttet",
    Status.DISCHARGED: "utskrevet",
}
_FUNDINGS = {"ordinary": "ordinaer", "per_capita": "per-capita"}


def _lasts(row: Participation, day: date) -> bool:
    return row.end_date is None or row.end_date >= day


def _changed_on(row: Participation) -> date:
    return row.changed_at.astimezone(OSLO_TIME).date()


def _lacks(row: Participation, page: str) -> bool:
    lacking = {
        "bakgrunn": row.background_missing,
        "programinnhold": row.programme_missing,
        "avslutning": row.termination_missing,
    }
    return lacking[page] > 0


_CHECKS: dict[str, Callable[[Participation, list[str]], bool]] = {
    "q": lambda row, wanted: any(is_found(row, value) for value in wanted[0].split(",")),
    "kommune": lambda row, wanted: row.municipality_number in wanted,
    "bydel": lambda row, wanted: row.district_number in wanted,
    "finansiering": lambda row, wanted: _FUNDINGS[row.funding] in wanted,
    "mangler": lambda row, wanted: any(_lacks(row, page) for page in wanted),
    "endret-av": lambda row, wanted: row.changed_by in re.split(r"\s*,\s*", wanted[0]),
    "deltok-fra": lambda row, wanted: _lasts(row, date.fromisoformat(wanted[0])),
    "deltok-til": lambda row, wanted: row.start_date <= date.fromisoformat(wanted[0]),
    "oppstart-fra": lambda row, wanted: row.start_date >= date.fromisoformat(wanted[0]),
    "oppstart-til": lambda row, wanted: row.start_date <= date.fromisoformat(wanted[0]),
    "avslutning-fra": lambda row, wanted: bool(row.end_date and row.end_date >= date.fromisoformat(wanted[0])),
    "avslutning-til": lambda row, wanted: bool(row.end_date and row.end_date <= date.fromisoformat(wanted[0])),
    "endret-fra": lambda row, wanted: _changed_on(row) >= date.fromisoformat(wanted[0]),
    "endret-til": lambda row, wanted: _changed_on(row) <= date.fromisoformat(wanted[0]),
}


# ---- Changing the register ----


def give_name(house: House, public_id: str, name: str) -> None:
    """Give a participant a name, in all stored forms."""
    stored = {"name": name, "name_key": name_key(name), "name_words": name_words(name)}
    house.write(update(Participation).where(Participation.public_id == public_id).values(**stored))


def change(house: House, public_ids: Iterable[str], **values: Any) -> None:
    """Change these participants' rows."""
    house.write(update(Participation).where(Participation.public_id.in_(list(public_ids))).values(**values))


def written(values: Values) -> str:
    """Values as the query of an address."""
    pairs = [(name, [value] if isinstance(value, str) else value) for name, value in values.items()]
    return urlencode([(name, one) for name, several in pairs for one in several if one])
