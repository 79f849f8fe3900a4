"""The list of earlier texts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from projects.admin.lists import VersionChangeList
from projects.files.tables import VersionTable
from projects.models import Prompt, PromptVersion
from projects.runs import run_model
from projects.templatetags.prompt_texts import beginning, moment, visible
from promptadmin.backoffice.exchange_pages import ExchangeAdmin
from promptadmin.backoffice.readonly_admin import ReadOnlyAdmin, link_to_key


@admin.register(PromptVersion)
class PromptVersionAdmin(ExchangeAdmin, ReadOnlyAdmin):
    """Reached from a prompt, which compares and restores them."""

    exchanged = VersionTable()
    list_display = ["text", "number", "prompt_link", "run", "replaced"]
    fields = ["version", "prompt_link", "replaced", "run", "whole_text"]
    readonly_fields = ["version", "prompt_link", "replaced", "run", "whole_text"]
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

    @admin.display(description="led to the next by")
    def run(self, row: PromptVersion) -> SafeString | str:
        return link_to_key(run_model(), row.optimization_id, "run")

    @admin.display(description="replaced (UTC)")
    def replaced(self, row: PromptVersion) -> SafeString:
        return format_html('<span class="whitespace-nowrap">{}</span>', moment(row.created_at))

    @admin.display(description="text")
    def whole_text(self, row: PromptVersion) -> SafeString:
        return format_html('<pre class="prompt-text" dir="auto">{}</pre>', visible(row.content))
