"""`promptadmin move_to`."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from promptadmin.conf.counted import counted
from promptadmin.ops.postgresql_move import MoveError, move
from promptadmin.ops.postgresql_move.moving import ROWS_A_BATCH


class Command(BaseCommand):
    help = (
        "Copies everything from the SQLite file to an empty PostgreSQL database, and compares the two. "
        "Stop the server first. A move that was interrupted goes on where it was."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", metavar="DATABASE_URL", help="postgresql://user:password@host:5432/name")
        parser.add_argument("--json", action="store_true", help="Print one JSON document instead of lines.")
        # For tests, which stop it within a table of few rows.
        parser.add_argument("--rows-a-batch", type=int, default=ROWS_A_BATCH, help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            moved = move(
                connections[DEFAULT_DB_ALIAS],
                options["url"],
                say=self.stderr.write,
                rows_a_batch=options["rows_a_batch"],
            )
        except (MoveError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(moved)))
            return
        for table in moved.tables:
            kept = f", {counted(table.kept, 'value')} kept in promptadmin_kept_values" if table.kept else ""
            self.stdout.write(
                f"{table.name:<32} {table.rows:>10} {'row ' if table.rows == 1 else 'rows'}  {table.digest[:16]}{kept}"
            )
        for item in moved.left_behind:
            self.stdout.write(f"not moved, because PostgreSQL has no such thing: {item}")
        self.stdout.write("Both hold the same. Start the server with DATABASE_URL set to the new database.")
