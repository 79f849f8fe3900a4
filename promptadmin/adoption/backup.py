"""The backup made before Django's first change to a file."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
from pathlib import Path

from promptadmin.adoption.errors import UnusableDatabaseError
from promptadmin.adoption.shape import quote, table_names
from promptadmin.backups.copying import copy_pages, damage, one_moment, reading

PAGES_A_STEP = 4096  # nobody else writes to the file
INFIX = ".before-promptadmin-"


def existing_backup(path: Path) -> Path | None:
    """The newest backup beside the file if the file hasn't changed since: an interrupted start needs no second one."""
    written = max(file.stat().st_mtime_ns for file in (path, path.with_name(path.name + "-wal")) if file.exists())
    backups = [file for file in path.parent.glob(f"{path.name}{INFIX}*.db") if file.stat().st_mtime_ns >= written]
    return max(backups, key=lambda file: file.stat().st_mtime_ns, default=None)


def back_up(raw: sqlite3.Connection, path: Path) -> Path:
    """Copy the database beside the file, open the copy, check it, and only then give it its name.

    Raises UnusableDatabaseError if the copy isn't sound, which then holds for the file too.
    """
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S%fZ")
    target = path.with_name(f"{path.name}{INFIX}{stamp}.db")
    partial = path.with_name(f"{path.name}{INFIX}partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with one_moment(raw):
            copy_pages(raw, partial, pages_a_step=PAGES_A_STEP)
            _check(raw, partial, path)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def _check(raw: sqlite3.Connection, partial: Path, path: Path) -> None:
    with reading(partial) as copy:
        problems = damage(copy)
        for table in [] if problems else table_names(raw):
            count = f"SELECT COUNT(*) FROM {quote(table)}"
            if raw.execute(count).fetchone() != copy.execute(count).fetchone():
                problems.append(f"the table {table} has another number of rows in the copy")
    if problems:
        found = " ".join("; ".join(problems).split())  # SQLite's own report has several lines
        raise UnusableDatabaseError(f"{path} is damaged: {found}. Restore a sound copy of it.")
