"""What every file format has: how it reads rows with their numbers, and how it writes any number of records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from import_export.formats.base_formats import Format

from promptadmin.exchange.cells import Kind
from promptadmin.exchange.lines import Numbered
from promptadmin.exchange.notes import Notes

Columns = Mapping[str, Kind]
Record = Mapping[str, Any]

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
        #: What reading has assumed of the file.
        self.notes = Notes()

    def get_title(self) -> str:
        return self.name

    def get_extension(self) -> str:
        return self.extension

    def get_content_type(self) -> str:
        return self.content_type

    def can_import(self) -> bool:
        return True

    def can_export(self) -> bool:
        return True

    def read(self, content: bytes, columns: Columns) -> Iterator[Numbered]:
        """The rows, each as its values or as the JSON that says them. Raises Unreadable."""
        raise NotImplementedError

    def write(self, records: Iterable[Record], columns: Columns) -> Iterator[bytes]:
        """The file, in parts. Raises Unwritable before the first."""
        raise NotImplementedError
