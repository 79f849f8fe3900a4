"""What every file format has: how it reads rows with their numbers, and how it writes any number of records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any, ClassVar

from import_export.formats.base_formats import Format

from promptadmin.exchange.cells import Kind, read_cell
from promptadmin.exchange.lines import MAX_LINES, Numbered

Columns = Mapping[str, Kind]
Record = Mapping[str, Any]

MAX_BYTES = 64 * 1024 * 1024
PART_BYTES = 64 * 1024


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


def named_cells(rows: Iterable[Iterable[Any]], columns: Columns) -> Iterator[Numbered]:
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
