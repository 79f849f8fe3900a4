"""`promptadmin upkeep`."""

from __future__ import annotations

import contextlib
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from promptadmin.ops.progress import bar
from promptadmin.ops.upkeep import OwnedJob, finish, keep_up, upkeep_jobs
from promptadmin.plugins.checks import DECLARATIONS
from promptadmin.plugins.steps import JobResult

NICE = 10  # the server's workers come first


class Command(BaseCommand):
    help = "Does what is left to be done beside the server; `serve` keeps it running."
    requires_system_checks = (DECLARATIONS,)  # others would import every door; `serve` makes them all

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="End when nothing is left.")
        parser.add_argument("--job", help="With --once: this job alone.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Keep up until stopped; a process that is killed leaves nothing half-done."""
        jobs = {owned.job.name: owned for owned in upkeep_jobs()}
        name = options["job"]
        if name is not None and not options["once"]:
            raise CommandError("--job goes with --once.")
        if name is not None and name not in jobs:
            raise CommandError(f"There is no job {name!r}: there are {', '.join(sorted(jobs)) or 'none'}.")
        if not options["once"]:
            with contextlib.suppress(OSError):
                os.nice(NICE)
            keep_up()
        failed = [owned.job.name for owned in jobs.values() if name in (None, owned.job.name) and not self._do(owned)]
        if failed:
            raise CommandError(f"Failed: {', '.join(failed)}. What was done stays done: mend the cause, run it again.")

    def _do(self, owned: OwnedJob) -> bool:
        job = owned.job
        with bar(job.title, unit="") as progress:

            def show(piece: JobResult) -> None:
                progress.total = progress.n + piece.done + piece.left
                progress.update(piece.done)

            try:
                done = finish(job, on_piece=show)
            except Exception as error:  # one job's failure is not the others'
                self.stderr.write(f"{job.title}: plugin {owned.plugin}: {type(error).__name__}: {error}")
                return False
        self.stdout.write(f"{job.title}: {f'{done:,} done' if done else 'nothing was left'}")
        return True
