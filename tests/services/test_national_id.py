"""The number algorithm: known examples, and properties of every number."""

from __future__ import annotations

import pickle
import re
from typing import Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.core import national_id
from services.core.national_id import InvalidNationalId, NationalId, Reason, Synthetic
from services.core.text import plain_line

Remainder = Literal[0, 1, 2, 3]

VALID: list[tuple[str, bool, Synthetic | None, Remainder]] = [
    # number, D-nummer, synthetic, first remainder (0: kind of 1964)
    ("30908299902", False, "tenor", 2),
    ("03851598730", False, "tenor", 0),
    ("20036914700", False, None, 0),
    ("29020073150", False, None, 0),
    ("41819077302", True, "tenor", 0),
    ("41819077906", True, "tenor", 1),
    ("15507600333", False, "nav", 0),
]

MONTH_ADDITIONS: dict[Synthetic | None, int] = {None: 0, "nav": 40, "tenor": 80}
REMAINDERS: tuple[Remainder, ...] = (0, 1, 2, 3)


@st.composite
def national_ids(draw: st.DrawFn) -> NationalId:
    """Well-formed numbers of every kind, built from a real date."""
    born = draw(st.dates())
    d_number = draw(st.booleans())
    synthetic = draw(st.sampled_from(list(MONTH_ADDITIONS)))
    day = born.day + (40 if d_number else 0)
    month = born.month + MONTH_ADDITIONS[synthetic]
    individual = draw(st.integers(0, 999))
    first_nine = f"{day:02}{month:02}{born.year % 100:02}{individual:03}"
    number = national_id.complete(first_nine, remainder=draw(st.sampled_from(REMAINDERS)))
    assume(number is not None)
    assert number is not None
    return NationalId(number, d_number, synthetic)


def reason_for(text: str) -> Reason:
    with pytest.raises(InvalidNationalId) as caught:
        national_id.parse(text)
    return caught.value.reason


@pytest.mark.parametrize(("number", "d_number", "synthetic"), [row[:3] for row in VALID])
def test_known_numbers_are_read(number: str, d_number: bool, synthetic: Synthetic | None) -> None:
    assert national_id.parse(number) == NationalId(number, d_number, synthetic)


@pytest.mark.parametrize(("number", "remainder"), [(row[0], row[3]) for row in VALID])
def test_known_numbers_are_completed(number: str, remainder: Remainder) -> None:
    assert national_id.complete(number[:9], remainder=remainder) == number


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("20036914712", "check_digits"),
        ("29020105729", "date"),  # 29 February, no leap year
        ("", "empty"),
        (" \t\n\u00a0\u2009\u3000", "empty"),
        ("2003691470", "length"),
        ("200369147000", "length"),
        ("200369-14700", "characters"),
        ("2003691470O", "characters"),
        ("200369\u201314700", "characters"),
        ("2003691470⁰", "characters"),
        ("-2003691470", "characters"),
        ("00000000000", "date"),  # both remainders are 0
    ],
)
def test_the_reason_is_told(text: str, reason: Reason) -> None:
    assert reason_for(text) == reason


@pytest.mark.parametrize(
    "text",
    [
        "200369 14700",
        "20 03 69 147 00",
        " 20036914700\r\n",
        "200369\u00a014700",
        "200369\u202f14700",
        "2003691\t4700",
        "2003691470\u200b0",
        "\ufeff\u202a20036914700\u202c",
        "٢٠٠٣٦٩١٤٧٠٠",
        "\N{FULLWIDTH DIGIT TWO}0036914700",
    ],
)
def test_blanks_and_what_nobody_sees_do_not_matter(text: str) -> None:
    assert national_id.normalise(text) == "20036914700"
    assert national_id.parse(text).number == "20036914700"


@pytest.mark.parametrize(
    "day_and_month",
    # the days 0, 32, 40 and 72 and the months 0, 13, 40, 53, 80 and 93 are just outside every range
    [
        "0001",
        "3201",
        "4001",
        "7201",
        "9901",
        "0100",
        "0113",
        "0140",
        "0153",
        "0180",
        "0193",
        "3104",
        "7144",
        "7184",
        "3002",
    ],
)
def test_what_is_no_date_is_refused(day_and_month: str) -> None:
    numbers = [national_id.complete(f"{day_and_month}68{serial:03}") for serial in range(20)]
    completed = [number for number in numbers if number]
    assert completed
    assert {reason_for(number) for number in completed} == {"date"}


@pytest.mark.parametrize("day_and_month", ["2902", "6902", "2942", "6942", "2982", "6982"])
def test_leap_day_by_the_two_digit_year(day_and_month: str) -> None:
    for year in range(100):
        numbers = [national_id.complete(f"{day_and_month}{year:02}{serial:03}") for serial in range(20)]
        number = next(number for number in numbers if number)
        if year % 4 == 0:
            assert national_id.parse(number).number == number
        else:
            assert reason_for(number) == "date"


def test_some_nine_digits_have_no_check_digits() -> None:
    completed = {national_id.complete(f"150376{serial:03}") for serial in range(1000)}
    assert None in completed
    assert len(completed) > 800  # each check digit is impossible about once in eleven


@pytest.mark.parametrize("first_nine", ["", "12345678", "1234567890", "12345678x", "12345678٣", "1234 5678"])
def test_complete_wants_nine_digits(first_nine: str) -> None:
    with pytest.raises(ValueError, match="nine digits"):
        national_id.complete(first_nine)


def test_complete_knows_four_remainders() -> None:
    with pytest.raises(ValueError, match="remainder"):
        national_id.complete("200369147", remainder=4)  # type: ignore[arg-type]


@given(national_ids())
def test_a_completed_number_is_read_back_as_it_was_made(made: NationalId) -> None:
    assert national_id.parse(made.number) == made


@given(national_ids())
def test_exactly_one_remainder_leads_to_a_number(made: NationalId) -> None:
    completed = [national_id.complete(made.number[:9], remainder=remainder) for remainder in REMAINDERS]
    assert completed.count(made.number) == 1


@given(national_ids(), st.integers(0, 10), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(made: NationalId, place: int, change: int) -> None:
    """Holds for both kinds: both require 0 as the second remainder, where no weight is a multiple of 11."""
    digit = (int(made.number[place]) + change) % 10
    assert reason_for(f"{made.number[:place]}{digit}{made.number[place + 1 :]}") in {"date", "check_digits"}


@given(national_ids(), st.integers(0, 9))
def test_two_swapped_neighbours_are_always_found(made: NationalId, place: int) -> None:
    """Holds because neighbouring weights of the second remainder always differ."""
    one, other = made.number[place], made.number[place + 1]
    assume(one != other)
    assert reason_for(f"{made.number[:place]}{other}{one}{made.number[place + 2 :]}") in {
        "date",
        "check_digits",
    }


@given(national_ids(), st.lists(st.sampled_from(" \t\n\u00a0\u2007\u202f\u3000"), min_size=12, max_size=12))
def test_blanks_anywhere_change_nothing(made: NationalId, blanks: list[str]) -> None:
    text = "".join(blank + digit for blank, digit in zip(blanks, made.number + " ", strict=True))
    assert national_id.parse(text) == made


@given(st.text())
def test_normalise_removes_blanks_only(text: str) -> None:
    normalised = national_id.normalise(text)
    assert normalised == "".join(plain_line(text).split())
    assert national_id.normalise(normalised) == normalised


@given(st.text("0123456789", max_size=13))
def test_a_zero_that_was_lost(digits: str) -> None:
    found = national_id.with_lost_zero(digits)
    if found is None:
        assert len(digits) != 10 or isinstance(read_or_refuse(f"0{digits}"), InvalidNationalId)
    else:
        assert (found, len(found)) == (f"0{digits}", 11)


@given(national_ids())
def test_a_spreadsheet_has_taken_the_zero_away(made: NationalId) -> None:
    assert national_id.with_lost_zero(made.number) is None
    if made.number[0] == "0":
        assert national_id.with_lost_zero(str(int(made.number))) == made.number


def read_or_refuse(text: str) -> NationalId | InvalidNationalId:
    try:
        return national_id.parse(text)
    except InvalidNationalId as error:
        return error


@given(st.text() | st.text("0123456789 ", min_size=10, max_size=13) | st.from_regex("[0-9]{11}", fullmatch=True))
def test_junk_is_refused_with_a_reason_and_without_the_text(text: str) -> None:
    answer = read_or_refuse(text)
    if isinstance(answer, NationalId):
        assert answer.number == national_id.normalise(text)
        assert re.fullmatch("[0-9]{11}", answer.number)
    else:
        assert str(answer)
        assert not re.search("[0-9]", f"{answer} {answer!r} {answer.args}")


@given(national_ids())
def test_the_representation_hides_the_number(made: NationalId) -> None:
    assert made.number not in f"{made!r} {made}"


def test_the_error_survives_a_copy() -> None:
    copy = pickle.loads(pickle.dumps(InvalidNationalId("date")))
    assert copy.reason == "date"
    assert str(copy) == str(InvalidNationalId("date"))
