"""Searching by a number that Folkeregisteret has replaced: the present number is found too."""

from dataclasses import replace

from sqlalchemy import bindparam, select

from services.core.db import read
from services.listing.search_terms import Term, TermKind
from services.tables.participants import EarlierNumber, Person

_PRESENT = (
    select(EarlierNumber.national_id.label("earlier"), Person.national_id.label("present"))
    .join(Person, Person.id == EarlierNumber.person_ref)
    .where(EarlierNumber.national_id.in_(bindparam("numbers", expanding=True)))
)


def with_present_numbers(terms: tuple[Term, ...] | None) -> tuple[Term, ...] | None:
    """The terms of a search, with the present number beside a replaced one. The search applies the visibility
    condition."""
    typed = {one.words[0] for one in terms or () if one.kind is TermKind.NUMBER}
    found = {row.earlier: row.present for row in read(_PRESENT, {"numbers": sorted(typed)})} if typed else {}
    if not (terms and found):
        return terms
    return tuple(replace(one, words=(*one.words, found[one.words[0]])) if _is_in(one, found) else one for one in terms)


def _is_in(one: Term, found: dict[str, str]) -> bool:
    return one.kind is TermKind.NUMBER and one.words[0] in found
