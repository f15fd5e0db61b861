"""The pages of users, as tests read them."""

from sqlalchemy import select
from werkzeug.test import TestResponse

from services.tables.accounts import User
from tests.support.client import CheckedClient, tree_of
from tests.support.house import House


def id_of(house: House, username: str) -> int:
    return int(house.ask(select(User.id).where(User.username == username))[0][0])


def page_of(house: House, admin: str, username: str) -> TestResponse:
    """The page about a user, as an administrator sees it."""
    return house.client(admin).get(f"/brukere/{id_of(house, username)}")


def names_in(answer: TestResponse) -> list[str]:
    """The user names of the list, in its order."""
    tree = tree_of(answer)
    rows = [row for row in tree.elements("tr") if any(cell.tag == "td" for cell in row)]
    return ["".join(list(row)[1].itertext()) for row in rows]


def act(client: CheckedClient, page: TestResponse, button: str) -> TestResponse:
    return client.submit(page, button=button, follow_redirects=True)
