"""What an application says of a table, so that its rows can go to files and come from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django.db import models
from django.db.models import QuerySet

from promptadmin.exchange.base_formats import Columns, Record
from promptadmin.exchange.downloads import read_in_chunks
from promptadmin.exchange.lines import Imported, Line, LineError, Numbered


class Table:
    """The base of the applications' tables. Its rows are written by a repository, all of a file or none."""

    model: ClassVar[type[models.Model]]
    #: Column → what its cells hold, in the order of a file.
    columns: ClassVar[Columns]
    #: More columns that an import takes, and an export doesn't write.
    also: ClassVar[Columns] = {}
    #: Columns that a file may have, and that say nothing new.
    ignored: ClassVar[tuple[str, ...]] = ()
    #: Columns that a preview shows.
    shown: ClassVar[tuple[str, ...]]
    #: What people should know before they import.
    note: ClassVar[str] = ""

    def check(self, rows: Iterable[Numbered]) -> tuple[list[Line], list[LineError]]:
        """The rows that a repository could take, and what is wrong with the others."""
        raise NotImplementedError

    def write(self, lines: list[Line]) -> Imported:
        """Store the rows that aren't there yet, inside a write session. Raises ImportRefused and DomainError."""
        raise NotImplementedError

    def values(self, rows: QuerySet[Any]) -> QuerySet[Any, Any]:
        """What an export reads of rows, in the order of the file: a `values_list`."""
        raise NotImplementedError

    def record(self, values: Any) -> Record:
        """A row by the names of `columns`, from what `values` answers."""
        raise NotImplementedError

    def records(self, rows: QuerySet[Any]) -> Iterator[Record]:
        """The rows, as they were when the first was read, in constant memory."""
        for values in read_in_chunks(self.values(rows), rows.db):
            yield self.record(values)
