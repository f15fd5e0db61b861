"""Cleaning of text on one line: what it removes, what it replaces, and what it leaves."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core import national_id
from services.core.text import is_blank, plain, plain_line, seen, telephone, username
from services.questions.fields import HoursField, Invalid, NumberField, TextField

# Written independently of the rule itself: characters without width, direction marks, and fillers.
UNSEEN = {
    "soft hyphen": "\u00ad",
    "combining grapheme joiner": "\u034f",
    "Arabic letter mark": "\u061c",
    "Hangul choseong filler": "\u115f",
    "Hangul jungseong filler": "\u1160",
    "Khmer inherent vowel": "\u17b4",
    "Mongolian variation selector": "\u180b",
    "Mongolian vowel separator": "\u180e",
    "zero width space": "\u200b",
    "zero width non-joiner": "\u200c",
    "zero width joiner": "\u200d",
    "left-to-right mark": "\u200e",
    "right-to-left mark": "\u200f",
    "left-to-right embedding": "\u202a",
    "pop directional formatting": "\u202c",
    "left-to-right override": "\u202d",
    "word joiner": "\u2060",
    "invisible separator": "\u2063",
    "invisible plus": "\u2064",
    "first strong isolate": "\u2068",
    "pop directional isolate": "\u2069",
    "nominal digit shapes": "\u206f",
    "braille blank": "\u2800",
    "Hangul filler": "\u3164",
    "text variation selector": "\ufe0e",
    "emoji variation selector": "\ufe0f",
    "byte order mark": "\ufeff",
    "half-width Hangul filler": "\uffa0",
    "interlinear annotation anchor": "\ufff9",
    "language tag": "\U000e0001",
    "tag digit": "\U000e0031",
    "variation selector 17": "\U000e0100",
}
BLANKS = "\t\n\v\f\r\u0085\u00a0\u1680\u2000\u2003\u2007\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u02d7\u2043\ufe58\ufe63\uff0d"
unseen = st.text(st.sampled_from("".join(UNSEEN.values())), max_size=3)
typed_lines = st.text() | st.text(
    st.sampled_from("0123456789,.-/ ()+@'\u0301" + "".join(UNSEEN.values()) + BLANKS + DASHES + "٠٣٩７９½²⁻−’“，．Ａｚ")
)


def is_drawn(character: str) -> bool:
    """True for visible characters, as far as Unicode's categories and the list above tell."""
    return unicodedata.category(character)[0] in "LNPSM" and character not in "".join(UNSEEN.values())


@pytest.mark.parametrize("character", UNSEEN.values(), ids=list(UNSEEN))
def test_what_nobody_sees_is_removed(character: str) -> None:
    assert plain_line(f"{character}12{character}3{character}") == "123"
    assert is_blank(f" {character}{character}\n")
    assert seen(f"a{character}b") == "ab"


@pytest.mark.parametrize("character", BLANKS, ids=[f"U+{ord(one):04X}" for one in BLANKS])
def test_every_blank_is_a_plain_one(character: str) -> None:
    assert plain_line(f"{character}Kari{character}{character}Nordmann{character}") == "Kari Nordmann"
    assert is_blank(character)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        *((f"1{dash}2", "1-2") for dash in DASHES),
        ("１２３．４，５／６", "123.4,5/6"),
        ("ｋａｒｉ＠ＯＳＬＯ．ｎｏ", "kari@OSLO.no"),
        ("٠١٢٣٤٥٦٧٨٩", "0123456789"),
        ("۰۱۲۳۴۵۶۷۸۹", "0123456789"),
        ("०१२३", "0123"),
        ("\U0001d7d8\U0001d7d9", "01"),
        ("“a” ‘b’ „c‟ «d» ‹e›", '"a" \'b\' "c" "d" \'e\''),
        ("1⁄2∕3", "1/2/3"),
        ("22٫5", "22,5"),
        ("A\u030asa", "Åsa"),
        ("½ ² ⁻5 ①", "½ ² ⁻5 ①"),  # not digits of a number: they stay, and the number is refused
        ("Кари", "Кари"),  # looks like Latin in part, and is not
        ("5️⃣", "5\u20e3"),  # the key around the digit is visible
    ],
)
def test_what_looks_like_the_keyboard_becomes_it(text: str, clean: str) -> None:
    assert plain_line(text) == clean


@given(typed_lines)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    for clean in (plain_line, plain, seen, username):
        assert clean(clean(text)) == clean(text)
    if (number := telephone(text)) is not None:
        assert telephone(number) == number


@given(typed_lines)
def test_what_can_be_seen_stays(text: str) -> None:
    """As many characters as before, in their order: letters and digits stay such, and no dash is removed."""
    drawn = [one for one in unicodedata.normalize("NFC", text) if is_drawn(one)]
    assert len([one for one in unicodedata.normalize("NFC", plain_line(text)) if is_drawn(one)]) <= len(drawn)
    bases = [one for one in drawn if unicodedata.category(one)[0] != "M"]
    kept = [one for one in unicodedata.normalize("NFD", plain_line(text)) if unicodedata.category(one)[0] in "LNPS"]
    before = [one for one in unicodedata.normalize("NFD", "".join(bases)) if unicodedata.category(one)[0] in "LNPS"]
    assert len(kept) == len(before)
    digits = [unicodedata.decimal(one) for one in before if unicodedata.category(one) == "Nd"]
    assert [int(one) for one in kept if unicodedata.category(one) == "Nd"] == digits


@given(st.text("0123456789", min_size=1, max_size=12), st.data())
def test_unseen_characters_make_no_difference(number: str, data: st.DataObject) -> None:
    mixed = "".join(digit + data.draw(unseen) for digit in number)
    assert plain_line(mixed) == number


@given(st.sampled_from("-.'\"/xO½²⁻" + DASHES), st.integers(0, 11))
def test_no_number_becomes_another_by_losing_what_can_be_seen(visible: str, place: int) -> None:
    """A fødselsnummer with another character in it is invalid; so is a number of days."""
    number = "20036914700"
    with pytest.raises(national_id.InvalidNationalId):
        national_id.parse(number[:place] + visible + number[place:])
    with pytest.raises(Invalid):
        NumberField(key="n", label="N").parse([number[:2] + visible + number[2:4]])


@given(
    st.lists(
        st.text(st.sampled_from("0٣７ -½²" + BLANKS) | st.sampled_from(list(UNSEEN.values())), max_size=1), min_size=11
    )
)
def test_a_number_that_is_read_has_the_digits_that_are_seen(between: list[str]) -> None:
    text = "".join(digit + more for digit, more in zip("20036914700", between, strict=False))
    try:
        read = national_id.parse(text).number
    except national_id.InvalidNationalId:
        assert any(map(is_drawn, "".join(between)))
    else:
        assert [str(unicodedata.decimal(one)) for one in text if is_drawn(one)] == list(read)


@pytest.mark.parametrize("dash", [*DASHES, "-", "⁻", "\u200b-\u200b", "\u2212\ufe0e", "\u00a0\u2212\u00a0"])
def test_a_negative_number_never_becomes_positive(dash: str) -> None:
    for question in (NumberField(key="n", label="N"), HoursField(key="h", label="H")):
        for typed in (f"{dash}5", f"{dash} 5", f"5{dash}", f"\ufeff{dash}5"):
            with pytest.raises(Invalid):
                question.parse([typed])


def test_numbers_are_typed_with_blanks_of_all_kinds() -> None:
    assert NumberField(key="n", label="N", most=99999).parse(["12\u202f345"]) == 12345
    assert NumberField(key="n", label="N").parse(["\u200e１２\u200b"]) == 12
    assert str(HoursField(key="h", label="H").parse(["\u206622٫5\u2069"])) == "22.5"


@given(st.text(st.sampled_from("".join(UNSEEN.values()) + BLANKS + " "), max_size=9))
def test_a_text_of_nothing_is_no_answer(text: str) -> None:
    for question in (
        TextField(key="t", label="T"),
        TextField(key="t", label="T", lines=True),
        NumberField(key="t", label="T"),
    ):
        raw = question.read({"t": [text]})
        assert not any(one.strip() for one in raw)
        assert question.parse(raw) is None
        assert question.parse([text]) is None


def test_free_text_is_kept_as_it_was_typed() -> None:
    written = "«O’Hara» – ½ dag\u00a0fri, می\u200cخواهم 5️⃣"
    question = TextField(key="t", label="T")
    assert question.parse(question.read({"t": [written]})) == written


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("55 55 55 55", "55 55 55 55"),
        ("55555555", "55555555"),
        ("555 55 555", "555 55 555"),
        ("02800", "02800"),
        ("(+47) 55 55 55 55", "+47 55 55 55 55"),
        ("+47 55 55 55 55", "+47 55 55 55 55"),
        ("+4755555555", "+4755555555"),
        ("004755555555", "+4755555555"),
        ("0047 55 55 55 55", "+47 55 55 55 55"),
        ("(0047) 55 55 55 55", "+47 55 55 55 55"),
        ("\u202a+47\u00a055\u00a055\u00a055\u00a055\u202c", "+47 55 55 55 55"),
        ("＋47 ５５５５５５５５", "+47 55555555"),
        ("55\u201155\u201155\u201155", "55 55 55 55"),
        ("55.55.55.55", "55 55 55 55"),
        ("+44 (0)20 7946 0958", "+44 20 7946 0958"),
        ("+1 (555) 123-4567", "+1 555 123 4567"),
        ("", None),
        ("5555", None),
        ("+", None),
        ("-55555555", None),
        ("ring meg", None),
        ("55 55 55 5x", None),
        ("++4755555555", None),
        ("1234567890123456", None),
        ("55555/55556", None),  # two numbers
    ],
)
def test_telephone_numbers(typed: str, kept: str | None) -> None:
    assert telephone(typed) == kept


@given(st.from_regex(r"(\(?(\+|00))?[1-9]{2}\)?([ .-]?[0-9]){3,13}", fullmatch=True))
def test_a_telephone_number_keeps_its_digits_and_finds_room(typed: str) -> None:
    kept = telephone(typed)
    assert kept is not None
    assert len(kept) <= 30
    digits = "".join(filter(str.isdigit, typed)).removeprefix("00")
    assert "".join(filter(str.isdigit, kept)) == digits


@pytest.mark.parametrize(
    "typed",
    ["kari.ås", "Kari.A\u030as", "\ufeffkari.ås\u200b", "ｋａｒｉ．ås", "\u00a0KARI.ÅS\u2003", "kari.a\u00ad\u030as"],
)
def test_user_names_in_every_form(typed: str) -> None:
    assert username(typed) == "kari.ås"
