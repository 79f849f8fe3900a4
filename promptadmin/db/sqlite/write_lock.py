"""The lock at which those who write to a SQLite file wait for each other: it lets one write at a time.

SQLite's own waiting, for `busy_timeout`, sleeps longer and longer, up to a tenth of a second: the file is free
meanwhile, and whoever has waited longest waits on. So the threads of a process queue at a lock of theirs, and the one
whose turn it is asks for a lock file every half millisecond. Other programs may write without either; then SQLite
waits. The system frees the lock file of whoever is killed.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections import defaultdict
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

SECONDS_BETWEEN_TRIES = 0.0005
#: Path of the file → the lock of this process' threads.
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
os.register_at_fork(after_in_child=_locks.clear)  # no thread that could release one has come along


def begin_immediate(connection: BaseDatabaseWrapper, stack: ExitStack) -> None:
    """Open a transaction that may write, which ends with the stack.

    Django begins it with BEGIN IMMEDIATE, as `transaction_mode` says. Waits for the locks, and then for the file, for
    at most `busy_timeout` each. Raises django.db.OperationalError, as SQLite does, where the file took longer.
    """
    connection.ensure_connection()
    raw: Any = connection.connection
    held = ExitStack()
    stack.callback(held.close)
    is_file = getattr(raw, "identity", None) is not None  # not PostgreSQL, nor a database in memory
    with _counted() if is_file else nullcontext():
        if is_file:
            _wait(raw.path, raw.execute("PRAGMA busy_timeout").fetchone()[0] / 1000, held)
        stack.enter_context(transaction.atomic(using=connection.alias))
    # Before what else is done on commit, of which some writes again: the transaction ends after that.
    transaction.on_commit(held.close, using=connection.alias)


def _counted() -> AbstractContextManager[None]:
    """Counts who waits, and for how long, where metrics are on."""
    if not settings.METRICS:
        return nullcontext()
    from promptadmin.conf.counters import waiting_to_write

    return waiting_to_write()


def _wait(path: str, seconds: float, held: ExitStack) -> None:
    """Take the locks of this file, or go on without when it takes longer: SQLite has the last word."""
    deadline = time.monotonic() + seconds
    lock = _locks[path]
    if not lock.acquire(timeout=seconds):
        return
    held.callback(lock.release)
    try:
        file = os.open(f"{path}-writers", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:  # another user's, say
        return
    held.callback(os.close, file)
    held.callback(fcntl.flock, file, fcntl.LOCK_UN)  # also where a process forked meanwhile has the file open
    while time.monotonic() < deadline:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(SECONDS_BETWEEN_TRIES)
        else:
            return
