"""Parsing Folkeregisteret's person documents: which element counts, and what is refused."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registers.folkeregisteret.names import NamePart, natural_case
from services.registers.folkeregisteret.wire import ShapeError, read_person
from services.standins.population import people

ASKED, OTHER = "03851598730", "30908299902"
Element = dict[str, object]


def element(since: str = "2020-05-01", *, current: bool = True, **fields: object) -> Element:
    return {"erGjeldende": current, "gyldighetstidspunkt": f"{since}T00:00:00+02:00", **fields}


def past(since: str, **fields: object) -> Element:
    return element(since, current=False, **fields)


def read(**parts: object):
    return read_person({"status": [], **parts}, asked=ASKED)


def test_a_document_with_nothing_but_empty_lists() -> None:
    record = read(navn=[], foedsel=None)
    assert record.national_id == ASKED
    assert record.full_name == ""
    assert (record.birth_date, record.arrival_year, record.protection, record.is_dead) == (
        None,
        None,
        None,
        False,
    )


def test_unknown_parts_and_fields_are_ignored() -> None:
    record = read(nyDel={"a": 1}, navn=[element(fornavn="Áile", etternavn="Gaup", nytt=[1])])
    assert record.full_name == "Áile Gaup"


def test_the_element_in_force_counts_wherever_it_stands() -> None:
    names = [
        past("2022-01-01", fornavn="A", etternavn="GAMMEL"),
        element("2019-01-01", fornavn="A", etternavn="NY"),
    ]
    assert read(navn=names).last_name == "Ny"
    assert read(navn=names[::-1]).last_name == "Ny"


def test_the_newest_of_several_in_force_counts() -> None:
    statuses = [element("2019-01-01", sivilstand="gift"), element("2021-01-01", sivilstand="skilt")]
    assert read(sivilstand=statuses).marital_status == "skilt"
    assert read(sivilstand=statuses[::-1]).marital_status == "skilt"


def test_an_element_that_does_not_say_is_in_force() -> None:
    assert read(navn=[{"fornavn": "Amal", "etternavn": "Haddad"}]).full_name == "Amal Haddad"


def test_a_name_or_a_grade_of_the_past_is_not_used_but_a_birth_is() -> None:
    record = read(
        navn=[past("2019-01-01", fornavn="A", etternavn="B")],
        adressebeskyttelse=[past("2019-01-01", graderingsnivaa="fortrolig")],
        sivilstand=[past("2019-01-01", sivilstand="gift")],
        foedsel=[past("2019-01-01", foedselsdato="1985-03-02", foedeland="SYR")],
        kjoenn=[past("2019-01-01", kjoenn="kvinne")],
    )
    assert (record.full_name, record.protection, record.marital_status) == ("", None, None)
    assert (record.birth_date, record.birth_year, record.birth_country) == (date(1985, 3, 2), 1985, "SYR")
    assert record.sex == "kvinne"


def test_a_year_of_birth_without_a_date() -> None:
    assert read(foedsel=[element(foedselsaar="1985")]).birth_year == 1985
    assert read(foedsel=[element(foedselsaar=1985)]).birth_year == 1985


@pytest.mark.parametrize(
    ("grades", "expected"),
    [
        (["ugradert"], None),
        (["fortrolig"], "fortrolig"),
        (["strengtFortrolig"], "strengtFortrolig"),
        (["ugradert", "fortrolig", "strengtFortrolig"], "strengtFortrolig"),
        (["fortrolig", "ugradert"], "fortrolig"),
    ],
)
def test_the_strictest_grade_in_force_counts(grades: list[str], expected: str | None) -> None:
    record = read(adressebeskyttelse=[element(graderingsnivaa=grade) for grade in grades])
    assert record.protection == expected


def test_the_earliest_innflytting_gives_the_year_of_arrival() -> None:
    moves = [element("2018-04-01"), past("2009-06-01"), past("2013-01-01")]
    assert read(innflytting=moves).arrival_year == 2009


@pytest.mark.parametrize(
    ("moment", "year"),
    [
        ("2011-12-31T23:00:00Z", 2012),
        ("2011-12-31T22:59:59Z", 2011),
        ("2012-01-01T00:00:00+01:00", 2012),
        ("2012-01-01T00:00:00", 2012),
        ("2012-01-01", 2012),
        ("2011-12-31T23:30:00.123456789+01:00", 2011),
    ],
)
def test_the_year_of_arrival_is_that_of_norwegian_time(moment: str, year: int) -> None:
    assert read(innflytting=[{"erGjeldende": True, "gyldighetstidspunkt": moment}]).arrival_year == year


def test_an_innflytting_without_a_moment_tells_nothing() -> None:
    assert read(innflytting=[{"erGjeldende": True, "fraflyttingsland": "SYR"}]).arrival_year is None


def test_the_number_in_use_is_in_force() -> None:
    old = past("2020-01-01", foedselsEllerDNummer=ASKED, status="opphoert")
    new = element("2021-01-01", foedselsEllerDNummer=OTHER, status="iBruk")
    assert read(identifikasjonsnummer=[old, new]).national_id == OTHER
    assert read(identifikasjonsnummer=[new]).national_id == OTHER


def test_a_person_whose_only_number_has_ceased_keeps_it() -> None:
    ceased = element(foedselsEllerDNummer=ASKED, status="opphoert")
    assert read(identifikasjonsnummer=[ceased], status=[element(status="opphoert")]).national_id == ASKED


@pytest.mark.parametrize(
    "home",
    [
        {"vegadresse": {"kommunenummer": "4601"}},
        {"matrikkeladresse": {"matrikkelnummer": {"kommunenummer": "4601"}}},
        {"ukjentBosted": {"bostedskommune": "4601"}},
    ],
)
def test_the_municipality_of_each_kind_of_home(home: Element) -> None:
    assert read(bostedsadresse=[element(**home)]).municipality_number == "4601"


def test_a_death_with_a_date_without_one_and_one_that_was_taken_back() -> None:
    dead = read(doedsfall=element(doedsdato="2024-02-29"))
    assert (dead.is_dead, dead.death_date) == (True, date(2024, 2, 29))
    assert read(doedsfall=element()).is_dead
    assert read(status=[element(status="doed")]).is_dead
    assert not read(doedsfall=past("2020-01-01", doedsdato="2020-01-01")).is_dead


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kode": "FREG-001", "melding": "feil"},
        {"navn": {}},
        {"navn": "KARI"},
        {"navn": ["KARI"]},
        {"navn": [None]},
        {"navn": [{"erGjeldende": "ja"}]},
        {"navn": [{"fornavn": 7}]},
        {"navn": [element(fornavn="A") | {"gyldighetstidspunkt": "i fjor"}, element()]},
        {"innflytting": [{"gyldighetstidspunkt": "0001-01-01T00:00:00+14:00"}]},
        {"foedsel": [{"foedselsdato": "1985-02-30"}]},
        {"foedsel": [{"foedselsdato": "19850203"}]},
        {"foedsel": [{"foedselsdato": 1985}]},
        {"foedsel": [{"foedselsaar": "85"}]},
        {"foedsel": [{"foedselsaar": True}]},
        {"foedsel": [{"foedeland": "Syria"}]},
        {"kjoenn": [{"kjoenn": "K"}]},
        {"sivilstand": [{"sivilstand": "<b>"}]},
        {"adressebeskyttelse": [{"graderingsnivaa": "hemmelig"}]},
        {"adressebeskyttelse": [{}]},
        {"identifikasjonsnummer": [{"status": "iBruk"}]},
        {"identifikasjonsnummer": [{"foedselsEllerDNummer": "123"}]},
        {"bostedsadresse": [{"vegadresse": []}]},
        {"bostedsadresse": [{"vegadresse": {"kommunenummer": "Bergen"}}]},
        {"doedsfall": []},
        {"doedsfall": {"doedsdato": "i går"}},
    ],
)
def test_other_shapes_are_refused_without_repeating_their_values(body: Element) -> None:
    with pytest.raises(ShapeError) as error:
        read_person(body, asked=ASKED)
    assert not any(value in str(error.value) for value in ("KARI", "1985", "hemmelig", "Bergen", "123"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3),
    max_leaves=6,
)
TEXT_FIELDS = ["fornavn", "etternavn", "foedselsdato", "foedselsaar", "foedeland", "kjoenn", "sivilstand", "status"]
OTHER_FIELDS = ["erGjeldende", "gyldighetstidspunkt", "graderingsnivaa", "foedselsEllerDNummer", "vegadresse"]
PARTS = ["navn", "foedsel", "sivilstand", "innflytting", "bostedsadresse", "adressebeskyttelse", "status", "kjoenn"]
fields = st.sampled_from([*TEXT_FIELDS, *OTHER_FIELDS, "doedsdato"])
parts = st.sampled_from([*PARTS, "doedsfall", "identifikasjonsnummer"])
elements = st.dictionaries(fields, json_values, max_size=4)
bodies = st.dictionaries(parts, st.lists(elements, max_size=3) | elements | json_values, min_size=1, max_size=4)


@given(bodies)
def test_any_json_gives_a_record_or_the_one_error(body: Element) -> None:
    try:
        record = read_person(body, asked=ASKED)
    except ShapeError:
        return
    assert len(record.national_id) == 11
    assert record.protection in {None, "fortrolig", "strengtFortrolig"}


@pytest.mark.parametrize(
    ("written", "part", "expected"),
    [
        ("KARI", "first", "Kari"),
        ("ANNE-MARIE", "first", "Anne-Marie"),
        ("ÁILE ŊIELLE", "first", "Áile Ŋielle"),
        ("VAN ANH", "first", "Van Anh"),
        ("Æ", "middle", "Æ"),
        ("A.B.", "middle", "A.B."),
        ("VAN DER BERG", "last", "van der Berg"),
        ("VAN", "last", "Van"),
        ("DE LA CRUZ", "last", "de la Cruz"),
        ("HANSEN VAN DIJK", "last", "Hansen van Dijk"),
        ("EL MASRI", "last", "El Masri"),
        ("AL-HASSAN", "last", "Al-Hassan"),
        ("O'CONNOR", "last", "O'Connor"),
        ("N’DIAYE", "last", "N’Diaye"),
        ("SOLOV'YOVA", "last", "Solov'yova"),
        ("McKenzie", "last", "McKenzie"),
        ("MCKENZIE", "last", "McKenzie"),
        ("HÆTTA-ØSTBY", "last", "Hætta-Østby"),
        ("ĐOARRÁ ŠIELLA", "last", "Đoarrá Šiella"),
        ("BİRİCİK", "last", "Biricik"),
        ("von Hagen", "last", "von Hagen"),
        ("  LE   THI\tHOA ", "first", "Le Thi Hoa"),
        ("ÁILE", "first", "Áile"),
        ("", "last", ""),
    ],
)
def test_natural_case(written: str, part: NamePart, expected: str) -> None:
    assert natural_case(written, part) == expected


@given(st.text(max_size=40), st.sampled_from(["first", "middle", "last"]))
def test_natural_case_is_tidy_and_stable(text: str, part: NamePart) -> None:
    once = natural_case(text, part)
    assert natural_case(once, part) == once
    assert "  " not in once
    assert once == once.strip()


def test_every_synthetic_name_comes_back_from_capitals() -> None:
    for person in people()[:5000]:
        assert natural_case(person.first_name.upper(), "first") == person.first_name
        assert natural_case((person.middle_name or "").upper(), "middle") == (person.middle_name or "")
        assert natural_case(person.last_name.upper(), "last") == person.last_name
