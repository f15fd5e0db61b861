"""Filling an empty register with demo data, in one transaction."""

from datetime import date, timedelta
from itertools import islice
from random import Random

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.orm import Session

from services.accounts.passwords import hash_password
from services.core.clock import today
from services.core.db import Base, session, writing
from services.demo.days import months, night_before
from services.demo.deal import PER_CAPITA
from services.demo.rows import MODELS, Maker, Row
from services.demo.users import PASSWORD, USERS
from services.registers.clients import Accepts
from services.tables.accounts import RoleGrant, User
from services.tables.participants import Municipality, Participation, Person

_BATCH = 1000  # participations


class NotForRealPeople(RuntimeError):
    """Demo data are refused in a register of real people."""


def fill(*, participants: int, seed: int, accepts: Accepts = "synthetic", on: date | None = None) -> bool:
    """Fill the register with the demo users and that many participations, unless it contains data; returns whether it
    was filled.

    `accepts`: the numbers that the installation takes; `on`: the day that counts as today. The people are always the
    stand-ins' own; the seed selects them and their data. Raises `NotForRealPeople`, and ValueError for a negative
    number.
    """
    if accepts == "real":
        raise NotForRealPeople("demo data do not belong in a register of real people")
    if participants < 0:
        raise ValueError("participants must not be negative")
    day = on or today()
    if _holds_something():
        return False
    password_hash = hash_password(PASSWORD)  # slow by design, so before the transaction, and once for all
    with writing() as work:
        if _holds_something():  # a parallel process may have been faster
            return False
        _add_users(work, day, password_hash)
        work.execute(update(Municipality).where(Municipality.number.in_(PER_CAPITA)).values(funding="per_capita"))
        _add_participants(work, Random(seed), participants, day)
    return True


def _holds_something() -> bool:
    return bool(session().scalar(select(exists(select(User)) | exists(select(Participation)))))


def _add_users(work: Session, day: date, password_hash: str) -> None:
    """Add the demo users, who are older than what they have registered."""
    since = night_before(day) - months(42)
    for place, demo in enumerate(USERS):
        user = User(
            username=demo.username,
            name=demo.name,
            email=demo.email,
            phone=f"+47 00 00 00 {place + 1:02}",  # a number that nobody can have
            password_hash=password_hash,
            sees_protected=demo.sees_protected,
            is_demo=True,
            created_at=since + timedelta(days=place),
            activated_at=since + timedelta(days=place),
        )
        numbers = demo.municipality_numbers or (None,)
        user.grants = [
            RoleGrant(role=demo.role.value, municipality_number=number, sees_protected=demo.sees_protected)
            for number in numbers
        ]
        work.add(user)
    work.flush()


def _add_participants(work: Session, random: Random, count: int, day: date) -> None:
    keys = {row.number: row.name_key for row in work.execute(select(Municipality.number, Municipality.name_key))}
    made = Maker(random, day, count, keys).participations()
    while batch := list(islice(made, _BATCH)):
        for model in MODELS:
            _insert(work, model, [row for rows in batch for row in rows[model]])
    if count and work.get_bind().dialect.name == "postgresql":
        for model in (Person, Participation):  # numbered by us; the database continues from there
            table, key = model.__tablename__, model.id
            work.execute(select(func.setval(func.pg_get_serial_sequence(table, key.name), func.max(key))))


def _insert(work: Session, model: type[Base], rows: list[Row]) -> None:
    """Insert rows without the ORM, which takes twice the time for many rows."""
    if rows:
        work.connection().execute(insert(Base.metadata.tables[model.__tablename__]), rows)
