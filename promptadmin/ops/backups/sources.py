"""Which engine a connection of Django's has, as a source of backups and as a target for them."""

from __future__ import annotations

from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.sqlite.connections import is_file
from promptadmin.ops.backups.engines import Source, Target
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.store import Store, default_directory


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
    return Path(str(connection.settings_dict["NAME"]))
