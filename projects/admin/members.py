"""Members of a project, on its page."""

from __future__ import annotations

from typing import Any

from django.db.models import Field
from django.http import HttpRequest
from unfold.admin import TabularInline

from projects.models import ProjectMember, ProjectStatus


class MemberInline(TabularInline):
    """Those who reach the project, once there are any; for superusers."""

    model = ProjectMember
    extra = 1
    verbose_name_plural = "members: once there are any, only they and superusers reach this project"

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """With a label of its own: in a table the head of the column is none for who hears the page."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            getattr(field.widget, "widget", field.widget).attrs["aria-label"] = str(db_field.verbose_name).capitalize()
        return field

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An archived or deleted project's page has no form."""
        return super().has_change_permission(request, obj) and _is_open(obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_add_permission(request, obj) and _is_open(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_open(obj)


def _is_open(project: Any) -> bool:
    return project is None or project.status == ProjectStatus.ACTIVE
