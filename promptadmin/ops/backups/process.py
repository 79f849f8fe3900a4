"""A backup in a process of its own, for those who can't wait for it, and how the last one went.

It ends with the process that started it, as everything does that `serve` started.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import threading
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.utils import timezone

from promptadmin.db.process_locks import is_running, only_running
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.child_processes import python_module
from promptadmin.ops.startup import run_log
from promptadmin.ops.startup.run_log import StepRun

logger = logging.getLogger(__name__)

LOCK = "backup"
KEPT_IN = "backups.json"
UNDER_WAY = "A backup is under way: wait until it has ended."
BROKEN_OFF = "It was broken off: the server was stopped, or its process was killed. Make another one."
_NOT_ENDED = "not ended"


class BackupProcess:
    """`promptadmin backupdb`, which is the only one while it runs. Raises BackupError where another one runs."""

    def __init__(self, using: str, *options: str) -> None:
        self._connection = connections[using]
        self._began = timezone.now()
        line = python_module("promptadmin.ops.server.supervisor", str(os.getpid()), "backupdb", "--json", *options)
        try:
            self._lock = only_running(LOCK)  # let go when it is written down how it went
        except BlockingIOError:
            raise BackupError(UNDER_WAY) from None
        except ImproperlyConfigured as error:
            raise BackupError(str(error)) from None
        self._remember(_NOT_ENDED)
        try:
            self._process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603  # ours
        except OSError as error:
            self._remember(f"It can't be started: {error}.", failed=True)
            self._lock.close()
            raise BackupError(f"The backup can't be started: {error}.") from None

    def has_ended(self, seconds: float | None = None) -> bool:
        """Wait for the end, at most so long. Raises BackupError where it ended without a backup."""
        try:
            output, errors = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        with self._lock:
            self._write_down(output, errors)
        return True

    def _write_down(self, output: bytes, errors: bytes) -> None:
        if self._process.returncode:
            said = " ".join(errors.decode(errors="replace").rpartition("CommandError: ")[2].split())
            said = said or f"It ended with {self._process.returncode}."
            self._remember(said, failed=True)
            raise BackupError(said)
        told = json.loads(output)
        self._remember(f"Made and proved {Path(told['backup']).name}.", warnings=told["warnings"])

    def _remember(self, message: str, *, failed: bool = False, warnings: list[str] | None = None) -> None:
        took = (timezone.now() - self._began).total_seconds()
        run = StepRun(self._began, took, int(not failed), message, [message] if failed else warnings or [])
        run_log.remember(self._connection, [(LOCK, run)], kept_in=KEPT_IN, keep=run_log.EARLIER_RUNS)


def start_backup(using: str) -> None:
    """Start a backup, and return. Raises BackupError where one is under way."""
    process = BackupProcess(using)

    def wait() -> None:
        try:
            process.has_ended()
        except BackupError as error:
            logger.error("The backup failed: %s", error)  # it says what to do: no trace

    threading.Thread(target=wait, daemon=True).start()


def is_under_way() -> bool:
    """Whether such a process runs."""
    try:
        return is_running(LOCK)
    except ImproperlyConfigured:  # nothing can be written there, and so no backup runs
        return False


def kept_runs(using: str) -> list[StepRun]:
    """How such backups of a database went, the last one first; where it is under way, when it began."""
    runs = run_log.kept_runs(connections[using], kept_in=KEPT_IN).get(LOCK, [])
    goes_on = is_under_way()
    return [
        run
        if run.message != _NOT_ENDED or (goes_on and number == 0)
        else StepRun(run.ran_at, 0, 0, BROKEN_OFF, [BROKEN_OFF])
        for number, run in enumerate(runs)
    ]


def last_run(using: str) -> StepRun | None:
    """How the last such backup of a database went; where it is under way, when it began."""
    return next(iter(kept_runs(using)), None)
