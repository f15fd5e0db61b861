"""The access log's page in tests."""

from sqlalchemy import select
from werkzeug.test import TestResponse

from services.tables.participants import Participation
from tests.support.client import CheckedClient, tree_of
from tests.support.house import House


def rows_of(page: TestResponse) -> list[list[str]]:
    """The texts of the table's cells."""
    tree = tree_of(page)
    return [[tree.text(cell) for cell in row.iter() if cell.tag == "td"] for row in tree.elements("tr")][1:]


def search(client: CheckedClient, *, partial: bool = False, **fill: str) -> TestResponse:
    """Fill in the form over the log and send it."""
    names = {"whom": "hvem", "action": "handling", "first": "fra", "last": "til"}
    page = client.get("/tilgangslogg")
    changes = {names[key]: value for key, value in fill.items()}
    return client.submit(page, button="Vis", fill=changes, partial=partial, follow_redirects=not partial)


def person_id_of(house: House, public_id: str) -> str:
    return str(house.ask(select(Participation.person_id).where(Participation.public_id == public_id))[0].person_id)
