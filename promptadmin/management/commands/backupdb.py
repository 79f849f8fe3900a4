"""`promptadmin backupdb`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from promptadmin.conf.counted import counted
from promptadmin.ops.backups.compression import CHOICES
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.making import Made, make_backup


class Command(BaseCommand):
    help = "Backs the database up while it is in use, and proves the backup before it counts."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "dest",
            nargs="?",
            type=Path,
            metavar="DEST",
            help="The directory of backups (default: backups/ in the data directory).",
        )
        parser.add_argument("--keep", type=int, metavar="N", help="Then remove all but the newest N backups.")
        parser.add_argument(
            "--compress", choices=CHOICES, default="none", help="How to compress it (default: %(default)s)."
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON document instead of lines.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = make_backup(
                connections[DEFAULT_DB_ALIAS],
                options["dest"],
                keep=options["keep"],
                compression=options["compress"],
                say=self.stderr.write,
            )
        except BackupError as error:
            raise CommandError(str(error)) from error
        for warning in made.warnings:
            self.stderr.write(f"  warning: {warning}")
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(made)))
            return
        manifest = made.backup.manifest
        self.stdout.write(f"Backup: {made.backup.directory}")
        self.stdout.write(
            f"  {counted(manifest.rows, 'row')} of {counted(len(manifest.contents.tables), 'table')} as of "
            f"{manifest.made_at}, {manifest.file.size / 1024**2:.1f} MiB, "
            f"checked and compared in {manifest.seconds:.1f} s"
        )
        for directory in made.removed:
            self.stdout.write(f"  removed {directory}")


def _as_json(made: Made) -> dict[str, Any]:
    return {
        "backup": str(made.backup.directory),
        "manifest": made.backup.manifest.as_json(),
        "removed": [str(directory) for directory in made.removed],
        "warnings": made.warnings,
    }
