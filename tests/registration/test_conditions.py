"""Conditional fields: as fragments, without JavaScript, and in stored values."""

from datetime import timedelta

import pytest
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from services.core.clock import today
from services.core.days import date_text
from tests.support.client import form_in, text_of, tree_of
from tests.support.forms import Form
from tests.support.registering import (
    FULL_BACKGROUND,
    FULL_TERMINATION,
    Answers,
    Office,
    address,
    goal_of,
)

ONE_DATABASE = pytest.mark.parametrize("own_house", ["sqlite"], indirect=True)
OUT = "Til deltakeroversikten"
SHOW = "Vis oppfølgingsspørsmål"
LONG_AGO = today() - timedelta(days=36 * 31)  # more than 34 months


# Redrawn by each save: the version of the form, the line about saving, and the progress of the pages.
ALWAYS = {"versjon", "tilstand", "steg"}


def changed(office: Office, public_id: str, word: str, form: Form, name: str, typing: str = "") -> TestResponse:
    """The response to htmx after the control of this name was changed, while `typing` in another one."""
    assert any(one.name == name for one in form.controls)
    assert form.element.attrib["data-lagre"] == address(public_id, word, "lagre")
    data = MultiDict([*form.pairs(None), *([("skriver", typing)] if typing else [])])
    return office.client_of("berit.bergen").post_partial(address(public_id, word, "lagre"), data)


def redrawn(answer: TestResponse) -> dict[str, str]:
    """The containers that a fragment fills, and their new texts."""
    assert answer.status_code == 200
    tree = tree_of(answer)
    parts = {part.attrib["data-hx-target"].removeprefix("#"): part for part in tree.elements("hx-partial")}
    assert parts.keys() >= ALWAYS
    told = parts.keys() - ALWAYS - {"programtid"}
    words = {name.removeprefix("felt-"): tree.text(part) for name, part in parts.items() if name in told}
    return {name: said for name, said in words.items() if said or not name.startswith("advarsel-national")}


# page, registered answers, the answer then chosen, the field's name, fields that appear
CONDITIONS: list[tuple[str, Answers, str, set[str]]] = [
    ("bakgrunn", {"Tidligere tiltak": ["Norskopplæring", "Introduksjonsprogram"]}, "earlier_measures", {"intro_end"}),
    ("bakgrunn", {"Arbeidserfaring før oppstart": "Bare fra Norge"}, "work_experience", {"work_norway"}),
    ("bakgrunn", {"Arbeidserfaring før oppstart": "Fra både Norge og utlandet"}, "work_experience", {"work_norway"}),
    ("bakgrunn", {"Antall barn under 18 år": "2"}, "children", {"youngest_child"}),
    ("programinnhold", {"Er det laget en individuell plan?": "Ja"}, "individual_plan", {"plan_date"}),
    ("programinnhold", {"Mål": ["Annet"]}, "goals", {"goals_other"}),
    ("programinnhold", {"Mål": ["Bestå norskprøve"]}, "goals", {"goal_level"}),
    ("programinnhold", {"Forlenget utover to år?": "Ja"}, "extension", {"extension_reason", "planned_end"}),
    ("avslutning", {"Årsak til avslutning": "end_reason=other"}, "end_reason", {"end_reason_text"}),
    (
        "avslutning",
        {"Deltakeren har gått ut i": ["Arbeid"]},
        "outcome",
        {"job_kind", "job_percent", "job_sector", "job_industry", "job_subsidy"},
    ),
    ("avslutning", {"Deltakeren har gått ut i": ["Studie"]}, "outcome", {"study_kind", "study_load"}),
    ("avslutning", {"Deltakeren har gått ut i": ["Annet"]}, "outcome", {"other_kind"}),
]
ELSEWHERE = {
    "bakgrunn": ("children", "Skrives akkurat nå"),
    "programinnhold": ("hours_per_week", "Skrives akkurat nå"),
    "avslutning": ("absence_valid", "Skrives akkurat nå"),
}


@ONE_DATABASE
@pytest.mark.parametrize(("word", "answer", "name", "coming"), CONDITIONS)
def test_questions_come_and_go_as_fragments(
    office: Office, word: str, answer: Answers, name: str, coming: set[str]
) -> None:
    public_id = office.given(start=LONG_AGO)
    form = office.form(public_id, word)
    assert not any(form.has(key) for key in coming)
    typed_in, typed = ELSEWHERE[word]
    if typed_in != name:
        form.fill({typed_in: typed})
    form.fill({key: "other" if value == "end_reason=other" else value for key, value in answer.items()})
    fragment = changed(office, public_id, word, form, name, typing=typed_in)
    came = redrawn(fragment)
    assert came.keys() - {"utskriving"} == coming
    assert all(came[key] for key in coming)
    assert typed not in fragment.get_data(as_text=True)

    # The same on the page without JavaScript, and then the reverse.
    page = office.client_of("berit.bergen").submit(form, button=SHOW)
    assert page.status_code == 200
    form = form_in(page, form="registrering")
    assert all(form.has(key) for key in coming)
    if typed_in != name:
        assert form.value(typed_in) == typed
    assert not redrawn(changed(office, public_id, word, form, name, typing=typed_in)).keys() & coming
    form.fill({name: "0" if name == "children" else []})
    if any(one.name == name and one.kind == "select" for one in form.controls):
        form.fill({name: "Velg"})
    went = redrawn(changed(office, public_id, word, form, name, typing=typed_in))
    assert went.keys() - {"utskriving", typed_in} == coming  # the page has shown an error there
    assert not any(went[key] for key in coming)
    page = office.client_of("berit.bergen").submit(form, button=SHOW)
    assert not any(form_in(page, form="registrering").has(key) for key in coming)


@ONE_DATABASE
def test_the_mark_of_what_must_be_filled_in_follows(office: Office) -> None:
    public_id = office.given()
    form = office.form(public_id, "avslutning")
    form.fill({"Årsak til avslutning": "Fått arbeid før programslutt"})
    came = redrawn(changed(office, public_id, "avslutning", form, "end_reason"))
    assert came.keys() == {"outcome", "utskriving"}
    assert "Må fylles ut" in came["outcome"]
    assert "Deltakeren har gått ut i" in came["utskriving"]
    form = office.form(public_id, "programinnhold")
    assert "activities-required" in form.tree.by_id
    form.fill({"Ingen tiltak gjennomført": True})
    came = redrawn(changed(office, public_id, "programinnhold", form, "no_activities"))
    assert came.keys() == {"activities"}
    assert "Må fylles ut" not in came["activities"]


@ONE_DATABASE
def test_the_questions_about_more_time_come_late(office: Office) -> None:
    for days, extension, extra in ((20 * 30, False, False), (23 * 31, True, False), (35 * 31, True, True)):
        for literacy in ("Mangler grunnleggende ferdigheter", "Gode ferdigheter"):
            given: Answers = {"Lese- og skriveferdigheter på eget morsmål": literacy}
            public_id = office.given(start=today() - timedelta(days=days), bakgrunn=given)
            form = office.form(public_id, "programinnhold")
            assert form.has("Forlenget utover to år?") is extension
            assert form.has("Utvidet med ytterligere ett år?") is (extra and literacy.startswith("Mangler"))


@pytest.mark.parametrize(
    ("word", "before", "after", "key"),
    [
        (
            "bakgrunn",
            {"Antall barn under 18 år": "1", "Fødselsår for yngste barn": "2020"},
            {"Antall barn under 18 år": "0"},
            "youngest_child",
        ),
        (
            "avslutning",
            {"Årsak til avslutning": "Annet", "Beskriv årsaken": "Flyttet til hytta"},
            {"Årsak til avslutning": "Sykdom"},
            "end_reason_text",
        ),
        (
            "avslutning",
            {"Deltakeren har gått ut i": ["Arbeid", "Studie"], "Stillingsprosent": "80"},
            {"Deltakeren har gått ut i": ["Studie"]},
            "job_percent",
        ),
    ],
)
def test_what_is_not_asked_any_more_is_emptied_and_stays_in_the_history(
    office: Office, word: str, before: Answers, after: Answers, key: str
) -> None:
    public_id = office.given(**{word: before})
    old = getattr(office.participation(public_id), key)
    assert old is not None
    office.save(public_id, word, after)
    assert getattr(office.participation(public_id), key) is None
    assert (3, "berit.bergen", key, old, None) in office.changes(public_id)


def test_an_answer_takes_along_what_hangs_on_it_on_another_page(office: Office) -> None:
    literacy = "Lese- og skriveferdigheter på eget morsmål"
    public_id = office.given(
        start=LONG_AGO,
        bakgrunn=FULL_BACKGROUND | {literacy: "Mangler grunnleggende ferdigheter"},
        programinnhold={"Utvidet med ytterligere ett år?": "Ja"},
    )
    assert office.participation(public_id).extra_year == "yes"
    goal_of(office.send(public_id, "bakgrunn", {literacy: "Gode ferdigheter"}, "Neste"))
    assert office.participation(public_id).extra_year is None
    assert (4, "berit.bergen", "extra_year", "yes", None) in office.changes(public_id)


@ONE_DATABASE
def test_what_comes_back_into_sight_shows_what_is_registered(office: Office) -> None:
    public_id = office.given(bakgrunn={"Antall barn under 18 år": "1", "Fødselsår for yngste barn": "2020"})
    form = office.form(public_id, "bakgrunn")
    form.fill({"Antall barn under 18 år": "0"})
    client = office.client_of("berit.bergen")
    gone = form_in(client.submit(form, button=SHOW), form="registrering")
    assert not gone.has("Fødselsår for yngste barn")
    gone.fill({"Antall barn under 18 år": "2"})
    fragment = changed(office, public_id, "bakgrunn", gone, "children")
    assert redrawn(fragment).keys() == {"youngest_child"}
    assert 'value="2020"' in fragment.get_data(as_text=True)
    back = form_in(client.submit(gone, button=SHOW), form="registrering")
    assert back.value("Fødselsår for yngste barn") == "2020"


def test_what_hangs_on_an_unreadable_answer_stays(office: Office) -> None:
    public_id = office.given()
    client = office.client_of("berit.bergen")
    form = office.form(public_id, "bakgrunn")
    form.fill({"Antall barn under 18 år": "2"})
    form = form_in(client.submit(form, button=SHOW), form="registrering")
    form.fill({"Fødselsår for yngste barn": "2019", "Antall barn under 18 år": "2 eller 3"})
    assert "youngest_child" not in redrawn(changed(office, public_id, "bakgrunn", form, "children"))
    goal_of(client.submit(form, button=OUT))
    assert office.drafts(public_id) == {"children": ["2 eller 3"]}
    assert office.participation(public_id).youngest_child == 2019  # «2» is registered, so the field applies
    form = office.form(public_id, "bakgrunn")
    assert form.value("Fødselsår for yngste barn") == "2019"
    goal_of(client.submit(form, button=OUT, fill={"Antall barn under 18 år": "3"}))
    found = office.participation(public_id)
    assert (found.children, found.youngest_child, office.drafts(public_id)) == (3, 2019, {})


def test_what_hangs_on_a_number_that_is_written_anew_stays(office: Office) -> None:
    """The old number is deleted before the new one is typed."""
    public_id = office.given(bakgrunn={"Antall barn under 18 år": "2", "Fødselsår for yngste barn": "2019"})
    form = office.form(public_id, "bakgrunn")
    form.fill({"children": "", "youngest_child": "2020"})
    assert not redrawn(changed(office, public_id, "bakgrunn", form, "children")).keys() & {"youngest_child"}
    refused = office.client_of("berit.bergen").submit(form, button="Neste")
    assert refused.status_code == 422
    assert form_in(refused, form="registrering").value("youngest_child") == "2020"
    goal_of(office.client_of("berit.bergen").submit(form, button=OUT))
    found = office.participation(public_id)
    assert (found.children, found.youngest_child) == (None, None)
    assert office.drafts(public_id) == {"youngest_child": ["2020"]}
    office.save(public_id, "bakgrunn", {"children": "3"})
    found = office.participation(public_id)
    assert (found.children, found.youngest_child, office.drafts(public_id)) == (3, 2020, {})


def test_the_short_time_since_the_introduction_programme_is_remarked_upon(office: Office) -> None:
    public_id = office.given(bakgrunn=FULL_BACKGROUND | {"Tidligere tiltak": ["Introduksjonsprogram"]})
    words = "Det er mindre enn to år mellom introduksjonsprogrammet og oppstart i Jobbsjansen."
    start = office.participation(public_id).start_date
    late, early = f"{start:%m}.{start.year - 1}", f"{start:%m}.{start.year - 2}"
    form = office.form(public_id, "bakgrunn")
    assert words not in form.tree.text(form.element)
    form.fill({"intro_end": late})
    assert redrawn(changed(office, public_id, "bakgrunn", form, "intro_end")) == {"advarsel-intro_end": words}
    assert goal_of(office.client_of("berit.bergen").submit(form, button="Neste")) == address(
        public_id, "programinnhold"
    )
    assert words in text_of(office.page(public_id, "bakgrunn"))
    assert words in text_of(office.page(public_id, "data"))
    form = office.form(public_id, "bakgrunn")
    form.fill({"intro_end": early})
    assert redrawn(changed(office, public_id, "bakgrunn", form, "intro_end")) == {"advarsel-intro_end": ""}


@ONE_DATABASE
def test_the_discharge_button_follows_as_a_fragment(office: Office) -> None:
    public_id = office.complete()
    form = office.form(public_id, "avslutning")
    assert "Mangler: Årsak til avslutning, Dato for avslutning" in form.tree.text(form.tree.by_id["utskriv-mangler"])
    form.fill({**FULL_TERMINATION, "Dato for avslutning": ""})
    words = redrawn(changed(office, public_id, "avslutning", form, "end_reason"))["utskriving"]
    assert words.endswith("Mangler: Dato for avslutning")
    form.fill(FULL_TERMINATION)
    assert redrawn(changed(office, public_id, "avslutning", form, "end_date")) == {
        "utskriving": "Utskriv og registrer ferdig"
    }
    form.fill({"Dato for avslutning": date_text(today() + timedelta(days=1))})
    assert (
        "Mangler: Dato for avslutning"
        in redrawn(changed(office, public_id, "avslutning", form, "end_date"))["utskriving"]
    )


@ONE_DATABASE
def test_unknown_fields_get_no_fragment(office: Office) -> None:
    public_id = office.given()
    token = dict(office.form(public_id, "bakgrunn").pairs(None))["csrf_token"]
    client = office.client_of("berit.bergen")
    for junk in ({"name": "Kari"}, {"target_group": "rich"}, {"children": ["1", "2"]}):
        data = MultiDict({"csrf_token": token, "version": "1", **junk})
        assert client.post_partial(address(public_id, "bakgrunn", "lagre"), data).status_code == 400
    for go in ("add", "add-goals", "remove-", "next", "mine-goals", "theirs-", "\x00"):
        data = MultiDict({"csrf_token": token, "version": "1", "go": go})
        assert client.post_partial(address(public_id, "programinnhold", "lagre"), data).status_code == 400
