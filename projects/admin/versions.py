"""The list of earlier texts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from projects.admin.copying import copying
from projects.admin.lists import VersionChangeList
from projects.admin.plugin_boxes import rendered_boxes
from projects.admin.prompt_pages import described
from projects.files.tables import VersionTable
from projects.models import Prompt, PromptVersion
from projects.repository import ProjectRepository
from projects.runs import run_model, run_permission
from projects.templatetags.prompt_texts import beginning, visible
from promptadmin.backoffice.exchange_pages import ExchangeAdmin
from promptadmin.backoffice.readonly_admin import ReadOnlyAdmin, link_to_key
from promptadmin.db.sessions import read_session
from promptadmin.errors import NotFound
from promptadmin.templatetags.times import when


@admin.register(PromptVersion)
class PromptVersionAdmin(ExchangeAdmin, ReadOnlyAdmin):
    """Reached from a prompt, which compares and restores them."""

    exchanged = VersionTable()
    how_rows_come = "A version comes with each change of a prompt: it keeps the text that was there before."
    list_display = ["text", "number", "prompt_link", "run", "replaced"]
    fields = ["version", "prompt_link", "since", "by", "origin", "replaced", "run", "whole_text"]
    readonly_fields = fields
    search_fields = ["content__folded_contains", "prompt__id__exact"]
    search_help_text = "A part of the text, whatever the case, or a prompt's id"
    ordering = ["-prompt", "-version"]

    class Media:
        css = {"all": ["projects/admin.css"]}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[VersionChangeList]:
        return VersionChangeList

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Without the prompts' texts for those who may not see prompts."""
        return [name for name in self.list_display if name != "prompt_link" or self._may_see_prompts(request)]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for name in self.fields if name != "prompt_link" or self._may_see_prompts(request)]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """With how it came to be, and whether this user may see the run that it came from."""
        row: Any = super().get_object(request, object_id, from_field)
        if row is not None:
            try:
                with read_session():
                    [row.described] = described(ProjectRepository(), row.prompt_id, [row.version])
            except NotFound:  # another program's row: its prompt is gone, or its number is none
                row.described = None
            row.may_see_runs = request.user.has_perm(run_permission("view"))
        return row

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row: Any = kwargs["obj"]
        versions = PromptVersion.objects.filter(prompt_id=row.prompt_id)
        earlier = versions.filter(version__lt=row.version).order_by("-version", "-created_at", "-id")
        later = versions.filter(version__gt=row.version).order_by("version", "-created_at", "-id")
        prompt = Prompt.objects.filter(pk=row.prompt_id).first()
        context |= {"earlier": earlier.defer("content").first(), "later": later.defer("content").first()}
        if prompt is not None and self._may_see_prompts(request):
            may_change = self.admin_site.get_model_admin(Prompt).has_change_permission(request, prompt)
            context |= {"prompt": prompt, "may_restore": may_change and row.version >= 0}
            context |= copying(request, prompt, row.version)
            context["boxes"] = rendered_boxes(request, prompt, row.version)
        return super().render_change_form(request, context, *args, **kwargs)

    def _may_see_prompts(self, request: HttpRequest) -> bool:
        return any(request.user.has_perm(f"projects.{verb}_prompt") for verb in ("view", "change"))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "prompt__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description="text")
    def text(self, row: Any) -> SafeString:
        return format_html("<bdi>{}</bdi>", beginning(row.start, 120))

    @admin.display(description="version")
    def number(self, row: PromptVersion) -> int:
        """Its number; there is no index to sort by it."""
        return int(row.version)

    @admin.display(description="prompt")
    def prompt_link(self, row: Any) -> SafeString | str:
        start = getattr(row, "prompt_start", None)
        if start is None:
            start = Prompt.objects.filter(pk=row.prompt_id).values_list("content", flat=True).first()
        return link_to_key(Prompt, row.prompt_id, beginning(start or "prompt", 60))

    @admin.display(description="since")
    def since(self, row: Any) -> SafeString | str:
        return when(row.described["entry"].since) if row.described else "-"

    @admin.display(description="by")
    def by(self, row: Any) -> str:
        return (row.described and row.described["origin"].by) or "-"

    @admin.display(description="how and why")
    def origin(self, row: Any) -> str:
        if not row.described:
            return "-"
        return render_to_string("projects/came_from.html", {**row.described, "may_see_runs": row.may_see_runs})

    @admin.display(description="led to the next by")
    def run(self, row: PromptVersion) -> SafeString | str:
        return link_to_key(run_model(), row.optimization_id, "run")

    @admin.display(description="replaced")
    def replaced(self, row: PromptVersion) -> SafeString:
        return format_html('<span class="whitespace-nowrap">{}</span>', when(row.created_at))

    @admin.display(description="text")
    def whole_text(self, row: PromptVersion) -> SafeString:
        return format_html('<pre class="prompt-text" dir="auto">{}</pre>', visible(row.content))
