"""The history: every change as text, the newest first."""

from sqlalchemy import insert

from services.core.days import date_text
from services.tables.participants import Change
from tests.support.client import form_in, text_of, tree_of
from tests.support.house import House
from tests.support.registering import START, Office, address

LONG = "Kurs " * 90 + "slutt"
ROWS = (
    {"kind": "norwegian", "from_date": "01.02.2024", "hours": "10"},
    {"kind": "society", "from_date": "01.03.2024", "to_date": "02.04.2024", "comment": LONG},
)


def lines(office: Office, public_id: str, by: str = "berit.bergen") -> list[list[str]]:
    """User, field, from and to of each line of the history page."""
    tree = tree_of(office.page(public_id, "historikk", by))
    body = next(tree.elements("tbody"))
    return [[tree.text(cell) for cell in row][1:] for row in body]


def test_every_change_stands_there_in_words(office: Office) -> None:
    public_id = office.given()
    office.put(public_id, "bakgrunn", {"Tidligere tiltak": ["Norskopplæring", "Kvalifiseringsprogram"]})
    office.put(public_id, "bakgrunn", {"Tidligere tiltak": ["Ingen av disse"]}, "anne.tokommuner")
    office.put(public_id, "programinnhold", {"Timer i program per uke": "22,5", "Ingen tiltak gjennomført": True})
    office.put(public_id, "programinnhold", {"Timer i program per uke": ""})
    office.put(public_id, "avslutning", {"Dato for avslutning": date_text(START)})
    assert lines(office, public_id) == [
        ["berit.bergen", "Dato for avslutning", "", date_text(START)],
        ["berit.bergen", "Timer i program per uke", "22,5 timer per uke", ""],
        ["berit.bergen", "Ingen tiltak gjennomført", "", "Ja"],
        ["berit.bergen", "Timer i program per uke", "", "22,5 timer per uke"],
        ["anne.tokommuner", "Tidligere tiltak", "Norskopplæring, Kvalifiseringsprogram", "Ingen av disse"],
        ["berit.bergen", "Tidligere tiltak", "", "Norskopplæring, Kvalifiseringsprogram"],
        ["berit.bergen", "Dato for oppstart", "", date_text(START)],
        ["berit.bergen", "Finansiering", "", "Ordinær Jobbsjansen"],
        ["berit.bergen", "Deltakeren", "", "Opprettet"],
    ]
    assert lines(office, public_id, "ida.imdi") == lines(office, public_id)


def test_rows_and_discharge_stand_there_too(office: Office) -> None:
    public_id = office.ended()
    client = office.client_of("berit.bergen")
    page = client.submit(office.page(public_id, "programinnhold"), button="Legg til permisjon")
    extra = {"leaves-0-from_date": "01.02.2024", "leaves-0-to_date": "02.02.2024", "leaves-0-kind": "care"}
    client.submit(page, button="Fullfør", extra=extra)
    office.discharge(public_id)
    assert lines(office, public_id)[:2] == [
        ["berit.bergen", "Deltakeren", "", "Utskrevet"],
        ["berit.bergen", "Permisjon", "", "Permisjon 1: Omsorg 01.02.2024–02.02.2024"],
    ]


def test_rows_are_a_list_each(office: Office) -> None:
    public_id = office.given()
    client, page = office.client_of("berit.bergen"), office.page(public_id, "programinnhold")
    for _row in range(2):
        page = client.submit(page, form="registrering", button="Legg til tiltak")
    extra = {f"activities-{n}-{key}": value for n in range(2) for key, value in ROWS[n].items()}
    client.submit(page, form="registrering", button="Til deltakeroversikten", extra=extra)
    tree = tree_of(office.page(public_id, "historikk"))
    cell = list(next(iter(next(tree.elements("tbody")))))[-1]
    assert [tree.text(line) for line in cell.iter("li")] == [
        "Tiltak 1: Norskopplæring, fra 01.02.2024, 10 timer per uke",
        f"Tiltak 2: Samfunnskunnskap, fra 01.03.2024 til 02.04.2024, {LONG}",
    ]


def test_what_is_kept_as_typed_is_no_change(office: Office) -> None:
    public_id = office.given()
    office.put(public_id, "bakgrunn", {"Antall barn under 18 år": "mange"})
    assert len(lines(office, public_id)) == 3
    assert "mange" not in text_of(office.page(public_id, "historikk"))


def test_one_field_can_be_asked_for(office: Office) -> None:
    public_id = office.given()
    office.put(public_id, "bakgrunn", {"Morsmål": "Tamil", "Rekrutteringskanal": "Nav"})
    office.put(public_id, "bakgrunn", {"Morsmål": "Urdu"}, "anne.tokommuner")
    client = office.client_of("berit.bergen")
    page = client.get(f"/deltakere/{public_id}/historikk")
    chosen = client.submit(page, button="Vis", fill={"Vis endringer av": "Morsmål"})
    assert chosen.request.query_string == b"felt=mother_tongue"
    body = next(tree_of(chosen).elements("tbody"))
    assert [[tree_of(chosen).text(cell) for cell in row][2:] for row in body] == [
        ["Morsmål", "Tamil", "Urdu"],
        ["Morsmål", "", "Tamil"],
    ]
    fragment = client.get_partial(f"/deltakere/{public_id}/historikk?felt=mother_tongue")
    assert "Viser endringer av Morsmål" in text_of(fragment)
    created = client.submit(page, button="Vis", fill={"Vis endringer av": "Opprettet"})
    assert [tree_of(created).text(cell) for cell in next(iter(next(tree_of(created).elements("tbody"))))][1:] == [
        "berit.bergen",
        "Deltakeren",
        "",
        "Opprettet",
    ]
    options = next(one.options for one in form_in(page, button="Vis").controls if one.name == "felt")
    assert list(options.values()) == [
        "Alle felt",
        "Finansiering",
        "Dato for oppstart",
        "Rekrutteringskanal",
        "Morsmål",
        "Opprettet",
    ]
    for junk in ("felt=name2", "felt=children", "side=0", "side=x", "side=-1", f"side={'1' * 5000}", "side=٣"):
        assert client.get(f"/deltakere/{public_id}/historikk?{junk}").status_code == 400


def test_a_long_history_comes_in_pages(office: Office) -> None:
    public_id = office.given()
    for number in range(60):
        office.put(public_id, "bakgrunn", {"Antall barn under 18 år": str(number % 10), "Morsmål": "Urdu"})
        if number % 2:
            office.put(public_id, "bakgrunn", {"Morsmål": "Tamil"})
    client = office.client_of("berit.bergen")
    first = client.get(f"/deltakere/{public_id}/historikk")
    assert "Side 1 av 2" in text_of(first)
    assert len(list(next(tree_of(first).elements("tbody")))) == 100
    second = client.follow(first, "Eldre")
    assert "Side 2 av 2" in text_of(second)
    assert "Deltakeren Opprettet" not in text_of(first)
    assert text_of(second).count("Deltakeren Opprettet") == 1
    assert client.get(f"/deltakere/{public_id}/historikk?side=99").status_code == 200


def test_a_name_is_not_told_after_discharge_nor_protection_to_others(office: Office, own_house: House) -> None:
    public_id = office.ended()
    found = office.participation(public_id)
    common = {
        "participation_ref": found.id,
        "municipality_number": "4601",
        "version": found.version,
        "at": found.changed_at,
        "username": "folkeregisteret",
        "source": "folkeregisteret",
    }
    facts = (
        ("name", "Gammelt Navn", found.name),
        ("protection", None, "fortrolig"),
        ("marital_status", "ugift", "gift"),
        ("birth_country", "ERI", "SOM"),
        ("birth_date", "1990-01-02", "1990-01-03"),
    )
    for field, old, new in facts:
        own_house.write(insert(Change).values(**common, field=field, old=old, new=new))
    words = text_of(office.page(public_id, "historikk"))
    assert "Folkeregisteret Navn Gammelt Navn" in words
    assert "Folkeregisteret Sivilstand Ugift Gift" in words
    assert "Fødeland Eritrea Somalia" in words
    assert "Fødselsdato 02.01.1990 03.01.1990" in words
    assert "ortrolig" not in words
    assert "Adressebeskyttelse" not in words
    office.discharge(public_id)
    words = text_of(office.page(public_id, "historikk"))
    assert "Gammelt Navn" not in words
    assert found.name not in words


def test_a_grade_of_protection_is_told_to_those_who_see_it(office: Office, own_house: House) -> None:
    public_id = office.given(by="kari.oslo", district="030101")
    found = office.participation(public_id)
    common = {"participation_ref": found.id, "municipality_number": "0301", "version": 1, "at": found.changed_at}
    by_register = {"username": "folkeregisteret", "source": "folkeregisteret", "field": "protection"}
    own_house.write(insert(Change).values(**common, **by_register, old="fortrolig", new=None))
    own_house.write(insert(Change).values(**common, **by_register | {"field": "given_up"}, old=None, new="7"))
    assert "Folkeregisteret Adressebeskyttelse Fortrolig" in text_of(office.page(public_id, "historikk", "siri.vern"))
    for by in ("kari.oslo", "ida.imdi"):
        words = text_of(office.page(public_id, "historikk", by))
        assert "Adressebeskyttelse" not in words
        assert "Folkeregisteret given_up 7" in words, "a question that is asked no more"
    assert office.client_of("kari.oslo").get(f"{address(public_id, 'historikk')}?felt=protection").status_code == 400
