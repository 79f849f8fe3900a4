"""What a SQLite file holds, read without changing it, in a form that compares."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.legacy_files import quote


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection whose texts come as bytes, whatever they hold."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        yield connection


def table_names(path: Path) -> list[str]:
    """The ordinary tables, sorted."""
    with reading(path) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return sorted(name.decode() for (name,) in rows)


def columns(path: Path, table: str) -> list[str]:
    """A table's columns in order."""
    with reading(path) as connection:
        return [row[1].decode() for row in connection.execute(f"PRAGMA table_info({quote(table)})")]


def rows(path: Path, table: str, only: list[str] | None = None) -> list[tuple[Any, ...]]:
    """Every row as (type, value, type, value, …), sorted; texts are bytes."""
    names = only if only is not None else columns(path, table)
    selected = ", ".join(f"typeof({quote(name)}), {quote(name)}" for name in names)
    with reading(path) as connection:
        return sorted(connection.execute(f"SELECT {selected} FROM {quote(table)}").fetchall(), key=repr)


def dump(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    return {table: rows(path, table) for table in table_names(path)}


def schema(path: Path) -> dict[tuple[str, str], str]:
    """(type, name) → SQL of everything that the file declares."""
    with reading(path) as connection:
        found = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {(kind.decode(), name.decode()): sql.decode() for kind, name, sql in found}


def index_columns(path: Path, table: str) -> dict[str, list[str]]:
    """A table's indexes made by CREATE INDEX: name → columns in order."""
    with reading(path) as connection:
        made = [row[1].decode() for row in connection.execute(f"PRAGMA index_list({quote(table)})") if row[3] == b"c"]
        return {
            name: [row[2].decode() for row in connection.execute(f"PRAGMA index_info({quote(name)})") if row[2]]
            for name in made
        }


def problems(path: Path) -> list[Any]:
    """What SQLite finds wrong: pages, indexes, foreign keys."""
    with reading(path) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchall()
        return [row for row in found if row != (b"ok",)] + connection.execute("PRAGMA foreign_key_check").fetchall()


def is_locked(path: Path | str) -> bool:
    """Whether another connection has the write lock now."""
    with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            return "locked" in str(error)
        connection.execute("ROLLBACK")
        return False


def digest(path: Path) -> str:
    """The hash of the file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def listing(directory: Path) -> dict[str, str]:
    """Every file below a directory, by relative path, with the hash of its bytes."""
    return {str(path.relative_to(directory)): digest(path) for path in sorted(directory.rglob("*")) if path.is_file()}
