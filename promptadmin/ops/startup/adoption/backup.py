"""The backup made before Django's first change to a file."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
from pathlib import Path

from django.apps import apps
from django.db.migrations.recorder import MigrationRecorder

from promptadmin.db.sqlite.connections import log_of, quote
from promptadmin.db.sqlite.pragmas import work_memory
from promptadmin.ops.backups.contents import read_sqlite
from promptadmin.ops.backups.copying import copy_pages, damage, one_moment, reading
from promptadmin.ops.startup.adoption.errors import UnusableDatabaseError
from promptadmin.ops.startup.adoption.shape import table_names
from promptadmin.plugins.declarations import PluginConfig

PAGES_A_STEP = 4096  # nobody else writes to the file
INFIX = ".before-promptadmin-"


def existing_backup(raw: sqlite3.Connection, path: Path) -> Path | None:
    """The newest backup beside the file if it still holds all that the file does: a start that failed needs no second.

    A file that wasn't written since needs no look inside. One that was may have been written by that start alone,
    which adds Django's own tables before it comes to any other: what the backup holds must then be there unchanged.
    """
    backups = [(file.stat().st_mtime_ns, file) for file in path.parent.glob(f"{path.name}{INFIX}*.db")]
    if not backups:
        return None
    made, newest = max(backups)
    written = max(file.stat().st_mtime_ns for file in (path, log_of(path)) if file.exists())
    return newest if made >= written or _holds_all(newest, raw) else None


def _holds_all(backup: Path, raw: sqlite3.Connection) -> bool:
    """Whether every table of the file is in the backup with the same rows, but for Django's own, which may be new."""
    try:
        with reading(backup) as copy:
            before, declared_before = read_sqlite(copy, "compare"), _declared(copy)
    except sqlite3.DatabaseError:
        return False
    with one_moment(raw):
        now, declared_now = read_sqlite(raw, "compare"), _declared(raw)
    tables = {name for name in {*before.tables, *now.tables} if not name.startswith("sqlite_")}
    changed = {name for name in tables if before.tables.get(name) != now.tables.get(name)}
    return changed <= _own_tables() - set(before.tables) and declared_before <= declared_now


def _declared(raw: sqlite3.Connection) -> set[tuple[str, ...]]:
    return set(raw.execute("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"))


def _own_tables() -> set[str]:
    """The tables that Django and the platform make, before any plugin's."""
    models = [
        model
        for config in apps.get_app_configs()
        if not isinstance(config, PluginConfig)
        for model in config.get_models(include_auto_created=True)
    ]
    return {MigrationRecorder.Migration._meta.db_table, *(model._meta.db_table for model in models)}


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
        for name, value in work_memory(partial.stat().st_size).items():
            copy.execute(f"PRAGMA {name}={value}")
        problems = damage(copy)
        for table in [] if problems else table_names(raw):
            count = f"SELECT COUNT(*) FROM {quote(table)}"
            if raw.execute(count).fetchone() != copy.execute(count).fetchone():
                problems.append(f"the table {table} has another number of rows in the copy")
    if problems:
        found = " ".join("; ".join(problems).split())  # SQLite's own report has several lines
        raise UnusableDatabaseError(f"{path} is damaged: {found}. Restore a sound copy of it.")
