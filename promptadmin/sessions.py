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
    own = not connection.in_atomic_block and not reads_one_moment(connection)
    with _read_only_sqlite(connection) if connection.vendor == "sqlite" else _read_only(connection):
        if not own:
            yield connection
            return
        connection.reads_one_moment = True  # type: ignore[attr-defined]  # ours, see `reads_one_moment`
        try:
            yield connection
        finally:
            connection.reads_one_moment = False  # type: ignore[attr-defined]


def reads_one_moment(connection: BaseDatabaseWrapper) -> bool:
    """Whether a read session is open that is in no transaction that writes."""
    return getattr(connection, "reads_one_moment", False)


@contextmanager
def _read_only(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """A read-only transaction, as of one moment unless it is part of another one."""
    own = not connection.in_atomic_block
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if own:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        else:
            cursor.execute("SET LOCAL transaction_read_only = on")
        yield


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
