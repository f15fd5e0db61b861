"""Users' sessions in the database."""

import hashlib
from typing import Any

from sqlalchemy import select

from services.tables.accounts import UserSession
from tests.support.client import CheckedClient
from tests.support.house import House


def key_of(client: CheckedClient, name: str = "session") -> str | None:
    """The key in the browser's cookie."""
    found = client.get_cookie(name)
    return found.value if found else None


def visit(house: House, key: str | None) -> Any:
    """The session stored under a key."""
    rows = house.ask(select(UserSession).where(UserSession.key_hash == hashlib.sha256(str(key).encode()).hexdigest()))
    return rows[0][0] if rows else None
