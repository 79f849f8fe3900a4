"""`promptadmin revoke_api_token`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from promptadmin.accounts import tokens
from promptadmin.db.sessions import write_session
from promptadmin.errors import DomainError


class Command(BaseCommand):
    help = "Revokes an API token, from now on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("token", help="The token's name or prefix, as `list_api_tokens` shows them.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with write_session():
                token = tokens.revoke_token(options["token"])
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Revoked {token}.")
