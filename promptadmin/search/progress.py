"""How much of the tables is indexed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.raw import fetch_all
from promptadmin.search import postgresql
from promptadmin.search.index_file import index_of_rows, newest_entry
from promptadmin.search.tables import SearchedTable


class Progress(NamedTuple):
    """How many of how many rows are indexed, about: on SQLite, rows that changed since count twice."""

    done: int
    total: int


def index_progress(connection: BaseDatabaseWrapper, tables: Iterable[SearchedTable]) -> Progress:
    """How much of these tables is indexed."""
    counted = [_of_table(connection, table) for table in tables]
    return Progress(sum(done for done, _ in counted), sum(total for _, total in counted))


def has_index(connection: BaseDatabaseWrapper, table: SearchedTable) -> bool:
    """Whether words are looked up; until upkeep has made the index of a SQLite file, they are read for row by row."""
    if connection.vendor == "postgresql":
        return True
    with index_of_rows(connection, table) as found:
        return found is not None


def _of_table(connection: BaseDatabaseWrapper, table: SearchedTable) -> tuple[int, int]:
    if connection.vendor == "postgresql":
        return postgresql.progress(connection, table)
    with index_of_rows(connection, table) as found:
        if found is None:
            [(total,)] = fetch_all(connection, f"SELECT COUNT(*) FROM {table.name}", [])
            return 0, total
        place = found[1]
        left = newest_entry(connection.connection, table).number - place.applied
        return place.documents, place.documents + left
