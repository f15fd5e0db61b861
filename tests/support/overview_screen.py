"""The overview in tests, and the participants that it should show."""

from collections.abc import Callable, Iterator
from typing import Any
from xml.etree.ElementTree import Element

from sqlalchemy import select
from werkzeug.test import TestResponse

from services.core.code_lists import district_name, municipality_name
from services.core.collation import sort_key
from services.core.status import STATUS_LABELS, Status
from services.tables.participants import Participation
from tests.support.client import CheckedClient, tree_of
from tests.support.house import IS_PLAIN, House, demo_user, of_places

# The headings of the list in their order, and their words in the address.
COLUMN_WORDS = {
    "Fødselsnummer": "fodselsnummer",
    "Navn": "navn",
    "Kommune": "kommune",
    "Bydel": "bydel",
    "Oppstart": "oppstart",
    "Avslutning": "avslutning",
    "Status": "status",
    "Sist endret": "sist-endret",
    "Sist endret av": "sist-endret-av",
}
COLUMNS = list(COLUMN_WORDS)


class Screen:
    """The overview on a page or in a fragment."""

    def __init__(self, client: CheckedClient, answer: TestResponse) -> None:
        self.client, self.answer, self.tree = client, answer, tree_of(answer)
        self.text = self.tree.text(next(self.tree.elements("body"), self.tree.root))
        self.links = {self.tree.accessible_name(one): one for one in self.tree.elements("a")}
        self.headings = [self.tree.text(one) for one in self.tree.elements("th")]
        self.rows = [self._row(line) for line in self.tree.elements("tr") if any(one.tag == "td" for one in line)]

    def _row(self, line: Element) -> dict[str, str]:
        """The text of each cell by its heading, remarks (`missing`, `protected`) separately, and the public id."""
        row = {}
        for label, cell in zip(self.headings, line, strict=True):
            remarks = [
                self.tree.text(one) for one in cell.iter("span") if one.attrib.get("class") in {"missing", "protected"}
            ]
            row[label] = self.tree.text(cell)
            for remark in reversed(remarks):
                row[label] = row[label].removesuffix(remark).strip()
            row[f"{label}, remark"] = " ".join(remarks)
        return row | {"id": next(line.iter("a")).attrib["href"].split("/")[2]}

    @property
    def ids(self) -> list[str]:
        """The public ids of the rows."""
        return [row["id"] for row in self.rows]

    def press(self, link: str) -> "Screen":
        """The page that the link of that name leads to."""
        return Screen(self.client, self.client.get(self.links[link].attrib["href"]))

    def pages(self) -> Iterator["Screen"]:
        """This page and all following ones, by the link «Neste»."""
        page = self
        yield page
        while "Neste" in page.links:
            page = page.press("Neste")
            yield page

    @property
    def number(self) -> int:
        """The number of the page, by the page links."""
        (here,) = [
            one
            for one in self.links.values()
            if one.attrib.get("id", "").startswith("page-") and "aria-current" in one.attrib
        ]
        return int(self.tree.text(here))

    @property
    def sorting(self) -> dict[str, str]:
        """The sorted headings and their direction, as for assistive technology."""
        heads = self.tree.elements("th")
        said = {self.tree.text(one): one.attrib["aria-sort"] for one in heads if "aria-sort" in one.attrib}
        return {label: how for label, how in said.items() if how != "none"}

    @property
    def menus(self) -> dict[str, list[tuple[str, str]]]:
        """For each row's button its links: (text, last part of the address)."""
        found = {}
        for button in self.tree.elements("button"):
            if (name := self.tree.accessible_name(button)).startswith("Handlinger for "):
                menu = self.tree.by_id[button.attrib["popovertarget"]]
                found[name] = [(self.tree.text(one), one.attrib["href"].rpartition("/")[2]) for one in menu.iter("a")]
        return found


def overview(house: House, username: str, query: str = "") -> Screen:
    client = house.client(username)
    return Screen(client, client.get(f"/deltakere{query}"))


def ids_on_all_pages(screen: Screen) -> list[str]:
    return [public_id for page in screen.pages() for public_id in page.ids]


def visible(house: House, username: str) -> list[Any]:
    """The participants in the user's overview by sections 3 and 4 of the domain, in the order of registration."""
    user = demo_user(username)
    wanted = of_places(username) & (Participation.status != Status.DISCHARGED)
    if user.municipality_numbers:
        wanted &= Participation.deleted_at.is_(None)
    if not user.sees_protected:
        wanted &= IS_PLAIN
    return [row[0] for row in house.ask(select(Participation).where(wanted).order_by(Participation.id))]


KEYS: dict[str, Callable[[Participation], Any]] = {
    "Fødselsnummer": lambda p: p.national_id,
    "Navn": lambda p: sort_key(p.name) or None,
    "Kommune": lambda p: sort_key(municipality_name(p.municipality_number)),
    "Bydel": lambda p: sort_key(district_name(p.district_number)) or None,
    "Oppstart": lambda p: p.start_date,
    "Avslutning": lambda p: p.end_date,
    "Status": lambda p: sort_key(STATUS_LABELS[Status(p.status)]),
    "Sist endret": lambda p: p.changed_at,
    "Sist endret av": lambda p: sort_key(p.changed_by),
}


def in_order(rows: list[Participation], column: str, *, descending: bool) -> list[str]:
    """The public ids sorted by a column: empty values last, ties by registration in the same direction."""
    key = KEYS[column]
    filled = [row for row in rows if key(row) is not None]
    empty = [row for row in rows if key(row) is None]
    filled.sort(key=lambda row: (key(row), row.id), reverse=descending)
    empty.sort(key=lambda row: row.id, reverse=descending)
    return [row.public_id for row in filled + empty]
