"""The measurements: a table with addresses, viewers, and limits relative to the floor.

A new one is a line here; the floor accepts the same address (see `floor`). An address that is unknown to the program
gets 400 or 404; the measurement is then reported as missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from services.core.code_lists import district_names
from tests.bench.data import NATIONAL, SEVERAL, SMALL
from tests.bench.facts import Facts
from tests.bench.rows import RARE_NAME, TRONDHEIM, five

PAGE_SIZE = 25
LIST, NAMES, FORM, DELETE = 2.5, 1.5, 3.0, 2.5  # times the floor
OWN_FIRST_PAGE = 1.6  # times the program's own first page
OWN_P95 = 2.0  # times the program's own median
TEN_THOUSAND_TO_A_MILLION = 1.3  # times slower
SORTS = "fodselsnummer navn kommune bydel oppstart avslutning status sist-endret sist-endret-av".split()
FIRST_PAGE = "list"


@dataclass(frozen=True)
class Thing:
    """One measurement. `addresses` are requested in turn, so that no cache helps. `limit`: the allowed multiple of the
    floor's median, `None` if it is only reported. `search`: the values of a search, which gives the address. `flat`:
    must not grow with the register. `part_too`: as a fragment as well."""

    group: str
    name: str
    addresses: tuple[str, ...]
    limit: float | None
    search: tuple[str, ...] = ()
    flat: bool = False
    beside_first_page: bool = False
    part_too: bool = False


def things(facts: Facts) -> Iterator[Thing]:
    """All measurements for a viewer. A page without participants shows the base cost of everything else: the server,
    Flask, the session, and the frame of a page."""
    yield Thing("frame", "no participants", ("/logget-ut",), None)
    yield Thing("list", FIRST_PAGE, ("/deltakere",), LIST, flat=True, part_too=True)
    yield from _sorts(facts)
    yield from _pages(facts)
    yield from _filters(facts)
    yield from _searches(facts)
    if facts.viewer == SMALL:
        for word in ("person", "bakgrunn", "programinnhold"):
            addresses = tuple(f"/deltakere/{one}/{word}" for one in facts.forms[:20])
            yield Thing("form", f"form page {word}", addresses, FORM)
        yield Thing("delete", "delete page", tuple(f"/deltakere/{one}/slett" for one in facts.forms[:20]), DELETE)


def _sorts(facts: Facts) -> Iterator[Thing]:
    for word in SORTS:
        if word == "bydel" and facts.viewer != NATIONAL:
            continue  # not a column of this viewer
        for way in ("", "&retning=synkende"):
            name = f"sorted by {word}{' down' if way else ''}"
            yield Thing("sort", name, (f"/deltakere?sorter={word}{way}",), LIST, flat=True)


def _pages(facts: Facts) -> Iterator[Thing]:
    last = -(-facts.listed // PAGE_SIZE)
    for sort in ("", "sorter=navn&"):
        order = " by name" if sort else ""
        if last > 100:
            yield _page(f"page 100{order}", sort, 100, beside=True)
        yield _page(f"middle page{order}", sort, last // 2, beside=False)
        yield _page(f"last page{order}", sort, last, beside=True)


def _page(name: str, sort: str, number: int, *, beside: bool) -> Thing:
    return Thing("pages", name, (f"/deltakere?{sort}side={number}",), LIST, beside_first_page=beside and not sort)


def _filters(facts: Facts) -> Iterator[Thing]:
    first, last = facts.days
    few = f"oppstart-fra={first}&oppstart-til={last}"
    queries: dict[str, tuple[str, bool]] = {
        f"filter: few hits ({facts.hits})": (few, True),
        f"filter: few hits ({facts.hits}) by name": (f"{few}&sorter=navn", True),
        "filter: one status": ("status=endret", False),
        "filter: two statuses by name": ("status=opprettet&status=avsluttet&sorter=navn", False),
        "filter: discharged": ("status=utskrevet", False),
        "filter: per capita": ("finansiering=per-capita", False),
        "filter: took part in a year": ("deltok-fra=2024-01-01&deltok-til=2024-12-31", False),
        "filter: changed since": ("endret-fra=2026-09-01", False),
        "filter: page 2 incomplete": ("mangler=bakgrunn", False),
        "filter: over 24 months": ("over=24", False),
    }
    if facts.viewer == NATIONAL:
        queries["filter: one municipality"] = (f"kommune={TRONDHEIM}", False)
        queries["filter: one municipality by name"] = (f"kommune={TRONDHEIM}&sorter=navn", False)
        queries["filter: five municipalities"] = ("&".join(f"kommune={number}" for number in five()), False)
        queries["filter: one district"] = (f"bydel={next(iter(district_names()))}", False)
    if facts.viewer == SEVERAL:
        queries["filter: one of five municipalities"] = (f"kommune={five()[0]}", False)
    for name, (query, flat) in queries.items():
        yield Thing("filter", name, (f"/deltakere?{query}",), LIST, flat=flat)


def _searches(facts: Facts) -> Iterator[Thing]:
    numbers = facts.numbers
    mixed = (numbers[5], numbers[6], facts.person_ids[7], RARE_NAME[:9], RARE_NAME[3:])
    for name, values, limit, flat in (
        ("search: one number", (numbers[0],), LIST, True),
        ("search: five numbers", tuple(numbers[:5]), LIST, True),
        ("search: one PersonId", (facts.person_ids[0],), LIST, True),
        ("search: part of a name, 1 % of the rows", (RARE_NAME[1:8],), NAMES, False),
        ("search: five mixed values", mixed, NAMES, False),
    ):
        yield Thing("search", name, (), limit, search=values, flat=flat)
