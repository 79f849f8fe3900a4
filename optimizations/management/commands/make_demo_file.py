"""`promptadmin make_demo_file`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from optimizations.tools.demo import make_demo_file
from promptadmin.conf.counted import counted


class Command(BaseCommand):
    help = "Writes a small PromptForge file to try the product with."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="The file to make; it must not exist.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            runs = make_demo_file(options["path"])
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Wrote {counted(runs, 'run')} to {options['path']}.")
