"""`promptadmin replay_webhooks`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from promptadmin.conf.counted import counted
from promptadmin.contrib.webhooks.outbox import replay
from promptadmin.db.sessions import write_session
from promptadmin.errors import DomainError


class Command(BaseCommand):
    help = "Delivers every message from a position of the outbox on to an endpoint, again or for the first time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("endpoint", type=int, help="The endpoint's number, as in the admin.")
        parser.add_argument("--from", dest="position", type=int, default=0, help="The first position (default: all).")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with write_session():
                count = replay(options["endpoint"], position=options["position"])
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"On the way again: {counted(count, 'message')}.")
