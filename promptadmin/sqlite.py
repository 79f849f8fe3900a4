"""Everything that knows SQLite's connections: PRAGMAs, functions, and the checks that read them back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core import checks
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin import lookups
from promptadmin.fields import new_id

#: PRAGMA → value to set. `PRAGMAS_READ_BACK` has what SQLite answers afterwards.
PRAGMAS: dict[str, int | str] = {
    "foreign_keys": "ON",
    "journal_mode": "WAL",
    "synchronous": "NORMAL",
    "cache_size": -65536,
    "mmap_size": 268435456,
    "temp_store": "MEMORY",
    "busy_timeout": 5000,
}
PRAGMAS_READ_BACK: dict[str, int | str] = {
    **PRAGMAS,
    "foreign_keys": 1,
    "journal_mode": "wal",
    "synchronous": 1,
    "temp_store": 2,
}
CHECKPOINT_PAGES = 1000  # SQLite's default
WORK_CHECKPOINT_PAGES = 16384
WORK_MMAP, SMALL_FILE = 96 * 2**20, 512 * 2**20
# Releases that have the fix of the WAL-reset bug: this one and all later ones, and these of older branches.
WAL_RESET_FIXED = (3, 51, 3)
WAL_RESET_FIXED_BRANCHES = {(3, 44): 6, (3, 50): 7}


def configure_connection(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Receiver of `connection_created`: set up a new SQLite connection, or close it and raise.

    Django has stored the connection by then, so one that stayed open would be used as it is.
    """
    if connection.vendor != "sqlite":
        return
    try:
        raw: sqlite3.Connection = connection.connection
        for name, value in PRAGMAS.items():
            raw.execute(f"PRAGMA {name}={value}").fetchall()
        raw.text_factory = read_text
        # The name that PostgreSQL has for it, so that one statement makes keys on both.
        raw.create_function("gen_random_uuid", 0, new_id)
        lookups.register_function(raw)
    except Exception:
        connection.close()
        raise


def read_text(stored: bytes) -> str:
    """A stored text; what is no UTF-8, which other programs can store, reads as the replacement character."""
    return stored.decode(errors="replace")


def read_pragmas(connection: BaseDatabaseWrapper) -> dict[str, int | str]:
    """The values of our PRAGMAs as this connection answers them now."""
    with connection.cursor() as cursor:
        return {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS}


def is_file(connection: BaseDatabaseWrapper) -> bool:
    """Whether this is a SQLite database in a file (tests also use databases in memory)."""
    name = str(connection.settings_dict["NAME"])
    return connection.vendor == "sqlite" and ":memory:" not in name and "mode=memory" not in name


def check_pragmas(databases: Sequence[str] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """System check promptadmin.E001: each PRAGMA holds its value on the open connection."""
    messages: list[checks.CheckMessage] = []
    for alias in databases or ():
        connection = connections[alias]
        if not is_file(connection):
            continue
        for name, value in read_pragmas(connection).items():
            if value != PRAGMAS_READ_BACK[name]:
                messages.append(
                    checks.Error(
                        f"PRAGMA {name} of database {alias!r} is {value}, not {PRAGMAS_READ_BACK[name]}.",
                        hint="Is the file on a network or read-only file system?",
                        id="promptadmin.E001",
                    )
                )
    return messages


def has_wal_reset_bug(version: tuple[int, ...]) -> bool:
    """Whether this SQLite release can corrupt a WAL file that several connections use."""
    if version >= WAL_RESET_FIXED:
        return False
    fixed = WAL_RESET_FIXED_BRANCHES.get(version[:2])  # type: ignore[arg-type]  # a slice's length isn't in its type
    return fixed is None or version[2] < fixed


def check_version(databases: Sequence[str] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """System check promptadmin.W001: the linked SQLite has the fix of the WAL-reset bug."""
    if not any(is_file(connections[alias]) for alias in databases or ()):
        return []
    if not has_wal_reset_bug(sqlite3.sqlite_version_info):
        return []
    return [
        checks.Warning(
            f"SQLite {sqlite3.sqlite_version} has the WAL-reset bug: in rare cases a checkpoint that meets a writer "
            "corrupts the file.",
            hint="Use a Python linked with SQLite 3.51.3 or later (also 3.50.7, 3.44.6), and keep backups until then.",
            id="promptadmin.W001",
        )
    ]


@contextmanager
def bounded_memory(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Keep this process below 300 MB during work on whole tables: sorts spill to files, little or no file is mapped.

    The log is moved to the file less often, so that pages that many transactions change are written once.

    Outside a transaction only; does nothing on other engines.
    """
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA temp_store=FILE")
        # A large file's sorts need the memory, and would gain little by a small part of the file.
        size = cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").fetchone()[0]
        cursor.execute(f"PRAGMA mmap_size={WORK_MMAP if size < SMALL_FILE else 0}")
        cursor.execute(f"PRAGMA wal_autocheckpoint={WORK_CHECKPOINT_PAGES}")
    try:
        yield
    finally:
        if connection.connection is not None:
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA temp_store={PRAGMAS['temp_store']}")
                cursor.execute(f"PRAGMA mmap_size={PRAGMAS['mmap_size']}")
                cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")


@contextmanager
def constraints_checked_once(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Check foreign keys once at the end instead of after each migration.

    Django's SQLite schema editor reads the whole file to check them each time it closes: minutes, for sixty
    migrations of a large file. Does nothing on other engines, whose keys are checked row by row.
    """
    if connection.vendor != "sqlite":
        yield
        return
    connection.check_constraints = lambda table_names=None: None  # type: ignore[method-assign]  # this instance, this block
    try:
        yield
    finally:
        del connection.check_constraints
    connection.check_constraints()
