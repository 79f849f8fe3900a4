"""What the product's health says of MCP."""

from __future__ import annotations

from promptadmin.asgi_mounts import PLUGIN_SERVER
from promptadmin.locks import is_running


def is_served() -> bool:
    """Whether agents can reach it over HTTP: whether the plugins' server runs beside this one."""
    return is_running(PLUGIN_SERVER)
