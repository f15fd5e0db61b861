"""Names and search words folded to one form, so that they are found however they are written.

Case is gone, accents are gone, å and aa are one, and the letters of Sámi and of other Latin alphabets are their
base letters (đ d, ŋ n, š s, ł l). Æ and ø are letters of their own. Apostrophes vanish (O'Hara is found as ohara),
and so does what nobody sees; hyphens part words. Everything else stands for itself, so nothing in a search is a
wildcard.
"""

import re
import unicodedata
from functools import lru_cache

from services.core.text import seen

_RING = "\N{COMBINING RING ABOVE}"
_KEPT = frozenset("æø")
_WRITTEN_OUT = {"ð": "d", "þ": "th", "ß": "ss", "œ": "oe", "ı": "i", "ə": "e", "ʒ": "z", "ŋ": "n"}
_LATIN = re.compile(r"LATIN SMALL LETTER ([A-Z]+)(?: WITH .+)?")
_APOSTROPHES = frozenset("'`´ʹʻʼ‘’‛′")
# Two blanks before each word: with them the beginning of a word is three characters, which trigrams can find.
WORD_MARK = "  "


def folded_words(text: str) -> list[str]:
    """The words of a text, folded."""
    decomposed = unicodedata.normalize("NFKD", seen(text).casefold())
    return "".join(map(_folded, decomposed.replace(f"a{_RING}", "aa"))).split()


def name_words(name: str) -> str:
    """What is stored of a name to search in; '' for ''."""
    return "".join(WORD_MARK + word for word in folded_words(name))


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    """Of one small, decomposed character."""
    if character in _KEPT or (character.isascii() and character.isalnum()):
        return character
    if unicodedata.combining(character) or character in _APOSTROPHES:
        return ""
    if character.isspace() or unicodedata.category(character) == "Pd":
        return " "
    if character in _WRITTEN_OUT:
        return _WRITTEN_OUT[character]
    latin = _LATIN.fullmatch(unicodedata.name(character, ""))
    return latin[1].lower() if latin and len(latin[1]) == 1 else character
