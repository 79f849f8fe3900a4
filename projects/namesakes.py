"""Which project a name means, where several in different folders have it.

A name means the first of them: one that isn't deleted before one that is, one outside all folders before one in a
folder, then the oldest, then the least id. Whoever knows a project by its name alone, as a run does, means that one.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery

from projects.models import Project, ProjectStatus
from promptadmin.db.schema import column_names

#: The order of the projects of one name.
ORDER = (
    ExpressionWrapper(Q(status=ProjectStatus.DELETED), output_field=BooleanField()),
    ExpressionWrapper(Q(parent__isnull=False), output_field=BooleanField()),
    "created_at",
    "id",
)


def id_of_name(name: str, *, has_folders: bool = True) -> str:
    """SQL that answers the id of the project that a name means; `name` is SQL too."""
    in_folder = "parent_id IS NOT NULL, " if has_folders else ""
    order = f"status = '{ProjectStatus.DELETED}', {in_folder}created_at, id"
    return f"(SELECT id FROM projects WHERE name = {name} ORDER BY {order} LIMIT 1)"


def is_first_of_name(connection: BaseDatabaseWrapper, alias: str) -> str:
    """SQL that tells whether a project is the one that its name means, also before there are columns for folders."""
    has_folders = "parent_id" in column_names(connection, "projects")
    return f"{alias}.id = {id_of_name(f'{alias}.name', has_folders=has_folders)}"


def firsts_of_names(projects: QuerySet[Project]) -> QuerySet[Project]:
    """Those of the projects that their names mean, whoever reaches which."""
    named = Project._base_manager.filter(name=OuterRef("name")).order_by(*ORDER)
    return projects.filter(id=Subquery(named.values("id")[:1]))
