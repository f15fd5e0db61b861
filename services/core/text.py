"""Cleaning of text typed or pasted on one line: the rule for all inputs of one line, except passwords.

Text pasted from Word, Outlook, a PDF or a spreadsheet contains invisible characters, and others that only look like
those of the keyboard. `plain_line` is for values that are read by their meaning (numbers, days, telephone numbers,
addresses, user names, codes, search terms, names of municipalities):

- Invisible characters are removed: zero width characters, directional marks, soft hyphens, byte order marks, variation
  selectors, tags, fillers and the like (Unicode's format characters and Default_Ignorable_Code_Point), and the blank
  pattern of braille.
- Every blank is a plain blank (no-break, thin, figure and ideographic space, tab, line and paragraph separators),
  several of them one, none at the ends.
- Characters that look like one of the keyboard become that one: dashes and the minus sign a hyphen, quotation marks and
  apostrophes `"` and `'`, full-width and small forms their ordinary ones, the digits of all scripts (Unicode Nd) 0 to
  9, other commas, full stops and slashes `,`, `.` and `/`.
- Letters with their accents are one character each (NFC).

Visible characters are never removed: a wrong number stays wrong, and a minus is never lost. Superscripts, fractions and
letters of other alphabets that only look like Latin ones stay unchanged.

Names of persons and free text are not cleaned like this; `is_blank` tells whether they contain anything visible.
"""

import json
import re
import unicodedata
from functools import lru_cache
from typing import Any

# Format characters that are visible, each around or over digits: Prepended_Concatenation_Mark.
_DRAWN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
# Default_Ignorable_Code_Point without format characters; the braille pattern and the note without a sign.
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\U0001d159\U000e0000-\U000e0fff]"
)
_LINE_ENDS = frozenset("\n\r\v\f\x85\u2028\u2029")
_ALIKE = {
    **dict.fromkeys("\u02d7\u2043\u2212\u2796", "-"),
    **dict.fromkeys("\u00b4\u02b9\u02bb\u02bc\u02bd\u2018\u2019\u201a\u201b\u2032\u2039\u203a", "'"),
    **dict.fromkeys("\u00ab\u00bb\u201c\u201d\u201e\u201f\u2033\u301d\u301e\u301f", '"'),
    **dict.fromkeys("\u060c\u066b\u3001", ","),
    **dict.fromkeys("\u2024\u3002\uff61", "."),
    **dict.fromkeys("\u2044\u2215", "/"),
    "\u061b": ";",
}
_FORMS = ("<wide> ", "<small> ")  # forms of a character in its Unicode decomposition


def plain_line(text: str) -> str:
    """The text cleaned by the rule above, on one line."""
    return " ".join(plain(text).split())


def plain(text: str) -> str:
    r"""Clean a text of several lines: keeps its lines (each ends with `\\n`), tabs and all blanks."""
    if text.isascii():
        return "".join(map(_seen, text))
    composed = unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", "".join(map(_plain, composed)))


def seen(text: str) -> str:
    """The visible part of a line: without invisible characters, every blank a plain one. Look-alikes stay."""
    return "".join(map(_seen, text)).replace("\n", " ").replace("\t", " ")


def is_blank(text: str) -> bool:
    """True if a text has nothing visible."""
    return not seen(text).strip()


def is_encodable(told: Any) -> bool:
    """True if all texts in a JSON value can be encoded as UTF-8: JSON can contain half a UTF-16 pair, which is no
    character."""
    try:
        json.dumps(told, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def username(typed: str) -> str:
    """Normalise a user name or an e-mail address for storing and comparing: cleaned, in lower case."""
    return unicodedata.normalize("NFC", plain_line(typed).lower())


_BESIDE_DIGITS = re.compile(r"[ ().-]+")


def telephone(typed: str) -> str | None:
    """Normalise a telephone number: digits in the groups as typed, an international one after a `+` (also typed as 00);
    `None` if it is none.

    «(+47) 55 55 55 55» is «+47 55 55 55 55»; the (0) in «+44 (0)20 7946 0958» is not dialled from abroad, and is
    removed.
    """
    line = re.sub(r"^\(? ?(?:\+|00)", "+", plain_line(typed))
    if line.startswith("+"):
        line = line.replace("(0)", " ", 1)
    if not re.fullmatch(r"\+? ?\(?[0-9][0-9 ().-]*", line):
        return None
    groups = _BESIDE_DIGITS.sub(" ", line.removeprefix("+")).split()
    number = f"{'+' if line.startswith('+') else ''}{' '.join(groups)}"
    return number if 5 <= len("".join(groups)) <= 15 else None


@lru_cache(maxsize=8192)
def _plain(character: str) -> str:
    character = _seen(character)
    if character in _ALIKE:
        return _ALIKE[character]
    if not character or character.isascii():
        return character
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    written = unicodedata.decomposition(character)
    form = next((form for form in _FORMS if written.startswith(form)), None)
    ordinary = chr(int(written.removeprefix(form), 16)) if form else ""
    if ordinary.isascii() and ordinary:
        return ordinary
    return "-" if category == "Pd" else character


@lru_cache(maxsize=8192)
def _seen(character: str) -> str:
    if character in _LINE_ENDS:
        return "\n"
    if character == "\t" or (not character.isspace() and character.isprintable()):
        return "" if _IGNORABLE.match(character) else character
    if character.isspace():
        return " "
    is_format = unicodedata.category(character) == "Cf" and character not in _DRAWN
    return "" if is_format or _IGNORABLE.match(character) else character
