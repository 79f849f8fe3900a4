"""Copying a SQLite database that others use, and finding out whether the copy is sound."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from promptadmin.ops.progress import bar

Result = TypeVar("Result")
#: Pages in one step of a copy beside which others write, and the bytes after which the copy goes to the disk.
PAGES_A_STEP = 256
BYTES_A_SYNC = 32 * 1024 * 1024


@contextlib.contextmanager
def one_moment(raw: sqlite3.Connection) -> Iterator[None]:
    """Read the same moment of the database throughout the block, whatever others write meanwhile."""
    raw.execute("BEGIN")
    raw.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()  # the transaction starts with the first read
    try:
        yield
    finally:
        if raw.in_transaction:
            raw.execute("ROLLBACK")


def copy_pages(raw: sqlite3.Connection, path: Path, *, pages_a_step: int = PAGES_A_STEP, pause: float = 0.0) -> None:
    """Copy the database into the empty file at `path`, inside `one_moment`, and end with one file on the disk.

    `pause` is for a database that others write to: how long to sleep after each step, as a multiple of the time that
    the step took. The copy then also leaves the memory, so that checks of it read what the disk has.
    """
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as copy:
        # Until the copy is whole nobody needs a way back from half of it.
        copy.execute("PRAGMA journal_mode=OFF").fetchall()
        copy.execute("PRAGMA synchronous=OFF")
        page_size = raw.execute("PRAGMA page_size").fetchone()[0]
        with bar("copy") as progress, path.open("rb") as file:
            step_began = time.monotonic()
            unsynced = 0

            def after_step(status: int, remaining: int, total: int) -> None:
                nonlocal step_began, unsynced
                progress.total = total * page_size
                progress.update((total - remaining) * page_size - progress.n)
                unsynced += pages_a_step * page_size
                if pause and unsynced >= BYTES_A_SYNC:
                    # Small amounts at a time: a writer's own sync never queues behind gigabytes of ours.
                    os.fdatasync(file.fileno())
                    unsynced = 0
                if pause:
                    time.sleep((time.monotonic() - step_began) * pause)
                step_began = time.monotonic()

            raw.backup(copy, pages=pages_a_step, progress=after_step)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE").fetchall()  # one file, without a log beside it
    flush(path, forget=bool(pause))


def flush(path: Path, *, forget: bool = False) -> None:
    """Put a file or directory on the disk; with `forget`, what is read of the file next comes from there."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
        if forget and hasattr(os, "posix_fadvise"):
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection to a file that nobody else uses."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True, check_same_thread=False)) as raw:  # see `interruptible`
        raw.isolation_level = None
        raw.execute("PRAGMA cache_size=-65536")
        yield raw


def interruptible(raw: sqlite3.Connection, work: Callable[[], Result]) -> Result:
    """Do work with a connection of `reading` in a thread, so that Ctrl-C ends a statement that takes long.

    Python raises KeyboardInterrupt in the main thread alone, and not before a function of SQLite has returned.
    """
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(work)
        try:
            return future.result()
        except KeyboardInterrupt:
            raw.interrupt()
            raise


def damage(raw: sqlite3.Connection, *, limit: int = 3) -> list[str]:
    """What SQLite's integrity check finds wrong with the pages and indexes of a file; empty if it is sound."""
    try:
        rows = interruptible(raw, lambda: raw.execute(f"PRAGMA integrity_check({limit})").fetchall())
        return [text for (text,) in rows if text != "ok"]
    except sqlite3.DatabaseError as error:
        return [str(error)]


def broken_links(raw: sqlite3.Connection) -> dict[str, int]:
    """How many rows of each table point to a row that doesn't exist, by the foreign keys that the file declares."""
    found = interruptible(raw, lambda: Counter(table for table, *_ in raw.execute("PRAGMA foreign_key_check")))
    return dict(sorted(found.items()))
