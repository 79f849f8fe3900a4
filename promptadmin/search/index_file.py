"""The index: a SQLite file beside the database, which holds nothing that can't be made again.

A file of its own keeps no writer of the database waiting while it is filled, makes no backup larger, and is in no other
program's way. A searched table has two tables of FTS5 there, one of words and one of trigrams, and a map from documents'
numbers to rows' keys. Nothing in FTS5's tables is ever changed, because it would have to be told the old text: a row that
changes gets a new document, and its old one is no longer in the map.

What is indexed is folded here, as `promptadmin.db.lookups` does it, because SQLite folds ASCII letters only, or simply.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from promptadmin.db.deadlines import respect_deadlines
from promptadmin.db.lookups import fold, texts_in_json
from promptadmin.search.changes import Entry
from promptadmin.search.tables import SearchedTable
from promptadmin.search.words import words

SUFFIX = "-search"
FORMAT = 4  # another number, and the index is made anew
#: Begins a word that stands for a facet: no letter, so no text has such a word.
FACET = "\ue000"
#: Stands between two columns of a row, so that nothing is found across them.
BETWEEN_TEXTS = "\ue001"
PART_LENGTH = 3  # what the trigram index finds has three characters or more
CACHE_KIB = 32 * 1024
WRITER_CACHE_KIB = 64 * 1024
LAST_DOCUMENT = 2**62

_open = threading.local()


class Place(NamedTuple):
    """What a table's documents are made from: the changes up to `applied`, read when `seen` was the newest entry."""

    applied: int
    seen: Entry
    documents: int


class Document(NamedTuple):
    """What the index is made from of one row: its key, its text columns and its facets, as they are stored."""

    key: str
    texts: Sequence[str | None]
    facets: Sequence[str | None]


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
        statement = f"SELECT d.number FROM json_each(?) AS asked JOIN {self.documents} AS d ON d.key = asked.value"
        return {found for (found,) in self.raw.execute(statement, [json.dumps(list(keys))])}

    def keys(self, documents: Collection[int]) -> set[str]:
        """The keys of the rows of documents."""
        statement = f"SELECT d.key FROM json_each(?) AS asked JOIN {self.documents} AS d ON d.number = asked.value"
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
        for pragma in ("journal_mode=WAL", f"cache_size=-{WRITER_CACHE_KIB}"):
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
