"""The file formats: each reads rows with their numbers, and writes any number of records without keeping them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator

import orjson

from promptadmin.db.exact_json import dumps, loads
from promptadmin.exchange.base_formats import (
    MAX_BYTES,
    PART_BYTES,
    Columns,
    Record,
    TableFormat,
    Unreadable,
    named_cells,
)
from promptadmin.exchange.cells import write_cell
from promptadmin.exchange.lines import Numbered
from promptadmin.exchange.xlsx import XLSX

SEPARATOR = re.compile(r'"?sep=(,|;|\||\t|\\t)"?(?:\r?\n|\r|\Z)', re.IGNORECASE)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class CSV(TableFormat):
    """Comma-separated values in UTF-8."""

    name, extension, content_type = "CSV", "csv", "text/csv; charset=utf-8"

    def read(self, content: bytes, columns: Columns) -> Iterator[Numbered]:
        """Rows under a head with the columns' names; separated by commas, semicolons or tabs.

        A first line like `sep=;`, which Excel reads and doesn't show, names the separator.
        """
        text = _utf8(content)
        if told := SEPARATOR.match(text):
            separator = told[1].replace("\\t", "\t")
            text = text[told.end() :]
        else:
            head, *_ = text.split("\n", 1)
            separator = max(",;\t", key=head.count)
        csv.field_size_limit(MAX_BYTES)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        try:
            yield from named_cells(reader, columns, has_decimal_commas=separator != ",")
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
            rows = loads(content)
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


FORMATS = (CSV, JSON, JSONLines, XLSX)


def _utf8(content: bytes) -> str:
    try:
        return content.removeprefix(BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        raise Unreadable("This file isn't UTF-8: save it as “CSV UTF-8”.") from error


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
