"""Corrections: a deletion has a reason, IMDi restores and reopens, and the municipality is notified."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import delete, update

from services.core.status import Status
from services.participation.corrections import restore
from services.participation.find import NotAllowed
from services.tables.participants import Notice, Participation, Person
from tests.support.client import form_in, text_of, tree_of
from tests.support.house import House
from tests.support.registering import BY_MISTAKE, Office, address, goal_of

BERIT, ADMIN = "berit.bergen", "admin.imdi"
WHY = "Slettet ved en feil av kommunen"


@pytest.fixture
def office(own_house: House) -> Office:
    """The caseworkers, and IMDi."""
    own_house.write(delete(Notice))
    return Office(own_house.app, own_house.client)


def deleted(office: Office, public_id: str, **fill: str) -> None:
    """Delete the participant, by the form."""
    client = office.client_of(BERIT)
    question = client.get(address(public_id, "slett", "bekreft"))
    goal_of(client.submit(question, button="Ja, slett deltaker", fill=BY_MISTAKE | fill))


def mend(office: Office, public_id: str, word: str, button: str, reason: str = WHY) -> str:
    """A correction by IMDi with the button on the page of registered data; returns the destination."""
    client = office.client_of(ADMIN)
    form = client.follow(client.get(address(public_id, "data")), button)
    assert form.request.path == address(public_id, word)
    return goal_of(client.submit(form, button=button, fill={"Begrunnelse": reason}))


@pytest.mark.parametrize("partial", [False, True])
def test_a_deletion_needs_a_reason(office: Office, partial: bool) -> None:
    public_id = office.given()
    client = office.client_of(BERIT)
    question = client.get(address(public_id, "slett", "bekreft"))
    answer = client.submit(question, button="Ja, slett deltaker", partial=partial)
    assert answer.status_code == 422
    tree = tree_of(answer)
    assert tree.text(tree.by_id["reason-error"]) == "Velg hvorfor deltakeren slettes"
    assert [link.attrib["href"] for link in tree.by_id["error-summary"].iter("a")] == ["#reason"]
    assert partial or tree.text(next(tree.elements("title"))).startswith("Feil: ")
    other = {"Hvorfor slettes deltakeren?": "Annet"}
    answer = client.submit(answer, button="Ja, slett deltaker", fill=other, partial=partial)
    assert answer.status_code == 422
    assert tree_of(answer).text(tree_of(answer).by_id["text-error"]) == "Beskriv grunnen"
    long = client.submit(answer, button="Ja, slett deltaker", fill={"Beskriv grunnen": "x" * 201}, partial=partial)
    assert "Skriv maks 200 tegn" in text_of(long)
    assert office.participation(public_id).deleted_at is None
    goal_of(client.submit(long, button="Ja, slett deltaker", fill={"Beskriv grunnen": "Flyttet"}, partial=partial))
    found = office.participation(public_id)
    assert (found.deleted_reason, found.deleted_reason_text) == ("other", "Flyttet")
    assert "Deltakeren Slettet: Annet. Flyttet" in text_of(office.page(public_id, "historikk", "ida.imdi"))
    assert "Grunn til sletting Annet. Flyttet" in text_of(office.page(public_id, "data", "ida.imdi"))
    before = office.snapshot(public_id)
    again = client.submit(long, button="Ja, slett deltaker", fill={"Beskriv grunnen": "Flyttet"}, partial=partial)
    assert goal_of(again) == "/deltakere", "pressed twice: it is done"
    assert office.snapshot(public_id) == before
    anne = office.client_of("anne.tokommuner")
    token = str(form_in(anne.get("/hjelp"), button="Logg ut").value("csrf_token"))
    data = {"csrf_token": token, "reason": "mistake"}
    assert anne.post(address(public_id, "slett"), data=data).status_code == 404, "she has not deleted anybody"


def test_imdi_restores_a_deleted_participant(office: Office) -> None:
    person = office.someone()
    public_id = office.given(person)
    before = office.participation(public_id)
    deleted(office, public_id)
    assert office.client_of(BERIT).get(address(public_id, "data")).status_code == 404
    assert mend(office, public_id, "gjenopprett", "Gjenopprett deltaker") == address(public_id, "data")
    found = office.participation(public_id)
    assert (found.deleted_at, found.deleted_by, found.deleted_reason) == (None, None, None)
    assert (found.status, found.changed_at, found.changed_by) == (before.status, before.changed_at, before.changed_by)
    assert found.version == before.version + 2
    assert person.full_name in text_of(office.page(public_id, "person"))
    history = text_of(office.page(public_id, "historikk"))
    assert f"admin.imdi Deltakeren Gjenopprettet: {WHY}" in history
    assert "restore" in [action for action, _detail in office.log(public_id)]
    told = office.client_of(BERIT).get("/deltakere/meldinger")
    assert f"{person.full_name} : gjenopprettet {WHY}" in text_of(told)


def test_imdi_reopens_a_discharged_participant(office: Office) -> None:
    person = office.someone()
    public_id = office.ended(person)
    goal_of(office.discharge(public_id))
    receipt = office.client_of(BERIT).get(address(public_id, "kvittering"))
    assert person.full_name not in text_of(receipt)
    assert f"Deltaker {office.participation(public_id).person_id} er skrevet ut." in text_of(receipt)
    assert mend(office, public_id, "gjenapne", "Gjenåpne deltaker") == address(public_id, "data")
    found = office.participation(public_id)
    assert (found.status, found.name, found.discharged_at) == (Status.ENDED, person.full_name, None)
    client = office.client_of(BERIT)
    assert goal_of(client.get(address(public_id, "kvittering"))) == address(public_id, "avslutning")
    form = form_in(client.get("/deltakere"), form="liste")
    assert form is not None
    goal_of(office.send(public_id, "avslutning", {"Gyldig fravær, dager": "5"}, "Til deltakeroversikten"))
    goal_of(office.discharge(public_id))
    assert office.participation(public_id).name == ""


def test_who_is_reopened_bears_her_present_name_and_number(office: Office, own_house: House) -> None:
    public_id, number = office.ended(), office.someone().number
    goal_of(office.discharge(public_id))
    ref = office.participation(public_id).person_ref
    own_house.write(update(Person).where(Person.id == ref).values(national_id=number, name="Nytt Navn"))
    own_house.write(update(Participation).where(Participation.public_id == public_id).values(background_missing=7))
    mend(office, public_id, "gjenapne", "Gjenåpne deltaker")
    found = office.participation(public_id)
    assert (found.name, found.national_id, found.background_missing) == ("Nytt Navn", number, 0)
    listed = office.client_of(BERIT).get("/deltakere")
    assert f"{number} Nytt Navn Bergen" in text_of(listed)


def test_ten_presses_at_once_restore_once(office: Office) -> None:
    public_id = office.given()
    deleted(office, public_id)
    everybody_is_there = Barrier(10)

    def press(_number: int) -> str:
        with office.app.app_context():
            admin = office._viewer(ADMIN)
            everybody_is_there.wait()
            try:
                restore(admin, public_id, reason=WHY)
            except NotAllowed:
                return "restored already"
            return "restored"

    with ThreadPoolExecutor(10) as pool:
        outcomes = Counter(pool.map(press, range(10)))
    assert outcomes == {"restored": 1, "restored already": 9}
    assert [row[2] for row in office.changes(public_id)].count("restored") == 1
    assert text_of(office.client_of(BERIT).get("/deltakere/meldinger")).count(WHY) == 1


def test_who_is_in_a_programme_again_is_not_brought_back(office: Office) -> None:
    person = office.someone()
    first = office.given(person)
    deleted(office, first)
    goal_of(office.finish(office.begin(person)))
    client = office.client_of(ADMIN)
    form = client.get(address(first, "gjenopprett"))
    refused = client.submit(form, button="Gjenopprett deltaker", fill={"Begrunnelse": WHY})
    assert refused.status_code == 422
    assert "Personen er med i Jobbsjansen på nytt" in text_of(refused)
    assert office.participation(first).deleted_at is not None


def test_a_reason_must_be_given_and_pressing_twice_does_no_harm(office: Office) -> None:
    public_id = office.given()
    deleted(office, public_id)
    client = office.client_of(ADMIN)
    form = client.get(address(public_id, "gjenopprett"))
    refused = client.submit(form, button="Gjenopprett deltaker")
    assert refused.status_code == 422
    assert "Skriv en begrunnelse. Kommunen får se den" in text_of(refused)
    for _again in range(2):
        assert goal_of(client.submit(form, button="Gjenopprett deltaker", fill={"Begrunnelse": WHY})) == address(
            public_id, "data"
        )
    assert [row[2] for row in office.changes(public_id)].count("restored") == 1


def test_the_municipality_reads_what_it_is_told(office: Office) -> None:
    public_id = office.given()
    deleted(office, public_id)
    mend(office, public_id, "gjenopprett", "Gjenopprett deltaker")
    client = office.client_of(BERIT)
    assert "Ingen meldinger" in text_of(office.client_of("kari.oslo").get("/deltakere/meldinger"))
    page = client.get("/deltakere/meldinger")
    form = form_in(page, button=f"Merk som lest {office.participation(public_id).name}")
    stolen = office.client_of("kari.oslo")
    token = str(form_in(stolen.get("/hjelp"), button="Logg ut").value("csrf_token"))
    assert stolen.post(form.element.attrib["action"], data={"csrf_token": token}).status_code == 404
    done = client.submit(form, follow_redirects=True)
    assert "Lest av berit.bergen" in text_of(done)


def test_a_notice_stands_on_her_own_page_until_it_is_read(office: Office) -> None:
    public_id = office.given()
    deleted(office, public_id)
    mend(office, public_id, "gjenopprett", "Gjenopprett deltaker")
    told = f"IMDi har gjenopprettet deltakeren {WHY}"
    for by, is_told in ((BERIT, True), ("anne.tokommuner", True), ("ida.imdi", False), (ADMIN, False)):
        assert (told in text_of(office.page(public_id, "data", by))) == is_told, by
    client = office.client_of(BERIT)
    done = client.submit(client.get(address(public_id, "data")), button="Merk som lest")
    assert goal_of(done) == address(public_id, "data")
    assert told not in text_of(office.page(public_id, "data", "anne.tokommuner"))
    assert "Lest av berit.bergen" in text_of(office.client_of("anne.tokommuner").get("/deltakere/meldinger"))


def test_notices_of_protected_participants_are_for_those_who_see_them(office: Office, own_house: House) -> None:
    kari = office.client_of("kari.oslo")
    public_id = office.given(by="kari.oslo", district="030101")
    question = kari.get(address(public_id, "slett", "bekreft"))
    goal_of(kari.submit(question, button="Ja, slett deltaker", fill=BY_MISTAKE))
    mend(office, public_id, "gjenopprett", "Gjenopprett deltaker")
    own_house.write(update(Participation).where(Participation.public_id == public_id).values(protected=True))
    assert "Ingen meldinger" in text_of(kari.get("/deltakere/meldinger"))
    assert WHY in text_of(office.client_of("siri.vern").get("/deltakere/meldinger"))
