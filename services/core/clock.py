"""What day it is in Norway, and how its days are moments."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

OSLO_TIME = ZoneInfo("Europe/Oslo")


def today() -> date:
    """The day it is in Norway."""
    return datetime.now(OSLO_TIME).date()


def midnight(day: date) -> datetime:
    """The moment at which a day begins in Norway."""
    return datetime.combine(day, time(), OSLO_TIME)
