"""How a prompt's versions came to be, as the change log has it; of those made before it was kept, nobody knows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from projects.models import Prompt
from projects.repository.changes import RESTORED
from promptadmin.backoffice.row_history import history_of
from promptadmin.models import LogEntry


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made a version, through which door unless it is the admin, why, and whose text it has if it was restored."""

    by: str = ""
    reason: str = ""
    restored: int | None = None


UNKNOWN = Origin()


def origins(prompt_id: str, versions: Collection[int]) -> dict[int, Origin]:
    """Of these versions, by number."""
    entries = history_of(Prompt, prompt_id).order_by("timestamp", "id")
    wanted = Q(changes__version__1__in=[*versions])
    if 1 in versions:
        wanted |= Q(action=LogEntry.Action.CREATE)
    found: dict[int, Origin] = {}
    columns = ("action", "changes", "by", "door", "note")
    for action, changes, name, door, note in entries.filter(wanted).values_list(*columns):
        by = name.removeprefix("user ") if door == "admin" else f"{name}, {door}"
        if action == LogEntry.Action.CREATE:
            if "version" not in changes:  # else it is a deleted prompt that came back
                found.setdefault(1, Origin(by))
        else:
            restored = changes.get(RESTORED, [None, None])[1]
            found.setdefault(changes["version"][1], Origin(by, note, restored))
    return found
