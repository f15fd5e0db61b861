"""Page 1 before the participant exists: number, name, kommune, and the results of the look-up."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from app.connections.registers import connect_registers
from app.settings.config import Settings
from services.core.clock import today
from services.core.days import date_text
from services.core.db import db
from services.core.status import Status
from services.registers.clients import Registers
from services.standins import control as standin_control
from services.standins.control import Kind
from services.standins.pad import results_of
from services.standins.population import by_number
from services.tables.participants import Municipality
from tests.support.client import CheckedClient, form_in, text_of, tree_of
from tests.support.house import FailRegister, House
from tests.support.registering import NAME_IS_RIGHT, START, Office, address, goal_of

NEW = "/deltakere/ny"


# Tests of the form alone need one database only.
ONE_DATABASE = pytest.mark.parametrize("own_house", ["sqlite"], indirect=True)


@pytest.fixture
def heal(office: Office) -> Iterator[Callable[[], None]]:
    """Heals the stand-ins, and lets the program forget their failures. Always called after the test."""
    settings: Settings = office.app.config["SETTINGS"]

    def heal() -> None:
        standin_control.heal(settings.freg_url)
        standin_control.heal(settings.pad_url)
        office.app.extensions["registers"] = connect_registers(settings)

    yield heal
    heal()


# ---- Creating ----


@ONE_DATABASE
def test_the_form_is_blank_and_says_what_is_missing(office: Office) -> None:
    page = office.client_of("berit.bergen").get(NEW)
    form = form_in(page, form="registrering")
    assert form.value("Fødselsnummer") == ""
    assert form.value("Dato for oppstart") == ""
    assert form.value("Finansiering") == ["Ordinær Jobbsjansen"]
    assert not form.has("Bydel")
    [confirmation] = [control for control in form.controls if control.label == NAME_IS_RIGHT]
    assert confirmation.disabled  # its space is reserved, but there is no name to confirm yet
    words = text_of(page)
    assert "Bergen (4601)" in words
    assert "Ikke opprettet ennå. Mangler: fødselsnummer og bekreftet navn, dato for oppstart" in words
    assert "Hentes når nummeret er skrevet" in words


@ONE_DATABASE
def test_a_date_ahead_of_today_is_said_at_once(office: Office) -> None:
    """Not for incomplete input; and no longer after a correction."""
    client = office.client_of("berit.bergen")
    typed = dict(form_in(client.get(NEW), form="registrering").pairs(None))

    def type_in(date: str, **more: str) -> str:
        return text_of(client.post_partial("/deltakere/ny/vis", typed | {"start_date": date} | more))

    assert "fram i tid" not in type_in(f"01.01.{today().year + 1}"[:8])
    assert "Datoen kan ikke være fram i tid" in type_in(date_text(today() + timedelta(days=1)))
    mended = type_in(date_text(today()), sagt="start_date")
    assert "Dato for oppstart" in mended
    assert "fram i tid" not in mended.replace("Datoen kan ikke være fram i tid.", "", 1)  # the help text


@ONE_DATABASE
def test_the_name_comes_as_a_fragment_when_the_number_is_typed(office: Office) -> None:
    client, person = office.client_of("berit.bergen"), office.someone()
    page = client.get(NEW)
    typed = form_in(page, form="registrering")
    token = dict(typed.pairs(None))

    def type_in(number: str) -> str:
        answer = client.post_partial(
            "/deltakere/ny/oppslag", token | {"national_id": number}, source="input#national_id"
        )
        assert answer.status_code == 200
        assert tree_of(answer).by_id.keys() & {"national_id", "start_date", "funding"} == set()
        return text_of(answer)

    assert "Hentes når nummeret er skrevet" in type_in(person.number[:10])
    grouped = f" {person.number[:6]} {person.number[6:]} "
    assert person.full_name in type_in(grouped)
    assert NAME_IS_RIGHT in type_in(person.number)
    assert office.log()[-2:] == [("look_up", {"purpose": "registration"}), ("look_up_answer", {"outcome": "found"})]
    assert person.number not in str(office.log())


def test_neste_creates_and_she_stands_on_top_of_the_overview(office: Office) -> None:
    person = office.someone()
    page = office.begin(person)
    assert form_in(page, form="registrering").value("Fødselsnummer") == person.number
    assert person.full_name in text_of(page)
    public_id = goal_of(office.finish(page)).split("/")[2]

    found = office.participation(public_id)
    assert (found.national_id, found.name, found.municipality_number) == (person.number, person.full_name, "4601")
    assert (found.start_date, found.funding, found.district_number) == (START, "ordinary", None)
    assert (found.status, found.version, found.created_by) == (Status.CREATED, 1, "berit.bergen")
    assert re.fullmatch("9[0-9]{7}", found.person_id)
    assert found.person.pad_fetched_at is not None
    assert found.person.birth_country == person.birth_country
    assert office.changes(public_id) == [
        (1, "berit.bergen", "funding", None, "ordinary"),
        (1, "berit.bergen", "start_date", None, START.isoformat()),
    ]
    assert [action for action, _detail in office.log(public_id)] == ["create"]

    rows = tree_of(office.client_of("berit.bergen").get("/deltakere"))
    first = next(row for row in rows.elements("tr") if any(cell.tag == "td" for cell in row))
    assert person.full_name in rows.text(first)
    assert "Opprettet" in rows.text(first)
    assert "Mangler: Bakgrunn, Programinnhold" in rows.text(first)


@ONE_DATABASE
@pytest.mark.parametrize(
    ("button", "goal"),
    [
        ("Neste", "bakgrunn"),
        ("1. Person og prosjekt, Ikke påbegynt", "person"),
        ("2. Bakgrunn, Ikke påbegynt", "bakgrunn"),
        ("3. Programinnhold, Ikke påbegynt", "bakgrunn"),  # not past the incomplete page
        ("4. Avslutning, Ved utskriving", "avslutning"),
    ],
)
def test_every_way_on_creates(office: Office, button: str, goal: str) -> None:
    answer = office.finish(office.begin(office.someone()), button=button)
    assert goal_of(answer).endswith(goal)
    assert office.participation(goal_of(answer).split("/")[2]).status == Status.CREATED


def test_as_a_fragment_it_leads_on_by_htmx(office: Office) -> None:
    answer = office.finish(office.begin(office.someone()), partial=True)
    assert answer.status_code == 204
    assert goal_of(answer).endswith("bakgrunn")


def test_the_status_becomes_endret(office: Office) -> None:
    public_id = office.create()
    office.save(public_id, "bakgrunn", {"Morsmål": "Somali"})
    found = office.participation(public_id)
    assert (found.status, found.version) == (Status.CHANGED, 2)


def test_in_oslo_the_district_is_asked_for(office: Office) -> None:
    page = office.begin(office.someone(), "kari.oslo")
    assert len(form_in(page, form="registrering").controls)
    assert "Oslo (0301)" in text_of(page)
    refused = office.finish(page, "kari.oslo")
    assert refused.status_code == 422
    assert "Velg bydel" in text_of(refused)
    answer = office.finish(refused, "kari.oslo", fill={"Bydel": "Gamle Oslo"})
    found = office.participation(goal_of(answer).split("/")[2])
    assert found.municipality_number == "0301"
    assert found.district_number
    assert found.district_key


@ONE_DATABASE
def test_with_several_municipalities_one_is_chosen(office: Office) -> None:
    page = office.begin(office.someone(), "anne.tokommuner")
    refused = office.finish(page, "anne.tokommuner")
    assert refused.status_code == 422
    assert "Kommune og kommunenummer: velg kommune" in text_of(refused)
    answer = office.finish(refused, "anne.tokommuner", fill={"Kommune og kommunenummer": "Askøy (4627)"})
    assert office.participation(goal_of(answer).split("/")[2]).municipality_number == "4627"


@ONE_DATABASE
def test_the_financing_follows_the_chosen_municipality(office: Office) -> None:
    """Askøy joins the trial for this test."""

    def fund(model: str) -> None:
        with office.app.app_context():
            db.session.execute(update(Municipality).where(Municipality.number == "4627").values(funding=model))
            db.session.commit()

    client = office.client_of("anne.tokommuner")
    fund("per_capita")
    try:
        follow_it(client)
        follow_it_without_javascript(office)
        page = client.get(NEW)
        assert form_in(page, form="registrering").value("Finansiering") == []
        sent = dict(form_in(page, form="registrering").pairs(None))
        fragment = client.post_partial("/deltakere/ny/vis", sent | {"municipality": "4627"}, source="fieldset")
        per_capita = next(e for e in tree_of(fragment).elements("input") if e.attrib.get("value") == "per_capita")
        assert "checked" in per_capita.attrib
        again = client.post_partial(
            "/deltakere/ny/vis", sent | {"municipality": "4627", "funding": "per_capita"}, source="fieldset"
        )
        assert 'name="funding"' not in again.get_data(as_text=True)
        plain = client.submit(page, button="Hent navn", fill={"Kommune og kommunenummer": "Askøy (4627)"})
        assert form_in(plain, form="registrering").value("Finansiering") == ["Per capita"]
    finally:
        fund("ordinary")


def follow_it(client: CheckedClient) -> None:
    """The financing always follows the municipality; one chosen by hand stays until another municipality is chosen."""
    form = form_in(client.get(NEW), form="registrering")
    sent = {name: value for name, value in form.pairs(None) if name not in {"municipality", "funding"}}
    for changed, wanted in (
        ({"municipality": "4627"}, "per_capita"),
        ({"municipality": "4601"}, "ordinary"),
        ({"municipality": "4627"}, "per_capita"),
        ({"funding": "ordinary"}, "ordinary"),
        ({"start_date": "01.02.2024"}, "ordinary"),
        ({"municipality": "4601"}, "ordinary"),
        ({"municipality": "4627"}, "per_capita"),
    ):
        sent |= changed
        tree = tree_of(client.post_partial("/deltakere/ny/vis", sent, source="fieldset"))
        drawn = [one for one in tree.elements("input") if one.attrib.get("name") == "funding"]
        if drawn:
            sent["funding"] = next(one.attrib["value"] for one in drawn if "checked" in one.attrib)
        sent["followed"] = next(
            one.attrib["value"] for one in tree.elements("input") if one.attrib.get("name") == "followed"
        )
        assert sent["funding"] == wanted, changed


def follow_it_without_javascript(office: Office) -> None:
    """A financing on screen is not replaced unseen: the page is shown again."""
    client = office.client_of("anne.tokommuner")
    page = office.begin(office.someone(), "anne.tokommuner")
    page = client.submit(page, button="Hent navn", fill={"Kommune og kommunenummer": "Askøy (4627)"})
    assert form_in(page, form="registrering").value("Finansiering") == ["Per capita"]
    moved = office.finish(page, "anne.tokommuner", fill={"Kommune og kommunenummer": "Bergen (4601)"})
    assert moved.status_code == 422
    assert "Finansieringen følger kommunen. Kontroller at den er riktig" in text_of(moved)
    assert form_in(moved, form="registrering").value("Finansiering") == ["Ordinær Jobbsjansen"]
    by_hand = client.submit(moved, button="Neste", fill={"Finansiering": "Per capita"})
    public_id = goal_of(by_hand).split("/")[2]
    assert office.participation(public_id).funding == "per_capita"
    straight = office.finish(
        office.begin(office.someone(), "anne.tokommuner"),
        "anne.tokommuner",
        fill={"Kommune og kommunenummer": "Askøy (4627)"},
    )
    assert office.participation(goal_of(straight).split("/")[2]).funding == "per_capita"


def tampered() -> list[tuple[dict[str, str | list[str]], int]]:
    """Manipulated values instead of the form's, and the status of the response."""
    return [
        ({"municipality": "0301"}, 400),  # another user's
        ({"municipality": "9999"}, 400),
        ({"district": "030199"}, 400),
        ({"funding": "gold"}, 400),
        ({"funding": ["ordinary", "per_capita"]}, 400),
        ({"status": "4"}, 400),
        ({"creation_key": "x"}, 400),
        ({"creation_key": []}, 400),
        ({"go": "discharge"}, 400),
        ({"go": "\x00"}, 400),
        ({"shown_name": "Kari Nordmann"}, 422),
        ({"shown_name": []}, 422),
        ({"name_confirmed": "yes"}, 422),
        ({"start_date": "31.02.2024"}, 422),
        ({"start_date": "01.01.1026"}, 422),
        ({"start_date": date_text(today() + timedelta(days=1))}, 422),
        ({"start_date": "9" * 10_000}, 422),
        ({"start_date": "01.01.20\x0024"}, 422),
        ({"start_date": []}, 422),
        ({"start_date": ["01.01.2024", "02.01.2024"]}, 400),
        ({"national_id": "1" * 10_000}, 422),
        ({"national_id": "123\x00\x1f\x7f\ufffe"}, 422),
    ]


@ONE_DATABASE
def test_what_cannot_be_is_refused(office: Office) -> None:
    form = form_in(office.begin(office.someone()), form="registrering")
    before = office.count()
    for tampering, status in tampered():
        given = {"start_date": "02.01.2024"} | tampering
        for partial in (False, True):
            answer = office.client_of("berit.bergen").submit(
                form, button="Neste", fill={NAME_IS_RIGHT: True}, extra=given, partial=partial
            )
            assert answer.status_code == status, tampering
            assert len(text_of(answer)) > 20
    assert office.count() == before


@ONE_DATABASE
def test_what_was_typed_stays_beside_the_errors(office: Office) -> None:
    person = office.someone()
    answer = office.finish(office.begin(person), start="31.02.2024", fill={"Finansiering": "Per capita"}, partial=True)
    assert answer.status_code == 422
    form = form_in(answer, form="registrering")
    assert form.value("Fødselsnummer") == person.number
    assert form.value("Dato for oppstart") == "31.02.2024"
    assert form.value("Finansiering") == ["Per capita"]
    assert form.value(NAME_IS_RIGHT) == [NAME_IS_RIGHT]
    tree = tree_of(answer)
    assert tree.text(next(tree.elements("title"))).startswith("Feil: Ny deltaker")
    assert "Dato for oppstart: skriv en dato som finnes" in tree.text(tree.by_id["error-summary"])
    assert tree.text(tree.by_id["start_date-error"]).startswith("Skriv en dato som finnes")


@ONE_DATABASE
def test_the_name_must_be_confirmed(office: Office) -> None:
    page = office.begin(office.someone())
    answer = office.finish(page, fill={NAME_IS_RIGHT: False})
    assert answer.status_code == 422
    assert "Bekreft at navnet er riktig" in text_of(answer)
    assert form_in(answer, form="registrering").value(NAME_IS_RIGHT) == []


@ONE_DATABASE
def test_only_the_very_name_that_was_shown_counts(office: Office) -> None:
    """The user has confirmed one person's name, and then types another's number."""
    one, other = office.someone(), office.someone()
    answer = office.finish(office.begin(one), fill={"Fødselsnummer": other.number})
    assert answer.status_code == 422
    assert other.full_name in text_of(answer)
    assert form_in(answer, form="registrering").value(NAME_IS_RIGHT) == []


# ---- Sent twice ----


def test_sent_twice_it_creates_once(office: Office) -> None:
    page = office.begin(office.someone())
    before = office.count()
    first, second = office.finish(page), office.finish(page)
    assert goal_of(first) == goal_of(second)
    assert office.count() == before + 1


def test_sent_ten_times_at_once_it_creates_once(office: Office) -> None:
    person = office.someone()
    page = office.begin(person)
    before = office.count()
    goals: list[str] = []
    form = form_in(page, form="registrering")
    form.fill({NAME_IS_RIGHT: True, "Dato for oppstart": date_text(START)})
    clients = [office.app.test_client() for _ in range(10)]
    cookie = office.client_of("berit.bergen").get_cookie("session")
    assert cookie is not None
    start = threading.Barrier(10)

    def press(client: CheckedClient) -> None:
        client.set_cookie("session", cookie.value)
        start.wait()
        goals.append(goal_of(client.submit(form, button="Neste")))

    threads = [threading.Thread(target=press, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(goals) == 10
    assert len(set(goals)) == 1
    assert office.count() == before + 1


def test_the_same_form_with_another_number_creates_another(office: Office) -> None:
    """A page from the browser's history, filled in anew."""
    one, other = office.someone(), office.someone()
    first = office.finish(office.begin(one))
    page = form_in(office.begin(other), form="registrering")
    stale = dict(form_in(office.begin(one), form="registrering").pairs(None))["creation_key"]
    second = office.finish(page, extra={"creation_key": stale})
    third = office.client_of("berit.bergen").submit(
        office.begin(office.someone()),
        button="Neste",
        fill={NAME_IS_RIGHT: True, "Dato for oppstart": date_text(START)},
        extra={"creation_key": stale},
    )
    assert len({goal_of(answer) for answer in (first, second, third)}) == 3


def test_two_offices_at_once_get_one_participant(office: Office) -> None:
    """Both have confirmed the name before either presses «Neste»."""
    person = office.someone()
    bergen, oslo = office.begin(person), office.begin(person, "kari.oslo")
    goal_of(office.finish(bergen))
    refused = office.finish(oslo, "kari.oslo", fill={"Bydel": "Frogner"})
    assert refused.status_code == 422
    assert "Kan ikke registreres her. Ta kontakt med IMDi." in text_of(refused)


# ---- Results of the look-up ----


def refusal(office: Office, number: str, by: str = "berit.bergen") -> str:
    """The message at the number after an attempt to create; the rest of the form must be kept."""
    client = office.client_of(by)
    blank = form_in(client.get(NEW), form="registrering")
    before = office.count()
    fill = {"Fødselsnummer": number, "Dato for oppstart": "17.05.2023", "Finansiering": "Per capita"}
    if blank.has("Bydel"):
        fill["Bydel"] = "Sagene"
    typed = text_of(client.submit(blank, button="Hent navn", fill=fill))
    answer = client.submit(blank, button="Neste")
    assert answer.status_code == 422
    assert office.count() == before
    form = form_in(answer, form="registrering")
    for key, value in fill.items():
        assert form.value(key) in (value, [value])
    tree = tree_of(answer)
    said = tree.text(tree.by_id["national_id-error"])
    assert said.lower() in tree.text(tree.by_id["error-summary"]).lower()
    assert tree.text(next(tree.elements("title"))).startswith("Feil: ")
    assert not number or said in typed  # already before the attempt
    return said


@ONE_DATABASE
@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("", "Skriv fødselsnummeret"),
        ("309082999", "Fødselsnummeret skal ha 11 sifre"),
        (
            "3090829990",
            "Nummeret har 10 sifre, men skal ha 11. Regneark fjerner nullen foran, men med null foran er det heller "
            "ikke gyldig. Kontroller at alle sifrene er med",
        ),
        ("308908299902", "Fødselsnummeret skal ha 11 sifre"),
        ("3090829990A", "Fødselsnummeret skal bare ha sifre"),
        ("32908299902", "Fødselsnummeret begynner ikke med en dato som finnes. Kontroller at det er riktig"),
        ("30908299912", "Fødselsnummeret er ikke gyldig. Kontroller at alle sifrene er riktige"),
        ("20036914700", "Dette er en testinstallasjon. Den tar bare imot numre til oppdiktede testpersoner"),
        ("15507600333", "Ingen med dette nummeret finnes i Folkeregisteret. Kontroller at det er riktig."),
    ],
)
def test_wrong_numbers_are_told_apart(office: Office, number: str, words: str) -> None:
    assert refusal(office, number) == words


@ONE_DATABASE
def test_the_dead_cannot_be_registered(office: Office) -> None:
    words = "Personen er registrert som død i Folkeregisteret og kan ikke registreres."
    assert refusal(office, office.someone("dead").number) == words


@ONE_DATABASE
def test_a_replaced_number_is_told_with_the_new_one(office: Office) -> None:
    person = office.someone("replaced")
    words = f"Nummeret er ikke lenger i bruk. Det er erstattet av {person.current_number}. Bruk det nye nummeret."
    assert refusal(office, person.number) == words
    assert person.full_name in text_of(office.begin(person.current_number))


@ONE_DATABASE
def test_a_number_without_a_name_cannot_be_registered(office: Office) -> None:
    words = "Folkeregisteret har ikke noe navn på dette nummeret. Personen kan ikke registreres."
    assert refusal(office, office.someone("no_name").number) == words


NOT_HERE = "Kan ikke registreres her. Ta kontakt med IMDi."


def test_protected_and_active_elsewhere_sound_the_same(office: Office) -> None:
    protected, elsewhere = office.someone("protected"), office.someone()
    office.create(elsewhere)
    assert refusal(office, elsewhere.number, "kari.oslo") == NOT_HERE
    assert refusal(office, protected.number, "kari.oslo") == NOT_HERE
    page = text_of(office.begin(protected, "kari.oslo"))
    assert protected.full_name not in page
    assert "Oslo" in page


def test_who_sees_protected_people_may_register_them(office: Office) -> None:
    person = office.someone("protected")
    public_id = office.create(person, "siri.vern", fill={"Bydel": "Sagene"})
    assert office.participation(public_id).protected
    assert office.client_of("kari.oslo").get(address(public_id, "person")).status_code == 404
    assert refusal(office, person.number, "kari.oslo") == NOT_HERE
    assert refusal(office, person.number, "siri.vern") == "Personen er allerede deltaker i kommunen."


def test_an_active_participant_of_the_municipality_is_linked_to(office: Office) -> None:
    person = office.someone()
    public_id = office.create(person)
    page = office.begin(person)
    assert "Personen er allerede deltaker i kommunen." in text_of(page)
    shown = office.client_of("berit.bergen").follow(page, "Gå til deltakeren")
    assert shown.request.path == address(public_id, "person")
    assert refusal(office, person.number) == "Personen er allerede deltaker i kommunen."
    assert refusal(office, person.number, "anne.tokommuner") == "Personen er allerede deltaker i kommunen."


def test_a_new_period_after_discharge_keeps_the_person_id(office: Office) -> None:
    person = office.someone()
    first = office.ended(person)
    goal_of(office.discharge(first))
    second = office.create(person, "kari.oslo", fill={"Bydel": "Alna"})
    before, after = office.participation(first), office.participation(second)
    assert before.person_id == after.person_id
    assert before.public_id != after.public_id
    assert (before.name, after.name) == ("", person.full_name)
    assert person.full_name not in text_of(office.page(first, "data"))


@ONE_DATABASE
@pytest.mark.parametrize("kind", ["401", "429", "500", "html", "broken", "refuse"])
def test_when_pad_fails_she_is_registered_all_the_same(
    office: Office, fail_register: FailRegister, heal: Callable[[], None], kind: Kind
) -> None:
    person = next(one for one in iter(office.someone, None) if has_results(one.number))
    fail_register("pad", kind, person.number)
    client = office.client_of("berit.bergen")
    page = client.get(goal_of(office.finish(office.begin(person))))
    words = text_of(page)
    assert "Ikke hentet" in words
    assert "Ingen resultater" not in words
    assert "Prøveresultatene er ikke hentet fra PAD ennå." in words
    still = client.submit(page, button="Hent prøveresultater på nytt", follow_redirects=True)
    words = text_of(still)
    assert "PAD svarer ikke. Prøv igjen om litt." in words
    assert "Ikke hentet" in words
    heal()
    form = form_in(still, form="registrering")
    fetched = client.submit(
        form, button="Hent prøveresultater på nytt", fill={"Morsmål": "Urdu"}, follow_redirects=True
    )
    words = text_of(fetched)
    assert "Ikke hentet" not in words
    assert f"PAD, {date_text(today())}" in words
    assert "Alle prøver, nyeste først" in words
    assert form_in(fetched, form="registrering").value("Morsmål") == ["Urdu"]  # no typed value is lost


def has_results(number: str) -> bool:
    """True if PAD's stand-in has results of the person."""
    return bool(results_of(by_number()[number]))


def test_none_is_said_only_of_those_whom_pad_was_asked_about(office: Office) -> None:
    person = next(one for one in iter(office.someone, None) if not has_results(one.number))
    page = text_of(office.page(office.create(person), "bakgrunn"))
    assert "Ingen resultater" in page
    assert "Ikke hentet" not in page


@ONE_DATABASE
def test_a_real_number_is_the_only_kind_where_people_are_real(own_house: House) -> None:
    office = Office(own_house.app, own_house.client)
    before: Registers = office.app.extensions["registers"]
    office.app.extensions["registers"] = replace(before, accepts="real")
    try:
        words = "Nummeret hører til en oppdiktet testperson og kan ikke registreres her"
        assert refusal(office, office.someone().number) == words
    finally:
        office.app.extensions["registers"] = before


# ---- Warnings ----


@ONE_DATABASE
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("man", "Deltakeren er registrert som mann i Folkeregisteret."),
        ("child", "år ved oppstart. Jobbsjansen er for dem mellom 18 og 55 år."),
        ("elderly", "år ved oppstart. Jobbsjansen er for dem mellom 18 og 55 år."),
    ],
)
def test_who_is_unusual_is_remarked_upon_and_not_stopped(office: Office, kind: str, words: str) -> None:
    person = office.someone(kind)
    page = office.begin(person)
    assert words in text_of(page)
    public_id = goal_of(office.finish(page)).split("/")[2]
    assert words in text_of(office.page(public_id, "person"))
    assert words in text_of(office.page(public_id, "data"))


@ONE_DATABASE
def test_nothing_is_remarked_of_an_ordinary_participant(office: Office) -> None:
    page = office.begin(office.someone())
    assert not [e for e in tree_of(page).elements() if "warning" in e.attrib.get("class", "").split()]


def test_very_long_names_stand_whole(office: Office) -> None:
    person = office.someone("long_name")
    public_id = office.create(person)
    assert office.participation(public_id).name == person.full_name
    assert person.full_name in text_of(office.page(public_id, "person"))
