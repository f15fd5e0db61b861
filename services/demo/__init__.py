"""Demo data: users to sign in as, and participants to look at, for development and demonstration.

All persons are those of the stand-ins' synthetic population, so what the register holds of them agrees with
what the stand-ins answer. The same seed gives the same data on the same day.
"""

from services.demo.fill import NotForRealPeople, fill
from services.demo.people import unregistered
from services.demo.users import PASSWORD, USERS, DemoUser

__all__ = ["PASSWORD", "USERS", "DemoUser", "NotForRealPeople", "fill", "unregistered"]
