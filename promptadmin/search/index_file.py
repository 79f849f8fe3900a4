"""The index: a SQLite file beside the database, which holds nothing that can't be made again.

A file of its own keeps no writer of the database waiting while it is filled, makes no backup larger, and is in no other
program's way. Nothing in it is ever changed: a row whose texts change gets a new document, and its old one is no longer
led to. So no old text has to be known, and other programs need no FTS5. Documents are numbered as the rows are; later
ones of the same row from FIRST_LATER on, which is why rows with such numbers aren't indexed.

What is indexed is folded here, as `promptadmin.db.lookups` does it, because SQLite folds ASCII letters only, or simply.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from promptadmin.db.deadlines import respect_deadlines
from promptadmin.db.lookups import fold, texts_in_json
from promptadmin.search.tables import SearchedTable
from promptadmin.search.words import words

SUFFIX = "-search"
FORMAT = 3  # another number, and the index is made anew
FIRST_LATER = 2**40
#: Begins a word that stands for a facet: no letter, so no text has such a word.
FACET = "\ue000"
#: Stands between two columns of a row, so that nothing is found across them.
BETWEEN_TEXTS = "\ue001"
PART_LENGTH = 3  # what the trigram index finds has three characters or more
CACHE_KIB = 32 * 1024
WRITER_CACHE_KIB = 64 * 1024

_open = threading.local()


class Place(NamedTuple):
    """How far a table is indexed: rows up to `mark`, changes up to `applied`, known to the database by `token`."""

    mark: int
    applied: int
    token: str
    next_doc: int
    docs: int


EMPTY = Place(0, 0, "", FIRST_LATER, 0)


class Document(NamedTuple):
    """What the index is made from of one row: its number, its text columns and its facets, as they are stored."""

    row: int
    texts: Sequence[str | None]
    facets: Sequence[str | None]


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

    def place(self) -> Place | None:
        """How far the table is indexed; None where nothing is."""
        try:
            row = self.raw.execute(
                "SELECT mark, applied, token, next_doc, docs FROM places, pragma_user_version "
                "WHERE name = ? AND user_version = ?",
                [self.table.name, FORMAT],
            ).fetchone()
        except sqlite3.DatabaseError:  # it is being made, or damaged
            return None
        return Place(*row) if row else None

    def witnesses(self) -> list[tuple[int, object]]:
        """Rows that are indexed, and the keys they had then."""
        return self.raw.execute(f"SELECT row, key FROM {self.table.name}_witnesses").fetchall()

    def garbage(self, place: Place) -> int:
        """How many documents nothing leads to any more."""
        moved, led_to = self.raw.execute(f"SELECT COUNT(*), COUNT(doc) FROM {self.table.name}_moved").fetchone()
        return int(moved + place.next_doc - FIRST_LATER - led_to)

    def newest_with_words(self, match: str, before: int, limit: int) -> list[tuple[int, int]]:
        """(document, row) of up to `limit` rows that match, those indexed last first, from before a document."""
        return self._rows("words", match, "AND f.rowid < ? ORDER BY f.rowid DESC LIMIT ?", [before, limit])

    def newest_rows(self, kind: str, match: str, limit: int = -1) -> list[int]:
        """Rows of which the `parts` or the `words` match, those indexed last first."""
        return [row for _, row in self._rows(kind, match, "ORDER BY f.rowid DESC LIMIT ?", [limit])]

    def rows_with_words(self, match: str) -> list[int]:
        """All rows that match."""
        return [row for _, row in self._rows("words", match, "", [])]

    def _rows(self, kind: str, match: str, rest: str, parameters: list[int]) -> list[tuple[int, int]]:
        name = self.table.name
        return self.raw.execute(
            f"SELECT f.rowid, CASE WHEN f.rowid < {FIRST_LATER} THEN f.rowid ELSE later.row END "
            f"FROM {name}_{kind} f LEFT JOIN {name}_moved later ON f.rowid >= {FIRST_LATER} AND later.doc = f.rowid "
            f"WHERE {name}_{kind} MATCH ? AND CASE WHEN f.rowid < {FIRST_LATER} "
            f"THEN NOT EXISTS (SELECT 1 FROM {name}_moved m WHERE m.row = f.rowid) ELSE later.row IS NOT NULL END "
            f"{rest}",
            [match, *parameters],
        ).fetchall()


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

    def __init__(self, raw: sqlite3.Connection, table: SearchedTable) -> None:
        super().__init__(raw, table)
        name = table.name
        options = "content='', columnsize=0, detail=none"
        for statement in (
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {name}_words USING fts5(words, {options}, tokenize='ascii')",
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {name}_parts "
            f"USING fts5(parts, {options}, tokenize='trigram case_sensitive 1')",
            f"CREATE TABLE IF NOT EXISTS {name}_moved (row INTEGER PRIMARY KEY, doc INTEGER)",
            f"CREATE INDEX IF NOT EXISTS {name}_moved_doc ON {name}_moved (doc)",
            f"CREATE TABLE IF NOT EXISTS {name}_witnesses (row INTEGER PRIMARY KEY, key)",
            "CREATE TABLE IF NOT EXISTS places (name TEXT PRIMARY KEY, mark INTEGER NOT NULL, applied INTEGER NOT "
            "NULL, token TEXT NOT NULL, next_doc INTEGER NOT NULL, docs INTEGER NOT NULL)",
        ):
            raw.execute(statement)

    def empty(self) -> None:
        """Forget all of the table."""
        for kind in ("words", "parts"):
            self.raw.execute(f"INSERT INTO {self.table.name}_{kind}({self.table.name}_{kind}) VALUES ('delete-all')")
        self.raw.execute(f"DELETE FROM {self.table.name}_moved")
        self.raw.execute(f"DELETE FROM {self.table.name}_witnesses")
        self.raw.execute("DELETE FROM places WHERE name = ?", [self.table.name])

    def remember(self, witnesses: Iterable[tuple[int, object]]) -> None:
        """What proves from now on that rows have the numbers they had."""
        self.raw.execute(f"DELETE FROM {self.table.name}_witnesses")
        self.raw.executemany(f"INSERT INTO {self.table.name}_witnesses (row, key) VALUES (?, ?)", witnesses)

    def add(self, documents: Iterable[Document], changed: Iterable[int], place: Place) -> None:
        """Add rows; those changed are no longer led to by what the index has of them, whether they are there or not."""
        name, next_doc, docs = self.table.name, place.next_doc, place.docs
        changed = set(changed)
        self.raw.executemany(
            f"INSERT OR REPLACE INTO {name}_moved (row, doc) VALUES (?, NULL)", [(row,) for row in sorted(changed)]
        )
        for document in documents:
            doc = document.row
            if document.row in changed:
                doc, next_doc = next_doc, next_doc + 1
                self.raw.execute(f"UPDATE {name}_moved SET doc = ? WHERE row = ?", [doc, document.row])
            folded = folded_texts(self.table, document.texts)
            pairs = zip(self.table.facets, document.facets, strict=True)
            facets = [facet_word(facet, value) for facet, value in pairs if value is not None]
            found = dict.fromkeys(word for text in folded for word in words(text))
            self.raw.execute(
                f"INSERT INTO {name}_words (rowid, words) VALUES (?, ?)", [doc, " ".join([*found, *facets])]
            )
            whole = BETWEEN_TEXTS.join(folded).replace("\0", BETWEEN_TEXTS)  # at a NUL, the tokenizer stops
            whole = whole.encode(errors="replace").decode()  # a JSON escape can name half a character
            self.raw.execute(f"INSERT INTO {name}_parts (rowid, parts) VALUES (?, ?)", [doc, whole])
            docs += 1
        self.raw.execute(
            "INSERT OR REPLACE INTO places (name, mark, applied, token, next_doc, docs) VALUES (?, ?, ?, ?, ?, ?)",
            [name, place.mark, place.applied, place.token, next_doc, docs],
        )


@contextlib.contextmanager
def writing(database: str | Path, table: SearchedTable) -> Iterator[Writer]:
    """The table's part of the index, to be added to; one process at a time. What fails leaves it as it was."""
    path = index_path(database)
    with contextlib.suppress(FileExistsError):  # to open and close it would drop the locks of its connections
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as raw:
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=NORMAL")
        raw.execute(f"PRAGMA cache_size=-{WRITER_CACHE_KIB}")
        raw.execute("BEGIN IMMEDIATE")
        try:
            version = raw.execute("PRAGMA user_version").fetchone()[0]
            if version != FORMAT:
                _drop_everything(raw)
                raw.execute(f"PRAGMA user_version={FORMAT}")
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


def _drop_everything(raw: sqlite3.Connection) -> None:
    for kind in ("virtual", "table"):
        rows = raw.execute("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = ?", [kind]).fetchall()
        for (name,) in rows:
            if not name.startswith("sqlite_"):
                raw.execute(f"DROP TABLE {name}")
