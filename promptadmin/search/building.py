"""Filling the index, a piece at a time.

A piece reads some of the changes that the index hasn't applied, reads their rows as they are at that moment, and writes
documents of these. Cut off anywhere between, the index is as it was, and true. The database's write lock is held for a
moment alone: to delete applied changes from the log or, for a new index, to write the keys of all rows into it.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.sessions import read_session, write_session
from promptadmin.db.sqlite.connections import is_file
from promptadmin.plugins.steps import JobResult
from promptadmin.search import changes, index_file, postgresql
from promptadmin.search.finding import index_of_rows
from promptadmin.search.index_file import Document, Place, Writer
from promptadmin.search.tables import SearchedTable

logger = logging.getLogger(__name__)

CHANGES_A_PIECE = 2_000
#: The index is made anew once so much of it is garbage.
MOST_GARBAGE, GARBAGE_IGNORED = 0.5, 20_000


def index_piece(using: str, table: SearchedTable) -> JobResult:
    """Index some of the rows that aren't, or not as they are now; on PostgreSQL, make an index.

    Does nothing for a SQLite database in memory, nor where SQLite lacks FTS5: there, searches read all rows.
    """
    connection = connections[using]
    if connection.vendor == "postgresql":
        return postgresql.index_piece(using, table)
    if not is_file(connection) or not index_file.is_possible():
        return JobResult(0, 0)
    with read_session(using), index_of_rows(connection, table) as found:
        if found and changes.newest(connection.connection, table).number == found[1].applied:
            return JobResult(0, 0)  # no lock is taken where nothing has changed
    database = Path(connection.settings_dict["NAME"])
    try:
        with index_file.writing(database, table) as index:
            return _index_piece(connection, table, index, _place(connection, table, index))
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        logger.warning("The search index %s is made anew: %s.", index_file.index_path(database), error)
        index_file.remove(database)
        return JobResult(0, 1)


def _place(connection: BaseDatabaseWrapper, table: SearchedTable, index: Writer) -> Place:
    """Where to go on, or begin."""
    place = index.place()
    with write_session(connection.alias):
        raw: sqlite3.Connection = connection.connection
        if place and changes.is_kept(raw, table, place.seen) and index.garbage(place) <= _allowed(place):
            changes.forget(raw, table, place.applied, place.seen)
            return place
        first = changes.begin(raw, table)
    index.begin()
    return Place(first.number, first, 0)


def _allowed(place: Place) -> float:
    return max(GARBAGE_IGNORED, place.documents * MOST_GARBAGE)


def _index_piece(connection: BaseDatabaseWrapper, table: SearchedTable, index: Writer, place: Place) -> JobResult:
    with read_session(connection.alias):
        raw: sqlite3.Connection = connection.connection
        if not changes.is_kept(raw, table, place.seen):  # the database was replaced this very moment
            return JobResult(0, 1)
        found = changes.keys_after(raw, table, place.applied, CHANGES_A_PIECE)
        applied, seen = found[-1][0] if found else place.applied, changes.newest(raw, table)
        keys = dict.fromkeys(key for _, key in found)
        index.replace(keys, _documents(raw, table, keys))
        index.settle(applied, seen)
    return JobResult(len(keys), seen.number - applied)


def _documents(raw: sqlite3.Connection, table: SearchedTable, keys: Iterable[str]) -> Iterator[Document]:
    """The rows that are there. As bytes: other programs may have stored what is no UTF-8, or no text."""
    texts = ", ".join(f"CAST({column} AS BLOB)" for column in table.text_columns)
    facets = "".join(
        f", CASE WHEN TYPEOF({value}) = 'text' THEN CAST({value} AS BLOB) END"
        for value in (coalesced(columns) for columns in table.facets.values())
    )
    statement = f"SELECT {texts}{facets} FROM {table.name} WHERE {table.key} = ?"
    for key in keys:
        values = raw.execute(statement, [key]).fetchone()
        if values is not None:
            decoded = [None if value is None else value.decode(errors="replace") for value in values]
            yield Document(key, decoded[: len(table.text_columns)], decoded[len(table.text_columns) :])


def coalesced(columns: tuple[str, ...]) -> str:
    """The first of these columns that isn't NULL, in SQL."""
    return columns[0] if len(columns) == 1 else f"COALESCE({', '.join(columns)})"
