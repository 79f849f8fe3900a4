"""Who may read and write the files, and whether the disk has room."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from promptadmin.conf.secret_key import FILE_NAME as SECRET_KEY
from promptadmin.db.sqlite.connections import is_file
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.room import MARGIN, MEBIBYTE
from promptadmin.ops.backups.sources import source_of
from promptadmin.ops.backups.store import default_directory
from promptadmin.ops.doctor.registry import Examination, Finding, Needs, Severity, check
from promptadmin.ops.startup.file_modes import DIRECTORY_MODE, FILE_MODE

COMPANIONS = ("", "-wal", "-shm", "-journal")
ADVICE = "Run `manage.py harden_data_dir`, or change the modes yourself."


@check("D002", needs=Needs.NOTHING)
def check_permissions(examination: Examination) -> Iterator[Finding]:
    """The files' permissions.

    The database holds prompts and the hashes of passwords and tokens; its -wal and -shm files hold the same rows; the
    secret key signs sessions. Each start sets 0700 and 0600. The files must have one owner: a log that another user
    made, for instance root with a command, can't be written by the server.
    """
    data_dir = Path(settings.DATA_DIR)
    places = {data_dir: DIRECTORY_MODE, data_dir / SECRET_KEY: FILE_MODE}
    files: list[Path] = []
    if is_file(examination.connection):
        database = Path(str(examination.connection.settings_dict["NAME"]))
        files = [
            path for path in (database.with_name(database.name + suffix) for suffix in COMPANIONS) if path.exists()
        ]
        # The files beside it get the database's own mode from SQLite, so that one finding says it for all.
        mode = database.stat().st_mode if database.exists() else None
        places |= {path: FILE_MODE for path in files if path == database or path.stat().st_mode != mode}
        if database.parent.is_dir() and database.parent.stat().st_mode & 0o022:
            yield Finding(
                Severity.ERROR,
                f"{database.parent} can be written by others, who could replace the database",
                f"Run `chmod go-w {database.parent}`, or move the database.",
            )
    yield from wrong_modes(places, ADVICE)
    owners = {path.stat().st_uid for path in files}
    if len(owners) > 1:
        yield Finding(
            Severity.ERROR,
            f"{files[0]} and the files beside it have several owners",
            "Stop the server, give all of them to the user that it runs as, and run commands as that user.",
        )
    yield Finding(Severity.OK, f"looked at {sum(path.exists() for path in places)} files and directories")


@check("D003", needs=Needs.NOTHING)
def check_backup_permissions(examination: Examination) -> Iterator[Finding]:
    """The backups' permissions.

    A backup has everything that the database has. Directories get 0700, files 0600.
    """
    directory = default_directory()
    if not directory.is_dir():
        yield Finding(Severity.OK, "there are none")
        return
    places = {directory: DIRECTORY_MODE}
    for backup in directory.glob("promptadmin-*"):
        places |= {backup: DIRECTORY_MODE} | dict.fromkeys(backup.iterdir(), FILE_MODE)
    if is_file(examination.connection):
        database = Path(str(examination.connection.settings_dict["NAME"]))
        places |= dict.fromkeys(database.parent.glob(f"{database.name}.before-*"), FILE_MODE)
    yield from wrong_modes(places, f"Run `chmod -R go= {directory}`, and the same for copies beside the database.")
    yield Finding(Severity.OK, f"looked at {len(places)} files and directories")


@check("D004", needs=Needs.NOTHING)
def check_room(examination: Examination) -> Iterator[Finding]:
    """Room for a backup.

    A backup needs as much room as the database and its log, with --compress zstd twice that while it is made.
    """
    directory = default_directory()
    while not directory.exists():
        directory = directory.parent
    try:
        needed = source_of(examination.connection).size() + MARGIN
    except BackupError as error:
        yield Finding(Severity.ERROR, f"no backup can be made: {error}")
        return
    free = shutil.disk_usage(directory).free
    message = f"{free // MEBIBYTE} MiB are free, a backup may need {needed // MEBIBYTE} MiB"
    if free < needed:
        yield Finding(
            Severity.ERROR, message, "Make room, or give `backupdb` another directory. Keep fewer: `backupdb --keep 7`."
        )
    elif free < 2 * needed:
        yield Finding(Severity.WARNING, message, "Make room before it runs out. Keep fewer: `backupdb --keep 7`.")
    else:
        yield Finding(Severity.OK, message)


def wrong_modes(places: dict[Path, int], advice: str) -> Iterator[Finding]:
    """A finding for each file or directory that lets others in: an error where they may write."""
    for path, mode in places.items():
        if path.exists() and (actual := path.stat().st_mode & 0o777) & ~mode & 0o077:
            severity = Severity.ERROR if actual & 0o022 else Severity.WARNING
            yield Finding(severity, f"{path} has mode {actual:04o} instead of {mode:04o}", advice)
