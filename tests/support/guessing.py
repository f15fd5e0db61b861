"""Guesses of passwords."""

from sqlalchemy import select
from werkzeug.test import TestResponse

from services.accounts import throttle
from services.tables.accounts import SignInFailure
from tests.support.client import CheckedClient, form_in
from tests.support.house import House


def try_to(client: CheckedClient, username: str, password: str, address: str = "192.0.2.1") -> TestResponse:
    """Send the sign-in form from an address."""
    form = form_in(client.get("/logg-inn"))
    data = {"csrf_token": str(form.value("csrf_token")), "username": username, "password": password}
    return client.post("/logg-inn", data=data, environ_base={"REMOTE_ADDR": address})


def number_of(house: House, pace: throttle.Pace, about: str) -> int:
    """The number that the throttle has counted."""
    key = house.app.extensions["outbox"].vault.digest(pace.name, about)
    return sum(row.number for row in house.ask(select(SignInFailure.number).where(SignInFailure.key_hash == key)))
