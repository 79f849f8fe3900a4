"""One start-up, and one deliverer, at a time, whatever happens to the process that holds the lock."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper

#: Any numbers that no other program on this PostgreSQL database uses; the first is "prompt".
ADVISORY_KEYS = {"start-up": 0x70726F6D7074, "webhook delivery": 0x70726F6D7075}


def startup_lock(connection: BaseDatabaseWrapper, say: Callable[[str], None]) -> AbstractContextManager[None]:
    """Hold the start-up's lock during the block."""
    return held_lock(connection, "start-up", say)


@contextmanager
def held_lock(connection: BaseDatabaseWrapper, name: str, say: Callable[[str], None]) -> Iterator[None]:
    """Hold a lock of ADVISORY_KEYS during the block; the operating system, or PostgreSQL, frees it with the process."""
    if connection.vendor == "postgresql":
        key = ADVISORY_KEYS[name]
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [key])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
        return
    with _lock_file(Path(settings.DATA_DIR), name) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another {name} is running: waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lock_file(directory: Path, name: str) -> IO[str]:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return (directory / f"{name.replace('-', '').replace(' ', '-')}.lock").open("w")
    except OSError as error:
        raise ImproperlyConfigured(
            f"PROMPTADMIN_DATA_DIR: {directory} can't be written ({error.strerror}): give another directory."
        ) from None
