"""`promptadmin selftest`."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from optimizations.tools.selftest.killing import SHOWN, Report, kill_servers
from optimizations.tools.selftest.servers import SelfTestError
from promptadmin.conf.counted import counted
from promptadmin.db.durability import CHOICES, PROMISES
from promptadmin.ops.progress import bar

LARGEST_SEED = 2**31


class Command(BaseCommand):
    help = (
        "Kills a server again and again while programs write to a scratch database in a temporary folder, and looks "
        "for anything lost or half-written. Your own database isn't touched. Exit code 0: nothing was."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--kill", type=int, default=50, metavar="N", help="How often to kill it (default: %(default)s)."
        )
        parser.add_argument(
            "--durability", choices=CHOICES, default=settings.DURABILITY, help="The mode to test (here: %(default)s)."
        )
        parser.add_argument(
            "--seed", type=int, help="Chooses the moments and the writes as in another run (default: any)."
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON document instead of lines.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["kill"] < 1:
            raise CommandError("--kill must be at least 1.")
        seed = options["seed"] if options["seed"] is not None else random.randrange(LARGEST_SEED)  # noqa: S311
        if not options["json"]:
            mode = f"{options['durability']}, seed {seed}"
            self.stdout.write(f"Killing a server {counted(options['kill'], 'time')} on a scratch database ({mode}).")
        with bar("kills", total=options["kill"], unit="kill") as progress:

            def on_kill(kills: int) -> None:
                progress.update(kills - progress.n)

            try:
                report = kill_servers(options["kill"], durability=options["durability"], seed=seed, on_kill=on_kill)
            except SelfTestError as error:
                raise CommandError(f"The test couldn't be made: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps({**asdict(report), "passed": report.passed}, default=str))
        else:
            self._print(report)
        if not report.passed:
            raise CommandError(f"FAILED: please report it with {report.folder}, which was kept, and the seed {seed}.")

    def _print(self, report: Report) -> None:
        self.stdout.write(
            f"{counted(report.kills, 'kill')}, {report.acknowledged} writes acknowledged: {len(report.lost)} lost, "
            f"{len(report.half)} half-written."
        )
        self.stdout.write(
            f"Of {report.unanswered_whole + report.unanswered_absent} writes that a kill left without an answer, "
            f"{report.unanswered_whole} are there whole and {report.unanswered_absent} not at all."
        )
        for kind in ("lost", "half", "damaged", "unexpected"):
            for line in getattr(report, kind)[:SHOWN]:
                self.stderr.write(f"  {kind}: {line}")
        if not report.damaged:
            self.stdout.write("The integrity check found nothing after any of them.")
        if report.passed:
            self.stdout.write(f"PASSED in {report.seconds:.0f} s. {report.durability}: {PROMISES[report.durability]}.")
            self.stdout.write("A kill is no power cut: that one only a machine's plug can test.")
