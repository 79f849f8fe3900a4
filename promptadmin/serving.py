"""The bounds of every server that we start: connections, headers, and how long a stop waits."""

from __future__ import annotations

from typing import Any

CONNECTIONS = 1024
HEADER_SECONDS = 10
STOP_SECONDS = 45  # longer than reading may take by default


def bounds(workers: int) -> dict[str, Any]:
    """What Granian is told, whose workers are so many."""
    from granian.http import HTTP1Settings

    return {
        "workers": workers,
        "respawn_failed_workers": True,
        "websockets": False,
        # Connections beyond these wait in the system's queue: under overload everybody waits longer.
        "backlog": CONNECTIONS,
        "backpressure": max(1, CONNECTIONS // workers),
        "http1_settings": HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000),
        # What was accepted is answered before a process ends, but it doesn't wait for ever.
        "workers_kill_timeout": STOP_SECONDS,
    }
