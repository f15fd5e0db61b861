"""Downloads as CSV and as a workbook: the participant list as on screen, the full data set, and the tiltak and
permisjoner.

`fields`: `overview_fields(viewer)`, `full_fields(viewer)` or `row_fields(viewer)`. `where`: the condition for the
participations; the caller must include visibility. `order_by`: the order of the list.
"""

from collections.abc import Generator, Sequence
from typing import IO, Any

from sqlalchemy import ColumnElement

from services.export import csv_file, xlsx_file
from services.export.columns import ExportColumn, RowFields, full_fields, overview_fields, row_fields
from services.export.reading import batches, has_more_rows_than, is_longer_than, row_batches
from services.export.words import result_text
from services.export.xlsx_file import TooManyRows, pieces

__all__ = [
    "ExportColumn",
    "Fields",
    "TooManyRows",
    "as_csv",
    "as_xlsx",
    "full_fields",
    "overview_fields",
    "pieces",
    "result_text",
    "row_fields",
]

Fields = Sequence[ExportColumn] | RowFields
Where = ColumnElement[bool]
OrderBy = Sequence[ColumnElement[Any]]


def as_csv(fields: Fields, where: Where, order_by: OrderBy) -> Generator[bytes, None, None]:
    """The CSV file in pieces, made while it is sent; close the generator if the transfer is interrupted."""
    if isinstance(fields, RowFields):
        labels = [field.label for field in fields.all]
        return csv_file.lines(labels, row_batches(fields, where, order_by, csv_file.cell))
    return csv_file.lines([field.label for field in fields], batches(fields, where, order_by, csv_file.cell))


def as_xlsx(fields: Fields, where: Where, order_by: OrderBy) -> IO[bytes]:
    """The whole workbook as a temporary file, to be sent by `pieces`. Raises `TooManyRows`, at once."""
    if isinstance(fields, RowFields):
        if has_more_rows_than(xlsx_file.ROWS - 1, where):
            raise TooManyRows(f"more than {xlsx_file.ROWS - 1} rows")
        lines = row_batches(fields, where, order_by, xlsx_file.cell)
        return xlsx_file.book(fields.all, lines, xlsx_file.ROW_SHEET)
    if is_longer_than(xlsx_file.ROWS - 1, where):
        raise TooManyRows(f"more than {xlsx_file.ROWS - 1} rows")
    return xlsx_file.book(fields, batches(fields, where, order_by, xlsx_file.cell))
