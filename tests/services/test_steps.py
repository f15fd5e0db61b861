"""The fields of the four pages compared with the plan of the register, word by word, and their rules."""

from datetime import date
from typing import Any

import pytest

from services.core.code_lists import country_names, district_names
from services.questions.fields import ChoiceField
from services.questions.pages import BACKGROUND, FIELDS, PERSON, PROGRAMME, STEPS, TERMINATION, Step, step_named
from services.questions.row_fields import RowsField

LEVELS = "Under A1 · A1 · A2 · B1 · B2 · C1 · Ikke kartlagt"
LIVELIHOOD = (
    "Forsørget av ektefelle eller samboer · Overgangsstønad · Økonomisk sosialhjelp · Lønnsinntekt (deltid) · "
    "Annen ytelse fra Nav · Annet · Ukjent"
)
YES_NO = "Ja · Nei"
# key: (label, kind, options, obligation); C to create, P to go on, U to discharge, a small letter: if it applies.
PLAN: dict[str, dict[str, tuple[str, str, str, str]]] = {
    "person": {
        "district": ("Bydel", "select", " · ".join(district_names().values()), "c"),
        "funding": ("Finansiering", "radio", "Ordinær Jobbsjansen · Per capita", "C"),
        "start_date": ("Dato for oppstart", "date", "", "C"),
    },
    "background": {
        "target_group": (
            "Målgruppe ved oppstart",
            "radio",
            "Hjemmeværende uten egen inntekt eller stønad · Overgangsstønad som hovedinntekt · "
            "Mottar sosialhjelp · Annet",
            "P",
        ),
        "recruitment": (
            "Rekrutteringskanal",
            "select",
            "Nav · Flyktningtjenesten · Voksenopplæringen · Helsestasjon, barnehage eller skole · "
            "Frivillig organisasjon · Familie, venner eller tidligere deltaker · Tok kontakt selv · Annet",
            "P",
        ),
        "earlier_measures": (
            "Tidligere tiltak",
            "checks",
            "Introduksjonsprogram · Norskopplæring · Kvalifiseringsprogram · Arbeidsmarkedstiltak i Nav · "
            "Jobbsjansen eller Ny sjanse · Ingen av disse",
            "P",
        ),
        "intro_end": ("Når avsluttet deltakeren introduksjonsprogrammet?", "month", "", "p"),
        "literacy": (
            "Lese- og skriveferdigheter på eget morsmål",
            "radio",
            "Mangler grunnleggende ferdigheter · Har grunnleggende ferdigheter · Gode ferdigheter",
            "P",
        ),
        "mother_tongue": ("Morsmål", "select", "…", "–"),
        "oral_start": ("Norsknivå ved oppstart, muntlig", "select", LEVELS, "P"),
        "written_start": ("Norsknivå ved oppstart, skriftlig", "select", LEVELS, "P"),
        "education": (
            "Høyeste fullførte utdanning",
            "select",
            "Ingen skolegang · 1–7 år · 8–10 år (grunnskole) · Videregående · Fagskole · "
            "Universitet/høyskole inntil 4 år · Universitet/høyskole mer enn 4 år · Ukjent",
            "P",
        ),
        "education_country": ("Land for utdanningen", "select", "…", "–"),
        "education_recognised": (
            "Er utdanningen godkjent i Norge?",
            "radio",
            "Ja · Nei · Søknad sendt · Ikke aktuelt",
            "–",
        ),
        "work_experience": (
            "Arbeidserfaring før oppstart",
            "radio",
            "Ingen · Bare fra utlandet · Bare fra Norge · Fra både Norge og utlandet",
            "P",
        ),
        "work_norway": (
            "Lengde på lønnet arbeid i Norge",
            "radio",
            "Under 6 md. · 6–12 md. · 1–3 år · Over 3 år",
            "–",
        ),
        "children": ("Antall barn under 18 år", "number", "", "P"),
        "youngest_child": ("Fødselsår for yngste barn", "year", "", "p"),
        "livelihood_start": ("Hovedkilde til livsopphold ved oppstart", "select", LIVELIHOOD, "P"),
    },
    "programme": {
        "individual_plan": ("Er det laget en individuell plan?", "radio", YES_NO, "P"),
        "plan_date": ("Dato for individuell plan", "date", "", "p"),
        "goals": (
            "Mål",
            "checks",
            "Lønnet arbeid · Ordinær utdanning · Bestå norskprøve · Bedre grunnleggende ferdigheter · Annet",
            "P",
        ),
        "goals_other": ("Beskriv målet", "text", "", "p"),
        "goal_level": ("Nivå på norskprøven", "radio", "A1 · A2 · B1 · B2 · C1", "–"),
        "hours_per_week": ("Timer i program per uke", "hours", "", "P"),
        "allowance": ("Mottar deltakeren stønad gjennom Jobbsjansen?", "radio", YES_NO, "P"),
        "activities": ("Tiltak", "rows", "", "P"),
        "no_activities": ("Ingen tiltak gjennomført", "check", "", "–"),
        "extension": ("Forlenget utover to år?", "radio", YES_NO, "–"),
        "extension_reason": ("Begrunnelse for forlengelsen", "textarea", "", "–"),
        "planned_end": ("Ny planlagt sluttdato", "date", "", "–"),
        "extra_year": ("Utvidet med ytterligere ett år?", "radio", YES_NO, "–"),
        "leaves": ("Permisjon", "rows", "", "–"),
    },
    "termination": {
        "end_reason": (
            "Årsak til avslutning",
            "select",
            "Gått ut i arbeid · Gått ut i utdanning · Gått ut i både arbeid og utdanning · "
            "Uten overgang til arbeid eller utdanning · Programtiden er brukt opp · "
            "Fått arbeid før programslutt · Begynt i utdanning · Flyttet til annen kommune · Flyttet fra Norge · "
            "Sykdom · Graviditet eller foreldrepermisjon · Omsorgsoppgaver · Overført til annet tiltak · "
            "Møter ikke opp · Ønsker ikke å delta · Ikke i målgruppen · Død · Annet",
            "U",
        ),
        "end_reason_text": ("Beskriv årsaken", "text", "", "u"),
        "end_date": ("Dato for avslutning", "date", "", "U"),
        "absence_valid": ("Gyldig fravær, dager", "number", "", "U"),
        "absence_invalid": ("Ugyldig fravær, dager", "number", "", "U"),
        "outcome": ("Deltakeren har gått ut i", "checks", "Arbeid · Studie · Annet", "u"),
        "job_kind": ("Type arbeid", "radio", "Fast · Midlertidig · Tilkalling · Lærling · Selvstendig", "u"),
        "job_percent": ("Stillingsprosent", "number", "", "u"),
        "job_sector": ("Sektor", "radio", "Offentlig · Privat · Frivillig", "u"),
        "job_industry": (
            "Bransje",
            "select",
            "Helse og omsorg · Barnehage og skole · Renhold · Butikk · Hotell og restaurant · Industri · "
            "Transport og lager · Bygg og anlegg · Kontor · Annet",
            "u",
        ),
        "job_subsidy": ("Lønnstilskudd fra Nav", "radio", YES_NO, "–"),
        "study_kind": (
            "Type utdanning",
            "radio",
            "Grunnskole · Videregående · Fagskole · Universitet/høyskole · Annet",
            "u",
        ),
        "study_load": ("Omfang", "radio", "Heltid · Deltid", "u"),
        "other_kind": (
            "Hva går deltakeren til?",
            "select",
            "Kvalifiseringsprogram · Arbeidsmarkedstiltak · Arbeidsavklaringspenger · Sosialhjelp · "
            "Foreldrepermisjon · Hjemmeværende · Ukjent · Annet",
            "u",
        ),
        "livelihood_end": (
            "Hovedkilde til livsopphold etter avslutning",
            "select",
            f"Lønn · Studielån/stipend · {LIVELIHOOD}",
            "U",
        ),
        "oral_end": ("Norsknivå ved avslutning, muntlig", "select", LEVELS, "U"),
        "written_end": ("Norsknivå ved avslutning, skriftlig", "select", LEVELS, "U"),
    },
}
ACTIVITY_KINDS = {
    "Språktrening": "Norskopplæring · Samfunnskunnskap · Språkpraksis · Bransjenorsk",
    "Opplæring og utdanning": "Grunnskole for voksne · Videregående (enkeltfag) · Fagopplæring · "
    "Grunnleggende ferdigheter · Digital kompetanse · Godkjenning av utdanning",
    "Yrkesmessig kompetanse": "Arbeidspraksis i ordinær virksomhet · Yrkesprøving · Yrkesrettet kurs · "
    "Jobbsøkerkurs og karriereveiledning · Ordinært arbeid på deltid",
    "Annet": "Livsmestring · Foreldreveiledning · Helsefremmende aktivitet · Annet",
}
ROWS = {
    "activities": {
        "kind": ("Type tiltak", True),
        "from_date": ("Fra dato", True),
        "to_date": ("Til dato", False),
        "hours": ("Timer per uke", False),
        "comment": ("Kommentar", False),
    },
    "leaves": {"from_date": ("Fra dato", True), "to_date": ("Til dato", True), "kind": ("Type permisjon", True)},
}

TODAY = date(2026, 3, 15)
NOTHING: dict[str, Any] = {"today": TODAY, "start_date": date(2025, 6, 1), "municipality": "4601"}


def texts_of(key: str) -> str:
    """The options of a field as text."""
    question = FIELDS[key]
    return " · ".join(option.label for option in question.options) if isinstance(question, ChoiceField) else ""


def test_every_question_is_there_word_by_word() -> None:
    for step in STEPS:
        plan = PLAN[step.name]
        assert [question.key for question in step.fields] == list(plan), step.name
        for question in step.fields:
            label, kind, options, _obligation = plan[question.key]
            assert (question.label, question.kind) == (label, kind)
            if options != "…":
                assert texts_of(question.key) == options
    assert step_named("background") is BACKGROUND


def test_long_lists_are_complete() -> None:
    assert len(district_names()) == 15
    countries = [name for code, name in country_names().items() if code != "XXX"]  # statsløs is no country
    assert texts_of("education_country") == " · ".join(countries)
    languages = texts_of("mother_tongue").split(" · ")
    assert len(languages) == len(set(languages)) > 50
    assert languages[-1] == "Annet språk"


def test_codes_and_texts_are_unique_and_short_enough_for_their_columns() -> None:
    inner = [one for question in FIELDS.values() if isinstance(question, RowsField) for one in question.fields]
    for question in (*FIELDS.values(), *inner):
        if isinstance(question, ChoiceField):
            codes = [option.code for option in question.options]
            words = [option.label for option in question.options]
            assert len(set(codes)) == len(codes)
            assert len(set(words)) == len(words)
            assert max(map(len, codes)) <= 30


def test_labels_are_unique_and_each_question_has_help() -> None:
    fixed = [
        "Fødselsnummer",
        "Navn",
        "Jeg bekrefter at navn vist er identisk med navn på deltaker",
        "PersonId",
        "Kommune og kommunenummer",
    ]
    labels = [question.label for question in FIELDS.values()]
    assert len({*labels, *fixed}) == len(labels) + len(fixed)
    rows = [inner for question in FIELDS.values() if isinstance(question, RowsField) for inner in question.fields]
    for question in (*FIELDS.values(), *rows):
        assert len(question.help) > 20, question.key
        assert question.help.endswith("."), question.key


def test_reasons_and_kinds_of_activity_stand_in_groups() -> None:
    reasons = FIELDS["end_reason"]
    assert isinstance(reasons, ChoiceField)
    assert [option.group for option in reasons.options] == ["Fullført"] * 5 + ["Avbrutt"] * 13
    rows = FIELDS["activities"]
    assert isinstance(rows, RowsField)
    kind = rows.fields[0]
    assert isinstance(kind, ChoiceField)
    grouped = {
        group: " · ".join(one.label for one in kind.options if one.group == group)
        for group in dict.fromkeys(one.group for one in kind.options)
    }
    assert grouped == ACTIVITY_KINDS
    leaves = FIELDS["leaves"]
    assert isinstance(leaves, RowsField)
    why = leaves.fields[-1]
    assert isinstance(why, ChoiceField)
    assert [one.label for one in why.options] == ["Foreldrepermisjon", "Sykdom", "Omsorg", "Annet"]


def test_rows_ask_what_they_should() -> None:
    for key, plan in ROWS.items():
        question = FIELDS[key]
        assert isinstance(question, RowsField)
        assert {one.key: (one.label, one.required({})) for one in question.fields} == plan


def test_a_question_stands_after_those_it_hangs_on() -> None:
    """The order in which pages are pruned and parsed."""
    before: set[str] = {"municipality", "today"}
    for step in STEPS:
        for question in step.fields:
            assert set(question.shown.keys) <= before | {question.key}
            before.add(question.key)


# ---- When a field is shown, and when it is required ----


def asked(step: Step, **answers: Any) -> set[str]:
    """The keys of the fields that are shown."""
    return {question.key for question in step.visible(NOTHING | answers)}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_what_must_be_answered(step: Step) -> None:
    plan = PLAN[step.name]
    everything: dict[str, Any] = {
        "municipality": "0301",
        "earlier_measures": ["introduction"],
        "children": 1,
        "work_experience": "both",
        "individual_plan": "yes",
        "goals": ["other", "norwegian_test"],
        "extension": "yes",
        "literacy": "missing",
        "extra_year": "yes",
        "end_reason": "other",
        "outcome": ["work", "study", "other"],
    }
    assert asked(step, **everything) == plan.keys()
    always = {key for key, (_label, _kind, _options, obligation) in plan.items() if obligation.isupper()}
    blank = NOTHING | {"start_date": None}
    assert {question.key for question in step.missing(blank)} == always
    sometimes = {key for key, one in plan.items() if one[3].islower() and key not in everything}
    missing = {question.key for question in step.missing(blank | everything)}
    assert missing == (always - everything.keys()) | sometimes


CASES: list[tuple[Step, dict[str, Any], str, bool]] = [
    (PERSON, {"municipality": "0301"}, "district", True),
    (PERSON, {"municipality": "4601"}, "district", False),
    (BACKGROUND, {"earlier_measures": ["norwegian", "introduction"]}, "intro_end", True),
    (BACKGROUND, {"earlier_measures": ["none"]}, "intro_end", False),
    (BACKGROUND, {"earlier_measures": None}, "intro_end", False),
    (BACKGROUND, {"work_experience": "norway"}, "work_norway", True),
    (BACKGROUND, {"work_experience": "both"}, "work_norway", True),
    (BACKGROUND, {"work_experience": "abroad"}, "work_norway", False),
    (BACKGROUND, {"children": 1}, "youngest_child", True),
    (BACKGROUND, {"children": 0}, "youngest_child", False),
    (PROGRAMME, {"individual_plan": "no"}, "plan_date", False),
    (PROGRAMME, {"goals": ["norwegian_test"]}, "goal_level", True),
    (PROGRAMME, {"goals": ["work"]}, "goal_level", False),
    (PROGRAMME, {"start_date": date(2024, 5, 16)}, "extension", False),  # one day short of 22 months
    (PROGRAMME, {"start_date": date(2024, 5, 15)}, "extension", True),
    (PROGRAMME, {"extension": "no"}, "extension", True),  # answered before oppstart was moved
    (PROGRAMME, {"extension": "no"}, "planned_end", False),
    (PROGRAMME, {"extension": "yes"}, "extension_reason", True),
    (PROGRAMME, {"start_date": date(2023, 5, 15), "literacy": "missing"}, "extra_year", True),
    (PROGRAMME, {"start_date": date(2023, 5, 16), "literacy": "missing"}, "extra_year", False),
    (PROGRAMME, {"start_date": date(2023, 5, 15), "literacy": "basic"}, "extra_year", False),
    (PROGRAMME, {"literacy": "missing", "extra_year": "no"}, "extra_year", True),
    (PROGRAMME, {"literacy": "good", "extra_year": "no"}, "extra_year", False),
    (TERMINATION, {"end_reason": "illness"}, "end_reason_text", False),
    (TERMINATION, {"outcome": ["study"]}, "job_kind", False),
    (TERMINATION, {"outcome": ["work", "other"]}, "job_subsidy", True),
    (TERMINATION, {"outcome": ["work"]}, "study_kind", False),
]


@pytest.mark.parametrize(("step", "answers", "key", "shown"), CASES)
def test_when_a_question_is_asked(step: Step, answers: dict[str, Any], key: str, shown: bool) -> None:
    assert (key in asked(step, **answers)) is shown
    if not shown and key not in FIELDS[key].shown.keys:
        assert step.pruned(NOTHING | answers | {key: "something"})[key] is None


def test_activities_may_be_none_at_all() -> None:
    def missing(**answers: Any) -> bool:
        return "activities" in {question.key for question in PROGRAMME.missing(NOTHING | answers)}

    assert missing()
    assert not missing(no_activities=True)
    assert not missing(activities=[{"kind": "norwegian"}])


def test_which_reasons_ask_for_an_outcome() -> None:
    reasons = FIELDS["end_reason"]
    assert isinstance(reasons, ChoiceField)
    codes = {option.code for option in reasons.options if FIELDS["outcome"].required({"end_reason": option.code})}
    completed = {option.code for option in reasons.options if option.group == "Fullført"}
    assert codes == completed | {"got_work", "began_education", "other_measure"}


# ---- Checks of several answers, and warnings ----

LEAVE = {"from_date": date(2025, 7, 1), "to_date": date(2025, 7, 31), "kind": "care"}


@pytest.mark.parametrize(
    ("step", "answers", "wrong"),
    [
        (PERSON, {"start_date": TODAY}, None),
        (PERSON, {"start_date": date(2026, 3, 16)}, "start_date"),
        (PERSON, {"end_date": date(2025, 6, 1)}, None),
        (PERSON, {"end_date": date(2025, 5, 31)}, "start_date"),
        (BACKGROUND, {"youngest_child": 2007}, None),
        (BACKGROUND, {"youngest_child": 2006}, "youngest_child"),
        (BACKGROUND, {"youngest_child": 2026}, None),
        (BACKGROUND, {"youngest_child": 2027}, "youngest_child"),
        (BACKGROUND, {"intro_end": date(2026, 3, 1)}, None),
        (BACKGROUND, {"intro_end": date(2026, 4, 1)}, "intro_end"),
        (PROGRAMME, {"no_activities": True, "activities": [LEAVE]}, "no_activities"),
        (PROGRAMME, {"plan_date": TODAY}, None),
        (PROGRAMME, {"plan_date": date(2026, 3, 16)}, "plan_date"),
        (PROGRAMME, {"planned_end": date(2025, 6, 1)}, "planned_end"),
        (PROGRAMME, {"planned_end": date(2025, 6, 2)}, None),
        (TERMINATION, {"end_date": date(2025, 6, 1)}, None),
        (TERMINATION, {"end_date": date(2025, 5, 31)}, "end_date"),
        (TERMINATION, {"end_date": date(2025, 6, 10), "absence_valid": 6, "absence_invalid": 4}, None),
        (TERMINATION, {"end_date": date(2025, 6, 10), "absence_valid": 7, "absence_invalid": 4}, "absence_invalid"),
        (TERMINATION, {"end_date": date(2025, 6, 10), "absence_valid": 11}, "absence_valid"),
        (TERMINATION, {"absence_valid": 288}, None),  # until today
        (TERMINATION, {"absence_valid": 289}, "absence_valid"),
    ],
)
def test_answers_that_do_not_fit_together(step: Step, answers: dict[str, Any], wrong: str | None) -> None:
    found = step.checks(NOTHING | answers)
    assert set(found) == ({wrong} if wrong else set())
    assert all(found.values())


@pytest.mark.parametrize(
    ("step", "answers", "key"),
    [
        (PERSON, {"birth_date": date(2007, 6, 1), "sex": "kvinne"}, None),  # 18 on that day
        (PERSON, {"birth_date": date(2007, 6, 2), "sex": "kvinne"}, "national_id"),
        (PERSON, {"birth_date": date(1969, 6, 2), "sex": "kvinne"}, None),  # 55, the day before 56
        (PERSON, {"birth_date": date(1969, 6, 1), "sex": "kvinne"}, "national_id"),
        (PERSON, {"birth_date": date(1990, 1, 1), "sex": "mann"}, "national_id"),
        (PERSON, {"birth_date": None, "sex": None}, None),
        (PERSON, {"birth_date": date(1990, 1, 1), "start_date": None}, None),
        (BACKGROUND, {"intro_end": date(2023, 6, 1)}, None),
        (BACKGROUND, {"intro_end": date(2023, 7, 1)}, "intro_end"),
        (PROGRAMME, {"leaves": [LEAVE]}, None),
        (PROGRAMME, {"leaves": [LEAVE, LEAVE | {"from_date": date(2025, 7, 31)}]}, "leaves"),
        (PROGRAMME, {"leaves": [LEAVE | {"from_date": date(2025, 5, 31)}]}, "leaves"),
        (PROGRAMME, {"activities": [{"from_date": date(2025, 5, 31)}]}, "activities"),
        (PROGRAMME, {"activities": [{"from_date": date(2025, 6, 1)}]}, None),
        (PROGRAMME, {"extra_year": "yes", "extension": "no"}, "extra_year"),
        (PROGRAMME, {"extra_year": "yes", "extension": "yes"}, None),
    ],
)
def test_remarks(step: Step, answers: dict[str, Any], key: str | None) -> None:
    assert set(step.warnings(NOTHING | answers)) == ({key} if key else set())
