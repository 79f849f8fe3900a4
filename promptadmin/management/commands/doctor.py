"""`promptadmin doctor`."""

from __future__ import annotations

import json
import sys
import textwrap
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone

from promptadmin.ops.doctor.examining import SEVERITIES, Result, doctor_checks, examine

EXIT_CODES = {"warning": 1, "error": 2}
VERDICTS = {0: "fine", 1: "warnings", 2: "errors"}
WIDTH = 110


class Command(BaseCommand):
    """Looks at everything that may be wrong, changes nothing, and says what to do."""

    help = (
        "Looks at everything that may be wrong, changes nothing, and says what to do. "
        "Exit code 0: fine, 1: warnings, 2: errors."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--full", action="store_true", help="Read everything, however long it takes.")
        parser.add_argument("--explain", metavar="ID", help="Say what a check looks at and what its findings mean.")
        parser.add_argument("--json", action="store_true", help="Print one JSON document instead of lines.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the page; the exit code is the verdict."""
        if options["explain"]:
            self._explain(options["explain"])
            return
        connection = connections[DEFAULT_DB_ALIAS]
        began = time.monotonic()
        results = examine(
            connection, full=options["full"], on_result=lambda result: None if options["json"] else self._print(result)
        )
        seconds = time.monotonic() - began
        code = max(EXIT_CODES.get(result.severity, 0) for result in results)
        if options["json"]:
            document = {
                "verdict": VERDICTS[code],
                "exit_code": code,
                "database": str(connection.settings_dict["NAME"]),
                "engine": connection.vendor,
                "checked_at": timezone.now().isoformat(timespec="seconds"),
                "seconds": round(seconds, 3),
                "findings": [line for result in results for line in _as_json(result)],
            }
            self.stdout.write(json.dumps(document))
        else:
            self.stdout.write(f"\nVerdict: {_verdict(results)} ({seconds:.1f} s)")
            if code:
                self.stdout.write("`promptadmin doctor --explain ID` tells more about each.")
        sys.exit(code)

    def _print(self, result: Result) -> None:
        for message in result.shown:
            head = f"{SEVERITIES[message.level]:<8} {message.id or result.check.id:<5} "
            self._write(head, f"{result.check.title}: {message.msg}")
            if message.hint:
                self._write(" " * len(head), message.hint)
        self.stdout.flush()

    def _write(self, head: str, text: str) -> None:
        self.stdout.write(textwrap.fill(text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head)))

    def _explain(self, wanted: str) -> None:
        checks = {check.id.lower(): check for check in doctor_checks()}
        check = checks.get(wanted.lower())
        if check is None:
            known = ", ".join(check.id for check in checks.values())
            raise CommandError(f"There is no check {wanted}; there are: {known}.")
        self.stdout.write(f"{check.id}: {check.title}\n")
        self.stdout.write(check.explanation)


def _as_json(result: Result) -> list[dict[str, Any]]:
    return [
        {
            "id": message.id or result.check.id,
            "title": result.check.title,
            "severity": SEVERITIES[message.level],
            "message": message.msg,
            "advice": message.hint or "",
        }
        for message in result.shown
    ]


def _verdict(results: list[Result]) -> str:
    found = [SEVERITIES[message.level] for result in results for message in result.messages]
    counts = {word: found.count(word) for word in ("error", "warning")}
    parts = [f"{count} {word}{'s' if count > 1 else ''}" for word, count in counts.items() if count]
    return ", ".join(parts) or "fine"
