"""Everything that knows SQLite's connections: PRAGMAs, functions, and the checks that read them back."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core import checks
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db import durability, lookups
from promptadmin.db.deadlines import respect_deadlines
from promptadmin.db.fields import new_id
from promptadmin.db.postgresql.connections import read_any_moment
from promptadmin.db.sqlite.known_bugs import bugs_of, releases_without
from promptadmin.db.sqlite.read_connections import Connection

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


def configure_connection(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Receiver of `connection_created`: set up a new connection, or close it and raise.

    Django has stored the connection by then, so one that stayed open would be used as it is.
    """
    try:
        if connection.vendor == "postgresql":
            durability.configure_postgresql(connection)
            read_any_moment(connection)
        if connection.vendor != "sqlite":
            return
        raw: sqlite3.Connection = connection.connection
        for name, value in (*PRAGMAS.items(), ("synchronous", durability.pragma())):
            raw.execute(f"PRAGMA {name}={value}").fetchall()
        raw.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}").fetchall()
        raw.text_factory = read_text
        # The name that PostgreSQL has for it, so that one statement makes keys on both.
        raw.create_function("gen_random_uuid", 0, new_id)
        lookups.register_function(raw)
        respect_deadlines(raw)
        if isinstance(raw, Connection):
            raw.note_log()
    except Exception:
        connection.close()
        raise


def quote(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def read_text(stored: bytes) -> str:
    """A stored text; what is no UTF-8, which other programs can store, reads as the replacement character."""
    return stored.decode(errors="replace")


def fetch_all(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement, on any engine.

    On SQLite the driver itself decodes the texts, several times faster than `read_text`, which is asked only where one
    of them is no UTF-8. Unless somebody listens, it gets the statement without Django's cursors, which take as long as
    many a statement.
    """
    if connection.vendor != "sqlite":
        return _fetch_all(connection, sql, params)
    connection.ensure_connection()
    raw = connection.connection
    listened = _is_listened_to(connection)
    raw.text_factory = str
    try:
        return _fetch_all(connection, sql, params) if listened else _fetch_raw(connection, sql, params)
    except OperationalError as error:
        if "decode" not in str(error):
            raise
    finally:
        raw.text_factory = read_text
    return _fetch_all(connection, sql, params)


def execute(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> None:
    """Run a statement that answers nothing, on any engine; on SQLite without Django's cursors, as `fetch_all`."""
    connection.ensure_connection()
    if connection.vendor == "sqlite" and not _is_listened_to(connection):
        _fetch_raw(connection, sql, params)
        return
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def _is_listened_to(connection: BaseDatabaseWrapper) -> bool:
    return bool(connection.execute_wrappers) or connection.queries_logged


def _fetch_raw(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors:
        rows: list[tuple[Any, ...]] = connection.connection.execute(_with_question_marks(sql), params).fetchall()
        return rows


@functools.lru_cache(maxsize=512)
def _with_question_marks(sql: str) -> str:
    return sql.replace("%%", "%") if "%s" not in sql else sql % (("?",) * sql.replace("%%", "").count("%s"))


def _fetch_all(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def read_pragmas(connection: BaseDatabaseWrapper) -> dict[str, int | str]:
    """The values of our PRAGMAs as this connection answers them now."""
    with connection.cursor() as cursor:
        return {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas_read_back()}


def pragmas_read_back() -> dict[str, int | str]:
    """What `read_pragmas` answers where everything is as it must be."""
    return {**PRAGMAS_READ_BACK, "synchronous": durability.pragma_read_back()}


def is_file(connection: BaseDatabaseWrapper) -> bool:
    """Whether this is a SQLite database in a file (tests also use databases in memory)."""
    name = str(connection.settings_dict["NAME"])
    return connection.vendor == "sqlite" and ":memory:" not in name and "mode=memory" not in name


def check_pragmas(databases: Sequence[str] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """System check promptadmin.E001: each PRAGMA holds its value on the open connection."""
    messages: list[checks.CheckMessage] = []
    wanted = pragmas_read_back()
    for alias in databases or ():
        connection = connections[alias]
        if not is_file(connection):
            continue
        for name, value in read_pragmas(connection).items():
            if value != wanted[name]:
                messages.append(
                    checks.Error(
                        f"PRAGMA {name} of database {alias!r} is {value}, not {wanted[name]}.",
                        hint="Is the file on a network or read-only file system?",
                        id="promptadmin.E001",
                    )
                )
    return messages


def check_version(databases: Sequence[str] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """System check promptadmin.W001: the linked SQLite has none of the known bugs."""
    if not any(is_file(connections[alias]) for alias in databases or ()):
        return []
    return [
        checks.Warning(
            f"SQLite {sqlite3.sqlite_version} has the {bug.name}: {bug.effect}.",
            hint=f"Use a Python linked with {releases_without(bug)}, and keep backups until then. See {bug.source}.",
            id="promptadmin.W001",
        )
        for bug in bugs_of(sqlite3.sqlite_version_info)
    ]


def work_memory(size: int) -> dict[str, int]:
    """The PRAGMAs for work on whole tables of a file of this size, in bytes.

    By the end of a table a page cache has nothing left of its beginning. A small one stays in the processor's cache,
    and so do the sorts, which SQLite gives as much memory. A small file's mapped part is read in place each time.
    """
    return {"cache_size": WORK_CACHE, "mmap_size": WORK_MMAP if size < SMALL_FILE else 0}


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
