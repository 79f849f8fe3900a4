"""`promptadmin restoredb`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.restoring import Restored, restore


class Command(BaseCommand):
    help = "Puts a backup in the database's place, or, with --drill, shows that it could."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            metavar="FILE",
            help="The backup, a file in it, or a directory of backups, of which the newest is meant.",
        )
        parser.add_argument(
            "--drill",
            action="store_true",
            help="Change nothing: verify the backup, and boot the application on a copy that is then removed.",
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON document instead of lines.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            restored = restore(
                connections[DEFAULT_DB_ALIAS], options["file"], drill=options["drill"], say=self.stderr.write
            )
        except BackupError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(restored, drill=options["drill"])))
        elif options["drill"]:
            self._print_drill(restored)
        else:
            self.stdout.write(f"Restored {restored.target} from {restored.backup.directory} ({restored.seconds:.1f} s)")
            if restored.kept:
                self.stdout.write(f"  the database before it is kept: {restored.kept}")
            self.stdout.write("  next: `promptadmin startup`, or start the server")
        if not restored.succeeded:
            raise CommandError("The application doesn't boot on this backup: see above.")

    def _print_drill(self, restored: Restored) -> None:
        for step in restored.boot:
            self.stdout.write(f"{'ok' if step.succeeded else 'FAILED'}  {step.title} ({step.seconds:.1f} s)")
            for line in step.output.splitlines():
                self.stdout.write(f"      {line}")
        if restored.succeeded:
            self.stdout.write(f"{restored.backup.directory} can be restored ({restored.seconds:.1f} s).")


def _as_json(restored: Restored, *, drill: bool) -> dict[str, Any]:
    return {
        "backup": str(restored.backup.directory),
        "made_at": restored.backup.manifest.made_at,
        "drill": drill,
        "target": restored.target,
        "kept": restored.kept,
        "succeeded": restored.succeeded,
        "boot": [asdict(step) for step in restored.boot],
        "seconds": restored.seconds,
    }
