"""The kinds of form fields: parsing never fails unexpectedly, and an answer survives every form that it takes."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.questions import fields
from services.questions.fields import (
    ChoiceField,
    DateField,
    Field,
    HoursField,
    Invalid,
    ManyField,
    MonthField,
    NumberField,
    TextField,
    YearField,
    label_options,
    legible,
)
from services.questions.pages import FIELDS
from services.questions.row_fields import RowsField

ROWS = [question for question in FIELDS.values() if isinstance(question, RowsField)]
SIMPLE: list[Field] = [question for question in FIELDS.values() if not isinstance(question, RowsField)]
SIMPLE += [inner for question in ROWS for inner in question.fields]
ANY = st.sampled_from(SIMPLE)

# Possible input: text with control characters, digits of all scripts, things that look like dates.
TYPED = st.one_of(
    st.text(max_size=40),
    st.text("0123456789.,/- \t+-eE_٣²½", max_size=14),
    st.from_regex(r"\A[0-9]{1,2}[./ -][0-9]{1,2}[./ -][0-9]{2,4}\Z"),
    st.integers().map(str),
    st.sampled_from(
        ["", " ", "\x00", "\x1f", "NaN", "-0", "1e1", "Infinity", "31.02.2024", "01.01.1026", "x" * 10_000]
    ),
)
DAYS = st.dates(date(1950, 1, 1), date(2100, 12, 31))
HALVES = st.integers(0, 80).map(lambda n: (Decimal(n) / 2).quantize(Decimal("0.1")))


def answers(question: Field) -> st.SearchStrategy[Any]:
    """Possible registered values of a field."""
    match question:
        case ManyField():
            codes = [option.code for option in question.options if option.code != question.exclusive]
            some = st.sets(st.sampled_from(codes), min_size=1)
            return some.map(lambda chosen: [code for code in codes if code in chosen])
        case ChoiceField():
            return st.sampled_from([option.code for option in question.options])
        case fields.CheckField():
            return st.just(True)
        case NumberField():
            return st.integers(question.least, question.most)
        case YearField():
            return st.integers(1950, 2100)
        case HoursField():
            return HALVES
        case MonthField():
            return DAYS.map(lambda day: day.replace(day=1))
        case DateField():
            return st.dates(question.earliest, date(2100, 12, 31))
        case TextField():
            return texts(question)
    raise NotImplementedError(question.key)


def texts(question: TextField) -> st.SearchStrategy[str]:
    """Texts in their registered form."""
    allowed = st.characters(exclude_categories=["C"])
    if question.lines:
        allowed |= st.just("\n")
    some = st.text(allowed, min_size=1, max_size=question.most)
    return some.map(lambda text: read_or_none(question, [text])).filter(bool)


def read_or_none(question: Field, raw: list[Any]) -> Any:
    """The parsed value, `None` if the answer is invalid."""
    try:
        return question.parse(raw)
    except Invalid:
        return None


def check_survives(question: Field, value: Any) -> None:
    """Check that an answer is the same after showing and sending, and after conversion to JSON."""
    raw = question.raw(value)
    assert question.offers(raw)
    assert question.parse(raw) == value
    kept = json.loads(json.dumps(question.to_json(value)))
    assert kept == question.to_json(value)
    assert question.from_json(kept) == value
    assert question.text(value)
    assert question.sentence(value)
    assert "".join(question.parts(value))


@given(question=ANY, data=st.data())
@settings(max_examples=400, deadline=None)
def test_an_answer_survives(question: Field, data: st.DataObject) -> None:
    check_survives(question, data.draw(answers(question)))


@given(question=ANY, raw=st.lists(TYPED, max_size=3))
@settings(max_examples=800, deadline=None)
def test_nothing_that_is_typed_breaks_reading(question: Field, raw: list[str]) -> None:
    try:
        value = question.parse(raw)
    except Invalid as invalid:
        assert invalid.errors.keys() == {question.key}
        assert all(invalid.errors.values())
        return
    if value is not None:
        check_survives(question, value)


@given(question=ANY)
def test_nothing_is_no_answer(question: Field) -> None:
    assert question.is_empty(question.parse([]))
    assert question.raw(None) == []
    assert question.text(None) == question.sentence(None) == ""
    assert question.to_json(None) is None
    assert question.from_json(None) is None
    assert question.offers([])


# ---- Rows ----


def rows_of(question: RowsField) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows in their registered form."""
    row = st.fixed_dictionaries(
        {inner.key: answers(inner) if inner.required({}) else st.none() | answers(inner) for inner in question.fields}
    )
    return st.lists(row.filter(lambda one: not question.row_checks(one)), min_size=1, max_size=4)


@pytest.mark.parametrize("question", ROWS, ids=lambda question: question.key)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_rows_survive_the_form(question: RowsField, data: st.DataObject) -> None:
    value = data.draw(rows_of(question))
    check_survives(question, value)
    raw = question.raw(value)
    form = {question.control(index, key): texts for index, row in enumerate(raw) for key, texts in row.items() if texts}
    assert question.parse(question.read(form)) == value
    assert form.keys() <= set(question.names(raw))


@pytest.mark.parametrize("question", ROWS, ids=lambda question: question.key)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_no_row_breaks_reading(question: RowsField, data: st.DataObject) -> None:
    names = st.sampled_from([question.control(i, inner.key) for i in (0, 1, 7, 9999) for inner in question.fields])
    strange = st.from_regex(rf"\A{question.key}-[0-9a-z]{{0,5}}-[a-z_]{{0,5}}\Z")
    form = data.draw(st.dictionaries(names | strange, st.lists(TYPED, max_size=2), max_size=8))
    raw = question.read(form)
    try:
        value = question.parse(raw)
    except Invalid as invalid:
        assert invalid.errors.keys() <= set(question.names(raw))
        assert all(invalid.errors.values())
        return
    if value is not None:
        check_survives(question, value)


# ---- The kinds ----


@given(text=st.text())
def test_a_legible_text_can_be_stored_and_shown(text: str) -> None:
    clean = legible(text)
    assert legible(clean) == clean
    assert len(clean) == len(text)
    assert not any((ord(one) < 0x20 and one not in "\t\n\r") or 0x7F <= ord(one) < 0xA0 for one in clean)
    clean.encode()


@pytest.mark.parametrize(
    ("question", "typed", "shown"),
    [
        (DateField(key="d", label="D"), "1/2-2024", "01.02.2024"),
        (DateField(key="d", label="D"), "010224", "01.02.2024"),
        (DateField(key="d", label="D"), "2024-02-01", "01.02.2024"),
        (MonthField(key="m", label="M"), "062022", "06.2022"),
        (MonthField(key="m", label="M"), "6.22", "06.2022"),
        (MonthField(key="m", label="M"), "2022-06", "06.2022"),
    ],
)
def test_days_and_months_are_shown_in_one_form(question: DateField, typed: str, shown: str) -> None:
    assert question.raw(question.parse([typed])) == [shown]


@pytest.mark.parametrize("typed", ["010622", "0622", "1.2.2022", "202206"])
def test_what_may_be_a_day_is_no_month(typed: str) -> None:
    with pytest.raises(Invalid) as caught:
        MonthField(key="m", label="M").parse([typed])
    assert caught.value.errors == {"m": "Skriv måned og år, slik: mm.åååå eller mmåååå"}


@pytest.mark.parametrize(
    ("typed", "hours"),
    [
        ("30", "30.0"),
        ("22,5", "22.5"),
        ("22.5", "22.5"),
        ("0", "0.0"),
        ("40,0", "40.0"),
        (" 7 ", "7.0"),
        ("٣", "3.0"),
        ("\u200e２２，５", "22.5"),
    ],
)
def test_hours_as_people_write_them(typed: str, hours: str) -> None:
    assert HoursField(key="h", label="H").parse([typed]) == Decimal(hours)


@pytest.mark.parametrize("typed", ["40,5", "22,3", "-1", "-0", "1e1", "1_0", "NaN", "+5", "³", "5,", ",5", "Infinity"])
def test_hours_that_are_none(typed: str) -> None:
    with pytest.raises(Invalid):
        HoursField(key="h", label="H").parse([typed])


def test_hours_are_said_without_needless_places() -> None:
    question = HoursField(key="h", label="H")
    assert [question.text(Decimal(hours)) for hours in ("30.0", "22.5", "0.0")] == ["30", "22,5", "0"]


def test_text_is_cleaned_and_its_length_told() -> None:
    one = TextField(key="t", label="T", most=5)
    assert one.parse(["  A\u030a\tb "]) == "Å b"
    several = TextField(key="t", label="T", most=5, lines=True)
    assert several.parse(["a\r\nb\rc"]) == "a\nb\nc"
    for question, text, words in (
        (one, "a\nb", "Teksten har tegn som ikke kan lagres"),
        (one, "a\x00", "Teksten har tegn som ikke kan lagres"),
        (several, "a\ufffd", "Teksten har tegn som ikke kan lagres"),
        (several, "abcdef", "Skriv maks 5 tegn (nå 6)"),
    ):
        with pytest.raises(Invalid) as caught:
            question.parse([text])
        assert caught.value.errors["t"].startswith(words)


def test_an_exclusive_choice_stands_alone() -> None:
    question = ManyField(key="m", label="M", options=label_options(("a", "A"), ("none", "Ingen")), exclusive="none")
    assert question.parse(["none"]) == ["none"]
    assert question.parse(["a", "a"]) == ["a"]
    with pytest.raises(Invalid) as caught:
        question.parse(["a", "none"])
    assert caught.value.errors == {"m": "«Ingen» kan ikke velges sammen med andre"}


def test_what_our_forms_cannot_send() -> None:
    choice = ChoiceField(key="c", label="C", options=label_options(("a", "A"), ("b", "B")))
    assert choice.kind == "radio"
    assert [choice.offers(raw) for raw in ([], [""], ["a"], ["x"], ["a", "b"])] == [True, True, True, False, False]
    assert choice.text("gone") == "gone"  # an option that is no longer offered is shown as its code
    many = ManyField(key="m", label="M", options=choice.options)
    assert [many.offers(raw) for raw in ([], ["a", "b"], ["a", "x"], [""])] == [True, True, False, False]
    check = fields.CheckField(key="c", label="C")
    assert [check.offers(raw) for raw in ([], ["1"], ["2"], ["1", "1"])] == [True, True, False, False]
    text = TextField(key="t", label="T")
    assert [text.offers(raw) for raw in ([], ["\x00"], ["a", "b"])] == [True, True, False]
    rows = RowsField(key="rows", label="R", item="R", add_label="+", fields=(choice,))
    assert [rows.offers(raw) for raw in ([], [{}], [{"c": ["a"]}], [{"c": ["x"]}])] == [True, True, True, False]


def test_a_list_is_sent_by_code_and_its_words_are_understood() -> None:
    """Pages that were opened before send the labels."""
    others = [(f"X{n}", f"Land {n}") for n in range(5)]
    question = ChoiceField(key="c", label="C", options=label_options(("AFG", "Afghanistan"), *others))
    assert question.kind == "select"
    assert [question.read({"c": [sent]}) for sent in ("Afghanistan", "AFG", "Utopia", "")] == [
        ["AFG"],
        ["AFG"],
        ["Utopia"],
        [""],
    ]
    assert not question.offers(["Utopia"])


@pytest.mark.parametrize("question", [one for one in FIELDS.values() if one.kind == "select"], ids=lambda one: one.key)
def test_no_two_options_have_the_same_words(question: ChoiceField) -> None:
    assert len({option.label for option in question.options}) == len(question.options)


def test_blank_rows_are_left_out_and_too_many_refused() -> None:
    inner = TextField(key="t", label="T")
    rows = RowsField(key="rows", label="R", item="R", add_label="+", fields=(inner,), most=2)
    assert rows.parse([{"t": [" "]}, {"t": ["a"]}]) == [{"t": "a"}]
    assert rows.parse([rows.blank()]) is None
    with pytest.raises(Invalid) as caught:
        rows.parse([{"t": ["a"]}] * 3)
    assert caught.value.errors == {"rows": "Det er plass til maks 2 rader"}


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        ("job_percent", "80 %", 80),
        ("job_percent", "80%", 80),
        ("absence_valid", "12 dager", 12),
        ("absence_valid", "1 dag", 1),
        ("hours_per_week", "22,5 timer per uke", Decimal("22.5")),
        ("hours_per_week", "1 time per uke", Decimal("1.0")),
    ],
)
def test_a_number_is_read_as_our_own_pages_write_it(key: str, typed: str, value: Any) -> None:
    assert FIELDS[key].parse([typed]) == value


@pytest.mark.parametrize(
    ("key", "typed"),
    [
        ("children", "2 %"),
        ("absence_valid", "12 %"),
        ("job_percent", "80 dager"),
        ("hours_per_week", "30 timer"),
        ("job_percent", "8,0 %"),
    ],
)
def test_no_other_unit_is_taken_for_it(key: str, typed: str) -> None:
    with pytest.raises(Invalid):
        FIELDS[key].parse([typed])
