"""PAD: results of tests in Norwegian and civics."""

from services.registers.errors import AccessDenied, Busy, NotFound, RegisterError, Unavailable, WrongNumber
from services.registers.pad.client import PadClient, TestResult, best_per_part, newest_first

__all__ = [
    "AccessDenied",
    "Busy",
    "NotFound",
    "PadClient",
    "RegisterError",
    "TestResult",
    "Unavailable",
    "WrongNumber",
    "best_per_part",
    "newest_first",
]
