"""`promptadmin deliver_webhooks`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from promptadmin.conf.counted import counted
from promptadmin.contrib.webhooks.delivering import deliver_due, deliver_forever
from promptadmin.db.process_locks import held_lock
from promptadmin.plugins.checks import DECLARATIONS


class Command(BaseCommand):
    help = "Delivers webhooks as events come; `serve` runs it too, and only one process at a time does the work."
    requires_system_checks = (DECLARATIONS,)  # others would import every door; `serve` makes them all

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="End when nothing is due any more.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Deliver until stopped; a process that is killed leaves nothing undone."""
        with held_lock(connections["default"], "webhook delivery", self.stdout.write):
            if not options["once"]:
                deliver_forever()
            made = 0
            while attempts := deliver_due():
                made += attempts
            self.stdout.write(f"Made {counted(made, 'attempt')}.")
