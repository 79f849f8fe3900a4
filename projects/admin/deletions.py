"""The page of what was deleted lately, and those that ask before it is restored or forgotten."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from projects.admin.confirming import Question, ask
from projects.records import Contents
from projects.repository.deleting import reached_deletions, told_counts
from projects.templatetags.prompt_texts import beginning
from promptadmin.backoffice.readonly_admin import WithoutChanges
from promptadmin.db.sessions import write_session
from promptadmin.deletions.kinds import KINDS
from promptadmin.deletions.work import purge, restore
from promptadmin.errors import DomainError
from promptadmin.models import Deletion, DeletionState
from promptadmin.templatetags.times import when

RESTORE = "Comes back as it was: the same ids, texts, versions, links and times."
PURGE = "Goes for good, now: nobody can restore it afterwards."


@admin.register(Deletion)
class DeletionAdmin(WithoutChanges):
    """Lists deletions; each can be restored, and superusers may forget one before its time is over."""

    how_rows_come = "What somebody deletes stands here until its time is over, and can be restored."
    list_display = ["what", "kind", "counts", "who", "when", "until", "choices"]
    list_display_links = None
    list_filter = ["kind"]
    search_fields = ["title", "key"]
    ordering = ["-deleted_at", "-id"]
    list_per_page = 50
    actions = None

    def get_urls(self) -> Any:
        return [
            *(
                path(
                    f"<int:deletion_id>/{verb}/",
                    self.admin_site.admin_view(partial(self.confirm_view, verb=verb)),
                    name=f"promptadmin_deletion_{verb}",
                )
                for verb in ("restore", "purge")
            ),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).defer("parts")
        rows = reached_deletions(rows)
        return rows.filter(kind__in=[name for name, kind in KINDS.items() if request.user.has_perm(kind.permission)])

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whoever may delete anything sees the page."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may delete what it was sees a deletion."""
        kinds = KINDS.values() if obj is None else [KINDS[obj.kind]]
        return any(request.user.has_perm(kind.permission) for kind in kinds)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """A deletion's page is the one that asks."""
        return HttpResponseRedirect(reverse("admin:promptadmin_deletion_changelist"))

    @admin.display(description="what", ordering="title")
    def what(self, row: Deletion) -> str:
        return beginning(row.title, 80) or row.key

    @admin.display(description="with")
    def counts(self, row: Deletion) -> str:
        return ", ".join(told_counts(row))

    @admin.display(description="who", ordering="by")
    def who(self, row: Deletion) -> str:
        return f"{row.by} ({row.door})"

    @admin.display(description="deleted", ordering="deleted_at")
    def when(self, row: Deletion) -> SafeString:
        return format_html('<span class="whitespace-nowrap">{}</span>', when(row.deleted_at))

    @admin.display(description="can be restored until", ordering="expires_at")
    def until(self, row: Deletion) -> SafeString:
        return format_html('<span class="whitespace-nowrap">{}</span>', when(row.expires_at))

    @admin.display(description="")
    def choices(self, row: Deletion) -> SafeString | str:
        if row.state != DeletionState.KEPT:
            return str(row.get_state_display())
        links = [(reverse(f"admin:promptadmin_deletion_{verb}", args=[row.pk]), verb) for verb in ("restore", "purge")]
        return format_html_join(" ", '<a href="{}">{}…</a>', ((link, verb.capitalize()) for link, verb in links))

    def confirm_view(self, request: HttpRequest, deletion_id: int, *, verb: str) -> HttpResponse:
        target = reverse("admin:promptadmin_deletion_changelist")
        if verb == "purge" and not request.user.is_superuser:
            raise PermissionDenied
        deletion = self.get_queryset(request).filter(pk=deletion_id).first()
        if deletion is None:
            if not self.has_view_permission(request):
                raise PermissionDenied
            self.message_user(request, "It was restored already, or its time is over.", messages.ERROR)
            return HttpResponseRedirect(target)
        if request.method != "POST":
            return ask(request, self, self._question(deletion, verb, target))
        try:
            with write_session():
                note = self._do(deletion_id, verb)
        except DomainError as refused:
            self.message_user(request, f"Nothing was done. {refused}", messages.ERROR)
            return HttpResponseRedirect(target)
        done = "Restored" if verb == "restore" else "Forgot"
        self.message_user(request, f"{done} “{beginning(deletion.title, 80)}”. {note}".strip(), messages.SUCCESS)
        return HttpResponseRedirect(target)

    def _do(self, deletion_id: int, verb: str) -> str:
        if verb == "restore":
            return restore(deletion_id, DEFAULT_DB_ALIAS).note
        purge(deletion_id, DEFAULT_DB_ALIAS)
        return ""

    def _question(self, deletion: Deletion, verb: str, back: str) -> Question:
        return Question(
            title=f"{verb.capitalize()} {deletion.kind}",
            names=[beginning(deletion.title)],
            consequence=RESTORE if verb == "restore" else PURGE,
            button=verb.capitalize(),
            back=back,
            contents=Contents(deletion.prompts, deletion.versions, deletion.runs),
            is_danger=verb == "purge",
            note=deletion.note,
        )
