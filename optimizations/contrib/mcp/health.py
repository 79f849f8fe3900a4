"""What the product's health says of MCP."""

from __future__ import annotations

from promptadmin.db.process_locks import is_running
from promptadmin.ops.server.asgi_mounts import PLUGIN_SERVER


def is_served() -> bool:
    """Whether agents can reach it over HTTP: whether the plugins' server runs beside this one."""
    return is_running(PLUGIN_SERVER)
