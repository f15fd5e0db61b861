"""The second factor, as a telephone app generates it."""

import re
from typing import Any

import pyotp
from sqlalchemy import update
from werkzeug.test import TestResponse

from services.core.db import now
from services.demo import PASSWORD
from services.tables.accounts import SignInFailure, User
from tests.support.client import CheckedClient, text_of
from tests.support.house import House


def give_password(client: CheckedClient, username: str) -> TestResponse:
    """Send the password; returns the page of the second step."""
    fill = {"Brukernavn": username, "Passord": PASSWORD}
    return client.submit(client.get("/logg-inn?neste=/hjelp"), button="Logg inn", fill=fill, follow_redirects=True)


def secret_on(page: TestResponse) -> str:
    """The secret on the page."""
    found = re.search(r"<code>([A-Z2-7 ]{39})</code>", page.text)
    assert found, text_of(page)
    return found[1].replace(" ", "")


def code_of(secret: str, steps: int = 0) -> str:
    """The present code, or the one so many steps later."""
    totp = pyotp.TOTP(secret)
    return totp.generate_otp(totp.timecode(now()) + steps)


def send_code(client: CheckedClient, page: TestResponse, code: str, **options: Any) -> TestResponse:
    return client.submit(page, button="Fortsett", fill={"Engangskode": code}, **options)


def enrol(house: House, username: str) -> tuple[str, list[str]]:
    """Sign in for the first time; returns the secret and the recovery codes."""
    forget(house, username)
    client = house.nobody()
    page = give_password(client, username)
    secret = secret_on(page)
    codes = codes_on(send_code(client, page, code_of(secret, -1), follow_redirects=True))
    return secret, codes


def codes_on(page: TestResponse) -> list[str]:
    return re.findall(r"<code>([a-z0-9-]{14})</code>", page.text)


def forget(house: House, username: str) -> None:
    house.write(
        update(User).where(User.username == username).values(totp_secret=None, totp_counter=None),
        update(SignInFailure).values(number=0),
    )
