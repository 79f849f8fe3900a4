"""Names, the ledger, requests and rules in the back-office."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from projects.contrib.registry.models import LabelEvent, LabelRule, PromotionRequest, PromptName
from projects.contrib.registry.names import checked_label
from projects.contrib.registry.pages.tagging import TaggingPages
from projects.contrib.registry.repository import RegistryRepository
from projects.contrib.registry.targets import Target
from projects.models import Prompt
from promptadmin.backoffice.readonly_admin import ReadOnlyAdmin, link_to_key
from promptadmin.backoffice.row_history import HistoryPage
from promptadmin.db.sessions import write_session
from promptadmin.errors import DomainError


class OfAPrompt(ReadOnlyAdmin):
    """Rows of a prompt, which go by its name."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the names, so that a list doesn't ask for each."""
        names = PromptName.objects.filter(prompt=OuterRef("prompt")).values("name")
        rows: QuerySet[Any] = super().get_queryset(request).annotate(called=Subquery(names[:1]))
        return rows

    @admin.display(description="prompt")
    def prompt_name(self, row: Any) -> SafeString | str:
        """A link to the prompt."""
        return link_to_key(Prompt, row.prompt_id, row.called or str(row.prompt_id))


@admin.register(PromptName)
class PromptNameAdmin(TaggingPages, OfAPrompt):
    """Prompts by name, with where their labels point. Names are given on the pages of prompts."""

    list_display = ["prompt_name", "kind", "labels", "created_at"]
    list_filter = ["kind"]
    search_fields = ["name", "description"]
    ordering = ["key"]

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """With the labels of all rows of the page, which one statement reads."""
        page: ChangeList = super().get_changelist_instance(request)
        labels = RegistryRepository().labels_of_all([row.prompt_id for row in page.result_list])
        for row in page.result_list:
            row.targets = labels.get(row.prompt_id, {})
        return page

    @admin.display(description="labels", empty_value="-")
    def labels(self, row: PromptName) -> str:
        """As in "production: 3, staging: 4"."""
        targets: dict[str, Target] = getattr(row, "targets", {})
        return ", ".join(f"{label}: {target}" for label, target in targets.items())


@admin.register(LabelEvent)
class LabelEventAdmin(OfAPrompt):
    """The ledger: every move of every label."""

    list_display = [
        *("moved_at", "prompt_name", "label", "from_target", "to_target"),
        *("moved_by", "approved_by", "door", "reason"),
    ]
    list_filter = ["label"]
    search_fields = ["reason", "moved_by"]
    ordering = ["-id"]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """The page of a prompt leads to its moves."""
        return lookup == "prompt__id__exact" or super().lookup_allowed(lookup, value, request)


@admin.register(PromotionRequest)
class PromotionRequestAdmin(OfAPrompt):
    """Moves that wait for a second person, or did."""

    list_display = [
        *("asked_at", "prompt_name", "label", "from_target", "to_target"),
        *("asked_by", "reason", "state", "decided_by"),
    ]
    list_filter = ["state", "label"]
    ordering = ["-id"]
    actions = ["approve", "reject"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits a request; the list is open to those who may decide one."""
        return obj is None and self.has_decide_permission(request)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Who may move labels may approve and reject, unless they asked themselves: the repository looks."""
        return bool(request.user.has_perm("registry.change_label"))

    @admin.action(description="Approve", permissions=["decide"])
    def approve(self, request: HttpRequest, queryset: QuerySet[PromotionRequest]) -> None:
        """Make the moves."""
        self._decide(request, queryset, "approve", "approved")

    @admin.action(description="Reject", permissions=["decide"])
    def reject(self, request: HttpRequest, queryset: QuerySet[PromotionRequest]) -> None:
        """Leave the labels where they are."""
        self._decide(request, queryset, "reject", "rejected")

    def _decide(self, request: HttpRequest, queryset: QuerySet[PromotionRequest], method: str, done: str) -> None:
        decided = 0
        for key in queryset.order_by("pk").values_list("pk", flat=True):
            try:
                with write_session():
                    getattr(RegistryRepository(), method)(key)
                decided += 1
            except DomainError as refused:
                self.message_user(request, f"Request {key}: {refused}.", messages.ERROR)
        if decided:
            self.message_user(request, f"{decided} {done}.", messages.SUCCESS)


class LabelRuleForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """A rule, for what can be a label."""

    class Meta:
        model = LabelRule
        fields = ["label", "is_protected", "needs_reason", "needs_second_person"]
        widgets = {"label": UnfoldAdminTextInputWidget}

    def clean_label(self) -> str:
        """Refuse what can be no label."""
        try:
            return checked_label(self.cleaned_data["label"])
        except DomainError as refused:
            raise forms.ValidationError(str(refused)) from refused


@admin.register(LabelRule)
class LabelRuleAdmin(HistoryPage, ModelAdmin):
    """How labels are guarded; for superusers, unless roles say otherwise."""

    form = LabelRuleForm
    list_display = ["label", "is_protected", "needs_reason", "needs_second_person"]
