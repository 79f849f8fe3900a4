"""A bare Django view, without any middleware, that does the yardstick's work: `python -m bench.bare PORT`.

On the server of `manage.py serve` (Granian's WSGI), with its default numbers of workers and threads. BENCH_DATABASE
names the file, BENCH_WORKS a file of JSON with the works that it does by their numbers, if any.
"""

from __future__ import annotations

import functools
import os
import sqlite3
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

from bench import plain, plain_lists
from bench.plain_lists import Work

_threads = threading.local()


def _connection() -> sqlite3.Connection:
    """The thread's own. It has the search index only where there are works that may ask it.

    A transaction that writes locks what is attached, too, and that waits for the upkeep, which waits for the file.
    """
    if not hasattr(_threads, "connection"):
        connect = plain_lists.connect if "BENCH_WORKS" in os.environ else plain.connect
        _threads.connection = connect(Path(os.environ["BENCH_DATABASE"]))
    connection: sqlite3.Connection = _threads.connection
    return connection


def view(request: HttpRequest, work: str, argument: str = "0") -> HttpResponse:
    """Rows as JSON."""
    text = plain.answer(_connection(), work, int(argument) if work == "history" else argument)
    return HttpResponse(text, content_type="application/json")


def listed(request: HttpRequest, number: int) -> HttpResponse:
    """The rows of one of the works as JSON."""
    return HttpResponse(plain_lists.answer(_connection(), _works()[number]), content_type="application/json")


@functools.cache
def _works() -> Sequence[Work]:
    works: Sequence[Work] = orjson.loads(Path(os.environ["BENCH_WORKS"]).read_bytes())
    return works


def record(request: HttpRequest) -> HttpResponse:
    """One run stored."""
    return HttpResponse(plain.record(_connection(), request.body), status=201, content_type="application/json")


urlpatterns = [
    path("record", record),
    path("list/<int:number>", listed),
    path("<work>", view),
    path("<work>/<path:argument>", view),
]


def load_application() -> Any:
    """The application, made in each worker."""
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], MIDDLEWARE=[], SECRET_KEY="measured, not served")
    return get_wsgi_application()


def main() -> None:
    """Serve."""
    from granian import Granian
    from granian.constants import Interfaces

    Granian(
        "bench.bare:load_application",
        factory=True,
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface=Interfaces.WSGI,
        workers=min(4, os.cpu_count() or 1),
        blocking_threads=2,
        websockets=False,
    ).serve()


if __name__ == "__main__":
    main()
