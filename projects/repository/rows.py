"""The rows that an operation reads or changes: where they are, which of them it locks, how they read."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any, TypeVar

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models import QuerySet

from projects.models import Project, ProjectStatus, Prompt, PromptVersion
from promptadmin.errors import Forbidden, Invalid, Missing

Model = TypeVar("Model", bound=models.Model)

PROJECT_MISSING = "Project not found"
PROJECT_ARCHIVED = "Cannot modify an archived project"
PROMPT_MISSING = "Prompt not found"


def moment(value: Any) -> dt.datetime | None:
    """A stored time, or None where the stored value means none."""
    return value if isinstance(value, dt.datetime) else None


def storable(text: str, what: str) -> str:
    """The text itself. Raises Invalid for what PostgreSQL can't store, so that both engines keep the same rule."""
    if "\x00" in text:
        raise Invalid(f"{what} must not contain NUL characters")
    return text


def not_blank(text: str, what: str) -> str:
    """The text itself, if it can be stored and shows anything. Raises Invalid."""
    if not text.strip():
        raise Invalid(f"{what} must not be empty or whitespace-only")
    return storable(text, what)


def project_state(row: Project) -> str:
    """Stands for what may be edited of a project, as it is stored: another state, another text."""
    stored = repr((row.name, row.description, row.context_profile))
    return hashlib.sha256(stored.encode(errors="surrogatepass")).hexdigest()


class Rows:
    """The base of the repository's parts.

    Whoever changes a project or anything in it first locks the project's row: on PostgreSQL, changes of one project
    queue there, always in the order project, prompt, runs. On SQLite a write session has the whole file to itself.
    """

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self.using = using

    @property
    def projects(self) -> QuerySet[Project]:
        """All projects."""
        return Project.objects.using(self.using)

    @property
    def prompts(self) -> QuerySet[Prompt]:
        """All prompts."""
        return Prompt.objects.using(self.using)

    @property
    def versions(self) -> QuerySet[PromptVersion]:
        """All superseded texts."""
        return PromptVersion.objects.using(self.using)

    @property
    def runs(self) -> QuerySet[Any]:
        """All runs. They are another application's, which depends on this one and so can't be imported here."""
        return apps.get_model("optimizations", "Optimization")._default_manager.using(self.using)

    def lock(self, rows: QuerySet[Model]) -> QuerySet[Model]:
        """The rows, kept from other writers; `no_key` lets others insert rows that refer to them."""
        return rows.select_for_update(no_key=True)

    def readable_project(self, project_id: str, *, deleted: bool = False) -> Project:
        """A project to read. Raises Missing, also for a deleted one unless `deleted`."""
        row = self.projects.filter(id=project_id).first()
        if row is None or (row.status == ProjectStatus.DELETED and not deleted):
            raise Missing(PROJECT_MISSING)
        return row

    def locked_project(self, project_id: str) -> Project:
        """A project to archive, unarchive or delete. Raises Missing, also for a deleted one."""
        row = self.lock(self.projects.filter(id=project_id)).first()
        if row is None or row.status == ProjectStatus.DELETED:
            raise Missing(PROJECT_MISSING)
        return row

    def project_to_change(self, project_id: str) -> Project:
        """A project to change in any other way. Raises Missing, or Forbidden for an archived one."""
        row = self.locked_project(project_id)
        if row.status == ProjectStatus.ARCHIVED:
            raise Forbidden(PROJECT_ARCHIVED)
        return row

    def readable_prompt(self, prompt_id: str, project_id: str | None = None) -> Prompt:
        """A prompt to read, whatever its project's status. Raises Missing, also for one of another project."""
        rows = self.prompts.filter(id=prompt_id)
        row = (rows if project_id is None else rows.filter(project_id=project_id)).first()
        if row is None:
            raise Missing(PROMPT_MISSING)
        return row

    def prompt_to_change(self, prompt_id: str, project_id: str | None = None) -> tuple[Project, Prompt]:
        """A prompt to change, and its project. Raises Missing (the prompt first, then the project) or Forbidden."""
        found = self.readable_prompt(prompt_id, project_id)
        project = self.project_to_change(found.project_id)
        # Read again: until the lock, another writer may have changed or deleted it.
        row = self.lock(self.prompts.filter(id=prompt_id)).first()
        if row is None:
            raise Missing(PROMPT_MISSING)
        return project, row
