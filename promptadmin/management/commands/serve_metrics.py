"""`promptadmin serve_metrics`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from promptadmin.ops.metrics import registry


class Command(BaseCommand):
    help = "Answers Prometheus at PROMPTADMIN_METRICS_ADDRESS; `serve` runs it."

    def handle(self, *args: Any, **options: Any) -> None:
        from prometheus_client import CollectorRegistry, start_http_server

        if not settings.METRICS_ADDRESS:
            raise CommandError("PROMPTADMIN_METRICS_ADDRESS isn't set: give an address and a port.")
        host, port = settings.METRICS_ADDRESS
        collected = CollectorRegistry(auto_describe=False)
        collected.register(AskedInAThread())
        try:
            _, thread = start_http_server(port, host, collected)
        except OSError as error:
            raise CommandError(f"PROMPTADMIN_METRICS_ADDRESS: can't listen on {host} port {port}: {error}.") from None
        thread.join()


class AskedInAThread:
    """What is collected for each request, whose thread ends with it, and so do its connections."""

    def collect(self) -> Iterator[Any]:
        try:
            yield from registry().collect()
        finally:
            connections.close_all()
