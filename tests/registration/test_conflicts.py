"""Two users at the same time: both keep their work, and in a conflict the second sees both answers."""

import threading
from datetime import date

import pytest
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from app.web.formatting import moment_text
from services.core.days import date_text
from services.core.status import Status
from tests.support.client import form_in, text_of, tree_of
from tests.support.forms import Form, Value
from tests.support.house import House
from tests.support.registering import BY_MISTAKE, FULL_BACKGROUND, FULL_PROGRAMME, START, Office, address, goal_of

OUT = "Til deltakeroversikten"
ANNE = "anne.tokommuner"


def send(office: Office, form: Form, button: str = OUT, by: str = "berit.bergen", **fill: Value) -> TestResponse:
    """Fill in a form that was opened before, by the names of its controls, and send it."""
    return office.client_of(by).submit(form, button=button, fill=fill)


def test_different_questions_both_keep(office: Office) -> None:
    public_id = office.given(bakgrunn=FULL_BACKGROUND)
    mine, hers = office.form(public_id, "bakgrunn"), office.form(public_id, "bakgrunn", ANNE)
    goal_of(send(office, hers, by=ANNE, children="0", mother_tongue="Urdu"))
    goal_of(send(office, mine, "Neste", recruitment="Annet"))
    found = office.participation(public_id)
    assert (found.mother_tongue, found.recruitment, found.changed_by) == ("urd", "other", "berit.bergen")
    assert [(user, field) for _version, user, field, _old, _new in office.changes(public_id)][-2:] == [
        (ANNE, "mother_tongue"),
        ("berit.bergen", "recruitment"),
    ]


@pytest.mark.parametrize("partial", [False, True])
def test_the_same_question_shows_both_answers(office: Office, partial: bool) -> None:
    public_id = office.given(bakgrunn=FULL_BACKGROUND)
    mine = office.form(public_id, "bakgrunn")
    office.put(public_id, "bakgrunn", {"Morsmål": "Urdu", "Rekrutteringskanal": "Annet"}, ANNE)
    before = office.snapshot(public_id)
    mine.fill({"mother_tongue": "Tamil", "children": "0", "education": "Fagskole"})
    answer = office.client_of("berit.bergen").submit(mine, button="Neste", partial=partial)
    assert answer.status_code == 409
    assert office.snapshot(public_id) == before
    clock = moment_text(office.participation(public_id).changed_at)
    words = f"anne.tokommuner har endret dette til «Urdu» mens du skrev ({clock}). Velg hva som skal stå, og gå videre."
    tree, form = tree_of(answer), form_in(answer, form="registrering")
    assert tree.text(tree.by_id["mother_tongue-error"]) == words
    assert f"Morsmål: {words}" in tree.text(tree.by_id["error-summary"])
    assert tree.text(next(tree.elements("title"))).startswith("Feil: ")
    assert form.value("Morsmål") == ["Tamil"]
    assert form.value("Rekrutteringskanal") == ["Annet"]  # only the other user has changed it
    assert form.value("Høyeste fullførte utdanning") == ["Fagskole"]
    goal_of(office.client_of("berit.bergen").submit(form, button="Neste"))  # pressing again saves
    found = office.participation(public_id)
    assert (found.mother_tongue, found.recruitment, found.education) == ("tam", "other", "vocational_college")
    assert ("mother_tongue", "urd", "tam") in [row[2:] for row in office.changes(public_id)]


def test_the_same_answer_is_no_conflict(office: Office) -> None:
    public_id = office.given()
    mine = office.form(public_id, "bakgrunn")
    office.put(public_id, "bakgrunn", {"Morsmål": "Urdu"}, ANNE)
    before = office.snapshot(public_id)
    goal_of(send(office, mine, mother_tongue="Urdu"))
    assert office.snapshot(public_id) == before


def test_an_emptied_answer_counts_as_changed(office: Office) -> None:
    public_id = office.given(bakgrunn={"Morsmål": "Tamil"})
    mine = office.form(public_id, "bakgrunn")
    office.put(public_id, "bakgrunn", {"Morsmål": ""}, ANNE)
    answer = send(office, mine, mother_tongue="Urdu")
    assert answer.status_code == 409
    assert "har endret dette til «ikke noe svar»" in text_of(answer)


def test_errors_do_not_make_an_old_form_new(office: Office) -> None:
    """Between two attempts another user has changed what the form still shows: that must not be overwritten."""
    public_id = office.given(bakgrunn=FULL_BACKGROUND)
    mine = office.form(public_id, "bakgrunn")
    office.put(public_id, "bakgrunn", {"Rekrutteringskanal": "Annet"}, ANNE)
    refused = send(office, mine, "Neste", children="mange")
    assert refused.status_code == 422
    goal_of(send(office, form_in(refused, form="registrering"), "Neste", children="0"))
    assert office.participation(public_id).recruitment == "other"

    mine = office.form(public_id, "bakgrunn")
    refused = send(office, mine, "Neste", recruitment="Nav", children="mange")
    office.put(public_id, "bakgrunn", {"Rekrutteringskanal": "Tok kontakt selv"}, ANNE)
    again = send(office, form_in(refused, form="registrering"), "Neste", children="0")
    assert again.status_code == 409
    assert office.participation(public_id).recruitment == "herself"


@pytest.mark.parametrize("button", ["Vis oppfølgingsspørsmål", "Legg til tiltak"])
def test_the_buttons_without_script_save_and_tell_what_clashes(office: Office, button: str) -> None:
    public_id = office.given()
    mine = office.form(public_id, "programinnhold")
    office.put(public_id, "programinnhold", {"Timer i program per uke": "20"}, ANNE)
    shown = send(office, mine, button, hours_per_week="30", allowance="Ja")
    assert shown.status_code == 200
    assert "til «20 timer per uke»" in text_of(shown)
    found = office.participation(public_id)
    assert (found.hours_per_week, found.allowance) == (20, "yes")
    goal_of(send(office, form_in(shown, form="registrering")))  # the user has seen the conflict, and continues
    assert office.participation(public_id).hours_per_week == 30


def test_a_question_that_the_other_has_taken_away(office: Office) -> None:
    """One user enters that there are no children, while the other corrects the year of birth."""
    public_id = office.given(bakgrunn=FULL_BACKGROUND | {"Antall barn under 18 år": "1"})
    office.put(public_id, "bakgrunn", {"Fødselsår for yngste barn": "2020"})
    mine = office.form(public_id, "bakgrunn")
    office.put(public_id, "bakgrunn", {"Antall barn under 18 år": "0"}, ANNE)
    answer = send(office, mine, "Neste", youngest_child="2021")
    assert answer.status_code == 409
    tree, form = tree_of(answer), form_in(answer, form="registrering")
    assert "har endret dette til «0»" in tree.text(tree.by_id["children-error"])
    assert "har endret dette til «ikke noe svar»" in tree.text(tree.by_id["youngest_child-error"])
    assert (form.value("children"), form.value("youngest_child")) == ("1", "2021")
    goal_of(send(office, form, "Neste"))
    found = office.participation(public_id)
    assert (found.children, found.youngest_child) == (1, 2021)


def test_a_question_that_i_take_away_while_the_other_answers_it(office: Office) -> None:
    public_id = office.given(bakgrunn=FULL_BACKGROUND | {"Antall barn under 18 år": "1"})
    office.put(public_id, "bakgrunn", {"Fødselsår for yngste barn": "2020"})
    mine = office.form(public_id, "bakgrunn")
    office.put(public_id, "bakgrunn", {"Fødselsår for yngste barn": "2021"}, ANNE)
    answer = send(office, mine, "Neste", children="0")
    assert answer.status_code == 409
    tree, form = tree_of(answer), form_in(answer, form="registrering")
    assert "har endret «Fødselsår for yngste barn» til «2021»" in tree.text(tree.by_id["children-error"])
    assert office.participation(public_id).youngest_child == 2021
    goal_of(send(office, form, "Neste"))
    found = office.participation(public_id)
    assert (found.children, found.youngest_child) == (0, None)


def test_rows_that_two_have_added_are_both_there(office: Office) -> None:
    public_id = office.given(programinnhold=FULL_PROGRAMME)
    row = {"kind": "Norskopplæring", "from_date": date_text(START), "hours": "10"}
    mine = office.form(public_id, "programinnhold")
    mine = form_in(send(office, mine, "Legg til tiltak"), form="registrering")
    hers = form_in(
        send(office, office.form(public_id, "programinnhold", ANNE), "Legg til tiltak", ANNE), form="registrering"
    )
    filled = {f"activities-0-{key}": value for key, value in row.items()}
    goal_of(send(office, hers, "Fullfør", ANNE, no_activities=False, **filled))
    goal_of(send(office, mine, "Fullfør", no_activities=False, **filled | {"activities-0-hours": "20"}))
    assert [str(one.hours) for one in office.participation(public_id).activities] == ["20.0", "10.0"]


@pytest.mark.parametrize("mine_stands", [True, False])
def test_what_two_have_answered_must_fit_together(office: Office, mine_stands: bool) -> None:
    """One user registers a tiltak, the other ticks that there is none: different fields, but both cannot be true."""
    given = {key: value for key, value in FULL_PROGRAMME.items() if value is not True}
    public_id = office.given(programinnhold=given)
    mine = office.form(public_id, "programinnhold")
    hers = form_in(
        send(office, office.form(public_id, "programinnhold", ANNE), "Legg til tiltak", ANNE), form="registrering"
    )
    row = {"kind": "Norskopplæring", "from_date": date_text(START), "hours": "10"}
    goal_of(send(office, hers, "Fullfør", ANNE, **{f"activities-0-{key}": value for key, value in row.items()}))
    before = office.snapshot(public_id)
    answer = send(office, mine, "Fullfør", no_activities=True)
    assert answer.status_code == 409
    assert office.snapshot(public_id) == before
    assert "har endret «Tiltak» til «Norskopplæring" in text_of(answer)
    form = form_in(answer, form="registrering")
    assert form.value("activities-0-kind") == ["Norskopplæring"]
    goal_of(send(office, form, "Behold svaret som står her" if mine_stands else f"Bruk svaret til {ANNE}"))
    found = office.participation(public_id)
    assert (bool(found.no_activities), len(found.activities)) == ((True, 0) if mine_stands else (False, 1))


def test_dates_of_two_pages_are_weighed_when_they_are_saved(office: Office) -> None:
    """Oppstart and end are on different pages, which two users may save at the same moment."""
    public_id = office.given(start=date(2024, 1, 2))
    start, end = office.form(public_id, "person"), office.form(public_id, "avslutning", ANNE)
    start.fill({"start_date": "03.06.2024"})
    end.fill({"end_date": "01.03.2024"})
    both = threading.Barrier(2)
    codes: list[int] = []

    def press(form: Form, by: str) -> None:
        client = office.app.test_client()
        cookie = office.client_of(by).get_cookie("session")
        assert cookie is not None
        client.set_cookie("session", cookie.value)
        both.wait()
        codes.append(client.submit(form, button=OUT).status_code)  # type: ignore[attr-defined]

    threads = [threading.Thread(target=press, args=args) for args in ((start, "berit.bergen"), (end, ANNE))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [303, 303]
    found = office.participation(public_id)
    assert found.end_date is None or found.start_date <= found.end_date
    assert len(office.drafts(public_id)) == 1  # the second user's


def test_what_another_has_typed_meanwhile_is_not_thrown_away(office: Office) -> None:
    public_id = office.given()
    mine = office.form(public_id, "bakgrunn")
    office.put(public_id, "bakgrunn", {"Antall barn under 18 år": "mange"}, ANNE)
    goal_of(send(office, mine, mother_tongue="Urdu", children="hundre"))
    assert (office.drafts(public_id, ANNE), office.drafts(public_id, "berit.bergen")) == (
        {"children": ["mange"]},
        {"children": ["hundre"]},
    )
    assert office.participation(public_id).mother_tongue == "urd"
    page = office.page(public_id, "bakgrunn")
    assert form_in(page, form="registrering").value("children") == "hundre"
    assert "anne.tokommuner har skrevet et svar her som ikke er lagret" in text_of(page)
    goal_of(send(office, office.form(public_id, "bakgrunn"), children="2"))
    assert office.drafts(public_id) == {"children": ["mange"]}
    hers = office.form(public_id, "bakgrunn", ANNE)
    assert hers.value("children") == "mange"
    assert "Registrert svar: «2»" in text_of(office.page(public_id, "bakgrunn", ANNE))
    goal_of(send(office, hers, by=ANNE, children=""))
    assert office.drafts(public_id) == {}


def test_a_stale_discharge_is_refused(office: Office) -> None:
    public_id = office.ended()
    client = office.client_of("berit.bergen")
    question = client.get(address(public_id, "avslutning", "utskriv"))
    office.put(public_id, "avslutning", {"Gyldig fravær, dager": "13"}, ANNE)
    answer = client.submit(question, button="Det er OK")
    assert goal_of(answer) == address(public_id, "avslutning")
    assert "Noe er endret siden spørsmålet ble stilt." in text_of(client.get(goal_of(answer)))
    assert office.participation(public_id).status == Status.ENDED


def test_who_comes_after_discharge_or_deletion_is_refused(office: Office) -> None:
    discharged, deleted = office.ended(), office.given()
    client = office.client_of("berit.bergen")
    late = [office.form(discharged, "bakgrunn"), office.form(deleted, "bakgrunn")]
    office.discharge(discharged, ANNE)
    client.submit(client.get(address(deleted, "slett", "bekreft")), button="Ja, slett deltaker", fill=BY_MISTAKE)
    for form, status in zip(late, (403, 404), strict=True):
        assert send(office, form, mother_tongue="Urdu").status_code == status
    assert office.participation(discharged).mother_tongue is None


def test_a_form_that_comes_ten_times_at_once_is_one_change(office: Office, own_house: House) -> None:
    """A save that is sent again, from ten threads: one history row, and no conflict with itself."""
    public_id = office.given()
    form = office.form(public_id, "bakgrunn")
    form.fill({"mother_tongue": "Urdu", "children": "2"})
    data = MultiDict(form.pairs(None))
    cookie = office.client_of("berit.bergen").get_cookie("session")
    assert cookie is not None
    statuses: list[int] = []

    def send() -> None:
        client = own_house.nobody()
        client.set_cookie("session", cookie.value)
        statuses.append(client.post_partial(address(public_id, "bakgrunn", "lagre"), data).status_code)

    threads = [threading.Thread(target=send) for _number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 10
    rows = [(field, new) for _version, _user, field, _old, new in office.changes(public_id)]
    assert (rows.count(("mother_tongue", "urd")), rows.count(("children", 2))) == (1, 1)
    assert office.participation(public_id).version == 2
    assert office.drafts(public_id) == {}
