"""Backups that `serve` makes by itself, as an upkeep job, in a process of their own.

A backup takes minutes where there is much to copy and compare: the upkeep starts it and looks in on it between the
pieces of other jobs. When the next one is due follows from the last proven backup alone, so it is the same whoever made
that one, and after any restart.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import connections
from django.utils import timezone

from promptadmin.ops.backups.engines import store_of
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.process import BackupProcess, is_under_way
from promptadmin.plugins.steps import JobResult

SECONDS_A_LOOK = 0.05
#: How long a backup that failed is not tried again, unless the schedule itself is shorter.
SECONDS_AFTER_FAILURE = 600.0
#: Where nobody asked for a schedule, a server that has just started is left alone for so long.
SECONDS_AFTER_START = 900.0

_started = time.monotonic()


@dataclass
class _Process:
    """The backup that this process has under way, and when it may start another one."""

    running: BackupProcess | None = None
    not_before: float = 0.0


_process = _Process()


def is_due(using: str, now: dt.datetime) -> bool:
    """Whether the schedule asks for a backup now."""
    if settings.BACKUP_EVERY is None:
        return False
    last = store_of(connections[using]).last_proven()
    return last is None or now - last.made_at >= settings.BACKUP_EVERY


def scheduled_backup(using: str) -> JobResult:
    """Start a backup where one is due, or wait a moment for the one that is under way.

    Raises BackupError where that one failed.
    """
    if _process.running is not None:
        return _look()
    if settings.BACKUP_BY_DEFAULT and time.monotonic() < _started + SECONDS_AFTER_START:
        return JobResult(0, 0)
    if time.monotonic() < _process.not_before or not is_due(using, timezone.now()) or is_under_way():
        return JobResult(0, 0)
    _process.running = BackupProcess(using, "--keep", str(settings.BACKUP_KEEP), "--compress", "zstd")
    return JobResult(0, 1)


def _look() -> JobResult:
    process = _process.running
    if process is None:
        return JobResult(0, 0)
    try:
        if not process.has_ended(SECONDS_A_LOOK):
            return JobResult(0, 1)
    except BackupError:
        every = settings.BACKUP_EVERY or dt.timedelta()
        _process.running, _process.not_before = (
            None,
            time.monotonic() + min(SECONDS_AFTER_FAILURE, every.total_seconds()),
        )
        raise
    _process.running = None
    return JobResult(1, 0)
