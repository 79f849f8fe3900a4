"""`promptadmin cleanup_stale`."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from optimizations.startup import STALE_AFTER_MINUTES
from promptadmin.management.step_command import StepCommand


class Command(StepCommand):
    help = "Turns runs that have been running for too long into errors."
    steps = ("cleanup_stale",)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--minutes", type=float, default=STALE_AFTER_MINUTES, help="How long a run may take (default: %(default)s)."
        )

    def step_options(self, options: dict[str, Any]) -> dict[str, Any]:
        if options["minutes"] < 0:
            raise CommandError("--minutes must not be negative.")
        return {"minutes": options["minutes"]}
