"""Norwegian alphabetical order as a stored key.

SQLite compares bytes, PostgreSQL's collations depend on the machine, and neither pages through a million rows in
Norwegian order without an index. So each text that is sorted has a column with its key, made here: plain ASCII whose
byte order (SQLite BINARY, PostgreSQL COLLATE "C") is the alphabetical order of the texts.

The order is that of Unicode CLDR for bokmål: locale nb inherits the rules of `no`, which amend the root order of UTS
#10 and UTS #35 (https://github.com/unicode-org/cldr/blob/main/common/collation/no.xml).

* First letters alone: blank, punctuation, symbols, digits, A to Z, Æ, Ø, Å. AA is Å, Ä and Ę are Æ, Ö, Ő and
  Œ are Ø, Ü and Ű are Y, Đ and Ð are D, Þ is TH, ẞ is SS.
* Then, between texts with the same letters, accents: e before é, d before đ, æ before ä, å before aa.
* Then case: small before capital.

It deviates as follows, to suit a register of people in Norway:

* The Sámi ŋ and ŧ, and all Latin letters with a stroke, a hook or the like, are their base letters with an
  accent, as đ, š and ž already are. The root order makes some of them letters of their own.
* AA is Å however its case is mixed, but not when the second A has an accent of its own (A and Ä in a row).
* Typographic dashes, apostrophes and quotation marks, and all kinds of blanks, sort with the plain ones.
* Letters of other scripts come after Å by their code points, symbols outside ASCII before the digits.

A key has these levels. An empty level is left out with its sign:

      letters: a character for each (`a` to `z`, `{` æ, `|` ø, `}` å); one outside the list takes five
    - accents: for each, its distance from the one before and its rank
    + case: a bit for each character, six bits to a character of the key, up to the last capital
    ! oddities: place and code point of each character that would otherwise share its key with a plainer one

So `Åse` gives `}se+_`, and most keys are two or three characters longer than their names.
"""

from __future__ import annotations

import re
import string
import unicodedata
from functools import lru_cache
from typing import NamedTuple

# The signs of the levels sort before everything inside a level and in this order, so that a text with nothing (more) on
# a level comes before one that has something.
_ODDITIES, _CASE, _ACCENTS = "!+-"

# Level 1. The list ends at the last printable ASCII character, so that each letter from a to z stands for itself.
_LISTED = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$\0" + string.digits + string.ascii_lowercase + "æøå"
_SCRIPT = "~"  # then the code point
_RANK = {letter: chr(ord(_SCRIPT) - len(_LISTED) + place) for place, letter in enumerate(_LISTED)}
_SYMBOL = _RANK["\0"]  # then the code point

# Level 2. Characters that count as another letter with an accent: the letters, and the variant of them; variants come
# after real accents. Keys are decomposed (NFD) and small; those of two characters are read as one. A variant of two
# letters has a mark that no variant of the second letter has.
_VARIANTS = {
    "a\N{COMBINING RING ABOVE}": ("å", ""),
    "aa": ("å", "a"),
    "a\N{COMBINING DIAERESIS}": ("æ", "a"),
    "e\N{COMBINING OGONEK}": ("æ", "b"),
    "o\N{COMBINING DIAERESIS}": ("ø", "a"),
    "o\N{COMBINING DOUBLE ACUTE ACCENT}": ("ø", "b"),
    "œ": ("ø", "c"),
    "u\N{COMBINING DIAERESIS}": ("y", "a"),
    "u\N{COMBINING DOUBLE ACUTE ACCENT}": ("y", "b"),
    "đ": ("d", "a"),
    "ð": ("d", "b"),
    "ŋ": ("n", "a"),
    "ŧ": ("t", "a"),
    "ł": ("l", "a"),
    "ı": ("i", "a"),
    "ə": ("e", "a"),
    "ʒ": ("z", "a"),
    "þ": ("th", "c"),
    "ß": ("ss", "c"),
}
_UNLISTED_VARIANT = "z"  # then the code point
_FIRST_ACCENT = ord("0")
# In the root order: acute, grave, breve, circumflex, caron, ring, diaeresis, double acute, tilde, dot above,
# long solidus, cedilla, ogonek, macron, hook above, horn, dot below, comma below.
_LISTED_ACCENTS = "".join(
    chr(0x300 + place) for place in bytes.fromhex("01 00 06 02 0C 0A 08 0B 03 07 38 27 28 04 09 1B 23 26")
)
_UNLISTED_ACCENT = "Z"  # then the code point
_FARTHEST = 79  # the distances 0 to 78 have a character each, from "~" down to "0"; "/" stands for 79 more

# The units of reading: variants of two characters, otherwise single characters.
_TWO = (key + ("(?![\u0300-\u036f])" if key == "aa" else "") for key in _VARIANTS if len(key) == 2)
_PARTS = re.compile("|".join([*_TWO, "."]), re.IGNORECASE | re.DOTALL)
_LATIN_NAME = re.compile(r"LATIN SMALL LETTER ([A-Z])(?: WITH .+)?")
_APOSTROPHES = frozenset("´ʹʻʼ‘’‛′")
_QUOTATION_MARKS = frozenset("„‟")  # those that are neither initial nor final by their category
_BASE_36 = string.digits + string.ascii_lowercase


class _Element(NamedTuple):
    """A character's part of each level of the key."""

    letters: str
    accents: tuple[str, ...]
    case: str  # of 0 and 1
    odd: bool


def sort_key(text: str) -> str:
    """The sort key of a text: printable ASCII without blanks; '' for ''.

    Keys compare byte by byte as the texts do in Norwegian. Two texts have the same key only when they are canonically
    equivalent, that is, equal after normalisation to NFC.
    """
    letters, accents, case, oddities = [], [], [], []
    distance = 0
    for part in _PARTS.finditer(unicodedata.normalize("NFD", text)):
        element = _element(part[0])
        letters.append(element.letters)
        case.append(element.case)
        distance += len(element.letters)
        for accent in element.accents:
            accents.append(_distance(distance) + accent)
            distance = 0
        if element.odd:
            oddities.append(_code(part.start()) + _code(ord(part[0])))
    levels = (("", letters), (_ACCENTS, accents), (_CASE, _packed("".join(case))), (_ODDITIES, oddities))
    return "".join(sign + "".join(level) for sign, level in levels if level)


@lru_cache(maxsize=4096)
def _element(part: str) -> _Element:
    """The element of one decomposed character, or of two that are read as one."""
    if unicodedata.combining(part[0]):
        return _Element("", (_accent(part),), "", odd=False)
    plain = _plain(part) if len(part) == 1 else part
    if plain != part:
        return _joined([_element(character) for character in plain])
    small = part.lower()
    letters, accent = _letters(small)
    pairs = [(one, other) for one, other in zip(part, small, strict=True) if not unicodedata.combining(one)]
    case = "".join("01"[one != other] for one, other in pairs)
    # Some capitals share their small letter with another one: ẞ, the Greek ϴ.
    odd = any(one not in {other, other.upper()} for one, other in pairs)
    return _Element(letters, (accent,) if accent else (), case, odd)


def _joined(elements: list[_Element]) -> _Element:
    """The element of a character that sorts as several plainer ones."""
    return _Element(
        "".join(element.letters for element in elements),
        tuple(accent for element in elements for accent in element.accents),
        "".join(element.case for element in elements),
        odd=True,
    )


def _plain(character: str) -> str:
    """The plain characters that a character sorts with, usually itself; none for invisible ones."""
    if character.isspace():
        return " "
    if character in _APOSTROPHES:
        return "'"
    category = unicodedata.category(character)
    if category in {"Pi", "Pf"} or character in _QUOTATION_MARKS:
        return '"'
    if category in {"Cc", "Cf"}:
        return ""
    if category == "Pd" or character == "\N{MINUS SIGN}":
        return "-"
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return unicodedata.normalize("NFKD", character)


def _letters(small: str) -> tuple[str, str]:
    """The part's contribution to level 1, and to level 2 if it is a variant."""
    if small in _VARIANTS:
        letters, variant = _VARIANTS[small]
        return "".join(_RANK[letter] for letter in letters), variant
    if small in _RANK:
        return _RANK[small], ""
    code = _code(ord(small))
    latin = _LATIN_NAME.fullmatch(unicodedata.name(small, ""))
    if latin:
        return _RANK[latin[1].lower()], _UNLISTED_VARIANT + code
    return (_SYMBOL if unicodedata.category(small)[0] in "PSNZ" else _SCRIPT) + code, ""


def _accent(mark: str) -> str:
    """The rank of a combining mark."""
    place = _LISTED_ACCENTS.find(mark)
    return _UNLISTED_ACCENT + _code(ord(mark)) if place < 0 else chr(_FIRST_ACCENT + place)


def _distance(letters: int) -> str:
    """The code of a distance: a more distant accent sorts earlier."""
    return "/" * (letters // _FARTHEST) + chr(ord("~") - letters % _FARTHEST)


def _packed(bits: str) -> list[str]:
    """Bits packed six to the character, from `?` for none to `~` for all; without the zeros at the end."""
    bits = bits.rstrip("0")
    return [chr(ord("?") + int(bits[start : start + 6].ljust(6, "0"), 2)) for start in range(0, len(bits), 6)]


def _code(number: int) -> str:
    """A code point or place as four digits to the base of 36, for a fixed length."""
    digits = ""
    for _ in range(4):
        number, digit = divmod(number, 36)
        digits = _BASE_36[digit] + digits
    return digits
