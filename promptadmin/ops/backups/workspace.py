"""A directory to restore in, for one process at a time, whose name says that nothing in it counts."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from promptadmin.ops.backups.errors import BackupError


@contextlib.contextmanager
def workspace(directory: Path) -> Iterator[Path]:
    """Make the directory, empty of what a killed process left, and remove it at the end.

    Raises BackupError where another process uses it.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise BackupError(f"{directory} can't be made ({error.strerror}): see who may write there.") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"Another process restores a backup in {directory}: wait until it has ended.") from None
        try:
            for left in directory.iterdir():
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)
    finally:
        os.close(handle)
