"""Names folded for searching: equal spellings, and characters that stay."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.name_folding import WORD_MARK, folded_words, name_words

letters = st.text(string.ascii_letters + "æøåÆØÅáčđŋšŧžéüöäßłœ'’-– ", max_size=30)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Kari NORDMANN", ["kari", "nordmann"]),
        ("\ufeffKa\u00adri\u00a0Nord\u200bmann\u202c", ["kari", "nordmann"]),
        ("Åse Aas", ["aase", "aas"]),
        ("A\N{COMBINING RING ABOVE}se", ["aase"]),
        ("\N{ANGSTROM SIGN}se", ["aase"]),
        ("Ǻse", ["aase"]),
        ("Ægir Øst Ǿst Ǽgir", ["ægir", "øst", "øst", "ægir"]),
        ("Áile Čáhppe Đivgga Ŋiŋŋá Šimon Ŧuomas Žan", "aile cahppe divgga ninna simon tuomas zan".split()),
        ("Łucja Żak Ħal Ɨvan", ["lucja", "zak", "hal", "ivan"]),
        ("José Müller Ärla Öst Ñandú", ["jose", "muller", "arla", "ost", "nandu"]),
        ("Straße Þór Ðóra Œuvre Irmak Iğdır İpek Əli", "strasse thor dora oeuvre irmak igdir ipek eli".split()),
        ("O'Hara O’Hara O`Hara ʻOhara Oʼhara", ["ohara"] * 5),
        ("Ole-Martin Ole–Martin Ole‐Martin Ole\N{NON-BREAKING HYPHEN}Martin", ["ole", "martin"] * 4),
        ("  Per \t\n\u00a0Moe ", ["per", "moe"]),
        ("100% a_b *c (d) e:f \\g", ["100%", "a_b", "*c", "(d)", "e:f", "\\g"]),
        ("Ｆｕｌｌ ﬁn", ["full", "fin"]),
        ("Иван 李 محمد", ["иван", "李", "محمد"]),
        ("- ' –", []),
        ("", []),
    ],
)
def test_folded_words(text: str, words: list[str]) -> None:
    assert folded_words(text) == words


@given(letters)
def test_case_does_not_count(text: str) -> None:
    assert folded_words(text.upper()) == folded_words(text.lower()) == folded_words(text)


@given(letters)
def test_how_the_letters_are_put_together_does_not_count(text: str) -> None:
    forms = [folded_words(unicodedata.normalize(form, text)) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    assert forms == [folded_words(text)] * 4


@given(st.text(max_size=40))
def test_what_is_folded_stays_as_it_is(text: str) -> None:
    once = folded_words(text)
    again = folded_words(" ".join(once))
    assert folded_words(" ".join(again)) == again
    assert not any(character.isspace() for word in once for character in word)
    assert all(once)


@given(letters)
def test_the_letters_of_latin_names_become_base_letters(text: str) -> None:
    assert set("".join(folded_words(text))) <= set(string.ascii_lowercase + "æø")


@given(letters, letters)
def test_words_are_folded_each_by_itself(one: str, other: str) -> None:
    assert folded_words(f"{one} {other}") == folded_words(one) + folded_words(other)


@given(st.text(max_size=40))
def test_what_is_stored_marks_the_beginning_of_each_word(name: str) -> None:
    stored = name_words(name)
    assert stored == "".join(WORD_MARK + word for word in folded_words(name))
    assert stored.split() == folded_words(name)


@given(st.text("Ŋßæœåﬃ'-a ", min_size=620, max_size=620))
def test_the_longest_name_has_room(name: str) -> None:
    """A name has 620 characters at most; its words must fit into their column."""
    assert len(name_words(name)) <= 1900
