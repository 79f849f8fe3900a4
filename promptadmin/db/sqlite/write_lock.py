"""Whose turn it is to write to a SQLite file, which lets one write at a time.

SQLite's own way of waiting sleeps for longer and longer, up to a tenth of a second, while others come and go: with a
few busy writers, whoever waited longest waits longest, and the processor idles. Here a process' threads queue at a
lock, and the first of them asks again after a twentieth of the time that it has asked for. Nothing of that is shared
with other programs: they may write without it, and whoever is killed leaves nothing behind.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import defaultdict
from contextlib import ExitStack
from typing import Any

from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

#: A short wait is that of a short transaction; a long one, as of an import, isn't worth the processor.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.00005, 0.01

#: Path of the file → the lock of this process' threads.
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
os.register_at_fork(after_in_child=_locks.clear)  # no thread that could release one has come along


def begin(connection: BaseDatabaseWrapper, stack: ExitStack) -> None:
    """Open a transaction that may write, which ends with the stack, after waiting for at most `busy_timeout`.

    Raises django.db.OperationalError, as SQLite does, where it took longer.
    """
    connection.ensure_connection()
    raw: Any = connection.connection
    if getattr(raw, "identity", None) is None:  # PostgreSQL, or in memory
        stack.enter_context(transaction.atomic(using=connection.alias))
        return
    milliseconds = raw.execute("PRAGMA busy_timeout").fetchone()[0]
    raw.execute("PRAGMA busy_timeout=0")
    try:
        deadline = time.monotonic() + milliseconds / 1000
        turn = ExitStack()
        stack.callback(turn.close)
        lock = _locks[raw.path]
        if lock.acquire(timeout=milliseconds / 1000):
            turn.callback(lock.release)
        began = time.monotonic()
        while not _begun(connection, stack, last=time.monotonic() >= deadline):
            time.sleep(min(max(SHORTEST_PAUSE, (time.monotonic() - began) / 20), LONGEST_PAUSE))
        # Before what else is done on commit, of which some takes a turn of its own: the transaction ends after that.
        transaction.on_commit(turn.close, using=connection.alias)
    finally:
        raw.execute(f"PRAGMA busy_timeout={milliseconds}")


def _begun(connection: BaseDatabaseWrapper, stack: ExitStack, *, last: bool) -> bool:
    """Try once. To be told no through Django takes three times as long, while everybody waits for the processor."""
    try:
        with connection.wrap_database_errors:
            connection.connection.execute("BEGIN IMMEDIATE")
    except OperationalError as error:
        if last or getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        connection.errors_occurred = False  # nothing is wrong with it
        return False
    block: Any = connection
    block._start_transaction_under_autocommit = lambda: None  # what `atomic` would do first, and is done
    try:
        stack.enter_context(transaction.atomic(using=connection.alias))
    except BaseException:
        connection.connection.rollback()
        raise
    finally:
        del block._start_transaction_under_autocommit
    return True
