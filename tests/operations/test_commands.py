"""The commands of the contract: demo data, stand-ins, and starting everything."""

import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from app.connections.registers import registers
from app.settings.config import standin_ports
from services.core.db import session
from services.demo import PASSWORD, USERS, unregistered
from services.registers.folkeregisteret import AccessDenied
from services.standins.population import PUBLISHED_KINDS, by_number
from services.tables.accounts import User
from services.tables.participants import Participation, Person
from tests.support.commands import PRODUCTION, SECONDS, answers, free_ports, is_open, started, until
from tests.support.databases import SQLITE, Databases, running_app


@pytest.fixture
def program(databases: Databases, settings: dict[str, str]) -> Iterator[Flask]:
    """The program on a database without tables."""
    address = databases.empty(SQLITE)
    with running_app({**settings, "DATABASE_URL": address}) as app:
        yield app
    databases.remove(address)


def run(app: Flask, *words: str) -> Result:
    """`flask --app wsgi` with these words."""
    with app.app_context():
        return app.test_cli_runner().invoke(args=words)


def test_demo_fills_a_migrated_database_once(program: Flask) -> None:
    unready = run(program, "demo")
    assert unready.exit_code == 1
    assert "db upgrade" in unready.output
    assert run(program, "db", "upgrade").exit_code == 0
    first = run(program, "demo", "--participants", "30", "--seed", "5")
    assert first.exit_code == 0, first.output
    assert "30 participants" in first.output
    second = run(program, "demo", "--participants", "50")
    assert second.exit_code == 0
    assert "Nothing done" in second.output
    with program.app_context():
        assert session().scalar(select(func.count()).select_from(Participation)) == 30
        assert session().scalar(select(func.count()).select_from(User)) == len(USERS)


@pytest.mark.parametrize("words", [("--participants", "-1"), ("--participants", "many"), ("--seed", "x")])
def test_demo_refuses_what_is_no_number(program: Flask, words: tuple[str, ...]) -> None:
    assert run(program, "demo", *words).exit_code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("demo",),
        ("start",),
        ("standins",),
        ("standins", "persons"),
        ("standins", "fail", "pad", "500"),
        ("standins", "heal"),
    ],
)
def test_production_knows_no_made_up_persons(
    databases: Databases, settings: dict[str, str], words: tuple[str, ...]
) -> None:
    address = databases.migrated(SQLITE)
    with running_app(settings | PRODUCTION | {"DATABASE_URL": address}) as app:
        result = run(app, *words)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    databases.remove(address)


def test_register_of_real_people_takes_no_demo_data(databases: Databases, settings: dict[str, str]) -> None:
    address = databases.empty(SQLITE)
    with running_app({**settings, "DATABASE_URL": address, "NATIONAL_IDS": "real"}) as app:
        run(app, "db", "upgrade")
        result = run(app, "demo")
        assert result.exit_code == 1
        assert "real people" in result.output
        with app.app_context():
            assert session().scalar(select(func.count()).select_from(User)) == 0


@pytest.mark.participants(40)
def test_persons_to_try_are_not_registered(app: Flask) -> None:
    with app.app_context():
        taken = set(session().scalars(select(Person.national_id)))
    for kind in PUBLISHED_KINDS:
        words = ("standins", "persons", "--count", "3", "--kind", kind)
        result = run(app, *words)
        assert result.exit_code == 0, result.output
        lines = [line.split("\t") for line in result.output.splitlines()]
        assert len(lines) == 3
        for number, name in lines:
            assert number not in taken
            assert kind in by_number()[number].kinds
            assert name == by_number()[number].full_name
        assert run(app, *words).output == result.output


def test_persons_to_try_are_five_ordinary_ones(app: Flask) -> None:
    numbers = [line.split("\t")[0] for line in run(app, "standins", "persons").output.splitlines()]
    assert len(set(numbers)) == 5
    with app.app_context():
        for number in numbers:
            found = registers().folkeregisteret.look_up(number)
            assert found.national_id == number
            assert not found.is_dead


def test_standins_fail_until_healed(app: Flask) -> None:
    number, other = [
        line.split("\t")[0] for line in run(app, "standins", "persons", "--count", "2").output.splitlines()
    ]
    with app.app_context():
        outside = registers()
        try:
            assert run(app, "standins", "fail", "freg", "403", "--number", number).exit_code == 0
            assert run(app, "standins", "fail", "pad", "401").exit_code == 0
            with pytest.raises(AccessDenied):
                outside.folkeregisteret.look_up(number)
            assert outside.folkeregisteret.look_up(other).national_id == other
            with pytest.raises(AccessDenied):
                outside.pad.results(other)
        finally:
            assert run(app, "standins", "heal").exit_code == 0
        assert outside.folkeregisteret.look_up(number).national_id == number
        assert isinstance(outside.pad.results(other), list)


@pytest.mark.parametrize("words", [("nav", "500"), ("freg", "418"), ("freg",), ("pad", "500", "--name", "x")])
def test_standins_fail_only_in_known_ways(program: Flask, words: tuple[str, ...]) -> None:
    assert run(program, "standins", "fail", *words).exit_code == 2


def test_no_standin_is_said_in_plain_words(program: Flask) -> None:
    gone = f"http://127.0.0.1:{free_ports()[0]}"
    settings = program.config["SETTINGS"]
    program.config["SETTINGS"] = replace(settings, freg_url=gone, pad_url=gone)
    for words in (("fail", "freg", "500"), ("heal",)):
        result = run(program, "standins", *words)
        assert result.exit_code == 1
        assert "No stand-in answers" in result.output


def test_start_is_for_development(program: Flask) -> None:
    result = run(program, "start")
    assert result.exit_code == 1
    assert "Otherwise use serve" in result.output


# Programs that keep running: real processes on free ports


def test_start_does_all_and_ends_all(environ: dict[str, str], tmp_path: Path) -> None:
    port = int(environ["PORT"])
    ports = (port, *standin_ports(port))
    with started(environ, tmp_path / "first.log", "start") as first:
        until(lambda: answers(port, "/helse/klar"), first)
        assert all(is_open(each) for each in ports)
        until(lambda: "Somebody to register" in first.said(), first)
        os.kill(first.process.pid, signal.SIGINT)
        assert first.process.wait(SECONDS) == 0, first.said()
        until(first.is_gone, first)
    said = first.said()
    assert "2000 demo participants" in said
    assert f"http://127.0.0.1:{port}" in said
    assert PASSWORD in said
    assert all(user.username in said for user in USERS)
    assert "Traceback" not in said
    assert not any(is_open(each) for each in ports)

    with started(environ, tmp_path / "second.log", "start") as second:
        until(lambda: answers(port, "/helse"), second)
        os.kill(second.process.pid, signal.SIGTERM)
        assert second.process.wait(SECONDS) == 0, second.said()
        until(second.is_gone, second)
    assert "2000" not in second.said()
    assert not any(is_open(each) for each in ports)


@pytest.fixture
def quick_environ(environ: dict[str, str], databases: Databases) -> Iterator[dict[str, str]]:
    """With a database that is filled already."""
    address = databases.filled(SQLITE)
    yield {**environ, "DATABASE_URL": address}
    databases.remove(address)


def test_nothing_outlives_a_killed_start(quick_environ: dict[str, str], tmp_path: Path) -> None:
    port = int(quick_environ["PORT"])
    with started(quick_environ, tmp_path / "log", "start") as killed:
        until(lambda: answers(port, "/helse"), killed)
        os.kill(killed.process.pid, signal.SIGKILL)
        until(lambda: not any(is_open(each) for each in (port, *standin_ports(port))), killed)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_start_says_which_port_is_in_use(quick_environ: dict[str, str], tmp_path: Path, place: int) -> None:
    port = int(quick_environ["PORT"])
    taken = (port, *standin_ports(port))[place]
    with (
        socket.create_server(("127.0.0.1", taken)),
        started(quick_environ, tmp_path / "log", "start") as refused,
    ):
        assert refused.process.wait(SECONDS) == 1
        assert f"Error: Port {taken} is in use" in refused.said()
        assert "Traceback" not in refused.said()
        until(refused.is_gone, refused)


def test_standins_run_alone(quick_environ: dict[str, str], tmp_path: Path) -> None:
    ports = standin_ports(int(quick_environ["PORT"]))
    with started(quick_environ, tmp_path / "log", "standins") as alone:
        until(lambda: "PAD: " in alone.said(), alone)
        with running_app({"APP_ENV": "development", **quick_environ}) as app, app.app_context():
            number = unregistered(1)[0].number
            assert registers().folkeregisteret.look_up(number).national_id == number
            assert isinstance(registers().pad.results(number), list)
        os.kill(alone.process.pid, signal.SIGINT)
        assert alone.process.wait(SECONDS) == 0, alone.said()
    assert not any(is_open(port) for port in ports)
