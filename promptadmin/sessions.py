"""The two ways to use the database: every door opens one of these around each operation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

#: HTTP methods whose operations run in a read session; all others run in a write session.
READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@contextmanager
def write_session(using: str = DEFAULT_DB_ALIAS) -> Iterator[BaseDatabaseWrapper]:
    """One transaction: commits when the block ends, rolls back on any exception.

    On SQLite it takes the write lock at once, so that what it reads first can't change before it writes.
    """
    with transaction.atomic(using=using):
        yield connections[using]


@contextmanager
def read_session(using: str = DEFAULT_DB_ALIAS) -> Iterator[BaseDatabaseWrapper]:
    """One moment of the database, read-only: the engine itself refuses writes inside the block.

    Never takes SQLite's write lock. Inside a write session it sees that session's changes.
    Raises django.db.OperationalError (SQLite) or InternalError (PostgreSQL) on a write.
    """
    connection = connections[using]
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        with _read_only_sqlite(connection):
            yield connection
    else:
        own = not connection.in_atomic_block
        with transaction.atomic(using=using), connection.cursor() as cursor:
            if own:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            else:
                cursor.execute("SET LOCAL transaction_read_only = on")
            yield connection


@contextmanager
def _read_only_sqlite(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """`query_only` and, outside a transaction, a deferred one, which keeps one snapshot and takes no write lock.

    `atomic()` can't be used here: with `transaction_mode` IMMEDIATE it would take the lock.
    """
    raw = connection.connection
    own = not raw.in_transaction
    nested = bool(raw.execute("PRAGMA query_only").fetchone()[0])
    if own:
        raw.execute("BEGIN DEFERRED")
    raw.execute("PRAGMA query_only=ON")
    try:
        yield
    finally:
        if not nested:
            raw.execute("PRAGMA query_only=OFF")
        if own:
            raw.rollback()
