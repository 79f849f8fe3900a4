"""How templates show entries of the change log."""

from __future__ import annotations

from typing import Any

from django import template

from promptadmin.models import LogEntry

register = template.Library()


@register.filter
def columns_of(entry: LogEntry) -> list[tuple[str, Any, Any]]:
    """The columns that an entry tells of: name, before, after. A relation's are the rows added or removed."""
    found = []
    for name, change in (entry.changes or {}).items():
        if isinstance(change, dict):
            names = ", ".join(change.get("objects", ()))
            removed = change.get("operation") == "delete"
            found.append((name, names if removed else None, None if removed else names))
        else:
            before, after = change
            found.append((name, before, after))
    return found
