"""Invitations: sent by an administrator, accepted by the invited user; links that work once, and those that do not."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from services.core.db import now
from services.tables.accounts import AccountLink, RoleGrant, User
from services.tables.participants import AccessEntry
from tests.support.client import CheckedClient, form_in, text_of
from tests.support.house import House
from tests.support.invitations import CHOSEN, PERSON, invite, invited
from tests.support.letters import last_path, letters_to

EMAIL = "nora@bergen.kommune.no"


def make_user(client: CheckedClient, path: str, **changes: str) -> TestResponse:
    """Follow the link, and send its form."""
    fill = {"Passord": CHOSEN, "Gjenta passordet": CHOSEN} | changes
    return client.submit(client.get(path), button="Opprett bruker", fill=fill, follow_redirects=True)


def set_link(house: House, email: str, **values: object) -> None:
    """Change all links of a user."""
    user = select(User.id).where(User.email == email).scalar_subquery()
    house.write(update(AccountLink).where(AccountLink.user_id == user).values(**values))


def test_from_the_form_to_the_first_page(own_house: House) -> None:
    page = invite(own_house.client("admin.bergen"))
    words = text_of(page)
    assert page.request.path.startswith("/brukere/")
    assert all(word in words for word in ("Invitert", "Nora Ny Berg", EMAIL, "søppelpost (spam)", "72 timer"))
    assert "jobbsjansen.palogging @imdi.no" in words
    (letter,) = letters_to(own_house.app, EMAIL)
    for text in (letter.text, letter.html):
        assert "Åpne lenken under" in text
        assert "Opne lenkja under" in text
    assert '<div lang="nn">' in letter.html
    path = last_path(own_house.app, EMAIL)
    nora = own_house.nobody()
    form = form_in(nora.get(path))
    assert form.value("Brukernavn") == "nora.berg"
    first = make_user(nora, path)
    assert first.request.path == "/deltakere"
    assert "Nora Ny Berg" in text_of(first)
    nora.logout()
    nora.login("Nora.Berg", CHOSEN)
    assert "Aktiv" in text_of(own_house.client("admin.bergen").get(page.request.path))
    grants = select(RoleGrant.role, RoleGrant.municipality_number).join(User).where(User.email == EMAIL)
    assert [tuple(row) for row in own_house.ask(grants)] == [("caseworker", "4601")]
    (user_id,) = own_house.ask(select(User.id).where(User.email == EMAIL))[0]
    entries = own_house.ask(select(AccessEntry.action, AccessEntry.detail).where(AccessEntry.action != "open"))
    logged = [row.action for row in entries if row.detail and row.detail.get("user") == user_id]
    assert logged == ["invite", "accept"]
    stored = [row.token_hash for row in own_house.ask(select(AccountLink.token_hash))]
    assert path.rpartition("/")[2] not in stored


def test_looking_does_not_use_it_up_but_making_the_user_does(own_house: House) -> None:
    path = invited(own_house, "skanner@bergen.kommune.no")
    for _look in range(3):
        assert own_house.nobody().get(path).status_code == 200
        assert own_house.nobody().head(path).status_code == 200
    early = own_house.nobody()
    form = early.get(path)
    assert make_user(own_house.nobody(), path, Brukernavn="skanner.en").request.path == "/deltakere"
    late = early.submit(
        form,
        button="Opprett bruker",
        fill={"Brukernavn": "skanner.to", "Passord": CHOSEN, "Gjenta passordet": CHOSEN},
        follow_redirects=True,
    )
    assert late.status_code == 410
    assert not own_house.ask(select(User.id).where(User.username == "skanner.to"))


@pytest.mark.parametrize("how", ["used", "old", "replaced", "tampered", "blocked"])
def test_a_dead_link_says_so_and_offers_a_new_one(own_house: House, how: str) -> None:
    email = f"dod.{how}@bergen.kommune.no"
    path = invited(own_house, email)
    if how == "used":
        make_user(own_house.nobody(), path, Brukernavn="brukt.lenke")
    elif how == "old":
        set_link(own_house, email, expires_at=now() - timedelta(seconds=1))
    elif how == "replaced":
        set_link(own_house, email, replaced_at=now())
    elif how == "blocked":
        own_house.write(update(User).where(User.email == email).values(blocked_at=now()))
    else:
        path = path[:-1] + ("A" if path[-1] != "A" else "B")
    before = len(letters_to(own_house.app, email))
    client = own_house.nobody()
    page = client.get(path)
    assert page.status_code == 410
    assert "Lenken virker ikke" in text_of(page)
    answer = client.submit(page, button="Be om ny lenke", follow_redirects=True)
    assert "kommer det straks en ny e-post" in text_of(answer)
    after = letters_to(own_house.app, email)
    renewed = how in {"old", "replaced"}
    assert len(after) - before == (1 if renewed else 0), "only an unused invitation of one who may come is renewed"
    if renewed:
        new_path = last_path(own_house.app, email)
        assert new_path != path
        made = make_user(own_house.nobody(), new_path, Brukernavn=f"ny.{how}")
        assert made.request.path == "/deltakere"


def test_the_answer_to_a_dead_link_is_the_same_whatever_it_was(own_house: House) -> None:
    path = invited(own_house, "like@bergen.kommune.no")
    set_link(own_house, "like@bergen.kommune.no", expires_at=now() - timedelta(days=1))
    heard = set()
    for one in (path, "/invitasjon/det-fantes-aldri-noen-slik-lenke"):
        client = own_house.nobody()
        answer = client.submit(client.get(one), button="Be om ny lenke", follow_redirects=True)
        heard.add(re.sub(r'value="[^"]*"|action="[^"]*"', "", answer.text))
    assert len(heard) == 1


def test_one_can_ask_for_a_new_link_for_a_month(own_house: House) -> None:
    email = "gammel@bergen.kommune.no"
    path = invited(own_house, email)
    ages_ago = now() - timedelta(days=31)
    set_link(own_house, email, created_at=ages_ago, expires_at=ages_ago + timedelta(hours=72))
    client = own_house.nobody()
    client.submit(client.get(path), button="Be om ny lenke")
    assert len(letters_to(own_house.app, email)) == 1


def test_send_again_makes_a_new_link_and_kills_the_old(own_house: House) -> None:
    email = "igjen@bergen.kommune.no"
    old = invited(own_house, email)
    set_link(own_house, email, expires_at=now() - timedelta(days=1))
    admin = own_house.client("admin.bergen")
    (user_id,) = own_house.ask(select(User.id).where(User.email == email))[0]
    page = admin.get(f"/brukere/{user_id}")
    assert "Utløpt" in text_of(page)
    again = admin.submit(page, button="Send på nytt", follow_redirects=True)
    assert "Invitert" in text_of(again)
    new = last_path(own_house.app, email)
    assert new != old
    assert own_house.nobody().get(old).status_code == 410
    assert own_house.nobody().get(new).status_code == 200
    assert make_user(own_house.nobody(), new, Brukernavn="igjen.igjen").request.path == "/deltakere"


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"Brukernavn": "k"}, "3 til 60 tegn"),
        ({"Brukernavn": "<kari>"}, "3 til 60 tegn"),
        ({"Brukernavn": "kari.oslo"}, "opptatt"),
        ({"Brukernavn": " KARI.oslo "}, "opptatt"),
        ({"Passord": "kort", "Gjenta passordet": "kort"}, "minst 12 tegn"),
        ({"Passord": "Vinter-2026!", "Gjenta passordet": "Vinter-2026!"}, "for vanlig"),
        ({"Passord": "feil.valg!2026", "Gjenta passordet": "feil.valg!2026"}, "inneholder navnet"),
        ({"Gjenta passordet": "noe annet enn det"}, "ikke like"),
    ],
)
def test_what_is_wrong_is_said_and_the_link_still_works(
    own_house: House, changes: dict[str, str], problem: str, partial: bool
) -> None:
    email = "feil.valg@bergen.kommune.no"
    if not own_house.ask(select(User.id).where(User.email == email)):
        invited(own_house, email)
    path, client = last_path(own_house.app, email), own_house.nobody()
    fill = {"Brukernavn": "feil.valg", "Passord": CHOSEN, "Gjenta passordet": CHOSEN} | changes
    answer = client.submit(client.get(path), button="Opprett bruker", fill=fill, partial=partial)
    assert answer.status_code == 422
    assert problem in text_of(answer)
    assert CHOSEN not in answer.text
    assert own_house.nobody().get(path).status_code == 200


# ---- Who may invite whom to what ----


def test_imdi_invites_to_all_roles(own_house: House) -> None:
    admin = own_house.client("admin.imdi")
    roles = {
        "a@askoy.kommune.no": {"Kommuneadministrator i": "Askøy"},
        "b@askoy.kommune.no": {"Kommunebruker i": "4627, bergen", "Kommuneadministrator i": "Askøy"},
        "c@imdi.no": {"Rolle i IMDi": "IMDi-bruker"},
        "d@imdi.no": {"Rolle i IMDi": "IMDi-administrator"},
    }
    for email, role in roles.items():
        assert "Invitert" in text_of(invite(admin, **{"E-post": email}, **role))
    grants = select(User.email, RoleGrant.role, RoleGrant.municipality_number).join(User).where(User.email.in_(roles))
    assert {tuple(row) for row in own_house.ask(grants)} == {
        ("a@askoy.kommune.no", "municipal_admin", "4627"),
        ("b@askoy.kommune.no", "municipal_admin", "4627"),
        ("b@askoy.kommune.no", "caseworker", "4627"),
        ("b@askoy.kommune.no", "caseworker", "4601"),
        ("c@imdi.no", "imdi_reader", None),
        ("d@imdi.no", "imdi_admin", None),
    }


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"Navn": " "}, "Skriv navnet"),
        ({"E-post": "nora"}, "Skriv en e-postadresse"),
        ({"E-post": "nora@bergen.no\nBcc: x@y.no"}, "Skriv en e-postadresse"),
        ({"Jobbtelefon": "ring meg"}, "med tall"),
        ({"Kommunebruker i": "Atlantis"}, "Ingen kommune heter «Atlantis»"),
        ({"Kommunebruker i": "Herøy"}, "Flere kommuner heter «Herøy»: Herøy (Møre og Romsdal), Herøy (Nordland)"),
        ({"Kommunebruker i": ""}, "minst én rolle"),
        ({"Kommunebruker i": "Bergen", "Rolle i IMDi": "IMDi-bruker"}, "enten til kommuner eller til IMDi"),
        ({"E-post": "KARI.oslo@example.org"}, "finnes allerede"),
    ],
)
def test_a_bad_invitation(own_house: House, changes: dict[str, str], problem: str, partial: bool) -> None:
    client, before = own_house.client("admin.imdi"), own_house.ask(select(User.id))
    fill = PERSON | {"E-post": "darlig@bergen.kommune.no", "Kommunebruker i": "Bergen"} | changes
    answer = client.submit(client.get("/brukere/ny"), button="Send invitasjon", fill=fill, partial=partial)
    assert answer.status_code == 422
    assert problem in text_of(answer)
    assert own_house.ask(select(User.id)) == before


FORBIDDEN = (
    {"imdi_role": "imdi_admin"},
    {"admin_in": "Bergen"},
    {"caseworker_in": "Oslo"},
    {"sees_protected": "1"},
    {"is_demo": "1"},
    {"places": ["4601", "0301"]},
    {"places": ["0301"]},
)


@pytest.mark.parametrize("more", FORBIDDEN, ids=str)
def test_what_a_kommuneadministrator_may_not_give_is_refused_and_logged(
    own_house: House, more: dict[str, str | list[str]]
) -> None:
    client, before = own_house.client("admin.bergen"), own_house.ask(select(User.id))
    refusals = select(AccessEntry.id).where(AccessEntry.action == "refused")
    logged = len(own_house.ask(refusals))
    fill = PERSON | {"E-post": "mer@bergen.kommune.no"}
    answer = client.submit(client.get("/brukere/ny"), button="Send invitasjon", fill=fill, extra=more)
    assert answer.status_code == 403
    assert own_house.ask(select(User.id)) == before
    assert not letters_to(own_house.app, "mer@bergen.kommune.no")
    assert len(own_house.ask(refusals)) == logged + 1


def test_who_is_a_user_elsewhere_gets_the_role_in_addition(own_house: House) -> None:
    answer = invite(own_house.client("admin.bergen"), **{"E-post": "kari.oslo@example.org", "Navn": "En Annen"})
    assert "Kari Østlie" in text_of(answer), "her name stays as it is"
    assert "En Annen" not in text_of(answer)
    assert "Ny tilgang" in letters_to(own_house.app, "kari.oslo@example.org")[-1].subject
    assert {
        place
        for (place,) in own_house.ask(
            select(RoleGrant.municipality_number).join(User).where(User.username == "kari.oslo")
        )
    } == {"0301", "4601"}
    assert "IMDi endre navn" in text_of(answer)
    assert not form_in(answer, button="Lagre endringene").has("E-post")


def test_imdis_people_cannot_be_invited_to_a_municipality(own_house: House) -> None:
    client = own_house.client("admin.bergen")
    fill = PERSON | {"E-post": "ida.imdi@example.org"}
    answer = client.submit(client.get("/brukere/ny"), button="Send invitasjon", fill=fill)
    assert answer.status_code == 403
    assert not letters_to(own_house.app, "ida.imdi@example.org")
