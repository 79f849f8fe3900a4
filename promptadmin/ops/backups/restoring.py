"""Restoring a backup, on any engine: verified beside the database before it takes its place."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.ops.backups.boot_check import BootStep
from promptadmin.ops.backups.engines import Say, target_of
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.store import Backup, open_backup


@dataclass(frozen=True)
class Restored:
    """What was restored where, and where the old database is; or, of a drill, how the application booted."""

    backup: Backup
    target: str
    kept: str | None
    seconds: float
    boot: list[BootStep] = field(default_factory=list)

    @property
    def succeeded(self) -> bool:
        """Whether every command of a drill succeeded."""
        return all(step.succeeded for step in self.boot)


def restore(
    connection: BaseDatabaseWrapper, path: Path, *, drill: bool = False, say: Say = lambda line: None
) -> Restored:
    """Verify a backup and put it in the database's place, or, with `drill`, boot the application on the copy instead.

    `path` is a backup, a file in it, or a directory of backups, of which the newest is taken. Raises BackupError with
    the database as it was.
    """
    began = time.monotonic()
    backup = open_backup(path.absolute())
    target = target_of(connection)
    if backup.manifest.engine != target.engine:
        raise BackupError(
            f"{backup.directory} is a backup of {backup.manifest.engine}, but DATABASE_URL names a database of "
            f"{target.engine}: name another one."
        )
    say(f"Restoring {backup.directory}, the database as of {backup.manifest.made_at}.")
    kept, steps = None, []
    try:
        if drill:
            steps = target.drill(backup, say)
        else:
            kept = target.restore(backup, say)
    except (sqlite3.Error, DatabaseError, OSError) as error:
        raise BackupError(f"The backup can't be restored: {error}") from error
    return Restored(backup, target.name, kept, round(time.monotonic() - began, 3), steps)
