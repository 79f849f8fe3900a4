"""What plugins call prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.module_loading import import_string

from promptadmin.db.sessions import read_session
from promptadmin.plugins.declarations import enabled_plugins
from promptadmin.plugins.isolation import isolate_plugin_errors


def names_of(user: Any, keys: Sequence[str]) -> dict[str, str]:
    """What plugins call the prompts with these ids; of two names, the first plugin's."""
    found: dict[str, str] = {}
    for plugin in enabled_plugins():
        path: str | None = getattr(plugin, "prompt_names", None)
        if path:
            with isolate_plugin_errors(plugin.label, "the names of prompts"), read_session():
                found = {**import_string(path)(user, keys), **found}
    return found
