"""A database that can be backed up, and one that a backup can be restored into, whatever its engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.sqlite.connections import file_of, is_file
from promptadmin.ops.backups.boot_check import BootStep
from promptadmin.ops.backups.compression import unpack
from promptadmin.ops.backups.contents import Contents
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.store import Backup, Store, default_directory

Say = Callable[[str], None]


@dataclass(frozen=True)
class Taken:
    """A copy that was opened, checked and compared with its source as of one moment, `made_at` (UTC, ISO 8601)."""

    file: Path
    made_at: str
    engine_version: str
    migrations: list[str]
    contents: Contents
    broken_links: dict[str, int]
    locale: dict[str, str] = field(default_factory=dict)


class Source(Protocol):
    """A database that can be backed up."""

    engine: str
    #: Names the database: a file's path, or host, port and name.
    name: str

    def size(self) -> int:
        """How large a copy may become, in bytes. Raises BackupError where there is no such database."""

    def take(self, directory: Path, *, compressed_later: bool, say: Say) -> Taken:
        """Make a proven copy in a directory. Raises BackupError unless it is sound and the same as its source."""


class Target(Protocol):
    """A database whose place a backup can take."""

    engine: str
    name: str

    def drill(self, backup: Backup, say: Say) -> list[BootStep]:
        """Restore and verify apart from the database, and boot the application on the copy. Raises BackupError."""

    def restore(self, backup: Backup, say: Say) -> str | None:
        """Restore, verify and swap; returns where the old database is, None without one. Raises BackupError."""


def unpack_checked(backup: Backup, target: Path) -> None:
    """Unpack a backup's file. Raises BackupError unless what is read and what comes out is as the manifest says."""
    manifest = backup.manifest
    try:
        stored, unpacked = unpack(backup.file, manifest.compression, target)
    except FileNotFoundError as error:
        raise BackupError(f"There is no {error.filename}: the backup is not whole.") from None
    if stored != manifest.file:
        raise BackupError(f"{backup.file} is damaged: its SHA-256 isn't that of the manifest. Take another backup.")
    if unpacked != manifest.unpacked:
        raise BackupError(f"{backup.file} unpacks to something else than was packed. Take another backup.")


def source_of(connection: BaseDatabaseWrapper) -> Source:
    """The database behind a connection, which need not be open. Raises BackupError where it can't be backed up."""
    if connection.vendor == "postgresql":
        from promptadmin.ops.backups.postgresql_source import PostgreSQLSource

        return PostgreSQLSource(connection)
    from promptadmin.ops.backups.sqlite_source import SQLiteSource

    return SQLiteSource(_path(connection))


def store_of(connection: BaseDatabaseWrapper, directory: Path | None = None) -> Store:
    """The backups of a database in a directory (default: the data directory's `backups`). Doesn't ask the database."""
    return Store((directory or default_directory()).absolute(), source_of(connection).name)


def target_of(connection: BaseDatabaseWrapper) -> Target:
    """The same, as what a backup takes the place of."""
    if connection.vendor == "postgresql":
        from promptadmin.ops.backups.postgresql_target import PostgreSQLTarget

        return PostgreSQLTarget(connection)
    from promptadmin.ops.backups.sqlite_target import SQLiteTarget

    _path(connection)
    return SQLiteTarget(connection)


def _path(connection: BaseDatabaseWrapper) -> Path:
    if not is_file(connection):
        raise BackupError("A database in memory has no backups: name a file.")
    return file_of(connection)
