"""A request of the list: the query in its address or form, with the search of its id."""

from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

from flask import request
from werkzeug.datastructures import MultiDict

from app.overview.query import PLACE_NAMES, BadQuery, ListQuery, Reading, are_many, parse, write
from app.web.access import viewer
from app.web.form_fields import EVERY_FORM
from app.web.responses import address_of
from services.core.i18n import gettext as _
from services.core.text import username
from services.listing import stored_searches as searches
from services.listing.columns import columns_for
from services.listing.criteria import Criteria
from services.listing.search_terms import MOST_TERMS, MOST_WORDS, divided, term
from services.listing.stored_searches import StoredSearch
from services.questions.fields import legible

SEARCH_FIELD, CHANGED_BY_FIELD = "q", "endret-av"
SHOWN_FIELD = "visning"  # the query of the list that a form was sent from
PANEL = "panel"  # sent by a form in which the panel is open
OPENED, BY_CROSS = "apen", "kryss"  # whether the panel shall be open, and whether its cross was pressed
TAKEN_AWAY, SAID_WRONG = "fjern", "feil"  # the criterion that goes, and the fields at which an error stands
NOTHING = StoredSearch()
# What the form of the criteria sends beside them.
BESIDE = frozenset({SHOWN_FIELD, TAKEN_AWAY, SAID_WRONG, OPENED, BY_CROSS, PANEL, SEARCH_FIELD, CHANGED_BY_FIELD})


@dataclass(frozen=True)
class ListRequest:
    """The query and its search. `is_gone`: the address names a search that is unknown, expired or another user's.
    `faults`, `typed`: see `Reading`."""

    query: ListQuery
    kept: StoredSearch = NOTHING
    is_gone: bool = False
    faults: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)

    @property
    def criteria(self) -> Criteria:
        """All criteria of the list, including the search."""
        terms = tuple(term(word) for word in self.kept.words) if self.kept.words else None
        return replace(self.query.criteria, terms=terms, changed_by=self.kept.changed_by)

    @property
    def is_narrowed(self) -> bool:
        """True if the list is filtered."""
        return self.criteria != Criteria()

    @property
    def address(self) -> str:
        """The address of this list."""
        return address(self.query)


def address(query: ListQuery) -> str:
    """The address of the list with that query."""
    return with_query(address_of("overview.overview_page"), write(query))


def views_address(query: ListQuery) -> str:
    """The address of the page that saves the list with that query as a view."""
    return with_query(address_of("saved_views.list_page"), write(query))


def with_query(place: str, written: str) -> str:
    """An address with a query from `write`."""
    return f"{place}?{written}" if written else place


def from_address() -> ListRequest:
    """Parse the request's address; raises `BadQuery`."""
    return _asked(_allowed(parse(request.args)))


def _allowed(reading: Reading) -> Reading:
    """Check that the columns and criteria are the viewer's; others count as unknown."""
    query = reading.query
    if query.order.column and query.order.column not in columns_for(viewer()):
        raise BadQuery("not a column of this viewer")
    if query.criteria.districts and not viewer().sees_districts:
        raise BadQuery("not a criterion of this viewer")
    if PLACE_NAMES in reading.faults and not viewer().is_national:
        raise BadQuery("not a field of this viewer")
    return reading


def _asked(reading: Reading) -> ListRequest:
    """Add the search that the query names. Municipalities that are too many for an address are stored from now on, also
    if the address was handmade."""
    query, kept, is_gone = reading.query, NOTHING, False
    if query.search:
        kept = searches.recall(viewer(), query.search) or NOTHING
        is_gone = not kept
    own = query.criteria.municipalities
    if are_many(own):
        kept = replace(kept, municipalities=own)
        query = replace(query, search=searches.keep(viewer(), kept))
    elif is_gone:
        query = replace(query, search="")
    elif kept.municipalities:
        query = replace(query, criteria=replace(query.criteria, municipalities=kept.municipalities))
    return ListRequest(query, kept, is_gone, reading.faults, reading.typed)


def shown_before() -> ListRequest:
    """The list that a form was sent from: its query is in the form; raises `BadQuery`."""
    given = request.form.get(SHOWN_FIELD, "")
    return _asked(_allowed(parse(MultiDict(parse_qsl(given, keep_blank_values=True)))))


@dataclass(frozen=True)
class Chosen:
    """Criteria and a search, with errors: see `Reading`."""

    criteria: Criteria
    kept: StoredSearch
    faults: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)


def chosen_in_form(before: ListRequest) -> Chosen:
    """Parse the fields of the panel, for the list `before`; raises `BadQuery`."""
    pairs = [(name, value) for name, value in request.form.items(multi=True) if name not in EVERY_FORM | BESIDE]
    reading = _allowed(parse(MultiDict(pairs)))
    faults, typed = dict(reading.faults), dict(reading.typed)
    words = divided(request.form.get(SEARCH_FIELD, ""))
    users = list(dict.fromkeys(map(username, divided(request.form.get(CHANGED_BY_FIELD, "")))))
    kept = StoredSearch(tuple(words), tuple(users))
    too_much = {SEARCH_FIELD: _too_much(words), CHANGED_BY_FIELD: _too_much(users)}
    for name, fault in too_much.items():
        if fault:
            faults[name], typed[name] = fault, legible(request.form[name])
            kept = before.kept
    return Chosen(reading.query.criteria, kept, faults, typed)


def from_form() -> ListRequest:
    """Parse the criteria form, in the order of the list that it was sent from; raises `BadQuery`."""
    before = shown_before()
    return narrowed(before, chosen_in_form(before))


def _too_much(values: list[str]) -> str:
    """The message if the search is too large to be answered, else ''."""
    if len(values) > MOST_TERMS:
        told = {"most": MOST_TERMS, "number": len(values)}
        return _("Søk på maks %(most)s verdier om gangen. Du skrev %(number)s.") % told
    number = sum(len(term(value).words) for value in values)
    if number > MOST_WORDS:
        told = {"most": MOST_WORDS, "number": number}
        return _("Søk på maks %(most)s ord om gangen. Du skrev %(number)s.") % told
    return ""


def narrowed(before: ListRequest, chosen: Chosen) -> ListRequest:
    """The list `before` with other criteria, from its first page if they differ. A new search is stored, with the
    municipalities that are too many for an address."""
    search, places = before.query.search, chosen.criteria.municipalities
    kept = replace(chosen.kept, municipalities=places if are_many(places) else ())
    if kept != before.kept:
        search = searches.keep(viewer(), kept) if kept else ""
    is_gone = before.is_gone and not kept  # the present search replaces it
    query = before.query
    if (chosen.criteria, search) != (query.criteria, query.search):
        query = query.narrowed(chosen.criteria, search)
    return ListRequest(query, kept, is_gone, chosen.faults, chosen.typed)
