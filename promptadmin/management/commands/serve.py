"""`promptadmin serve`."""

from __future__ import annotations

import os
import socket
from functools import partial
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from promptadmin.accounts.first_user import check_given_password, make_administrator
from promptadmin.api.auth import refuse_open_mode_for
from promptadmin.db.chosen_database import remember
from promptadmin.db.postgresql.connections import close_everything
from promptadmin.ops.metrics import share_counters
from promptadmin.ops.server.serving import bounds, serve, tell_systemd
from promptadmin.ops.server.supervisor import Companions
from promptadmin.ops.upkeep import upkeep_jobs
from promptadmin.plugins.declarations import enabled_plugins


class Command(BaseCommand):
    help = "Runs the start-up steps, then serves the back-office and the API until it is stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="The address to listen on (default: %(default)s).")
        parser.add_argument("--port", type=int, default=8000, help="The port to listen on (default: %(default)s).")
        parser.add_argument(
            "--workers",
            type=int,
            default=min(4, os.cpu_count() or 1),
            help="Server processes (default: one for each core, at most 4; here %(default)s).",
        )
        parser.add_argument("--threads", type=int, default=2, help="Threads in each process (default: %(default)s).")
        parser.add_argument(
            "--mcp",
            action="store_true",
            help="Serve the plugins' ASGI applications, MCP among them, on the next port, at /plugins/<name>/.",
        )
        parser.add_argument(
            "--no-upkeep",
            action="store_true",
            help="Leave upkeep to another server of this database, or to `upkeep` that something else runs.",
        )
        parser.add_argument(
            "--repair-orphans", action="store_true", help="Passed to `startup`: set links to missing rows to NULL."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        if min(options["workers"], options["threads"]) < 1:
            raise CommandError("--workers and --threads must be at least 1.")
        if 0 < settings.DATABASE_POOL < options["threads"]:
            raise CommandError(
                f"PROMPTADMIN_DATABASE_POOL={settings.DATABASE_POOL} is less than --threads {options['threads']}: "
                "a thread would wait for another one's connection."
            )
        if settings.EXPORTS >= options["threads"] > 1:
            raise CommandError(
                f"PROMPTADMIN_EXPORTS={settings.EXPORTS} must be less than --threads {options['threads']}: clients "
                "that take their exports slowly would leave no thread to anybody else."
            )
        refuse_open_mode_for(host)
        companions = [[name] for plugin in enabled_plugins() for name in plugin.background_commands]
        if options["mcp"]:
            companions.append(self._plugin_server(host, port + 1))
        check_given_password()
        self._check_port(host, port)
        if settings.METRICS_ADDRESS:
            self._check_port(*settings.METRICS_ADDRESS, advice="Give PROMPTADMIN_METRICS_ADDRESS another one.")
            companions.append(["serve_metrics"])
        if settings.METRICS:
            share_counters(port)
        call_command("startup", repair_orphans=options["repair_orphans"], stdout=self.stdout, stderr=self.stderr)
        self._check_databases()
        self._remember()
        shown = f"[{host}]" if ":" in host else host
        self._introduce(f"{'https' if settings.HTTPS else 'http'}://{shown}:{port}{settings.PATH_PREFIX}/admin/")
        close_everything()
        with Companions(companions, late=[["upkeep"]] if upkeep_jobs() and not options["no_upkeep"] else []):
            self._serve(host, port, options["workers"], options["threads"])

    def _plugin_server(self, host: str, port: int) -> list[str]:
        """The command that serves the plugins' ASGI applications."""
        if not any(plugin.asgi_application for plugin in enabled_plugins()):
            raise CommandError("--mcp: no enabled plugin serves MCP: add mcp to PROMPTADMIN_PLUGINS.")
        self._check_port(host, port)
        return ["serve_plugins", "--host", host, "--port", str(port)]

    def _check_port(self, host: str, port: int, advice: str = "Give another --host or --port.") -> None:
        """Fail before the start-up's work rather than after it."""
        if not 1 <= port <= 65535:
            raise CommandError(f"There is no port {port}: use one from 1 to 65535.")
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as error:
            raise CommandError(f"Can't listen on {host} port {port}: {error}. {advice}") from None

    def _check_databases(self) -> None:
        messages = checks.run_checks(tags=[checks.Tags.database], databases=["default"])
        for message in messages:
            self.stderr.write(f"  warning: {message.msg}\n  {message.hint or ''}")
        if any(message.is_serious() for message in messages):
            raise CommandError("The database isn't set up as it must be: see above.")

    def _remember(self) -> None:
        """Commands that are told of no other database use this one from now on."""
        try:
            remember(settings.DATA_DIR, settings.DATABASE_URL, settings.DATABASES["default"])
        except OSError as error:
            self.stderr.write(f"  warning: commands need DATABASE_URL, which can't be kept for them: {error}")

    def _introduce(self, address: str) -> None:
        made = make_administrator()
        if made:
            name, password = made
            self.stdout.write(f"\nThe administrator was made. Sign in at {address}")
            self.stdout.write(f"  user name: {name}")
            self.stdout.write(f"  password:  {password or 'the one in PROMPTADMIN_ADMIN_PASSWORD'}")
            if password:
                self.stdout.write("The password is shown this once: change it in the back-office.\n")
        else:
            self.stdout.write(f"Serving {address}")
        self.stdout.flush()

    def _serve(self, host: str, port: int, workers: int, threads: int) -> None:
        from granian import Granian
        from granian.constants import Interfaces

        server = Granian(
            "promptadmin.ops.server.worker:load_application",
            factory=True,
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            blocking_threads=threads,
            **bounds(workers),
        )
        server.on_startup(partial(tell_systemd, "READY=1"))  # the port is open: from now on connections wait there
        if not settings.API_AUTH:
            self.stderr.write("  warning: PROMPTADMIN_API_AUTH=off: everybody on this machine may read and write.")
        serve(server)
