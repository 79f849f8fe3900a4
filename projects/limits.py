"""Projects as limits of API tokens."""

from __future__ import annotations

from collections.abc import Sequence

from projects.models import Project
from projects.repository import ProjectRepository
from promptadmin.errors import Invalid


def read_projects(texts: Sequence[str]) -> list[str]:
    """The ids of projects, of which each text is an id or a name. Raises Invalid."""
    repository = ProjectRepository()
    found = []
    for text in texts:
        row = repository.projects.filter(pk=text).first() or repository.projects_named(text).first()
        if row is None:
            raise Invalid(f"There is no project {text}: name one by its name or its id")
        found.append(str(row.pk))
    return [*dict.fromkeys(found)]


def show_projects(keys: Sequence[str]) -> list[str]:
    """The names of projects; the ids of those that are gone."""
    names = dict(Project._base_manager.filter(pk__in=keys).values_list("pk", "name"))
    return [names.get(key) or key for key in keys]
