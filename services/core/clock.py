"""The date in Norway, and moments of its days."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

OSLO_TIME = ZoneInfo("Europe/Oslo")


def today() -> date:
    """Today's date in Norway."""
    return datetime.now(OSLO_TIME).date()


def midnight(day: date) -> datetime:
    """The moment a day begins in Norway."""
    return datetime.combine(day, time(), OSLO_TIME)
