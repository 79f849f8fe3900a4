"""How much of the tables is indexed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.search import postgresql, tracking
from promptadmin.search.finding import known_index
from promptadmin.search.tables import SearchedTable


class Progress(NamedTuple):
    """How many of how many rows are indexed, about: of SQLite's numbers of rows, some may be nobody's."""

    done: int
    total: int


def index_progress(connection: BaseDatabaseWrapper, tables: Iterable[SearchedTable]) -> Progress:
    """How much of these tables is indexed."""
    counted = [_of_table(connection, table) for table in tables]
    return Progress(sum(done for done, _ in counted), sum(total for _, total in counted))


def _of_table(connection: BaseDatabaseWrapper, table: SearchedTable) -> tuple[int, int]:
    if connection.vendor == "postgresql":
        return postgresql.progress(connection, table)
    with known_index(connection, table) as known:
        mark = known[1].mark if known else 0
    highest = tracking.count_after(connection.connection, table, 0)
    return min(mark, highest), highest
