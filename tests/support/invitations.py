"""Inviting users in tests."""

from werkzeug.test import TestResponse

from tests.support.client import CheckedClient, text_of
from tests.support.house import House
from tests.support.letters import last_path

CHOSEN = "tre blå elefanter på tur"


PERSON: dict[str, str | list[str]] = {
    "Navn": "Nora Ny Berg",
    "E-post": "Nora@Bergen.kommune.no",
    "Jobbtelefon": "55 00 00 01",
}


def invite(client: CheckedClient, **changes: str | list[str]) -> TestResponse:
    """Send the form for an invitation."""
    page = client.get("/brukere/ny")
    return client.submit(page, button="Send invitasjon", fill=PERSON | changes, follow_redirects=True)


def invited(house: House, email: str) -> str:
    """Invite a new caseworker of Bergen; returns the path of the invitation's link."""
    answer = invite(house.client("admin.bergen"), **{"E-post": email})
    assert answer.status_code == 200, text_of(answer)
    return last_path(house.app, email)
