"""What is particular to a SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from promptadmin.db.sqlite.engine import describe
from promptadmin.db.sqlite.known_bugs import advice, bugs_of
from promptadmin.db.sqlite.pragmas import pragmas_read_back, read_pragmas
from promptadmin.ops.doctor.limits import limited
from promptadmin.ops.doctor.registry import Examination, Finding, Needs, Severity, check

MEBIBYTE = 1024 * 1024
LONG_LOG = 256 * MEBIBYTE


@check("D101", needs=Needs.DATABASE, engines=("sqlite",))
def check_pragmas(examination: Examination) -> Iterator[Finding]:
    """The connection's settings.

    Foreign keys are enforced, writers don't block readers (WAL), and waiting for a lock takes seconds before it fails.
    The values are read back from an open connection. WAL needs a file system of this machine: on a network's it can't
    be switched on. D105 says what `synchronous` means.
    """
    wanted = pragmas_read_back()
    wrong = {name: value for name, value in read_pragmas(examination.connection).items() if value != wanted[name]}
    for name, value in wrong.items():
        yield Finding(
            Severity.ERROR,
            f"PRAGMA {name} is {value}, not {wanted[name]}",
            "Move the database to a file system of this machine that can be written.",
        )
    yield Finding(Severity.OK, f"all {len(wanted)} are as set")


@check("D102", needs=Needs.NOTHING, engines=("sqlite",))
def check_release(examination: Examination) -> Iterator[Finding]:
    """SQLite's release.

    Some releases have bugs that can damage the file or give wrong answers in what this product does: above all the
    WAL-reset bug, before 3.51.3 except in 3.50.7 and 3.44.6, where a checkpoint that meets a writer at the wrong moment
    can corrupt the file. It is rare. The release is the one inside pysqlite3 where that is
    installed, and otherwise the one that Python is linked with.
    """
    bugs = bugs_of(sqlite3.sqlite_version_info)
    for bug in bugs:
        yield Finding(
            Severity.WARNING,
            f"{describe()} has the {bug.name}: {bug.effect}",
            advice(bug),
        )
    if not bugs:
        yield Finding(Severity.OK, describe())


@check("D103", needs=Needs.NOTHING, engines=("sqlite",))
def check_log(examination: Examination) -> Iterator[Finding]:
    """The write-ahead log.

    SQLite moves the log into the file as it goes, but not past what the oldest reader still reads. It is long after a
    long backup or a bulk import, and is then reused from its start; where it keeps growing, some connection never ends
    its transaction.
    """
    path = Path(str(examination.connection.settings_dict["NAME"]))
    log = path.with_name(path.name + "-wal")
    size = log.stat().st_size if log.exists() else 0
    message = f"{size // MEBIBYTE} MiB"
    if size > LONG_LOG:
        yield Finding(Severity.WARNING, message, "Restart the server: the last connection to close empties the log.")
    else:
        yield Finding(Severity.OK, message)


@check("D104", needs=Needs.DATABASE, engines=("sqlite",))
def check_integrity(examination: Examination) -> Iterator[Finding]:
    """The file's integrity.

    `quick_check` reads every page of every table; with --full, `integrity_check` also holds each index against its
    table. Damage comes from faulty disks and memory, from copies of a file in use, and from SQLite's own bugs.
    """
    pragma = "integrity_check" if examination.full else "quick_check"
    with limited(examination), examination.connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {pragma}(3)")
        problems = [row[0] for row in cursor.fetchall() if row[0] != "ok"]
    if problems:
        yield Finding(
            Severity.ERROR,
            "; ".join(problems),
            "Stop the server, copy the file and its -wal aside, and restore the last proven backup with "
            "`manage.py restoredb`.",
        )
    else:
        yield Finding(Severity.OK, f"{pragma}: ok")
