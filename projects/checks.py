"""System checks of what plugins declare about prompts; their ids are those of `promptadmin.plugins.checks`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks

from projects.declarations import PromptDeclarations, declared_prompt_checks
from promptadmin.plugins.checks import check_path, duplicates, wrong_types
from promptadmin.plugins.declarations import enabled_plugins


def check_declarations(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """What can be said without importing any plugin's code."""
    wrong = list(wrong_types(PromptDeclarations))
    if wrong:
        return wrong
    names = sorted(check.name for _, check in declared_prompt_checks())
    unknown = [
        checks.Warning(
            f"PROMPTADMIN_PROMPT_CHECKS_OFF: no enabled plugin has a check {name!r}.",
            hint=f"There are: {', '.join(names) or 'none'}.",
            id="plugins.W003",
        )
        for name in sorted(set(settings.PROMPT_CHECKS_OFF) - set(names))
    ]
    return [*duplicates("prompt_checks", {}), *duplicates("prompt_boxes", {}), *unknown]


def check_imports(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Whether every function can be imported and called."""
    if any(wrong_types(PromptDeclarations)):
        return []
    return [
        finding
        for plugin in enabled_plugins()
        for attribute, path in _paths(plugin)
        for finding in check_path(plugin, attribute, path)
    ]


def _paths(plugin: Any) -> Iterator[tuple[str, str]]:
    for attribute in ("prompt_checks", "prompt_boxes"):
        yield from ((attribute, item.function) for item in getattr(plugin, attribute, ()))
    yield from (
        ("prompt_boxes", box.version_function) for box in getattr(plugin, "prompt_boxes", ()) if box.version_function
    )
    yield from (("deletion_guards", path) for path in getattr(plugin, "deletion_guards", ()))
    yield from (("prompt_list_filters", path) for path in getattr(plugin, "prompt_list_filters", ()))
    for attribute in ("prompt_names", "prompt_variables", "text_parts"):
        if getattr(plugin, attribute, None):
            yield attribute, getattr(plugin, attribute)
