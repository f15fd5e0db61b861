"""`flask user create-admin`: the first administrator of a new installation."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from services.core.db import db
from services.tables.accounts import RoleGrant, User
from tests.support.client import CheckedClient, text_of
from tests.support.databases import Databases, running_app
from tests.support.invitations import CHOSEN
from tests.support.letters import last_path, letters_to

EMAIL = "forste@imdi.no"
WORDS = ("user", "create-admin", "--name", "Første  Åsen", "--email", "Forste@IMDi.no", "--phone", "22 00 00 00")


@pytest.fixture
def program(empty_database_url: str, settings: dict[str, str], databases: Databases) -> Iterator[Flask]:
    """A new installation."""
    with running_app({**settings, "DATABASE_URL": empty_database_url}) as app:
        app.test_client_class = CheckedClient
        with app.app_context():
            app.extensions["alembic"].upgrade()
        yield app


def test_the_first_administrator_is_invited_and_gets_in(program: Flask) -> None:
    result = program.test_cli_runner().invoke(args=WORDS)
    assert result.exit_code == 0, result.output
    assert "/utvikling/e-post" in result.output
    client = program.test_client()
    assert isinstance(client, CheckedClient)
    page = client.get(last_path(program, EMAIL))
    fill = {"Passord": CHOSEN, "Gjenta passordet": CHOSEN}
    first = client.submit(page, button="Opprett bruker", fill=fill, follow_redirects=True)
    assert "Første Åsen" in text_of(first)
    assert client.get("/brukere").status_code == 200
    with program.app_context():
        rows = db.session.execute(select(User.username, User.email, RoleGrant.role).join(RoleGrant)).all()
    assert [tuple(row) for row in rows] == [("første.åsen", EMAIL, "imdi_admin")]


def test_only_one_unless_it_is_forced(program: Flask) -> None:
    runner = program.test_cli_runner()
    assert runner.invoke(args=WORDS).exit_code == 0
    other = [word.replace("Forste", "Andre") for word in WORDS]
    refused = runner.invoke(args=other)
    assert refused.exit_code == 1
    assert "--force" in refused.output
    assert runner.invoke(args=[*other, "--force"]).exit_code == 0
    assert letters_to(program, "andre@imdi.no")
    twice = runner.invoke(args=[*other, "--force"])
    assert (twice.exit_code, "already" in twice.output) == (1, True)


def test_it_asks_for_what_it_is_not_told(program: Flask) -> None:
    result = program.test_cli_runner().invoke(args=WORDS[:2], input="Første Åsen\nforste@imdi.no\n22 00 00 00\n")
    assert result.exit_code == 0, result.output
    assert letters_to(program, EMAIL)


def test_what_is_no_address_is_refused(program: Flask) -> None:
    words = [word.replace("Forste@IMDi.no", "forste") for word in WORDS]
    result = program.test_cli_runner().invoke(args=words)
    assert (result.exit_code, "e-mail address" in result.output) == (1, True)
