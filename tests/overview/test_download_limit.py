"""The hourly limit on a user's downloads (setting DOWNLOADS_PER_HOUR)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from services.access.audit import Action
from services.core.db import now
from services.tables.accounts import User
from services.tables.participants import AccessEntry
from tests.support.client import CheckedClient, text_of
from tests.support.databases import DIALECTS, Databases, running_app
from tests.support.house import House

FILES = tuple(f"{name}.{kind}" for kind in ("csv", "xlsx") for name in ("oversikt", "fullt-datasett", "tiltak"))
MOST = 6


@pytest.fixture(params=DIALECTS)
def strict(request: pytest.FixtureRequest, databases: Databases, settings: dict[str, str]) -> Iterator[House]:
    """A house with a limit of six downloads in an hour."""
    address = databases.filled(request.param, 40)
    with running_app({**settings, "DATABASE_URL": address, "DOWNLOADS_PER_HOUR": str(MOST)}) as app:
        app.test_client_class = CheckedClient
        yield House(app)
    databases.remove(address)


def downloads(house: House) -> int:
    return len(house.ask(select(AccessEntry.id).where(AccessEntry.action == Action.DOWNLOAD.value)))


def test_one_more_is_refused_in_words_and_not_logged_as_a_download(strict: House) -> None:
    kari = strict.client("kari.oslo")
    for number in range(MOST):
        assert kari.get(f"/deltakere/{FILES[number % len(FILES)]}").status_code == 200
    for file in FILES:
        answer = kari.get(f"/deltakere/{file}")
        assert answer.status_code == 429
        assert 3500 < int(answer.headers["Retry-After"]) <= 3600
        assert "Du har lastet ned 6 filer den siste timen. Prøv igjen om 60 minutter." in text_of(answer)
    assert downloads(strict) == MOST
    assert kari.get("/deltakere").status_code == 200
    assert strict.client("berit.bergen").get("/deltakere/oversikt.csv").status_code == 200, "each has her own"


def test_after_an_hour_she_may_again(strict: House) -> None:
    kari = strict.client("kari.oslo")
    (row,) = strict.ask(select(User.id).where(User.username == "kari.oslo"))
    ages = [61, 59, 40, 30, 20, 10]  # minutes
    entries = [{"at": now() - timedelta(minutes=age), "user_id": row.id, "action": "download"} for age in ages]
    strict.write(*(insert(AccessEntry).values(entry) for entry in entries))
    assert kari.get("/deltakere/oversikt.csv").status_code == 200
    refused = kari.get("/deltakere/oversikt.csv")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) <= 60, "the oldest of the six leaves the hour in a minute"


def test_many_at_once_are_counted_one_by_one(strict: House) -> None:
    key = strict.client("kari.oslo").get_cookie("session")
    assert key is not None

    def ask(_number: int) -> int:
        client = strict.app.test_client()
        client.set_cookie("session", key.value)
        return client.get("/deltakere/oversikt.csv").status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(ask, range(12)))
    assert sorted(statuses) == [200] * MOST + [429] * 6
    assert downloads(strict) == MOST
