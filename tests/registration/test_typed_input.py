"""Valid input is understood, however it is typed or pasted: in forms, filters, the log, and at sign-in."""

from collections.abc import Iterator

import pyotp
import pytest
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from services.core.clock import today
from services.core.collation import sort_key
from services.core.db import now
from services.demo import PASSWORD
from services.tables.accounts import User
from services.tables.participants import AccessEntry
from tests.support.access_log import person_id_of, rows_of, search
from tests.support.client import form_in, htmx_headers, text_of, tree_of
from tests.support.databases import DIALECTS, Databases
from tests.support.forms import find_form
from tests.support.house import House, running_house
from tests.support.letters import letters_to
from tests.support.overview_asking import asked, at, count_of, faults_in, missed_in, panel_of, parts_of
from tests.support.registering import FULL_BACKGROUND, START, Answers, Office, address
from tests.support.users import names_in

ONE_DATABASE = pytest.mark.parametrize("own_house", ["sqlite"], indirect=True)
# Invisible characters around or within pasted text.
PASTED = (
    "\ufeff{}",
    "{}\u200b",
    "\u202a{}\u202c",
    "\u2068{}\u2069",
    "\u00a0{}\u2003",
    "\u3164{}\u2800",
    "{}\U000e0020",
    "{}\r\n",
)


def wide(text: str) -> str:
    """The text in full-width characters."""
    return "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)


def with_shy(text: str) -> str:
    """The text with a soft hyphen after each character."""
    return "\u00ad".join(text)


# ---- A new participant ----


@pytest.mark.parametrize(
    "paste",
    ["\u202a{}\u202c", "{}\u200b", "'wide'", "'arabic'", "'groups'"],
)
def test_a_number_is_found_however_it_is_pasted(office: Office, paste: str) -> None:
    person = office.someone()
    typed = {
        "'wide'": wide(person.number),
        "'arabic'": "".join(chr(0x660 + int(one)) for one in person.number),
        "'groups'": f"\ufeff{person.number[:6]}\u2009{person.number[6:]}",
    }.get(paste, paste.format(person.number))
    assert person.full_name in text_of(office.begin(typed))
    answer = office.finish(office.begin(typed), start="\u200e1/2-2024")
    found = office.participation(answer.headers["Location"].split("/")[2])
    assert (found.national_id, found.start_date.isoformat() if found.start_date else "") == (
        person.number,
        "2024-02-01",
    )


@ONE_DATABASE
def test_a_zero_that_a_spreadsheet_took_away(office: Office) -> None:
    person = next(one for one in iter(office.someone, None) if one.number.startswith("0"))
    without = person.number[1:]
    words = f"Nummeret har 10 sifre. Regneark fjerner nullen foran. Skal det være {person.number}?"
    hint = office.begin(without)
    assert words in text_of(hint)
    assert person.full_name not in text_of(hint)
    form = form_in(hint, form="registrering")
    assert form.value("Fødselsnummer") == without
    client = office.client_of("berit.bergen")
    refused = client.submit(hint, button="Neste", fill={"Dato for oppstart": "1.2.24"})
    assert refused.status_code == 422
    assert words in text_of(refused)
    found = client.submit(refused, button="Bruk nummeret med null foran")
    assert form_in(found, form="registrering").value("Fødselsnummer") == person.number
    assert person.full_name in text_of(found)


@ONE_DATABASE
def test_the_hint_comes_while_the_number_is_typed(office: Office) -> None:
    person = next(one for one in iter(office.someone, None) if one.number.startswith("0"))
    client = office.client_of("berit.bergen")
    form = form_in(client.get("/deltakere/ny"), form="registrering")
    form.fill({"Fødselsnummer": f"{person.number[1:6]} {person.number[6:]}"})
    answer = client.post(
        "/deltakere/ny/oppslag", data=MultiDict(form.pairs(None)), headers=htmx_headers(source="input")
    )
    assert f"Skal det være {person.number}?" in answer.text


# ---- The four pages ----

MEASURES: Answers = {**FULL_BACKGROUND, "Tidligere tiltak": ["Introduksjonsprogram"], "Antall barn under 18 år": "2"}


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("062022", "06.2022"),
        ("6.22", "06.2022"),
        ("2022-06", "06.2022"),
        ("06/2022", "06.2022"),
        ("\u200e６．２２", "06.2022"),
    ],
)
def test_a_month_is_shown_in_the_standard_form(office: Office, typed: str, shown: str) -> None:
    public_id = office.given(bakgrunn=MEASURES)
    office.save(
        public_id,
        "bakgrunn",
        {"Når avsluttet deltakeren introduksjonsprogrammet?": typed, "Fødselsår for yngste barn": "\ufeff２０２１"},
    )
    form = office.form(public_id, "bakgrunn")
    assert form.value("Når avsluttet deltakeren introduksjonsprogrammet?") == shown
    assert form.value("Fødselsår for yngste barn") == "2021"
    assert "Ikke lagret" not in text_of(office.page(public_id, "bakgrunn"))


@pytest.mark.parametrize(
    "typed", ["1.2.24", "010224", "01022024", "1/2-2024", "2024-02-01", "01\u201102\u20112024", "1. februar 2024"]
)
def test_a_day_is_shown_in_the_standard_form(office: Office, typed: str) -> None:
    public_id = office.given(start=START)
    form = office.form(public_id, "person")
    form.fill({"Dato for oppstart": typed})
    client = office.client_of("berit.bergen")
    answer = client.post_partial(address(public_id, "person", "lagre"), MultiDict(form.pairs(None)))
    assert answer.status_code == 200
    assert office.form(public_id, "person").value("Dato for oppstart") == "01.02.2024"
    assert office.drafts(public_id) == {}


@ONE_DATABASE
@pytest.mark.parametrize("typed", ["0622", "202206", "010622", "01.06.2022", "-6.2022", "\u22126.22"])
def test_a_month_that_may_mean_something_else_is_refused(office: Office, typed: str) -> None:
    public_id = office.given(bakgrunn=MEASURES)
    answer = office.send(public_id, "bakgrunn", {"Når avsluttet deltakeren introduksjonsprogrammet?": typed}, "Neste")
    assert answer.status_code == 422
    assert "Skriv måned og år, slik: mm.åååå eller mmåååå" in text_of(answer)


@ONE_DATABASE
@pytest.mark.parametrize("year_ahead", [5, 6])
def test_the_century_of_a_year_follows_the_day(office: Office, year_ahead: int) -> None:
    """Up to five years ahead is this century; later is the last one, which no field accepts this far back."""
    year = today().year + year_ahead
    public_id = office.ended()
    form = office.form(public_id, "avslutning")
    form.fill({"Dato for avslutning": f"1.1.{year % 100:02}"})
    client = office.client_of("berit.bergen")
    client.post_partial(address(public_id, "avslutning", "lagre"), MultiDict(form.pairs(None)))
    found = office.participation(public_id)
    assert found.end_date is not None
    assert (found.end_date.year == year) == (year_ahead == 5)


def test_numbers_and_hours(office: Office) -> None:
    public_id = office.complete(avslutning={})
    office.save(public_id, "programinnhold", {"Timer i program per uke": "\u206622٫5\u2069"})
    office.save(public_id, "avslutning", {"Gyldig fravær, dager": wide("12"), "Ugyldig fravær, dager": "\u200b3\u00a0"})
    found = office.participation(public_id)
    assert (str(found.hours_per_week), found.absence_valid, found.absence_invalid) == ("22.5", 12, 3)
    for minus in ("-", "\u2212", "\u2013", "\ufe63", "\uff0d"):
        office.put(public_id, "avslutning", {"Gyldig fravær, dager": f"\u200b{minus}5"})
        assert office.participation(public_id).absence_valid == 12
        assert office.drafts(public_id)["absence_valid"]
        assert "Skriv et tall fra 0 til 9999" in text_of(office.page(public_id, "avslutning"))


def test_a_text_of_nothing_visible_is_no_answer(office: Office) -> None:
    public_id = office.given()
    office.put(public_id, "programinnhold", {"Mål": ["Annet"]})
    answer = office.send(
        public_id, "programinnhold", {"Mål": ["Annet"], "Beskriv målet": "\u200b\u3164\u00a0"}, "Fullfør"
    )
    assert answer.status_code == 422
    assert "Beskriv målet" in text_of(answer)
    written = "«Kjøre lastebil» – ½ år, می\u200cخواهم"
    office.send(public_id, "programinnhold", {"Mål": ["Annet"], "Beskriv målet": written})
    assert office.participation(public_id).goals_other == written


def test_a_row_of_nothing_visible_is_no_row(office: Office) -> None:
    public_id = office.given()
    client = office.client_of("berit.bergen")
    added = client.submit(office.page(public_id, "programinnhold"), button="Legg til tiltak", partial=False)
    form = form_in(added, form="registrering")
    form.fill({"activities-0-comment": "\u200b\u2060", "activities-0-from_date": "\ufeff"})
    client.post_partial(address(public_id, "programinnhold", "lagre"), MultiDict(form.pairs(None)))
    assert office.participation(public_id).activities == []
    assert "activities" not in office.drafts(public_id)


@ONE_DATABASE
def test_no_reason_is_given_by_nothing_visible(office: Office) -> None:
    public_id = office.given()
    client = office.client_of("berit.bergen")
    question = client.get(address(public_id, "slett", "bekreft"))
    answer = client.submit(
        question,
        form="sletting",
        button="Ja, slett deltaker",
        fill={"Hvorfor slettes deltakeren?": "Annet"},
        extra={"text": "\u200b\u00ad"},
    )
    assert answer.status_code == 422
    assert "Beskriv grunnen" in text_of(answer).replace("beskriv", "Beskriv")


# ---- Options ----


def options_of(office: Office, public_id: str, key: str) -> list[tuple[str | None, str]]:
    """The options of a select on the page Bakgrunn: value and label."""
    tree = tree_of(office.page(public_id, "bakgrunn"))
    select_ = next(one for one in tree.elements("select") if one.attrib["name"] == key)
    return [(one.attrib.get("value"), "".join(one.itertext())) for one in select_.iter() if one.tag == "option"]


@ONE_DATABASE
@pytest.mark.parametrize("key", ["mother_tongue", "education_country"])
def test_options_are_sent_by_code_and_stand_in_norwegian_order(office: Office, key: str) -> None:
    public_id = office.given()
    options = options_of(office, public_id, key)
    assert options[0] == ("", "Velg")
    assert all(code and code.isascii() and code.isalpha() for code, _words in options[1:])
    words = [words for _code, words in options[1:] if words != "Annet språk"]
    assert words == sorted(words, key=sort_key)
    if key == "mother_tongue":
        assert options[-1] == ("other", "Annet språk")


def test_a_page_that_was_opened_before_sends_words(office: Office) -> None:
    """Pages with options translated by a browser send codes, whatever they show."""
    public_id = office.given(bakgrunn=FULL_BACKGROUND)
    old = office.send(
        public_id,
        "bakgrunn",
        extra={"mother_tongue": "Persisk (farsi)", "education_country": "Belarus"},
        button="Neste",
    )
    assert old.status_code == 302 or old.status_code == 303
    found = office.participation(public_id)
    assert (found.mother_tongue, found.education_country) == ("fas", "BLR")
    office.save(public_id, "bakgrunn", {"Morsmål": "Thai", "Land for utdanningen": "Thailand"})
    found = office.participation(public_id)
    assert (found.mother_tongue, found.education_country) == ("tha", "THA")
    form = office.form(public_id, "bakgrunn")
    assert (form.value("Morsmål"), form.value("Land for utdanningen")) == (["Thai"], ["Thailand"])
    refused = office.send(public_id, "bakgrunn", extra={"mother_tongue": "Tailandés"}, button="Neste")
    assert refused.status_code == 400


# ---- Answers that are removed ----

RECOGNISED = "Er utdanningen godkjent i Norge?"
NOT_ANSWERED = "Ikke besvart"


@pytest.mark.parametrize("partial", [False, True], ids=["whole form", "as one types"])
def test_an_optional_answer_is_taken_back(office: Office, partial: bool) -> None:
    public_id = office.given(bakgrunn=FULL_BACKGROUND)
    form = office.form(public_id, "bakgrunn")
    assert form.value(RECOGNISED) == [NOT_ANSWERED]
    for answer, stored in (("Nei", "no"), (NOT_ANSWERED, None)):
        if partial:
            form = office.form(public_id, "bakgrunn")
            form.fill({RECOGNISED: answer})
            client = office.client_of("berit.bergen")
            kept = client.post_partial(address(public_id, "bakgrunn", "lagre"), MultiDict(form.pairs(None)))
            assert kept.status_code == 200
        else:
            office.save(public_id, "bakgrunn", {RECOGNISED: answer})
        assert office.participation(public_id).education_recognised == stored
        assert office.form(public_id, "bakgrunn").value(RECOGNISED) == [answer]
    history = [
        (field, old, new) for _v, _u, field, old, new in office.changes(public_id) if field == "education_recognised"
    ]
    assert history == [("education_recognised", None, "no"), ("education_recognised", "no", None)]
    assert office.participation(public_id).background_missing == 0
    told = text_of(office.client_of("berit.bergen").get(address(public_id, "historikk")))
    assert NOT_ANSWERED not in told


@ONE_DATABASE
def test_only_optional_questions_can_be_left_again(office: Office) -> None:
    public_id = office.ended()
    office.put(public_id, "programinnhold", {"Mål": ["Bestå norskprøve"]})
    for word, optional in (
        ("bakgrunn", {RECOGNISED}),
        ("programinnhold", {"Nivå på norskprøven"}),
    ):
        form = office.form(public_id, word)
        groups = {one.group for one in form.controls if one.kind == "radio" and one.label == NOT_ANSWERED}
        assert optional <= groups
        assert "Er det laget en individuell plan?" not in groups
        assert "Lese- og skriveferdigheter på eget morsmål" not in groups
        firsts = {one.group: one.label for one in reversed(form.controls) if one.kind == "radio"}
        assert NOT_ANSWERED not in firsts.values(), "the error summary leads to the first choice"


# ---- The list ----


def places(house: House, typed: str) -> list[str]:
    """The municipalities that the filter accepts for a text."""
    screen = asked(house, "ida.imdi", {"kommune-navn": typed})
    assert screen.answer.status_code == 200, faults_in(screen)
    return parts_of(screen).get("kommune", [])


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("Bergen (4601)", ["4601"]),
        ("\ufeffBergen\u00a0(4601)\u200b", ["4601"]),
        ("4601 Bergen", ["4601"]),
        ("Bergen 4601, Oslo (0301)", ["0301", "4601"]),
        ("Herøy (Møre og Romsdal) (1515)", ["1515"]),
        ("Herøy (1818)", ["1818"]),
        ("Aurskog\u2011Høland", ["3226"]),
        ("Aurskog\u2013Høland (3226)", ["3226"]),
        ("Å\u0301s".replace("\u0301", ""), ["3218"]),
        ("A\u030as", ["3218"]),
        (wide("4601"), ["4601"]),
        ("Ber\u00adgen", ["4601"]),
        ("\u200b", []),
    ],
)
def test_municipalities_as_our_own_pages_write_them(house: House, typed: str, wanted: list[str]) -> None:
    assert places(house, typed) == wanted


def test_a_name_and_another_number_are_no_municipality(house: House) -> None:
    screen = asked(house, "ida.imdi", {"kommune-navn": "Bergen (0301)"})
    assert screen.answer.status_code == 422


@pytest.mark.parametrize("paste", PASTED)
@pytest.mark.parametrize("what", ["national_id", "person_id"])
def test_numbers_are_searched_however_they_are_pasted(house: House, paste: str, what: str) -> None:
    public_id = Office(house.app, house.client)
    row = next(
        public_id.participation(one)
        for one in house.participants()
        if (found := public_id.participation(one)).municipality_number == "0301"
        and not found.protected
        and found.deleted_at is None
        and found.discharged_at is None
    )
    number = getattr(row, what)
    for typed in (paste.format(number), paste.format(wide(number)), paste.format(with_shy(number))):
        screen = asked(house, "kari.oslo", {"q": typed})
        assert (screen.ids, missed_in(screen)) == ([row.public_id], [])


def test_a_search_tells_of_a_lost_zero(house: House) -> None:
    office = Office(house.app, house.client)
    person = next(one for one in iter(office.someone, None) if one.number.startswith("0"))
    screen = asked(house, "kari.oslo", {"q": person.number[1:]})
    assert f"Søk på {person.number}" in text_of(screen.answer)


@pytest.mark.parametrize(
    "typed", ["KARI.OSLO", "\ufeffkari.oslo\u200b", wide("kari.oslo"), "kari\u00ad.oslo", "kari.oslo\u00a0"]
)
def test_user_names_in_the_filter(house: House, typed: str) -> None:
    plain = asked(house, "kari.oslo", {"endret-av": "kari.oslo"})
    assert asked(house, "kari.oslo", {"endret-av": typed}).ids == plain.ids
    assert count_of(plain) > 0


@pytest.mark.parametrize(
    "typed", ["1.1.24", "010124", "01012024", "1/1-2024", "2024-01-01", "\u200e1\u20111\u201124", wide("01.01.2024")]
)
@pytest.mark.parametrize("word", ["deltok", "oppstart", "avslutning", "endret"])
def test_days_in_the_filters(house: House, word: str, typed: str) -> None:
    screen = asked(house, "kari.oslo", {f"{word}-fra": typed})
    assert screen.answer.status_code == 200
    assert parts_of(screen)[f"{word}-fra"] == ["2024-01-01"]
    form = find_form(tree_of(panel_of(house, "kari.oslo", f"{word}-fra=2024-01-01")), form="liste")
    assert form.value(f"{word}-fra") == "01.01.2024"


def test_filters_of_nothing_visible_ask_nothing(house: House) -> None:
    values = {"q": "\u200b", "endret-av": "\u2060", "oppstart-fra": "\u3164", "avslutning-til": "\u00a0"}
    screen = asked(house, "kari.oslo", values)
    assert screen.answer.status_code == 200
    assert count_of(screen) == count_of(at(house, "kari.oslo"))
    assert parts_of(screen) == {}


@ONE_DATABASE
def test_a_view_has_a_name_that_can_be_seen(own_house: House) -> None:
    client = own_house.client("kari.oslo")
    page = client.get("/deltakere/visninger")
    refused = client.submit(page, fill={"Navn på visningen": "\u200b\u3164"}, button="Lagre visningen")
    assert refused.status_code == 422
    assert "Gi visningen et navn" in text_of(refused)


# ---- Users, the log and sign-in ----


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("(+47) 55 55 55 55", "+47 55 55 55 55"),
        ("004755555555", "+4755555555"),
        ("\u202d55\u00a055\u00a055\u00a055\u202c", "55 55 55 55"),
        ("55\u201155\u201155\u201155", "55 55 55 55"),
        (wide("+47") + " 55555555", "+47 55555555"),
    ],
)
def test_an_invitation_with_what_was_pasted(own_house: House, typed: str, kept: str) -> None:
    client = own_house.client("admin.imdi")
    place = f"ny{len(own_house.ask(select(User.id)))}"
    fill = {
        "Navn": "Siri\u00a0Ny",
        "E-post": f"\u200b{place}＠example.org\u00a0",
        "Jobbtelefon": typed,
        "caseworker_in": "\ufeffBergen (4601), Aurskog\u2013Høland",
    }
    answer = client.submit(client.get("/brukere/ny"), button="Send invitasjon", fill=fill, follow_redirects=True)
    assert answer.status_code == 200, text_of(answer)
    rows = own_house.ask(select(User.phone, User.email).where(User.email == f"{place}@example.org"))
    assert [tuple(row) for row in rows] == [(kept, f"{place}@example.org")]
    assert len(letters_to(own_house.app, f"{place}@example.org")) == 1


@ONE_DATABASE
@pytest.mark.parametrize("typed", ["ring meg", "-55555555", "5555", "\u200b"])
def test_what_is_no_telephone_number(own_house: House, typed: str) -> None:
    client = own_house.client("admin.imdi")
    fill = {"Navn": "\u200b\u3164", "E-post": "x@example.org", "Jobbtelefon": typed, "caseworker_in": "Bergen"}
    answer = client.submit(client.get("/brukere/ny"), button="Send invitasjon", fill=fill)
    assert answer.status_code == 422
    assert "Skriv telefonnummeret med tall." in text_of(answer)
    assert "Skriv navnet." in text_of(answer)


def sent_password(house: House, username: str, password: str = PASSWORD) -> TestResponse:
    client = house.nobody()
    fill = {"Brukernavn": username, "Passord": password}
    return client.submit(client.get("/logg-inn"), button="Logg inn", fill=fill)


@pytest.mark.parametrize(
    "typed", ["\ufeffkari.oslo", "KARI.OSLO\u200b", wide("kari.oslo"), "\u00a0kari.oslo\u2003", "kari\u00ad.oslo"]
)
def test_a_user_name_lets_in_however_it_is_pasted(own_house: House, typed: str) -> None:
    assert sent_password(own_house, typed).status_code in {302, 303}


@pytest.mark.parametrize("typed", ["\ufeffberit.bergen\u200b", "\u00a0BERIT.BERGEN＠example.org\u2003"])
def test_a_forgotten_password_is_asked_for_however_it_is_pasted(own_house: House, typed: str) -> None:
    before = len(letters_to(own_house.app, "berit.bergen@example.org"))
    client = own_house.nobody()
    answer = client.submit(client.get("/glemt-passord"), button="Send lenke", extra={"whom": typed})
    assert answer.status_code == 200, text_of(answer)
    assert len(letters_to(own_house.app, "berit.bergen@example.org")) == before + 1


@pytest.mark.parametrize(
    "typed", ["(+47) 00 00 00 01", "0047\u00a000\u00a000\u00a000\u00a001", "\u202a+4700000001\u202c"]
)
def test_users_are_found_by_their_telephone(own_house: House, typed: str) -> None:
    client = own_house.client("admin.imdi")
    answer = client.submit(
        client.get("/brukere"), fill={"Søk etter bruker": typed}, button="Søk", follow_redirects=True
    )
    assert names_in(answer) == ["kari.oslo"]


@ONE_DATABASE
@pytest.mark.parametrize("password", [f"\u200b{PASSWORD}", PASSWORD.replace("-", "\u2011"), PASSWORD + "\u00a0"])
def test_a_password_is_not_cleaned(own_house: House, password: str) -> None:
    assert sent_password(own_house, "kari.oslo", password).status_code == 422


@pytest.mark.parametrize("typed", ["\ufeffberit.bergen", wide("Berit.Bergen"), "berit\u00ad.bergen\u200b"])
def test_the_log_is_searched_however_it_is_typed(own_house: House, typed: str) -> None:
    own_house.client("berit.bergen").get("/deltakere")
    found = rows_of(search(own_house.client("admin.imdi"), whom=typed))
    assert {row[1] for row in found} == {"berit.bergen"}


def test_the_log_takes_days_and_numbers_as_they_are_typed(own_house: House) -> None:
    office = Office(own_house.app, own_house.client)
    public_id = office.given()
    office.page(public_id, "bakgrunn")
    number, day = person_id_of(own_house, public_id), today()
    admin = own_house.client("admin.imdi")
    for typed in (f"{number[:4]}\u00a0{number[4:]}", wide(number), f"\u202a{number}\u202c"):
        found = {row[3] for row in rows_of(search(admin, whom=typed))}
        assert found - {""} == {number}  # pages of the list that have shown the participant contain no name
    for first in (
        f"{day:%d%m%y}",
        f"{day.day}.{day.month}.{day:%y}",
        f"{day:%Y-%m-%d}",
        f"\u200b{day.day}/{day.month}-{day.year}",
    ):
        page = search(admin, whom="berit.bergen", first=first, last=first)
        assert page.request.args["fra"] == page.request.args["til"] == day.isoformat()
        assert rows_of(page)
        assert form_in(page, form="loggsok").value("Fra og med") == f"{day:%d.%m.%Y}"


@pytest.fixture(scope="module", params=DIALECTS)
def strict(request: pytest.FixtureRequest, databases: Databases, settings: dict[str, str]) -> Iterator[House]:
    """A house that requires the second factor."""
    with running_house(request.param, databases, {**settings, "SECOND_FACTOR": "required"}, participants=0) as made:
        yield made


def test_codes_are_understood_however_they_are_pasted(strict: House) -> None:
    client = strict.nobody()
    fill = {"Brukernavn": "kari.oslo", "Passord": PASSWORD}
    page = client.submit(client.get("/logg-inn"), button="Logg inn", fill=fill, follow_redirects=True)
    tree = tree_of(page)
    secret = next("".join(one.itertext()).replace(" ", "") for one in tree.elements("code"))
    totp = pyotp.TOTP(secret)
    code = totp.generate_otp(totp.timecode(now()))
    typed = f"\ufeff{wide(code[:3])}\u00a0{code[3:]}\u200b"
    codes_page = client.submit(page, button="Fortsett", fill={"Engangskode": typed}, follow_redirects=True)
    recovery = ["".join(one.itertext()) for one in tree_of(codes_page).elements("code")]
    assert len(recovery) > 3
    for code, typed in (
        (recovery[0], recovery[0].replace("-", "\u2011")),
        (recovery[1], f"\u202a{wide(recovery[1].upper())}\u202c"),
    ):
        other = strict.nobody()
        asked_for = other.submit(other.get("/logg-inn"), button="Logg inn", fill=fill, follow_redirects=True)
        answer = other.submit(asked_for, button="Fortsett", fill={"Engangskode": typed}, follow_redirects=True)
        assert answer.request.path == "/deltakere", (code, text_of(answer))
    used = [row for row in strict.ask(select(AccessEntry.action)) if row.action == "recovery_code_used"]
    assert len(used) == 2
