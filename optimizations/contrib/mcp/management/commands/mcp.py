"""`promptadmin mcp`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from promptadmin.ops.startup.sequence import pending_migrations


class Command(BaseCommand):
    help = "Speaks the Model Context Protocol over standard input and output, for one agent on this machine."

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until the agent closes the input; nothing but the protocol goes to standard output."""
        from optimizations.contrib.mcp.server import build_server

        if pending_migrations(connections["default"]):
            raise CommandError("This database has pending migrations: run `promptadmin startup` first.")
        connections.close_all()
        build_server().run("stdio")
