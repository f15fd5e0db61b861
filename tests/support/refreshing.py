"""Refreshing from the registers in tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from app.connections.registers import connect_registers
from app.settings.config import Settings
from services.core.db import now
from services.standins import control as standin_control
from services.tables.participants import Participation, Person
from tests.support.house import House

LONG_AGO = timedelta(hours=25)


def person_of(house: House, public_id: str) -> Person:
    """The stored person of a participation."""
    found: Person = house.ask(
        select(Person)
        .join(Participation, Participation.person_ref == Person.id)
        .where(Participation.public_id == public_id)
    )[0][0]
    return found


def make_old(house: House, public_id: str, age: timedelta = LONG_AGO, **facts: Any) -> datetime:
    """Make a person's data old, and different from Folkeregisteret's; returns when they were read."""
    at = now() - age
    person = person_of(house, public_id)
    house.write(update(Person).where(Person.id == person.id).values(freg_fetched_at=at, refresh_tried_at=None, **facts))
    return at


def refresh(house: House) -> str:
    """Run `flask registers refresh`, which must succeed."""
    result = house.app.test_cli_runner().invoke(args=["registers", "refresh"])
    assert result.exit_code == 0, result.output
    return result.output


def bear(house: House, public_id: str, number: str, age: timedelta = LONG_AGO) -> None:
    """Give a participant that number."""
    make_old(house, public_id, age, national_id=number)
    house.write(update(Participation).where(Participation.public_id == public_id).values(national_id=number))


@contextmanager
def fresh_data(house: House) -> Iterator[None]:
    """Make nobody's data old. Afterwards the stand-ins work, and the program has forgotten their failures."""
    fresh = {"freg_fetched_at": now(), "refresh_tried_at": None}
    house.write(
        update(Person).values(**fresh),
        update(Person).where(Person.pad_fetched_at.is_not(None)).values(pad_fetched_at=now()),
    )
    yield
    heal(house)


def heal(house: House) -> None:
    """Heal the stand-ins, and let the program forget their failures."""
    settings: Settings = house.app.config["SETTINGS"]
    standin_control.heal(settings.freg_url)
    standin_control.heal(settings.pad_url)
    house.app.extensions["registers"] = connect_registers(settings)
