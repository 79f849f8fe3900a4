"""`promptadmin create_api_token`."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from promptadmin.accounts import tokens
from promptadmin.db.sessions import write_session
from promptadmin.errors import DomainError


class Command(BaseCommand):
    help = "Makes an API token and prints its secret, this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="Which program gets it.")
        parser.add_argument(
            "--scope",
            action="append",
            choices=tokens.SCOPES,
            help="What it may do; may be given several times (default: read and write).",
        )
        parser.add_argument("--days", type=float, help="How long it lasts (default: until it is revoked).")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the token; the secret alone goes to standard output."""
        expires_at = timezone.now() + dt.timedelta(days=options["days"]) if options["days"] is not None else None
        try:
            with write_session():
                token, secret = tokens.create_token(
                    name=options["name"], scopes=options["scope"] or ["read", "write"], expires_at=expires_at
                )
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stderr.write(f"Made {token}, which may {', '.join(sorted(token.scopes))}. Its secret, shown this once:")
        self.stdout.write(secret)
