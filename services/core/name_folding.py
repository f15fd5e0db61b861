"""Folding of names and search words to one form, so that spelling variants are found.

Case and accents are removed, å and aa are one, and the letters of Sámi and of other Latin alphabets become their base
letters (đ d, ŋ n, š s, ł l). Æ and ø are letters of their own. Apostrophes are removed (O'Hara is found as ohara), and
so are invisible characters; hyphens separate words. Everything else stays as it is, so a search has no wildcards.
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
# Two blanks before each word: the beginning of a word then has three characters, which trigrams can find.
WORD_MARK = "  "


def folded_words(text: str) -> list[str]:
    """The folded words of a text."""
    decomposed = unicodedata.normalize("NFKD", seen(text).casefold())
    return "".join(map(_folded, decomposed.replace(f"a{_RING}", "aa"))).split()


def name_words(name: str) -> str:
    """The folded words of a name, as stored for searching; '' for ''."""
    return "".join(WORD_MARK + word for word in folded_words(name))


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    """Fold one small, decomposed character."""
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
