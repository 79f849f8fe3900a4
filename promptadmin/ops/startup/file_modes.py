"""The last start-up step: nobody else on this machine reads the data."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from promptadmin.conf.counted import counted
from promptadmin.db.sqlite.connections import file_of, is_file
from promptadmin.plugins.steps import StepContext, StepResult

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600


def harden_data_dir(context: StepContext) -> StepResult:
    """Step 8: the data directory gets 0700 and the database's files 0600, with a warning where that can't be.

    A directory that merely holds the database, and isn't the data directory, keeps its mode: others may live there.
    """
    wanted: list[tuple[Path, int]] = [(Path(settings.DATA_DIR), DIRECTORY_MODE)]
    result = StepResult(0, "")
    if is_file(context.connection):
        database = file_of(context.connection)
        wanted += [(database.with_name(database.name + suffix), FILE_MODE) for suffix in ("", "-wal", "-shm")]
        if database.parent.resolve() != Path(settings.DATA_DIR).resolve() and database.parent.stat().st_mode & 0o022:
            result.warnings.append(f"{database.parent} is writable by others: they could replace the database.")
    for path, mode in wanted:
        if path.exists() and path.stat().st_mode & 0o777 != mode:
            try:
                if not context.dry_run:
                    path.chmod(mode)
                result.changed += 1
            except OSError as error:
                result.warnings.append(f"{path} keeps its mode {path.stat().st_mode & 0o777:o}: {error.strerror}.")
    result.message = f"changed the mode of {counted(result.changed, 'file')}" if result.changed else "nothing to do"
    return result
