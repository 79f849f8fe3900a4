"""The two ways to use the database: every door opens one of these around each operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.postgresql import replicas
from promptadmin.db.postgresql.connections import read_only
from promptadmin.db.sqlite.file_identity import check_in_place
from promptadmin.db.sqlite.read_connections import has_reader, reading
from promptadmin.db.sqlite.write_lock import begin_immediate

Answer = TypeVar("Answer")


@contextmanager
def write_session(using: str = DEFAULT_DB_ALIAS) -> Iterator[BaseDatabaseWrapper]:
    """One transaction: commits when the block ends, rolls back on any exception.

    On SQLite it takes the write lock at once, so that what it reads first can't change before it writes. Raises
    FileReplacedError where the file isn't at its path, also if that happens meanwhile: a commit counts only there.
    """
    connection = connections[using]
    own = not connection.in_atomic_block
    with ExitStack() as stack:
        if own:
            begin_immediate(connection, stack)
            check_in_place(connection)
        else:
            stack.enter_context(transaction.atomic(using=using))
        yield connection
    if own:
        check_in_place(connection)


@contextmanager
def read_session(using: str = DEFAULT_DB_ALIAS) -> Iterator[BaseDatabaseWrapper]:
    """One moment of the database, read-only: the engine itself refuses writes inside the block.

    Never takes SQLite's write lock. Inside a write session it sees that session's changes.
    Where the caller may read from a replica, its connection stands under the alias during the block, so that whatever
    runs there reads from it. Raises django.db.OperationalError (SQLite) or InternalError (PostgreSQL) on a write.
    """
    primary, connection = connections[using], replicas.reading_connection(using)
    with ExitStack() as stack:
        try:
            own = _begin_reading(connection, stack)
        except DatabaseError as error:  # the replica may have been stopped since it was looked at
            if not replicas.failed_there(connection, error):
                raise
            connection = primary
            own = _begin_reading(connection, stack)
        if not own:
            yield connection
            return
        connection.reads_one_moment = True  # type: ignore[attr-defined]  # ours, see `reads_one_moment`
        connections[using] = connection
        try:
            yield connection
        finally:
            connections[using] = primary
            connection.reads_one_moment = False  # type: ignore[attr-defined]


def _begin_reading(connection: BaseDatabaseWrapper, stack: ExitStack) -> bool:
    """Let a connection read until the stack ends. Answers whether it had no session open."""
    connection.ensure_connection()
    check_in_place(connection)
    own = not connection.in_atomic_block and not reads_one_moment(connection)
    stack.enter_context(_read_only_sqlite(connection) if connection.vendor == "sqlite" else read_only(connection))
    return own


def in_read_session(function: Callable[[], Answer]) -> Answer:
    """What a function answers in a read session, or in a second one if the first was a replica's that failed."""
    connection: BaseDatabaseWrapper | None = None
    try:
        with read_session() as connection:
            return function()
    except DatabaseError as error:
        if connection is None or not replicas.failed_there(connection, error):
            raise
    with replicas.primary_only(), read_session():
        return function()


def reads_one_moment(connection: BaseDatabaseWrapper) -> bool:
    """Whether a read session is open that is in no transaction that writes."""
    return getattr(connection, "reads_one_moment", False)


@contextmanager
def _read_only_sqlite(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """A connection that only reads. Inside a transaction, and in memory, `query_only` on the one that there is.

    Outside a transaction it begins a deferred one, which keeps one snapshot and takes no write lock. `atomic()` can't
    be used here: with `transaction_mode` IMMEDIATE it would take the lock.
    """
    if has_reader(connection):
        with reading(connection):
            yield
        return
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
