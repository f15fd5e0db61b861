"""A workbook for Excel and the like: numbers as numbers, days as days, all else as text and never a formula.

It is written row by row into an unnamed temporary file, which disappears when it is closed.
"""

import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from datetime import date
from itertools import chain
from typing import IO, Any, TypeAlias

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_range

from services.core.i18n import N_
from services.core.i18n import gettext as _
from services.export.columns import ExportColumn
from services.export.reading import Cells

SHEET = N_("Deltakere")
ROW_SHEET = N_("Tiltak og permisjon")
ROWS = 1_048_576  # of a sheet, including the heading (Excel's specifications and limits)
CHARACTERS = 32_767  # of a cell, counted in UTF-16 (same source)
_CUT = N_(" … [Avkortet: en celle i Excel har plass til 32 767 tegn. Hele teksten står i CSV-filen.]")
_NARROWEST, _WIDEST = 10, 40
_PIECE = 60_000

Write: TypeAlias = Callable[[int, Any], int]


class TooManyRows(ValueError):
    """There are more participants than a sheet has rows."""


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def fitting(text: str) -> str:
    """Cut a text to the limit of a cell, with a note about the rest at its end."""
    if len(text) <= CHARACTERS // 2 or _units(text) <= CHARACTERS:
        return text
    remark = _(_CUT)
    room = 2 * (CHARACTERS - _units(remark))
    return text.encode("utf-16-le")[:room].decode("utf-16-le", errors="ignore") + remark


def cell(field: ExportColumn) -> Callable[..., Any]:
    """The function from a column's values to a cell: a number, a day, a text, or None."""
    if field.value:
        return field.value
    say = field.text
    return lambda *values: fitting(say(*values)) or None


def book(fields: Sequence[ExportColumn], batches: Iterator[list[Cells]], sheet: str = SHEET) -> IO[bytes]:
    """Make the workbook file, to be read from its beginning and closed. Raises `TooManyRows`."""
    made: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    try:
        with tempfile.TemporaryDirectory() as folder:
            _write(made, folder, fields, batches, sheet)
        made.seek(0)
    except BaseException:
        made.close()
        raise
    return made


def pieces(made: IO[bytes]) -> Generator[bytes, None, None]:
    """The file in pieces; it is closed at the end, also if it is not read completely."""
    with made:
        while piece := made.read(_PIECE):
            yield piece


def _write(
    made: IO[bytes], folder: str, fields: Sequence[ExportColumn], batches: Iterator[list[Cells]], name: str
) -> None:
    workbook = Workbook(made, {"constant_memory": True, "tmpdir": folder})
    workbook.use_zip64()  # has effect only where the file needs it
    sheet = workbook.add_worksheet(_(name))
    try:
        last = _write_rows(sheet, workbook, fields, batches)
    except BaseException:
        sheet.row_data_fh.close()  # otherwise the library leaves that to the garbage collection
        raise
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, last, len(fields) - 1)
    sheet.ignore_errors({"number_stored_as_text": xl_range(0, 0, last, len(fields) - 1)})
    workbook.close()


def _write_rows(sheet: Any, workbook: Any, fields: Sequence[ExportColumn], batches: Iterator[list[Cells]]) -> int:
    """Write the heading and all rows; returns the number of the last row, from 0."""
    bold = workbook.add_format({"bold": True})
    first: list[Cells] = [list(column) for column in next(batches, [()] * len(fields))]
    for number, (field, sample) in enumerate(zip(fields, first, strict=True)):
        label = _(field.label)
        sheet.write_string(0, number, label, bold)
        sheet.set_column(number, number, _width(label, sample))
    row = 0
    writers = [_writer(sheet, workbook, number, field) for number, field in enumerate(fields)]
    for cells in chain.from_iterable(zip(*batch, strict=True) for batch in chain([first], batches)):
        row += 1
        if row >= ROWS:
            raise TooManyRows(f"more than {ROWS - 1} rows")
        _write_cells(writers, row, cells)
    return row


def _width(label: str, cells: Iterable[Any]) -> int:
    """The width of a column: enough for the label beside the filter's button, and for the first cells."""
    lengths = (_NARROWEST if isinstance(value, date) else len(str(value)) for value in cells if value is not None)
    return min(_WIDEST, max(_NARROWEST, len(label) + 3, *lengths, 0) + 1)


def _write_cells(writers: Sequence[Write], row: int, cells: Iterable[Any]) -> None:
    for write, value in zip(writers, cells, strict=True):
        if value is not None and write(row, value) != 0:
            raise ValueError("the library has not written a cell as it was given")


def _writer(sheet: Any, workbook: Any, column: int, field: ExportColumn) -> Write:
    """The function that writes a cell of a column into a row; it returns 0 on success."""
    if field.number_format:
        shown = workbook.add_format({"num_format": field.number_format})
        return lambda row, day: sheet.write_datetime(row, column, day, shown)
    if field.value:
        return lambda row, number: sheet.write_number(row, column, number)
    as_text = workbook.add_format({"num_format": "@"}) if field.keeps_zeros else None

    def write_text(row: int, text: str) -> int:
        if text.startswith("<r>") and text.endswith("</r>"):  # the library takes it for XML unless written in parts
            return int(sheet.write_rich_string(row, column, text[:1], text[1:2], text[2:]))
        return int(sheet.write_string(row, column, text, as_text))

    return write_text
