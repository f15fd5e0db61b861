"""The schema: migrations up and down with data, models and migrations agree, the logs are append-only, health."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Inspector, inspect, text
from sqlalchemy.exc import DatabaseError

from services.access.audit import Action, record
from services.core.db import Base, db
from services.demo import fill
from tests.support.client import CheckedClient, text_of
from tests.support.databases import Databases, running_app

APPEND_ONLY = ("change", "access_entry")


def things_in_it() -> set[str]:
    """Tables, triggers and functions of our own, not those of PostgreSQL's extensions."""
    if db.engine.dialect.name == "sqlite":
        found = "SELECT name FROM sqlite_master WHERE type IN ('table', 'trigger', 'view') AND name NOT LIKE 'sqlite_%'"
    else:
        found = (
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S') "
            "UNION SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
            "AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')"
        )
    with db.engine.connect() as connection:
        return set(connection.execute(text(found)).scalars()) - {"alembic_version"}


def test_up_and_down_and_up_again_with_data(empty: Flask) -> None:
    alembic = empty.extensions["alembic"]
    for _round in range(2):
        alembic.upgrade()
        assert fill(participants=14, seed=1)
        assert record(Action.LOOK_UP, viewer=None) is None
        db.session.remove()
        revisions = [script.revision for script in alembic.log()]  # the newest first
        assert revisions
        for revision in revisions:
            alembic.downgrade(-1)
            assert revision not in {script.revision for script in alembic.current()}
        assert not things_in_it(), "what a migration makes, its downgrade takes away"


def test_one_step_at_a_time_gives_the_same(empty: Flask) -> None:
    alembic = empty.extensions["alembic"]
    for script in reversed(alembic.log()):
        alembic.upgrade(script.revision)
    one_by_one = schema_of(inspect(db.engine))
    alembic.downgrade("base")
    alembic.upgrade()
    assert schema_of(inspect(db.engine)) == one_by_one


def schema_of(inspector: Inspector) -> dict[str, Any]:
    """The database's own description of its tables, in a comparable form."""
    found = {}
    for table in inspector.get_table_names():
        if table == "alembic_version" or table.startswith("name_index"):  # FTS5 makes tables of its own
            continue
        found[table] = {
            "columns": {
                one["name"]: (repr(one["type"]), one["nullable"], one["default"])
                for one in inspector.get_columns(table)
            },
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": _by_name(inspector.get_foreign_keys(table)),
            "unique": _by_name(inspector.get_unique_constraints(table)),
            "checks": _by_name(inspector.get_check_constraints(table)),
            "indexes": _by_name(inspector.get_indexes(table)),
        }
    return found


def _by_name(parts: Any) -> dict[str, str]:
    return {str(one["name"]): _words(one) for one in parts}


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return str({key: _words(inner) for key, inner in sorted(value.items())})
    return str(value)


def test_models_and_migrations_agree(empty: Flask) -> None:
    alembic = empty.extensions["alembic"]
    alembic.upgrade()
    difference = alembic.compare_metadata()
    assert difference == [], f"write a migration for {difference}"
    migrated = schema_of(inspect(db.engine))
    alembic.downgrade("base")
    Base.metadata.create_all(db.engine)
    created = schema_of(inspect(db.engine))
    assert migrated.keys() == created.keys()
    for table, parts in created.items():
        for part, wanted in parts.items():
            assert migrated[table][part] == wanted, f"{part} of {table}: the migrations say otherwise than the models"


@pytest.mark.participants(40)
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_logs_only_grow(app: Flask, table: str) -> None:
    with app.app_context():
        record(Action.LOOK_UP, viewer=None)
        orders = [f"UPDATE {table} SET at = at", f"DELETE FROM {table}", f"UPDATE {table} SET id = -id"]
        sneaky = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"
        orders += [f"TRUNCATE {table}"] if db.engine.dialect.name == "postgresql" else [sneaky]
        for order in orders:
            with pytest.raises(DatabaseError, match=f"{table} is append-only"):
                db.session.execute(text(order))
            db.session.rollback()
        rows = db.session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
        assert rows > 0
        record(Action.LOOK_UP, viewer=None)


# ---- Health ----


def test_alive_and_ready(app: Flask, sign_in: Callable[[str], CheckedClient]) -> None:
    plain = FlaskClient(app)
    assert [plain.get(address).text for address in ("/helse", "/helse/klar")] == ["ok", "klar"]
    signed_in = sign_in("kari.oslo")
    for order in ("UPDATE alembic_version SET version_num = 'newer'", "DELETE FROM alembic_version"):
        with app.app_context():
            db.session.execute(text(order))
            db.session.commit()
        answer = plain.get("/helse/klar")
        assert (answer.status_code, answer.text, answer.mimetype) == (503, "ikke klar", "text/plain")
        assert plain.get("/helse").status_code == 200
    assert signed_in.get("/deltakere").status_code == 200, "those who work go on"


def test_without_its_database(dialect: str, databases: Databases, settings: dict[str, str]) -> None:
    address = databases.filled(dialect)
    with running_app({**settings, "DATABASE_URL": address}) as app:
        app.config["PROPAGATE_EXCEPTIONS"] = False  # in tests they would be raised here instead
        app.test_client_class = CheckedClient
        client = app.test_client()
        assert isinstance(client, CheckedClient)
        client.login("kari.oslo")
        with app.app_context():
            db.engine.dispose()
        databases.remove(address)
        plain = FlaskClient(app)
        assert plain.get("/helse").status_code == 200
        ready = plain.get("/helse/klar")
        assert (ready.status_code, ready.text) == (503, "ikke klar")
        key = client.get_cookie("session")
        for ask in (client.get, client.get_partial):
            answer = ask("/deltakere")
            assert answer.status_code == 503
            assert "Registeret svarer ikke akkurat nå" in text_of(answer)
        assert client.get("/hjelp").status_code == 200
        assert client.get("/logg-inn").status_code == 500
        assert client.get_cookie("session") == key, "when it is back, she goes on where she was"
