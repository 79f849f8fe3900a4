"""What happens to a SQLite file before the first change to it: checks, a backup, the repair of orphaned links.

Everything here works on a plain sqlite3 connection of its own: Django's would switch the file to WAL first.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader

from promptadmin.conf.counted import counted
from promptadmin.db.sqlite.connections import file_of, is_file, quote
from promptadmin.ops.startup.adoption.backup import back_up, existing_backup
from promptadmin.ops.startup.adoption.errors import UnusableDatabaseError
from promptadmin.ops.startup.adoption.files import check_file, check_room, take_write_lock, unusable
from promptadmin.ops.startup.adoption.foreign import RECORDED, UNKNOWN, Found, check_foreign, check_kind
from promptadmin.ops.startup.adoption.orphans import Orphan, find_orphans, refusal, repair
from promptadmin.ops.startup.adoption.server import check_server
from promptadmin.ops.startup.adoption.shape import check_shape, table_names
from promptadmin.plugins.declarations import enabled_plugins

__all__ = ["Adoption", "Orphan", "UnusableDatabaseError", "is_adopted", "prepare_file"]


#: All but triggers and what SQLite itself keeps.
DECLARED = (
    "SELECT type, name, tbl_name FROM sqlite_master WHERE type <> 'trigger' AND name NOT LIKE 'sqlite|_%' ESCAPE '|'"
)


@dataclass(frozen=True)
class Adoption:
    """What was done before the migrations: the backup's path, the links set to NULL, and the file that keeps these."""

    backup: Path | None = None
    repaired: list[Orphan] = field(default_factory=list)
    repaired_file: Path | None = None


def prepare_file(
    connection: BaseDatabaseWrapper, *, repair_orphans: bool, say: Callable[[str], None]
) -> Adoption | None:
    """Check an existing SQLite file that has pending migrations, and back it up if Django never migrated it.

    Returns None where there is nothing to prepare: a new file, one without pending migrations, another engine, whose
    database is checked for tables of other programs alone. Raises UnusableDatabaseError, with nothing changed.
    """
    if not is_file(connection):
        check_server(connection)
        return None
    path = file_of(connection)
    connection.close()
    if not check_file(path):
        say(f"Making a new database: {path}")
        return None
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as raw:
            return _prepare(raw, path, repair_orphans=repair_orphans, say=say)
    except sqlite3.Error as error:
        raise unusable(path, error) from error


def is_adopted(connection: BaseDatabaseWrapper) -> bool:
    """Whether a SQLite file is there and has every migration; found out without Django's connection.

    Raises UnusableDatabaseError for a file that can't be used.
    """
    path = file_of(connection)
    if not check_file(path):
        return False
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as raw:
            return _applied_migrations(raw) >= set(MigrationLoader(None).graph.nodes)
    except sqlite3.Error as error:
        raise unusable(path, error) from error


def _prepare(
    raw: sqlite3.Connection, path: Path, *, repair_orphans: bool, say: Callable[[str], None]
) -> Adoption | None:
    applied = _applied_migrations(raw)
    if applied >= set(MigrationLoader(None).graph.nodes):
        return None
    take_write_lock(raw, path)
    declared = raw.execute(DECLARED).fetchall()
    found = Found(
        str(path),
        {name: kind for kind, name, _ in declared if kind != "index"},
        {name: table for kind, name, table in declared if kind == "index"},
    )
    check_foreign(found, applied)
    check_shape(found.kinds, lambda table: raw.execute(f"PRAGMA table_info({quote(table)})").fetchall())
    labels = {plugin.label for plugin in enabled_plugins()}
    never_migrated = not any(app in labels for app, _ in applied)
    if not applied:
        check_kind(found)
    orphans = find_orphans(raw)
    required = [orphan for orphan in orphans if not orphan.nullable]
    if orphans and (required or not repair_orphans):
        raise UnusableDatabaseError(refusal(path, orphans))
    backup = None
    if table_names(raw) and never_migrated:
        backup = existing_backup(raw, path)
        if backup is None:
            check_room(path)
            backup = back_up(raw, path)
        say(f"Backup of the file as it was, checked: {backup}")
    repaired_file = None
    if orphans:
        repaired_file = repair(raw, path, orphans)
        say(f"Set {counted(len(orphans), 'orphaned link')} to NULL; what they were is kept in {repaired_file}")
    return Adoption(backup, orphans, repaired_file)


def _applied_migrations(raw: sqlite3.Connection) -> set[tuple[str, str]]:
    if RECORDED not in table_names(raw):
        return set()
    columns = {name for _, name, *_ in raw.execute(f"PRAGMA table_info({RECORDED})")}
    if not columns >= {"app", "name"}:
        return {UNKNOWN}
    return set(raw.execute(f"SELECT app, name FROM {RECORDED}"))
