"""The access log as IMDi reads it: on a page, searched, and as a file."""

import ast
import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from app.accounts.openid import Refused
from app.oversight.log_words import ACTIONS, KEYS, WORDS, action_word
from app.oversight.page_words import page_word
from app.overview.downloads import _DOWNLOADS as DOWNLOADS
from services.access.access_log import PAGE
from services.access.audit import Action
from services.access.hourly_limits import LookUpPurpose
from services.core.clock import today
from services.core.db import now
from services.intake.look_up import Outcome
from services.listing.search_terms import TermKind
from services.participation.corrections import DELETION_REASONS
from services.registers.errors import RegisterFault
from services.tables.accounts import RoleGrant, User
from services.tables.participants import AccessEntry, Participation
from tests.support.access_log import person_id_of, rows_of, search
from tests.support.client import form_in, htmx_headers, text_of, tree_of
from tests.support.house import IS_OPEN, IS_PLAIN, House, of_places
from tests.support.users import id_of


def test_who_opened_whom(own_house: House) -> None:
    """Searched by user name and by PersonId; no line has the name of a participant."""
    public_id = own_house.participants(of_places("berit.bergen"), IS_OPEN, IS_PLAIN)[0]
    own_house.client("berit.bergen").get(f"/deltakere/{public_id}/bakgrunn")
    number = person_id_of(own_house, public_id)
    admin = own_house.client("admin.imdi")
    by_user = search(admin, whom="Berit.Bergen", action="open")
    assert by_user.request.path == "/tilgangslogg"
    assert "berit" not in by_user.request.query_string.decode().lower()
    first = rows_of(by_user)[0]
    assert first[1:5] == ["berit.bergen", "Åpnet deltaker", number, "Bergen"]
    about = search(admin, whom=number)
    assert number not in about.request.query_string.decode()
    assert {row[3] for row in rows_of(about) if row[2] != "Så deltakere"} == {number}
    assert "berit.bergen" in {row[1] for row in rows_of(about)}
    name = own_house.ask(select(Participation.name).where(Participation.public_id == public_id))[0].name
    assert name not in about.text


def test_reading_it_is_logged_too(own_house: House) -> None:
    admin = own_house.client("admin.imdi")
    admin.get("/tilgangslogg")
    assert rows_of(admin.get("/tilgangslogg?handling=read_log"))[0][1:3] == ["admin.imdi", "Leste tilgangsloggen"]


def test_a_fragment_pushes_its_address(own_house: House) -> None:
    answer = search(own_house.client("admin.imdi"), partial=True, action="sign_in")
    assert answer.headers["HX-Push-Url"] == "/tilgangslogg?handling=sign_in"
    assert "<!doctype" not in answer.text
    table = answer.text[answer.text.index("<table") : answer.text.index("</table>")]
    assert table in own_house.client("admin.imdi").get("/tilgangslogg?handling=sign_in").text
    assert {row[2] for row in rows_of(own_house.client("admin.imdi").get("/tilgangslogg?handling=sign_in"))} == {
        "Logget inn"
    }


def test_days(own_house: House) -> None:
    admin = own_house.client("admin.imdi")
    day = f"{today():%d.%m.%Y}"
    yesterday = f"{today() - timedelta(days=1):%d.%m.%Y}"
    assert rows_of(search(admin, first=day, last=day))
    assert "Ingen linjer passer" in text_of(search(admin, last=yesterday))
    wrong = search(admin, first="32.01.2026")
    assert wrong.status_code == 422
    assert "Skriv en dato som finnes" in text_of(wrong)


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize(
    ("days", "marked"),
    [
        ({"first": "32.01.2026"}, {"fra": "Skriv en dato som finnes, slik: dd.mm.åååå"}),
        ({"last": "i går"}, {"til": "Skriv en dato som finnes, slik: dd.mm.åååå"}),
        (
            {"first": "01.01.0001", "last": "31.12.9999"},
            dict.fromkeys(("fra", "til"), "Datoen må være mellom 01.01.1950"),
        ),
        ({"first": "02.01.2026", "last": "01.01.2026"}, {"fra": "Fra-datoen er etter til-datoen"}),
    ],
)
def test_a_wrong_day_marks_its_field(
    own_house: House, days: dict[str, str], marked: dict[str, str], partial: bool
) -> None:
    """At the field, in the summary and in the title; the typed text stays, and errors disappear when it is
    corrected."""
    admin = own_house.client("admin.imdi")
    answer = search(admin, partial=partial, **days)
    assert answer.status_code == 422
    tree = tree_of(answer)
    names = {"fra": "first", "til": "last"}
    labels = {"fra": "Fra og med", "til": "Til og med"}
    summary = tree.text(tree.by_id["error-summary"])
    for name in names:
        field = tree.by_id.get(name)
        assert partial == (field is None) or name in marked
        if name in marked:
            assert field is not None
            assert field.attrib["aria-invalid"] == "true"
            assert field.attrib["value"] == days[names[name]]
            assert f"{name}-error" in field.attrib["aria-describedby"].split()
            assert tree.text(tree.by_id[f"{name}-error"]).startswith(marked[name])
            assert f"{labels[name]}: {marked[name][0].lower()}{marked[name][1:]}" in summary
    assert tree.text(next(tree.elements("title"))).startswith("Feil: Tilgangslogg")
    token = dict(form_in(admin.get("/tilgangslogg")).pairs(None))["csrf_token"]
    sent = {"csrf_token": token, "hvem": "", "handling": "", "fra": "01.01.2026", "til": "", "feil": list(marked)}
    right = admin.post("/tilgangslogg/sok", data=sent, headers=htmx_headers(source="form#loggsok"))
    tree = tree_of(right)
    assert right.status_code == 200
    assert {name for name in names if name in tree.by_id} == set(marked)
    assert not any("aria-invalid" in tree.by_id[name].attrib for name in marked)
    assert tree.text(next(tree.elements("title"))).startswith("Tilgangslogg")


def test_a_day_in_the_address_that_no_calendar_here_has(own_house: House) -> None:
    for query in ("fra=0001-01-01", "til=9999-12-31"):
        assert own_house.client("admin.imdi").get(f"/tilgangslogg?{query}").status_code == 400


def test_pages(own_house: House) -> None:
    """Links to older and newest lines show each line once."""
    line = {"user_id": id_of(own_house, "siri.vern"), "action": "search", "detail": {"search": "x", "name": 1}}
    own_house.write(insert(AccessEntry).values([{**line, "at": now()} for _one in range(PAGE + 5)]))
    admin = own_house.client("admin.imdi")
    page = search(admin, whom="siri.vern", action="search")
    assert len(rows_of(page)) == PAGE
    older = admin.follow(page, "Eldre")
    mine = AccessEntry.user_id == id_of(own_house, "siri.vern")
    number = own_house.ask(select(func.count()).where(mine, AccessEntry.action == "search"))[0][0]
    assert len(rows_of(older)) == number - PAGE
    newest = admin.follow(older, "Nyeste")
    assert rows_of(newest) == rows_of(page)


def test_the_file_holds_what_the_screen_shows(own_house: House) -> None:
    own_house.client("berit.bergen").get("/deltakere")
    admin = own_house.client("admin.imdi")
    page = search(admin, whom="berit.bergen")
    answer = admin.follow(page, "Last ned som CSV")
    assert answer.mimetype == "text/csv"
    text = answer.get_data().decode("utf-8-sig")
    table = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert table[0] == ["Når", "Hvem", "Hva", "PersonId", "Kommune", "Mer"]
    plain = [[cell.lstrip("\t") for cell in row] for row in table[1:]]
    assert plain[: len(rows_of(page))] == rows_of(page)
    assert rows_of(admin.get("/tilgangslogg?handling=download"))[0][5].startswith(
        "gjelder: tilgangsloggen; utvalg: søk "
    )


def test_the_file_is_longer_than_a_page(own_house: House) -> None:
    line = {"user_id": id_of(own_house, "kari.oslo"), "action": "open", "detail": None}
    own_house.write(insert(AccessEntry).values([{**line, "at": now()} for _one in range(1_500)]))
    answer = own_house.client("admin.imdi").get("/tilgangslogg.csv?handling=open")
    number = own_house.ask(select(func.count()).where(AccessEntry.action == "open", _plain()))[0][0]
    assert len(answer.get_data().splitlines()) == number + 1


def _plain() -> object:
    hidden = select(Participation.id).where(Participation.protected)
    return AccessEntry.participation_ref.is_(None) | AccessEntry.participation_ref.not_in(hidden)


def test_protected_participants_are_not_there(own_house: House) -> None:
    """Hidden from viewers without the right, visible to the others."""
    public_id = own_house.participants(of_places("siri.vern"), IS_OPEN, ~IS_PLAIN)[0]
    own_house.client("siri.vern").get(f"/deltakere/{public_id}/bakgrunn")
    number = person_id_of(own_house, public_id)
    admin = own_house.nobody()
    admin.login("admin.imdi")
    assert "Ingen linjer passer" in text_of(search(admin, whom=number))
    assert number not in admin.get("/tilgangslogg?handling=open").text
    assert number not in admin.get("/tilgangslogg.csv?handling=open").text
    admin_id = select(User.id).where(User.username == "admin.imdi").scalar_subquery()
    grant = update(RoleGrant).where(RoleGrant.user_id == admin_id)
    own_house.write(grant.values(sees_protected=True))
    try:
        assert {row[3] for row in rows_of(search(admin, whom=number)) if row[2] != "Så deltakere"} == {number}
    finally:
        own_house.write(grant.values(sees_protected=False))


def test_words_for_everything(own_house: House) -> None:
    """Every action has a label, and the detail is shown as text, too."""
    assert set(ACTIONS) == set(Action)
    lines = [
        ("change", {"fields": ["mother_tongue", "recruitment"]}, "felt: Morsmål, Rekrutteringskanal"),
        ("delete", {"reason": "duplicate"}, "grunn: "),
        ("block", {"user": id_of(own_house, "kari.oslo")}, "bruker: kari.oslo"),
        (
            "look_up_answer",
            {"outcome": "down", "fault": "slow"},
            "utfall: registeret svarte ikke; feil: svaret kom for sent",
        ),
        ("refused", {"view": "overview.overview_page", "user": None}, "side: Deltakeroversikten"),
        (
            "change_user",
            {"what": ["name", "+municipal_admin 5501", "+municipal_admin 5503", "-imdi_reader", "+sees_protected"]},
            "gjelder: navn, fikk rollen Kommuneadministrator i Tromsø og Harstad, mistet rollen IMDi-bruker, "
            "fikk se deltakere med adressebeskyttelse",
        ),
        ("invite", {"what": ["+imdi_admin"]}, "gjelder: fikk rollen IMDi-administrator"),
        (
            "download",
            {
                "what": "full",
                "format": "xlsx",
                "order": "kommune=4601&oppstart-fra=2026-01-31&sorter=navn&retning=synkende",
            },
            "gjelder: fullt datasett; utvalg: kommune Bergen, oppstart fra 31.01.2026, "
            "sortert etter navn, rekkefølge synkende; filtype: Excel",
        ),
        (
            "restore_backup",
            {"backup": "ab12", "taken_at": "2026-01-31T11:00:00+00:00", "replaced": None, "chains": {"change": "cd34"}},
            "kopi med SHA-256: ab12; tatt: 31.01.2026 kl. 12.00; siste segl før: historikken cd34",
        ),
        ("search", {"search": "x", "number": 2, "name": 1}, "søk: x; fødselsnummer: 2; navn: 1"),
        ("gone_action", {"user": 999_999, "unknown": {"a": [1, 2]}}, "bruker: 999999; unknown: a 1, 2"),
    ]
    own_house.write(
        *(
            insert(AccessEntry).values(at=now(), user_id=None, action=action, detail=detail)
            for action, detail, _ in lines
        )
    )
    newest_first = rows_of(own_house.client("admin.imdi").get("/tilgangslogg"))
    shown = {row[2]: row[5] for row in reversed(newest_first)}
    said = [action_word(action) for action, _detail, _words in lines]
    assert said[-1] == "gone_action", "of a version that nobody knows any more"
    for (_action, _detail, words), one in zip(lines, said, strict=True):
        assert shown[one].startswith(words)


# ---- No codes ----

CODE = re.compile(r"[a-z]+_[a-z_]+|[a-z]+\\.[a-z]+_[a-z_]+")
LOGS = {"note_refused_sign_in"}  # takes the detail as a positional argument


def test_every_page_has_a_name(own_house: House) -> None:
    for rule in own_house.app.url_map.iter_rules():
        word = page_word(rule.endpoint)
        assert word != page_word("no.such_page"), f"name {rule.endpoint} in app/oversight/page_words.py"
        assert not CODE.search(word)


def details_in(tree: ast.AST) -> Iterator[ast.Dict]:
    """The dicts that a module logs: those named `detail`, or passed as that."""
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg="detail"):
                values = [node.value]
            case ast.Assign(targets=[ast.Name(id="detail")]) | ast.AnnAssign(target=ast.Name(id="detail")):
                values = [node.value] if node.value else []
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in LOGS:
                values = [*node.args]
            case _:
                continue
        yield from (one for value in values for one in ast.walk(value) if isinstance(one, ast.Dict))


def test_whatever_the_program_logs_has_words() -> None:
    """Read from the source: each key of a detail, and each code in it."""
    found = set()
    for path in [*Path("services").rglob("*.py"), *Path("app").rglob("*.py")]:
        for one in details_in(ast.parse(path.read_text(encoding="utf-8"))):
            for key, value in zip(one.keys, one.values, strict=True):
                if isinstance(key, ast.Constant):
                    found.add(key.value)
                    assert key.value in KEYS, f"{key.value} of {path} has no word"
                    if key.value in WORDS and isinstance(value, ast.Constant):
                        assert value.value in WORDS[key.value], f"{value.value} of {path} has no word"
    assert {"fields", "outcome", "view", "what", "why"} <= found


def test_every_code_has_a_word() -> None:
    assert WORDS["outcome"].keys() >= {*Outcome, *RegisterFault}
    assert WORDS["fault"].keys() == set(RegisterFault)
    assert WORDS["purpose"].keys() == set(LookUpPurpose)
    assert KEYS.keys() >= set(TermKind)
    assert WORDS["reason"].keys() == {option.code for option in DELETION_REASONS}
    assert WORDS["what"].keys() >= {*DOWNLOADS, "access_log", "name", "email", "phone"}
    assert WORDS["format"].keys() == {"csv", "xlsx"}
    refusals = re.findall(r"«([a-z]+)»", Refused.__doc__ or "")
    assert len(refusals) == 5
    assert WORDS["why"].keys() >= set(refusals)
    words = [*KEYS.values(), *(word for words in WORDS.values() for word in words.values()), *ACTIONS.values()]
    assert not [word for word in words if CODE.search(word)]


def test_no_code_stands_in_a_day_of_work(own_house: House) -> None:
    """After everything that the other tests here have done, and some more."""
    nobody = own_house.nobody()
    nobody.submit(nobody.get("/logg-inn"), button="Logg inn", fill={"Brukernavn": "siri.vern", "Passord": "feil"})
    own_house.client("admin.bergen").get("/deltakere")
    own_house.client("ida.imdi").get("/brukere")
    own_house.client("berit.bergen").get("/deltakere/oversikt.csv?sorter=navn&retning=synkende&status=endret")
    admin = own_house.client("admin.imdi")
    answer = admin.get("/tilgangslogg.csv").get_data().decode("utf-8-sig")
    table = list(csv.reader(io.StringIO(answer), delimiter=";"))
    assert len(table) > 20
    for row in (one for one in table[1:] if one[2] != "gone_action"):
        said = re.sub(r"søk:? [^;,]+", "", " ".join([row[2], *row[4:]]))  # ignores the id of a stored search
        assert not CODE.search(said), row


# ---- Refused sign-ins ----


def test_a_blocked_user_who_tries_stands_under_that_user(own_house: House) -> None:
    """With any password; the sign-in page shows the same as to everybody."""
    block = update(User).where(User.username == "ida.imdi")
    own_house.write(block.values(blocked_at=now()))
    try:
        answers = []
        for username, password in (("ida.imdi", "demo-passord-2026"), ("ida.imdi", "feil"), ("ukjent", "feil")):
            browser = own_house.nobody()
            fill = {"Brukernavn": username, "Passord": password}
            answer = browser.submit(browser.get("/logg-inn"), button="Logg inn", fill=fill)
            assert answer.status_code == 422
            answers.append(text_of(answer))
        assert len(set(answers)) == 1
        lines = rows_of(search(own_house.client("admin.imdi"), whom="ida.imdi", action="sign_in_failed"))
        assert [(row[1], row[2], row[5]) for row in lines[:2]] == [
            ("ida.imdi", "Feil ved innlogging", "grunn: brukeren er sperret")
        ] * 2
    finally:
        own_house.write(block.values(blocked_at=None))


@pytest.mark.parametrize(
    "query",
    [
        "handling=ukjent",
        "eldre=x",
        "eldre=-1",
        "eldre=99999999999999999999",
        "fra=2026-13-01",
        "til=i%20dag",
        "fra=%00",
    ],
)
def test_an_address_that_means_nothing(own_house: House, query: str) -> None:
    assert own_house.client("admin.imdi").get(f"/tilgangslogg?{query}").status_code == 400
    assert own_house.client("admin.imdi").get(f"/tilgangslogg.csv?{query}").status_code == 400


@pytest.mark.parametrize("whom", ["nobody", "%", "1234567", "12345678", "\x00", "x" * 60, "'; DROP TABLE"])
def test_a_search_that_finds_nothing(own_house: House, whom: str) -> None:
    assert "Ingen linjer passer" in text_of(search(own_house.client("admin.imdi"), whom=whom))


def test_somebody_elses_search(own_house: House) -> None:
    """Its id means nothing to another user: all lines are shown, and not the search."""
    own_house.client("berit.bergen").get("/deltakere")
    mine = search(own_house.client("admin.imdi"), whom="berit.bergen").request
    other = own_house.nobody()
    other.login("admin.imdi")  # the same user may
    assert rows_of(other.get(f"/tilgangslogg?{mine.query_string.decode()}"))
    assert own_house.client("ida.imdi").get(f"/tilgangslogg?{mine.query_string.decode()}").status_code == 403
