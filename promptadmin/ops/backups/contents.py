"""What a database holds, as row counts and digests by which two databases, or one at two times, can be compared."""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from promptadmin.conf.counted import counted
from promptadmin.db.sqlite.connections import quote
from promptadmin.ops.progress import bar

ROWS_AN_UPDATE = 1000
_pack_float = struct.Struct("<d").pack


@dataclass(frozen=True)
class Table:
    """How many rows a table has, and the digest of all their values."""

    rows: int
    digest: str


@dataclass(frozen=True)
class Contents:
    """Every table of a database by name, and the digest of what it declares: tables, indexes, triggers, views."""

    schema: str
    tables: Mapping[str, Table] = field(default_factory=dict)

    def differences(self, other: Contents) -> list[str]:
        """What the other one has otherwise, in words; empty if both hold the same."""
        found = [f"it lacks the table {name}" for name in self.tables if name not in other.tables]
        found += [f"it has a table {name} too many" for name in other.tables if name not in self.tables]
        for name, table in self.tables.items():
            there = other.tables.get(name, table)
            if there.rows != table.rows:
                found.append(f"the table {name} has {counted(there.rows, 'row')} instead of {table.rows}")
            elif there.digest != table.digest:
                found.append(f"the table {name} has other values")
        if self.schema != other.schema:
            found.append("its tables, indexes or triggers are declared otherwise")
        return found


def sqlite_tables(raw: sqlite3.Connection) -> list[str]:
    """Every table that stores rows, SQLite's own counters and statistics too, but not the virtual ones."""
    rows = raw.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL TABLE%' ORDER BY name"
    )
    return [_as_text(name) for (name,) in rows]


def read_sqlite(raw: sqlite3.Connection, label: str) -> Contents:
    """The contents of a SQLite file, read row by row in constant memory. Hold a transaction for one moment's."""
    factory = raw.text_factory
    # Texts come as bytearray and BLOBs as bytes: nothing is decoded, and a text never equals a BLOB.
    raw.text_factory = bytearray
    try:
        tables = {name: _table(raw, name, label) for name in sqlite_tables(raw)}
        declared = raw.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name").fetchall()
        pragmas = [raw.execute(f"PRAGMA {name}").fetchone() for name in ("user_version", "application_id")]
    finally:
        raw.text_factory = factory
    schema = hashlib.sha256()
    for row in (*declared, *pragmas):
        schema.update(_encoded(row))
    return Contents(schema.hexdigest(), tables)


def _table(raw: sqlite3.Connection, name: str, label: str) -> Table:
    """SHA-256 over the column names and then the rows in the order of their keys."""
    (total,) = raw.execute(f"SELECT COUNT(*) FROM {quote(name)}").fetchone()
    cursor = raw.execute(f"SELECT * FROM {quote(name)} ORDER BY {row_order(raw, name)}")
    digest = hashlib.sha256(_encoded([column[0].encode() for column in cursor.description]))
    rows = 0
    with bar(f"{label} {name}", total=total, unit="row") as progress:
        for row in cursor:
            digest.update(_encoded(row))
            rows += 1
            if not rows % ROWS_AN_UPDATE:
                progress.update(ROWS_AN_UPDATE)
    return Table(rows, digest.hexdigest())


def row_order(raw: sqlite3.Connection, table: str) -> str:
    """The order in which a table is stored: by rowid, under a name that no column has, else by its primary key."""
    columns = raw.execute(f"PRAGMA table_info({quote(table)})").fetchall()
    names = {_as_text(column[1]) for column in columns}
    for name in ("rowid", "_rowid_", "oid"):
        if name not in {column.lower() for column in names}:
            try:
                raw.execute(f"SELECT {name} FROM {quote(table)} LIMIT 0")
            except sqlite3.OperationalError:
                break  # a table WITHOUT ROWID
            return name
    keys = sorted((column[5], _as_text(column[1])) for column in columns if column[5])
    return ", ".join(quote(name) for name in ([key for _, key in keys] or sorted(names)))


def _encoded(row: Iterable[object]) -> bytes:
    """One row as bytes that no other row has: each value with its kind, and its length where that varies."""
    parts: list[bytes | bytearray] = [b"("]
    add = parts.append
    for value in row:
        if value is None:
            add(b"n")
        elif isinstance(value, bytearray):
            add(b"t%d:" % len(value))
            add(value)
        elif isinstance(value, float):
            add(b"f")
            add(_pack_float(value))
        elif isinstance(value, int):
            add(b"i%d;" % value)
        elif isinstance(value, bytes):
            add(b"b%d:" % len(value))
            add(value)
        else:
            raise TypeError(f"SQLite gave a {type(value).__name__}")
    return b"".join(parts)


def _as_text(name: str | bytes | bytearray) -> str:
    return name if isinstance(name, str) else name.decode(errors="surrogateescape")
