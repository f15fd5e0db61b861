"""«Alive» and «ready», as a load balancer asks: often, from many sides at once, and with databases in any state."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from services.core.db import db
from tests.support.databases import SQLITE, Databases, running_app
from tests.support.server import LiveServer, running_server

AT_ONCE, EACH = 16, 25


def probe(server: LiveServer) -> Counter[tuple[int, str]]:
    """The responses to one balancer, one after the other."""
    place, heard = urlsplit(server.base_url), Counter[tuple[int, str]]()
    connection = HTTPConnection(str(place.hostname), place.port, timeout=60)
    for _time in range(EACH):
        connection.request("GET", "/helse/klar")
        answer = connection.getresponse()
        heard[answer.status, answer.read().decode()] += 1
    connection.close()
    return heard


def test_asked_from_many_sides_at_once(dialect: str, databases: Databases, settings: dict[str, str]) -> None:
    """No response fails, and no process dies of it."""
    address = databases.filled(dialect, 0)
    with running_server({**settings, "DATABASE_URL": address}) as server:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            heard = sum(threads.map(lambda _number: probe(server), range(AT_ONCE)), Counter[tuple[int, str]]())
        said = server.logged()
    databases.remove(address)
    assert heard == {(200, "klar"): AT_ONCE * EACH}
    assert "ERROR" not in said
    assert "exit" not in said


def read_only(address: str) -> str:
    """The address of a read-only database."""
    url = make_url(address)
    if url.get_backend_name() == SQLITE:
        return f"sqlite:///file:{url.database}?mode=ro&uri=true"
    return address


def test_a_database_that_can_only_be_read_is_not_ready(
    dialect: str, databases: Databases, settings: dict[str, str]
) -> None:
    address = databases.filled(dialect, 0)
    with running_app({**settings, "DATABASE_URL": address}) as app:
        assert app.test_client().get("/helse/klar").status_code == 200
        if dialect != SQLITE:
            with app.app_context(), db.engine.connect() as connection:
                name = make_url(address).database
                connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
                connection.commit()
    with running_app({**settings, "DATABASE_URL": read_only(address)}) as app:
        answer = app.test_client().get("/helse/klar")
        assert (answer.status_code, answer.text) == (503, "ikke klar")
        assert app.test_client().get("/helse").status_code == 200


def test_while_another_writes_it_is_ready(dialect: str, databases: Databases, settings: dict[str, str]) -> None:
    address = databases.filled(dialect, 0)
    with running_app({**settings, "DATABASE_URL": address}) as app:
        with app.app_context(), db.engine.connect() as writer:
            writer.execution_options(writes=True).execute(text("UPDATE municipality SET name = name"))
            assert app.test_client().get("/helse/klar").status_code == 200
            writer.rollback()
        with app.app_context(), db.engine.connect() as connection:
            if dialect == SQLITE:  # the next one waits for its turn again
                assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 10_000
            assert connection.execute(text("SELECT 1")).scalar() == 1
    databases.remove(address)


@pytest.mark.parametrize("versions", [[], ["9999"], ["0001", "9999"]])
def test_another_version_of_the_tables_is_not_ready(
    dialect: str, databases: Databases, settings: dict[str, str], versions: list[str]
) -> None:
    address = databases.filled(dialect, 0)
    with running_app({**settings, "DATABASE_URL": address}) as app:
        with app.app_context():
            db.session.execute(text("DELETE FROM alembic_version"))
            for version in versions:
                db.session.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})
            db.session.commit()
        assert app.test_client().get("/helse/klar").status_code == 503
    databases.remove(address)
