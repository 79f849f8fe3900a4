"""Restoring a backup of a SQLite file beside the file whose place it takes."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.process_locks import startup_lock
from promptadmin.db.sqlite.connections import file_of
from promptadmin.ops.backups.boot_check import BootStep, boot
from promptadmin.ops.backups.contents import read_sqlite
from promptadmin.ops.backups.copying import broken_links, damage, flush, reading
from promptadmin.ops.backups.engines import Say, unpack_checked
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.room import check_room
from promptadmin.ops.backups.sqlite_source import FILE_NAME, applied_migrations
from promptadmin.ops.backups.sqlite_swap import check_unused, finish_interrupted, swap
from promptadmin.ops.backups.store import PARTIAL, Backup
from promptadmin.ops.backups.workspace import workspace


class SQLiteTarget:
    """A SQLite file, which may be missing or damaged."""

    engine = "sqlite"

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.path = file_of(connection).resolve()  # what a link points to is what is swapped
        self.name = str(self.path)

    def drill(self, backup: Backup, say: Say) -> list[BootStep]:
        """Restore and verify beside the file, and boot the application on the copy. Raises BackupError."""
        with workspace(self._workspace("drill")) as directory:
            copy = self._restored(backup, directory, say)
            say("Booting the application on the copy.")
            return boot(f"sqlite:///{quote(str(copy))}", directory / "data")

    def restore(self, backup: Backup, say: Say) -> str | None:
        """Restore, verify and swap; returns where the old file is, None without one. Raises BackupError."""
        self.connection.close()
        with workspace(self._workspace("restore")) as directory:
            for old in finish_interrupted(self.path):
                say(f"An earlier restore was interrupted after the swap; the file before it is {old}")
            check_unused(self.path)
            copy = self._restored(backup, directory, say)
            with startup_lock(self.connection, say):
                kept = swap(copy, self.path)
        return str(kept) if kept else None

    def _workspace(self, purpose: str) -> Path:
        if not self.path.parent.is_dir():
            raise BackupError(f"There is no directory {self.path.parent}: make it first.")
        return self.path.with_name(f"{self.path.name}.{purpose}{PARTIAL}")

    def _restored(self, backup: Backup, directory: Path, say: Say) -> Path:
        """A verified copy in the directory."""
        check_room(directory, backup.manifest.unpacked.size, "the restored file")
        copy = directory / FILE_NAME
        unpack_checked(backup, copy)
        flush(copy)
        say("The file is as it was written. Checking what is in it.")
        try:
            problems = _problems(copy, backup)
        except sqlite3.DatabaseError as error:
            problems = [str(error)]
        if problems:
            raise BackupError(f"{backup.directory} can't be restored: {'; '.join(problems)}. Take another backup.")
        return copy


def _problems(path: Path, backup: Backup) -> list[str]:
    manifest = backup.manifest
    with reading(path) as copy:
        found = damage(copy)
        if found:
            return found
        contents = read_sqlite(copy, "compare")
        found = manifest.contents.differences(contents)
        if broken_links(copy) != manifest.broken_links:
            found.append("its links to missing rows are not those that the backup had")
        if applied_migrations(copy, contents) != manifest.migrations:
            found.append("its migrations are not those of the manifest")
        return found
