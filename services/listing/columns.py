"""The columns of the participant list, each declared once, and the orders of the list."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Index
from sqlalchemy.orm import InstrumentedAttribute

from services.access.viewer import Viewer
from services.core.code_lists import district_name, municipality_name
from services.core.days import date_text, moment_date
from services.core.i18n import N_
from services.core.status import said_status
from services.tables.participants import SEEN_BY, Participation

_P = Participation
Source = InstrumentedAttribute[Any]


class Kind(StrEnum):
    """The type of a column in a file: text, digits that keep their zeros, or days."""

    WORDS = "words"
    DIGITS = "digits"
    DAY = "day"
    MOMENT = "moment"  # its date in Norway


def plain(text: str | None) -> str:
    """The text, or '' for None."""
    return text or ""


def _everybody(_viewer: Viewer) -> bool:
    return True


@dataclass(frozen=True, eq=False, kw_only=True)
class ListColumn:
    """A column of the participant list: on screen, in the address, as an order, and in the file.

    `key`: names its indexes; `word`: the name in addresses. `sort`: the column of the table that the list is sorted by;
    if it `may_be_empty`, empty values come last in both directions. `text` formats the values of the `sources`.
    `indexed`: further columns in its indexes. `differs`: almost all values are different.
    """

    key: str
    word: str
    label: str
    sort: Source
    sources: tuple[Source, ...]
    text: Callable[..., str] = plain
    kind: Kind = Kind.WORDS
    may_be_empty: bool = False
    indexed: tuple[Source, ...] = ()
    differs: bool = False
    is_seen_by: Callable[[Viewer], bool] = _everybody


CHANGED = ListColumn(
    key="changed",
    word="sist-endret",
    label=N_("Sist endret"),
    sort=_P.changed_at,
    sources=(_P.changed_at,),
    text=moment_date,
    kind=Kind.MOMENT,
)
# In their order (guide 3.1).
LIST_COLUMNS = (
    ListColumn(
        key="national_id",
        word="fodselsnummer",
        label=N_("Fødselsnummer"),
        sort=_P.national_id,
        sources=(_P.national_id,),
        kind=Kind.DIGITS,
        differs=True,
    ),
    ListColumn(
        key="name",
        word="navn",
        label=N_("Navn"),
        sort=_P.name_key,
        sources=(_P.name,),
        may_be_empty=True,
        differs=True,
    ),
    ListColumn(
        key="municipality",
        word="kommune",
        label=N_("Kommune"),
        sort=_P.municipality_key,
        sources=(_P.municipality_number,),
        text=municipality_name,
    ),
    ListColumn(
        key="district",
        word="bydel",
        label=N_("Bydel"),
        sort=_P.district_key,
        sources=(_P.district_number,),
        text=district_name,
        may_be_empty=True,
        is_seen_by=lambda viewer: viewer.sees_districts,
    ),
    ListColumn(
        key="start",
        word="oppstart",
        label=N_("Oppstart"),
        sort=_P.start_date,
        sources=(_P.start_date,),
        text=date_text,
        kind=Kind.DAY,
        indexed=(_P.end_date,),  # took part in a period
    ),
    ListColumn(
        key="end",
        word="avslutning",
        label=N_("Avslutning"),
        sort=_P.end_date,
        sources=(_P.end_date,),
        text=date_text,
        kind=Kind.DAY,
        may_be_empty=True,
    ),
    ListColumn(
        key="status",
        word="status",
        label=N_("Status"),
        sort=_P.status,
        sources=(_P.status, _P.deleted_at, _P.deleted_by),
        text=said_status,
    ),
    CHANGED,
    ListColumn(
        key="changed_by",
        word="sist-endret-av",
        label=N_("Sist endret av"),
        sort=_P.changed_by,
        sources=(_P.changed_by,),
    ),
)


def columns_for(viewer: Viewer) -> list[ListColumn]:
    """The columns that the viewer sees: Bydel only for users in Oslo and IMDi's users."""
    return [column for column in LIST_COLUMNS if column.is_seen_by(viewer)]


def _index(column: ListColumn) -> None:
    """Declare the indexes of an order: for one municipality, and for the whole country. The columns of the visibility
    condition end each of them, so that a page and the count need not read the wide table.

    Empty values come last in both directions. SQLite scans one index for that; PostgreSQL needs another one.
    """
    for scope, lead in (("national", ()), ("municipal", (_P.municipality_number,))):
        name = f"ix_participation_{scope}_{column.key}"
        seen_by = [other for other in SEEN_BY if other is not column.sort]
        Index(name, _P.discharged, *lead, column.sort, _P.id, *seen_by, *column.indexed)
        if column.may_be_empty:
            falling = (column.sort.desc().nulls_last(), _P.id.desc())
            Index(f"{name}_down", _P.discharged, *lead, *falling, *SEEN_BY).ddl_if(dialect="postgresql")


for _column in LIST_COLUMNS:
    _index(_column)


@dataclass(frozen=True)
class Order:
    """The order of the list. Without a column: last changed first (guide 3.2). Empty values come last in both
    directions; ties are in the order of registration, in the same direction."""

    column: ListColumn | None = None
    descending: bool = False

    @property
    def sorted_by(self) -> ListColumn:
        """The list column to sort by."""
        return self.column or CHANGED

    @property
    def key(self) -> Source:
        """The table column to sort by."""
        return self.sorted_by.sort

    def clauses(self, key: Any = None, tie: Any = None, *, from_the_end: bool = False) -> list[ColumnElement[Any]]:
        """The ORDER BY clauses, on the table's columns or on those of a subquery; or all reversed."""
        key, tie = self.key if key is None else key, _P.id if tie is None else tie
        falls = (self.descending or self.column is None) != from_the_end
        first, then = (key.desc(), tie.desc()) if falls else (key.asc(), tie.asc())
        if self.sorted_by.may_be_empty:
            first = first.nulls_first() if from_the_end else first.nulls_last()
        return [first, then]
