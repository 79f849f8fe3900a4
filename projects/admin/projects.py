"""The pages of projects."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from projects.admin.forms import CONTEXT_FIELDS, ProjectForm, stored_profile, unknown_keys, unreadable_profile
from projects.admin.lists import NO_PROMPT, ProjectChangeList, StatusFilter, with_beginnings, with_overviews
from projects.admin.members import MemberInline
from projects.admin.plugin_boxes import names_of
from projects.admin.project_actions import ACTIONS
from projects.admin.project_pages import ProjectActionPages
from projects.admin.prompt_order import PromptOrderPage
from projects.files.tables import ProjectTable
from projects.models import Project, ProjectStatus, Prompt
from projects.repository import RUNS_COUNTED, ProjectRepository, with_twins
from projects.runs import run_model
from projects.templatetags.prompt_texts import bounded
from promptadmin.backoffice.columns import ChoosesColumns
from promptadmin.backoffice.exchange_pages import ExchangeAdmin
from promptadmin.backoffice.plugin_parts import PluginParts
from promptadmin.backoffice.readonly_admin import link_to_list
from promptadmin.db.sessions import read_session
from promptadmin.templatetags.times import when

PROMPTS_PER_PAGE = 100


@admin.register(Project)
class ProjectAdmin(PluginParts, ChoosesColumns, ExchangeAdmin, ProjectActionPages, PromptOrderPage):
    """Lists and changes projects; the rest of what may be done to them comes from its bases."""

    declared_for = "project"
    exchanged = ProjectTable()
    form = ProjectForm
    inlines = [MemberInline]
    how_rows_come = "Projects come by adding one here, with an import, or with the first run that names one."
    list_display = ["heading", "state", "prompt_count", "runs", "last_activity"]
    more_columns = ["created"]
    list_filter = [StatusFilter]
    search_fields = ["name__folded_contains", "description__folded_contains"]
    search_help_text = "A part of the name or the description, whatever the case"
    ordering = ["name"]

    class Media:
        css = {"all": ["projects/admin.css"]}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ProjectChangeList]:
        return ProjectChangeList

    def get_inlines(self, request: HttpRequest, obj: Project | None) -> Any:
        """A project gets members once it is there."""
        return super().get_inlines(request, obj) if obj is not None else []

    @admin.display(description="project", ordering="name")
    def heading(self, row: Project) -> SafeString:
        """The name over the beginning of the description."""
        return render_to_string("projects/list_heading.html", {"project": row})

    @admin.display(description="status", ordering="status")
    def state(self, row: Project) -> str:
        return str(row.status)

    state.label = {  # type: ignore[attr-defined]  # what the theme asks for
        ProjectStatus.ACTIVE: "success",
        ProjectStatus.ARCHIVED: "warning",
        ProjectStatus.DELETED: "danger",
    }

    @admin.display(description="prompts", ordering="sort_prompts")
    def prompt_count(self, row: Any) -> SafeString:
        return link_to_list(Prompt, f"{row.overview.prompts:,}", project__id__exact=row.pk)

    @admin.display(description="runs", ordering="sort_runs")
    def runs(self, row: Any) -> SafeString:
        return link_to_list(run_model(), bounded(row.overview.runs, RUNS_COUNTED), project_id=row.pk)

    @admin.display(description="created", ordering="created_at")
    def created(self, row: Project) -> SafeString:
        return format_html('<span class="whitespace-nowrap">{}</span>', when(row.created_at))

    @admin.display(description="last activity", ordering="sort_activity")
    def last_activity(self, row: Any) -> SafeString:
        """When it, a prompt of it or a run of it last changed or came."""
        return format_html('<span class="whitespace-nowrap">{}</span>', when(row.overview.last_activity))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or obj.status == ProjectStatus.ACTIVE)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and (obj is None or obj.status != ProjectStatus.DELETED)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The form's fields; of a project that may only be seen, what it holds."""
        if obj is not None and not self.has_change_permission(request, obj):
            return [(None, {"fields": ["name", "description_shown", "context_shown", "times"]})]
        context: dict[str, Any] = {"fields": list(CONTEXT_FIELDS), "classes": ["collapse"]}
        if obj is not None:
            context["description"] = render_to_string(
                "projects/context_notes.html", {"raw": unreadable_profile(obj), "unknown": unknown_keys(obj)}
            )
        first = ["name", "description", "read_state"] if obj is not None else ["name", "description"]
        return [(None, {"fields": first}), ("Context profile", context)]

    @admin.display(description="description")
    def description_shown(self, row: Project) -> SafeString | str:
        return format_html('<div class="whitespace-pre-line" dir="auto">{}</div>', row.description or "-")

    @admin.display(description="context profile")
    def context_shown(self, row: Project) -> str:
        """The known fields, or the stored text where it can't be read."""
        return render_to_string(
            "projects/context_shown.html", {"profile": stored_profile(row), "raw": unreadable_profile(row)}
        )

    @admin.display(description="created, changed")
    def times(self, row: Project) -> SafeString:
        return format_html("{}, {}", when(row.created_at), when(row.updated_at))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add the prompts below the form, and what may be done with the project above it."""
        project = kwargs.get("obj")
        if project is not None:
            rows = with_beginnings(Prompt.objects.filter(project_id=project.pk).order_by("order_index", "id"))
            with read_session():
                page = Paginator(rows, PROMPTS_PER_PAGE).get_page(request.GET.get("prompts"))
                page.object_list = with_overviews(page.object_list, ProjectRepository().prompt_overviews, NO_PROMPT)
                keys = [row.pk for row in page.object_list]
                twins = set(with_twins(Prompt.objects.filter(pk__in=keys)).values_list("pk", flat=True))
            names = names_of(request.user, keys)
            for row in page.object_list:
                row.is_twin, row.called = row.pk in twins, names.get(row.pk, "")
            context |= self.plugin_context(request, project)
            is_active = project.status == ProjectStatus.ACTIVE
            context |= {
                "project": project,
                "project_actions": [
                    action for action in ACTIONS if project.status in action.statuses and self.may(request, action)
                ],
                "prompts_page": page,
                "runs_counted": RUNS_COUNTED,
                "may_order": is_active and request.user.has_perm("projects.change_prompt"),
                "may_add_prompt": is_active and request.user.has_perm("projects.add_prompt"),
                "twins": len(twins),
                "may_see_prompts": request.user.has_perm("projects.view_prompt")
                or request.user.has_perm("projects.change_prompt"),
            }
        context["show_delete"] = False  # it stands with the other actions
        return super().render_change_form(request, context, *args, **kwargs)
