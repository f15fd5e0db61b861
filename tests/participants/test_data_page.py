"""«Oversikt over registrerte data»: every answer as text, and the data from the outside registers."""

from datetime import date, timedelta

from app.web.formatting import moment_text
from services.core.clock import today
from services.core.days import date_text
from services.questions.pages import STEPS
from tests.support.client import text_of, tree_of
from tests.support.registering import (
    FULL_BACKGROUND,
    FULL_PROGRAMME,
    FULL_TERMINATION,
    Answers,
    Office,
    address,
)

LONG_AGO = today() - timedelta(days=36 * 31)
BACKGROUND: Answers = FULL_BACKGROUND | {
    "Tidligere tiltak": ["Introduksjonsprogram", "Norskopplæring"],
    "Når avsluttet deltakeren introduksjonsprogrammet?": "06.2015",
    "Lese- og skriveferdigheter på eget morsmål": "Mangler grunnleggende ferdigheter",
    "Morsmål": "Kurdisk (sorani)",
    "Land for utdanningen": "Irak",
    "Er utdanningen godkjent i Norge?": "Søknad sendt",
    "Arbeidserfaring før oppstart": "Bare fra Norge",
    "Lengde på lønnet arbeid i Norge": "6–12 md.",
    "Antall barn under 18 år": "3",
    "Fødselsår for yngste barn": str(LONG_AGO.year - 1),
}
PROGRAMME: Answers = FULL_PROGRAMME | {
    "Er det laget en individuell plan?": "Ja",
    "Dato for individuell plan": "02.01.2024",
    "Mål": ["Bestå norskprøve", "Annet"],
    "Beskriv målet": "Egen sykkel & førerkort",
    "Nivå på norskprøven": "B1",
    "Timer i program per uke": "22,5",
    "Forlenget utover to år?": "Ja",
    "Begrunnelse for forlengelsen": "Trenger mer tid",
    "Ny planlagt sluttdato": "31.12.2027",
    "Utvidet med ytterligere ett år?": "Nei",
}
TERMINATION: Answers = FULL_TERMINATION | {
    "Årsak til avslutning": "Annet",
    "Beskriv årsaken": "<b>Uenighet</b>",
    "Deltakeren har gått ut i": ["Arbeid", "Studie", "Annet"],
    "Type arbeid": "Fast",
    "Stillingsprosent": "80",
    "Sektor": "Privat",
    "Bransje": "Renhold",
    "Lønnstilskudd fra Nav": "Nei",
    "Type utdanning": "Fagskole",
    "Omfang": "Deltid",
    "Hva går deltakeren til?": "Kvalifiseringsprogram",
}


def pairs_on(office: Office, public_id: str, by: str = "berit.bergen") -> dict[str, str]:
    """The labels of the data page with their values."""
    tree = tree_of(office.page(public_id, "data", by))
    found: dict[str, str] = {}
    for group in tree.elements("dl"):
        for pair in group:
            label, value, *_source = pair
            found[tree.text(label)] = tree.text(value)
    return found


def test_each_answer_has_its_source(office: Office) -> None:
    public_id = office.given()
    office.put(public_id, "bakgrunn", {"Morsmål": "Urdu"}, "anne.tokommuner")
    words = text_of(office.page(public_id, "data"))
    at = office.participation(public_id).changed_at
    assert f"Morsmål Urdu anne.tokommuner, {moment_text(at)}" in words
    assert "Finansiering Ordinær Jobbsjansen berit.bergen," in words
    assert "Mangler: Målgruppe ved oppstart, Rekrutteringskanal" in words
    assert "Mangler: Årsak til avslutning" not in words


def test_the_programme_time_is_said(office: Office) -> None:
    public_id = office.given(start=today() - timedelta(days=20))
    for word in ("data", "programinnhold"):
        words = text_of(office.page(public_id, word))
        assert "Programtiden går ut" in words
        assert "24 måneder fra oppstart" in words
    late = office.given(start=today() - timedelta(days=800))
    assert "Programtiden er brukt opp" in text_of(office.page(late, "programinnhold"))
    office.put(late, "programinnhold", {"Forlenget utover to år?": "Ja"})
    words = text_of(office.page(late, "programinnhold"))
    assert "36 måneder fra oppstart" in words
    assert "Programtiden er brukt opp" not in words


def test_every_answer_stands_there_in_words(office: Office) -> None:
    person = office.someone()
    public_id = office.given(
        person,
        "kari.oslo",
        start=LONG_AGO,
        district="030101",
        bakgrunn=BACKGROUND,
        programinnhold=PROGRAMME,
        avslutning=TERMINATION,
    )
    shown = pairs_on(office, public_id, "kari.oslo")
    expected = {"Bydel": "Gamle Oslo", "Finansiering": "Ordinær Jobbsjansen"}
    for answers in (BACKGROUND, PROGRAMME, TERMINATION):
        for label, value in answers.items():
            expected[label] = "Ja" if value is True else value if isinstance(value, str) else " ".join(value)
    expected |= {"Timer i program per uke": "22,5 timer per uke", "Stillingsprosent": "80 %"}
    expected |= {"Gyldig fravær, dager": "12 dager", "Ugyldig fravær, dager": "0 dager"}
    assert {label: shown[label] for label in expected} == expected
    every = {question.label for step in STEPS for question in step.fields} - {"Tiltak", "Permisjon"}
    assert every <= expected.keys() | {"Dato for oppstart"}
    assert (shown["Tiltak"], shown["Permisjon"]) == ("Ikke registrert", "Ikke registrert")
    found = office.participation(public_id)
    assert shown["Fødselsnummer"] == person.number
    assert shown["Navn"] == person.full_name
    assert shown["PersonId"] == found.person_id
    assert shown["Kommune og kommunenummer"] == "Oslo (0301)"
    assert shown["Status"] == "Avsluttet"
    assert shown["Dato for oppstart"] == date_text(LONG_AGO)
    for label in ("Opprettet", "Sist endret"):
        assert shown[label].endswith(", kari.oslo")
    source = f"Folkeregisteret, {date_text(today())}"
    for label in ("Ankomstår", "Fødeland", "Sivilstand"):
        assert shown[label].endswith(source)
    assert shown["Ankomstår"].startswith(str(person.arrivals[0].day.year) if person.arrivals else "Ikke registrert")
    assert shown["Prøveresultater"] == f"Ingen resultaterPAD, {date_text(today())}"


def test_what_is_not_asked_or_not_answered(office: Office) -> None:
    public_id = office.given(bakgrunn={"Antall barn under 18 år": "0"})
    shown = pairs_on(office, public_id)
    assert "Fødselsår for yngste barn" not in shown
    assert "Bydel" not in shown
    assert shown["Målgruppe ved oppstart"] == "Ikke registrert"
    assert shown["Antall barn under 18 år"] == "0"


def test_rows_stand_in_lines(office: Office) -> None:
    public_id = office.given()
    client = office.client_of("berit.bergen")
    page = client.submit(office.page(public_id, "programinnhold"), button="Legg til tiltak")
    row = {"kind": "career", "from_date": "01.02.2024", "to_date": "", "hours": "7,5", "comment": "Se | også «B»"}
    extra = {f"activities-0-{key}": value for key, value in row.items()}
    client.submit(page, button="Til deltakeroversikten", extra=extra)
    shown = pairs_on(office, public_id)["Tiltak"]
    assert shown == "Jobbsøkerkurs og karriereveiledning, fra 01.02.2024, 7,5 timer per uke, Se | også «B»"


def test_opening_is_logged(office: Office) -> None:
    public_id = office.given()
    client = office.client_of("ida.imdi")
    for word in ("data", "historikk"):
        client.get(address(public_id, word))
    assert [action for action, _detail in office.log(public_id)] == ["create", "open", "open"]
    assert "Bergen (4601)" in text_of(client.get(address(public_id, "data")))
    assert date(2000, 1, 1) < today()
