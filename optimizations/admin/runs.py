"""The pages of runs: a list to find them, a page to read one, and what may still be done with them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from optimizations.admin.actions import RunActions
from optimizations.admin.comparing import CompareRuns
from optimizations.admin.demo import DemoPage
from optimizations.admin.filters import SHOWN, ModelFilter, TagFilter, plugin_filters
from optimizations.admin.lists import RunChangeList
from optimizations.admin.next_version import NextVersionPage
from optimizations.admin.reading import duration, known_project, run_page
from optimizations.columns import Record
from optimizations.failures import failed_alike
from optimizations.files.tables import RunTable
from optimizations.models import Optimization, RunStatus
from optimizations.repository import OptimizationRepository
from projects.models import Project
from projects.templatetags.prompt_texts import out_of_ten
from promptadmin.backoffice.code_snippets import add_token, snippets
from promptadmin.backoffice.columns import ChoosesColumns
from promptadmin.backoffice.exchange_pages import ExchangeAdmin
from promptadmin.backoffice.kept_filters import keep_filters
from promptadmin.backoffice.plugin_parts import PluginParts
from promptadmin.conf.counted import counted
from promptadmin.db.sessions import read_session
from promptadmin.errors import NotFound
from promptadmin.http.keys import row_page
from promptadmin.templatetags.times import when

#: How the theme colours a status.
STATUS_LABELS = {
    RunStatus.COMPLETED.value: "success",
    RunStatus.ERROR.value: "danger",
    RunStatus.RUNNING.value: "info",
    RunStatus.PENDING.value: "warning",
}
TEMPLATES = "admin/optimizations/optimization"
#: Tags that a list shows of a run before it counts the rest.
MOST_TAGS = 3
#: Shown in a table where there is nothing; a card on a telephone leaves it out.
NOTHING = SafeString('<span class="pa-empty">-</span>')


@admin.register(Optimization)
class OptimizationAdmin(PluginParts, ChoosesColumns, ExchangeAdmin, CompareRuns, NextVersionPage, DemoPage, RunActions):
    """Runs are records: their texts and scores stay as they are; labels may change, and runs may go."""

    declared_for = "run"
    exchanged = RunTable()
    how_rows_come = (
        "Programs record runs, with a token; or they are imported. The dashboard has a command that sends one."
    )
    list_display = ["name", "state", "score", "strategy_used", "project_link", "cost", "created"]
    # None has the name of a field, which Django would show in its place.
    more_columns = ["task", "difficulty", "model_name", "labelled_version", "tokens", "duration", "problem"]
    list_filter = SHOWN
    list_filter_submit = True
    list_per_page = 50
    list_fullwidth = True
    list_before_template = f"{TEMPLATES}/list_notes.html"
    list_after_template = f"{TEMPLATES}/list_end.html"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # counts beside each choice of the filters would scan the table
    search_fields = ["raw_prompt"]  # shows the field; what it searches is the repository's to say
    search_help_text = "Text of prompts, titles, tags, projects"
    ordering = ["-created_at"]

    class Media:
        css = {"all": ["optimizations/runs.css"]}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RunChangeList]:
        return RunChangeList

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """With those of plugins."""
        return [*SHOWN, *plugin_filters(request)]

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.suggestions)
        address = path("suggestions/<slug:name>/", view, name="optimizations_optimization_suggestions")
        return [address, *super().get_urls()]

    def suggestions(self, request: HttpRequest, name: str) -> HttpResponse:
        """What may be typed into a filter, as options of a list that the filter fetches."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if name not in (TagFilter.parameter_name, ModelFilter.parameter_name):
            raise Http404(f"No filter {name} has suggestions.")
        with read_session():
            values = OptimizationRepository().recent_values(name)
        return HttpResponse(format_html_join("", '<option value="{}"></option>', ((value,) for value in values)))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """No parameter of the list is a lookup: the list itself knows its names."""
        return True

    def export_queryset(self, request: HttpRequest) -> QuerySet[Optimization]:
        """The runs that the list's filters leave, without a list of their keys."""
        found: QuerySet[Optimization] = self.get_export_queryset(request)
        return found

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Runs are recorded by optimisers, through the API or an import."""
        return False

    @admin.display(description="run")
    def name(self, row: Any) -> SafeString:
        """The title, or the beginning of the prompt, and the tags."""
        record: Record = row.record
        text = record["title"] or record["beginning"] or "(empty)"
        tags = record["tags"] or []
        shown = [format_html('<span class="run-tag"><bdi>{}</bdi></span>', tag) for tag in tags[:MOST_TAGS]]
        if others := tags[MOST_TAGS:]:
            shown.append(format_html('<span class="run-tag" title="{}">+{}</span>', ", ".join(others), len(others)))
        if row.snippet is not None and row.snippet.highlights:
            shown.append(format_html('<bdi class="run-found">{}</bdi>', SafeString(row.snippet.html)))
        return format_html('<bdi class="run-name">{}</bdi>{}', text, SafeString("".join(shown)))

    @display(description="status", label=STATUS_LABELS)  # type: ignore[untyped-decorator]  # the theme's
    def state(self, row: Any) -> str:
        return str(row.record["status"])

    @admin.display(description="score", ordering="overall_score")
    def score(self, row: Any) -> str:
        return score_bar(row.record["overall_score"])

    @admin.display(description="strategy, model")
    def strategy_used(self, row: Any) -> SafeString:
        """The strategy that counts, over the model."""
        record: Record = row.record
        return _two_lines(record["strategy"] or record["framework_applied"], record["model_used"])

    @admin.display(description="project")
    def project_link(self, row: Any) -> SafeString:
        """A link to the run's project or, where there is none, the name that the run has."""
        record: Record = row.record
        if record["project_id"] is None:
            return format_html('<bdi class="run-clip">{}</bdi>', record["project"]) if record["project"] else NOTHING
        address = row_page(Project, record["project_id"])
        return format_html('<a class="run-clip" href="{}"><bdi>{}</bdi></a>', address, record["project_name"] or "-")

    @admin.display(description="time, tokens")
    def cost(self, row: Any) -> SafeString:
        """How long it took, over how many tokens it read and wrote."""
        record: Record = row.record
        counts = [record["input_tokens"], record["output_tokens"]]
        known = [count for count in counts if count is not None]
        return _two_lines(duration(record["duration_ms"]), counted(sum(known), "token") if known else None)

    @admin.display(description="task type")
    def task(self, row: Any) -> str:
        return row.record["task_type"] or NOTHING

    @admin.display(description="complexity")
    def difficulty(self, row: Any) -> str:
        return row.record["complexity"] or NOTHING

    @admin.display(description="model")
    def model_name(self, row: Any) -> SafeString:
        return _clipped(row.record["model_used"])

    @admin.display(description="version")
    def labelled_version(self, row: Any) -> SafeString:
        return _clipped(row.record["version"])

    @admin.display(description="tokens read, written")
    def tokens(self, row: Any) -> str:
        counts = [row.record["input_tokens"], row.record["output_tokens"]]
        return ", ".join("-" if count is None else f"{count:,}" for count in counts)

    @admin.display(description="duration")
    def duration(self, row: Any) -> str:
        return duration(row.record["duration_ms"]) or NOTHING

    @admin.display(description="error")
    def problem(self, row: Any) -> SafeString:
        return _clipped(row.record["error_message"])

    @admin.display(description="created", ordering="created_at")
    def created(self, row: Any) -> SafeString:
        return when(row.record["created_at"])

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        run_id = unquote(object_id)
        try:
            with read_session():
                record, unreadable = OptimizationRepository().get_run_as_stored(run_id)
                alike = failed_alike(record)
        except NotFound:
            return self.gone(request, run_id)
        row = Optimization(id=run_id, title=record["title"], raw_prompt=record["raw_prompt"] or "")
        context = {
            **self.admin_site.each_context(request),
            "title": str(row)[:80],
            "subtitle": None,
            "opts": self.opts,
            "media": self.media,
            "original": row,
            "object_id": run_id,
            "status_label": STATUS_LABELS.get(str(record["status"]), ""),
            "may_change": self.has_change_permission(request),
            "may_delete": self.has_delete_permission(request),
            "may_make_version": self.may_make_versions(request) and record["prompt_id"] and record["optimized_prompt"],
            "snippets": snippets(
                request,
                "history",
                run_id,
                name="run",
                field="raw_prompt" if record["optimized_prompt"] is None else "optimized_prompt",
            ),
            "add_token": add_token(request),
            "failed_alike": alike,
            "list_address": keep_filters(request, reverse("admin:optimizations_optimization_changelist")),
            **run_page(known_project(record, request), unreadable),
            **self.plugin_context(request, row, record=record),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, f"{TEMPLATES}/run.html", context)


def score_bar(score: float | None) -> str:
    """A score from 0 to 10 with a bar of its length."""
    shown = None if score is None else out_of_ten(score)
    context = {"shown": shown, "percent": max(0, min(100, round((score or 0) * 100))), "stored": score}
    return render_to_string(f"{TEMPLATES}/score.html", context)


def _clipped(text: str | None) -> SafeString:
    return format_html('<bdi class="run-clip">{}</bdi>', text[:200]) if text else NOTHING


def _two_lines(first: object, second: object) -> SafeString:
    if not first and not second:
        return NOTHING
    return format_html(
        '<span class="run-lines"><bdi>{}</bdi><bdi class="run-second">{}</bdi></span>', first or "-", second or ""
    )
