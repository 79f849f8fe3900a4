"""`promptadmin list_api_tokens`."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from promptadmin.accounts.tokens import shown_limits
from promptadmin.db.sessions import read_session
from promptadmin.models import ApiToken


class Command(BaseCommand):
    help = "Lists the API tokens, without their secrets."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON document instead of lines.")

    def handle(self, *args: Any, **options: Any) -> None:
        with read_session():
            rows = [self._row(token) for token in ApiToken.objects.all()]
        if options["json"]:
            self.stdout.write(json.dumps(rows))
            return
        for row in rows:
            state = f"revoked {row['revoked_at']}" if row["revoked_at"] else f"expires {row['expires_at'] or 'never'}"
            used = row["last_used_at"] or "never"
            limits = "".join(f"; {name}: {', '.join(texts)}" for name, texts in row["limits"].items())
            self.stdout.write(
                f"{row['prefix']}  {row['name']}: {', '.join(row['scopes'])}{limits}; {state}; last used {used}"
            )
        if not rows:
            self.stdout.write("There are no API tokens: `promptadmin create_api_token NAME` makes one.")

    @staticmethod
    def _row(token: ApiToken) -> dict[str, Any]:
        times = {name: getattr(token, name) for name in ("created_at", "expires_at", "last_used_at", "revoked_at")}
        shown = {name: value.isoformat(timespec="seconds") if value else None for name, value in times.items()}
        return {
            "prefix": token.prefix,
            "name": token.name,
            "scopes": sorted(token.scopes),
            "limits": shown_limits(token),
            **shown,
        }
