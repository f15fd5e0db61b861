"""Failures of Folkeregisteret during a registration: each has its own message, no typed value is lost, and if only the
register's response is missing, the registration waits."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from app.connections.registers import connect_registers
from app.settings.config import Settings
from services.core.days import date_text
from services.registers.clients import Registers
from services.registers.folkeregisteret import FolkeregisteretClient, MaskinportenTokens
from services.registers.pad import PadClient
from services.standins import control as standin_control
from services.standins.control import Kind
from services.standins.keys import load_or_create_key
from services.tables.participants import Beginning
from tests.support.client import form_in, text_of
from tests.support.house import FailRegister, House
from tests.support.registering import NAME_IS_RIGHT, START, Office, goal_of

BERIT = "berit.bergen"
KEPT = "Det du har fylt ut, er beholdt."
LATER = f"{KEPT} Prøv igjen om litt."
NOT_YOURS = f"Feilen ligger ikke hos deg. {KEPT} Ta kontakt med IMDi hvis det varer ved."

pytestmark = pytest.mark.parametrize("own_house", ["sqlite"], indirect=True)


@pytest.fixture
def office(own_house: House) -> Iterator[Office]:
    """The caseworkers; afterwards the stand-ins work, and the program has forgotten their failures."""
    office = Office(own_house.app, own_house.client)
    settings: Settings = office.app.config["SETTINGS"]
    office.app.extensions["registers"] = connect_registers(settings)
    yield office
    standin_control.heal(settings.freg_url)
    standin_control.heal(settings.pad_url)
    office.app.extensions["registers"] = connect_registers(settings)
    own_house.write(Beginning.__table__.delete())  # type: ignore[attr-defined]


def waits_with(office: Office, number: str, words: str) -> None:
    """Check that `words` are shown while typing and at «Neste», with all other fields filled in; and that it waits."""
    client, before = office.client_of(BERIT), office.count()
    page = office.begin(number)
    assert words in text_of(page)
    typed = dict(form_in(page, form="registrering").pairs(None))
    assert words in text_of(client.post_partial("/deltakere/ny/oppslag", typed))
    answer = client.submit(page, button="Neste", fill={"Dato for oppstart": date_text(START)}, partial=True)
    page = client.get(goal_of(answer))
    assert words in text_of(page)
    assert "Venter på oppslag" in text_of(page)
    form = form_in(page, form="registrering")
    assert (form.value("Fødselsnummer"), form.value("Dato for oppstart")) == (number, date_text(START))
    assert words not in text_of(client.get("/deltakere"))
    assert office.count() == before
    with_fault = [detail for action, detail in office.log() if action == "look_up_answer"][-1]
    assert with_fault
    assert with_fault["outcome"] in {"no_access", "busy", "down"}


FAILURES: list[tuple[Kind, dict[str, object], str]] = [
    ("401", {}, f"Folkeregisteret kjenner ikke igjen Jobbsjanseregisteret. {NOT_YOURS}"),
    ("403", {}, f"Jobbsjanseregisteret har ikke tilgang til å slå opp i Folkeregisteret. {NOT_YOURS}"),
    ("429", {}, f"Folkeregisteret har for mange forespørsler nå. {KEPT} Prøv igjen om 30 sekunder."),
    ("429", {"retry_after": "61000"}, f"nå. {KEPT} Prøv igjen om 61 sekunder."),
    ("429", {"retry_after": "600000"}, f"nå. {KEPT} Prøv igjen om 10 minutter."),
    ("429", {"retry_after": None}, f"nå. {KEPT} Prøv igjen om litt."),
    ("500", {}, f"Det er noe galt i Folkeregisteret. {LATER}"),
    ("html", {}, f"Noe annet enn Folkeregisteret svarte. {LATER}"),
    ("html", {"status": 503}, f"Noe annet enn Folkeregisteret svarte. {LATER}"),
    ("html", {"status": 404}, f"Noe annet enn Folkeregisteret svarte. {LATER}"),
    ("broken", {}, f"Folkeregisteret ga et svar som ikke kan leses. {LATER}"),
    ("refuse", {}, f"Det er ikke kontakt med Folkeregisteret. {LATER}"),
]


@pytest.mark.parametrize(("kind", "more", "words"), FAILURES)
def test_each_failure_has_its_words_and_passes(
    office: Office, fail_register: FailRegister, kind: Kind, more: dict[str, object], words: str
) -> None:
    person = office.someone()
    fail_register("freg", kind, person.number, **more)
    waits_with(office, person.number, words)
    standin_control.heal(office.app.config["SETTINGS"].freg_url)
    page = office.client_of(BERIT).get("/deltakere/pabegynte")
    page = office.client_of(BERIT).follow(page, "Fortsett")
    page = office.client_of(BERIT).submit(page, button="Prøv igjen")
    assert person.full_name in text_of(page)
    goal_of(office.finish(page))


def impatient(office: Office, **urls: str) -> Registers:
    """The real clients with short time limits, optionally with other addresses."""
    settings: Settings = replace(office.app.config["SETTINGS"], **urls)
    tokens = MaskinportenTokens(
        base_url=settings.maskinporten_url,
        client_id=settings.maskinporten_client_id,
        key_pem=load_or_create_key(settings.maskinporten_key_file),
        key_id=settings.maskinporten_key_id,
    )
    made = Registers(
        folkeregisteret=FolkeregisteretClient(base_url=settings.freg_url, token_source=tokens, timeout=(1, 0.2)),
        pad=PadClient(base_url=settings.pad_url, timeout=(1, 0.2)),
        accepts="synthetic",
        lookups_per_hour=1000,
    )
    office.app.extensions["registers"] = made
    return made


def test_slow(office: Office, fail_register: FailRegister) -> None:
    impatient(office)
    person, other = office.someone(), office.someone()
    fail_register("freg", "slow", person.number)
    fail_register("pad", "slow")
    waits_with(office, person.number, f"Folkeregisteret bruker for lang tid på å svare. {LATER}")
    assert "Ikke hentet" in text_of(office.page(office.create(other), "bakgrunn"))


def test_no_tls(office: Office) -> None:
    """The stand-in speaks plain HTTP."""
    address = office.app.config["SETTINGS"].freg_url.replace("http://", "https://")
    impatient(office, freg_url=address)
    waits_with(office, office.someone().number, f"Det er ikke sikker forbindelse med Folkeregisteret. {LATER}")


def test_nobody_listens(office: Office) -> None:
    impatient(office, freg_url="http://127.0.0.1:1")
    waits_with(office, office.someone().number, f"Det er ikke kontakt med Folkeregisteret. {LATER}")


def test_maskinporten_refuses(office: Office) -> None:
    settings: Settings = office.app.config["SETTINGS"]
    office.app.extensions["registers"] = connect_registers(replace(settings, maskinporten_client_id="en-annen"))
    waits_with(
        office,
        office.someone().number,
        f"Maskinporten slipper ikke Jobbsjanseregisteret inn i Folkeregisteret. {NOT_YOURS}",
    )


def test_after_many_failures_it_is_left_alone_for_a_while(office: Office, fail_register: FailRegister) -> None:
    fail_register("freg", "500")
    client, number = office.client_of(BERIT), office.someone().number
    page = office.begin(number)
    for _again in range(12):
        page = client.submit(page, button="Prøv igjen")
    assert f"Folkeregisteret har ikke svart på en stund. {LATER}" in text_of(page)


def test_down_and_something_else_missing_it_is_kept_but_does_not_wait(
    office: Office, own_house: House, fail_register: FailRegister
) -> None:
    fail_register("freg", "500")
    refused = office.client_of(BERIT).submit(office.begin(office.someone()), button="Neste")
    assert refused.status_code == 422
    assert "Fyll ut dato for oppstart" in text_of(refused)
    assert "Lagret under Påbegynte" in text_of(refused)
    (kept,) = own_house.ask(select(Beginning.outcome, Beginning.waits_since))
    assert tuple(kept) == ("down", None)


REFUSALS: list[tuple[str, str, str]] = [
    ("dead", "dead", "Personen er registrert som død i Folkeregisteret og kan ikke registreres."),
    ("no_name", "no_name", "Folkeregisteret har ikke noe navn på dette nummeret. Personen kan ikke registreres."),
    ("protected", "not_here", "Kan ikke registreres her. Ta kontakt med IMDi."),
    ("replaced", "replaced", "Nummeret er ikke lenger i bruk. Det er erstattet av"),
    ("15507600333", "not_found", "Ingen med dette nummeret finnes i Folkeregisteret. Kontroller at det er riktig."),
]


@pytest.mark.parametrize(("kind", "outcome", "words"), REFUSALS)
def test_what_is_no_failure_does_not_wait_and_is_not_asked_twice(
    office: Office, own_house: House, kind: str, outcome: str, words: str
) -> None:
    number = kind if kind.isdecimal() else office.someone(kind).number
    before = look_ups(office)
    page = office.begin(number)
    refused = office.client_of(BERIT).submit(page, button="Neste", fill={"Dato for oppstart": date_text(START)})
    assert refused.status_code == 422
    assert words in text_of(page)
    assert words in text_of(refused)
    assert look_ups(office) == before + 1, "the second answer is the first one, kept for a minute"
    (kept,) = own_house.ask(select(Beginning.outcome, Beginning.waits_since))
    assert tuple(kept) == (outcome, None)
    assert words in text_of(office.client_of(BERIT).get("/deltakere/pabegynte"))


def look_ups(office: Office) -> int:
    """The number of logged look-ups."""
    return [action for action, _detail in office.log()].count("look_up")


def test_a_kept_name_is_good_for_creating(office: Office) -> None:
    before = look_ups(office)
    page = office.begin(office.someone())
    assert NAME_IS_RIGHT in text_of(page)
    goal_of(office.finish(page))
    assert look_ups(office) == before + 1
