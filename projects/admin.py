"""Projects, prompts and versions in the back-office."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from projects.models import Project, Prompt, PromptVersion
from promptadmin.readonly_admin import ReadOnlyAdmin, link_to, link_to_list


@admin.register(Project)
class ProjectAdmin(ReadOnlyAdmin):
    """The list of projects."""

    list_display = ["name", "status", "prompts", "runs", "created_at", "updated_at"]
    list_filter = ["status"]
    search_fields = ["name", "description"]
    ordering = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        """Count prompts in the same query."""
        rows: QuerySet[Project] = super().get_queryset(request)
        return rows.annotate(prompt_count=Count("prompts"))

    @admin.display(description="prompts", ordering="prompt_count")
    def prompts(self, row: Any) -> SafeString:
        """A link to the project's prompts, with their number."""
        return link_to_list(Prompt, str(row.prompt_count), project__id__exact=row.pk)

    @admin.display(description="runs")
    def runs(self, row: Project) -> SafeString:
        """A link to the project's runs."""
        return link_to_list(apps.get_model("optimizations", "Optimization"), "runs", project=row.name)


@admin.register(Prompt)
class PromptAdmin(ReadOnlyAdmin):
    """The list of prompts."""

    list_display = ["text", "project_link", "order_index", "version", "versions", "runs", "updated_at"]
    list_filter = ["project"]
    list_select_related = ["project"]
    search_fields = ["content"]
    ordering = ["project", "order_index", "id"]

    @admin.display(description="prompt")
    def text(self, row: Prompt) -> str:
        """The beginning of the text."""
        return str(row)

    @admin.display(description="project", ordering="project")
    def project_link(self, row: Prompt) -> SafeString | str:
        """A link to the project."""
        return link_to(row.project)

    @admin.display(description="earlier versions")
    def versions(self, row: Prompt) -> SafeString:
        """A link to the earlier versions."""
        return link_to_list(PromptVersion, "versions", prompt__id__exact=row.pk)

    @admin.display(description="runs")
    def runs(self, row: Prompt) -> SafeString:
        """A link to the runs of this prompt."""
        return link_to_list(apps.get_model("optimizations", "Optimization"), "runs", prompt__id__exact=row.pk)


@admin.register(PromptVersion)
class PromptVersionAdmin(ReadOnlyAdmin):
    """The list of earlier texts."""

    list_display = ["text", "version", "prompt_link", "run", "created_at"]
    list_select_related = ["prompt", "optimization"]
    search_fields = ["content", "prompt__id"]
    ordering = ["prompt", "-version"]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Let a prompt's page link to its versions."""
        return lookup == "prompt__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description="text")
    def text(self, row: PromptVersion) -> str:
        """The beginning of the text."""
        return str(row.content)[:80]

    @admin.display(description="prompt")
    def prompt_link(self, row: PromptVersion) -> SafeString | str:
        """A link to the prompt as it is now."""
        return link_to(row.prompt)

    @admin.display(description="run")
    def run(self, row: PromptVersion) -> SafeString | str:
        """A link to the run that this text came from."""
        return link_to(row.optimization)
