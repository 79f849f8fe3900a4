"""Workbooks, the one format that is read and made as a whole."""

from __future__ import annotations

import io
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, Any
from xml.parsers.expat import ExpatError

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from promptadmin.conf.limits import MEBIBYTE, TEXT_LENGTH, UNPACKED_BYTES, XLSX_ROWS
from promptadmin.exchange.base_formats import (
    PART_BYTES,
    Columns,
    Record,
    TableFormat,
    Unreadable,
    Unwritable,
)
from promptadmin.exchange.cells import Kind, write_cell
from promptadmin.exchange.heads import named_cells
from promptadmin.exchange.lines import Numbered
from promptadmin.exchange.workbooks import read_rows

#: A cell of an XLSX file holds no longer text.
LONGEST_CELL = 32_767
#: What XML can't hold or would change, and what would read as the escape of such a character, which is Excel's own.
ESCAPED = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
DIRECTORY_ENTRY = b"PK\x01\x02"
MOST_PARTS = 10_000
#: What the parsers raise for a file that breaks their rules; RuntimeError for an encrypted part.
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ExpatError,
    LookupError,
    ValueError,
    ArithmeticError,
    OSError,
    EOFError,
    RuntimeError,
)


class XLSX(TableFormat):
    """A workbook with one sheet."""

    name, extension = "XLSX", "xlsx"
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def is_binary(self) -> bool:
        return True

    def read(self, content: bytes, columns: Columns) -> Iterator[Numbered]:
        """The rows of the first sheet, under a head with the columns' names."""
        try:
            if content.count(DIRECTORY_ENTRY) > MOST_PARTS:
                raise Unreadable("This file holds too many parts to be a workbook: save it as XLSX again.")
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                if sum(part.file_size for part in packed.infolist()) > UNPACKED_BYTES:
                    raise Unreadable(f"Unpacked, this file is larger than {UNPACKED_BYTES // MEBIBYTE} MiB: split it.")
                rows = read_rows(packed, self.notes, longest=TEXT_LENGTH)
                yield from named_cells(rows, columns, self.notes)
        except BROKEN as error:
            raise Unreadable("This is no XLSX workbook: save it as one, or choose its format.") from error

    def write(self, records: Iterable[Record], columns: Columns) -> Iterator[bytes]:
        """Made in a temporary file, which is then sent."""
        book = Workbook(write_only=True)
        sheet = book.create_sheet("rows")
        sheet.freeze_panes = "A2"
        sheet.append(list(columns))
        try:
            for number, record in enumerate(records, start=1):
                if number > XLSX_ROWS:
                    raise Unwritable(f"XLSX takes up to {XLSX_ROWS:,} rows here: use CSV or JSON Lines for more.")
                sheet.append([_xlsx_cell(sheet, record, name, kind) for name, kind in columns.items()])
        except BaseException:
            sheet.close()
            raise
        with tempfile.TemporaryFile() as file:
            book.save(file)
            file.seek(0)
            yield from _read_parts(file)


def _xlsx_cell(sheet: Any, record: Record, name: str, kind: Kind) -> Any:
    value = write_cell(record[name], kind)
    if isinstance(value, float) and float(f"{value:.16g}") != value:
        value = repr(value)  # openpyxl writes sixteen digits
    if not isinstance(value, str):
        return value
    text = ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", value)
    if len(text) > LONGEST_CELL:
        raise Unwritable(
            f"{name} of {record.get('id')} has {len(text):,} characters, and a cell of XLSX takes {LONGEST_CELL:,}: "
            "use CSV, JSON or JSON Lines."
        )
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"  # never a formula, nor one of the words that it would take for an error
    return cell


def _read_parts(file: IO[bytes]) -> Iterator[bytes]:
    while part := file.read(PART_BYTES):
        yield part
