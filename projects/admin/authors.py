"""Who made a prompt's versions, as the change log has it; of those made before it was kept, nobody knows."""

from __future__ import annotations

from projects.models import Prompt
from promptadmin.backoffice.row_history import history_of
from promptadmin.models import LogEntry

#: As many of a prompt's newest changes are looked through.
CHANGES_READ = 200


def authors(prompt_id: str) -> dict[int, str]:
    """Who made each version, by its number, and through which door unless it is the admin."""
    entries = history_of(Prompt, prompt_id).values_list("action", "changes", "by", "door")[:CHANGES_READ]
    made = {}
    for action, changes, by, door in entries:
        version = 1 if action == LogEntry.Action.CREATE else (changes or {}).get("version", [None, None])[1]
        if isinstance(version, int):
            made[version] = by.removeprefix("user ") if door == "admin" else f"{by}, {door}"
    return made
