"""The query of a participant list in its address: `parse(write(query)).query == query`.

It has no personal data: a search is represented by the id under which the server stores it. The words in the address
are readable. Days are written as 2026-11-24 and may be typed as in `services.core.days`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from werkzeug.datastructures import MultiDict

from services.core.clock import today
from services.core.code_lists import district_names, municipality_names
from services.core.days import date_text
from services.core.i18n import gettext as _
from services.core.municipality_names import MOST_PLACES, places_beginning, places_called
from services.core.status import Status
from services.core.text import is_blank
from services.listing.columns import LIST_COLUMNS, ListColumn, Order
from services.listing.criteria import LONG_STAYS, Criteria, Span
from services.listing.search_terms import divided
from services.questions.fields import EARLIEST, LATEST, legible, parse_date

_COLUMNS = {column.word: column for column in LIST_COLUMNS}
_DIRECTIONS = {"stigende": False, "synkende": True}
STATUS_WORDS = {
    Status.CREATED: "opprettet",
    Status.CHANGED: "endret",
    Status.ENDED: "avsluttet",
    Status.DISCHARGED: "utskrevet",
}
FUNDING_WORDS = {"ordinary": "ordinaer", "per_capita": "per-capita"}
MISSING_WORDS = {"background": "bakgrunn", "programme": "programinnhold", "termination": "avslutning"}
# Criteria with several values, by their word in the address: the attribute, and the words of its values.
SETS: dict[str, tuple[str, Mapping[Any, str]]] = {
    "kommune": ("municipalities", {number: number for number in municipality_names()}),
    "bydel": ("districts", {number: number for number in district_names()}),
    "status": ("statuses", STATUS_WORDS),
    "finansiering": ("fundings", FUNDING_WORDS),
    "mangler": ("missing", MISSING_WORDS),
}
# Criteria that are ranges of days.
SPANS = {"deltok": "period", "oppstart": "start", "avslutning": "end", "endret": "changed"}
_SPAN_NAMES = tuple(f"{word}-{end}" for word in SPANS for end in ("fra", "til"))
PLACE_NAMES = "kommune-navn"  # the field for municipalities by name
_SINGLE = {"sorter", "retning", "side", "antall", "sok", "over", PLACE_NAMES, *_SPAN_NAMES}
NAMES = frozenset(_SINGLE | SETS.keys())
MAX_PAGE = 1_000_000
PAGE_SIZES = (25, 50, 100)
MOST_IN_ADDRESS = 40  # municipalities; more are stored with the search, since the length of an address is limited
_NAMED = 6  # municipalities named if several begin like that
_TOLD = 3  # names in one field for which errors are shown


class BadQuery(ValueError):
    """The address contains a query that the list does not support."""


@dataclass(frozen=True)
class ListQuery:
    """The query of a list: criteria (without the search), the id of a search, the order, the page (from 1) and the
    number of rows on it."""

    order: Order = field(default_factory=Order)
    page: int = 1
    size: int = PAGE_SIZES[0]
    criteria: Criteria = field(default_factory=Criteria)
    search: str = ""

    def sorted_by(self, column: ListColumn) -> "ListQuery":
        """The list after a click on the column's heading."""
        return replace(self, order=next_order(self.order, column), page=1)

    def at_page(self, page: int) -> "ListQuery":
        """The same list on another page."""
        return replace(self, page=page)

    def of_size(self, size: int) -> "ListQuery":
        """The same list with so many rows on a page."""
        return replace(self, size=size, page=1)

    def narrowed(self, criteria: Criteria, search: str) -> "ListQuery":
        """The list with other criteria, in the same order."""
        return replace(self, criteria=criteria, search=search, page=1)


def next_order(order: Order, column: ListColumn) -> Order:
    """The order after a click on the column's heading: ascending, descending, back to default (guide 3.2)."""
    if order.column is not column:
        return Order(column)
    return Order() if order.descending else Order(column, descending=True)


@dataclass(frozen=True)
class Reading:
    """A parsed query. Invalid values are left out of it: `faults`: error messages by field name, `typed`: the invalid
    texts."""

    query: ListQuery
    faults: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)


def parse(args: "MultiDict[str, str]") -> Reading:
    """Parse the query of an address, or of the criteria form; raises `BadQuery` for one that our pages cannot
    produce."""
    if unknown := set(args) - NAMES:
        raise BadQuery(f"{len(unknown)} unknown parameters")
    if any(len(args.getlist(name)) > 1 for name in _SINGLE & set(args)):
        raise BadQuery("a parameter is given twice")
    faults: dict[str, str] = {}
    query = ListQuery(
        order=_order(args.get("sorter"), args.get("retning")),
        page=_page(args.get("side", "1")),
        size=_size(args.get("antall", "25")),
        criteria=_criteria(args, faults),
        search=args.get("sok", ""),
    )
    return Reading(query, faults, {name: legible(args[name]) for name in faults if name in args})


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


def _size(given: str) -> int:
    if given not in {str(size) for size in PAGE_SIZES}:
        raise BadQuery("unknown number of rows")
    return int(given)


def _criteria(args: "MultiDict[str, str]", faults: dict[str, str]) -> Criteria:
    found: dict[str, Any] = {}
    for word, (attribute, words) in SETS.items():
        found[attribute] = _chosen(args.getlist(word), words)
    if named := args.get(PLACE_NAMES, ""):
        added = {*found["municipalities"], *_places(named, faults)}
        found["municipalities"] = tuple(number for number in municipality_names() if number in added)
    for word, attribute in SPANS.items():
        found[attribute] = _span(args, word, faults)
    if over := args.get("over", ""):
        if over not in {str(months) for months in LONG_STAYS}:
            raise BadQuery("unknown number of months")
        found["months"] = int(over)
    return Criteria(**found)


def _chosen(given: list[str], words: Mapping[Any, str]) -> tuple[Any, ...]:
    """The values of the given words, each once, in the order of declaration."""
    chosen = set(given)
    if unknown := chosen - set(words.values()):
        raise BadQuery(f"{len(unknown)} unknown values")
    return tuple(value for value, word in words.items() if word in chosen)


def _places(typed: str, faults: dict[str, str]) -> Iterator[str]:
    """Municipalities by name, unique beginning of a name, or number."""
    values = divided(typed)
    if len(values) > MOST_PLACES:
        told = {"most": MOST_PLACES, "number": len(values)}
        faults[PLACE_NAMES] = _("Skriv maks %(most)s kommuner om gangen. Du skrev %(number)s.") % told
        return
    wrong = []
    for one in values:
        found = places_called(one) or places_beginning(one)
        if len(found) == 1:
            yield found[0]
        else:
            wrong.append(_no_place(one, found))
    if len(wrong) > _TOLD:
        wrong[_TOLD:] = [_("%(n)s til er feil.") % {"n": len(wrong) - _TOLD}]
    if wrong:
        faults[PLACE_NAMES] = " ".join(wrong)


def _no_place(typed: str, found: list[str]) -> str:
    """The message why a text is not the name of one municipality."""
    if not found:
        return _("Ingen kommune heter «%(text)s». Skriv navnet eller kommunenummeret.") % {"text": typed}
    names = ", ".join(municipality_names()[number] for number in found[:_NAMED])
    if len(found) > _NAMED:
        names = _("%(names)s og %(n)s til") % {"names": names, "n": len(found) - _NAMED}
    return _("Flere kommuner begynner med «%(text)s»: %(names)s.") % {"text": typed, "names": names}


def _span(args: "MultiDict[str, str]", word: str, faults: dict[str, str]) -> Span:
    first, last = (_day(args, f"{word}-{end}", faults) for end in ("fra", "til"))
    if first and last and first > last:
        faults[f"{word}-fra"] = _("Fra-datoen er etter til-datoen")
        faults[f"{word}-til"] = ""
        return Span()
    return Span(first, last)


def _day(args: "MultiDict[str, str]", name: str, faults: dict[str, str]) -> date | None:
    given = args.get(name, "")
    if is_blank(given):
        return None
    day = parse_date(given, today())
    if day is None:
        faults[name] = _("Skriv en dato som finnes, slik: dd.mm.åååå")
    elif not EARLIEST <= day <= LATEST:
        faults[name] = _("Datoen må være mellom %(first)s og %(last)s") % {
            "first": date_text(EARLIEST),
            "last": date_text(LATEST),
        }
        return None
    return day


def write(query: ListQuery, *, with_page: bool = True) -> str:
    """The query as in an address after `?`; '' for the default. The order comes last. Municipalities that are too many
    for an address are in the search, which the query must then name."""
    parts = [urlencode({"sok": query.search}) if query.search else "", _written_criteria(query.criteria)]
    if with_page and query.size != PAGE_SIZES[0]:
        parts.append(f"antall={query.size}")
    if with_page and query.page > 1:
        parts.append(f"side={query.page}")
    return "&".join(filter(None, (*parts, written_order(query.order))))


def canonical(written: str) -> str | None:
    """Normalise a query from an address; `None` if it is not valid."""
    try:
        return write(parse(MultiDict(parse_qsl(written, keep_blank_values=True))).query)
    except BadQuery:
        return None


def written_order(order: Order) -> str:
    """The order as in an address; '' for the default."""
    if not order.column:
        return ""
    return f"sorter={order.column.word}" + ("&retning=synkende" if order.descending else "")


def are_many(municipalities: tuple[str, ...]) -> bool:
    """True if there are too many municipalities for an address."""
    return len(municipalities) > MOST_IN_ADDRESS


@lru_cache(maxsize=1000)
def _written_criteria(criteria: Criteria) -> str:
    return urlencode(list(_written(criteria)))  # a page has the same ones in twenty addresses


def _written(criteria: Criteria) -> Iterator[tuple[str, str]]:
    for word, (attribute, words) in SETS.items():
        if word != "kommune" or not are_many(criteria.municipalities):
            yield from ((word, words[value]) for value in getattr(criteria, attribute))
    for word, attribute in SPANS.items():
        span = getattr(criteria, attribute)
        yield from ((f"{word}-{end}", f"{day}") for end, day in (("fra", span.first), ("til", span.last)) if day)
    if criteria.months:
        yield "over", str(criteria.months)
