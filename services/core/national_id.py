"""The Norwegian national identity number (fødselsnummer) and the D-nummer.

A number has eleven digits, `ddmmyy iii k1 k2`: a date of birth, three individual digits and two check digits.

* The day is raised by 40 in a D-nummer.
* The month is raised by 80 for the synthetic persons of the tax administration (Tenor) and by 40 for those
  of Nav. The two cannot meet in one number (12 + 80 + 40 needs three digits); each combines with a D-nummer.
* The check digits are computed after the additions. Two rules are valid side by side for ever: the one of 1964,
  and the one for numbers given from 1 January 2032 on, where the first remainder may be 0, 1, 2 or 3.

Neither sex nor century can be read from the number, so this module does not offer them: ask Folkeregisteret.

Source: the Norwegian Tax Administration (Skatteetaten), documentation of Folkeregisteret's interfaces,
https://skatteetaten.github.io/folkeregisteret-api-dokumentasjon/nytt-fodselsnummer-fra-2032/; folkeregisterforskriften
§ 2-2 for the layout; Nav's description of its synthetic persons for its addition.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from services.core.text import plain_line

Reason = Literal["empty", "length", "characters", "date", "check_digits"]
Synthetic = Literal["tenor", "nav"]

LENGTH = 11
_DIGITS = frozenset("0123456789")  # str.isdigit() would accept Arabic-Indic digits and superscripts too
_FIRST_WEIGHTS = (3, 7, 6, 1, 8, 9, 4, 5, 2)
_SECOND_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_FIRST_REMAINDERS = frozenset({0, 1, 2, 3})  # 0 alone is the rule of 1964
_D_NUMBER_DAY = 40
_TENOR_MONTH = 80
_NAV_MONTH = 40
_MONTH_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

_MESSAGES: dict[Reason, str] = {
    "empty": "no national identity number was given",
    "length": "a national identity number has eleven digits",
    "characters": "a national identity number has digits only",
    "date": "the first six digits are not a date",
    "check_digits": "the check digits are wrong",
}


class InvalidNationalId(ValueError):
    """The text is not a national identity number.

    `reason`: the first fault, in the order empty, characters, length, date, check digits. Neither the message nor the
    arguments contain the text itself, so the error may be logged.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason

    def __str__(self) -> str:
        return _MESSAGES[self.reason]


@dataclass(frozen=True)
class NationalId:
    """A well-formed number. Whether it belongs to a person, only Folkeregisteret knows.

    number: eleven ASCII digits; left out of the representation, so that no log shows it by accident.
    is_d_number: a temporary number, for persons who do not (yet) have a fødselsnummer.
    synthetic: the source of the synthetic person, or None for a number that a real person may have.
    """

    number: str = field(repr=False)
    is_d_number: bool
    synthetic: Synthetic | None


def normalise(text: str) -> str:
    """Clean a typed number (see `services.core.text`) and remove its blanks, without validation."""
    return plain_line(text).replace(" ", "")


def with_lost_zero(text: str) -> str | None:
    """Restore the leading zero that a spreadsheet removes; None if the result is not valid."""
    digits = normalise(text)
    try:
        return parse(f"0{digits}").number if len(digits) == LENGTH - 1 else None
    except InvalidNationalId:
        return None


def parse(text: str) -> NationalId:
    """Parse a typed number; blanks do not matter. Raises InvalidNationalId."""
    number = normalise(text)
    if not number:
        raise InvalidNationalId("empty")
    if not _DIGITS.issuperset(number):
        raise InvalidNationalId("characters")
    if len(number) != LENGTH:
        raise InvalidNationalId("length")
    day, is_d_number = _read_day(int(number[0:2]))
    month, synthetic = _read_month(int(number[2:4]))
    if not _is_date(day, month, year=int(number[4:6])):
        raise InvalidNationalId("date")
    if not _check_digits_hold(number):
        raise InvalidNationalId("check_digits")
    return NationalId(number, is_d_number, synthetic)


def complete(first_nine: str, *, remainder: Literal[0, 1, 2, 3] = 0) -> str | None:
    """Complete nine digits with check digits; None if the rule gives none.

    The first remainder of the result is `remainder` (0 gives a number of the 1964 kind, which is also one of the 2032
    kind) and its second remainder is 0. There are none when a check digit would have to be 10. The date is not checked
    here; `parse` does that. Raises ValueError when `first_nine` is not nine ASCII digits or the remainder is not one of
    the four.
    """
    if len(first_nine) != LENGTH - 2 or not _DIGITS.issuperset(first_nine):
        raise ValueError("nine digits are needed")
    if remainder not in _FIRST_REMAINDERS:
        raise ValueError("the first remainder is 0, 1, 2 or 3")
    first = (remainder - _weighted_sum(first_nine, _FIRST_WEIGHTS)) % 11
    if first == 10:
        return None
    first_ten = f"{first_nine}{first}"
    second = -_weighted_sum(first_ten, _SECOND_WEIGHTS) % 11
    if second == 10:
        return None
    return f"{first_ten}{second}"


def _read_day(digits: int) -> tuple[int, bool]:
    """The day of the month (not validated), and whether it is that of a D-nummer."""
    return (digits - _D_NUMBER_DAY, True) if digits > _D_NUMBER_DAY else (digits, False)


def _read_month(digits: int) -> tuple[int, Synthetic | None]:
    """The month (not validated), and the source of the synthetic person by its addition."""
    if digits > _TENOR_MONTH:
        return digits - _TENOR_MONTH, "tenor"
    if digits > _NAV_MONTH:
        return digits - _NAV_MONTH, "nav"
    return digits, None


def _is_date(day: int, month: int, *, year: int) -> bool:
    """True if the day exists in a year known by its last two digits.

    The century is unknown, so 00 counts as a leap year: 2000 was one, although 1900 was not.
    """
    if not 1 <= month <= 12:
        return False
    leap_day = 1 if month == 2 and year % 4 == 0 else 0
    return 1 <= day <= _MONTH_LENGTHS[month - 1] + leap_day


def _check_digits_hold(number: str) -> bool:
    """True if both remainders are allowed by the rule of 1964 or of 2032."""
    first = (_weighted_sum(number[:9], _FIRST_WEIGHTS) + int(number[9])) % 11
    second = (_weighted_sum(number[:10], _SECOND_WEIGHTS) + int(number[10])) % 11
    return first in _FIRST_REMAINDERS and second == 0


def _weighted_sum(digits: str, weights: tuple[int, ...]) -> int:
    return sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=True))
