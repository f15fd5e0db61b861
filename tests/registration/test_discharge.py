"""Avslutning: required fields, the button, the confirmation, and the state afterwards."""

from datetime import timedelta

import pytest
from werkzeug.datastructures import MultiDict

from services.core.clock import today
from services.core.days import date_text
from services.core.status import Status
from tests.support.client import form_in, text_of, tree_of
from tests.support.registering import (
    FULL_BACKGROUND,
    FULL_PROGRAMME,
    FULL_TERMINATION,
    START,
    Answers,
    Office,
    address,
    goal_of,
)

ONE_DATABASE = pytest.mark.parametrize("own_house", ["sqlite"], indirect=True)
PRESS = "Utskriv og registrer ferdig"
OK = "Det er OK"


def refused(office: Office, public_id: str, fill: Answers) -> tuple[list[str], str]:
    """Press the button; returns the lines of the error summary, and all text of the page."""
    answer = office.send(public_id, "avslutning", fill, PRESS)
    assert answer.status_code == 422
    tree = tree_of(answer)
    assert tree.text(next(tree.elements("title"))).startswith("Feil: ")
    summary = tree.by_id.get("error-summary")
    lines = [] if summary is None else [tree.text(link) for link in summary.iter("a")]
    return lines, text_of(answer)


def test_the_button_waits_for_all_pages(office: Office) -> None:
    public_id = office.given()
    tree = tree_of(office.page(public_id, "avslutning"))
    button = tree.by_id["utskriv"]
    assert button.attrib["aria-disabled"] == "true"
    assert "data-color" not in button.attrib
    lacking = tree.text(tree.by_id["utskriv-mangler"])
    assert lacking.startswith("Mangler: Bakgrunn, Programinnhold, Årsak til avslutning, Dato for avslutning")
    lines, words = refused(office, public_id, FULL_TERMINATION)
    assert lines == []
    assert "Andre sider mangler noe" in words
    assert "Bakgrunn : Målgruppe ved oppstart, Rekrutteringskanal" in words
    office.put(public_id, "bakgrunn", FULL_BACKGROUND)
    office.put(public_id, "programinnhold", FULL_PROGRAMME)
    office.put(public_id, "avslutning", FULL_TERMINATION)
    tree = tree_of(office.page(public_id, "avslutning"))
    button = tree.by_id["utskriv"]
    assert "aria-disabled" not in button.attrib
    assert button.attrib["data-color"] == "success"
    assert "utskriv-mangler" not in tree.by_id


@ONE_DATABASE
def test_all_that_is_asked_must_be_answered(office: Office) -> None:
    public_id = office.complete()
    lines, _words = refused(office, public_id, {})
    assert lines == [
        "Velg årsak til avslutning",
        "Fyll ut dato for avslutning",
        "Gyldig fravær, dager: fyll ut feltet",
        "Ugyldig fravær, dager: fyll ut feltet",
        "Hovedkilde til livsopphold etter avslutning: velg et svar",
        "Norsknivå ved avslutning, muntlig: velg et svar",
        "Norsknivå ved avslutning, skriftlig: velg et svar",
    ]
    with_outcome = {"Deltakeren har gått ut i": ["Arbeid", "Studie", "Annet"]}
    office.put(public_id, "avslutning", FULL_TERMINATION | with_outcome)
    lines, _words = refused(office, public_id, {})
    assert [line.partition(":")[0].removesuffix(" Velg et svar") for line in lines] == [
        "Type arbeid",
        "Stillingsprosent",
        "Sektor",
        "Bransje",
        "Type utdanning",
        "Omfang",
        "Hva går deltakeren til?",
    ]


COMPLETED = [
    "Gått ut i arbeid",
    "Gått ut i utdanning",
    "Gått ut i både arbeid og utdanning",
    "Uten overgang til arbeid eller utdanning",
    "Programtiden er brukt opp",
]
WITH_OUTCOME = [*COMPLETED, "Fått arbeid før programslutt", "Begynt i utdanning", "Overført til annet tiltak"]


@ONE_DATABASE
def test_the_outcome_must_be_told_for_some_reasons(office: Office) -> None:
    public_id = office.ended()
    form = office.form(public_id, "avslutning")
    client = office.client_of("berit.bergen")
    reasons = next(one.options for one in form.controls if one.name == "end_reason")
    required = []
    for code, words in reasons.items():
        if not code or code == "other":
            continue
        form.fill({"end_reason": words})
        pairs = MultiDict(form.pairs(None))
        fragment = client.post_partial(address(public_id, "avslutning", "lagre"), pairs)
        if "Mangler: Deltakeren har gått ut i" in text_of(fragment):
            required.append(words)
    assert required == WITH_OUTCOME


@ONE_DATABASE
@pytest.mark.parametrize(
    ("fill", "line"),
    [
        (
            {"Dato for avslutning": date_text(START - timedelta(days=1))},
            f"Dato for avslutning: datoen kan ikke være før oppstart {date_text(START)}",
        ),
        (
            {"Gyldig fravær, dager": "300", "Ugyldig fravær, dager": "99"},
            "Ugyldig fravær, dager: fraværet er til sammen 399 dager, men perioden har bare 398",
        ),
        (
            {"Gyldig fravær, dager": "399", "Ugyldig fravær, dager": "0"},
            "Gyldig fravær, dager: fraværet er til sammen 399 dager, men perioden har bare 398",
        ),
        ({"Gyldig fravær, dager": "-1"}, "Gyldig fravær, dager: skriv et tall fra 0 til 9999"),
    ],
)
def test_what_does_not_fit_stops_the_discharge(office: Office, fill: Answers, line: str) -> None:
    public_id = office.ended()
    assert refused(office, public_id, fill)[0] == [line]
    assert office.participation(public_id).status == Status.ENDED


def test_absence_may_fill_the_whole_period(office: Office) -> None:
    public_id = office.ended()
    fill: Answers = {"Gyldig fravær, dager": "300", "Ugyldig fravær, dager": "98"}
    answer = office.send(public_id, "avslutning", fill, PRESS)
    assert goal_of(answer) == address(public_id, "avslutning", "utskriv")


def test_an_end_that_lies_ahead_ends_but_does_not_discharge(office: Office) -> None:
    public_id = office.complete()
    tomorrow = today() + timedelta(days=1)
    line = "Dato for avslutning er ikke nådd ennå"
    assert refused(office, office.ended(), {"Dato for avslutning": date_text(tomorrow)})[0] == [line]
    office.save(public_id, "avslutning", FULL_TERMINATION | {"Dato for avslutning": date_text(tomorrow)})
    found = office.participation(public_id)
    assert (found.status, found.end_date) == (Status.ENDED, tomorrow)
    tree = tree_of(office.page(public_id, "avslutning"))
    assert tree.text(tree.by_id["utskriv-mangler"]) == "Mangler: Dato for avslutning"
    confirm = office.client_of("berit.bergen").get(address(public_id, "avslutning", "utskriv"))
    assert goal_of(confirm) == address(public_id, "avslutning")
    office.save(public_id, "avslutning", {"Dato for avslutning": ""})
    assert office.participation(public_id).status == Status.CHANGED


# ---- The confirmation ----


def test_the_question_as_a_page(office: Office) -> None:
    person = office.someone()
    public_id = office.complete(person)
    answer = office.send(public_id, "avslutning", FULL_TERMINATION, PRESS)
    page = office.client_of("berit.bergen").get(goal_of(answer))
    words = text_of(page)
    assert "Er alle opplysninger riktige?" in words
    assert f"{person.full_name} skrives ut av Jobbsjansen." in words
    assert "Årsak til avslutning Møter ikke opp" in words
    assert "Hovedkilde til livsopphold etter avslutning Lønn" in words
    assert "Gyldig fravær, dager 12 dager Ugyldig fravær, dager 0 dager" in words
    back = office.client_of("berit.bergen").follow(page, "Avbryt")
    assert back.request.path == address(public_id, "avslutning")
    assert office.participation(public_id).status == Status.ENDED
    assert goal_of(office.client_of("berit.bergen").submit(page, button=OK)) == address(public_id, "kvittering")
    assert office.participation(public_id).status == Status.DISCHARGED


def test_the_question_as_a_dialog(office: Office) -> None:
    public_id = office.complete()
    form = office.form(public_id, "avslutning")
    form.fill(FULL_TERMINATION)
    client = office.client_of("berit.bergen")
    answer = client.submit(form, button=PRESS, partial=True)
    assert answer.status_code == 200
    assert (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == ("#dialog", "innerHTML")
    tree = tree_of(answer)
    version = next(part for part in tree.elements("hx-partial") if part.attrib["data-hx-target"] == "#versjon")
    assert next(version.iter("input")).attrib["value"] == "4"  # «Avbryt» leads back to a form that is not stale
    cancel = next(b for b in tree.elements("button") if "autofocus" in b.attrib)
    assert tree.accessible_name(cancel) == "Avbryt"
    done = client.submit(answer, button=OK, partial=True)
    assert (done.status_code, goal_of(done)) == (204, address(public_id, "kvittering"))
    assert office.participation(public_id).status == Status.DISCHARGED


def test_pressing_twice_does_no_harm(office: Office) -> None:
    public_id = office.ended()
    client = office.client_of("berit.bergen")
    question = client.get(address(public_id, "avslutning", "utskriv"))
    assert goal_of(client.submit(question, button=OK)) == address(public_id, "kvittering")
    before = office.snapshot(public_id)
    assert goal_of(client.submit(question, button=OK)) == address(public_id, "kvittering")
    assert office.snapshot(public_id) == before


# ---- Afterwards ----


def test_she_has_left_the_overview_and_her_name_is_gone(office: Office) -> None:
    person = office.someone()
    public_id = office.ended(person)
    number = len(office.changes(public_id))
    done = office.discharge(public_id)
    client = office.client_of("berit.bergen")
    overview = text_of(client.get(goal_of(done)))
    found = office.participation(public_id)
    assert f"Deltaker {found.person_id} er skrevet ut." in overview
    assert person.full_name not in overview
    assert (found.name, found.name_key, found.discharged_by) == ("", None, "berit.bergen")
    assert office.changes(public_id)[number:] == [(5, "berit.bergen", "discharged", None, True)]
    assert [action for action, _detail in office.log(public_id)].count("discharge") == 1
    for word in ("data", "historikk"):
        for by in ("berit.bergen", "ida.imdi"):
            page = office.page(public_id, word, by)
            tree = tree_of(page)
            h1 = tree.text(next(tree.elements("h1")))
            assert h1.startswith(f"Deltaker {found.person_id} · ")
            assert tree.text(next(tree.elements("title"))).startswith(h1)
            html = page.get_data(as_text=True)
            assert person.full_name not in html
            assert person.last_name not in html
            assert (word == "data") == (person.number[:6] in html and person.number[6:] in html)
            links = {tree.accessible_name(link) for link in tree.elements("a")}
            assert not links & {"Registrering", "Slett deltaker"}
    assert f"Deltakeren er utskrevet {date_text(today())}." in text_of(office.page(public_id, "data"))


def test_nothing_can_be_changed_any_more(office: Office) -> None:
    public_id = office.ended()
    client = office.client_of("berit.bergen")
    token = dict(office.form(public_id, "bakgrunn").pairs(None))["csrf_token"]
    office.discharge(public_id)
    before = office.snapshot(public_id)
    for word in ("person", "bakgrunn", "programinnhold", "avslutning"):
        assert goal_of(client.get(address(public_id, word))) == address(public_id, "data")
        for more in ((), ("lagre",)):
            for go in ("next", "overview", "fetch", "discharge", "add-activities"):
                data = {"csrf_token": token, "version": "1", "go": go}
                assert client.post(address(public_id, word, *more), data=data).status_code == 403
    assert client.get(address(public_id, "avslutning", "utskriv")).status_code == 403
    assert client.get(address(public_id, "slett")).status_code == 403
    assert client.get(address(public_id, "slett", "bekreft")).status_code == 403
    assert client.post(address(public_id, "slett"), data={"csrf_token": token}).status_code == 403
    assert office.snapshot(public_id) == before


def test_drafts_do_not_outlive_the_discharge(office: Office) -> None:
    """Drafts first prevent the discharge."""
    public_id = office.ended()
    office.put(public_id, "bakgrunn", {"Antall barn under 18 år": "mange"})
    lines, words = refused(office, public_id, {})
    assert lines == []
    assert "Antall barn under 18 år" in words
    form = form_in(office.page(public_id, "bakgrunn"), form="registrering")
    goal_of(office.client_of("berit.bergen").submit(form, button="Neste", fill={"Antall barn under 18 år": "0"}))
    office.discharge(public_id)
    assert office.drafts(public_id) == {}
