"""Who may read and write the files, and whether the disk has room."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import connections

from promptadmin.conf.secret_key import FILE_NAME as SECRET_KEY
from promptadmin.db.sqlite.connections import file_of, is_file
from promptadmin.ops.backups.engines import source_of
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.room import MARGIN, MEBIBYTE
from promptadmin.ops.backups.store import default_directory
from promptadmin.ops.startup.file_modes import DIRECTORY_MODE, FILE_MODE

COMPANIONS = ("", "-wal", "-shm", "-journal")


@checks.register("doctor", deploy=True)
def check_permissions(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """D002: The files' permissions.

    The database holds prompts and the hashes of passwords and tokens; its -wal and -shm files hold the same rows; the
    secret key signs sessions. Each start sets 0700 and 0600. The files must have one owner: a log that another user
    made, for instance root with a command, can't be written by the server.
    """
    for alias in databases or ():
        connection = connections[alias]
        data_dir = Path(settings.DATA_DIR)
        places = {data_dir: DIRECTORY_MODE, data_dir / SECRET_KEY: FILE_MODE}
        files: list[Path] = []
        if is_file(connection):
            database = file_of(connection)
            files = [
                path for path in (database.with_name(database.name + suffix) for suffix in COMPANIONS) if path.exists()
            ]
            # The files beside it get the database's own mode from SQLite, so that one finding says it for all.
            mode = database.stat().st_mode if database.exists() else None
            places |= {path: FILE_MODE for path in files if path == database or path.stat().st_mode != mode}
            if database.parent.is_dir() and database.parent.stat().st_mode & 0o022:
                yield checks.Error(
                    f"{database.parent} can be written by others, who could replace the database",
                    hint=f"Run `chmod go-w {database.parent}`, or move the database.",
                    id="D002",
                )
        yield from wrong_modes(places, "D002", "Run `promptadmin harden_data_dir`, or change the modes yourself.")
        owners = {path.stat().st_uid for path in files}
        if len(owners) > 1:
            yield checks.Error(
                f"{files[0]} and the files beside it have several owners",
                hint="Stop the server, give all of them to the user that it runs as, and run commands as that user.",
                id="D002",
            )
        yield checks.Debug(f"looked at {sum(path.exists() for path in places)} files and directories", id="D002")


@checks.register("doctor", deploy=True)
def check_backup_permissions(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """D003: The backups' permissions.

    A backup has everything that the database has. Directories get 0700, files 0600.
    """
    for alias in databases or ():
        connection = connections[alias]
        directory = default_directory()
        if not directory.is_dir():
            yield checks.Debug("there are none", id="D003")
            continue
        places = {directory: DIRECTORY_MODE}
        for backup in directory.glob("promptadmin-*"):
            places |= {backup: DIRECTORY_MODE} | dict.fromkeys(backup.iterdir(), FILE_MODE)
        if is_file(connection):
            database = file_of(connection)
            places |= dict.fromkeys(database.parent.glob(f"{database.name}.before-*"), FILE_MODE)
        yield from wrong_modes(
            places, "D003", f"Run `chmod -R go= {directory}`, and the same for copies beside the database."
        )
        yield checks.Debug(f"looked at {len(places)} files and directories", id="D003")


@checks.register("doctor", deploy=True)
def check_room(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """D004: Room for a backup.

    A backup needs as much room as the database and its log, with --compress zstd twice that while it is made.
    """
    for alias in databases or ():
        connection = connections[alias]
        directory = default_directory()
        while not directory.exists():
            directory = directory.parent
        try:
            needed = source_of(connection).size() + MARGIN
        except BackupError as error:
            yield checks.Error(f"no backup can be made: {error}", id="D004")
            continue
        free = shutil.disk_usage(directory).free
        message = f"{free // MEBIBYTE} MiB are free, a backup may need {needed // MEBIBYTE} MiB"
        if free < needed:
            yield checks.Error(
                message,
                hint="Make room, or give `backupdb` another directory. Keep fewer: `backupdb --keep 7`.",
                id="D004",
            )
        elif free < 2 * needed:
            yield checks.Warning(
                message, hint="Make room before it runs out. Keep fewer: `backupdb --keep 7`.", id="D004"
            )
        else:
            yield checks.Debug(message, id="D004")


def wrong_modes(places: dict[Path, int], key: str, hint: str) -> Iterator[checks.CheckMessage]:
    """A finding for each file or directory that lets others in: an error where they may write."""
    for path, mode in places.items():
        if path.exists() and (actual := path.stat().st_mode & 0o777) & ~mode & 0o077:
            message = checks.Error if actual & 0o022 else checks.Warning
            yield message(f"{path} has mode {actual:04o} instead of {mode:04o}", hint=hint, id=key)
