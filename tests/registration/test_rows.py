"""Tiltak and permisjon: rows are added and removed, validated one by one, and stored in order."""

import pytest
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from services.core.days import date_text
from tests.support.client import form_in, text_of, tree_of
from tests.support.forms import Form
from tests.support.registering import FULL_PROGRAMME, START, Answers, Office, address, goal_of

ONE_DATABASE = pytest.mark.parametrize("own_house", ["sqlite"], indirect=True)
FROM = date_text(START)
WITHOUT_NONE: Answers = {key: value for key, value in FULL_PROGRAMME.items() if key != "Ingen tiltak gjennomført"}


def press(office: Office, form: Form, button: str) -> Form:
    """The form after a button that adds or removes a row, without JavaScript."""
    answer = office.client_of("berit.bergen").submit(form, button=button)
    assert answer.status_code == 200, text_of(answer)
    return form_in(answer, form="registrering")


def activity(index: int, kind: str = "Norskopplæring", from_date: str = FROM, **more: str) -> Answers:
    """A row of tiltak, by the names of its controls."""
    return {
        f"activities-{index}-kind": kind,
        f"activities-{index}-from_date": from_date,
        f"activities-{index}-hours": "10",
        **{f"activities-{index}-{key}": value for key, value in more.items()},
    }


def leave(index: int, from_date: str, to_date: str, kind: str = "Sykdom") -> Answers:
    """A row of permisjon."""
    return {
        f"leaves-{index}-from_date": from_date,
        f"leaves-{index}-to_date": to_date,
        f"leaves-{index}-kind": kind,
    }


def by_htmx(office: Office, public_id: str, form: Form, button: str, typing: str = "") -> TestResponse:
    """The response to a row button by htmx, while `typing` in another control."""
    pressed = form.button(button)
    assert pressed.attrib["data-hx-post"] == address(public_id, "programinnhold", "lagre")
    data = MultiDict([*form.pairs(pressed), *([("skriver", typing)] if typing else [])])
    return office.client_of("berit.bergen").post_partial(pressed.attrib["data-hx-post"], data, source="button")


def test_rows_are_added_filled_in_and_stored_in_their_order(office: Office) -> None:
    public_id = office.given()
    form = press(office, office.form(public_id, "programinnhold"), "Legg til tiltak")
    form = press(office, form, "Legg til tiltak")
    form = press(office, form, "Legg til permisjon")
    form.fill(WITHOUT_NONE)
    form.fill(activity(0, "Fagopplæring", to_date="31.12.2099", comment="Linje én\r\nLinje to"))
    form.fill(activity(1, "Norskopplæring"))
    form.fill(leave(0, FROM, date_text(START)))
    assert goal_of(office.client_of("berit.bergen").submit(form, button="Fullfør")) == "/deltakere"
    found = office.participation(public_id)
    assert [(row.position, row.kind, row.comment) for row in found.activities] == [
        (0, "vocational", "Linje én\nLinje to"),
        (1, "norwegian", None),
    ]
    assert [(row.from_date, row.to_date, row.kind) for row in found.leaves] == [(START, START, "illness")]
    assert found.programme_missing == 0
    form = office.form(public_id, "programinnhold")
    assert form.value("activities-0-comment") == "Linje én\r\nLinje to"
    assert form.value("activities-1-kind") == ["Norskopplæring"]
    form = press(office, form, "Fjern tiltak 1")
    assert form.value("activities-0-kind") == ["Norskopplæring"]
    assert not form.has("activities-1-kind")
    goal_of(office.client_of("berit.bergen").submit(form, button="Fullfør"))
    assert [(row.position, row.kind) for row in office.participation(public_id).activities] == [(0, "norwegian")]
    old, new = next(row[3:] for row in reversed(office.changes(public_id)) if row[2] == "activities")
    assert [row["kind"] for row in old] == ["vocational", "norwegian"]
    assert [row["kind"] for row in new] == ["norwegian"]


@ONE_DATABASE
def test_a_row_comes_and_goes_as_a_fragment(office: Office) -> None:
    public_id = office.given()
    form = office.form(public_id, "programinnhold")
    form.fill({"Timer i program per uke": "Skrives akkurat nå"})
    tree = tree_of(by_htmx(office, public_id, form, "Legg til tiltak", typing="hours_per_week"))
    added = {one.attrib["name"]: one for one in tree.elements("select", "textarea")}
    assert {"activities-0-kind", "activities-0-comment"} <= added.keys()
    assert "autofocus" in added["activities-0-kind"].attrib
    assert "hours_per_week" not in tree.by_id
    form = press(office, form, "Legg til tiltak")
    form.fill({"activities-0-comment": "Halvferdig", "activities-0-from_date": "31.02.2024"})
    tree = tree_of(by_htmx(office, public_id, form, "Legg til tiltak"))
    named = {one.attrib["name"]: one for one in tree.elements("input", "select", "textarea") if "name" in one.attrib}
    assert named["activities-0-from_date"].attrib["value"] == "31.02.2024"
    assert "".join(named["activities-0-comment"].itertext()).strip() == "Halvferdig"
    assert "activities-1-kind" in named
    tree = tree_of(by_htmx(office, public_id, form, "Fjern tiltak 1"))
    assert "activities-0-kind" not in {one.attrib.get("name") for one in tree.elements("select")}
    assert "activities" in tree.by_id  # the button for adding
    assert office.changes(public_id)[-1][2] != "activities"


@ONE_DATABASE
def test_each_row_is_checked_and_the_row_is_named(office: Office) -> None:
    public_id = office.given()
    form = office.form(public_id, "programinnhold")
    for button in ("tiltak", "tiltak", "tiltak", "permisjon"):
        form = press(office, form, f"Legg til {button}")
    form.fill(WITHOUT_NONE)
    form.fill(activity(0))
    form.fill(activity(2, from_date="02.05.2024", to_date="01.05.2024", comment="x" * 501))  # row 2 is blank
    form.fill(leave(0, "31.02.2024", "", "Omsorg"))
    answer = office.client_of("berit.bergen").submit(form, button="Fullfør")
    assert answer.status_code == 422
    tree = tree_of(answer)
    assert [tree.text(link) for link in tree.by_id["error-summary"].iter("a")] == [
        "Tiltak 3, kommentar: skriv maks 500 tegn (nå 501)",
        "Permisjon 1, fra dato: skriv en dato som finnes, slik: dd.mm.åååå",
        "Permisjon 1, til dato: fyll ut til dato",
    ]
    form = form_in(answer, form="registrering")
    assert form.value("leaves-0-from_date") == "31.02.2024"
    form.fill({"activities-2-comment": "kort"} | leave(0, FROM, "01.01.2020"))
    answer = office.client_of("berit.bergen").submit(form, button="Fullfør")
    assert answer.status_code == 422
    tree = tree_of(answer)
    assert [tree.text(link) for link in tree.by_id["error-summary"].iter("a")] == [
        "Tiltak 3, til dato: til dato kan ikke være før fra dato",
        "Permisjon 1, til dato: til dato kan ikke være før fra dato",
    ]
    wrong = next(one for one in tree.elements("input") if one.attrib.get("name") == "activities-2-to_date")
    assert tree.text(tree.by_id[f"{wrong.attrib['id']}-error"]) == "Til dato kan ikke være før fra dato"
    assert office.participation(public_id).activities == []


def test_rows_that_cannot_be_read_are_kept_as_typed(office: Office) -> None:
    public_id = office.complete()
    office.put(public_id, "programinnhold", {"Ingen tiltak gjennomført": False})
    assert office.participation(public_id).programme_missing == 1
    form = press(office, office.form(public_id, "programinnhold"), "Legg til tiltak")
    form = press(office, form, "Legg til tiltak")
    form.fill(activity(0, from_date="i fjor"))
    goal_of(office.client_of("berit.bergen").submit(form, button="Til deltakeroversikten"))
    found = office.participation(public_id)
    assert (found.activities, found.programme_missing) == ([], 1)
    page = office.page(public_id, "programinnhold")
    form = form_in(page, form="registrering")
    assert form.value("activities-0-from_date") == "i fjor"
    assert "Skriv en dato som finnes" in text_of(page)
    goal_of(office.client_of("berit.bergen").submit(form, button="Fullfør", fill={"activities-0-from_date": FROM}))
    found = office.participation(public_id)
    assert ([row.kind for row in found.activities], found.programme_missing) == (["norwegian"], 0)


def test_there_must_be_a_row_or_none_at_all(office: Office) -> None:
    public_id = office.given()
    form = office.form(public_id, "programinnhold")
    form.fill(WITHOUT_NONE)
    client = office.client_of("berit.bergen")
    answer = client.submit(form, button="Fullfør")
    assert answer.status_code == 422
    lacking = "Legg til minst ett tiltak, eller kryss av for at ingen er gjennomført"
    assert lacking in text_of(answer)
    form = press(office, form, "Legg til tiltak")  # a blank row is ignored
    assert lacking in text_of(client.submit(form, button="Fullfør"))
    form.fill(activity(0))
    form.fill({"Ingen tiltak gjennomført": True})
    answer = client.submit(form, button="Fullfør")
    assert answer.status_code == 422
    both = "Ingen tiltak gjennomført: fjern krysset eller tiltakene. Begge deler kan ikke være riktig"
    assert both in text_of(answer)
    form.fill({"Ingen tiltak gjennomført": False})
    goal_of(client.submit(form, button="Fullfør"))
    assert len(office.participation(public_id).activities) == 1


def test_what_is_odd_about_rows_is_remarked_upon(office: Office) -> None:
    public_id = office.complete()
    form = office.form(public_id, "programinnhold")
    for button in ("permisjon", "permisjon"):
        form = press(office, form, f"Legg til {button}")
    form.fill(leave(0, "01.03.2024", "31.03.2024") | leave(1, "31.03.2024", "05.04.2024"))
    overlap = "Permisjon 1 og 2 overlapper hverandre."
    assert overlap in text_of(by_htmx(office, public_id, form, "Legg til permisjon"))
    goal_of(office.client_of("berit.bergen").submit(form, button="Fullfør"))
    assert overlap in text_of(office.page(public_id, "programinnhold"))
    words = text_of(office.page(public_id, "data"))
    assert overlap in words
    assert "Permisjon 1 begynner før oppstart i Jobbsjansen." in words


@ONE_DATABASE
def test_there_is_room_for_fifty_rows(office: Office) -> None:
    public_id = office.given()
    form = office.form(public_id, "programinnhold")
    form.fill(WITHOUT_NONE)
    rows = {name: value for index in range(51) for name, value in activity(index, "norwegian").items()}
    client = office.client_of("berit.bergen")
    answer = client.submit(form, button="Fullfør", extra=rows)  # type: ignore[arg-type]
    assert answer.status_code == 422
    assert "Tiltak: det er plass til maks 50 rader" in text_of(answer)
    fewer = {name: value for name, value in rows.items() if not name.startswith("activities-50-")}
    goal_of(client.submit(form, button="Fullfør", extra=fewer))  # type: ignore[arg-type]
    assert len(office.participation(public_id).activities) == 50
