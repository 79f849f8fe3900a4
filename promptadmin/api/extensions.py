"""What plugins add to the API's answers about rows that aren't theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.module_loading import import_string

from promptadmin.plugins.declarations import declared
from promptadmin.plugins.isolation import isolate_plugin_errors


def extensions(attribute: str, keys: Sequence[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """By key of a row and label of a plugin, what the plugins' fields say of it; without the rows that none speaks of.

    A field that fails is logged, and left out.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for label, (name, path) in declared(attribute) if keys else ():
        with isolate_plugin_errors(label, f"the field {name}"):
            for key, value in import_string(path)(keys).items():
                found.setdefault(key, {}).setdefault(label, {})[name] = value
    return found
