"""The commands that run start-up steps alone share everything but their names."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from promptadmin.ops.startup.adoption import UnusableDatabaseError
from promptadmin.ops.startup.sequence import StepReport, run_steps
from promptadmin.plugins.checks import DECLARATIONS


class StepCommand(BaseCommand):
    """Runs one or more steps by name; `--dry-run` does the work and rolls it back."""

    steps: ClassVar[tuple[str, ...]]
    requires_system_checks = (DECLARATIONS,)  # others would import every door; `serve` makes them all

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Show what would change, and change nothing.")
        parser.add_argument("--json", action="store_true", help="Print one JSON document instead of lines.")

    def step_options(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options of this command that its steps take."""
        return {}

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the steps and print a line for each."""
        try:
            reports = run_steps(self.steps, dry_run=options["dry_run"], **self.step_options(options))
        except UnusableDatabaseError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps([as_json(report) for report in reports]))
            return
        for report in reports:
            prefix = "would have: " if options["dry_run"] and report.result.changed else ""
            self.stdout.write(f"{report.title}: {prefix}{report.result.message} ({report.seconds:.2f} s)")
            for warning in report.result.warnings:
                self.stderr.write(f"  warning: {warning}")


def as_json(report: StepReport) -> dict[str, Any]:
    """A step's report for machines; `seconds` as a number."""
    return {
        "step": report.name,
        "changed": report.result.changed,
        "message": report.result.message,
        "warnings": report.result.warnings,
        "seconds": round(report.seconds, 3),
    }
