"""The PRAGMAs of every connection, and those of work on whole tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db import durability

#: PRAGMA → value to set, but for `synchronous`, which the durability decides. `PRAGMAS_READ_BACK` has what SQLite
#: answers afterwards.
PRAGMAS: dict[str, int | str] = {
    "foreign_keys": "ON",
    "journal_mode": "WAL",
    "cache_size": -65536,
    "mmap_size": 268435456,
    "temp_store": "MEMORY",
    "busy_timeout": 5000,
}
PRAGMAS_READ_BACK: dict[str, int | str] = {
    **PRAGMAS,
    "foreign_keys": 1,
    "journal_mode": "wal",
    "temp_store": 2,
}
#: Pages of the log after which they are moved to the file: eight times SQLite's default, because a run changes some
#: thirty pages, mostly those of the runs before it, and each time the disk is waited for. 32 MiB.
CHECKPOINT_PAGES = 8192
WORK_CHECKPOINT_PAGES = 16384
SMALL_FILE = 512 * 2**20
WORK_CACHE = -4096
WORK_MMAP = 160 * 2**20


def read_pragmas(connection: BaseDatabaseWrapper) -> dict[str, int | str]:
    """The values of our PRAGMAs as this connection answers them now; another engine has none."""
    if connection.vendor != "sqlite":
        return {}
    with connection.cursor() as cursor:
        return {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas_read_back()}


def pragmas_read_back() -> dict[str, int | str]:
    """What `read_pragmas` answers where everything is as it must be."""
    return {**PRAGMAS_READ_BACK, "synchronous": durability.pragma_read_back()}


def work_memory(size: int) -> dict[str, int]:
    """The PRAGMAs for work on whole tables of a file of this size, in bytes.

    By the end of a table a page cache has nothing left of its beginning. A small one stays in the processor's cache,
    and so do the sorts, which SQLite gives as much memory. A small file's mapped part is read in place each time.
    """
    return {"cache_size": WORK_CACHE, "mmap_size": WORK_MMAP if size < SMALL_FILE else 0}


@contextmanager
def bounded_memory(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Keep this process below 300 MB during work on a million rows: little or no file is mapped.

    Sorts spill to files where SQLite allows that; pysqlite3's (TEMP_STORE=3) keeps them in memory, and `temp_store`
    does nothing there. So what is sorted on whole tables must be short: keys and digests, not texts.

    The log is moved to the file less often, so that pages that many transactions change are written once.

    Outside a transaction only; does nothing on other engines.
    """
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA temp_store=FILE")
        size = cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").fetchone()[0]
        for name, value in work_memory(size).items():
            cursor.execute(f"PRAGMA {name}={value}")
        cursor.execute(f"PRAGMA wal_autocheckpoint={WORK_CHECKPOINT_PAGES}")
    try:
        yield
    finally:
        if connection.connection is not None:
            with connection.cursor() as cursor:
                for name in ("temp_store", "mmap_size", "cache_size"):
                    cursor.execute(f"PRAGMA {name}={PRAGMAS[name]}")
                cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
