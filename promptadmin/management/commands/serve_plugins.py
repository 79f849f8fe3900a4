"""`promptadmin serve_plugins`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from promptadmin.api.auth import refuse_open_mode_for
from promptadmin.db.postgresql.connections import close_everything
from promptadmin.db.process_locks import running
from promptadmin.ops.server.asgi_mounts import PLUGIN_SERVER, PREFIX
from promptadmin.ops.server.serving import bounds, serve
from promptadmin.plugins.declarations import enabled_plugins


class Command(BaseCommand):
    help = "Serves the plugins' ASGI applications, such as MCP over HTTP; `serve --mcp` does so on its next port."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="The address to listen on (default: %(default)s).")
        parser.add_argument("--port", type=int, default=8001, help="The port to listen on (default: %(default)s).")

    def handle(self, *args: Any, **options: Any) -> None:
        from granian import Granian
        from granian.constants import Interfaces

        labels = [plugin.label for plugin in enabled_plugins() if plugin.asgi_application]
        if not labels:
            raise CommandError(
                "No enabled plugin has an ASGI application: add one, such as mcp, to PROMPTADMIN_PLUGINS."
            )
        host, port = options["host"], options["port"]
        refuse_open_mode_for(host)
        close_everything()
        shown = f"[{host}]" if ":" in host else host
        for label in labels:
            self.stdout.write(f"Serving http://{shown}:{port}{settings.PATH_PREFIX}{PREFIX}{label}/")
        self.stdout.flush()
        server = Granian(
            "promptadmin.ops.server.worker:load_asgi_application",
            factory=True,
            address=host,
            port=port,
            interface=Interfaces.ASGI,
            log_access=True,
            **bounds(workers=1),
        )
        with running(PLUGIN_SERVER):
            serve(server)
