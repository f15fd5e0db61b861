"""Search terms: parsing the search field, and the SQL conditions of the terms.

Guide 3.6, domain section 4: fødselsnummer, PersonId or name, several separated by comma; the union is found. Discharged
participants are found by PersonId only (and are in the list only when it is filtered on them).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    column,
    false,
    or_,
    select,
    table,
    union_all,
)

from services.core.db import on_sqlite
from services.core.name_folding import WORD_MARK, folded_words
from services.core.text import plain, plain_line
from services.questions.fields import legible
from services.tables.participants import Participation

MOST_TERMS = 400
MOST_WORDS = 2_000  # of all terms together; on PostgreSQL each is a condition of its own
LONGEST_TERM = 200
_DIVIDERS = re.compile(r"[,;\t\n]+")
_INSIDE_NUMBERS = re.compile(r"[ .'\"-]")  # characters that pasted numbers contain
_SHORT = 3  # letters; shorter words match the beginning of a word only
_LARGE = 25  # words and beginnings of numbers
_MOST_PLACES = 20  # municipalities named in a statement to the index of names
_P = Participation


class TermKind(StrEnum):
    """The kinds of terms, recognised by their form."""

    NUMBER = "number"  # a whole fødselsnummer
    NUMBER_START = "number_start"  # its first digits
    PERSON_ID = "person_id"
    NAME = "name"


@dataclass(frozen=True)
class Term:
    """One value of a search: its text, its kind, its digits or its folded words. A number may be followed by the one
    that has replaced it (see `services.listing.earlier_numbers`)."""

    text: str
    kind: TermKind
    words: tuple[str, ...]

    def finds(self, row: Any) -> bool:
        """True if the term finds a row of the list."""
        if self.kind is TermKind.PERSON_ID:
            return bool(row.person_id == self.words[0])
        if row.discharged:
            return False
        if self.kind is TermKind.NAME:
            names = folded_words(row.name)
            return bool(self.words) and all(any(_is_part(word, name) for name in names) for word in self.words)
        return any(str(row.national_id).startswith(digits) for digits in self.words)


def _is_part(word: str, name: str) -> bool:
    return word in name if len(word) >= _SHORT else name.startswith(word)


def divided(typed: str) -> list[str]:
    """The values of a text, each once, in order: separated by comma, semicolon, line break or tab, as in a column
    pasted from a spreadsheet."""
    values = (" ".join(value.split())[:LONGEST_TERM].rstrip() for value in _DIVIDERS.split(legible(plain(typed))))
    return list(dict.fromkeys(value for value in values if value))


def term(text: str) -> Term:
    """Classify a value as a term."""
    digits = _INSIDE_NUMBERS.sub("", plain_line(text))
    if not (digits.isascii() and digits.isdigit()):
        return Term(text, TermKind.NAME, tuple(folded_words(text)))
    if len(digits) == 8 and digits[0] == "9":
        return Term(text, TermKind.PERSON_ID, (digits,))
    return Term(text, TermKind.NUMBER if len(digits) >= 11 else TermKind.NUMBER_START, (digits,))


@dataclass(frozen=True)
class Shape:
    """The shape of a search without its personal values: statements are built and cached by it.

    `starts`: the number of terms with first digits; `names`: the number of words of each name.
    """

    numbers: bool
    person_ids: bool
    starts: int
    names: tuple[int, ...]

    @property
    def is_large(self) -> bool:
        """True if the statement is too large to be cached: there are endless such shapes, and each takes megabytes."""
        return self.starts + sum(self.names) > _LARGE


@dataclass(frozen=True)
class SearchCondition:
    """The shape of a search, and the values to bind in its statement, by name."""

    shape: Shape
    values: dict[str, Any]


def question(terms: Iterable[Term], places: Sequence[str] | None) -> SearchCondition:
    """The shape and values of these terms. `places`: the municipalities that are filtered anyway (`None` for the whole
    country); more than these may be found."""
    by_kind = {kind: [one for one in terms if one.kind is kind] for kind in TermKind}
    names = [one.words for one in by_kind[TermKind.NAME] if one.words]
    starts = [one.words[0] for one in by_kind[TermKind.NUMBER_START]]
    numbers = [number for one in by_kind[TermKind.NUMBER] for number in one.words]
    person_ids = [one.words[0] for one in by_kind[TermKind.PERSON_ID]]
    near = tuple(places) if names and places and len(places) <= _MOST_PLACES else ()
    values: dict[str, Any] = {f"start_{n}": digits for n, digits in enumerate(starts)}
    values |= {f"after_{n}": f"{digits}:" for n, digits in enumerate(starts)}  # ':' comes after '9'
    if numbers:
        values["numbers"] = numbers
    if person_ids:
        values["person_ids"] = person_ids
    if names:
        values |= _name_values(names, near)
    counts = tuple(len(words) for words in names) if not on_sqlite() else (1,) * bool(names)
    return SearchCondition(Shape(bool(numbers), bool(person_ids), len(starts), counts), values)


def _name_values(names: Sequence[tuple[str, ...]], places: Sequence[str]) -> dict[str, Any]:
    if on_sqlite():
        return {"match": _match(names, places)}
    return {f"word_{n}_{m}": _pattern(word) for n, words in enumerate(names) for m, word in enumerate(words)}


class _Binds:
    """The parameters of a search in a statement: bound by name at execution; or with their values, for a condition that
    becomes part of another statement."""

    def __init__(self, values: Mapping[str, Any] | None) -> None:
        self._values = values

    def __call__(self, name: str, **how: Any) -> BindParameter[Any]:
        if self._values is None:
            return bindparam(name, **how)
        return bindparam(name, self._values[name], unique=True, **how)


def hits(shape: Shape, values: Mapping[str, Any] | None = None) -> Select[int] | CompoundSelect[int]:
    """On SQLite: the statement for the ids that a search of this shape finds; without `values` they are bound at
    execution."""
    bind = _Binds(values)
    parts = [select(_P.id).where(condition) for condition in _by_columns(shape, bind)]
    parts += [_by_name_index(bind)] if shape.names else []
    if not parts:
        return select(_P.id).where(false())
    return union_all(*parts) if len(parts) > 1 else parts[0]


def found_by(shape: Shape, values: Mapping[str, Any] | None = None) -> ColumnElement[bool]:
    """On PostgreSQL: the condition that a search of this shape finds a participation; without `values` they are bound
    at execution."""
    bind = _Binds(values)
    arms = [*_by_columns(shape, bind), *([_by_trigrams(shape, bind)] if shape.names else [])]
    return or_(*arms) if arms else false()


def _by_columns(shape: Shape, bind: _Binds) -> Iterator[ColumnElement[bool]]:
    """Conditions on numbers and PersonIds; discharged participants are not found by a number. Beginnings are ranges,
    for which both databases use the index."""
    is_open = _P.discharged == false()
    if shape.numbers:
        yield and_(is_open, _P.national_id.in_(bind("numbers", expanding=True)))
    if shape.person_ids:
        yield _P.person_id.in_(bind("person_ids", expanding=True))
    for n in range(shape.starts):
        yield and_(is_open, _P.national_id >= bind(f"start_{n}"), _P.national_id < bind(f"after_{n}"))


# Parts of names: all words of one of the names must match. Discharged participants have no words.


def _by_name_index(bind: _Binds) -> Select[int]:
    # `name_index MATCH …`: the hidden column of the FTS5 table with the table's name
    index = table("name_index", column("rowid", Integer), column("name_index", String))
    match = index.c.name_index.op("MATCH")(bind("match", type_=String))
    return select(index.c.rowid.label("id")).where(match)


def _by_trigrams(shape: Shape, bind: _Binds) -> ColumnElement[bool]:
    names = [[f"word_{n}_{m}" for m in range(count)] for n, count in enumerate(shape.names)]
    return or_(*(and_(*(_P.name_words.like(bind(key), escape="\\") for key in keys)) for keys in names))


def _pattern(word: str) -> str:
    literal = re.sub(r"([\\%_])", r"\\\1", word)
    return f"%{literal}%" if len(word) >= _SHORT else f"%{WORD_MARK}{literal}%"


def _match(names: Sequence[tuple[str, ...]], places: Sequence[str]) -> str:
    """The FTS5 expression, every word a quoted phrase."""
    alternatives = " OR ".join("(" + " AND ".join(_phrase(word) for word in words) + ")" for words in names)
    match = f"name_words : ({alternatives})"
    if places:
        match += " AND municipality_number : (" + " OR ".join(f'"{number}"' for number in places) + ")"
    return match


def _phrase(word: str) -> str:
    literal = word if len(word) >= _SHORT else WORD_MARK + word
    return '"' + literal.replace('"', '""') + '"'


def missed(terms: Sequence[Term], rows: Sequence[Any]) -> list[Term]:
    """The terms that find none of the rows."""
    return [one for one in terms if not any(one.finds(row) for row in rows)]
