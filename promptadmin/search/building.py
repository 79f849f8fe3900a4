"""Filling the index, a piece at a time.

A piece reads some of the changes that the index hasn't applied, reads their rows as they are at that moment, and writes
documents of these. Cut off anywhere between, the index is as it was, and true. The database's write lock is held for a
moment alone: to delete applied changes from the log or, for a new index, to write the keys of all rows into it.

What FTS5 has is never changed, because it would have to be told the old text: a row that changes gets a new document,
and its old one is no longer in the map. What is indexed is folded here, as `promptadmin.db.lookups` does it, because
SQLite folds ASCII letters only, or simply.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.derived_tables import PREFIX
from promptadmin.db.lookups import fold, texts_in_json
from promptadmin.db.sessions import read_session, write_session
from promptadmin.db.sqlite.connections import is_file
from promptadmin.plugins.steps import JobResult
from promptadmin.search import postgresql
from promptadmin.search.index_file import (
    FORMAT,
    Entry,
    Place,
    Reader,
    facet_word,
    index_of_rows,
    index_path,
    is_kept,
    keys_after,
    log_of,
    log_statements,
    newest_entry,
)
from promptadmin.search.tables import SearchedTable
from promptadmin.search.words import words

logger = logging.getLogger(__name__)

CHANGES_A_PIECE = 2_000
#: The index is made anew once so much of it is garbage.
MOST_GARBAGE, GARBAGE_IGNORED = 0.5, 20_000
#: Stands between two columns of a row, so that nothing is found across them.
BETWEEN_TEXTS = "\ue001"
CACHE_KIB = 64 * 1024
#: What earlier releases kept instead of the log.
FORMER_TABLES = (f"{PREFIX}search_changes", f"{PREFIX}search_state")


class Document(NamedTuple):
    """What the index is made from of one row: its key, its text columns and its facets, as they are stored."""

    key: str
    texts: Sequence[str | None]
    facets: Sequence[str | None]


def index_piece(using: str, table: SearchedTable) -> JobResult:
    """Index some of the rows that aren't, or not as they are now; on PostgreSQL, make an index.

    Does nothing for a SQLite database in memory, nor where SQLite lacks FTS5: there, searches read all rows.
    """
    connection = connections[using]
    if connection.vendor == "postgresql":
        return postgresql.index_piece(using, table)
    if not is_file(connection) or not is_possible():
        return JobResult(0, 0)
    with read_session(using), index_of_rows(connection, table) as found:
        if found and newest_entry(connection.connection, table).number == found[1].applied:
            return JobResult(0, 0)  # no lock is taken where nothing has changed
    database = Path(connection.settings_dict["NAME"])
    try:
        with writing(database, table) as index:
            return _index_piece(connection, table, index, _place(connection, table, index))
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        logger.warning("The search index %s is made anew: %s.", index_path(database), error)
        remove(database)
        return JobResult(0, 1)


def _place(connection: BaseDatabaseWrapper, table: SearchedTable, index: Writer) -> Place:
    """Where to go on, or begin."""
    place = index.place()
    with write_session(connection.alias):
        raw: sqlite3.Connection = connection.connection
        if place and is_kept(raw, table, place.seen) and index.garbage(place) <= _allowed(place):
            forget(raw, table, place.applied, place.seen)
            return place
        first = begin_log(raw, table)
    index.begin()
    return Place(first.number, first, 0)


def _allowed(place: Place) -> float:
    return max(GARBAGE_IGNORED, place.documents * MOST_GARBAGE)


def _index_piece(connection: BaseDatabaseWrapper, table: SearchedTable, index: Writer, place: Place) -> JobResult:
    with read_session(connection.alias):
        raw: sqlite3.Connection = connection.connection
        if not is_kept(raw, table, place.seen):  # the database was replaced this very moment
            return JobResult(0, 1)
        found = keys_after(raw, table, place.applied, CHANGES_A_PIECE)
        applied, seen = found[-1][0] if found else place.applied, newest_entry(raw, table)
        keys = dict.fromkeys(key for _, key in found)
        index.replace(keys, _documents(raw, table, keys))
        index.settle(applied, seen)
    return JobResult(len(keys), seen.number - applied)


def _documents(raw: sqlite3.Connection, table: SearchedTable, keys: Iterable[str]) -> Iterator[Document]:
    """The rows that are there. As bytes: other programs may have stored what is no UTF-8, or no text."""
    texts = ", ".join(f"CAST({column} AS BLOB)" for column in table.text_columns)
    facets = "".join(
        f", CASE WHEN TYPEOF({value}) = 'text' THEN CAST({value} AS BLOB) END"
        for value in (f"COALESCE({', '.join(columns)}, NULL)" for columns in table.facets.values())
    )
    statement = f"SELECT {texts}{facets} FROM {table.name} WHERE {table.key} = ?"
    for key in keys:
        values = raw.execute(statement, [key]).fetchone()
        if values is not None:
            decoded = [None if value is None else value.decode(errors="replace") for value in values]
            yield Document(key, decoded[: len(table.text_columns)], decoded[len(table.text_columns) :])


def begin_log(raw: sqlite3.Connection, table: SearchedTable) -> Entry:
    """Begin the log anew, within a write session: with an entry without a key, which is answered, and then all keys."""
    log = log_of(table)
    make_log, *make_triggers = log_statements(table)
    raw.execute(make_log.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1))
    made = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? AND SUBSTR(name, 1, ?) = ?"
    for (name,) in raw.execute(made, [table.name, len(log) + 1, f"{log}_"]).fetchall():
        raw.execute(f"DROP TRIGGER {name}")
    for statement in make_triggers:
        raw.execute(statement)
    _drop_former(raw)
    raw.execute(f"DELETE FROM {log}")
    raw.execute(f"INSERT INTO {log} (key) VALUES (NULL)")
    first = newest_entry(raw, table)
    # Sorted by +rowid, because it takes longer to read the table, whose rows are large, than the index of its keys.
    raw.execute(f"INSERT INTO {log} (key) SELECT {table.key} FROM {table.name} ORDER BY +rowid")
    return first


def _drop_former(raw: sqlite3.Connection) -> None:
    """Drop what earlier releases kept, once no table has a trigger left that writes to it."""
    used = "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND INSTR(sql, ?)"
    if not raw.execute(used, [FORMER_TABLES[0]]).fetchone():
        for name in FORMER_TABLES:
            raw.execute(f"DROP TABLE IF EXISTS {name}")


def forget(raw: sqlite3.Connection, table: SearchedTable, applied: int, kept: Entry) -> None:
    """Delete the entries up to one that are applied, but for the one that the index is known by."""
    raw.execute(f"DELETE FROM {log_of(table)} WHERE number <= ? AND number < ?", [applied, kept.number])


def folded_texts(table: SearchedTable, texts: Sequence[str | None]) -> list[str]:
    """The texts of a row, folded: with those in JSON as they are stored and, where that differs, as they are meant."""
    found = [fold(text) for text in texts[: len(table.texts)] if text]
    for stored in texts[len(table.texts) :]:
        if stored:
            found.append(fold(stored))
            if "\\" in stored:
                with contextlib.suppress(ValueError, RecursionError):
                    found += [fold(text) for text in texts_in_json(json.loads(stored))]
    return found


def is_possible() -> bool:
    """Whether this SQLite can keep such an index."""
    with contextlib.closing(sqlite3.connect(":memory:")) as raw:
        try:
            raw.execute("CREATE VIRTUAL TABLE t USING fts5(parts, content='', tokenize='trigram case_sensitive 1')")
        except sqlite3.OperationalError:
            return False
        return True


class Writer(Reader):
    """A table's part of an open index, to be added to."""

    def begin(self) -> None:
        """Begin anew, with no document."""
        name, options = self.table.name, "content='', columnsize=0, detail=none"
        for made in (f"{name}_words", f"{name}_parts", self.documents):
            self.raw.execute(f"DROP TABLE IF EXISTS {made}")
        for statement in (
            f"CREATE VIRTUAL TABLE {name}_words USING fts5(words, {options}, tokenize='ascii')",
            f"CREATE VIRTUAL TABLE {name}_parts USING fts5(parts, {options}, tokenize='trigram case_sensitive 1')",
            # AUTOINCREMENT: no number comes twice, because FTS5 still knows the document that had it.
            f"CREATE TABLE {self.documents} (number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE)",
            "CREATE TABLE IF NOT EXISTS places (name TEXT PRIMARY KEY, applied INTEGER, seen INTEGER, token INTEGER, "
            "documents INTEGER)",
            f"PRAGMA user_version={FORMAT}",
        ):
            self.raw.execute(statement)

    def garbage(self, place: Place) -> int:
        """How many documents are no longer in the map."""
        newest = self.raw.execute(f"SELECT MAX(number) FROM {self.documents}").fetchone()[0]
        return int((newest or 0) - place.documents)

    def replace(self, keys: Iterable[str], documents: Iterable[Document]) -> None:
        """Forget the documents of rows with these keys, and add those that there are now."""
        name = self.table.name
        self.raw.executemany(f"DELETE FROM {self.documents} WHERE key = ?", ((key,) for key in keys))
        for document in documents:
            number = self.raw.execute(f"INSERT INTO {self.documents} (key) VALUES (?)", [document.key]).lastrowid
            folded = folded_texts(self.table, document.texts)
            pairs = zip(self.table.facets, document.facets, strict=True)
            facets = [facet_word(facet, value) for facet, value in pairs if value is not None]
            found = dict.fromkeys(word for text in folded for word in words(text))
            self.raw.execute(
                f"INSERT INTO {name}_words (rowid, words) VALUES (?, ?)", [number, " ".join([*found, *facets])]
            )
            whole = BETWEEN_TEXTS.join(folded).replace("\0", BETWEEN_TEXTS)  # at a NUL, the tokenizer stops
            whole = whole.encode(errors="replace").decode()  # a JSON escape can name half a character
            self.raw.execute(f"INSERT INTO {name}_parts (rowid, parts) VALUES (?, ?)", [number, whole])

    def settle(self, applied: int, seen: Entry) -> None:
        """Note what the documents are made from now."""
        self.raw.execute(
            "INSERT OR REPLACE INTO places (name, applied, seen, token, documents) "
            f"SELECT ?, ?, ?, ?, COUNT(*) FROM {self.documents}",
            [self.table.name, applied, *seen],
        )


@contextlib.contextmanager
def writing(database: str | Path, table: SearchedTable) -> Iterator[Writer]:
    """The table's part of the index, to be added to; one process at a time. What fails leaves it as it was.

    Raises sqlite3.DatabaseError for a file that is damaged, or of another format.
    """
    path = index_path(database)
    with contextlib.suppress(FileExistsError):  # to open and close it would drop the locks of its connections
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as raw:
        for pragma in ("journal_mode=WAL", f"cache_size=-{CACHE_KIB}"):
            raw.execute(f"PRAGMA {pragma}")
        raw.execute("BEGIN IMMEDIATE")
        try:
            if raw.execute("PRAGMA user_version").fetchone()[0] not in (0, FORMAT):
                raise sqlite3.DatabaseError("another release made it")
            yield Writer(raw, table)
            raw.execute("COMMIT")
        except BaseException:
            raw.execute("ROLLBACK")
            raise


def remove(database: str | Path) -> None:
    """Remove the index; whoever reads it goes on with the file that it has open until the next search."""
    path = index_path(database)
    for companion in (path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "")):
        companion.unlink(missing_ok=True)
