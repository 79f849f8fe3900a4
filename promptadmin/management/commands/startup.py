"""`promptadmin startup`."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from promptadmin.management.step_command import as_json
from promptadmin.ops.startup.adoption import UnusableDatabaseError
from promptadmin.ops.startup.sequence import StartupReport, StepReport, run_startup
from promptadmin.plugins.checks import DECLARATIONS


class Command(BaseCommand):
    help = "Brings the database up to date: adopts a legacy file, or makes a new one. Safe to run at any time."
    requires_system_checks = (DECLARATIONS,)  # others would import every door; `serve` makes them all

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="Print nothing but warnings and errors.")
        parser.add_argument("--json", action="store_true", help="Print one JSON document instead of lines.")
        parser.add_argument(
            "--repair-orphans",
            action="store_true",
            help="Set links to rows that don't exist to NULL, and keep what they were in a file beside the database.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        silent = options["quiet"] or options["json"]
        try:
            report = run_startup(
                repair_orphans=options["repair_orphans"],
                say=self._ignore if silent else self.stdout.write,
                on_step=self._warn if silent else self._print,
            )
        except UnusableDatabaseError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(report)))
        elif not options["quiet"]:
            self.stdout.write(f"Ready after {report.seconds:.2f} s.")

    def _ignore(self, line: str) -> None:
        pass

    def _print(self, report: StepReport) -> None:
        number = f"{report.position:.0f}" if report.position == int(report.position) else "+"
        self.stdout.write(f"{number} {report.title:<22} {report.result.message} ({report.seconds:.2f} s)")
        self._warn(report)

    def _warn(self, report: StepReport) -> None:
        for warning in report.result.warnings:
            self.stderr.write(f"  warning: {warning}")


def _as_json(report: StartupReport) -> dict[str, Any]:
    adopted = report.adoption
    return {
        "backup": str(adopted.backup) if adopted and adopted.backup else None,
        "repaired_orphans": len(adopted.repaired) if adopted else 0,
        "repaired_orphans_file": str(adopted.repaired_file) if adopted and adopted.repaired_file else None,
        "steps": [as_json(step) for step in report.steps],
        "seconds": round(report.seconds, 3),
    }
