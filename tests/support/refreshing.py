"""Reading the registers anew, as tests do it."""

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
    """The person of a participation, as she stands."""
    found: Person = house.ask(
        select(Person)
        .join(Participation, Participation.person_ref == Person.id)
        .where(Participation.public_id == public_id)
    )[0][0]
    return found


def make_old(house: House, public_id: str, age: timedelta = LONG_AGO, **facts: Any) -> datetime:
    """Let a person's data be older, and other than Folkeregisteret says; gives when they were read."""
    at = now() - age
    person = person_of(house, public_id)
    house.write(update(Person).where(Person.id == person.id).values(freg_fetched_at=at, refresh_tried_at=None, **facts))
    return at


def refresh(house: House) -> str:
    """`flask registers refresh`, which must go well."""
    result = house.app.test_cli_runner().invoke(args=["registers", "refresh"])
    assert result.exit_code == 0, result.output
    return result.output


def bear(house: House, public_id: str, number: str, age: timedelta = LONG_AGO) -> None:
    """Let a participant bear that number."""
    make_old(house, public_id, age, national_id=number)
    house.write(update(Participation).where(Participation.public_id == public_id).values(national_id=number))


@contextmanager
def fresh_data(house: House) -> Iterator[None]:
    """Nobody's data are old. Afterwards the stand-ins work, and the program has forgotten that they did not."""
    fresh = {"freg_fetched_at": now(), "refresh_tried_at": None}
    house.write(
        update(Person).values(**fresh),
        update(Person).where(Person.pad_fetched_at.is_not(None)).values(pad_fetched_at=now()),
    )
    yield
    heal(house)


def heal(house: House) -> None:
    """Let the stand-ins work, and the program forget that they did not."""
    settings: Settings = house.app.config["SETTINGS"]
    standin_control.heal(settings.freg_url)
    standin_control.heal(settings.pad_url)
    house.app.extensions["registers"] = connect_registers(settings)
