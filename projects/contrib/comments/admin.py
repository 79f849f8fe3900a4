"""All comments in the back-office."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Substr
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from projects.contrib.comments.models import Comment
from projects.contrib.comments.pages.urls import addresses
from projects.models import Prompt
from projects.templatetags.prompt_texts import beginning, moment
from promptadmin.backoffice.readonly_admin import ReadOnlyAdmin, link_to_key
from promptadmin.http.keys import row_page


@admin.register(Comment)
class CommentAdmin(ReadOnlyAdmin):
    """Lists comments; each is written, and shown, on the page of its prompt."""

    how_rows_come = "Comments are written on the pages of prompts."
    list_display = ["beginning", "prompt_link", "about", "who", "when"]
    search_fields = ["text", "by"]
    ordering = ["-id"]

    def get_urls(self) -> Any:
        """With the pages on which comments are written, and the one of notifications."""
        return [*addresses(self.admin_site.admin_view), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Comment]:
        rows: QuerySet[Comment] = super().get_queryset(request)
        return rows.annotate(prompt_start=Substr("prompt__content", 1, 100))

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """A comment's page is its prompt's."""
        row = self.get_object(request, object_id) if self.has_view_permission(request) else None
        if row is None:
            answer: HttpResponse = super().change_view(request, object_id, *args, **kwargs)
            return answer
        return HttpResponseRedirect(f"{row_page(Prompt, row.prompt_id)}#box-comments")

    @admin.display(description="comment")
    def beginning(self, row: Comment) -> SafeString:
        return format_html("<bdi>{}</bdi>", beginning(row.text, 120))

    @admin.display(description="prompt")
    def prompt_link(self, row: Any) -> SafeString | str:
        return link_to_key(Prompt, row.prompt_id, beginning(row.prompt_start or "prompt", 60))

    @admin.display(description="about", empty_value="the prompt")
    def about(self, row: Comment) -> str | None:
        return f"version {row.version}" if row.version is not None else None

    @admin.display(description="by")
    def who(self, row: Comment) -> str:
        return str(row.by).removeprefix("user ")

    @admin.display(description="when (UTC)", ordering="created_at")
    def when(self, row: Comment) -> SafeString:
        return format_html('<span class="whitespace-nowrap">{}</span>', moment(row.created_at))
