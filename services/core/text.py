"""What is typed or pasted on one line, cleaned: the one rule for all inputs of one line, except passwords.

Text that is pasted from Word, Outlook, a PDF or a spreadsheet brings characters along that nobody sees, and others
that only look like those of the keyboard. `plain_line` is for what is read by its meaning (numbers, days, telephone
numbers, addresses, user names, codes, search terms, names of municipalities):

- What nobody sees is removed: zero width characters, directional marks, soft hyphens, byte order marks, variation
  selectors, tags, fillers and the like (Unicode's format characters and Default_Ignorable_Code_Point), and the blank
  pattern of braille.
- Every blank is a plain blank (no-break, thin, figure and ideographic space, tab, line and paragraph separators),
  several of them one, none at the ends.
- What looks like a character of the keyboard becomes that: dashes and the minus sign a hyphen, quotation marks and
  apostrophes `"` and `'`, full-width and small forms their ordinary ones, the digits of all scripts (Unicode Nd) 0 to
  9, other commas, full stops and slashes `,`, `.` and `/`.
- Letters with their accents are one character each (NFC).

Nothing that can be seen is removed: a number that is wrong stays wrong, and a minus is never lost. Superscripts,
fractions and letters of other alphabets that only look like Latin ones stay what they are.

Names of persons and free text are not cleaned so; `is_blank` tells whether there is anything to see in them.
"""

import json
import re
import unicodedata
from functools import lru_cache
from typing import Any

# Format characters that are drawn, each around or over digits: Prepended_Concatenation_Mark.
_DRAWN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
# Default_Ignorable_Code_Point as far as it is not format characters; the braille pattern and the note without a sign.
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
_FORMS = ("<wide> ", "<small> ")  # how a character is written, in Unicode's decomposition of it


def plain_line(text: str) -> str:
    """The text cleaned by the rule above, on one line."""
    return " ".join(plain(text).split())


def plain(text: str) -> str:
    """The same with its lines (each ends with `\\n`), its tabs and all its blanks, for lists of several values."""
    if text.isascii():
        return "".join(map(_seen, text))
    composed = unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", "".join(map(_plain, composed)))


def seen(text: str) -> str:
    """What one sees of a line: without what nobody sees, every blank a plain one. Look-alikes stay."""
    return "".join(map(_seen, text)).replace("\n", " ").replace("\t", " ")


def is_blank(text: str) -> bool:
    """True if there is nothing to see in a text."""
    return not seen(text).strip()


def is_encodable(told: Any) -> bool:
    """True if all texts in a value that JSON brought can be written as UTF-8: JSON can name half a pair of UTF-16,
    which is no character."""
    try:
        json.dumps(told, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def username(typed: str) -> str:
    """A user name or an e-mail address as it is kept and compared: plain, in small letters."""
    return unicodedata.normalize("NFC", plain_line(typed).lower())


_BESIDE_DIGITS = re.compile(r"[ ().-]+")


def telephone(typed: str) -> str | None:
    """A telephone number as it is kept: digits in the groups in which they were typed, an international one after a `+`
    (also typed as 00); `None` if it is none.

    «(+47) 55 55 55 55» is «+47 55 55 55 55»; the (0) in «+44 (0)20 7946 0958» is not dialled from abroad, and goes.
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
