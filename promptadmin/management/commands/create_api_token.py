"""`promptadmin create_api_token`."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from promptadmin.accounts import tokens
from promptadmin.db.sessions import write_session
from promptadmin.errors import DomainError

#: Option → the limit that it is, and what it says.
LIMITS = {
    "project": ("projects", "Limit the token to a project, by its name or id"),
    "prefix": ("prefixes", "Limit it to prompts whose names begin so, as in support/"),
    "label": ("labels", "Limit it to a label that it may move, as in staging"),
}


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
        for option, (_, says) in LIMITS.items():
            parser.add_argument(f"--{option}", action="append", default=[], help=f"{says}; may be given several times.")
        parser.add_argument("--days", type=float, help="How long it lasts (default: until it is revoked).")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the token; the secret alone goes to standard output."""
        expires_at = timezone.now() + dt.timedelta(days=options["days"]) if options["days"] is not None else None
        try:
            with write_session():
                token, secret = tokens.create_token(
                    name=options["name"],
                    scopes=options["scope"] or ["read", "write"],
                    limits={name: options[option] for option, (name, _) in LIMITS.items()},
                    expires_at=expires_at,
                )
                limits = tokens.shown_limits(token)
        except DomainError as error:
            raise CommandError(str(error)) from error
        within = "".join(f"; {name}: {', '.join(texts)}" for name, texts in limits.items())
        told = f"Made {token}, which may {', '.join(sorted(token.scopes))}{within}. Its secret, shown this once:"
        self.stderr.write(told)
        self.stdout.write(secret)
