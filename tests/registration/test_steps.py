"""The four pages: forwards and backwards, what is kept, what is refused, what «Mangler» counts."""

from datetime import date, timedelta

import pytest

from services.core.clock import today
from services.core.collation import sort_key
from services.core.days import date_text
from services.core.status import Status
from services.questions.pages import FIELDS
from tests.support.client import form_in, text_of, tree_of
from tests.support.forms import Form
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
OUT = "Til deltakeroversikten"


def step_button(form: Form, number: int) -> str:
    """The full name of a step's button, with its progress."""
    names = [form.tree.accessible_name(button) for button in form.buttons]
    return next(name for name in names if name.startswith(f"{number}. "))


# ---- All pages ----


def test_the_whole_way_and_what_is_said_of_it(office: Office) -> None:
    public_id = office.create()
    found = office.participation(public_id)
    assert found.background_missing == len(FULL_BACKGROUND)
    assert found.programme_missing == len(FULL_PROGRAMME)
    answer = office.send(public_id, "bakgrunn", FULL_BACKGROUND, "Neste")
    assert goal_of(answer) == address(public_id, "programinnhold")
    answer = office.send(public_id, "programinnhold", FULL_PROGRAMME, "Fullfør", partial=True)
    assert (answer.status_code, goal_of(answer)) == (204, "/deltakere")
    found = office.participation(public_id)
    assert (found.background_missing, found.programme_missing, found.status) == (0, 0, Status.CHANGED)
    page = office.page(public_id, "avslutning")
    form = form_in(page, form="registrering")
    assert [step_button(form, n) for n in (1, 2, 3, 4)] == [
        "1. Person og prosjekt, Fullført",
        "2. Bakgrunn, Fullført",
        "3. Programinnhold, Fullført",
        "4. Avslutning, Ved utskriving",
    ]
    assert "Lagret kl. " in text_of(page)
    changed = [field for _version, _user, field, _old, _new in office.changes(public_id)]
    assert {"target_group", "earlier_measures", "goals", "no_activities"} <= set(changed)
    assert [action for action, _ in office.log(public_id)].count("change") == 2
    assert ("change", {"fields": ["allowance", "goals", "hours_per_week", "individual_plan", "no_activities"]}) in (
        office.log(public_id)
    )


def test_what_was_saved_stands_there_again(office: Office) -> None:
    """Every kind of field, on both databases."""
    public_id = office.given()
    background = FULL_BACKGROUND | {"Land for utdanningen": "Somalia", "Morsmål": "Somali"}
    programme = FULL_PROGRAMME | {"Timer i program per uke": "22,5", "Mål": ["Lønnet arbeid", "Annet"]}
    office.save(public_id, "bakgrunn", background)
    office.save(public_id, "programinnhold", programme)
    office.save(public_id, "avslutning", FULL_TERMINATION)
    for word, given in (("bakgrunn", background), ("programinnhold", programme), ("avslutning", FULL_TERMINATION)):
        form = office.form(public_id, word)
        for label, value in given.items():
            expected = [label] if value is True else value
            assert form.value(label) in (expected, [expected])
    form = office.form(public_id, "person")
    assert form.value("Dato for oppstart") == date_text(START)
    assert office.participation(public_id).status == Status.ENDED


# ---- Forwards ----


@pytest.mark.parametrize("partial", [False, True])
def test_one_cannot_go_on_with_errors(office: Office, partial: bool) -> None:
    public_id = office.given()
    before = office.snapshot(public_id)
    given: Answers = {**FULL_BACKGROUND, "Antall barn under 18 år": "mange", "Morsmål": "Urdu"}
    given.pop("Rekrutteringskanal")
    answer = office.send(public_id, "bakgrunn", given, "Neste", partial=partial)
    assert answer.status_code == 422
    assert office.snapshot(public_id) == before
    tree, form = tree_of(answer), form_in(answer, form="registrering")
    assert tree.text(next(tree.elements("title"))).startswith("Feil: ")
    summary = tree.by_id["error-summary"]
    assert [tree.text(link) for link in summary.iter("a")] == [
        "Rekrutteringskanal: velg et svar",
        "Antall barn under 18 år: skriv et tall fra 0 til 15",
    ]
    assert [link.attrib["href"] for link in summary.iter("a")] == ["#recruitment", "#children"]
    assert tree.text(tree.by_id["recruitment-error"]) == "Velg et svar"
    assert tree.text(tree.by_id["children-error"]) == "Skriv et tall fra 0 til 15"
    assert form.value("Antall barn under 18 år") == "mange"
    assert form.value("Morsmål") == ["Urdu"]
    assert form.value("Tidligere tiltak") == ["Norskopplæring"]
    mended = office.client_of("berit.bergen").submit(
        form, button="Neste", fill={"Antall barn under 18 år": "0", "Rekrutteringskanal": "Annet"}
    )
    assert goal_of(mended) == address(public_id, "programinnhold")


def test_the_buttons_of_later_pages_hold_the_same_rule(office: Office) -> None:
    public_id = office.given()
    form = office.form(public_id, "bakgrunn")
    answer = office.send(public_id, "bakgrunn", {}, step_button(form, 3))
    assert answer.status_code == 422
    answer = office.send(public_id, "person", {}, step_button(form, 3))
    assert goal_of(answer) == address(public_id, "bakgrunn")  # leads to the incomplete page
    office.put(public_id, "bakgrunn", FULL_BACKGROUND)
    form = office.form(public_id, "person")
    assert step_button(form, 2) == "2. Bakgrunn, Fullført"
    assert goal_of(office.send(public_id, "person", {}, step_button(form, 3))) == address(public_id, "programinnhold")


def test_avslutning_always_opens(office: Office) -> None:
    public_id = office.given()
    for word in ("person", "bakgrunn", "programinnhold"):
        form = office.form(public_id, word)
        answer = office.send(public_id, word, {}, step_button(form, 4))
        assert goal_of(answer) == address(public_id, "avslutning")


# ---- Backwards and out ----


@pytest.mark.parametrize("way", ["back", "out", "to the end"])
def test_backwards_and_out_keep_what_is_right_and_draft_what_is_wrong(office: Office, way: str) -> None:
    public_id = office.given()
    form = office.form(public_id, "bakgrunn")
    button = {"back": step_button(form, 1), "out": OUT, "to the end": step_button(form, 4)}[way]
    given: Answers = {"Morsmål": "Urdu", "Antall barn under 18 år": "-3"}
    goal_of(office.send(public_id, "bakgrunn", given, button))
    found = office.participation(public_id)
    assert (found.mother_tongue, found.children, found.version) == ("urd", None, 2)
    assert office.drafts(public_id) == {"children": ["-3"]}
    assert found.background_missing == len(FULL_BACKGROUND)
    page = office.page(public_id, "bakgrunn")
    assert form_in(page, form="registrering").value("Antall barn under 18 år") == "-3"
    tree = tree_of(page)
    assert tree.text(tree.by_id["children-error"]) == "Skriv et tall fra 0 til 15"
    office.save(public_id, "bakgrunn", FULL_BACKGROUND)
    assert office.drafts(public_id) == {}
    assert office.participation(public_id).background_missing == 0


def test_a_draft_over_a_registered_answer_leaves_it_and_counts(office: Office) -> None:
    public_id = office.complete()
    office.save(public_id, "programinnhold", {"Timer i program per uke": "tretti"})
    found = office.participation(public_id)
    assert (str(found.hours_per_week), found.programme_missing, found.status) == ("30.0", 1, Status.CHANGED)
    changes, at = office.changes(public_id), found.changed_at
    office.save(public_id, "programinnhold", {"Timer i program per uke": "tretti og en halv"})
    found = office.participation(public_id)
    assert office.changes(public_id) == changes
    assert found.changed_at == at
    assert office.drafts(public_id) == {"hours_per_week": ["tretti og en halv"]}
    answer = office.send(public_id, "programinnhold", {}, "Fullfør")
    assert answer.status_code == 422
    office.save(public_id, "programinnhold", {"Timer i program per uke": "30"})
    assert office.drafts(public_id) == {}
    assert office.participation(public_id).programme_missing == 0
    assert office.changes(public_id) == changes


def test_what_cannot_be_left_empty_stays_registered(office: Office) -> None:
    public_id = office.given()
    office.save(public_id, "person", {"Dato for oppstart": ""})
    assert office.participation(public_id).start_date == START
    form = office.form(public_id, "person")
    assert form.value("Dato for oppstart") == ""
    assert step_button(form, 1) == "1. Person og prosjekt, Mangler 1"
    answer = office.client_of("berit.bergen").submit(form, button="Neste")
    assert answer.status_code == 422
    assert "Fyll ut dato for oppstart" in text_of(answer)
    office.save(public_id, "person", {"Dato for oppstart": "31.12.2023"})
    assert date_text(office.participation(public_id).start_date) == "31.12.2023"
    assert office.drafts(public_id) == {}


def test_the_district_can_be_changed(office: Office) -> None:
    public_id = office.given(by="kari.oslo", district="030101")
    goal_of(office.send(public_id, "person", {"Bydel": "Østensjø"}, "Neste", "kari.oslo"))
    found = office.participation(public_id)
    assert (found.district_number, found.status) == ("030113", Status.CHANGED)
    assert found.district_key == sort_key("Østensjø")
    assert office.changes(public_id)[-1] == (2, "kari.oslo", "district", "030101", "030113")
    assert "Østensjø" in text_of(office.page(public_id, "data", "kari.oslo"))


def test_a_draft_that_has_become_right_is_not_taken_for_registered(office: Office) -> None:
    """Before discharge above all: what is confirmed must be what is registered."""
    public_id = office.ended()
    early = START - timedelta(days=10)
    office.put(public_id, "avslutning", {"Dato for avslutning": date_text(early), "Gyldig fravær, dager": "0"})
    end = office.participation(public_id).end_date
    assert office.drafts(public_id) == {"end_date": [date_text(early)]}
    office.put(public_id, "person", {"Dato for oppstart": date_text(early)})
    page = office.page(public_id, "avslutning")
    tree = tree_of(page)
    assert tree.text(tree.by_id["end_date-error"]) == (
        "Svaret er ikke lagret ennå. Det lagres når noe endres på siden, eller når du går videre. "
        f"Registrert svar: «{date_text(end)}»"
    )
    assert tree.by_id["utskriv"].attrib["aria-disabled"] == "true"
    confirm = office.client_of("berit.bergen").get(address(public_id, "avslutning", "utskriv"))
    assert goal_of(confirm) == address(public_id, "avslutning")
    assert office.participation(public_id).end_date == end
    answer = office.client_of("berit.bergen").submit(page, button="Utskriv og registrer ferdig")
    assert goal_of(answer) == address(public_id, "avslutning", "utskriv")
    assert office.participation(public_id).end_date == early


def test_an_answer_that_another_page_has_made_wrong_is_counted(office: Office) -> None:
    public_id = office.given(start=date(2024, 2, 1))
    year = {"Antall barn under 18 år": "1"}
    office.put(public_id, "bakgrunn", FULL_BACKGROUND | year)
    office.put(public_id, "bakgrunn", {"Fødselsår for yngste barn": "2006"})
    assert office.participation(public_id).background_missing == 0
    office.put(public_id, "person", {"Dato for oppstart": "02.01.2025"})
    assert office.participation(public_id).background_missing == 1
    assert "skriv et årstall fra 2007" in text_of(office.send(public_id, "bakgrunn", {}, "Neste"))
    office.put(public_id, "person", {"Dato for oppstart": "01.02.2024"})
    assert office.participation(public_id).background_missing == 0


# ---- Nothing changed ----


def test_saving_what_stands_there_changes_nothing(office: Office) -> None:
    public_id = office.ended()
    office.put(public_id, "programinnhold", {"Timer i program per uke": "x"})
    before = office.snapshot(public_id)
    for word in ("person", "bakgrunn", "programinnhold", "avslutning"):
        goal_of(office.send(public_id, word, {}, OUT))
    goal_of(office.send(public_id, "bakgrunn", {}, "Neste"))
    assert office.snapshot(public_id) == before


# ---- Manipulated forms ----


def junk() -> list[tuple[str, dict[str, str | list[str]], int]]:
    """A page, manipulated values instead of the form's, and the status of the response."""
    return [
        ("bakgrunn", {"name": "Kari"}, 400),
        ("bakgrunn", {"start_date": "01.01.2024"}, 400),  # of another page
        ("bakgrunn", {"target_group": "rich"}, 400),
        ("bakgrunn", {"target_group": ["social", "other"]}, 400),
        ("bakgrunn", {"earlier_measures": ["norwegian", "x"]}, 400),
        ("bakgrunn", {"mother_tongue": "\x00"}, 400),
        ("bakgrunn", {"children": ["1", "2"]}, 400),
        ("bakgrunn", {"version": ""}, 400),
        ("bakgrunn", {"version": []}, 400),
        ("bakgrunn", {"version": "1e3"}, 400),
        ("bakgrunn", {"version": "-1"}, 400),
        ("bakgrunn", {"version": "٣"}, 400),
        ("bakgrunn", {"version": "99999999"}, 400),
        ("bakgrunn", {"version": "9" * 5000}, 400),
        ("bakgrunn", {"go": "away"}, 400),
        ("bakgrunn", {"go": "discharge"}, 400),
        ("bakgrunn", {"go": "add-goals"}, 400),
        ("bakgrunn", {"go": "\x00"}, 400),
        ("bakgrunn", {"children": "-1"}, 422),
        ("bakgrunn", {"children": "16"}, 422),
        ("bakgrunn", {"children": "1" * 10_000}, 422),
        ("bakgrunn", {"children": "1\x00"}, 422),
        ("programinnhold", {"hours_per_week": "1e1"}, 422),
        ("programinnhold", {"hours_per_week": "NaN"}, 422),
        ("programinnhold", {"hours_per_week": "40,5"}, 422),
        ("programinnhold", {"no_activities": "yes"}, 400),
        ("programinnhold", {"individual_plan": "yes", "plan_date": "31.02.2024"}, 422),
        ("programinnhold", {"individual_plan": "yes", "plan_date": "01.01.1026"}, 422),
        ("programinnhold", {"individual_plan": "yes", "plan_date": date_text(today() + timedelta(days=1))}, 422),
        ("programinnhold", {"goals": ["other"], "goals_other": "x" * 10_000}, 422),
        ("programinnhold", {"goals": ["other"], "goals_other": "bell\x07"}, 422),
        ("programinnhold", {"goals": ["other"], "goals_other": "null\x00"}, 422),
        ("programinnhold", {"goals": ["other"], "goals_other": "two\r\nlines"}, 422),
        ("programinnhold", {"activities-0-kind": "nap"}, 400),
        ("programinnhold", {"activities-0-status": "4"}, 400),
        ("programinnhold", {"activities-7-kind": "norwegian"}, 400),
        ("programinnhold", {"activities-x-kind": "norwegian"}, 400),
        ("programinnhold", {"go": "remove-activities"}, 400),
        ("programinnhold", {"go": "remove-activities-99"}, 200),  # no such row: the page as it was sent
        ("programinnhold", {"go": "remove-activities-" + "9" * 5000}, 400),
        ("person", {"start_date": date_text(today() + timedelta(days=1))}, 422),
        ("person", {"start_date": "01.01.1026"}, 422),
        ("person", {"national_id": "30908299902"}, 400),
        ("person", {"municipality": "0301"}, 400),
        ("person", {"funding": "gold"}, 400),
    ]


@ONE_DATABASE
def test_what_cannot_be_is_refused_and_nothing_stored(office: Office) -> None:
    public_id = office.complete()
    before = office.snapshot(public_id)
    client = office.client_of("berit.bergen")
    forms = {word: office.form(public_id, word) for word in ("person", "bakgrunn", "programinnhold")}
    for word, sent, status in junk():
        button = "Fullfør" if word == "programinnhold" else "Neste"
        marks = {f"felt-{key}": "1" for key in sent.keys() & FIELDS.keys()}
        answer = client.submit(forms[word], button=button, extra={**marks, **sent}, partial=True)
        assert answer.status_code == status, (word, sent)
        assert len(text_of(answer)) > 20
        assert office.snapshot(public_id) == before, (word, sent)


def test_no_character_is_too_strange_for_a_draft(office: Office) -> None:
    public_id = office.given()
    client = office.client_of("berit.bergen")
    form = office.form(public_id, "bakgrunn")
    goal_of(client.submit(form, button=OUT, extra={"children": "1\x00\x07\ufffe" + "9" * 10_000}))
    assert office.drafts(public_id) == {"children": ["1\ufffd\ufffd\ufffd" + "9" * 10_000]}
    assert "Skriv et tall fra 0 til 15" in text_of(office.page(public_id, "bakgrunn"))


@ONE_DATABASE
def test_bad_bytes_and_large_forms_are_refused_with_words(office: Office) -> None:
    public_id = office.given()
    client = office.client_of("berit.bergen")
    token = dict(office.form(public_id, "bakgrunn").pairs(None))["csrf_token"]
    path = address(public_id, "bakgrunn")
    form = "application/x-www-form-urlencoded"
    bad = client.post(
        path,
        data=f"csrf_token={token}&version=1&go=next&children=%ff%fe&felt-children=1&slutt=1".encode(),
        content_type=form,
    )
    assert bad.status_code == 422
    large = client.post(path, data={"csrf_token": token, "version": "1", "children": "1" * 1_100_000})
    assert large.status_code == 413
    assert "for stort" in text_of(large)
    assert client.post(path, data={"version": "1", "go": "next"}).status_code == 400  # no token
    assert client.get(path + "%ff").status_code == 404
    assert office.participation(public_id).version == 1


def test_others_find_nobody_there(office: Office) -> None:
    public_id = office.given()
    kari, ida = office.client_of("kari.oslo"), office.client_of("ida.imdi")
    token = dict(form_in(kari.get("/deltakere/ny"), form="registrering").pairs(None))["csrf_token"]
    for word in ("person", "bakgrunn", "programinnhold", "avslutning", "data", "historikk", "slett"):
        assert kari.get(address(public_id, word)).status_code == 404
    for word in ("bakgrunn", "bakgrunn/lagre", "avslutning/utskriv", "slett"):
        more = {} if word == "slett" else {"version": "1"}
        answer = kari.post(address(public_id, word), data={"csrf_token": token, **more})
        assert answer.status_code == 404
    assert ("refused", None) in office.log(public_id)
    assert goal_of(ida.get(address(public_id, "bakgrunn"))) == address(public_id, "data")
    assert office.participation(public_id).version == 1
