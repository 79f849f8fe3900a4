"""The Model Context Protocol, as a plugin."""

from importlib.util import find_spec
from typing import Any, ClassVar

from django.core import checks

from promptadmin.plugins.declarations import PluginConfig


class McpConfig(PluginConfig):
    """Speaks MCP to agents: over stdio (`promptadmin mcp`) and over HTTP (`serve --mcp`)."""

    name = "optimizations.contrib.mcp"
    label = "mcp"
    verbose_name = "Model Context Protocol"
    requires_plugins = ("projects", "optimizations")
    offered_attributes: ClassVar = {"mcp_tools": "MCP tools"}
    asgi_application = "optimizations.contrib.mcp.http.application"
    health_fields: ClassVar = {"mcp_connected": "optimizations.contrib.mcp.health.is_served"}

    def ready(self) -> None:
        """Say what is missing before anything is imported, and what is wrong with other plugins' tools."""
        from optimizations.contrib.mcp import checks as own
        from promptadmin.plugins.checks import DECLARATIONS, IMPORTS

        checks.register(check_sdk, checks.Tags.compatibility)
        checks.register(own.check_declarations, DECLARATIONS)
        checks.register(own.check_imports, IMPORTS)


def check_sdk(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Whether the optional SDK is installed."""
    if find_spec("mcp") is not None:
        return []
    install = "pip install 'promptadmin[mcp]'"
    in_checkout = ".venv/bin/pip install --require-hashes -r requirements-mcp.lock"
    hint = f"Run `{install}`, in a checkout `{in_checkout}`, or take 'mcp' out of PROMPTADMIN_PLUGINS."
    return [checks.Error("Plugin 'mcp': the MCP SDK isn't installed.", hint=hint, id="mcp.E001")]
