"""Which rows a search for a part of a text needs to read: the index knows all that may have it."""

from __future__ import annotations

from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q

from promptadmin.db.lookups import fold
from promptadmin.search import postgresql, rows
from promptadmin.search.finding import rows_that_may_contain
from promptadmin.search.index_file import PART_LENGTH
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
        if not _has_trigrams(connection, table, text):
            return NOT_NARROWED
        keys = postgresql.few_that_may_contain(connection, table, text)
        return Narrowed(Q() if keys is None else Q(**{f"{table.key}__in": keys}), is_common=keys is None)
    found = rows_that_may_contain(connection, table, text)
    if found is None:
        return NOT_NARROWED
    if found.rows is None:
        return Narrowed(Q(), is_common=True)
    return Narrowed(Q(**{f"{table.key}__{rows.RowIn.lookup_name}": found.rows}), is_common=False)


def narrow_for_count(connection: BaseDatabaseWrapper, table: SearchedTable, text: str) -> Q:
    """A condition that every row with the text passes, however many: PostgreSQL then reads no others to count them."""
    helps = connection.vendor == "postgresql" and _has_trigrams(connection, table, text)
    return Q(postgresql.may_contain(table, text)) if helps else Q()


def _has_trigrams(connection: BaseDatabaseWrapper, table: SearchedTable, text: str) -> bool:
    return len(fold(text)) >= PART_LENGTH and postgresql.has_trigrams(connection, table)
