"""Any day and any moment in any column: each page and each file can still be read.

The forms take fewer days. But registers write days of the year 1, clocks of machines go wrong, and what an older
program stored, or a backup of one brings, stands in the database whatever the forms say.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy import Date, Table, insert, select, update

from app.accounts.standing import SESSION_TABLES
from services.db import Base, UtcDateTime
from services.models import Participation
from tests.app.conftest import IS_OPEN, IS_PLAIN, House, of_places, running_house
from tests.app.test_fragments import get_addresses
from tests.support.databases import DIALECTS, Databases
