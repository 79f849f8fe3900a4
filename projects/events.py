"""What has happened to projects and prompts, as plugins are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from promptadmin.plugins.events import send

if TYPE_CHECKING:  # an apps.py imports this module, before there are models
    from projects.models import Project, Prompt

EVENTS = {
    "project_created": "a project was made, or one that was deleted came back",
    "project_updated": "a project's name, description or context was changed",
    "project_archived": "a project was archived",
    "project_unarchived": "an archived project was made active again",
    "project_deleted": "a project was deleted, with its prompts and their runs",
    "prompt_created": "a prompt was added to a project",
    "prompt_version_created": "a prompt got another text, and with it the next version",
    "prompt_moved": "a prompt was moved to another project",
    "prompt_deleted": "a prompt was deleted, with its runs",
    "prompts_reordered": "the prompts of a project were put in another order",
}
#: (Status before, status after) → what has happened.
STATUS_EVENTS = {
    ("active", "archived"): "project_archived",
    ("archived", "active"): "project_unarchived",
    ("deleted", "active"): "project_created",
    ("active", "deleted"): "project_deleted",
    ("archived", "deleted"): "project_deleted",
}


def project_made(row: Project, using: str) -> None:
    send("project_created", subject=row.id, using=using, project_id=row.id, name=row.name)


def project_changed(row: Project, before: Mapping[str, Any], using: str) -> None:
    """Tell what became of a project, whose columns were as in `before`."""
    event = STATUS_EVENTS.get((str(before.get("status", row.status)), str(row.status)), "project_updated")
    send(event, subject=row.id, using=using, project_id=row.id, name=row.name)


def prompt_changed(event: str, row: Prompt, using: str, *, reason: str = "") -> None:
    """Tell what became of a prompt and, where somebody said it, why."""
    data = {"prompt_id": row.id, "project_id": row.project_id, "version": row.version}
    send(event, subject=row.id, using=using, **data, **({"reason": reason} if reason else {}))


def prompt_moved(row: Prompt, former: str | None, using: str) -> None:
    """Tell that a prompt is in another project than in the former one, if it was in any."""
    data = {"prompt_id": row.id, "project_id": row.project_id, "version": row.version, "former_project_id": former}
    send("prompt_moved", subject=row.id, using=using, **data)


def prompts_reordered(project: Project, using: str) -> None:
    """Tell that a project's prompts have another order."""
    send("prompts_reordered", subject=project.id, using=using, project_id=project.id)
