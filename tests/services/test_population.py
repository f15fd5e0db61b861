"""The synthetic population, and the stand-in's documents of it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from datetime import date
from hashlib import sha256

import pytest

from services.core import national_id
from services.core.code_lists import country_names, rows
from services.registers.folkeregisteret.client import PARTS
from services.registers.folkeregisteret.wire import read_person
from services.standins.population import (
    OTHER_KINDS,
    PUBLISHED_KINDS,
    SIZE,
    SyntheticPerson,
    by_number,
    people,
    persons,
)
from services.standins.population_maker import PeopleMaker
from services.standins.records import person_document

SAMPLE = people()[:3000]


def digest(sample: tuple[SyntheticPerson, ...]) -> str:
    plain = [asdict(person) | {"kinds": sorted(person.kinds)} for person in sample]
    return sha256(json.dumps(plain, default=str).encode()).hexdigest()


def test_twenty_thousand_people_with_numbers_of_their_own() -> None:
    numbers = [number for person in people() for number in {person.number, person.current_number}]
    assert len(people()) == SIZE == 20_000
    assert len(set(numbers)) == len(numbers)


def test_the_same_seed_gives_the_same_people_on_every_machine() -> None:
    maker = PeopleMaker(2026)
    again = tuple(maker.make(index) for index in range(500))
    assert again == tuple(people()[:500])
    assert tuple(people(count=500)) == again
    # A change of this changes every demo database, and every note about a test person.
    assert digest(again) == "453301f939c0509ea729c412023d5cf68a94892b1147a56704f10611d8ed0f6f"


def test_another_seed_gives_other_people() -> None:
    assert {person.number for person in people(7, 500)}.isdisjoint(person.number for person in people(8, 500))


def test_every_number_is_well_formed_and_synthetic() -> None:
    for person in SAMPLE:
        for number in (person.number, person.current_number):
            assert national_id.parse(number).synthetic == "tenor"
    d_numbers = [person for person in SAMPLE if "d_number" in person.kinds]
    assert len(d_numbers) == len(SAMPLE) * 3 // 100
    assert all(national_id.parse(person.number).is_d_number for person in d_numbers)


def test_both_rules_for_check_digits_occur() -> None:
    weights = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)
    remainders = Counter(
        sum(weight * int(digit) for weight, digit in zip(weights, person.number, strict=False)) % 11
        for person in SAMPLE
    )
    assert set(remainders) == {0, 1, 2, 3}
    assert remainders[0] > len(SAMPLE) / 2


def test_the_number_tells_the_date_of_birth() -> None:
    for person in SAMPLE:
        if person.birth_date is not None:
            day, month = int(person.current_number[:2]) % 40, int(person.current_number[2:4]) - 80
            assert (day, month) == (person.birth_date.day, person.birth_date.month)
            assert int(person.current_number[4:6]) == person.birth_date.year % 100


def test_every_kind_is_there_within_the_first_hundreds() -> None:
    kinds = {kind for person in SAMPLE[:600] for kind in person.kinds}
    assert kinds == {*PUBLISHED_KINDS, *OTHER_KINDS}


def test_the_mix_is_that_of_the_programme() -> None:
    count = Counter(kind for person in people() for kind in person.kinds)
    assert count["ordinary"] > 0.6 * SIZE
    assert count["foreign_born"] > 0.85 * SIZE
    assert 0.02 * SIZE < count["man"] < 0.2 * SIZE
    assert count["several_arrivals"] > 500
    assert count["no_arrival"] > 500
    assert len({person.birth_country for person in people()}) > 25


def test_an_ordinary_person_is_fit_for_registration() -> None:
    for person in SAMPLE:
        if "ordinary" in person.kinds:
            record = person.record()
            assert record.birth_date is not None
            assert date(1976, 1, 1) <= record.birth_date <= date(2004, 12, 31)
            assert (record.sex, record.status, record.protection, record.is_dead) == (
                "kvinne",
                "bosatt",
                None,
                False,
            )
            assert record.birth_country not in {None, "NOR"}
            assert record.municipality_number is not None
            assert 5 <= len(record.full_name) <= 60
            assert person.number == person.current_number == record.national_id
            assert person.kinds.isdisjoint(set(PUBLISHED_KINDS) - {"ordinary", "foreign_born"})


def test_the_kinds_are_what_they_say() -> None:
    for person in people():
        kinds, record = person.kinds, person.record()
        assert ("replaced" in kinds) == (person.number != person.current_number)
        assert ("dead" in kinds) == record.is_dead
        assert ("protected" in kinds) == (record.protection is not None)
        assert ("no_name" in kinds) == (not record.full_name)
        assert ("long_name" in kinds) == (len(record.full_name) >= 120)
        assert len(record.full_name) <= 200
        if "d_number" in kinds:
            assert record.municipality_number is None
    assert max(len(person.full_name) for person in people()) == 200
    assert {person.protection for person in people()} == {None, "fortrolig", "strengtFortrolig"}


def test_lives_are_in_order() -> None:
    for person in people():
        days = [arrival.day for arrival in person.arrivals]
        assert days == sorted(days)
        if person.birth_date and days:
            assert person.birth_date <= days[0]
        if person.death_date and days:
            assert days[-1] <= person.death_date


def test_municipalities_and_countries_are_real() -> None:
    municipalities = {row["kommunenummer"] for row in rows("municipalities.csv")}
    assert {person.municipality_number for person in people()} - {None} <= municipalities
    countries = {person.birth_country for person in people()} - {None}
    countries |= {arrival.country for person in people() for arrival in person.arrivals}
    assert countries <= country_names().keys()


def test_names_hold_the_letters_that_are_hard_to_sort_and_to_write() -> None:
    letters = {letter for person in people() for letter in person.full_name}
    assert set("ÅåÆæØøÁáČčĐđŊŋŠšŦŽžéüğşÖ-'") <= letters
    assert any("Aa" in person.full_name for person in people())


def test_each_document_is_read_as_the_record() -> None:
    for person in SAMPLE:
        document = json.loads(json.dumps(person_document(person, PARTS)))
        assert read_person(document, asked=person.number) == person.record()


def test_people_can_be_found_by_any_of_their_numbers() -> None:
    person = next(persons(1, "replaced"))
    assert by_number()[person.number] is by_number()[person.current_number] is person


@pytest.mark.parametrize("kind", PUBLISHED_KINDS)
def test_persons_of_a_kind_leave_out_those_taken(kind: str) -> None:
    first = list(persons(6, kind))
    assert len(first) == 6
    assert all(kind in person.kinds for person in first)
    assert list(persons(6, kind)) == first
    taken = {first[0].number, first[2].current_number}
    assert list(persons(4, kind, taken)) == [first[1], *first[3:]]


def test_the_foreign_born_to_try_with_are_fit_for_registration_and_have_arrived() -> None:
    for person in persons(50, "foreign_born"):
        assert "ordinary" in person.kinds
        assert person.arrivals


def test_none_and_unknown_kinds() -> None:
    assert list(persons(0)) == []
    assert list(persons(3, "no such kind")) == []
