"""The file formats: each reads rows with their numbers, and writes any number of records without keeping them."""

from __future__ import annotations

import csv
import io
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import IO, Any, ClassVar

import orjson
from import_export.formats.base_formats import Format
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell

from promptadmin.exchange.cells import Kind, read_cell, write_cell
from promptadmin.exchange.lines import MAX_LINES, Numbered

Columns = Mapping[str, Kind]
Record = Mapping[str, Any]

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MAX_BYTES = 64 * 1024 * 1024
#: How much an XLSX file, which is compressed, may hold.
MAX_UNPACKED_BYTES = 4 * MAX_BYTES
#: A cell of an XLSX file holds no longer text.
LONGEST_CELL = 32_767
#: Rows that an XLSX file is written with: it is made as a whole before it is sent.
MOST_XLSX_ROWS = 100_000
PART_BYTES = 64 * 1024
#: What XML can't hold or would change, and what would read as the escape of such a character, which is Excel's own.
ESCAPED = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


class Unreadable(Exception):
    """A file that isn't of its format; the text says what to do."""


class Unwritable(Exception):
    """Rows that a format can't hold; the text says which one can."""


class TableFormat(Format):
    """The base of our formats; the library's forms ask for title, extension and type."""

    name: ClassVar[str]
    extension: ClassVar[str]
    content_type: ClassVar[str]

    def __init__(self, encoding: str | None = None) -> None:
        """The library would name an encoding; ours know their own."""

    def get_title(self) -> str:
        """For people."""
        return self.name

    def get_extension(self) -> str:
        """Of file names."""
        return self.extension

    def get_content_type(self) -> str:
        """Of HTTP."""
        return self.content_type

    def can_import(self) -> bool:
        """All do."""
        return True

    def can_export(self) -> bool:
        """All do."""
        return True

    def read(self, content: bytes, columns: Columns) -> Iterator[Numbered]:
        """The rows, each as its values or as the JSON that says them. Raises Unreadable."""
        raise NotImplementedError

    def write(self, records: Iterable[Record], columns: Columns) -> Iterator[bytes]:
        """The file, in parts. Raises Unwritable before the first."""
        raise NotImplementedError


class CSV(TableFormat):
    """Comma-separated values in UTF-8."""

    name, extension, content_type = "CSV", "csv", "text/csv; charset=utf-8"

    def read(self, content: bytes, columns: Columns) -> Iterator[Numbered]:
        """Rows under a head with the columns' names; separated by commas, semicolons or tabs."""
        text = _utf8(content)
        head, *_ = text.split("\n", 1)
        separator = max(",;\t", key=head.count)
        csv.field_size_limit(MAX_BYTES)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        try:
            yield from _cells(reader, columns)
        except csv.Error as error:
            raise Unreadable(f"This is no CSV: {error} (line {reader.line_num})") from error

    def write(self, records: Iterable[Record], columns: Columns) -> Iterator[bytes]:
        """With a byte order mark, without which spreadsheets don't see that it is UTF-8."""
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer)
        writer.writerow(columns)
        yield BYTE_ORDER_MARK
        for record in records:
            writer.writerow([write_cell(record[name], kind) for name, kind in columns.items()])
            if buffer.tell() > PART_BYTES:
                yield buffer.getvalue().encode(errors="replace")
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue().encode(errors="replace")


class JSON(TableFormat):
    """A list of objects."""

    name, extension, content_type = "JSON", "json", "application/json"

    def read(self, content: bytes, columns: Columns) -> Iterator[Numbered]:
        """The objects of the list."""
        try:
            rows = orjson.loads(content.removeprefix(BYTE_ORDER_MARK))
        except orjson.JSONDecodeError as error:
            raise Unreadable(f"This is no JSON: {error}") from error
        if not isinstance(rows, list):
            raise Unreadable("This JSON is no list of objects: write [{…}, {…}].")
        yield from enumerate(rows, start=1)

    def write(self, records: Iterable[Record], columns: Columns) -> Iterator[bytes]:
        """One object on each line."""
        separator = b"[\n"
        for part in _parts(records, columns, separator=b",\n"):
            yield separator + part
            separator = b",\n"
        yield b"\n]\n" if separator == b",\n" else b"[]\n"


class JSONLines(TableFormat):
    """An object on each line, as the API's export and import have it."""

    name, extension, content_type = "JSON Lines", "jsonl", "application/x-ndjson"

    def read(self, content: bytes, columns: Columns) -> Iterator[Numbered]:
        """The lines that aren't blank."""
        for number, line in enumerate(content.removeprefix(BYTE_ORDER_MARK).split(b"\n"), start=1):
            if line.strip():
                yield number, line

    def write(self, records: Iterable[Record], columns: Columns) -> Iterator[bytes]:
        """The lines."""
        for part in _parts(records, columns, separator=b"\n"):
            yield part + b"\n"


class XLSX(TableFormat):
    """A workbook with one sheet."""

    name, extension = "XLSX", "xlsx"
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def is_binary(self) -> bool:
        """It is a ZIP file."""
        return True

    def read(self, content: bytes, columns: Columns) -> Iterator[Numbered]:
        """The rows of the first sheet, under a head with the columns' names."""
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                unpacked = sum(part.file_size for part in packed.infolist())
            if unpacked > MAX_UNPACKED_BYTES:
                raise Unreadable(f"Unpacked, this file is larger than {MAX_UNPACKED_BYTES >> 20} MiB: split it.")
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        except (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
            raise Unreadable("This is no XLSX workbook: save it as one, or choose its format.") from error
        sheet = book.worksheets[0] if book.worksheets else None
        if sheet is not None:
            yield from _cells((map(_plain, row) for row in sheet.iter_rows(values_only=True)), columns)

    def write(self, records: Iterable[Record], columns: Columns) -> Iterator[bytes]:
        """Made in a temporary file, which is then sent."""
        book = Workbook(write_only=True)
        sheet = book.create_sheet("rows")
        sheet.freeze_panes = "A2"
        sheet.append(list(columns))
        try:
            for number, record in enumerate(records, start=1):
                if number > MOST_XLSX_ROWS:
                    raise Unwritable(f"XLSX takes up to {MOST_XLSX_ROWS:,} rows here: use CSV or JSON Lines for more.")
                sheet.append([_xlsx_cell(sheet, record, name, kind) for name, kind in columns.items()])
        except BaseException:
            sheet.close()
            raise
        with tempfile.TemporaryFile() as file:
            book.save(file)
            file.seek(0)
            yield from _read_parts(file)


FORMATS = (CSV, JSON, JSONLines, XLSX)


def _utf8(content: bytes) -> str:
    try:
        return content.removeprefix(BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        raise Unreadable("This file isn't UTF-8: save it as “CSV UTF-8”.") from error


def _cells(rows: Iterable[Iterable[Any]], columns: Columns) -> Iterator[Numbered]:
    """The rows as values by the names in the head; the head is row 1. Rows of nothing but empty cells are none."""
    found = iter(rows)
    names = [str(cell or "").strip() for cell in next(found, [])]
    if len(names) != len(set(names)):
        raise Unreadable("Two columns have the same name: the first row must name each column once.")
    for number, row in enumerate(found, start=2):
        if number > MAX_LINES * 100:
            raise Unreadable("This sheet has too many empty rows: save the filled ones alone.")
        cells = list(row)
        if all(cell in (None, "") for cell in cells):
            continue
        if len(cells) > len(names) and any(cell not in (None, "") for cell in cells[len(names) :]):
            raise Unreadable(f"Row {number} has more cells than the first row has names.")
        named = zip_longest(names, cells[: len(names)])  # a short row ends with empty cells
        yield number, {name: read_cell(cell, columns.get(name, "text")) for name, cell in named}


def _parts(records: Iterable[Record], columns: Columns, separator: bytes) -> Iterator[bytes]:
    """The records as JSON, several in each part."""
    lines: list[bytes] = []
    size = 0
    for record in records:
        lines.append(orjson.dumps({name: record[name] for name in columns}, option=orjson.OPT_UTC_Z))
        size += len(lines[-1])
        if size > PART_BYTES:
            yield separator.join(lines)
            lines.clear()
            size = 0
    if lines:
        yield separator.join(lines)


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


def _plain(cell: Any) -> Any:
    return ESCAPE.sub(lambda found: chr(int(found[1], 16)), cell) if isinstance(cell, str) else cell


def _read_parts(file: IO[bytes]) -> Iterator[bytes]:
    while part := file.read(PART_BYTES):
        yield part
