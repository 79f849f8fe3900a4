"""Context profiles: what a project's prompts are about, in a few known fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXT_FIELDS = ("language", "framework", "description", "documentation", "test_framework")
LIST_FIELDS = ("conventions", "patterns", "code_snippets", "test_patterns")

Profile = dict[str, Any]


def unknown_fields(profile: Mapping[str, Any]) -> list[str]:
    """The names in a profile that no context has."""
    return sorted(set(profile) - {*TEXT_FIELDS, *LIST_FIELDS})


def normalize_context(profile: Mapping[str, Any] | None) -> Profile | None:
    """The known fields that hold something, as text or lists of text; None if that leaves nothing.

    A text field takes any value as text. A list field takes a list, without its nulls, or one text, be
    it empty.
    """
    if not profile:
        return None
    normalized: Profile = {}
    for name in TEXT_FIELDS:
        value = profile.get(name)
        if value is not None and value not in ("", [], {}):
            normalized[name] = str(value)
    for name in LIST_FIELDS:
        value = profile.get(name)
        if isinstance(value, str):
            value = [value]
        if isinstance(value, list) and (items := [str(item) for item in value if item is not None]):
            normalized[name] = items
    return normalized or None
