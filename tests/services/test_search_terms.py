"""The search field: separated into values, each classified by its form."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.listing.search_terms import LONGEST_TERM, Term, TermKind, divided, missed, term
from services.questions.fields import legible

digits = st.text("0123456789", min_size=1, max_size=13)


def row(**values: object) -> SimpleNamespace:
    """A row of the list."""
    facts = {"person_id": "90000001", "national_id": "01019012345", "name": "Kari Nordmann", "discharged": False}
    return SimpleNamespace(**facts | values)


# ---- Separating ----


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("", []),
        (" ,;\t\r\n, ", []),
        ("kari", ["kari"]),
        ("kari, ola", ["kari", "ola"]),
        ("a;b\tc\r\nd\ne\rf", ["a", "b", "c", "d", "e", "f"]),
        ("  Kari   Nordmann ,", ["Kari Nordmann"]),
        ("ola,kari,ola, ola ", ["ola", "kari"]),
        ("Ola,ola", ["Ola", "ola"]),
        ("010190 12345\r\n020290 12345\r\n", ["010190 12345", "020290 12345"]),
        ("a\x00b", ["a\ufffdb"]),
        ("a，b、c；d\u2028e\u000bf", ["a", "b", "c", "d", "e", "f"]),
        ("\ufeffKari\u00a0Nord\u00admann\u200b", ["Kari Nordmann"]),
        ("\u200b,\u2060", []),
        ("x" * 300, ["x" * LONGEST_TERM]),
    ],
)
def test_values_are_divided(typed: str, values: list[str]) -> None:
    assert divided(typed) == values


@given(st.lists(st.text(max_size=12), max_size=8), st.sampled_from([",", ";", "\t", "\r\n", " , "]))
def test_what_divides_makes_no_difference(values: list[str], divider: str) -> None:
    assert divided(divider.join(values)) == divided(",".join(values))


@given(st.text(max_size=200))
def test_divided_values_are_whole_and_each_there_once(typed: str) -> None:
    values = divided(typed)
    assert len(set(values)) == len(values)
    assert all(value == " ".join(value.split()) != "" for value in values)
    assert all(legible(value) == value for value in values)
    assert divided(", ".join(values)) == values, "shown in the field and sent again they are the same"


# ---- Classifying ----


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("01019012345", TermKind.NUMBER, ("01019012345",)),
        ("010190 12345", TermKind.NUMBER, ("01019012345",)),
        ("010190\u00a012345", TermKind.NUMBER, ("01019012345",)),
        ("010190-12345", TermKind.NUMBER, ("01019012345",)),
        ("01.01.90 12345", TermKind.NUMBER, ("01019012345",)),
        ("010190123456", TermKind.NUMBER, ("010190123456",)),
        ("0101901234", TermKind.NUMBER_START, ("0101901234",)),
        ("0", TermKind.NUMBER_START, ("0",)),
        ("90000001", TermKind.PERSON_ID, ("90000001",)),
        ("9000 0001", TermKind.PERSON_ID, ("90000001",)),
        ("9000000", TermKind.NUMBER_START, ("9000000",)),
        ("900000010", TermKind.NUMBER_START, ("900000010",)),
        ("80000001", TermKind.NUMBER_START, ("80000001",)),
        ("Kari", TermKind.NAME, ("kari",)),
        ("Kari 2", TermKind.NAME, ("kari", "2")),
        ("٠١٠١٩٠١٢٣٤٥", TermKind.NUMBER, ("01019012345",)),
        ("\ufeff０１０１９０\u201112345\u200b", TermKind.NUMBER, ("01019012345",)),
        ("²", TermKind.NAME, None),
        ("-", TermKind.NAME, ()),
        ("%", TermKind.NAME, ("%",)),
    ],
)
def test_terms_by_their_form(text: str, kind: TermKind, words: tuple[str, ...] | None) -> None:
    found = term(text)
    assert (found.text, found.kind) == (text, kind)
    assert words is None or found.words == words


@given(digits, st.lists(st.integers(0, 12), max_size=3))
def test_blanks_within_a_number_do_not_count(number: str, places: list[int]) -> None:
    spaced = number
    for place in places:
        spaced = spaced[:place] + " " + spaced[place:]
    assert (term(spaced.strip()).kind, term(spaced.strip()).words) == (term(number).kind, term(number).words)


# ---- Matching ----


@given(st.integers(1, 11))
def test_a_number_finds_by_all_its_first_digits(length: int) -> None:
    assert term("01019012345"[:length]).finds(row())
    assert not term("01019012345"[:length]).finds(row(discharged=True))
    assert not term("01019012345"[:length]).finds(row(national_id=f"7{'01019012345'[1:]}"))


def test_a_person_id_finds_the_discharged_as_well() -> None:
    assert term("90000001").finds(row())
    assert term("90000001").finds(row(discharged=True, name=""))
    assert not term("90000002").finds(row())


NAME = st.text("abåaaeæøOlé-'’ ", max_size=30)


@given(NAME, st.data())
def test_any_three_letters_and_any_beginning_find_a_name(name: str, data: st.DataObject) -> None:
    words = term(f"x {name}").words[1:]
    for word in words:
        assert Term("", TermKind.NAME, (word[:1],)).finds(row(name=name))
        assert Term("", TermKind.NAME, (word[:2],)).finds(row(name=name))
        if len(word) >= 3:
            first = data.draw(st.integers(0, len(word) - 3))
            last = data.draw(st.integers(first + 3, len(word)))
            assert Term("", TermKind.NAME, (word[first:last],)).finds(row(name=name))
    assert not words or Term("", TermKind.NAME, tuple(reversed(words))).finds(row(name=name))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ord", True),
        ("or", False),
        ("no", True),
        ("n", True),
        ("kari no", True),
        ("no kari", True),
        ("kari berg", False),
        ("karinordmann", False),
        ("ari ann", True),
        ("'", False),
        ("k'ari", True),
    ],
)
def test_words_that_find_kari_nordmann(typed: str, found: bool) -> None:
    assert term(typed).finds(row()) is found
    assert not term(typed).finds(row(discharged=True))


def test_missed_are_those_that_find_none_of_the_rows() -> None:
    terms = [term(text) for text in ("kari", "ola", "0101", "0202", "90000001", "90000002", "-")]
    assert [one.text for one in missed(terms, [row(), row(name="Ola")])] == ["0202", "90000002", "-"]
    assert missed(terms, []) == terms
    assert missed([], [row()]) == []
