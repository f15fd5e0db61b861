"""Warnings do not prevent saving. They are shown on the page of the answer, and with the registered data.

Also the programme time, and the receipt after discharge.
"""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from werkzeug.datastructures import MultiDict

from services.core.clock import today
from services.core.days import date_text
from services.core.status import Status
from services.questions.programme_time import months_on
from services.standins.population import SyntheticPerson
from services.tables.participants import Participation, Person
from tests.support.client import form_in, text_of, tree_of
from tests.support.house import House
from tests.support.registering import (
    BY_MISTAKE,
    FULL_BACKGROUND,
    FULL_PROGRAMME,
    FULL_TERMINATION,
    START,
    Answers,
    Office,
    address,
    goal_of,
    last_start,
)

BERIT = "berit.bergen"


def is_said_everywhere(office: Office, public_id: str, word: str, said: str) -> None:
    """On the page itself, with the registered data, for IMDi too, and after discharge."""
    assert said in text_of(office.page(public_id, word))
    for by in (BERIT, "ida.imdi"):
        assert said in text_of(office.page(public_id, "data", by))
    goal_of(office.discharge(public_id))
    assert office.participation(public_id).status == Status.DISCHARGED, "a warning stops nobody"
    assert said in text_of(office.page(public_id, "data"))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"birth_date": START.replace(year=START.year - 17, day=1)}, "Deltakeren er 17 år ved oppstart."),
        ({"birth_date": START.replace(year=START.year - 56, day=1)}, "Deltakeren er 56 år ved oppstart."),
        ({"sex": "mann"}, "Deltakeren er registrert som mann i Folkeregisteret."),
    ],
)
def test_age_and_sex(office: Office, own_house: House, facts: dict[str, object], said: str) -> None:
    public_id = office.ended()
    ref = office.participation(public_id).person_ref
    own_house.write(update(Person).where(Person.id == ref).values(**facts))
    is_said_everywhere(office, public_id, "person", said)


def test_less_than_two_years_since_the_introduction_programme(office: Office) -> None:
    public_id = office.ended()
    ended = f"{START.month:02}.{START.year - 1}"
    introduction: Answers = {
        "Tidligere tiltak": ["Introduksjonsprogram"],
        "Når avsluttet deltakeren introduksjonsprogrammet?": ended,
    }
    office.put(public_id, "bakgrunn", introduction)
    said = "Det er mindre enn to år mellom introduksjonsprogrammet og oppstart i Jobbsjansen."
    is_said_everywhere(office, public_id, "bakgrunn", said)


def put_rows(office: Office, public_id: str, kind: str, rows: list[dict[str, str]]) -> None:
    """Fill in rows of tiltak or permisjon, without script."""
    client, page = office.client_of(BERIT), office.page(public_id, "programinnhold")
    button = "Legg til tiltak" if kind == "activities" else "Legg til permisjon"
    for _row in rows:
        page = client.submit(page, form="registrering", button=button)
    extra: dict[str, str | list[str]] = {
        f"{kind}-{n}-{key}": value for n, row in enumerate(rows) for key, value in row.items()
    }
    fill: Answers = {"Ingen tiltak gjennomført": False} if kind == "activities" else {}
    goal_of(client.submit(page, form="registrering", button="Til deltakeroversikten", fill=fill, extra=extra))


def span(first: int, last: int | None = None) -> dict[str, str]:
    """Days counted from oppstart."""
    days = {"from_date": date_text(START + timedelta(days=first))}
    return days | ({"to_date": date_text(START + timedelta(days=last))} if last is not None else {})


LAST = (today() - timedelta(days=3) - START).days  # the day of avslutning
SICK, COURSE = {"kind": "illness"}, {"kind": "norwegian"}


@pytest.mark.parametrize(
    ("kind", "rows", "said", "unsaid"),
    [
        (
            "leaves",
            [span(10, 20) | SICK, span(30, 40) | SICK, span(20, 30) | SICK],
            "Permisjon 1 og 3 overlapper hverandre. Permisjon 2 og 3 overlapper hverandre.",
            "Permisjon 1 og 2 overlapper",
        ),
        ("leaves", [span(1, 2) | SICK, span(-1, 0) | SICK], "Permisjon 2 begynner før oppstart", "Permisjon 1"),
        ("leaves", [span(LAST, LAST) | SICK, span(LAST, LAST + 1) | SICK], "Permisjon 2 varer lenger", "Permisjon 1"),
        ("activities", [span(0) | COURSE, span(-1, 5) | COURSE], "Tiltak 2 begynner før oppstart", "Tiltak 1"),
        ("activities", [span(9) | COURSE, span(9, LAST + 1) | COURSE], "Tiltak 2 varer lenger", "Tiltak 1"),
    ],
)
def test_rows_that_do_not_fit(office: Office, kind: str, rows: list[dict[str, str]], said: str, unsaid: str) -> None:
    public_id = office.ended()
    put_rows(office, public_id, kind, rows)
    words = text_of(office.page(public_id, "data"))
    assert f"{unsaid} begynner" not in words
    assert f"{unsaid} varer" not in words
    assert f"{unsaid} hverandre" not in words
    is_said_everywhere(office, public_id, "programinnhold", said)


# ---- Programme time ----


@pytest.mark.parametrize(("days_left", "said"), [(100, ""), (80, "mindre enn tre måneder igjen"), (-1, "er brukt opp")])
def test_the_end_of_the_programme_time(office: Office, days_left: int, said: str) -> None:
    start = last_start(today() + timedelta(days=days_left + 1))
    end = months_on(start, 24) - timedelta(days=1)
    public_id = office.given(start=start)
    for word in ("programinnhold", "data"):
        words = text_of(office.page(public_id, word))
        verb = "gikk" if days_left < 0 else "går"
        assert f"Programtiden {verb} ut {date_text(end)}" in words
        assert f"24 måneder fra oppstart {date_text(start)}" in words
        for one in ("mindre enn tre måneder igjen", "er brukt opp"):
            assert (one in words) == (one == said)
    office.put(public_id, "avslutning", FULL_TERMINATION)
    for word in ("programinnhold", "data"):
        words = text_of(office.page(public_id, word))
        assert f"Programtiden {verb} ut {date_text(end)}" in words
        assert "er brukt opp" not in words, "she has left"


def test_the_overview_and_the_page_agree_who_is_over_her_time(office: Office) -> None:
    """Oppstart two years ago and a few days, one day of permisjon in two rows, and some in the future."""
    two_years_ago = last_start(today())
    over = {}
    for days in (0, 1, 2):
        public_id = office.given(start=two_years_ago - timedelta(days=days))
        put_rows(office, public_id, "leaves", [span_of(two_years_ago, 5, 5), span_of(two_years_ago, 5, 5)])
        over[public_id] = "Programtiden er brukt opp" in text_of(office.page(public_id, "data"))
        assert "og 1 dag permisjon" in text_of(office.page(public_id, "data"))
    ahead = office.given(start=two_years_ago - timedelta(days=20))
    put_rows(office, ahead, "leaves", [span_of(today(), -9, 20)])
    over[ahead] = "Programtiden er brukt opp" in text_of(office.page(ahead, "data"))
    assert list(over.values()) == [False, True, True, False]
    listed = office.client_of(BERIT).get("/deltakere?over=24&antall=100").text
    assert {public_id: public_id in listed for public_id in over} == over


def span_of(day: date, first: int, last: int) -> dict[str, str]:
    """A permisjon by days counted from another one."""
    days = (day + timedelta(days=number) for number in (first, last))
    return {"kind": "care", **dict(zip(("from_date", "to_date"), map(date_text, days), strict=True))}


def test_one_more_year_needs_the_third(office: Office) -> None:
    public_id = office.given(start=today() - timedelta(days=35 * 31))
    office.put(
        public_id, "bakgrunn", {"Lese- og skriveferdigheter på eget morsmål": "Mangler grunnleggende ferdigheter"}
    )
    office.put(public_id, "programinnhold", {"Utvidet med ytterligere ett år?": "Ja"})
    said = "Programmet kan bare utvides med ett år til når det er forlenget utover to år."
    for word in ("programinnhold", "data"):
        words = text_of(office.page(public_id, word))
        assert said in words
        assert "24 måneder fra oppstart" in words
    office.put(public_id, "programinnhold", {"Forlenget utover to år?": "Ja"})
    for word in ("programinnhold", "data"):
        words = text_of(office.page(public_id, word))
        assert said not in words
        assert "48 måneder fra oppstart" in words


def test_permisjon_postpones_the_question_of_more_time(office: Office) -> None:
    question, begun = "Forlenget utover to år?", months_on(today(), -22)
    public_id = office.given(start=begun)
    assert office.form(public_id, "programinnhold").has(question)
    put_rows(office, public_id, "leaves", [span_of(begun, 10, 10)])
    assert not office.form(public_id, "programinnhold").has(question)


# ---- The end ----


def test_an_end_after_the_programme_time(office: Office) -> None:
    """The planned end with its prolongation, and the end itself; permisjon postpones it by its days."""
    start = months_on(today(), -23)
    public_id = office.given(start=start)
    put_rows(office, public_id, "leaves", [span_of(start, 10, 21)])
    last = months_on(start + timedelta(days=12), 36) - timedelta(days=1)
    planned = {"Forlenget utover to år?": "Ja", "Ny planlagt sluttdato": date_text(last)}
    office.put(public_id, "programinnhold", planned)
    said = "er senere enn programtiden tillater."
    for word in ("programinnhold", "data"):
        assert said not in text_of(office.page(public_id, word))
    late = date_text(last + timedelta(days=1))
    office.put(public_id, "programinnhold", {"Ny planlagt sluttdato": late})
    reckoned = f"36 måneder fra oppstart {date_text(start)}, og 12 dager permisjon"
    counted = f"{said} Programtiden går ut {date_text(last)} ({reckoned})."
    for word in ("programinnhold", "data"):
        assert counted in text_of(office.page(public_id, word))
    office.put(public_id, "programinnhold", {"Ny planlagt sluttdato": date_text(last)})
    office.put(public_id, "avslutning", {"Dato for avslutning": late})
    for word in ("avslutning", "data"):
        assert f"Dato for avslutning {counted}" in text_of(office.page(public_id, word))


def test_an_end_after_two_years_without_prolongation(office: Office) -> None:
    start = today() - timedelta(days=800)
    public_id = office.ended(start=start)
    end = months_on(start, 24) - timedelta(days=1)
    said = f"tillater. Programtiden går ut {date_text(end)} (24 måneder fra oppstart {date_text(start)})."
    is_said_everywhere(office, public_id, "avslutning", said)


WORK: Answers = {
    "Deltakeren har gått ut i": ["Arbeid"],
    "Type arbeid": "Fast",
    "Stillingsprosent": "100",
    "Sektor": "Privat",
    "Bransje": "Renhold",
}
STUDY: Answers = {"Deltakeren har gått ut i": ["Studie"], "Type utdanning": "Fagskole", "Omfang": "Heltid"}
BOTH = WORK | STUDY | {"Deltakeren har gått ut i": ["Arbeid", "Studie"]}
OTHER: Answers = {"Deltakeren har gått ut i": ["Annet"], "Hva går deltakeren til?": "Sosialhjelp"}
AT_HOME = OTHER | {"Hva går deltakeren til?": "Hjemmeværende"}
STUDENT, WAGE, UNKNOWN, SOCIAL = "Studielån/stipend", "Lønn", "Ukjent", "Økonomisk sosialhjelp"
NO_WORK, NO_STUDY = (f"«{word}» er ikke valgt under «Deltakeren har gått ut i»" for word in ("Arbeid", "Studie"))
SOME_WORK, SOME_STUDY = (f"«{word}» er valgt under «Deltakeren har gått ut i»" for word in ("Arbeid", "Studie"))
CONTRADICTIONS = [
    ("Gått ut i arbeid", OTHER, UNKNOWN, NO_WORK),
    ("Fått arbeid før programslutt", STUDY, STUDENT, NO_WORK),
    ("Gått ut i utdanning", WORK, WAGE, NO_STUDY),
    ("Begynt i utdanning", OTHER, UNKNOWN, NO_STUDY),
    ("Gått ut i både arbeid og utdanning", WORK, WAGE, NO_STUDY),
    ("Gått ut i både arbeid og utdanning", STUDY, STUDENT, NO_WORK),
    ("Gått ut i arbeid", BOTH, WAGE, SOME_STUDY),
    ("Gått ut i utdanning", BOTH, WAGE, SOME_WORK),
    ("Uten overgang til arbeid eller utdanning", WORK, WAGE, SOME_WORK),
    ("Programtiden er brukt opp", STUDY, STUDENT, SOME_STUDY),
    ("Overført til annet tiltak", AT_HOME, UNKNOWN, "Det står ikke hvilket tiltak deltakeren går til"),
    ("Død", OTHER, UNKNOWN, "Det er svart på hva deltakeren har gått ut i, men årsaken er «Død»."),
    ("Død", {}, WAGE, "er «Lønn», men årsaken til avslutning er død."),
    ("Sykdom", OTHER, WAGE, "er «Lønn», men deltakeren har ikke gått ut i arbeid."),
    ("Sykdom", OTHER, "Lønnsinntekt (deltid)", "«Lønnsinntekt (deltid)», men deltakeren har ikke gått ut i arbeid."),
    ("Gått ut i arbeid", WORK, STUDENT, "«Studielån/stipend», men deltakeren har ikke gått ut i studie."),
    ("Gått ut i arbeid", WORK, SOCIAL, "«Økonomisk sosialhjelp», men deltakeren har gått ut i en stor stilling."),
]
LIVELIHOOD = "Hovedkilde til livsopphold etter avslutning"


@pytest.fixture(scope="module")
def at_the_end(own_house: House) -> str:
    """A participant who is about to leave, for many tests."""
    return Office(own_house.app, own_house.client).ended()


@pytest.mark.parametrize(("reason", "outcome", "source", "said"), CONTRADICTIONS)
def test_reason_outcome_and_livelihood_that_contradict_each_other(
    office: Office, at_the_end: str, reason: str, outcome: Answers, source: str, said: str
) -> None:
    answers: Answers = {"Deltakeren har gått ut i": [], **outcome, "Årsak til avslutning": reason, LIVELIHOOD: source}
    office.save(at_the_end, "avslutning", {"Årsak til avslutning": "Sykdom", "Deltakeren har gått ut i": []})
    office.put(at_the_end, "avslutning", answers)
    for word in ("avslutning", "data"):
        assert said in text_of(office.page(at_the_end, word))
    question = office.send(at_the_end, "avslutning", {}, "Utskriv og registrer ferdig", follow_redirects=True)
    assert "Er alle opplysninger riktige?" in text_of(question)
    assert said in text_of(question)


@pytest.mark.parametrize(
    ("reason", "outcome", "source"),
    [
        ("Gått ut i arbeid", WORK, WAGE),
        ("Fått arbeid før programslutt", WORK | {"Stillingsprosent": "40"}, SOCIAL),
        ("Gått ut i utdanning", STUDY, STUDENT),
        ("Gått ut i både arbeid og utdanning", BOTH, STUDENT),
        ("Uten overgang til arbeid eller utdanning", OTHER, SOCIAL),
        ("Overført til annet tiltak", OTHER | {"Hva går deltakeren til?": "Kvalifiseringsprogram"}, SOCIAL),
        ("Flyttet til annen kommune", {}, WAGE),
        ("Møter ikke opp", {}, UNKNOWN),
        ("Død", {}, UNKNOWN),
    ],
)
def test_what_fits_is_not_remarked(office: Office, at_the_end: str, reason: str, outcome: Answers, source: str) -> None:
    answers: Answers = {"Deltakeren har gått ut i": [], **outcome, "Årsak til avslutning": reason, LIVELIHOOD: source}
    office.save(at_the_end, "avslutning", {"Årsak til avslutning": "Sykdom", "Deltakeren har gått ut i": []})
    office.put(at_the_end, "avslutning", answers)
    for word in ("avslutning", "data"):
        remarks = [one for one in tree_of(office.page(at_the_end, word)).elements("p") if one.get("class") == "warning"]
        assert not remarks


def test_the_warning_comes_and_goes_while_the_page_is_filled_in(office: Office, at_the_end: str) -> None:
    client, said = office.client_of(BERIT), NO_WORK
    office.save(at_the_end, "avslutning", {"Årsak til avslutning": "Sykdom", "Deltakeren har gått ut i": []})
    form = office.form(at_the_end, "avslutning")
    form.fill({"Årsak til avslutning": "Gått ut i arbeid", "Deltakeren har gått ut i": ["Studie"]})
    address_of_saves = str(form.element.attrib["data-lagre"])
    answer = client.post_partial(address_of_saves, MultiDict(form.pairs(None)))
    assert said in text_of(answer)
    form = office.form(at_the_end, "avslutning")
    form.fill({"Årsak til avslutning": "Gått ut i utdanning"})
    sent = MultiDict(form.pairs(None))
    assert "outcome" in sent.getlist("varslet")
    answer = client.post_partial(address_of_saves, sent)
    assert said not in text_of(answer)
    assert "advarsel-outcome" in answer.text


# ---- Other stays ----


def earlier(office: Office, person: SyntheticPerson, by: str = BERIT, **more: Any) -> None:
    """Create an earlier stay of the person, from 400 days ago till three days ago, discharged."""
    office.discharge(office.ended(person, by, **more), by)


def test_an_earlier_stay_in_the_own_municipality_is_mentioned(office: Office) -> None:
    person, end = office.someone(), today() - timedelta(days=3)
    earlier(office, person)
    said = f"Personen har vært deltaker i kommunen før: Bergen {date_text(START)}–{date_text(end)}."
    page = office.begin(person)
    assert said in text_of(page)
    public_id = goal_of(office.finish(page, start=end + timedelta(days=1))).split("/")[2]
    for word in ("person", "data"):
        words = text_of(office.page(public_id, word))
        assert said in words
        assert "overlapper" not in words
    assert said in text_of(office.page(public_id, "data", "ida.imdi"))


def test_stays_that_overlap(office: Office) -> None:
    person, end = office.someone(), today() - timedelta(days=3)
    earlier(office, person)
    said = "Deltakelsen overlapper en annen deltakelse i kommunen: Bergen"
    page = office.begin(person)
    form = form_in(page, form="registrering")
    form.fill({"Dato for oppstart": date_text(end)})
    typed = office.client_of(BERIT).post_partial("/deltakere/ny/vis", MultiDict(form.pairs(None)))
    assert said in text_of(typed)
    looked_up = office.client_of(BERIT).post_partial("/deltakere/ny/oppslag", MultiDict(form.pairs(None)))
    assert said in text_of(looked_up), "also when the date stood there before the number"
    public_id = goal_of(office.finish(page, start=end)).split("/")[2]
    for word in ("person", "data"):
        assert said in text_of(office.page(public_id, word))
    office.put(public_id, "bakgrunn", FULL_BACKGROUND)
    office.put(public_id, "programinnhold", FULL_PROGRAMME)
    office.put(public_id, "avslutning", FULL_TERMINATION | {"Gyldig fravær, dager": "0"})
    question = office.send(public_id, "avslutning", {}, "Utskriv og registrer ferdig", follow_redirects=True)
    assert said in text_of(question)
    office.put(public_id, "avslutning", {"Dato for avslutning": ""})
    office.put(public_id, "person", {"Dato for oppstart": date_text(end + timedelta(days=1))})
    for word in ("person", "data"):
        assert "overlapper" not in text_of(office.page(public_id, word))


def test_nothing_is_said_of_a_stay_elsewhere(office: Office) -> None:
    person = office.someone()
    earlier(office, person, "kari.oslo", district="030103")
    page = office.begin(person)
    public_id = goal_of(office.finish(page)).split("/")[2]
    for words in (text_of(page), *(text_of(office.page(public_id, word)) for word in ("person", "data"))):
        assert "har vært deltaker" not in words
        assert "overlapper" not in words


def test_nothing_is_said_of_a_deleted_stay(office: Office) -> None:
    person = office.someone()
    client = office.client_of(BERIT)
    gone = office.given(person)
    client.submit(client.get(address(gone, "slett", "bekreft")), button="Ja, slett deltaker", fill=BY_MISTAKE)
    page = office.begin(person)
    public_id = goal_of(office.finish(page)).split("/")[2]
    for words in (text_of(page), *(text_of(office.page(public_id, word)) for word in ("person", "data"))):
        assert "har vært deltaker" not in words
        assert "overlapper" not in words


def test_nothing_is_said_of_a_protected_stay_without_the_right(office: Office, own_house: House) -> None:
    """The running stay is hidden, since its grade is unknown; the earlier one is not."""
    person = office.someone()
    old = office.ended(person, "kari.oslo", district="030103")
    office.discharge(old, "kari.oslo")
    page = office.begin(person, "kari.oslo")
    new = goal_of(office.finish(page, "kari.oslo", fill={"Bydel": "Sagene"})).split("/")[2]
    assert "overlapper" in text_of(office.page(old, "data", "kari.oslo"))
    own_house.write(update(Participation).where(Participation.public_id == new).values(protected=True))
    words = text_of(office.page(old, "data", "kari.oslo"))
    assert "overlapper" not in words
    assert "har vært deltaker" not in words
    assert "overlapper" in text_of(office.page(new, "data", "siri.vern"))


# ---- The receipt ----


def test_the_receipt_says_what_was_done_and_how_she_is_found_again(office: Office) -> None:
    person = office.someone()
    public_id = office.ended(person)
    done = office.discharge(public_id)
    assert goal_of(done) == address(public_id, "kvittering")
    client = office.client_of(BERIT)
    page = client.get(goal_of(done))
    words, found = text_of(page), office.participation(public_id)
    assert f"Deltaker {found.person_id} · Kvittering" in words
    assert f"Utskrevet {date_text(today())} kl." in words
    assert "Utskrevet av berit.bergen" in words
    assert "filtrere på status «Utskrevet»" in words
    assert person.last_name not in page.text
    assert client.follow(page, "Se registrerte data").request.path == address(public_id, "data")
    assert client.follow(page, "Til deltakeroversikten").request.path == "/deltakere"
    for by, status in (("anne.tokommuner", 200), ("ida.imdi", 200), ("kari.oslo", 404), ("admin.bergen", 403)):
        assert office.client_of(by).get(address(public_id, "kvittering")).status_code == status
