"""Filling the index, a piece at a time.

A piece first tells the database up to which row changes are noted from now on, then reads, then changes the index. Cut
off anywhere between, the index is as it was, and true. The database's write lock is held for the first step alone.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.sessions import read_session, write_session
from promptadmin.db.sqlite.connections import is_file
from promptadmin.plugins.steps import JobResult
from promptadmin.search import index_file, postgresql, tracking
from promptadmin.search.index_file import EMPTY, FIRST_LATER, Document, Place, Reader
from promptadmin.search.tables import SearchedTable

logger = logging.getLogger(__name__)

ROWS_A_PIECE = 2_000
#: The index is made anew once nothing leads to this much of it any more.
MOST_GARBAGE, GARBAGE_IGNORED = 0.5, 20_000
#: So is it where more rows up to its mark are proven by no witness.
MOST_UNPROVEN = 20_000


class Work(NamedTuple):
    """What there is to do: whether to begin anew, the rows to add, those to read again, the changes to apply."""

    is_anew: bool
    place: Place
    rows: list[int]
    unproven: list[int]
    changes: list[tuple[int, int]]  # (number, row)
    is_moved: bool  # whether the database should learn that its schema's version is another one


def index_piece(using: str, table: SearchedTable) -> JobResult:
    """Index some of the rows that aren't, or not as they are now; on PostgreSQL, make an index.

    Does nothing for a SQLite database in memory, nor where SQLite lacks FTS5: there, searches read all rows.
    """
    connection = connections[using]
    if connection.vendor == "postgresql":
        return postgresql.index_piece(using, table)
    if not is_file(connection) or not index_file.is_possible():
        return JobResult(0, 0)
    database = Path(connection.settings_dict["NAME"])
    try:
        with read_session(using), index_file.reading(database, table) as reader:
            work = _find_work(connection, table, reader)  # so that no lock is taken where nothing has changed
        if not (work.is_anew or work.rows or work.unproven or work.changes or work.is_moved):
            return JobResult(0, 0)
        return _do_work(connection, database, table)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        logger.warning("The search index %s is damaged (%s): it is made anew.", index_file.index_path(database), error)
        index_file.remove(database)
        return JobResult(0, 1)


def _find_work(connection: BaseDatabaseWrapper, table: SearchedTable, index: Reader | None) -> Work:
    raw: sqlite3.Connection = connection.connection
    state, place = tracking.read_state(raw, table), index.place() if index else None
    first = tracking.first_row(raw, table)
    if first is not None and first < 1:
        return Work(place is not None and place.mark > 0, EMPTY, [], [], [], False)
    unproven = _unproven(raw, table, index, place)
    if unproven is None or not index or not place or not state or index.garbage(place) > _allowed(place):
        return Work(True, EMPTY, _new_rows(raw, table, 0), [], [], False)
    rows = _new_rows(raw, table, place.mark)
    changes = tracking.changes_after(raw, table, place.applied, max(1, ROWS_A_PIECE - len(rows)))
    return Work(False, place, rows, unproven, changes, state.schema_version != state.schema_version_now)


def _new_rows(raw: sqlite3.Connection, table: SearchedTable, mark: int) -> list[int]:
    return tracking.rows_after(raw, table, mark, ROWS_A_PIECE, up_to=FIRST_LATER - 1)


def _unproven(
    raw: sqlite3.Connection, table: SearchedTable, index: Reader | None, place: Place | None
) -> list[int] | None:
    """The rows up to the mark that no witness proves to have the numbers they had; None where they are too many."""
    state = tracking.read_state(raw, table)
    if index is None or place is None or state is None:
        return None
    proven = tracking.proven(raw, table, state, place, index.witnesses())
    if proven is None:
        return None
    rows = tracking.rows_after(raw, table, proven, MOST_UNPROVEN + 1, up_to=place.mark)
    return rows if len(rows) <= MOST_UNPROVEN else None


def _allowed(place: Place) -> float:
    return max(GARBAGE_IGNORED, place.docs * MOST_GARBAGE)


def _do_work(connection: BaseDatabaseWrapper, database: Path, table: SearchedTable) -> JobResult:
    with index_file.writing(database, table) as index:
        token = secrets.token_hex(16)
        with write_session(connection.alias):
            work = _find_work(connection, table, index)
            if work.is_anew:
                tracking.begin_anew(connection, table, token)
            mark = work.rows[-1] if work.rows else work.place.mark
            tracking.announce(connection, table, mark=mark, token=token, place=work.place)
        if work.is_anew:
            index.empty()
        applied = work.changes[-1][0] if work.changes else work.place.applied
        with read_session(connection.alias):
            raw: sqlite3.Connection = connection.connection
            unproven = [] if work.is_anew else _unproven(raw, table, index, work.place)
            if unproven is None:  # rows were numbered anew this very moment
                return JobResult(0, 1)
            changed = {*unproven, *(row for _, row in work.changes)}
            rows = {*tracking.rows_after(raw, table, work.place.mark, up_to=mark), *changed}
            documents = _documents(raw, table, rows)
            index.add(documents, changed, work.place._replace(mark=mark, applied=applied, token=token))
            index.remember(tracking.choose_witnesses(raw, table, mark))
            left = tracking.count_after(raw, table, mark) + len(tracking.changes_after(raw, table, applied, 10_000))
    return JobResult(len(rows), left if mark else 0)


def _documents(raw: sqlite3.Connection, table: SearchedTable, rows: Collection[int]) -> Iterator[Document]:
    """The rows that are there. As bytes: other programs may have stored what is no UTF-8, or no text."""
    texts = ", ".join(f"CAST({column} AS BLOB)" for column in table.text_columns)
    facets = "".join(
        f", CASE WHEN TYPEOF({value}) = 'text' THEN CAST({value} AS BLOB) END"
        for value in (coalesced(columns) for columns in table.facets.values())
    )
    statement = f"SELECT {texts}{facets} FROM {table.name} WHERE rowid = ?"
    for row in sorted(rows):
        values = raw.execute(statement, [row]).fetchone()
        if values is not None:
            decoded = [None if value is None else value.decode(errors="replace") for value in values]
            yield Document(row, decoded[: len(table.text_columns)], decoded[len(table.text_columns) :])


def coalesced(columns: tuple[str, ...]) -> str:
    """The first of these columns that isn't NULL, in SQL."""
    return columns[0] if len(columns) == 1 else f"COALESCE({', '.join(columns)})"
