"""Optimisation runs in the back-office."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from optimizations.models import Optimization
from promptadmin.readonly_admin import ReadOnlyAdmin, link_to


@admin.register(Optimization)
class OptimizationAdmin(ReadOnlyAdmin):
    """The list of runs."""

    list_display = [
        "name",
        "status",
        "score",
        "strategy",
        "task_type",
        "project",
        "prompt_link",
        "created_at",
    ]
    list_filter = ["status", "task_type", "strategy"]
    list_select_related = ["prompt"]
    search_fields = ["title", "raw_prompt", "optimized_prompt", "project", "tags"]
    ordering = ["-created_at", "-id"]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Let the pages of a project and of a prompt link to their runs."""
        return lookup in ("project", "prompt__id__exact") or super().lookup_allowed(lookup, value, request)

    @admin.display(description="run")
    def name(self, row: Optimization) -> str:
        """The title, or the beginning of the prompt."""
        return str(row)

    @admin.display(description="score", ordering="overall_score")
    def score(self, row: Optimization) -> str:
        """The overall score, as stored."""
        return "-" if row.overall_score is None else str(row.overall_score)

    @admin.display(description="prompt", ordering="prompt")
    def prompt_link(self, row: Optimization) -> SafeString | str:
        """A link to the prompt, once it is known."""
        return link_to(row.prompt, "prompt")
