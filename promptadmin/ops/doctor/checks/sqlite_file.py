"""What is particular to a SQLite file."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from django.core import checks
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.deadlines import seconds_left
from promptadmin.db.sqlite.connections import file_of, is_file, log_of
from promptadmin.db.sqlite.engine import describe
from promptadmin.db.sqlite.known_bugs import advice, bugs_of
from promptadmin.db.sqlite.pragmas import pragmas_read_back, read_pragmas

MEBIBYTE = 1024 * 1024
LONG_LOG = 256 * MEBIBYTE


def _files(databases: Sequence[str] | None) -> Iterator[BaseDatabaseWrapper]:
    return filter(is_file, map(connections.__getitem__, databases or ()))


@checks.register("doctor", checks.Tags.database, deploy=True)
def check_pragmas(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """D101: The connection's settings.

    Foreign keys are enforced, writers don't block readers (WAL), and waiting for a lock takes seconds before it fails.
    The values are read back from an open connection. WAL needs a file system of this machine: on a network's it can't
    be switched on. D105 says what `synchronous` means.
    """
    for connection in _files(databases):
        wanted = pragmas_read_back()
        wrong = {name: value for name, value in read_pragmas(connection).items() if value != wanted[name]}
        for name, value in wrong.items():
            yield checks.Error(
                f"PRAGMA {name} is {value}, not {wanted[name]}",
                hint="Move the database to a file system of this machine that can be written.",
                id="D101",
            )
        yield checks.Debug(f"all {len(wanted)} are as set", id="D101")


@checks.register("doctor", deploy=True)
def check_release(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """D102: SQLite's release.

    Some releases have bugs that can damage the file or give wrong answers in what this product does: above all the
    WAL-reset bug, before 3.51.3 except in 3.50.7 and 3.44.6, where a checkpoint that meets a writer at the wrong moment
    can corrupt the file. It is rare. The release is the one inside pysqlite3 where that is installed, else the one that
    Python is linked with.
    """
    for _ in _files(databases):
        bugs = bugs_of(sqlite3.sqlite_version_info)
        for bug in bugs:
            yield checks.Warning(
                f"{describe()} has the {bug.name}: {bug.effect}",
                hint=advice(bug),
                id="D102",
            )
        if not bugs:
            yield checks.Debug(describe(), id="D102")


@checks.register("doctor", deploy=True)
def check_log(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """D103: The write-ahead log.

    SQLite moves the log into the file as it goes, but not past what the oldest reader still reads. It is long after a
    long backup or a bulk import, and is then reused from its start; where it keeps growing, some connection never ends
    its transaction.
    """
    for connection in _files(databases):
        log = log_of(file_of(connection))
        size = log.stat().st_size if log.exists() else 0
        message = f"{size // MEBIBYTE} MiB"
        if size > LONG_LOG:
            yield checks.Warning(
                message, hint="Restart the server: the last connection to close empties the log.", id="D103"
            )
        else:
            yield checks.Debug(message, id="D103")


@checks.register("doctor", checks.Tags.database, deploy=True)
def check_integrity(
    databases: Sequence[str] | None = None, full: bool = False, **kwargs: Any
) -> Iterator[checks.CheckMessage]:
    """D104: The file's integrity.

    `quick_check` reads every page of every table; with --full, `integrity_check` also holds each index against its
    table. Damage comes from faulty disks and memory, from copies of a file in use, and from SQLite's own bugs.
    """
    for connection in _files(databases):
        pragma = "integrity_check" if full else "quick_check"
        # Within this statement older releases of SQLite look at no deadline.
        timer = threading.Timer(seconds_left() or threading.TIMEOUT_MAX, connection.connection.interrupt)
        timer.start()
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA {pragma}(3)")
                problems = [row[0] for row in cursor.fetchall() if row[0] != "ok"]
        finally:
            timer.cancel()
            timer.join()
        if problems:
            yield checks.Error(
                "; ".join(problems),
                hint="Stop the server, copy the file and its -wal aside, and restore the last proven backup with "
                "`promptadmin restoredb`.",
                id="D104",
            )
        else:
            yield checks.Debug(f"{pragma}: ok", id="D104")
