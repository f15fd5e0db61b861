"""«Påbegynte»: unfinished registrations are kept for their user, and wait for the register."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import insert, select, update
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from app.connections.registers import connect_registers
from services.core.days import date_text
from services.core.db import db, now
from services.participation.create import new_creation_key
from services.tables.accounts import User
from services.tables.participants import AccessEntry, Beginning, Participation
from tests.support.client import CheckedClient, form_in, text_of, tree_of
from tests.support.databases import Databases, running_app
from tests.support.forms import Value
from tests.support.house import FailRegister, House
from tests.support.registering import NAME_IS_RIGHT, START, Office, goal_of

BERIT, ANNE = "berit.bergen", "anne.tokommuner"


@pytest.fixture(autouse=True)
def _nothing_begun(own_house: House) -> Iterator[None]:
    yield
    own_house.write(Beginning.__table__.delete())  # type: ignore[attr-defined]


def begun(house: House) -> list[Beginning]:
    """The unfinished registrations of all users."""
    return [row[0] for row in house.ask(select(Beginning).order_by(Beginning.begun_at))]


def typed(office: Office, number: str, **more: str) -> tuple[TestResponse, MultiDict[str, str]]:
    """Send the form as by the script while it is filled in; returns the response, and the sent values."""
    client = office.client_of(BERIT)
    form = form_in(client.get("/deltakere/ny"), form="registrering")
    assert form.element.attrib["data-lagre"] == "/deltakere/ny/lagre"
    sent = MultiDict({**dict(form.pairs(None)), "national_id": number, **more})
    return client.post_partial("/deltakere/ny/lagre", sent), sent


def test_what_is_typed_is_found_again(office: Office, own_house: House) -> None:
    answer, sent = typed(office, "03851", start_date="01.02.2024")
    assert "Ikke opprettet ennå. Mangler: fødselsnummer og bekreftet navn" in text_of(answer)
    place = answer.headers["HX-Replace-Url"]
    again = office.client_of(BERIT).post_partial("/deltakere/ny/lagre", sent)
    assert "HX-Replace-Url" not in again.headers
    assert len(begun(own_house)) == 1
    page = office.client_of(BERIT).get(place)
    form = form_in(page, form="registrering")
    assert (form.value("Fødselsnummer"), form.value("Dato for oppstart")) == ("03851", "01.02.2024")
    assert form.value("creation_key") == sent["creation_key"]
    listed = office.client_of(BERIT).get("/deltakere/pabegynte")
    assert "Mangler: fødselsnummer og bekreftet navn" in text_of(listed)
    assert office.client_of(BERIT).follow(listed, "Fortsett").request.path == place


def test_it_is_its_users_alone(office: Office, own_house: House) -> None:
    answer, sent = typed(office, "03851598730")
    place = answer.headers["HX-Replace-Url"]
    anne = office.client_of(ANNE)
    assert goal_of(anne.get(place)) == "/deltakere/pabegynte"
    assert "03851598730" not in text_of(anne.get("/deltakere/pabegynte"))
    token = str(form_in(anne.get("/deltakere/ny"), form="registrering").value("csrf_token"))
    stolen = MultiDict({**sent, "csrf_token": token, "national_id": "1"})
    assert goal_of(anne.post_partial("/deltakere/ny/lagre", stolen)) == "/deltakere/pabegynte"
    goal_of(anne.post(f"{place}/forkast", data={"csrf_token": token}))
    assert [row.form["national_id"] for row in begun(own_house)] == [["03851598730"]]


def test_sent_from_ten_threads_it_is_kept_once(office: Office, own_house: House) -> None:
    _answer, sent = typed(office, "038")
    own_house.write(Beginning.__table__.delete())  # type: ignore[attr-defined]
    cookie = office.client_of(BERIT).get_cookie("session")
    assert cookie is not None

    def send() -> None:
        client = own_house.nobody()
        client.set_cookie("session", cookie.value)
        assert client.post_partial("/deltakere/ny/lagre", sent).status_code == 200

    threads = [threading.Thread(target=send) for _number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun(own_house)) == 1


def look_ups(office: Office) -> int:
    """The number of logged look-ups, by any user."""
    return [action for action, _detail in office.log()].count("look_up")


def test_keeping_asks_nobody_and_shows_nobody(office: Office, own_house: House) -> None:
    person, before = office.someone(), look_ups(office)
    answer, _sent = typed(office, person.number, start_date="01.02.2024")
    client = office.client_of(BERIT)
    for place in (answer.headers["HX-Replace-Url"], "/deltakere/pabegynte"):
        assert person.full_name not in text_of(client.get(place))
    assert look_ups(office) == before
    for place in ("/deltakere", "/deltakere/oversikt.csv", "/deltakere/fullt-datasett.csv", "/deltakere/tiltak.csv"):
        assert person.number not in client.get(place).get_data(as_text=True)
    page = client.submit(client.get(answer.headers["HX-Replace-Url"]), button="Hent navnet")
    assert person.full_name in text_of(page)


def test_a_blank_form_is_not_kept_but_an_emptied_one_is(office: Office, own_house: House) -> None:
    _answer, sent = typed(office, "")
    assert begun(own_house) == []
    client = office.client_of(BERIT)
    assert client.submit(client.get("/deltakere/ny"), button="Neste").status_code == 422
    assert begun(own_house) == []
    client.post_partial("/deltakere/ny/lagre", MultiDict({**sent, "national_id": "038"}))
    client.post_partial("/deltakere/ny/lagre", sent)
    assert [row.form for row in begun(own_house)] == [{"funding": ["ordinary"]}]


def test_what_comes_late_does_not_bring_back_what_is_created(office: Office, own_house: House) -> None:
    """The script's last save arrives after «Neste», or at the same moment."""
    person = office.someone()
    page = office.begin(person)
    late = MultiDict(form_in(page, form="registrering").pairs(None))
    goal_of(office.finish(page))
    client = office.client_of(BERIT)
    answer = client.post_partial("/deltakere/ny/lagre", late)
    assert "HX-Replace-Url" not in answer.headers
    assert begun(own_house) == []
    berit = own_house.ask(select(User.id).where(User.username == BERIT))[0].id
    zombie = {"id": "a" * 16, "user_id": berit, "creation_key": late["creation_key"], "begun_at": now()}
    form = {"national_id": [person.number]}
    own_house.write(insert(Beginning).values(**zombie, form=form, changed_at=now()))
    assert "Ingen påbegynte registreringer" in text_of(client.get("/deltakere/pabegynte"))
    assert goal_of(client.get(f"/deltakere/ny/{'a' * 16}")) == "/deltakere/pabegynte"


def test_going_on_in_vain_keeps_it_and_creating_clears_it_away(office: Office, own_house: House) -> None:
    person = office.someone()
    page = office.begin(person)  # «Hent navn», without script
    assert [row.outcome for row in begun(own_house)] == ["found"]
    refused = office.finish(page, start="")
    assert refused.status_code == 422
    assert "Påbegynte" in text_of(refused)
    kept = begun(own_house)[0]
    page = office.client_of(BERIT).get(f"/deltakere/ny/{kept.id}")
    assert person.full_name in text_of(page)  # without another look-up
    goal_of(office.finish(page))
    assert begun(own_house) == []


def test_who_was_just_looked_up_is_not_asked_for_again(office: Office) -> None:
    before = len([action for action, _detail in office.log() if action == "look_up"])
    goal_of(office.finish(office.begin(office.someone())))
    assert len([action for action, _detail in office.log() if action == "look_up"]) == before + 1


@pytest.mark.parametrize(
    ("number", "answers", "missing"),
    [
        ("", {"start_date": "01.02.2024"}, "fødselsnummer og bekreftet navn"),
        ("03851", {}, "fødselsnummer og bekreftet navn, dato for oppstart"),
        ("20036914712", {"start_date": "01.02.2024"}, "gyldig fødselsnummer og bekreftet navn"),
        ("03851598730", {"start_date": "32.01.2024"}, "bekreftet navn, dato for oppstart (må rettes)"),
        ("03851598730", {"start_date": "01.02.2099"}, "bekreftet navn, dato for oppstart (må rettes)"),
        ("03851598730", {"start_date": "01.02.2024", "funding": ""}, "bekreftet navn, finansiering"),
    ],
)
def test_what_is_really_missing_is_said(
    office: Office, own_house: House, number: str, answers: dict[str, str], missing: str
) -> None:
    typed(office, number, **answers)
    listed = office.client_of(BERIT).get("/deltakere/pabegynte")
    assert f"Mangler: {missing} Fortsett" in text_of(listed)


def test_also_what_is_missing_besides_the_name_is_said(office: Office, own_house: House) -> None:
    """For a registration that has its name, and for one with an error of the register."""
    office.begin(office.someone(), "kari.oslo")
    words = text_of(office.client_of("kari.oslo").get("/deltakere/pabegynte"))
    assert "Mangler: bekreftet navn, bydel, dato for oppstart" in words
    office.begin(office.someone("dead"))
    words = text_of(office.client_of(BERIT).get("/deltakere/pabegynte"))
    assert "Personen er registrert som død i Folkeregisteret og kan ikke registreres." in words
    assert "Mangler: bekreftet navn, dato for oppstart" in words


# ---- One for each number ----

OFFER = "Du har allerede begynt på en registrering med dette nummeret"


@pytest.mark.parametrize("partial", [False, True])
def test_the_one_that_exists_is_offered_and_no_other_made(office: Office, own_house: House, partial: bool) -> None:
    person, client = office.someone(), office.client_of(BERIT)
    answer, _sent = typed(office, person.number, start_date="01.02.2024")
    (first,) = begun(own_house)
    assert answer.headers["HX-Replace-Url"] == f"/deltakere/ny/{first.id}"
    again, sent = typed(office, f"{person.number[:6]} {person.number[6:]}")
    assert "HX-Replace-Url" not in again.headers
    looked_up = client.post_partial("/deltakere/ny/oppslag", sent)
    assert OFFER in text_of(looked_up)
    assert "HX-Replace-Url" not in looked_up.headers
    page = office.begin(person)
    assert OFFER in text_of(page)
    assert [row.id for row in begun(own_house)] == [first.id]
    on = client.submit(page, button="Fortsett på den", partial=partial)
    assert goal_of(on) == f"/deltakere/ny/{first.id}"
    form = form_in(client.get(goal_of(on)), form="registrering")
    assert (form.value("Dato for oppstart"), form.value("creation_key")) == ("01.02.2024", first.creation_key)
    assert OFFER not in text_of(client.get(goal_of(on)))
    assert len(begun(own_house)) == 1


def test_what_was_answered_meanwhile_goes_along(office: Office, own_house: House) -> None:
    person, client = office.someone(), office.client_of(BERIT)
    typed(office, person.number, funding="per_capita")
    _answer, sent = typed(office, person.number, start_date="01.02.2024")
    assert len(begun(own_house)) == 2, "what has been answered is never lost"
    page = client.get(f"/deltakere/ny/{begun(own_house)[1].id}")
    on = client.submit(page, button="Fortsett på den")
    (left,) = begun(own_house)
    assert goal_of(on) == f"/deltakere/ny/{left.id}"
    assert left.creation_key != sent["creation_key"]
    assert (left.form["start_date"], left.form["funding"]) == (["01.02.2024"], ["per_capita"])


def test_nobody_elses_is_offered(office: Office, own_house: House) -> None:
    person = office.someone()
    typed(office, person.number, start_date="01.02.2024")
    assert OFFER not in text_of(office.begin(person, ANNE))
    assert len(begun(own_house)) == 2
    mine = begun(own_house)[0]
    _answer, sent = typed(office, "038")
    gone = office.client_of(BERIT).post("/deltakere/ny", data=MultiDict({**sent, "go": "begun"}))
    assert gone.status_code == 200, "there is nothing to go on with"
    assert mine.id in {row.id for row in begun(own_house)}


# ---- Registered since ----


def registered_by(office: Office, by: str, place: str, number: str) -> None:
    """A colleague registers the person."""
    fill: dict[str, Value] = {"Kommune og kommunenummer": place} if by == ANNE else {}
    goal_of(office.finish(office.begin(number, by), by, fill=fill))


def test_a_number_that_has_been_registered_since_is_dropped(office: Office, own_house: House) -> None:
    """By a colleague in the same municipality; nothing is shown about other ones."""
    here, elsewhere, other = office.someone(), office.someone(), office.someone()
    for person in (here, elsewhere, other):
        typed(office, person.number, start_date="01.02.2024")
    place = begun(own_house)[0].id
    registered_by(office, ANNE, "Bergen (4601)", here.number)
    registered_by(office, ANNE, "Askøy (4627)", elsewhere.number)
    client = office.client_of(BERIT)
    listed = text_of(client.get("/deltakere/pabegynte")).replace(" ", "")
    assert here.number not in listed
    assert elsewhere.number in listed
    assert other.number in listed
    assert goal_of(client.get(f"/deltakere/ny/{place}")) == "/deltakere/pabegynte"
    page = office.begin(here)
    assert OFFER not in text_of(page)
    assert "Personen er allerede deltaker i kommunen." in text_of(page)


def test_one_whom_the_user_may_not_know_of_is_not_dropped(office: Office, own_house: House) -> None:
    person = office.someone()
    office.begin(person, "kari.oslo")
    goal_of(office.finish(office.begin(person, "siri.vern"), "siri.vern", fill={"Bydel": "Sagene"}))
    kari = office.client_of("kari.oslo")
    assert person.number not in text_of(kari.get("/deltakere/pabegynte")).replace(" ", "")
    one = update(Participation).where(Participation.national_id == person.number)
    own_house.write(one.values(protected=True))
    assert person.number in text_of(kari.get("/deltakere/pabegynte")).replace(" ", "")


def test_it_can_be_thrown_away(office: Office, own_house: House) -> None:
    typed(office, "038")
    client = office.client_of(BERIT)
    done = client.submit(client.get("/deltakere/pabegynte"), button="Forkast", follow_redirects=True)
    assert "Den påbegynte registreringen er forkastet." in text_of(done)
    assert "Ingen påbegynte registreringer" in text_of(done)
    assert begun(own_house) == []


def test_after_thirty_days_it_is_gone(office: Office, own_house: House) -> None:
    answer, _sent = typed(office, "038")
    own_house.write(update(Beginning).values(changed_at=now() - timedelta(days=31)))
    assert goal_of(office.client_of(BERIT).get(answer.headers["HX-Replace-Url"])) == "/deltakere/pabegynte"
    typed(office, "039")
    assert [row.form["national_id"] for row in begun(own_house)] == [["039"]]


@pytest.mark.parametrize("kind", ["500", "429", "refuse", "html"])
def test_a_register_that_is_down_lets_it_wait(
    office: Office, own_house: House, fail_register: FailRegister, kind: str
) -> None:
    person = office.someone()
    count = office.count()
    fail_register("freg", kind, number=person.number)
    answer = sent(office, office.begin(person))
    (kept,) = begun(own_house)
    assert goal_of(answer) == f"/deltakere/ny/{kept.id}"
    page = office.client_of(BERIT).get(goal_of(answer))
    assert "Ikke opprettet ennå. Venter på oppslag i Folkeregisteret." in text_of(page)
    assert "Når navnet er hentet, står det under Påbegynte" in text_of(page)
    form = form_in(page, form="registrering")
    assert (form.value("Fødselsnummer"), form.value("Dato for oppstart")) == (person.number, date_text(START))
    listed = office.client_of(BERIT).get("/deltakere/pabegynte")
    assert "Venter på oppslag. Navnet hentes når Folkeregisteret svarer." in text_of(listed)
    assert office.count() == count

    assert "0 waiting registrations answered" in refresh(own_house.app)  # still down
    assert begun(own_house)[0].outcome in {"down", "busy"}
    heal(own_house.app)
    assert "1 waiting registrations answered" in refresh(own_house.app)
    listed = office.client_of(BERIT).get("/deltakere/pabegynte")
    assert f"{person.full_name}" in text_of(listed)
    assert "Navnet er hentet. Fortsett, bekreft navnet og opprett deltakeren." in text_of(listed)
    start = office.client_of(BERIT).get("/", follow_redirects=True)
    assert "Navnet er hentet for 1 påbegynt registrering" in text_of(start)
    assert "Navnet er hentet for 1 registrering som ventet." in text_of(office.client_of(BERIT).get("/deltakere/ny"))
    page = office.client_of(BERIT).follow(listed, "Fortsett")
    goal_of(office.finish(page))
    assert office.count() == count + 1
    assert begun(own_house) == []
    assert ("look_up", {"purpose": "waiting registration", "outcome": "found"}) in office.log()


def test_another_number_does_not_wait(office: Office, own_house: House, fail_register: FailRegister) -> None:
    person, other = office.someone(), office.someone()
    fail_register("freg", "500", number=person.number)
    page = office.client_of(BERIT).get(goal_of(sent(office, office.begin(person))))
    again = sent(office, page)
    assert len(begun(own_house)) == 1, "sent twice, it waits once"
    page = office.client_of(BERIT).get(goal_of(again))
    fields = MultiDict(form_in(page, form="registrering").pairs(None))
    fields["national_id"] = other.number
    office.client_of(BERIT).post_partial("/deltakere/ny/lagre", fields)
    assert begun(own_house)[0].waits_since is None
    assert "0 waiting registrations answered" in refresh(own_house.app)


def test_those_who_wait_are_not_all_tried_while_the_register_is_down(
    office: Office, own_house: House, fail_register: FailRegister
) -> None:
    fail_register("freg", "500")
    for _number in range(5):
        goal_of(sent(office, office.begin(office.someone())))
    own_house.app.extensions["registers"] = connect_registers(own_house.app.config["SETTINGS"])
    before = look_ups(office)
    refresh(own_house.app)
    assert look_ups(office) == before + 3
    heal(own_house.app)
    assert "5 waiting registrations answered" in refresh(own_house.app)


def sent(office: Office, page: TestResponse, by: str = BERIT, *, partial: bool = False) -> TestResponse:
    """«Neste», without a name to confirm."""
    fill: dict[str, Value] = {"Dato for oppstart": date_text(START)}
    if by == "kari.oslo":
        fill["Bydel"] = "Sagene"
    return office.client_of(by).submit(page, button="Neste", fill=fill, partial=partial)


def heal(app: Flask) -> None:
    """Heal the stand-ins, and let the program forget their failures."""
    assert app.test_cli_runner().invoke(args=["standins", "heal"]).exit_code == 0
    app.extensions["registers"] = connect_registers(app.config["SETTINGS"])


def refresh(app: Flask) -> str:
    """Run `flask registers refresh`, which must succeed."""
    result = app.test_cli_runner().invoke(args=["registers", "refresh"])
    assert result.exit_code == 0, result.output
    return str(result.output)


def test_nobody_protected_is_found_while_waiting(office: Office, own_house: House, fail_register: FailRegister) -> None:
    person = office.someone("protected")
    fail_register("freg", "500", number=person.number)
    sent(office, office.begin(person))
    heal(own_house.app)
    refresh(own_house.app)
    kept = begun(own_house)[0]
    assert (kept.outcome, kept.record) == ("not_here", None)
    words = text_of(office.client_of(BERIT).get("/deltakere/pabegynte"))
    assert "Kan ikke registreres her. Ta kontakt med IMDi." in words
    assert person.full_name not in words


def test_the_number_that_replaced_it_is_offered(office: Office) -> None:
    person = office.someone("replaced")
    client = office.client_of(BERIT)
    page = office.begin(person)
    assert person.current_number in text_of(page)
    page = client.submit(page, button="Neste", fill={"Dato for oppstart": date_text(START)})
    assert page.status_code == 422
    page = client.submit(page, button="Bruk det nye nummeret")
    form = form_in(page, form="registrering")
    assert (form.value("Fødselsnummer"), form.value("Dato for oppstart")) == (person.current_number, date_text(START))
    assert tree_of(page).text(tree_of(page).by_id["name"]) == person.full_name
    goal_of(office.finish(page))


def test_only_so_many_look_ups_in_an_hour(databases: Databases, settings: dict[str, str], dialect: str) -> None:
    address = databases.filled(dialect, 0)
    with running_app({**settings, "DATABASE_URL": address, "LOOKUPS_PER_HOUR": "2"}) as app:
        app.test_client_class = CheckedClient
        office = Office(app, House(app).client)
        for _again in range(2):
            assert NAME_IS_RIGHT in text_of(office.begin(office.someone()))
        third = office.begin(office.someone())
        assert "Du har gjort 2 oppslag den siste timen. Vent til kl." in text_of(third)
        assert form_in(third, form="registrering").value("Fødselsnummer")
        fourth = office.client_of(BERIT).submit(third, button="Prøv igjen")
        assert "Du har gjort 2 oppslag" in text_of(fourth)
        assert NAME_IS_RIGHT in text_of(office.begin(office.someone(), by=ANNE))
        with app.app_context():
            berit = db.session.scalar(select(User.id).where(User.username == BERIT))
            lines = list(db.session.scalars(select(AccessEntry).where(AccessEntry.user_id == berit)))
            looked_up = [line.detail for line in lines if line.action == "look_up"]
            assert looked_up == [{"purpose": "registration"}] * 2
            refused = [line.detail for line in lines if line.action == "refused"]
            assert refused == [{"purpose": "registration"}] * 2
    databases.remove(address)


def test_many_look_ups_at_once_are_counted_one_by_one(
    databases: Databases, settings: dict[str, str], dialect: str
) -> None:
    address = databases.filled(dialect, 0)
    with running_app({**settings, "DATABASE_URL": address, "LOOKUPS_PER_HOUR": "3"}) as app:
        app.test_client_class = CheckedClient
        house = House(app)
        office = Office(app, house.client)
        token = str(form_in(office.client_of(BERIT).get("/deltakere/ny"), form="registrering").value("csrf_token"))
        key = office.client_of(BERIT).get_cookie("session")
        assert key is not None

        def ask(number: str) -> bool:
            client = house.nobody()
            client.set_cookie("session", key.value)
            form = {"csrf_token": token, "creation_key": new_creation_key(), "national_id": number}
            return NAME_IS_RIGHT in text_of(client.post_partial("/deltakere/ny/oppslag", form))

        numbers = [office.someone().number for _number in range(8)]
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(ask, numbers)) == 3
    databases.remove(address)
