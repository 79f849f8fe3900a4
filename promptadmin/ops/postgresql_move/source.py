"""The SQLite file that is moved, read as of one moment while nobody may write to it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptadmin.db.derived_tables import is_derived
from promptadmin.db.sqlite.connections import quote
from promptadmin.ops.backups.contents import row_order
from promptadmin.ops.postgresql_move.errors import MoveError
from promptadmin.ops.postgresql_move.values import read_text

LOCK_SECONDS = 5
NOT_MOVED = ("django_migrations",)  # the target has its own
#: The one storage class of a column that only our file knows → its type in PostgreSQL.
KINDS = {"integer": "bigint", "real": "double precision", "text": "text", "blob": "bytea"}


@dataclass(frozen=True)
class ForeignColumn:
    """A column that promptadmin doesn't know: the expression that reads it, and the type that holds all its values."""

    name: str
    kind: str
    expression: str


class Source:
    """An open file."""

    def __init__(self, raw: sqlite3.Connection, path: Path) -> None:
        self.raw = raw
        self.path = path

    def tables(self) -> list[str]:
        """The tables to be moved: not SQLite's own, nor virtual or derived ones and what these consist of."""
        rows = self.raw.execute("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")
        names = {name for (name,) in rows if not name.startswith("sqlite_") and name not in NOT_MOVED}
        return sorted(name for name in names if not is_derived(name))

    def columns(self, table: str) -> list[str]:
        """The names of a table's columns, those that SQLite computes left out."""
        return [row[1] for row in self.raw.execute(f"PRAGMA table_info({quote(table)})")]

    def foreign_column(self, table: str, column: str) -> ForeignColumn:
        """How to move a column of unknown kind.

        What SQLite mixes, and texts that PostgreSQL can't hold, become text: the storage class and the bytes in hex.
        """
        name = quote(column)
        found = self.raw.execute(
            f"SELECT DISTINCT typeof({name}), typeof({name}) = 'text' AND INSTR(CAST({name} AS BLOB), x'00') > 0 "
            f"FROM {quote(table)} WHERE {name} IS NOT NULL"
        ).fetchall()
        if not found:
            return ForeignColumn(column, "text", name)
        if len(found) == 1 and not found[0][1] and self._is_plain(table, column, found[0][0]):
            return ForeignColumn(column, KINDS[found[0][0]], name)
        in_hex = f"CASE WHEN {name} IS NULL THEN NULL ELSE typeof({name}) || ':' || hex(CAST({name} AS BLOB)) END"
        return ForeignColumn(column, "text", in_hex)

    def _is_plain(self, table: str, column: str, storage: str) -> bool:
        if storage != "text":
            return True
        texts = self.raw.execute(f"SELECT {quote(column)} FROM {quote(table)} WHERE {quote(column)} IS NOT NULL")
        return all(isinstance(text, str) for (text,) in texts)

    def declared(self) -> list[tuple[str, str]]:
        """Every trigger, view and index that somebody declared, as (kind, name); those of derived tables left out."""
        rows = self.raw.execute(
            "SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view', 'index') AND sql IS NOT NULL "
            "ORDER BY type, name"
        )
        return [(kind, name) for kind, name in rows if not is_derived(name)]

    def count(self, table: str) -> int:
        return int(self.raw.execute(f"SELECT COUNT(*) FROM {quote(table)}").fetchone()[0])

    def has_positions(self, table: str) -> bool:
        """Whether the rows have numbers: all tables' do but those declared WITHOUT ROWID."""
        return row_order(self.raw, table) in ("rowid", "_rowid_", "oid")

    def rows(
        self, table: str, expressions: list[str], *, after: int | None = None, limit: int = -1
    ) -> Iterator[tuple[Any, ...]]:
        """Rows in the order in which they are stored, each led by its position, None where it has none."""
        order = row_order(self.raw, table)
        position = order if self.has_positions(table) else "NULL"
        condition = "" if after is None else f"WHERE {order} > ?"
        parameters = [limit] if after is None else [after, limit]
        return self.raw.execute(
            f"SELECT {position}, {', '.join(expressions)} FROM {quote(table)} {condition} ORDER BY {order} LIMIT ?",
            parameters,
        )


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Source]:
    """The file, with its write lock: what is copied and what is compared are one state. Raises MoveError."""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)) as raw:
            raw.text_factory = read_text
            raw.execute("PRAGMA cache_size=-65536")
            raw.execute("BEGIN IMMEDIATE")
            try:
                yield Source(raw, path)
            finally:
                raw.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        raise MoveError(f"{path} can't be read ({error}): stop the server and whatever else uses it.") from error
