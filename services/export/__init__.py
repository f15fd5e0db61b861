"""Downloads: the participant list as on screen, and the full data set, as CSV and as a workbook.

`fields` are `overview_fields(viewer)` or `full_fields(viewer)`. `where` holds for the participations that are wanted
and that the viewer may see; whoever asks sees to both. `order_by` is the order of the list.
"""

from collections.abc import Generator, Sequence
from typing import IO, Any

from sqlalchemy import ColumnElement

from services.export import csv_file, xlsx_file
from services.export.columns import COLUMN_LABELS, Field, full_fields, overview_fields
from services.export.reading import batches, is_longer_than
from services.export.words import deletion_text, moment_date, result_text, status_text, status_word
from services.export.xlsx_file import TooManyRows, pieces

__all__ = [
    "COLUMN_LABELS",
    "Field",
    "TooManyRows",
    "as_csv",
    "as_xlsx",
    "deletion_text",
    "full_fields",
    "moment_date",
    "overview_fields",
    "pieces",
    "result_text",
    "status_text",
    "status_word",
]

Where = ColumnElement[bool]
OrderBy = Sequence[ColumnElement[Any]]


def as_csv(fields: Sequence[Field], where: Where, order_by: OrderBy) -> Generator[bytes, None, None]:
    """The file in pieces, made while it is sent; close it if it is broken off."""
    return csv_file.lines([field.label for field in fields], batches(fields, where, order_by, csv_file.cell))


def as_xlsx(fields: Sequence[Field], where: Where, order_by: OrderBy) -> IO[bytes]:
    """The whole workbook as a temporary file, to be sent by `pieces`. Raises `TooManyRows`, at once."""
    if is_longer_than(xlsx_file.ROWS - 1, where):
        raise TooManyRows(f"more than {xlsx_file.ROWS - 1} rows")
    return xlsx_file.book(fields, batches(fields, where, order_by, xlsx_file.cell))
