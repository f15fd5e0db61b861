"""Password rules: 12 to 128 characters of any kind, and hard to guess.

Refused are: passwords on the list of common and breached ones, in any case and with digits and signs around them; two
of these in a row; words of this register and of the calendar in their place; keyboard runs; a few characters repeated;
and what is generally known about the user. A sentence of three or more words is accepted. Source: NIST SP 800-63B
section 5.1.1.2 (length and lists, no rules of composition).
"""

import re
import string
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from services.core.code_lists import municipality_names
from services.core.i18n import gettext as _

SHORTEST, LONGEST = 12, 128
_LIST = Path(__file__).parents[1] / "data" / "common_passwords.txt"
_OWN_WORDS = frozenset(
    """
    jobbsjansen jobbsjanse jobbsjanseregisteret registeret register imdi kommune kommunen kommunebruker passord
    passordet hemmelig hemmeleg velkommen norge noreg norsk saksbehandler deltaker administrator bruker brukernavn
    vinter sommer høst haust våren januar februar mars april juni juli august september oktober november desember
    mandag måndag tirsdag tysdag onsdag torsdag fredag lørdag laurdag søndag sundag demo
    """.split()
)
_LOOKALIKES = str.maketrans("013457$@!", "oieastsai")
_AROUND = string.digits + string.punctuation + string.whitespace
_ROWS = ("1234567890+", "qwertyuiopå", "asdfghjkløæ", "zxcvbnm,.-", "abcdefghijklmnopqrstuvwxyzæøå", "qwertzuiop")
_LONGEST_WORD = 24
_FEW = 4  # different characters that are not enough
_OWN_PART = 4  # shorter parts of a name are ignored


def normalised(password: str) -> str:
    """The password in Unicode form NFKC, which does not depend on the keyboard."""
    return unicodedata.normalize("NFKC", password)


def fault_of(password: str, *, about_user: Iterable[str] = ()) -> str:
    """Validate a new password; returns the message to the user, or '' if it is accepted. `about_user`: the user's name,
    user name, e-mail address and the like."""
    chosen = normalised(password)
    if len(chosen) < SHORTEST:
        return _("Passordet må ha minst %(n)s tegn.") % {"n": SHORTEST}
    if len(chosen) > LONGEST:
        return _("Passordet kan ha maks %(n)s tegn.") % {"n": LONGEST}
    plain = chosen.casefold()
    if len(set(plain)) <= _FEW or _repeats(plain):
        return _("Passordet gjentar de samme tegnene. Velg et som er vanskeligere å gjette.")
    if _is_common(plain):
        return _("Passordet er for vanlig og lett å gjette. Velg et annet, gjerne tre eller flere tilfeldige ord.")
    if _is_of_user(plain, about_user):
        return _("Passordet inneholder navnet ditt, brukernavnet eller e-postadressen. Velg et annet.")
    return ""


@cache
def _common() -> frozenset[str]:
    places = {place.casefold() for place in municipality_names().values()}
    return frozenset(_LIST.read_text(encoding="utf-8").split()) | _OWN_WORDS | places


def _repeats(plain: str) -> bool:
    """True if a short part is repeated, such as «abc1abc1abc1»."""
    return re.fullmatch(r"(.{1,6}?)\1+.{0,5}", plain) is not None


def _is_of_user(plain: str, about_user: Iterable[str]) -> bool:
    """True if little is left without what is generally known about the user."""
    left = plain
    for known in about_user:
        for part in re.split(r"[\W_]+", known.casefold()):
            if len(part) >= _OWN_PART:
                left = left.replace(part, "")
    return left != plain and len(left) < SHORTEST - 2


def _is_common(plain: str) -> bool:
    """True if listed, or made of at most two listed words or runs with digits and signs around them."""
    for form in dict.fromkeys((plain, plain.translate(_LOOKALIKES))):
        if form in _common() or _made_of_words(form, 2):
            return True
    return False


def _made_of_words(text: str, most: int) -> bool:
    text = _without_runs(text)
    letters = text.strip(_AROUND)
    if not letters or letters in _common():
        return True
    if most == 1:
        return False
    return any(
        letters[:end] in _common() and _made_of_words(letters[end:], most - 1)
        for end in range(4, min(len(letters), _LONGEST_WORD + 1))
    )


def _without_runs(text: str) -> str:
    """The text without keyboard and alphabet runs of five characters or more, in either direction."""
    rows = [row for both in _ROWS for row in (both, both[::-1])]
    place, kept = 0, []
    while place < len(text):
        longest = max(_run_length(text, place, row) for row in rows)
        if longest < 5:
            kept.append(text[place])
            longest = 1
        place += longest
    return "".join(kept)


def _run_length(text: str, start: int, row: str) -> int:
    at, length = row.find(text[start]), 0
    while at >= 0 and at + length < len(row) and text[start + length : start + length + 1] == row[at + length]:
        length += 1
    return length
