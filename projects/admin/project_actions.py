"""What may be done to whole projects, one or several: archive, restore, delete; each is asked for on a page first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from projects.models import ProjectStatus
from projects.repository import ProjectRepository


@dataclass(frozen=True)
class ProjectAction:
    """One of them. `permission` is Django's; `statuses` are those of the projects that it is for.

    `run` takes the repository, a project's id, and whether it was asked for with force.
    """

    verb: str
    done: str
    permission: str
    statuses: Sequence[str]
    consequence: str
    icon: str
    run: Callable[[ProjectRepository, str, bool], object]

    @property
    def label(self) -> str:
        """What its button says; the dots promise a question."""
        return f"{self.verb.capitalize()}…"


ARCHIVE = ProjectAction(
    verb="archive",
    done="Archived",
    permission="change",
    statuses=(ProjectStatus.ACTIVE,),
    consequence="Becomes read-only: nobody can change it or its prompts, add prompts to it, or assign runs to it, "
    "here or through the API, until somebody restores it. Nothing is deleted.",
    icon="archive",
    run=lambda repository, key, force: repository.archive_project(project_id=key),
)
RESTORE = ProjectAction(
    verb="restore",
    done="Restored",
    permission="change",
    statuses=(ProjectStatus.ARCHIVED,),
    consequence="Can be changed again, with all its prompts.",
    icon="unarchive",
    run=lambda repository, key, force: repository.unarchive_project(project_id=key),
)
DELETE = ProjectAction(
    verb="delete",
    done="Deleted",
    permission="delete",
    statuses=(ProjectStatus.ACTIVE, ProjectStatus.ARCHIVED),
    consequence="Goes with everything in it. It can be restored for some time, from “Recently deleted”, and then goes "
    "for good. Its name stays on record, as deleted.",
    icon="delete",
    run=lambda repository, key, force: repository.delete_project(project_id=key, force=force),
)
ACTIONS = (ARCHIVE, RESTORE, DELETE)
