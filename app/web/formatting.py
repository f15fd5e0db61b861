"""Formatting of values on screen; the filters of the templates."""

from datetime import datetime

from flask import Flask

from services.access.protection_grade import grade_text, protection_text
from services.core.clock import OSLO_TIME
from services.core.code_lists import country_name, district_name, marital_status_text, municipality_name
from services.core.days import date_text, moment_date
from services.core.status import deletion_text, status_word


def moment_text(moment: datetime | None) -> str:
    """A moment as «23.11.2026 kl. 10.42», in Norwegian time; '' for None."""
    return f"{moment.astimezone(OSLO_TIME):%d.%m.%Y kl. %H.%M}" if moment else ""


def clock_text(moment: datetime | None) -> str:
    """A moment's time of day as «10.42», in Norwegian time; '' for None."""
    return f"{moment.astimezone(OSLO_TIME):%H.%M}" if moment else ""


def init_formatting(app: Flask) -> None:
    """Give the filters to the templates."""
    app.jinja_env.filters |= {
        "day": date_text,
        "moment": moment_text,
        "moment_day": moment_date,
        "clock": clock_text,
        "country": country_name,
        "marital_status": marital_status_text,
        "municipality": municipality_name,
        "district": district_name,
        "status_word": status_word,
        "deletion_text": deletion_text,
        "grade_text": grade_text,
        "protection_text": protection_text,
    }
