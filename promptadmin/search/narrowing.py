"""Which rows a search for a part of a text needs to read: the index knows all that may have it."""

from __future__ import annotations

from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q

from promptadmin.search import postgresql, rows
from promptadmin.search.finding import rows_that_may_contain
from promptadmin.search.tables import SearchedTable


class Narrowed(NamedTuple):
    """A condition that every row with the text passes, unless so many have it that the newest are soon found."""

    condition: Q
    is_common: bool


NOT_NARROWED = Narrowed(Q(), is_common=False)


def narrow(connection: BaseDatabaseWrapper, table: SearchedTable, text: str | None) -> Narrowed:
    """What narrows a search of a table for a part of its texts; nothing where the index can't tell."""
    if not text:
        return NOT_NARROWED
    if connection.vendor == "postgresql":
        if not postgresql.has_trigrams(connection, table):
            return NOT_NARROWED
        return Narrowed(Q(postgresql.may_contain(table, text)), is_common=False)
    found = rows_that_may_contain(connection, table, text)
    if found is None:
        return NOT_NARROWED
    if found.rows is None:
        return Narrowed(Q(), is_common=True)
    return Narrowed(Q(**{f"{table.key}__{rows.RowIn.lookup_name}": found.rows}), is_common=False)
