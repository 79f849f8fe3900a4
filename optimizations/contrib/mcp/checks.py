"""System checks of the tools that plugins declare; their ids are those of `promptadmin.plugins.checks`."""

from __future__ import annotations

from typing import Any

from django.core import checks

from optimizations.contrib.mcp.declarations import McpDeclarations
from promptadmin.plugins.checks import check_path, duplicates, wrong_types
from promptadmin.plugins.declarations import enabled_plugins


def check_declarations(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """What can be said without importing any plugin's code."""
    return list(wrong_types(McpDeclarations)) or list(duplicates("mcp_tools", {}))


def check_imports(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Whether every tool's function can be imported and called."""
    if any(wrong_types(McpDeclarations)):
        return []
    return [
        finding
        for plugin in enabled_plugins()
        for tool in getattr(plugin, "mcp_tools", ())
        for finding in check_path(plugin, "mcp_tools", tool.function)
    ]
