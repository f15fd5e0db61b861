"""What only IMDi grants and revokes: the right to protected addresses in chosen municipalities, and its own blocks."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete, select, update

from services.tables.accounts import RoleGrant, User
from services.tables.participants import Participation
from tests.support.client import CheckedClient, form_in, text_of
from tests.support.house import IS_OPEN, IS_PLAIN, House
from tests.support.invitations import invite
from tests.support.users import act, id_of, page_of

_P = Participation
IN_BERGEN, IN_OSLO = _P.municipality_number == "4601", _P.municipality_number == "0301"
SIRI = "siri.vern"


@pytest.fixture
def siri(own_house: House) -> Iterator[CheckedClient]:
    """Siri of Oslo, who sees protected participants there, and has a role in Bergen, too."""
    invited = invite(own_house.client("admin.bergen"), **{"E-post": "siri.vern@example.org"})
    assert invited.status_code == 200
    yield own_house.client(SIRI)
    in_bergen = (RoleGrant.user_id == id_of(own_house, SIRI)) & (RoleGrant.municipality_number == "4601")
    own_house.write(delete(RoleGrant).where(in_bergen))


def seen(client: CheckedClient, house: House, *wanted: object) -> set[str]:
    """The open, protected participants that the client can open."""
    found = house.participants(IS_OPEN, ~IS_PLAIN, *wanted)  # type: ignore[arg-type]
    assert found
    return {one for one in found if client.get(f"/deltakere/{one}/data").status_code == 200}


def test_an_invitation_elsewhere_does_not_carry_the_right_along(own_house: House, siri: CheckedClient) -> None:
    assert seen(siri, own_house, IN_OSLO)
    assert not seen(siri, own_house, IN_BERGEN)
    plain = own_house.participants(IS_OPEN, IS_PLAIN, IN_BERGEN)[0]
    assert siri.get(f"/deltakere/{plain}/data").status_code == 200
    hidden = set(own_house.participants(IS_OPEN, ~IS_PLAIN, IN_BERGEN))
    numbers = {row.national_id for row in own_house.ask(select(_P.national_id).where(_P.public_id.in_(hidden)))}
    for file in ("oversikt", "fullt-datasett"):
        told = siri.get(f"/deltakere/{file}.csv").text
        assert not any(number in told for number in numbers), file
    page = siri.get("/deltakere")
    visible = own_house.participants(IS_OPEN, IN_OSLO | (IN_BERGEN & IS_PLAIN))
    assert f"Antall deltakere: {len(visible)}" in text_of(page)


def test_imdi_gives_it_for_a_municipality_and_takes_it_again(own_house: House, siri: CheckedClient) -> None:
    imdi = own_house.client("admin.imdi")
    label = "Kan se deltakere med adressebeskyttelse i"
    page = page_of(own_house, "admin.imdi", SIRI)
    assert form_in(page, button="Lagre endringene").value(label) == "Oslo"
    page = imdi.submit(page, button="Lagre endringene", fill={label: "Bergen"}, follow_redirects=True)
    assert page.status_code == 200
    assert seen(siri, own_house, IN_BERGEN)
    assert not seen(siri, own_house, IN_OSLO)
    elsewhere = imdi.submit(page, button="Lagre endringene", fill={label: "Askøy"})
    assert "Brukeren må være kommunebruker der: Askøy" in text_of(elsewhere)
    whole = imdi.submit(page, button="Lagre endringene", fill={f"{label} hele landet": True})
    assert "Hele landet er bare for dem som har en rolle i IMDi" in text_of(whole)
    imdi.submit(page, button="Lagre endringene", fill={label: "0301"}, follow_redirects=True)
    assert seen(siri, own_house, IN_OSLO)
    assert not seen(siri, own_house, IN_BERGEN)


def test_a_role_that_was_taken_and_given_again_comes_without_the_right(own_house: House, siri: CheckedClient) -> None:
    grant = (RoleGrant.user_id == id_of(own_house, SIRI)) & (RoleGrant.municipality_number == "4601")
    own_house.write(update(RoleGrant).where(grant).values(sees_protected=True))
    client, page = own_house.client("admin.bergen"), page_of(own_house, "admin.bergen", SIRI)
    client.submit(page, button="Lagre endringene", fill={"Bergen": False}, follow_redirects=True)
    invite(client, **{"E-post": "siri.vern@example.org"})
    assert not seen(siri, own_house, IN_BERGEN)


def test_who_is_moved_is_protected_by_the_new_municipality(own_house: House, siri: CheckedClient) -> None:
    moved = next(iter(seen(siri, own_house, IN_OSLO)))
    place = update(_P).where(_P.public_id == moved)
    own_house.write(place.values(municipality_number="4601"))
    try:
        assert siri.get(f"/deltakere/{moved}/data").status_code == 404
    finally:
        own_house.write(place.values(municipality_number="0301"))


def test_imdis_block_is_lifted_by_imdi_alone(own_house: House) -> None:
    imdi, bergen = own_house.client("admin.imdi"), own_house.client("admin.bergen")
    act(bergen, page_of(own_house, "admin.bergen", "berit.bergen"), "Sperr bruker")
    page = page_of(own_house, "admin.imdi", "berit.bergen")
    token = str(form_in(page, button="Lagre endringene").value("csrf_token"))
    imdi.post(f"{page.request.path}/handling", data={"csrf_token": token, "go": "sperr"})  # over the other block
    page = page_of(own_house, "admin.bergen", "berit.bergen")
    assert "Bare IMDi kan oppheve sperringen" in text_of(page)
    token = str(form_in(page, button="Lagre endringene").value("csrf_token"))
    for button in ("sperr", "opphev"):
        answer = bergen.post(f"{page.request.path}/handling", data={"csrf_token": token, "go": button})
        assert answer.status_code == (403 if button == "opphev" else 303)
    blocked = select(User.blocked_at).where(User.username == "berit.bergen")
    assert own_house.ask(blocked)[0].blocked_at is not None
    assert "Aktiv" in text_of(act(imdi, page_of(own_house, "admin.imdi", "berit.bergen"), "Opphev sperring"))
    act(bergen, page_of(own_house, "admin.bergen", "berit.bergen"), "Sperr bruker")
    assert "Aktiv" in text_of(act(bergen, page_of(own_house, "admin.bergen", "berit.bergen"), "Opphev sperring"))
