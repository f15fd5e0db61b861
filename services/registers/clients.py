"""The outside registers as one value, and PAD's results."""

import logging
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select

from services.core.db import end_reading, session
from services.registers.errors import RegisterError
from services.registers.folkeregisteret import FolkeregisteretClient
from services.registers.pad import PadClient, TestResult
from services.tables.participants import Municipality, Person

logger = logging.getLogger(__name__)
Accepts = Literal["real", "synthetic"]


@dataclass(frozen=True)
class Registers:
    """Folkeregisteret and PAD, which numbers this installation takes (real ones or synthetic), and how many look-ups
    one user may ask for in an hour."""

    folkeregisteret: FolkeregisteretClient
    pad: PadClient
    accepts: Accepts
    lookups_per_hour: int


def funding_of(municipality_number: str) -> str:
    """The financing model that a municipality's participants have by default."""
    return session().get_one(Municipality, municipality_number).funding


def fetch_for(number: str, registers: Registers, *, hurried: bool = False) -> list[TestResult] | None:
    """PAD's results for a number, `None` if they cannot be had now (`hurried`: soon). No transaction is open
    meanwhile."""
    end_reading()
    try:
        return registers.pad.results(number, hurried=hurried)
    except RegisterError as error:
        logger.warning("PAD gave no results: %s", error)
        return None


def is_known(number: str) -> bool:
    """True if the register has a person with this number, running or not."""
    return session().scalar(select(Person.id).where(Person.national_id == number)) is not None
