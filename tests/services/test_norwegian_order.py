"""The stored sort key: Norwegian order by byte comparison, and properties of every text."""

from __future__ import annotations

import random
import re
import sqlite3
import string
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.core.collation import sort_key

# Each list is in Norwegian alphabetical order.
NAMES = """
1. juni; 2. mai
Abrahamsen; Adam; Ádám; Adamsen; Azad
Berg; Berg Anna; Berg-Hansen; Berge; Bergstrøm; Bergström; Bergstrøm Å; Bergstrøyen
Bærum; Bø; Bømlo; Båtsfjord
Cohen; Čohkka; Cu
D'Angelo; Dahl; Đahle; Dal; Đorđević; Dordi
Eide; Eidé; Eiken
Fyllingen; Føyen; Fåberg
Hansen; Hanšen; Hanson; Herøy (Møre og Romsdal); Herøy (Nordland)
Lie; Łukasz; Lund
Munch; Mydland; Müller; Myllerud; Møller; Möller
Nordmann; Ŋuorra; Ny
O'Brien; O’Brien; O'Connor; Oftedal; Olsen
Porsanger; Porsáŋgu; Porsgrunn
Sara; Šara; Sare; Sør-Aurdal; Sør-Fron; Sørfold
Thomassen; Þorsteinn; Ŧoras; Tveit
Unjárga
Vang; Wang
Zahl; Žahl; Zuhair
Ægir; Ärlig; Ærø
Øberg; Öberg; Ødegård; Ødegaard; Østberg; Østby; Öström; Øyen
Åberg; Aaberg; Ådland; Aas; Åse; Aasen; Åsmund
Παπαδόπουλος; Ёлкин; Иванов; אברהם; محمد; 李
"""
ORDERS = {
    "names": re.split(r"; |\n", NAMES.strip()),
    "letters": [*string.ascii_lowercase, "æ", "ø", "å"],
    "accents": ["e", "é", "è", "ê", "ë", "éa", "eb", "ëb", "f"],
    "the earlier accent weighs more": ["ee", "eé", "ée", "éé", "eea"],
    "case": ["berg", "berG", "Berg", "BERG", "berga"],
    "accents before case": ["Eide", "eidé", "Eidé"],
    "AA": ["z", "å", "Å", "aa", "aA", "Aa", "AA", "åb"],
    "three A": ["a", "å", "aa", "åa", "aaa", "åb"],
    "Æ": ["z", "æ", "Æ", "ä", "Ä", "ø"],
    "Ø": ["æ", "ø", "Ø", "ö", "Ö", "ő", "œ", "å"],
    "Y": ["x", "y", "Y", "ý", "ü", "Ü", "ű", "ya", "ÿb", "z"],
    "Sámi": [*"aábcčdđeghijklmnŋoprsštŧuvzžæøå"],
    "blanks and signs": ["Anne", "Anne Ås", "Anne_Li", "Anne-Li", "Anne, Li", "Anne.Li", "Anne'Li", "Anneli"],
    "digits": ["&", "0", "1", "10", "2", "9", "a"],
    "after Å": ["å", "åå", "я", "ا", "한", "𐐨"],
}

# All characters with a rule of their own, and similar ones.
TRICKY = "aAåÅäÄeEęoOöøØőœuüűyÿdđÐðnŋtThHÞþħsSßẞſlłıiəʒbzæǣ \u00a0\t-‐–'’´ʼ\"”.0٣²!+/~\0\u00ad\u200dﬁＡªKςϴяЯ€①"
MARKS = "\u0301\u0300\u0308\u030a\u030b\u0323\u0327\u0328\u0338\u0345\u0651\u1dc4"
tricky_texts = st.text(TRICKY + MARKS, max_size=6)
texts = tricky_texts | st.text()
letters_only = st.text(string.ascii_lowercase + "æøå", max_size=8)


def first_level(text: str) -> str:
    return re.split("[-+!]", sort_key(text))[0]


def canonical(text: str) -> str:
    return unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS.keys())
def test_the_order_is_norwegian(order: list[str]) -> None:
    shuffled = order.copy()
    random.Random(7).shuffle(shuffled)
    assert sorted(shuffled, key=sort_key) == order
    assert len({sort_key(text) for text in order}) == len(order)


def test_sqlite_sorts_by_the_stored_key() -> None:
    names = ORDERS["names"]
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE person (name TEXT, name_order TEXT COLLATE BINARY)")
        rows = [(name, sort_key(name)) for name in reversed(names)]
        database.executemany("INSERT INTO person VALUES (?, ?)", rows)
        found = [name for (name,) in database.execute("SELECT name FROM person ORDER BY name_order")]
    database.close()
    assert found == names


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", ""),
        ("berg", "berg"),
        ("Berg", "berg+_"),
        ("Åse", "}se+_"),
        ("Kari Nordmann", "kari5nordmann+`"),
        ("Čohkka", "cohkka-}4+_"),
        ("Aasen", "}sen-}a+_"),
        ("O’Brien", "o>brien+g!000106c9"),
    ],
)
def test_keys_stay_as_they_are_stored(text: str, key: str) -> None:
    """A change of these needs a migration that renews the stored keys."""
    assert sort_key(text) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ødegård", "ÖDEGAARD"),
        ("Måsø", "maasö"),
        ("Ærlig", "ärlig"),
        ("Müller", "Myller"),
        ("Unjárga", "unjarga"),
        ("Porsáŋgu", "porsangu"),
        ("Ŧ Đ Č Š Ž", "t d c s z"),
        ("Łukasz", "lukasz"),
        ("Þór", "thor"),
        ("Groß", "GROSS"),
        ("Nguyễn", "nguyen"),
        ("Əliyev", "eliyev"),
        ("Ɓello", "bello"),
        ("Anne\u00a0Marie", "anne marie"),
        ("Anne‐Marie", "Anne-Marie"),
        ("D’Angelo", "d'angelo"),
        ("ﬁn", "FIN"),
        ("so\u00adft\u200b", "soft"),
        ("٣", "3"),
        ("ЁЛКИН", "елкин"),
    ],
)
def test_the_same_letters_but_not_the_same_text(one: str, other: str) -> None:
    assert first_level(one) == first_level(other)
    assert sort_key(one) != sort_key(other)


def test_an_accent_far_away_still_counts() -> None:
    far = ["e" * place + "é" + "e" * (300 - place) for place in range(300, -1, -1)]
    assert sorted(far, key=sort_key) == far
    assert sort_key("e" * 301) < sort_key(far[0])


def test_most_names_cost_little() -> None:
    for name in ("Nordmann", "Ødegård", "Kari Anne", "Østby-Hansen", "Trondheim"):
        assert len(sort_key(name)) <= len(name) + 3


def test_each_character_has_its_own_key() -> None:
    everything = [chr(point) for span in (range(0x3000), range(0xFB00, 0x10000)) for point in span]
    assert len({sort_key(character) for character in everything}) == len(set(map(canonical, everything)))


@given(texts)
def test_keys_are_printable_ascii(text: str) -> None:
    assert re.fullmatch("[!-~]*", sort_key(text))


@given(texts)
def test_composed_and_decomposed_texts_have_one_key(text: str) -> None:
    keys = {sort_key(unicodedata.normalize("NFC", text)), sort_key(unicodedata.normalize("NFD", text))}
    assert keys == {sort_key(text)}


@given(tricky_texts, tricky_texts)
def test_different_texts_have_different_keys(one: str, other: str) -> None:
    assert (sort_key(one) == sort_key(other)) == (canonical(one) == canonical(other))


@given(tricky_texts, st.data())
def test_a_changed_text_has_another_key(text: str, data: st.DataObject) -> None:
    """Similar pairs, which two independent texts seldom are."""
    place = data.draw(st.integers(0, len(text)))
    gone = data.draw(st.integers(0, 2))
    changed = text[:place] + data.draw(st.text(TRICKY + MARKS, max_size=2)) + text[place + gone :]
    assert (sort_key(text) == sort_key(changed)) == (canonical(text) == canonical(changed))


@given(texts, texts)
def test_a_text_stands_before_its_continuations(text: str, more: str) -> None:
    assume(more and not unicodedata.combining(unicodedata.normalize("NFD", more)[0]))
    assert sort_key(text) < sort_key(text + more)


@given(st.text(string.ascii_letters + "æøåÆØÅäöüÄÖÜáčđŋšŧžÁČĐŊŠŦŽéÉ -'.0123456789яЯ"))
def test_case_is_nothing_to_the_first_level(text: str) -> None:
    assert first_level(text.upper()) == first_level(text) == first_level(text.lower())


@given(letters_only, letters_only)
def test_plain_words_compare_letter_by_letter(one: str, other: str) -> None:
    places = [
        ["abcdefghijklmnopqrstuvwxyzæøå".index(letter) for letter in word.replace("aa", "å")] for word in (one, other)
    ]
    assume(places[0] != places[1])
    assert (sort_key(one) < sort_key(other)) == (places[0] < places[1])


@given(letters_only, letters_only, st.integers(1, 8))
def test_first_letters_then_accents_then_case(one: str, other: str, place: int) -> None:
    assume(first_level(one) < first_level(other))
    accented = one[:place] + "\u0301" + one[place:]
    assert sort_key(one) <= sort_key(one.upper()) < sort_key(other)
    assume(first_level(accented) == first_level(one))
    assert sort_key(one.upper()) < sort_key(accented) < sort_key(other)
