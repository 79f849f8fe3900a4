"""Directories that one process at a time works in."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from promptadmin.ops.backups.errors import BackupError


@contextlib.contextmanager
def locked_directory(directory: Path, *, unusable: str, in_use: str) -> Iterator[None]:
    """Make a directory where it is missing, and hold its lock, which ends with the process. Raises BackupError."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise BackupError(f"{directory} can't be used ({error.strerror}): {unusable}.") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"Another process {in_use} in {directory}: wait until it has ended.") from None
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def workspace(directory: Path) -> Iterator[Path]:
    """A directory to restore in, whose name says that nothing in it counts; it is removed at the end.

    Raises BackupError where another process uses it.
    """
    with locked_directory(directory, unusable="see who may write there", in_use="restores a backup"):
        try:
            for left in directory.iterdir():
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)
