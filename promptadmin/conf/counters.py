"""What is counted for Prometheus, in files that all processes of a server share.

Imported only where metrics are on: prometheus_client chooses when it is imported whether it counts in the files of
PROMETHEUS_MULTIPROC_DIR, which `serve` sets for its processes. Elsewhere it counts in memory, for nobody.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from promptadmin.plugins.events import Event

#: Upper bounds in seconds: a read takes a few milliseconds, an import or an export up to minutes.
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
#: Anybody may send any word as a method, and each would be a series of its own.
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})

REQUESTS = Counter(
    "promptadmin_requests", "Requests that were answered, by route and status.", ["method", "route", "status"]
)
SECONDS = Histogram(
    "promptadmin_request_duration_seconds",
    "From a request's arrival to its whole answer, or to the first byte of one that streams.",
    ["method", "route"],
    buckets=BUCKETS,
)
EVENTS = Counter(
    "promptadmin_events",
    "What has happened and was committed, as plugins are told; an import counts as many times as it has runs.",
    ["event"],
)

WRITERS = Gauge(
    "promptadmin_writers_waiting", "Writers that wait for others of the SQLite file.", multiprocess_mode="livesum"
)
WRITE_WAITS = Histogram(
    "promptadmin_write_wait_seconds",
    "From a writer's arrival until it may write to the SQLite file, for each write.",
    buckets=(0.0005, 0.001, *BUCKETS[:-2]),
)


def count_request(method: str, route: str, status: str, seconds: float) -> None:
    """Count a request; `route` is the pattern of the address that answers it, empty where there is none."""
    requests, durations = _series(method if method in METHODS else "other", route, status)
    requests.inc()
    durations.observe(seconds)


@functools.lru_cache(maxsize=4096)
def _series(method: str, route: str, status: str) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, status), SECONDS.labels(method, route)


def count_event(event: Event) -> None:
    """Receiver of every event: counts what it is about, once where it doesn't say how many."""
    EVENTS.labels(event.name).inc(event.data.get("count", 1))


@contextmanager
def waiting_to_write() -> Iterator[None]:
    """Count a writer for as long as the block takes, and how long that was."""
    began = time.perf_counter()
    WRITERS.inc()
    try:
        yield
    finally:
        WRITERS.dec()
        WRITE_WAITS.observe(time.perf_counter() - began)
