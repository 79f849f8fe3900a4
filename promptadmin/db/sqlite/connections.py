"""Setting up each connection to a SQLite database, and what others ask of one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db import durability, lookups
from promptadmin.db.deadlines import respect_deadlines
from promptadmin.db.fields import new_id
from promptadmin.db.postgresql.connections import read_any_moment
from promptadmin.db.sqlite.pragmas import CHECKPOINT_PAGES, PRAGMAS
from promptadmin.db.sqlite.read_connections import Connection


def configure_connection(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Receiver of `connection_created`: set up a new connection, or close it and raise.

    Django has stored the connection by then, so one that stayed open would be used as it is.
    """
    try:
        if connection.vendor == "postgresql":
            durability.configure_postgresql(connection)
            read_any_moment(connection)
        if connection.vendor != "sqlite":
            return
        raw: sqlite3.Connection = connection.connection
        for name, value in (*PRAGMAS.items(), ("synchronous", durability.pragma())):
            raw.execute(f"PRAGMA {name}={value}").fetchall()
        raw.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}").fetchall()
        raw.text_factory = read_text
        # The name that PostgreSQL has for it, so that one statement makes keys on both.
        raw.create_function("gen_random_uuid", 0, new_id)
        lookups.register_function(raw)
        respect_deadlines(raw)
        if isinstance(raw, Connection):
            raw.note_log()
    except Exception:
        connection.close()
        raise


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def read_text(stored: bytes) -> str:
    """A stored text; what is no UTF-8, which other programs can store, reads as the replacement character."""
    return stored.decode(errors="replace")


def is_file(connection: BaseDatabaseWrapper) -> bool:
    """Whether this is a SQLite database in a file (tests also use databases in memory)."""
    name = str(connection.settings_dict["NAME"])
    return connection.vendor == "sqlite" and ":memory:" not in name and "mode=memory" not in name


def file_of(connection: BaseDatabaseWrapper) -> Path:
    """The file of a database of which `is_file` is true."""
    return Path(str(connection.settings_dict["NAME"]))


def log_of(file: Path) -> Path:
    """The write-ahead log, which lies beside a file while it is in use."""
    return file.with_name(f"{file.name}-wal")


def size_with_log(file: Path) -> int:
    """The bytes of a file and its log."""
    return sum(path.stat().st_size for path in (file, log_of(file)) if path.exists())


@contextmanager
def constraints_checked_once(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Check foreign keys once at the end instead of after each migration.

    Django's SQLite schema editor reads the whole file to check them each time it closes: minutes, for sixty
    migrations of a large file. Does nothing on other engines, whose keys are checked row by row.
    """
    if connection.vendor != "sqlite":
        yield
        return
    connection.check_constraints = lambda table_names=None: None  # type: ignore[method-assign]  # this instance, this block
    try:
        yield
    finally:
        del connection.check_constraints
    connection.check_constraints()
