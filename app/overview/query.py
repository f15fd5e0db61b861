"""What a participant list shows, as it stands in the address: `parse(write(query)) == query`."""

from dataclasses import dataclass, field
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from services.participants import Column, Order

# The names in the address are words that a user can read.
COLUMN_WORDS = {
    Column.NATIONAL_ID: "fodselsnummer",
    Column.NAME: "navn",
    Column.MUNICIPALITY: "kommune",
    Column.DISTRICT: "bydel",
    Column.START: "oppstart",
    Column.END: "avslutning",
    Column.STATUS: "status",
    Column.CHANGED: "sist-endret",
    Column.CHANGED_BY: "sist-endret-av",
}
_COLUMNS = {word: column for column, word in COLUMN_WORDS.items()}
_DIRECTIONS = {"stigende": False, "synkende": True}
MAX_PAGE = 1_000_000


class BadQuery(ValueError):  # noqa: N818 - says what is the case
    """The address asks for something that the list cannot show."""


@dataclass(frozen=True)
class ListQuery:
    """The order and the page (from 1) of a list."""

    order: Order = field(default_factory=Order)
    page: int = 1

    def sorted_by(self, column: Column) -> "ListQuery":
        """The list after a click on the column's heading: ascending, descending, back to default."""
        if self.order.column is not column:
            return ListQuery(Order(column))
        return ListQuery() if self.order.descending else ListQuery(Order(column, descending=True))

    def at_page(self, page: int) -> "ListQuery":
        """The same list on another page."""
        return ListQuery(self.order, page)


def parse(args: "MultiDict[str, str]") -> ListQuery:
    """The query in an address; raises `BadQuery` for anything that is not one of ours."""
    if unknown := set(args) - {"sorter", "retning", "side"}:
        raise BadQuery(f"{len(unknown)} unknown parameters")
    if any(len(args.getlist(name)) > 1 for name in args):
        raise BadQuery("a parameter is given twice")
    return ListQuery(_order(args.get("sorter"), args.get("retning")), _page(args.get("side", "1")))


def _order(word: str | None, direction: str | None) -> Order:
    if word is None and direction is None:
        return Order()
    if word not in _COLUMNS or direction not in {None, *_DIRECTIONS}:
        raise BadQuery("unknown order")
    return Order(_COLUMNS[word], descending=_DIRECTIONS[direction or "stigende"])


def _page(given: str) -> int:
    if not (given.isascii() and given.isdigit() and len(given) < 8 and 1 <= int(given) <= MAX_PAGE):
        raise BadQuery("unknown page")
    return int(given)


def write(query: ListQuery, *, with_page: bool = True) -> str:
    """The query as it stands in an address after `?`; '' for the default."""
    parts: list[tuple[str, str]] = []
    if query.order.column:
        parts.append(("sorter", COLUMN_WORDS[query.order.column]))
        if query.order.descending:
            parts.append(("retning", "synkende"))
    if with_page and query.page > 1:
        parts.append(("side", str(query.page)))
    return urlencode(parts)
