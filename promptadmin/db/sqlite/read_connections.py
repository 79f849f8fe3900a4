"""Beside each connection to a SQLite file a second one, which only reads: its engine refuses every write.

`PRAGMA query_only` could be switched on and off on one connection, but each time SQLite would compile all its
statements anew, which takes longer than most of them take to run.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from promptadmin.db.sqlite.file_identity import Identity, check_before_opening, identity, note_opened

_numbers = itertools.count()


class Connection(sqlite3.Connection):
    """A connection that closes its reader with itself. Named in DATABASES, under OPTIONS, as the `factory`."""

    reader: Connection | None = None
    log: Identity | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        #: What was opened where; see `promptadmin.db.sqlite.file_identity`. A database in memory has no identity.
        self.path = str(kwargs.get("database") or args[0])
        check_before_opening(self.path)
        # Values come as they are stored, and fields read them: sqlite3 itself would fail on times, or lose them.
        super().__init__(*args, **{**kwargs, "detect_types": 0})
        #: No other connection of this process has it, before or after; `id()` may come back.
        self.number = next(_numbers)
        self.identity = identity(self.path)
        self.log_path, self.log = f"{self.path}-wal", None
        note_opened(self.path, self.identity)

    def note_log(self) -> None:
        """Note which log belongs to this connection, once it has read something and so keeps it from being removed."""
        self.log = identity(self.log_path)

    def close(self) -> None:
        if self.reader is not None:
            self.reader.close()
            self.reader = None
        super().close()


def has_reader(connection: BaseDatabaseWrapper) -> bool:
    """Whether the open connection may read through a second one: it is to a file, and in no transaction."""
    raw = connection.connection
    return isinstance(raw, Connection) and not raw.in_transaction and not _is_in_memory(connection)


@contextmanager
def reading(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Statements inside the block go to the reader, and see one moment of the database."""
    raw = connection.connection
    reader = raw.reader
    if reader is None:
        reader = raw.reader = _open(connection)
    connection.connection = reader
    try:
        reader.execute("BEGIN DEFERRED")
        yield
    finally:
        if connection.connection is reader:
            connection.connection = raw
            reader.rollback()
        else:  # closed inside the block, and so it shall be
            raw.close()


def _open(connection: BaseDatabaseWrapper) -> Connection:
    """A connection with all that the receivers of `connection_created` give to a new one."""
    raw = connection.connection
    reader: Connection = connection.get_new_connection(connection.get_connection_params())
    reader.isolation_level = None
    connection.connection = reader
    try:
        connection_created.send(sender=type(connection), connection=connection)
        reader.execute("PRAGMA query_only=ON")
    except BaseException:
        reader.close()
        raise
    finally:
        connection.connection = raw
    return reader


def _is_in_memory(connection: BaseDatabaseWrapper) -> bool:
    name = str(connection.settings_dict["NAME"])
    return ":memory:" in name or "mode=memory" in name
