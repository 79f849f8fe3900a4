"""System checks of what plugins declare about runs; their ids are those of `promptadmin.plugins.checks`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core import checks

from optimizations.declarations import RunDeclarations
from promptadmin.plugins.checks import check_path, duplicates, unknown_names, wrong_types
from promptadmin.plugins.declarations import enabled_plugins
from promptadmin.plugins.page_parts import Filter

#: Parts of pages, which have names that no two plugins may share.
PARTS = ("run_boxes", "run_columns", "run_filters", "run_actions")


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
        *(finding for name in ("statistics_sections", *PARTS, "run_fields") for finding in duplicates(name, {})),
        *(
            finding
            for plugin, declared in aliases.items()
            for finding in unknown_names(plugin, "strategy_aliases", declared.values(), strategies)
        ),
    ]


def check_imports(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Whether every function can be imported and called."""
    if any(wrong_types(RunDeclarations)):
        return []
    return [
        finding
        for plugin in enabled_plugins()
        for attribute, path in _paths(plugin)
        for finding in check_path(plugin, attribute, path)
    ]


def _paths(plugin: Any) -> Iterator[tuple[str, str]]:
    for attribute in ("statistics_sections", "run_fields"):
        yield from ((attribute, path) for path in getattr(plugin, attribute, {}).values())
    for attribute in PARTS:
        for item in getattr(plugin, attribute, ()):
            yield attribute, item.function
            if isinstance(item, Filter):
                yield attribute, item.choices
