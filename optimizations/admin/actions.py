"""What may be done with runs: each action has a page that asks and says what will happen, and then the repository."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from pydantic import ValidationError
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from optimizations.inputs import RunTagsIn
from optimizations.models import Optimization, RunStatus
from optimizations.repository import OptimizationRepository
from projects.admin.lists import may_see_projects
from projects.models import Project, ProjectStatus
from promptadmin.deadlines import reading_deadline
from promptadmin.errors import Refused
from promptadmin.history import HistoryPage
from promptadmin.keys import row_page
from promptadmin.sessions import read_session, write_session

TEMPLATE = "admin/optimizations/optimization/action.html"
#: Names that a page lists before it counts the rest.
MOST_NAMED = 20
MOST_PROJECTS = 500


class Sure(forms.Form):
    """Nothing to say but yes."""


class TagsForm(forms.Form):
    """Tags to add and to remove."""

    add = forms.CharField(
        label="Tags to add",
        required=False,
        help_text="Separated by commas, up to 50 characters each.",
        widget=UnfoldAdminTextInputWidget,
    )
    remove = forms.CharField(
        label="Tags to remove",
        required=False,
        help_text="Separated by commas. They are removed first.",
        widget=UnfoldAdminTextInputWidget,
    )

    def clean(self) -> dict[str, Any]:
        """The tags, by the rules of the API."""
        given = {name: _tags(self.cleaned_data.get(name, "")) for name in ("add", "remove")}
        if not any(given.values()):
            raise forms.ValidationError("Name at least one tag.")
        try:
            return RunTagsIn.model_validate(given).model_dump(include={"add", "remove"})
        except ValidationError as error:
            raise forms.ValidationError([item["msg"] for item in error.errors()]) from error


class ProjectForm(forms.Form):
    """A project's name."""

    project = forms.CharField(
        label="Project",
        required=False,
        help_text="The project of this name is found or made. Empty takes the runs out of their projects.",
        widget=UnfoldAdminTextInputWidget(attrs={"list": "projects", "autocomplete": "off"}),
    )

    def clean_project(self) -> str:
        """The name, by the rules of the API."""
        try:
            return RunTagsIn.model_validate({"project": self.cleaned_data["project"]}).project or ""
        except ValidationError as error:
            raise forms.ValidationError([item["msg"] for item in error.errors()]) from error


class RunActions(HistoryPage, ModelAdmin):
    """The actions of the list, which the page of a run offers too."""

    actions = ["tag", "move", "mark_stale", "delete_runs"]

    def get_actions(self, request: HttpRequest) -> Any:
        """Without Django's deletion, which knows nothing of the repository."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any) -> HttpResponse | None:
        """An action is for the runs that were ticked, never for all that a list might find."""
        posted = request.POST.copy()
        posted["select_across"] = "0"
        request.POST = posted  # type: ignore[assignment]  # Django reads it again
        answer: HttpResponse | None = super().response_action(request, queryset, *args)
        return answer

    @admin.action(description="Add or remove tags", permissions=["change"])
    def tag(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        """Tags of the selected runs."""
        return self._ask(request, "tag", TagsForm, lambda repository, ids, given: repository.tag_runs(ids, **given))

    @admin.action(description="Move to a project", permissions=["change"])
    def move(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        """The project of the selected runs."""
        return self._ask(
            request, "move", ProjectForm, lambda repository, ids, given: repository.move_runs(ids, **given)
        )

    @admin.action(description="Mark as interrupted", permissions=["change"])
    def mark_stale(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        """The selected runs that are running become errors."""
        return self._ask(request, "mark_stale", Sure, lambda repository, ids, given: repository.mark_stale(ids))

    @admin.action(description="Delete", permissions=["delete"])
    def delete_runs(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        """The selected runs."""
        return self._ask(
            request, "delete_runs", Sure, lambda repository, ids, given: len(repository.delete_runs(ids)[0])
        )

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page that asks before a run goes; the answer to it is the list's action."""
        if not self.has_delete_permission(request):
            raise PermissionDenied
        return self._page(request, "delete_runs", [unquote(object_id)], Sure())

    def _ask(self, request: HttpRequest, action: str, form_class: type[forms.Form], write: Any) -> HttpResponse:
        """Ask, or do what was asked for and say how many runs it changed."""
        run_ids = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if "confirmed" not in request.POST:
            return self._page(request, action, run_ids, form_class())
        form = form_class(request.POST)
        if not form.is_valid():
            return self._page(request, action, run_ids, form)
        try:
            with write_session():
                changed = write(OptimizationRepository(), run_ids, form.cleaned_data)
        except Refused as refused:
            form.add_error(None, str(refused))
            return self._page(request, action, run_ids, form)
        runs = "1 run" if changed == 1 else f"{changed} runs"
        done = {"delete_runs": f"Deleted {runs}.", "mark_stale": f"Marked {runs} as interrupted."}
        messages.success(request, done.get(action, f"Changed {runs}."))
        if request.POST.get("back") == "run" and len(run_ids) == 1 and action != "delete_runs":
            return HttpResponseRedirect(row_page(Optimization, run_ids[0]))
        return HttpResponseRedirect(request.get_full_path())

    def _page(self, request: HttpRequest, action: str, run_ids: Sequence[str], form: forms.Form) -> HttpResponse:
        with reading_deadline(), read_session():
            runs = OptimizationRepository().summaries(run_ids)
            versions = OptimizationRepository().count_versions(run_ids) if action == "delete_runs" else 0
            names = _project_names() if action == "move" and may_see_projects(request) else []
        list_address = reverse("admin:optimizations_optimization_changelist")
        is_list = request.path == list_address
        back = request.POST.get("back", "" if is_list else "run")
        target = request.get_full_path() if is_list else list_address
        one = row_page(Optimization, run_ids[0]) if len(run_ids) == 1 else ""
        running = sum(run["status"] == RunStatus.RUNNING for run in runs)
        context = {
            **self.admin_site.each_context(request),
            "title": getattr(self, action).short_description,
            "opts": self.opts,
            "media": self.media,
            "action": action,
            "form": form,
            "run_ids": [run["id"] for run in runs],
            "runs": runs[:MOST_NAMED],
            "others": max(0, len(runs) - MOST_NAMED),
            "count": len(runs),
            "running": running,
            "versions": versions,
            "project_names": names,
            "back": back,
            "target": target,
            "cancel": one if back == "run" and one else target,
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "is_danger": action == "delete_runs",
            "is_pointless": action == "mark_stale" and not running,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, TEMPLATE, context)


def _tags(text: str) -> list[str]:
    return [tag for tag in (part.strip() for part in text.split(",")) if tag]


def _project_names() -> list[str]:
    active = Project.objects.filter(status=ProjectStatus.ACTIVE)
    return list(active.order_by("name").values_list("name", flat=True).distinct()[:MOST_PROJECTS])
