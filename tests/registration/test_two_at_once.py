"""Two users at one participant, with responses put into their screens: overwritten values have been seen, rows are
merged, removed answers can be restored, and drafts belong to their user."""

from datetime import timedelta
from typing import Any

import pytest

from services.core.clock import today
from services.core.days import date_text
from tests.support.client import text_of
from tests.support.registering import FULL_BACKGROUND, FULL_PROGRAMME, START, Office, address
from tests.support.screen import Screen

BERIT, ANNE = "berit.bergen", "anne.tokommuner"
ROW = "activities-{}-{}"
FROM = date_text(START)
LONG_AGO = today() - timedelta(days=36 * 31)  # more than 34 months


def screen(office: Office, public_id: str, word: str = "programinnhold", by: str = BERIT) -> Screen:
    """A page on the screen of a user."""
    return Screen.of(office.client_of(by), address(public_id, word))


def write(on: Screen, **values: str) -> None:
    """Fill in controls, saving after each."""
    for name, value in values.items():
        assert on.put(name, value), f"there is no {name}"
        on.autosave()


def fill_row(on: Screen, place: int, **values: str) -> None:
    """Fill in a row, saving after each answer."""
    write(on, **{ROW.format(place, key): value for key, value in values.items()})


def press(on: Screen, words: str) -> None:
    """Press a button of the form as by the script."""
    button = on.form.button(words)
    on.autosave(go=button.attrib["value"])


def add_row(on: Screen, **values: str) -> int:
    """«Legg til tiltak», and fill it in; returns its place."""
    known = {on.value(ROW.format(place, "row_key")) for place in on.rows("activities")}
    press(on, "Legg til tiltak")
    place = next(p for p in on.rows("activities") if on.value(ROW.format(p, "row_key")) not in known)
    fill_row(on, place, **values)
    return place


def rows(office: Office, public_id: str) -> list[tuple[str, str, str, str]]:
    """The registered tiltak: kind, first day, hours, comment."""
    found = office.participation(public_id).activities
    return [(row.kind, date_text(row.from_date), str(row.hours or ""), row.comment or "") for row in found]


def with_rows(office: Office, *kinds: str) -> str:
    """A participant with such tiltak."""
    public_id = office.complete()
    berit = screen(office, public_id)
    write(berit, no_activities="")
    for kind in kinds:
        add_row(berit, kind=kind, from_date=FROM, hours="10", comment="Begynt")
    assert len(rows(office, public_id)) == len(kinds)
    return public_id


# ---- Overwritten values have been seen ----


@pytest.mark.parametrize(
    ("word", "name", "theirs", "invalid", "valid", "said"),
    [
        ("programinnhold", "hours_per_week", "20", "99", "33", "til «20 timer per uke»"),
        ("bakgrunn", "children", "2", "mange", "3", "til «2»"),
        ("avslutning", "end_date", FROM, "31.02.2026", date_text(START + timedelta(days=1)), f"til «{FROM}»"),
    ],
)
def test_an_invalid_value_in_between_does_not_hide_what_the_other_has_saved(
    office: Office, word: str, name: str, theirs: str, invalid: str, valid: str, said: str
) -> None:
    public_id = office.given()
    berit, anne = screen(office, public_id, word), screen(office, public_id, word, ANNE)
    write(anne, **{name: theirs})
    registered = office.snapshot(public_id)[0]
    write(berit, **{name: invalid})
    assert said in berit.spoken(f"felt-{name}")
    write(berit, **{name: valid})
    assert office.snapshot(public_id)[0][10:] == registered[10:] or berit.spoken("tilstand").startswith("Ikke lagret")
    assert "Ikke lagret" in berit.spoken("tilstand")
    press(berit, "Behold svaret som står her")
    assert "Lagret kl." in berit.spoken("tilstand")
    assert [row[1] for row in office.changes(public_id) if row[2] == name] == [ANNE, BERIT]


def test_what_a_form_does_not_hold_is_left_as_it_is(office: Office) -> None:
    public_id = office.complete()
    before = office.snapshot(public_id)
    berit = screen(office, public_id, "bakgrunn")
    assert berit.autosave().status_code == 200  # contains nothing
    assert office.snapshot(public_id) == before
    write(berit, mother_tongue="urd")
    found = office.participation(public_id)
    assert (found.mother_tongue, found.recruitment, found.education) == ("urd", "nav", "years_1_7")
    sent = berit.sent({})
    sent.setlist("children", ["3"])  # a control without its field's mark
    assert berit.client.post_partial(f"{berit.address}/lagre", sent).status_code == 400
    assert office.participation(public_id).children == 0


def test_what_others_have_changed_comes_to_a_form_that_holds_something_else(office: Office) -> None:
    public_id = office.given()
    berit, anne = screen(office, public_id), screen(office, public_id, by=ANNE)
    write(anne, hours_per_week="20")
    write(berit, allowance="yes")
    assert berit.value("hours_per_week") == "20"
    assert "anne.tokommuner har endret «Timer i program per uke»" in berit.spoken("endret-av-andre")


def test_an_answer_that_was_never_on_screen_is_not_taken_away_unseen(office: Office) -> None:
    public_id = office.given(bakgrunn={"Antall barn under 18 år": "3"})
    berit, anne = screen(office, public_id, "bakgrunn"), screen(office, public_id, "bakgrunn", ANNE)
    write(anne, youngest_child="2019")
    write(berit, children="0")
    found = office.participation(public_id)
    assert (found.children, found.youngest_child) == (3, 2019)
    assert "har endret «Fødselsår for yngste barn» til «2019» mens du skrev" in berit.spoken("felt-children")
    press(berit, "Behold svaret som står her")
    found = office.participation(public_id)
    assert (found.children, found.youngest_child) == (0, None)


# ---- Rows ----


def test_both_add_a_row_and_one_is_filled_in_bit_by_bit(office: Office) -> None:
    public_id = with_rows(office)
    berit, anne = screen(office, public_id), screen(office, public_id, by=ANNE)
    press(berit, "Legg til tiltak")
    press(anne, "Legg til tiltak")
    fill_row(anne, 0, kind="norwegian", from_date=FROM, hours="10")
    fill_row(berit, 0, kind="society")  # the type first, and then the day
    assert rows(office, public_id) == [("norwegian", FROM, "10.0", "")]
    fill_row(berit, 0, from_date=FROM)
    assert sorted(rows(office, public_id)) == [("norwegian", FROM, "10.0", ""), ("society", FROM, "", "")]
    assert [berit.value(ROW.format(place, "kind")) for place in berit.rows("activities")] == ["society", "norwegian"]


def test_a_row_is_ones_own_right_after_a_colleague_has_added_one(office: Office) -> None:
    public_id = with_rows(office)
    berit, anne = screen(office, public_id), screen(office, public_id, by=ANNE)
    add_row(anne, kind="norwegian", from_date=FROM)
    add_row(berit, kind="society", from_date=FROM)
    assert sorted(row[0] for row in rows(office, public_id)) == ["norwegian", "society"]


def test_different_answers_of_one_row_are_put_together(office: Office) -> None:
    public_id = with_rows(office, "norwegian", "society")
    berit, anne = screen(office, public_id), screen(office, public_id, by=ANNE)
    fill_row(anne, 1, hours="12")
    add_row(anne, kind="digital", from_date=FROM)
    fill_row(berit, 1, comment="Kurs på kveldstid")
    assert "Lagret kl." in berit.spoken("tilstand")
    assert rows(office, public_id) == [
        ("norwegian", FROM, "10.0", "Begynt"),
        ("society", FROM, "12.0", "Kurs på kveldstid"),
        ("digital", FROM, "", ""),
    ]
    assert berit.value("activities-1-hours") == "12"
    assert "har endret «Tiltak»" in berit.spoken("endret-av-andre")


@pytest.mark.parametrize("mine", [True, False])
@pytest.mark.parametrize("whole", [True, False])
def test_the_same_answer_of_one_row_gives_the_choice(office: Office, mine: bool, whole: bool) -> None:
    public_id = with_rows(office, "norwegian", "society")
    berit, anne = screen(office, public_id), screen(office, public_id, by=ANNE)
    fill_row(anne, 1, hours="12")
    fill_row(anne, 0, comment="Endret")
    berit.put("activities-1-hours", "15")
    berit.put("hours_per_week", "25")
    if whole:
        answer = berit.client.post(berit.address, data=berit.sent({"go": "overview"}, whole=True))
        assert answer.status_code == 409
        berit = berit.showing(answer)
    else:
        berit.autosave()
    words = "anne.tokommuner har endret «Timer per uke» til «12 timer per uke» i tiltak 2 mens du skrev"
    assert words in berit.spoken("felt-activities")
    assert berit.value("activities-1-hours") == "15"
    assert rows(office, public_id)[1] == ("society", FROM, "12.0", "Begynt")
    press(berit, "Behold svaret som står her" if mine else f"Bruk svaret til {ANNE}")
    assert "Lagret kl." in berit.spoken("tilstand")
    hours = "15.0" if mine else "12.0"
    assert rows(office, public_id) == [("norwegian", FROM, "10.0", "Endret"), ("society", FROM, hours, "Begynt")]


@pytest.mark.parametrize("removes", [True, False])
def test_a_row_that_is_removed_here_and_changed_there(office: Office, removes: bool) -> None:
    public_id = with_rows(office, "norwegian", "society")
    berit, anne = screen(office, public_id), screen(office, public_id, by=ANNE)
    fill_row(anne, 1, hours="12")
    press(berit, "Fjern tiltak 2")
    assert len(rows(office, public_id)) == 2
    words = "anne.tokommuner har endret tiltak 2 mens du fjernet raden"
    assert words in berit.spoken("felt-activities")
    assert "Samfunnskunnskap, fra" in berit.spoken("felt-activities")
    press(berit, "Fjern likevel" if removes else "Behold raden")
    assert [row[0] for row in rows(office, public_id)] == ["norwegian"] + ["society"] * (not removes)
    assert words not in berit.spoken("felt-activities")


@pytest.mark.parametrize("stays", [True, False])
@pytest.mark.parametrize("reloads", [True, False])
def test_a_row_that_is_changed_here_and_removed_there(office: Office, stays: bool, reloads: bool) -> None:
    public_id = with_rows(office, "norwegian", "society")
    berit, anne = screen(office, public_id), screen(office, public_id, by=ANNE)
    press(anne, "Fjern tiltak 2")
    fill_row(berit, 1, hours="12")
    if reloads:
        berit = screen(office, public_id)
    assert "anne.tokommuner har fjernet tiltak 2 mens du skrev" in berit.spoken("felt-activities")
    assert berit.value("activities-1-hours") == "12"
    assert [row[0] for row in rows(office, public_id)] == ["norwegian"]
    press(berit, "Behold raden" if stays else f"Fjern raden, som {ANNE}")
    expected = [("norwegian", FROM, "10.0", "Begynt")] + [("society", FROM, "12.0", "Begynt")] * stays
    assert rows(office, public_id) == expected
    assert "Lagret kl." in berit.spoken("tilstand")


def test_an_invalid_row_does_not_hide_what_the_other_has_saved_in_it(office: Office) -> None:
    public_id = with_rows(office, "norwegian")
    berit, anne = screen(office, public_id), screen(office, public_id, by=ANNE)
    fill_row(anne, 0, hours="12")
    fill_row(berit, 0, hours="ti")
    assert "til «12 timer per uke» i tiltak 1" in berit.spoken("felt-activities")
    fill_row(berit, 0, hours="15")
    assert rows(office, public_id)[0][2] == "12.0"
    press(berit, "Behold svaret som står her")
    assert rows(office, public_id)[0][2] == "15.0"


def test_a_form_whose_answers_are_lost_is_not_at_odds_with_itself(office: Office) -> None:
    public_id = with_rows(office, "norwegian")
    berit, anne = screen(office, public_id), screen(office, public_id, by=ANNE)
    for hours in ("12", "14"):
        berit.put("activities-0-hours", hours)
        berit.autosave(is_lost=True)
        add_row(anne, kind="society", from_date=FROM)
    berit.put("activities-0-hours", "16")
    berit.autosave()
    assert [row[2] for row in rows(office, public_id)] == ["16.0", "", ""]
    assert "Lagret kl." in berit.spoken("tilstand")


@pytest.mark.parametrize("mine", [True, False])
def test_a_row_here_and_none_at_all_there(office: Office, mine: bool) -> None:
    public_id = with_rows(office)
    berit, anne = screen(office, public_id), screen(office, public_id, by=ANNE)
    press(berit, "Legg til tiltak")
    write(anne, no_activities="1")
    fill_row(berit, 0, kind="society", from_date=FROM)
    assert "anne.tokommuner har endret «Ingen tiltak gjennomført» til «Ja»" in berit.spoken("felt-activities")
    assert rows(office, public_id) == []
    press(berit, "Behold svaret som står her" if mine else f"Bruk svaret til {ANNE}")
    found = office.participation(public_id)
    assert (len(found.activities), bool(found.no_activities)) == ((1, False) if mine else (0, True))
    assert "Lagret kl." in berit.spoken("tilstand")


def test_the_history_says_which_row(office: Office) -> None:
    public_id = with_rows(office, "norwegian", "society")
    fill_row(screen(office, public_id), 1, hours="12")
    words = text_of(office.page(public_id, "historikk"))
    assert "Tiltak 2: Samfunnskunnskap, fra" in words
    last = words.split("Etter")[-1].split(BERIT)[1]
    assert "Norskopplæring" not in last.partition("Tiltak 2")[0]


@pytest.mark.parametrize(
    "sent",
    [
        {"uavklart": "activities-0123456789ab"},  # a removed row
        {"uavklart": "children-0123456789ab"},
        {"uavklart": "hours_per_week-0123456789ab-x"},
        {"uavklart": "activities--x"},
        {"uavklart": "-"},
        {"go": "tilbake-99999999"},
        {"go": "tilbake-1"},
    ],
)
def test_marks_that_stand_for_nothing_change_nothing(office: Office, sent: dict[str, str]) -> None:
    public_id = with_rows(office, "norwegian")
    before = office.snapshot(public_id)
    on = screen(office, public_id)
    assert on.client.post_partial(f"{on.address}/lagre", on.sent(sent, whole=True)).status_code == 200
    assert office.snapshot(public_id) == before


@pytest.mark.parametrize("keys", [["0123456789ab"] * 2, ["x" * 12], ["0123456789abc"]])
def test_identities_of_rows_that_no_form_of_ours_has(office: Office, keys: list[str]) -> None:
    public_id = office.given()
    on = screen(office, public_id)
    for _key in keys:
        press(on, "Legg til tiltak")
    before, data = office.snapshot(public_id), on.sent({}, whole=True)
    for place, key in enumerate(keys):
        data[ROW.format(place, "row_key")] = key
        data[ROW.format(place, "kind")] = "norwegian"
        data[ROW.format(place, "from_date")] = FROM
    assert on.client.post_partial(f"{on.address}/lagre", data).status_code == 400
    assert office.snapshot(public_id) == before


# ---- Removed answers ----


def long_served(office: Office) -> str:
    """A participant with the extra year."""
    background = FULL_BACKGROUND | {"Lese- og skriveferdigheter på eget morsmål": "Mangler grunnleggende ferdigheter"}
    public_id = office.given(start=LONG_AGO, bakgrunn=background, programinnhold=FULL_PROGRAMME)
    write(screen(office, public_id), extension="yes", extra_year="yes")
    assert office.participation(public_id).extra_year == "yes"
    return public_id


def test_an_answer_of_another_page_comes_back(office: Office) -> None:
    public_id = long_served(office)
    berit = screen(office, public_id, "bakgrunn")
    write(berit, literacy="good")
    assert office.participation(public_id).extra_year is None
    assert "«Utvidet med ytterligere ett år?» (Programinnhold)" in berit.spoken("tatt-bort")
    write(screen(office, public_id, "bakgrunn", ANNE), literacy="missing")  # the user who restores it, and the time
    assert office.participation(public_id).extra_year == "yes"
    assert screen(office, public_id).value("extra_year") == "yes"


@pytest.mark.parametrize("is_late", [True, False])
def test_what_was_taken_away_is_undone(office: Office, is_late: bool) -> None:
    public_id = long_served(office)
    berit = screen(office, public_id, "bakgrunn")
    write(berit, literacy="good")
    if is_late:
        write(berit, mother_tongue="urd")
    press(berit, "Angre")
    found = office.participation(public_id)
    assert (found.literacy, found.extra_year) == ("missing", "yes")
    assert berit.value("literacy") == "missing"


def test_an_answer_of_the_same_page_comes_back_in_a_new_form(office: Office) -> None:
    public_id = office.given(bakgrunn={"Antall barn under 18 år": "2", "Fødselsår for yngste barn": "2019"})
    berit = screen(office, public_id, "bakgrunn")
    write(berit, children="0")
    assert "«Fødselsår for yngste barn» (Bakgrunn)" in berit.spoken("tatt-bort")
    assert office.participation(public_id).youngest_child is None
    berit = screen(office, public_id, "bakgrunn")
    write(berit, children="3")
    assert berit.value("youngest_child") == "2019"
    assert office.participation(public_id).youngest_child == 2019


def test_without_script_it_is_told_on_the_next_page(office: Office) -> None:
    public_id = long_served(office)
    fill: dict[str, Any] = {"Lese- og skriveferdigheter på eget morsmål": "Gode ferdigheter"}
    answer = office.send(public_id, "bakgrunn", fill, follow_redirects=True)
    assert "Svaret på «Utvidet med ytterligere ett år?» (Programinnhold) er tatt bort" in text_of(answer)


def test_what_was_taken_away_stands_in_no_file_and_ends_with_the_discharge(office: Office) -> None:
    public_id = office.ended()
    write(screen(office, public_id, "bakgrunn"), children="2")
    write(screen(office, public_id, "bakgrunn"), youngest_child="2019")
    write(screen(office, public_id, "bakgrunn"), children="0")
    assert office.participation(public_id).set_aside == {"youngest_child": 2019}
    file = office.client_of(BERIT).get("/deltakere/fullt-datasett.csv").get_data(as_text=True)
    number = office.participation(public_id).national_id
    assert "2019" not in next(line for line in file.splitlines() if number in line).split(";")[20:]
    office.discharge(public_id)
    assert office.participation(public_id).set_aside is None


# ---- Drafts belong to their user ----


def test_each_user_keeps_what_was_typed(office: Office) -> None:
    public_id = office.given()
    berit, anne = screen(office, public_id), screen(office, public_id, by=ANNE)
    write(berit, hours_per_week="99")
    write(anne, hours_per_week="1000")
    berit, anne = screen(office, public_id), screen(office, public_id, by=ANNE)
    assert (berit.value("hours_per_week"), anne.value("hours_per_week")) == ("99", "1000")
    words = "anne.tokommuner har skrevet et svar her som ikke er lagret"
    assert words in berit.spoken("felt-hours_per_week")
    write(screen(office, public_id, by=ANNE), hours_per_week="30")
    berit = screen(office, public_id)
    assert berit.value("hours_per_week") == "99"
    assert "Registrert svar: «30 timer per uke»" in berit.spoken("felt-hours_per_week")
    write(berit, hours_per_week="20")
    assert office.drafts(public_id) == {}
    assert office.participation(public_id).hours_per_week == 20


def test_a_discharge_tells_what_others_have_typed_and_throws_it_away(office: Office) -> None:
    public_id = office.ended()
    write(screen(office, public_id, "bakgrunn", ANNE), mother_tongue="urd", children="mange")
    question = office.send(public_id, "avslutning", {}, "Utskriv og registrer ferdig", follow_redirects=True)
    assert "anne.tokommuner: Antall barn under 18 år" in text_of(question)
    office.client_of(BERIT).submit(question, button="Det er OK")
    assert office.drafts(public_id) == {}


def test_no_more_is_kept_as_typed_than_has_room(office: Office) -> None:
    public_id = office.given()
    berit = screen(office, public_id, "bakgrunn")
    berit.put("children", "9" * 65_000)
    answer = berit.autosave()
    assert answer.status_code == 413
    assert office.drafts(public_id) == {}


# ---- Summary and title follow each save ----


def test_the_summary_and_the_title_get_shorter_with_each_save(office: Office) -> None:
    public_id = office.given(bakgrunn={**FULL_BACKGROUND, "Rekrutteringskanal": "", "Antall barn under 18 år": ""})
    berit = screen(office, public_id, "bakgrunn")
    refused = berit.client.post(berit.address, data=berit.sent({"go": "next"}, whole=True))
    assert refused.status_code == 422
    berit = berit.showing(refused)
    assert "Rekrutteringskanal" in berit.spoken("oppsummering")
    write(berit, recruitment="nav")
    assert "Rekrutteringskanal" not in berit.spoken("oppsummering")
    assert "Antall barn" in berit.spoken("oppsummering")
    assert berit.title.startswith("Feil: ")
    write(berit, children="0")
    assert berit.spoken("oppsummering") == ""
    assert not berit.title.startswith("Feil: ")
