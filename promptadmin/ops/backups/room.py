"""Whether a disk has room for a copy."""

from __future__ import annotations

import shutil
from pathlib import Path

from promptadmin.ops.backups.errors import BackupError

MEBIBYTE = 1024 * 1024
MARGIN = 8 * MEBIBYTE


def check_room(directory: Path, needed: int, what: str) -> None:
    """Raise BackupError unless the disk of a directory has so many bytes free, and a few more."""
    free = shutil.disk_usage(directory).free
    if free < needed + MARGIN:
        raise BackupError(
            f"The disk of {directory} has {free // MEBIBYTE} MiB free, and {what} may need "
            f"{(needed + MARGIN) // MEBIBYTE} MiB: make room, or name another place."
        )
