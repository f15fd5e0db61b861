"""The list's query as it stands in the address: `parse(write(query)) == query`, and nothing else gets in."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from app.overview.query import COLUMN_WORDS, MAX_PAGE, BadQuery, ListQuery, parse, write
from services.participants import Column, Order
from tests.app.conftest import House

orders = st.just(Order()) | st.builds(Order, st.sampled_from(Column), descending=st.booleans())
queries = st.builds(ListQuery, order=orders, page=st.integers(1, MAX_PAGE))
names = st.sampled_from(["sorter", "retning", "side", "Side", ""]) | st.text(max_size=8)
values = st.sampled_from(["navn", "stigende", "synkende", "1", "0", "-1", ""]) | st.text(max_size=8)


def parsed(written: str) -> ListQuery:
    return parse(MultiDict(parse_qsl(written, keep_blank_values=True)))


@given(queries)
def test_what_is_written_is_read_again(query: ListQuery) -> None:
    assert parsed(write(query)) == query
    assert write(query).isascii()
    assert parsed(write(query, with_page=False)) == ListQuery(query.order)


@given(st.lists(st.tuples(names, values), max_size=4))
def test_anything_else_is_refused_in_one_way(pairs: list[tuple[str, str]]) -> None:
    try:
        query = parse(MultiDict(pairs))
    except BadQuery:
        return
    assert parsed(write(query)) == query


def test_the_default_has_no_query() -> None:
    assert write(ListQuery()) == ""
    assert parsed("") == ListQuery()


def test_every_column_has_a_word_of_its_own() -> None:
    assert set(COLUMN_WORDS) == set(Column)
    assert len(set(COLUMN_WORDS.values())) == len(Column)


@given(queries, st.sampled_from(Column))
def test_three_clicks_come_back_to_the_default(query: ListQuery, column: Column) -> None:
    others = query if query.order.column is not column else ListQuery()
    first = others.sorted_by(column)
    second = first.sorted_by(column)
    assert (first.order, second.order) == (Order(column), Order(column, descending=True))
    assert second.sorted_by(column) == ListQuery()


BAD = [
    "sorter=ukjent",
    "sorter=",
    "sorter=Navn",
    "sorter=name_key",
    "sorter=navn%00",
    "sorter=navn;drop",
    "sorter=navn&retning=opp",
    "sorter=navn&retning=",
    "retning=synkende",
    "side=0",
    "side=-1",
    "side=1.5",
    "side=1e3",
    "side=",
    "side=%C2%B2",  # a digit, but not for int()
    "side=%D9%A3",  # another
    "side=99999999999999999999",
    "side=1&side=2",
    "sorter=navn&sorter=navn",
    "ukjent=1",
    "sorter[]=navn",
    "navn=%FF%FE",
    "%00=1",
]


@pytest.mark.parametrize("query", BAD)
def test_a_bad_query_is_400_with_words(house: House, query: str) -> None:
    client = house.client("kari.oslo")
    for address in ("/deltakere", "/deltakere/oversikt.csv", "/deltakere/fullt-datasett.csv"):
        answer = client.get(f"{address}?{query}")
        assert answer.status_code == 400, f"{address}?{query}"
        assert "Forespørselen kunne ikke forstås" in answer.text


def test_a_column_that_the_viewer_does_not_have_is_unknown(house: House) -> None:
    for address in ("/deltakere", "/deltakere/oversikt.csv"):
        assert house.client("berit.bergen").get(f"{address}?sorter=bydel").status_code == 400
        assert house.client("ida.imdi").get(f"{address}?sorter=bydel").status_code == 200
