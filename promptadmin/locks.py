"""One start-up at a time, whatever happens to the process that holds the lock."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper

ADVISORY_KEY = 0x70726F6D7074  # "prompt"; any number that no other program on this PostgreSQL database uses


@contextmanager
def startup_lock(connection: BaseDatabaseWrapper, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock during the block; the operating system, or PostgreSQL, frees it if the process dies."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_KEY])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_KEY])
        return
    with _lock_file(Path(settings.DATA_DIR)) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another start-up is running: waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lock_file(directory: Path) -> IO[str]:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return (directory / "startup.lock").open("w")
    except OSError as error:
        raise ImproperlyConfigured(
            f"PROMPTADMIN_DATA_DIR: {directory} can't be written ({error.strerror}): give another directory."
        ) from None
