"""Parsing municipalities as typed or pasted: by name, by number, or both as on our own pages."""

import re
from functools import cache

from services.core.code_lists import municipality_names
from services.core.name_folding import folded_words
from services.core.text import plain_line

MOST_PLACES = 400  # in one list; more than there are municipalities
_NUMBER = re.compile(r"\(?\b([0-9]{3,4})\b\)?")
_BESIDE = {"kommune", "herad"}  # «Bergen kommune»


@cache
def _folded_names() -> dict[str, str]:
    return {number: _folded(name) for number, name in municipality_names().items()}


def _folded(text: str) -> str:
    return " ".join(folded_words(plain_line(text)))


def places_called(typed: str) -> list[str]:
    """The numbers of the municipalities with exactly that number (a spreadsheet removes the leading zero), name, name
    without the distinguishing county, or both as in «Bergen (4601)»."""
    words = _folded(typed).split()
    name = " ".join(words[:-1] if len(words) > 1 and words[-1] in _BESIDE else words)
    names = _folded_names()
    found = _NUMBER.search(name)
    if found and (number := found[1].zfill(4)) in names:
        rest = " ".join((name[: found.start()] + name[found.end() :]).split())
        if not rest or names[number].partition(" (")[0] == rest.partition(" (")[0]:
            return [number]
    return [number for number, own in names.items() if name in {own, own.partition(" (")[0]}]


def places_beginning(typed: str) -> list[str]:
    """The numbers of the municipalities whose number or name begins with the text, in numerical order."""
    wanted = _folded(typed)
    return [n for n, name in _folded_names().items() if wanted and (n.startswith(wanted) or name.startswith(wanted))]
