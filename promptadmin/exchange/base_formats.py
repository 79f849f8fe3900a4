"""What every file format has: how it reads rows with their numbers, and how it writes any number of records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any, ClassVar

from import_export.formats.base_formats import Format
from openpyxl.utils import get_column_letter

from promptadmin.exchange.cells import Kind, read_cell
from promptadmin.exchange.lines import MAX_LINES, Numbered

Columns = Mapping[str, Kind]
Record = Mapping[str, Any]

MAX_BYTES = 64 * 1024 * 1024
PART_BYTES = 64 * 1024
#: What pandas names a column that has no name.
UNNAMED = re.compile(r"Unnamed: \d+")


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


def named_cells(
    rows: Iterable[Iterable[Any]], columns: Columns, *, has_decimal_commas: bool = False
) -> Iterator[Numbered]:
    """The rows as values by the names in the head; the head is row 1. Rows of nothing but empty cells are none."""
    found = iter(rows)
    head = Head([str(cell or "").strip() for cell in next(found, [])])
    for number, row in enumerate(found, start=2):
        if number > MAX_LINES * 100:
            raise Unreadable("This sheet has too many empty rows: save the filled ones alone.")
        cells = list(row)
        if all(cell in (None, "") for cell in cells):
            continue
        named = head.named(number, cells)
        if any(cell not in (None, "") for cell in named.values()):
            yield (
                number,
                {name: read_cell(cell, columns.get(name, "text"), has_decimal_commas) for name, cell in named.items()},
            )


class Head:
    """The names of the columns. A column without a name may be empty, or be the number of the row first of all."""

    def __init__(self, names: list[str]) -> None:
        self.names = ["" if UNNAMED.fullmatch(name) else name for name in names]
        named = [name for name in self.names if name]
        if len(named) != len(set(named)):
            raise Unreadable("Two columns have the same name: the first row must name each column once.")
        self._next_of_index: int | None = None

    def named(self, number: int, cells: list[Any]) -> dict[str, Any]:
        """The cells of a row by the names of their columns; a short row ends with empty cells."""
        if len(cells) > len(self.names) and any(cell not in (None, "") for cell in cells[len(self.names) :]):
            raise Unreadable(f"Row {number} has more cells than the first row has names.")
        for place, (name, cell) in enumerate(zip(self.names, cells, strict=False)):
            if not name and cell not in (None, "") and not (place == 0 and self._is_next_of_index(cell)):
                raise Unreadable(
                    f"Column {get_column_letter(place + 1)} has no name and is not empty (row {number}): "
                    "name it in the first row, or delete it."
                )
        pairs = zip_longest(self.names, cells[: len(self.names)])
        return {name: cell for name, cell in pairs if name}

    def _is_next_of_index(self, cell: Any) -> bool:
        """Whether the cells of the column have counted the rows from 0 or 1 until here."""
        text = str(cell)
        if self._next_of_index is None and text in ("0", "1"):
            self._next_of_index = int(text)
        if text != str(self._next_of_index):
            return False
        self._next_of_index = int(text) + 1
        return True
