"""`/metrics`, as Prometheus reads it: what the processes of a server have counted, and the state of the database.

Each server counts in a directory of its own, named by its port, that is emptied when it starts: Prometheus takes a
counter that begins anew for a new start.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError, connections
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.views.decorators.http import require_safe

from promptadmin import __version__
from promptadmin.db.sqlite.connections import is_file
from promptadmin.ops.health import last_proven_backup
from promptadmin.plugins.declarations import enabled_plugins
from promptadmin.plugins.isolation import isolate_plugin_errors

# prometheus_client is imported when something is asked for: `share_counters` must come before.
if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


def share_counters(port: int) -> None:
    """Let this process and those that it starts count in one empty directory."""
    directory = Path(settings.DATA_DIR) / "metrics" / str(port)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, mode=0o700)
    os.environ[DIRECTORY] = str(directory)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Everything, for whoever has the token of PROMPTADMIN_METRICS_TOKEN."""
    from prometheus_client.exposition import choose_encoder

    kind, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    given, expected = token.encode(), settings.METRICS_TOKEN.encode()
    if kind.lower() != "bearer" or not secrets.compare_digest(given, expected):
        text = "Send PROMPTADMIN_METRICS_TOKEN as 'Authorization: Bearer …'.\n"
        return HttpResponse(text, "text/plain; charset=utf-8", 401, headers={"WWW-Authenticate": "Bearer"})
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry()), content_type)


def registry() -> CollectorRegistry:
    """What is counted, and the state as it is when somebody asks."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    found = CollectorRegistry(auto_describe=False)
    if DIRECTORY in os.environ:  # a server of another kind, as in development, counts for nobody
        _forget_ended_processes(Path(os.environ[DIRECTORY]))
        MultiProcessCollector(found)  # type: ignore[no-untyped-call]
    found.register(State())
    return found


class State:
    """A collector of what isn't counted, but looked up."""

    def collect(self) -> Iterator[Metric]:
        """The gauges; those that can't be read at the moment are left out."""
        from prometheus_client.core import GaugeMetricFamily

        connection = connections["default"]
        version = GaugeMetricFamily("promptadmin_build_info", "The release that runs.", labels=["version"])
        version.add_metric([__version__], 1)
        yield version
        answers = _database_answers()
        yield GaugeMetricFamily(
            "promptadmin_database_up", "1 while the database answers, else 0.", value=float(answers)
        )
        if is_file(connection):
            log = Path(f"{connection.settings_dict['NAME']}-wal")
            size = log.stat().st_size if log.exists() else 0
            yield GaugeMetricFamily("promptadmin_wal_bytes", "The size of SQLite's write-ahead log.", value=size)
        if not answers:
            return
        if proven := last_proven_backup():
            yield GaugeMetricFamily(
                "promptadmin_last_proven_backup_timestamp_seconds",
                "When the newest proven backup was made; absent without one.",
                value=proven.timestamp(),
            )
        for plugin in enabled_plugins():
            for name, path in plugin.gauges.items():
                with isolate_plugin_errors(plugin.label, f"the gauge {name}"):
                    function = import_string(path)
                    words = (function.__doc__ or "").partition("\n")[0]
                    yield GaugeMetricFamily(f"promptadmin_{plugin.label}_{name}", words, value=function())


def _forget_ended_processes(directory: Path) -> None:
    """What a process was about to do ends with it, also where it was killed; what it has counted stays."""
    from prometheus_client.multiprocess import mark_process_dead

    for file in directory.glob("gauge_live*_*.db"):
        process = int(file.stem.rpartition("_")[2])
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            mark_process_dead(process, str(directory))  # type: ignore[no-untyped-call]


def _database_answers() -> bool:
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True
