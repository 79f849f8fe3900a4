"""`promptadmin restore_deleted`."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS

from promptadmin.conf.counted import counted
from promptadmin.db.sessions import read_session, write_session
from promptadmin.deletions.work import go_on, restore
from promptadmin.errors import DomainError
from promptadmin.models import Deletion


class Command(BaseCommand):
    help = "Lists what was deleted and can be restored; with numbers of that list, restores those."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", nargs="*", type=int, help="A number of the list; without one, the list is shown.")
        parser.add_argument("--json", action="store_true", help="Print the list as one JSON document.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["number"]:
            for number in options["number"]:
                self._restore(number)
            return
        with read_session():
            rows = [self._row(deletion) for deletion in Deletion.objects.order_by("-deleted_at", "-id")]
        if options["json"]:
            self.stdout.write(json.dumps(rows))
            return
        for row in rows:
            self.stdout.write(
                f"{row['number']}  {row['kind']} “{row['title']}” with {counted(row['prompts'], 'prompt')}, "
                f"{counted(row['versions'], 'earlier version')} and {counted(row['runs'], 'run')}; "
                f"{row['state']} {row['deleted_at']} by {row['by']} ({row['door']}); "
                f"can be restored until {row['expires_at']}"
            )
        if not rows:
            self.stdout.write("Nothing was deleted that can be restored.")

    def _restore(self, number: int) -> None:
        try:
            with write_session():
                deletion = restore(number, DEFAULT_DB_ALIAS)
        except DomainError as refused:
            raise CommandError(f"{number}: {refused}") from refused
        go_on(number, DEFAULT_DB_ALIAS)
        self.stdout.write(f"Restored {deletion.kind} “{deletion.title}”. {deletion.note}".strip())

    @staticmethod
    def _row(deletion: Deletion) -> dict[str, Any]:
        plain = {name: getattr(deletion, name) for name in ("kind", "key", "title", "prompts", "versions", "runs")}
        times = {name: getattr(deletion, name).isoformat(timespec="seconds") for name in ("deleted_at", "expires_at")}
        state = str(deletion.get_state_display())
        return {"number": deletion.pk, **plain, "by": deletion.by, "door": deletion.door, "state": state, **times}
