"""The list's query in its address: `parse(write(query)) == query`, and nothing else is accepted."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from app.overview.query import MAX_PAGE, PAGE_SIZES, SETS, SPANS, BadQuery, ListQuery, parse, write
from services.listing.columns import LIST_COLUMNS, ListColumn, Order
from services.listing.criteria import Criteria, Span
from services.questions.fields import EARLIEST, LATEST
from tests.support.bad_queries import BAD
from tests.support.house import House

orders = st.just(Order()) | st.builds(Order, st.sampled_from(LIST_COLUMNS), descending=st.booleans())
days = st.none() | st.dates(EARLIEST, LATEST)
spans = st.tuples(days, days).map(lambda pair: Span(*(sorted(pair) if None not in pair else pair)))


def some_of(words: Iterable[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Some of these, in their order."""
    known = tuple(words)
    return st.sets(st.sampled_from(known), max_size=4).map(lambda chosen: tuple(w for w in known if w in chosen))


criteria = st.builds(
    Criteria,
    **{attribute: some_of(words) for attribute, words in SETS.values()},
    **dict.fromkeys(SPANS.values(), spans),
    months=st.sampled_from([None, 24, 36, 48]),
)
queries = st.builds(
    ListQuery,
    order=orders,
    page=st.integers(1, MAX_PAGE),
    size=st.sampled_from(PAGE_SIZES),
    criteria=criteria,
    search=st.just("") | st.text("abcXYZ019_-", min_size=16, max_size=16),
)
names = st.sampled_from([*"sorter retning side Side antall sok kommune over oppstart-fra endret-til".split(), ""])
names |= st.text(max_size=8)
values = st.sampled_from(["navn", "stigende", "synkende", "1", "0", "-1", "25", "0301", "2024-02-30", "24", ""])
values |= st.text(max_size=8)


def parsed(written: str) -> ListQuery:
    reading = parse(MultiDict(parse_qsl(written, keep_blank_values=True)))
    assert not reading.faults
    return reading.query


@given(queries)
def test_what_is_written_is_read_again(query: ListQuery) -> None:
    assert parsed(write(query)) == query
    assert write(query).isascii()
    first = replace(query, page=1, size=PAGE_SIZES[0])
    assert parsed(write(query, with_page=False)) == first, "what is downloaded is on all pages"


@given(st.lists(st.tuples(names, values), max_size=4))
@example([("sok", "&0")])
def test_anything_else_is_refused_in_one_way(pairs: list[tuple[str, str]]) -> None:
    try:
        reading = parse(MultiDict(pairs))
    except BadQuery:
        return
    assert parsed(write(reading.query)) == reading.query
    assert reading.faults.keys() <= {name for name, _value in pairs} | {f"{word}-til" for word in SPANS}


def test_the_default_has_no_query() -> None:
    assert write(ListQuery()) == ""
    assert parsed("") == ListQuery()


def test_every_column_has_a_word_and_a_key_of_its_own() -> None:
    assert len({column.word for column in LIST_COLUMNS}) == len(LIST_COLUMNS)
    assert len({column.key for column in LIST_COLUMNS}) == len(LIST_COLUMNS)


@given(queries, st.sampled_from(LIST_COLUMNS))
def test_three_clicks_come_back_to_the_default(query: ListQuery, column: ListColumn) -> None:
    others = query if query.order.column is not column else replace(query, order=Order())
    first = others.sorted_by(column)
    second = first.sorted_by(column)
    assert (first.order, second.order) == (Order(column), Order(column, descending=True))
    assert second.sorted_by(column) == replace(query, order=Order(), page=1)


@pytest.mark.parametrize("query", BAD)
def test_a_bad_query_is_400_with_words(house: House, query: str) -> None:
    client = house.client("kari.oslo")
    for address in ("/deltakere", "/deltakere/oversikt.csv", "/deltakere/fullt-datasett.csv", "/deltakere/tiltak.csv"):
        answer = client.get(f"{address}?{query}")
        assert answer.status_code == 400, f"{address}?{query}"
        assert "Forespørselen kunne ikke forstås" in answer.text


def test_a_column_that_the_viewer_does_not_have_is_unknown(house: House) -> None:
    for address in ("/deltakere", "/deltakere/oversikt.csv"):
        assert house.client("berit.bergen").get(f"{address}?sorter=bydel").status_code == 400
        assert house.client("ida.imdi").get(f"{address}?sorter=bydel").status_code == 200
