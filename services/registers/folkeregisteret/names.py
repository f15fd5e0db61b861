"""Converting names from the register's capital letters to normal case.

An approximation, since capitals lose the person's own spelling: every word and every part between hyphens gets one
capital, particles inside a surname («van der Berg») none.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

NamePart = Literal["first", "middle", "last"]

# Not capitalised inside a surname. «El», «Al» and «Bin» are, as most of their bearers in Norway write them, and so is
# «Le», a name of its own in Vietnam. A particle that stands alone is a name.
_PARTICLES = frozenset({"van", "von", "der", "den", "ter", "ten", "de", "da", "di", "do", "dos", "das", "du", "af"})
_WORD_PARTS = re.compile(r"[^\s\-‐‑–.]+")
_APOSTROPHES = "'’ʼ`´"
_ELISION = re.compile(rf"^(\w[{_APOSTROPHES}])(\w.*)$")  # O'Brien, D'Souza; but Mar'yana
_SCOTTISH = re.compile(r"^MC(\w{3,})$")


def tidy(text: str) -> str:
    """The text composed (NFC), without control characters, with single blanks."""
    visible = "".join(" " if unicodedata.category(sign) in {"Cc", "Zl", "Zp"} else sign for sign in text)
    return " ".join(unicodedata.normalize("NFC", visible).split())


def natural_case(text: str, part: NamePart) -> str:
    """The name in normal case, tidied. Names that already have a small letter stay unchanged."""
    name = tidy(text)
    if not name.isupper():
        return name
    words = name.split(" ")
    result = [_capitalise(word) for word in words]
    if part == "last":
        for index, word in enumerate(words[:-1]):
            after_de = index > 0 and words[index - 1] == "DE" and word in {"LA", "LAS", "LOS"}
            if after_de or word.lower() in _PARTICLES:
                result[index] = word.lower()
    return " ".join(result)


def _capitalise(word: str) -> str:
    return _WORD_PARTS.sub(lambda match: _capitalise_part(match.group()), word)


def _capitalise_part(part: str) -> str:
    if elision := _ELISION.match(part):
        return elision[1] + _capitalise_part(elision[2])
    if scottish := _SCOTTISH.match(part):
        return "Mc" + _capitalise_part(scottish[1])
    # Python turns the Turkish capital İ into two characters, an i and a combining dot.
    return part[0] + part[1:].replace("İ", "i").lower()
