"""Upkeep: work that follows what is written, in short pieces beside the server.

`serve` keeps `promptadmin upkeep` running. Nothing depends on it for being right, only for being fast, or recent.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone
from django.utils.module_loading import import_string

from promptadmin.db.process_locks import held_lock
from promptadmin.db.sqlite.file_identity import check_in_place, expect_the_same_file
from promptadmin.ops.startup import run_log
from promptadmin.ops.startup.run_log import StepRun
from promptadmin.plugins.declarations import UpkeepJob, enabled_plugins
from promptadmin.plugins.isolation import isolate_plugin_errors
from promptadmin.plugins.platform import PLATFORM_JOBS
from promptadmin.plugins.steps import JobResult

logger = logging.getLogger(__name__)

#: After a piece, the server's writers have the database for as long as the piece took, and at least for this.
SECONDS_BETWEEN_PIECES = 0.005
SECONDS_AFTER_FAILURE = 30.0
SECONDS_BETWEEN_RECORDS = 2.0
NOTHING_LEFT = "nothing left"


class OwnedJob(NamedTuple):
    """A job, with the label of the plugin that declares it."""

    plugin: str
    job: UpkeepJob


def upkeep_jobs() -> list[OwnedJob]:
    """The platform's jobs and those of every enabled plugin."""
    return [
        *(OwnedJob("promptadmin", job) for job in PLATFORM_JOBS),
        *(OwnedJob(plugin.label, job) for plugin in enabled_plugins() for job in plugin.upkeep_jobs),
    ]


def do_piece(job: UpkeepJob, using: str = DEFAULT_DB_ALIAS) -> JobResult:
    """One piece of a job; waits while another process of this installation is at one."""
    function: Callable[[str], JobResult] = import_string(job.function)
    connection = connections[using]
    with held_lock(connection, "upkeep", lambda line: None):
        check_in_place(connection)
        return function(using)


def finish(job: UpkeepJob, using: str = DEFAULT_DB_ALIAS, *, on_piece: Callable[[JobResult], None]) -> int:
    """Do all that is left of a job. Answers how many things that were."""
    done = 0
    while True:
        piece = do_piece(job, using)
        done += piece.done
        on_piece(piece)
        if not piece.left:
            return done


def keep_up(using: str = DEFAULT_DB_ALIAS) -> NoReturn:
    """Do what comes, job by job; never returns. A job that fails is logged and tried again later."""
    expect_the_same_file()
    turns = [_Turn(owned, using) for owned in upkeep_jobs()]
    while True:
        now = time.monotonic()
        for turn in turns:
            if turn.due <= now:
                started = time.monotonic()
                turn.take()
                time.sleep(max(SECONDS_BETWEEN_PIECES, time.monotonic() - started))
        time.sleep(max(0.0, min((turn.due for turn in turns), default=now + 60.0) - time.monotonic()))


class _Turn:
    """A job that takes its turn among others, and what it did since that was last written down."""

    def __init__(self, owned: OwnedJob, using: str) -> None:
        self.owned, self.using = owned, using
        self.due = self.written = 0.0
        self.done, self.seconds = 0, 0.0
        self.message = NOTHING_LEFT

    def take(self) -> None:
        """Do one piece, and say when the next one is due."""
        job = self.owned.job
        started = time.monotonic()
        pieces = []
        with isolate_plugin_errors(self.owned.plugin, f"the upkeep job {job.name}", using=self.using):
            pieces.append(do_piece(job, self.using))
        now = time.monotonic()
        self.seconds += now - started
        if not pieces:
            connections[self.using].close_if_unusable_or_obsolete()  # the server may have been away
            self.due = now + SECONDS_AFTER_FAILURE
            self._write_down("failed: see the log", ["The last piece failed: see the server's log."])
            return
        piece = pieces[0]
        self.done += piece.done
        self.due = now if piece.left else now + job.seconds
        if piece.left:
            if self.done and now - self.written > SECONDS_BETWEEN_RECORDS:
                self._write_down(f"{piece.left:,} left", [])
        elif self.done or self.message != NOTHING_LEFT:  # another process may have done the rest
            self._write_down(NOTHING_LEFT, [])

    def _write_down(self, message: str, warnings: list[str]) -> None:
        run = StepRun(timezone.now(), self.seconds, self.done, message, warnings)
        run_log.remember(connections[self.using], [(self.owned.job.name, run)], kept_in=run_log.JOBS)
        self.written, self.done, self.seconds, self.message = time.monotonic(), 0, 0.0, message
