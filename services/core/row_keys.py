"""Identities of the rows of a field."""

import re
import secrets
from collections.abc import Mapping
from typing import Any

ROW_KEY = "row_key"
_IS_ROW_KEY = re.compile("[0-9a-f]{12}")


def new_row_key() -> str:
    """An identity for a new row."""
    return secrets.token_hex(6)


def key_of(row: Mapping[str, Any]) -> str:
    """The identity of a row, raw or parsed; '' if it has none yet."""
    given = row.get(ROW_KEY)
    if isinstance(given, list):
        given = given[0] if given else ""
    return given or ""


def is_row_key(text: str) -> bool:
    """True if a text has the form of a row's identity."""
    return bool(_IS_ROW_KEY.fullmatch(text))
