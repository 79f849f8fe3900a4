"""The file formats: each reads rows with their numbers, and writes any number of records without keeping them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TextIO

import orjson

from promptadmin.conf.limits import CELL_BYTES, MEBIBYTE
from promptadmin.db.exact_json import dumps, loads
from promptadmin.exchange.base_formats import PART_BYTES, Columns, Record, TableFormat, Unreadable
from promptadmin.exchange.cells import write_cell
from promptadmin.exchange.encodings import NO_UTF8, open_text, utf8
from promptadmin.exchange.heads import Row, folded, named_cells
from promptadmin.exchange.lines import TOO_MANY_VALUES, Numbered, too_many_values
from promptadmin.exchange.xlsx import XLSX

SEPARATOR = re.compile(r'"?sep=(,|;|\||\t|\\t)"?(?:\r?\n|\r|\Z)', re.IGNORECASE)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: In one row, also within its texts.
MOST_SEPARATORS = 1_000_000


class CSV(TableFormat):
    """Comma-separated values in UTF-8."""

    name, extension, content_type = "CSV", "csv", "text/csv; charset=utf-8"

    def read(self, content: bytes, columns: Columns) -> Iterator[Numbered]:
        """Rows under a head with the columns' names; separated by commas, semicolons or tabs.

        A first line like `sep=;`, which Excel reads and doesn't show, names the separator.
        """
        rows = _Rows(open_text(content, self.notes), columns)
        number = 0
        try:
            for row in named_cells(rows, columns, self.notes, has_decimal_commas=rows.separator != ","):
                number = row[0]
                yield row
        except csv.Error as error:
            raise Unreadable(
                f"This is no CSV that can be read: after row {number:,} a cell has a quote that is never closed, text "
                f"beside its quotes, or more than {CELL_BYTES // MEBIBYTE} MiB."
            ) from error
        except UnicodeError as error:
            raise Unreadable(NO_UTF8) from error

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


class _Rows:
    """The rows of a CSV text: their numbers, and their cells that aren't empty. Blank lines are empty rows."""

    def __init__(self, lines: TextIO, columns: Columns) -> None:
        before, first = next(((number, line) for number, line in enumerate(lines) if line.strip()), (0, ""))
        self.before, self.lines = before, lines
        named = SEPARATOR.fullmatch(first)
        if named:
            self.separator, self.first = named[1].replace("\\t", "\t"), next(lines, "")
        else:
            self.separator, self.first = max(",;\t", key=lambda one: _names_by(one, first, columns)), first
        self.separators = 0

    def __iter__(self) -> Iterator[Row]:
        csv.field_size_limit(CELL_BYTES)
        reader = csv.reader(self._counted(), delimiter=self.separator, strict=True)
        for number, cells in enumerate(reader, start=1 + self.before):
            self.separators = 0
            yield number, {place: cell for place, cell in enumerate(cells) if cell}

    def _counted(self) -> Iterator[str]:
        """The lines, before the cells of too long a row take much memory."""
        for line in chain([self.first], self.lines):
            self.separators += line.count(self.separator)
            if self.separators > MOST_SEPARATORS:
                raise Unreadable(f"A row has more than {MOST_SEPARATORS:,} commas, or what separates its columns.")
            yield line


def _names_by(separator: str, line: str, columns: Columns) -> tuple[int, int]:
    """How many columns a line names if this separates them, and how often it stands there."""
    cells = next(csv.reader([line[:PART_BYTES]], delimiter=separator), [])
    return sum(folded(cell) in columns for cell in cells), line.count(separator)


class JSON(TableFormat):
    """A list of objects."""

    name, extension, content_type = "JSON", "json", "application/json"

    def read(self, content: bytes, columns: Columns) -> Iterator[Numbered]:
        content = utf8(content)
        if too_many_values(content):
            raise Unreadable(TOO_MANY_VALUES)
        try:
            rows = loads(content)
        except orjson.JSONDecodeError as error:
            raise Unreadable(
                f"This is no JSON: line {error.lineno:,} can't be read from its character {error.colno:,} on."
            ) from error
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
        content = utf8(content)
        if too_many_values(content):
            raise Unreadable(TOO_MANY_VALUES)
        for number, line in enumerate(content.removeprefix(BYTE_ORDER_MARK).split(b"\n"), start=1):
            if line.strip():
                yield number, line

    def write(self, records: Iterable[Record], columns: Columns) -> Iterator[bytes]:
        for part in _parts(records, columns, separator=b"\n"):
            yield part + b"\n"


FORMATS = (CSV, JSON, JSONLines, XLSX)


def _parts(records: Iterable[Record], columns: Columns, separator: bytes) -> Iterator[bytes]:
    """The records as JSON, several in each part."""
    lines: list[bytes] = []
    size = 0
    for record in records:
        lines.append(dumps({name: record[name] for name in columns}, option=orjson.OPT_UTC_Z))
        size += len(lines[-1])
        if size > PART_BYTES:
            yield separator.join(lines)
            lines.clear()
            size = 0
    if lines:
        yield separator.join(lines)
