"""The clients of the outside registers in one object, and fetching PAD's results."""

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
    """The register clients of an installation: Folkeregisteret, PAD, the accepted numbers (real or synthetic), and the
    hourly limit on look-ups by one user."""

    folkeregisteret: FolkeregisteretClient
    pad: PadClient
    accepts: Accepts
    lookups_per_hour: int


def fetch_for(number: str, registers: Registers, *, hurried: bool = False) -> list[TestResult] | None:
    """Fetch PAD's results for a number; `None` if that fails (`hurried`: with short time limits). Ends the open
    transaction first."""
    end_reading()
    try:
        return registers.pad.results(number, hurried=hurried)
    except RegisterError as error:
        logger.warning("PAD gave no results: %s", error)
        return None
