"""One start-up, one deliverer, one piece of upkeep at a time, whatever happens to the process that holds the lock."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper

#: Any numbers that no other program on this PostgreSQL database uses; the first is "prompt".
ADVISORY_KEYS = {"start-up": 0x70726F6D7074, "webhook delivery": 0x70726F6D7075, "upkeep": 0x70726F6D7076}

SECONDS_BETWEEN_TRIES = 0.2  # of the lock on PostgreSQL
SECONDS_OF_A_LOOK = 0.02


def startup_lock(connection: BaseDatabaseWrapper, say: Callable[[str], None]) -> AbstractContextManager[None]:
    """Hold the start-up's lock during the block."""
    return held_lock(connection, "start-up", say)


@contextmanager
def held_lock(connection: BaseDatabaseWrapper, name: str, say: Callable[[str], None]) -> Iterator[None]:
    """Hold a lock of ADVISORY_KEYS during the block; the operating system, or PostgreSQL, frees it with the process."""
    if connection.vendor == "postgresql":
        held: set[str] = connection.__dict__.setdefault("promptadmin_locks", set())
        if name in held:  # a move has the start-up's lock during the start-up that it makes
            yield
            return
        with _advisory_lock(connection, name, say):
            held.add(name)
            try:
                yield
            finally:
                held.remove(name)
        return
    with _lock_file(Path(settings.DATA_DIR), name) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another {name} is running: waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def running(name: str) -> Iterator[None]:
    """Let `is_running` know, during the block, that a server of this name runs here; there may be several."""
    with _lock_file(Path(settings.DATA_DIR), name) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def only_running(name: str) -> IO[str]:
    """A file that lets `is_running` know while it is open here. Raises BlockingIOError where somebody has it open."""
    file = _lock_file(Path(settings.DATA_DIR), name)
    for tries_left in range(5, -1, -1):  # whoever looks has the lock for a moment
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not tries_left:
                file.close()
                raise
            time.sleep(SECONDS_OF_A_LOOK)
        else:
            break
    return file


def is_running(name: str) -> bool:
    """Whether a process with this data directory is `running` so; one that was killed isn't."""
    with _lock_file(Path(settings.DATA_DIR), name) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def _advisory_lock(connection: BaseDatabaseWrapper, name: str, say: Callable[[str], None]) -> Iterator[None]:
    """A transaction's lock, in one on a connection of its own, open during the block.

    Behind a pooler that hands out connections by transaction, such as PgBouncer, a session's lock would be anybody's.
    """
    database: Any = connection
    waits = False
    with connection.wrap_database_errors:
        own = database.Database.connect(**database.get_connection_params())
    with closing(own):
        while not _has_lock(own, ADVISORY_KEYS[name]):
            # Not by a statement that waits: its snapshot would keep the server from cleaning up, for days.
            own.rollback()
            if not waits:
                say(f"Another {name} is running: waiting for it.")
            waits = True
            time.sleep(SECONDS_BETWEEN_TRIES)
        yield
        own.rollback()


def _has_lock(own: Any, key: int) -> bool:
    own.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    return bool(own.execute("SELECT pg_try_advisory_xact_lock(%s)", [key]).fetchone()[0])


def _lock_file(directory: Path, name: str) -> IO[str]:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return (directory / f"{name.replace('-', '').replace(' ', '-')}.lock").open("w")
    except OSError as error:
        raise ImproperlyConfigured(
            f"PROMPTADMIN_DATA_DIR: {directory} can't be written ({error.strerror}): give another directory."
        ) from None
