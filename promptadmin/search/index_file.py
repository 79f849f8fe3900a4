"""The index, as it is read, and the log of changes by which it is known how far it is right.

The index is a SQLite file beside the database, which holds nothing that can't be made again: it keeps no writer of the
database waiting while it is filled, makes no backup larger, and is in no other program's way. A searched table has two
tables of FTS5 there, one of words and one of trigrams, and a map of documents' numbers to rows' keys.

The log is a table of the database. Triggers, in plain SQL, write the key of each row that any program adds, changes,
renames or deletes. So the index is right about every row whose key isn't in an entry after the last one that it has
applied. A row is known by its key alone: VACUUM, a dump or another program may give it any rowid. Each entry has a
random token. An index remembers the newest entry that there was when it read the rows, and is asked only of a database
that has it: not of a backup from before that moment, nor of another file at the same path.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.deadlines import respect_deadlines
from promptadmin.db.derived_tables import PREFIX
from promptadmin.db.sqlite.connections import is_file
from promptadmin.search.tables import SearchedTable

logger = logging.getLogger(__name__)

SUFFIX = "-search"
FORMAT = 4  # another number, and the index is made anew
#: Begins a word that stands for a facet: no letter, so no text has such a word.
FACET = "\ue000"
CACHE_KIB = 32 * 1024
LAST_DOCUMENT = 2**62
#: Where more changes aren't indexed yet, the index isn't asked.
MOST_CHANGES = 20_000

_open = threading.local()


class Entry(NamedTuple):
    """An entry of the log, without its key."""

    number: int
    token: int


def log_of(table: SearchedTable) -> str:
    """The name of a table's log."""
    return f"{PREFIX}search_{table.name}"


def log_statements(table: SearchedTable) -> list[str]:
    """What makes the log and its triggers.

    REPLACE deletes rows without their triggers: one with the same key, which is logged anyway, or with the same rowid.
    """
    name, key, log = table.name, table.key, log_of(table)
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in (key, *table.columns))
    replaced = f"INSERT INTO {log} (key) SELECT {key} FROM {name} WHERE rowid = NEW.rowid"
    return [
        # AUTOINCREMENT: no number comes twice, however often the log is begun anew.
        f"CREATE TABLE {log} (number INTEGER PRIMARY KEY AUTOINCREMENT, key, token INTEGER DEFAULT (RANDOM()))",
        f"CREATE TRIGGER {log}_added AFTER INSERT ON {name} BEGIN INSERT INTO {log} (key) VALUES (NEW.{key}); END",
        f"CREATE TRIGGER {log}_changed AFTER UPDATE OF {key}, {', '.join(table.columns)} ON {name} WHEN {changed} "
        f"BEGIN INSERT INTO {log} (key) SELECT OLD.{key} UNION SELECT NEW.{key}; END",
        f"CREATE TRIGGER {log}_deleted AFTER DELETE ON {name} BEGIN INSERT INTO {log} (key) VALUES (OLD.{key}); END",
        f"CREATE TRIGGER {log}_replaced BEFORE INSERT ON {name} BEGIN {replaced}; END",
        f"CREATE TRIGGER {log}_renumbered BEFORE UPDATE OF rowid, _rowid_, oid ON {name} BEGIN {replaced}; END",
    ]


def is_kept(raw: sqlite3.Connection, table: SearchedTable, entry: Entry) -> bool:
    """Whether the log has this entry and, as no program has taken its triggers away, all changes since."""
    statements = log_statements(table)
    made = f"SELECT COUNT(*) FROM sqlite_master WHERE sql IN ({', '.join('?' * len(statements))})"
    if raw.execute(made, statements).fetchone()[0] < len(statements):
        return False
    found = f"SELECT 1 FROM {log_of(table)} WHERE number = ? AND token = ?"
    return raw.execute(found, entry).fetchone() is not None


def newest_entry(raw: sqlite3.Connection, table: SearchedTable) -> Entry:
    """The newest entry."""
    return Entry(*raw.execute(f"SELECT number, token FROM {log_of(table)} ORDER BY number DESC LIMIT 1").fetchone())


def keys_after(raw: sqlite3.Connection, table: SearchedTable, number: int, limit: int) -> list[tuple[int, str]]:
    """(number, key) of up to `limit` entries after one, in their order.

    As texts: no row with another kind of key is found by it, nor one without a key.
    """
    statement = (
        f"SELECT number, COALESCE(CAST(key AS TEXT), '') FROM {log_of(table)} WHERE number > ? ORDER BY number LIMIT ?"
    )
    return raw.execute(statement, [number, limit]).fetchall()


class Place(NamedTuple):
    """What a table's documents are made from: the changes up to `applied`, read when `seen` was the newest entry."""

    applied: int
    seen: Entry
    documents: int


class Query(NamedTuple):
    """What an index is asked: its table of `words` or of `parts`, and what FTS5 shall find there."""

    kind: str
    match: str


def index_path(database: str | Path) -> Path:
    """Where the index of a database file is."""
    return Path(f"{database}{SUFFIX}")


def facet_word(name: str, value: str) -> str:
    """The word that stands for a facet's value; two values have the same one as good as never."""
    return FACET + hashlib.blake2b(f"{name}={value}".encode(errors="surrogatepass"), digest_size=10).hexdigest()


class Reader:
    """A table's part of an open index, as of one moment."""

    def __init__(self, raw: sqlite3.Connection, table: SearchedTable) -> None:
        self.raw, self.table = raw, table
        self.documents = f"{table.name}_documents"

    def place(self) -> Place | None:
        """What the table's documents are made from; None where there are none."""
        try:
            row = self.raw.execute(
                "SELECT applied, seen, token, documents FROM places, pragma_user_version "
                "WHERE name = ? AND user_version = ?",
                [self.table.name, FORMAT],
            ).fetchone()
        except sqlite3.DatabaseError:  # it is being made, or damaged, or of another format
            return None
        return Place(row[0], Entry(row[1], row[2]), row[3]) if row else None

    def newest(self, query: Query, limit: int, before: int = LAST_DOCUMENT) -> list[tuple[int, str]]:
        """(document, key) of up to `limit` documents that match, the newest first."""
        statement = f"SELECT f.rowid, d.key {self._matching(query)} AND f.rowid < ? ORDER BY f.rowid DESC LIMIT ?"
        return self.raw.execute(statement, [query.match, before, limit]).fetchall()

    def all(self, query: Query) -> set[int]:
        """All documents that match."""
        return {found for (found,) in self.raw.execute(f"SELECT f.rowid {self._matching(query)}", [query.match])}

    def _matching(self, query: Query) -> str:
        name = f"{self.table.name}_{query.kind}"
        return f"FROM {name} f CROSS JOIN {self.documents} d ON d.number = f.rowid WHERE {name} MATCH ?"

    def of_keys(self, keys: Iterable[str]) -> set[int]:
        """The documents of rows with these keys."""
        statement = f"SELECT number FROM {self.documents} WHERE key = ?"
        return {found for key in keys for (found,) in self.raw.execute(statement, [key])}

    def keys(self, documents: Collection[int]) -> set[str]:
        """The keys of the rows of documents."""
        statement = f"SELECT key FROM {self.documents} WHERE number IN (SELECT value FROM json_each(?))"
        return {key for (key,) in self.raw.execute(statement, [json.dumps(list(documents))])}


@contextlib.contextmanager
def reading(database: str | Path, table: SearchedTable) -> Iterator[Reader | None]:
    """The table's part of the index of a database, as of one moment; None where there is none."""
    raw = _reading_connection(index_path(database))
    if raw is None:
        yield None
        return
    if raw.in_transaction:  # a search within a search sees the same moment
        yield Reader(raw, table)
        return
    raw.execute("BEGIN")
    try:
        yield Reader(raw, table)
    finally:
        raw.rollback()


def _reading_connection(path: Path) -> sqlite3.Connection | None:
    """The connection of this thread to an index; another one where another file has taken the path."""
    known: dict[Path, tuple[tuple[int, int], sqlite3.Connection]] = _open.__dict__.setdefault("connections", {})
    try:
        status = path.stat()
    except OSError:
        status = None
    identity = (status.st_dev, status.st_ino) if status else None
    if path in known:
        if known[path][0] == identity:
            return known[path][1]
        known.pop(path)[1].close()
    if identity is None:
        return None
    raw = sqlite3.connect(path, isolation_level=None, timeout=5)
    try:
        for pragma in (f"cache_size=-{CACHE_KIB}", "mmap_size=268435456", "temp_store=MEMORY", "query_only=ON"):
            raw.execute(f"PRAGMA {pragma}").fetchall()
    except sqlite3.DatabaseError:  # damaged: upkeep will see
        raw.close()
        return None
    respect_deadlines(raw)
    known[path] = (identity, raw)
    return raw


class Known(NamedTuple):
    """An open index, which is right about all rows but those with these keys."""

    reader: Reader
    changed: set[str]


@contextlib.contextmanager
def index_of_rows(connection: BaseDatabaseWrapper, table: SearchedTable) -> Iterator[tuple[Reader, Place] | None]:
    """The index of a SQLite table, if there is one that was made from its rows, and its place."""
    if not is_file(connection) or connection.connection is None:
        yield None
        return
    with reading(connection.settings_dict["NAME"], table) as index:
        place = index.place() if index else None
        is_right = place is not None and is_kept(connection.connection, table, place.seen)
        yield (index, place) if index and place and is_right else None


@contextlib.contextmanager
def known_index(connection: BaseDatabaseWrapper, table: SearchedTable) -> Iterator[Known | None]:
    """The same, unless many changes aren't indexed yet. Of a damaged index, the block ends where it is asked."""
    try:
        with index_of_rows(connection, table) as found:
            known = None
            if found:
                index, place = found
                after = keys_after(connection.connection, table, place.applied, MOST_CHANGES + 1)
                known = Known(index, {key for _, key in after}) if len(after) <= MOST_CHANGES else None
            yield known
    except sqlite3.OperationalError:  # a deadline
        raise
    except sqlite3.DatabaseError as error:
        logger.warning("The search index is damaged (%s): rows are read instead.", error)
