"""The pages of prompts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import connections
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from projects.admin.charts import score_chart
from projects.admin.copying import copying
from projects.admin.fields import line_feeds
from projects.admin.filling import declared_variables
from projects.admin.forms import PromptForm
from projects.admin.lists import PROJECT_FILTER, PromptChangeList, TwinsFilter, WithoutProjectFilter, may_see_projects
from projects.admin.origins import UNKNOWN, origins
from projects.admin.placing import PlacingPages
from projects.admin.plugin_boxes import list_filters, names_of, rendered_boxes, twins_of
from projects.admin.prompt_pages import PromptPages, shown_rows
from projects.files.tables import PromptTable
from projects.models import Project, ProjectStatus, Prompt, PromptVersion
from projects.repository import RUNS_COUNTED, ProjectRepository
from projects.runs import run_model, run_permission
from projects.search_index import PROMPTS
from projects.templatetags.prompt_texts import beginning, bounded
from projects.texts.counts import count_text
from promptadmin.backoffice.columns import ChoosesColumns
from promptadmin.backoffice.exchange_pages import ExchangeAdmin
from promptadmin.backoffice.plugin_parts import PluginParts
from promptadmin.backoffice.plugin_parts import list_filters as declared_filters
from promptadmin.backoffice.readonly_admin import link_to_key, link_to_list
from promptadmin.db.sessions import read_session
from promptadmin.search.candidate_filter import narrow
from promptadmin.templatetags.times import when

NO_PROJECT_SHOWN = "no project"
#: How many prompts a search reads the texts of.
SEARCHED = 10_000
#: Django's search takes words in quotes as one.
QUOTES = set("\"'\\")
VERSIONS_SHOWN, RUNS_SHOWN, RUNS_CHARTED = 10, 10, 200


@admin.register(Prompt)
class PromptAdmin(PluginParts, ChoosesColumns, ExchangeAdmin, PlacingPages, PromptPages):
    """Lists and edits prompts; comparing, restoring, moving, copying and deleting come from its bases."""

    declared_for = "prompt"
    exchanged = PromptTable()
    form = PromptForm
    autocomplete_fields = ["project"]
    how_rows_come = (
        "Prompts come by adding one to a project, with an import, or with the first run of a text in a project."
    )
    list_display = ["text", "project_link", "number", "earlier", "runs", "changed"]
    more_columns = ["created"]
    list_before_template = "projects/list_tools.html"
    list_filter = [("project", AutocompleteSelectFilter), WithoutProjectFilter, TwinsFilter]
    list_filter_submit = True
    compressed_fields = False  # the editor takes the width of the page
    search_fields = ["content__folded_contains"]
    search_help_text = (
        f"Parts of the text; of common ones, in the newest {SEARCHED:,} prompts, or those of a chosen project"
    )
    ordering = ["-updated_at", "-id"]

    class Media:
        css = {"all": ["projects/admin.css"]}

    def available_columns(self, request: HttpRequest) -> list[str]:
        """Without the projects' names for those who may not see projects."""
        may_see = may_see_projects(request)
        return [name for name in super().available_columns(request) if may_see or name != "project_link"]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """By project, for those who may see projects, and by what plugins know."""
        own = self.list_filter if may_see_projects(request) else []
        return [*own, *list_filters(), *declared_filters(request, "prompt_filters")]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[PromptChangeList]:
        return PromptChangeList

    @admin.display(description="prompt", ordering="sort_text")
    def text(self, row: Any) -> SafeString:
        """The name that plugins give it, if one does, and the beginning of its text, or what was found in it."""
        return render_to_string("projects/named_prompt.html", {"row": row})

    @admin.display(description="project", ordering="sort_project")
    def project_link(self, row: Any) -> SafeString | str:
        if row.project_id is None:
            return NO_PROJECT_SHOWN
        return link_to_key(Project, row.project_id, beginning(row.overview.project or "", 60))

    @admin.display(description="version", ordering="sort_version")
    def number(self, row: Prompt) -> int:
        """The current version."""
        return int(row.version)

    @admin.display(description="earlier versions", ordering="sort_versions")
    def earlier(self, row: Any) -> SafeString:
        return link_to_list(PromptVersion, f"{row.overview.versions:,}", prompt__id__exact=row.pk)

    @admin.display(description="runs", ordering="sort_runs")
    def runs(self, row: Any) -> SafeString:
        return link_to_list(run_model(), bounded(row.overview.runs, RUNS_COUNTED), prompt__id__exact=row.pk)

    @admin.display(description="created", ordering="created_at")
    def created(self, row: Prompt) -> SafeString:
        return format_html('<span class="whitespace-nowrap">{}</span>', when(row.created_at))

    @admin.display(description="changed", ordering="updated_at")
    def changed(self, row: Prompt) -> SafeString:
        return format_html('<span class="whitespace-nowrap">{}</span>', when(row.updated_at))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Prompt], search_term: str
    ) -> tuple[QuerySet[Prompt], bool]:
        """Those whose text has it: a bounded number of texts is read.

        Where the index knows no few that may have one of the words, they are those of the newest prompts.
        """
        narrowed = [
            narrow(connections[queryset.db], PROMPTS, part).condition
            for part in search_term.split()
            if not set(part) & QUOTES
        ]
        few = next(filter(None, narrowed), None)
        if few is not None:
            queryset = queryset.filter(few)
        elif search_term:
            newest = queryset.order_by("-updated_at", "-id").values("pk")[:SEARCHED]
            queryset = queryset.filter(pk__in=newest)
        found: tuple[QuerySet[Prompt], bool] = super().get_search_results(request, queryset, search_term)
        return found

    def get_ordering(self, request: HttpRequest) -> Any:
        """The newest change first; of one project, the project's own order."""
        return ["order_index", "id"] if PROJECT_FILTER in request.GET else self.ordering

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or _is_open(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and (obj is None or _is_open(obj))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """By the name that plugins give it, if one does."""
        row: Any = super().get_object(request, object_id, from_field)
        if row is not None:
            row.called = names_of(request.user, [row.pk]).get(row.pk, "")
        return row

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Told what plugins know of the prompt's variables."""
        form_class: Any = super().get_form(request, obj, change, **kwargs)
        form_class.declared = declared_variables(request.user, obj.pk) if obj is not None else None
        return form_class

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The form's fields; of a prompt that may only be seen, its text."""
        if obj is None:
            return [(None, {"fields": ["project", "content"]})]
        if self.has_change_permission(request, obj):
            return [(None, {"fields": ["content", "reason", "read_version"]})]
        return [(None, {"fields": ["text_shown"]})]

    @admin.display(description="text")
    def text_shown(self, row: Prompt) -> str:
        return render_to_string("projects/text_shown.html", {"text": row.content, "counts": count_text(row.content)})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save it, and say so where its project has another prompt with this text."""
        super().save_model(request, obj, form, change)
        if "content" in form.changed_data and (twins := twins_of(request, obj.pk)):
            links = format_html_join(", ", '<a class="underline" href="{}"><bdi>{}</bdi></a>', twins)
            self.message_user(request, format_html("Saved. This project has the same text already: {}.", links))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "project":
            kwargs |= {"queryset": Project.objects.filter(status=ProjectStatus.ACTIVE), "required": True}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        prompt, form = kwargs.get("obj"), context["adminform"].form
        if prompt is not None:
            repository = ProjectRepository()
            with read_session():
                history = repository.list_history(prompt_id=prompt.pk, limit=VERSIONS_SHOWN)
                made = origins(prompt.pk, [entry.version for entry in history.items])
                context |= {"history": history, "project": repository.projects.filter(id=prompt.project_id).first()}
                context["may_see_project"] = may_see_projects(request)
                context["may_see_runs"] = request.user.has_perm(run_permission("view"))
                context["findings"] = repository.findings(prompt_id=prompt.pk)
                context["twins"] = twins_of(request, prompt.pk)
                if context["may_see_runs"]:
                    runs = repository.list_runs(prompt_id=prompt.pk, limit=RUNS_CHARTED)
                    shown = runs.items[:RUNS_SHOWN]
                    begun = repository.versions_of_runs(prompt_id=prompt.pk, runs=shown)
                    context |= {"runs": runs, "chart": score_chart(runs.items)}
                    context["runs_shown"] = [(run, begun.get(run.id)) for run in shown]
            context["placements"] = self.placements(request) if _is_open(prompt) else []
            context |= copying(request, prompt)
            versions = [entry.version for entry in history.items]
            context["boxes"] = boxes = rendered_boxes(request, prompt, versions=versions)
            context["entries"] = [
                (entry, made.get(entry.version, UNKNOWN), [box.of_versions.get(entry.version, "") for box in boxes])
                for entry in history.items
            ]
            context |= self.plugin_actions(request, prompt)
            if form.is_bound and form.refused is not None:
                context["conflict"] = shown_rows(prompt.content, line_feeds(form.data["content"]))
        context["show_delete"] = False  # it stands with the other actions
        return super().render_change_form(request, context, *args, **kwargs)


def _is_open(prompt: Prompt) -> bool:
    """Whether it is in an active project, or in none. Another program may have taken its project away."""
    active = Project.objects.filter(pk=prompt.project_id, status=ProjectStatus.ACTIVE)
    return prompt.project_id is None or active.exists()
