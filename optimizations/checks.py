"""System checks of what plugins declare about runs; their ids are those of `promptadmin.plugins.checks`."""

from __future__ import annotations

from typing import Any

from django.core import checks

from optimizations.declarations import RunDeclarations
from promptadmin.plugins.checks import check_path, duplicates, unknown_names, wrong_types
from promptadmin.plugins.declarations import enabled_plugins


def check_declarations(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """What can be said without importing any plugin's code."""
    wrong = list(wrong_types(RunDeclarations))
    if wrong:
        return wrong
    plugins = enabled_plugins()
    strategies = {name: plugin.label for plugin in plugins for name in getattr(plugin, "strategies", ())}
    aliases = {plugin: getattr(plugin, "strategy_aliases", {}) for plugin in plugins}
    return [
        *duplicates("strategies", {}),
        *duplicates("strategy_aliases", strategies),
        *duplicates("statistics_sections", {}),
        *(
            finding
            for plugin, declared in aliases.items()
            for finding in unknown_names(plugin, "strategy_aliases", declared.values(), strategies)
        ),
    ]


def check_imports(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Whether every section's function can be imported and called."""
    if any(wrong_types(RunDeclarations)):
        return []
    return [
        finding
        for plugin in enabled_plugins()
        for path in getattr(plugin, "statistics_sections", {}).values()
        for finding in check_path(plugin, "statistics_sections", path)
    ]
