"""PAD: results of tests in Norwegian and civics. The client, and a stand-in server with seeded results."""

from services.pad.client import PadClient, TestResult, best_per_part, newest_first
from services.register_errors import AccessDenied, Busy, NotFound, RegisterError, Unavailable, WrongNumber

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
