"""Demo data: users and participants for development and demonstration.

All persons are from the stand-ins' synthetic population, so the register's data agree with the stand-ins' responses.
The same seed gives the same data on the same day.
"""

from services.demo.fill import NotForRealPeople, fill
from services.demo.people import unregistered
from services.demo.users import PASSWORD, USERS, DemoUser

__all__ = ["PASSWORD", "USERS", "DemoUser", "NotForRealPeople", "fill", "unregistered"]
