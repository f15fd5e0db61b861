"""The columns of the participant list, and the orders in which it can stand."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

from services.tables.participants import Participation

_P = Participation


class Column(StrEnum):
    """The columns of the participant list, in their order (guide 3.1)."""

    NATIONAL_ID = "national_id"
    NAME = "name"
    MUNICIPALITY = "municipality"
    DISTRICT = "district"
    START = "start"
    END = "end"
    STATUS = "status"
    CHANGED = "changed"
    CHANGED_BY = "changed_by"


_SORTED_BY: dict[Column, InstrumentedAttribute[Any]] = {
    Column.NATIONAL_ID: _P.national_id,
    Column.NAME: _P.name_key,
    Column.MUNICIPALITY: _P.municipality_key,
    Column.DISTRICT: _P.district_key,
    Column.START: _P.start_date,
    Column.END: _P.end_date,
    Column.STATUS: _P.status,
    Column.CHANGED: _P.changed_at,
    Column.CHANGED_BY: _P.changed_by,
}
_MAY_BE_EMPTY = {Column.NAME, Column.DISTRICT, Column.END}


@dataclass(frozen=True)
class Order:
    """How the list is sorted. Without a column: last changed first (guide 3.2). Empty values stand last both
    ways; ties are in the order of registration, in the same direction."""

    column: Column | None = None
    descending: bool = False

    @property
    def key(self) -> InstrumentedAttribute[Any]:
        """The column of the table that it goes by."""
        return _SORTED_BY[self.column or Column.CHANGED]

    def clauses(self, key: Any = None, tie: Any = None, *, from_the_end: bool = False) -> list[ColumnElement[Any]]:
        """For ORDER BY: by the table's own columns, or by these of a subquery; or all the other way round."""
        key, tie = self.key if key is None else key, _P.id if tie is None else tie
        falls = (self.descending or self.column is None) != from_the_end
        first, then = (key.desc(), tie.desc()) if falls else (key.asc(), tie.asc())
        if self.column in _MAY_BE_EMPTY:
            first = first.nulls_first() if from_the_end else first.nulls_last()
        return [first, then]
