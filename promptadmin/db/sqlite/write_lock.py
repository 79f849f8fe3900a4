"""The lock at which a process' threads wait to write to a SQLite file, which lets one write at a time.

Among processes SQLite waits itself, for `busy_timeout`, by sleeping longer and longer. Within a process the threads
queue at a lock first, so that few are asleep while the file is free. Nothing is shared with other programs: they may
write without it, and whoever is killed leaves nothing behind.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

#: Path of the file → the lock of this process' threads.
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
os.register_at_fork(after_in_child=_locks.clear)  # no thread that could release one has come along


def begin_immediate(connection: BaseDatabaseWrapper, stack: ExitStack) -> None:
    """Open a transaction that may write, which ends with the stack.

    Django begins it with BEGIN IMMEDIATE, as `transaction_mode` says. Waits for the lock, and then for the file, for at
    most `busy_timeout` each. Raises django.db.OperationalError, as SQLite does, where the file took longer.
    """
    connection.ensure_connection()
    raw: Any = connection.connection
    held = ExitStack()
    stack.callback(held.close)
    is_file = getattr(raw, "identity", None) is not None  # not PostgreSQL, nor a database in memory
    with _counted() if is_file else nullcontext():
        if is_file:
            lock = _locks[raw.path]
            if lock.acquire(timeout=raw.execute("PRAGMA busy_timeout").fetchone()[0] / 1000):
                held.callback(lock.release)
        stack.enter_context(transaction.atomic(using=connection.alias))
    # Before what else is done on commit, of which some writes again: the transaction ends after that.
    transaction.on_commit(held.close, using=connection.alias)


def _counted() -> AbstractContextManager[None]:
    """Counts who waits, and for how long, where metrics are on."""
    if not settings.METRICS:
        return nullcontext()
    from promptadmin.counters import waiting_to_write

    return waiting_to_write()
