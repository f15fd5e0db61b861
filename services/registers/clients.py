"""The outside registers as one value, and PAD's results."""

import logging
from dataclasses import dataclass
from typing import Literal

from services.core.db import end_reading
from services.registers.errors import RegisterError
from services.registers.folkeregisteret import FolkeregisteretClient
from services.registers.pad import PadClient, TestResult

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


def fetch_for(number: str, registers: Registers, *, hurried: bool = False) -> list[TestResult] | None:
    """PAD's results for a number, `None` if they cannot be had now (`hurried`: soon). No transaction is open
    meanwhile."""
    end_reading()
    try:
        return registers.pad.results(number, hurried=hurried)
    except RegisterError as error:
        logger.warning("PAD gave no results: %s", error)
        return None
