"""What may be done with runs: each action has a page that asks and says what will happen, and then the repository."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from pydantic import ValidationError
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from optimizations.api.inputs import RunTagsIn
from optimizations.models import Optimization, RunStatus
from optimizations.repository import OptimizationRepository
from projects.admin.lists import may_see_projects
from projects.models import Project, ProjectStatus
from promptadmin.backoffice.kept_filters import keep_filters
from promptadmin.backoffice.row_history import HistoryPage
from promptadmin.backoffice.selection import AGAIN, Selection, carry_out, select
from promptadmin.conf.counted import counted
from promptadmin.db.deadlines import reading_deadline
from promptadmin.db.sessions import read_session
from promptadmin.errors import DomainError, PreconditionFailed
from promptadmin.http.keys import row_page

TEMPLATE = "admin/optimizations/optimization/action.html"
#: Names that a page lists before it counts the rest.
MOST_NAMED = 20
MOST_PROJECTS = 500
#: Runs whose tags are read to be chosen from, and tags that a page offers.
MOST_READ, MOST_TAGS = 1000, 200


class Sure(forms.Form):
    """Nothing to say but yes."""


class Tags(forms.MultipleChoiceField):
    """Some of the tags that runs have, whatever is in them; one of a run beyond those read is taken, too."""

    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def valid_value(self, value: str) -> bool:
        """A tag that no run has is none to remove, and no mistake."""
        return True


class TagsForm(forms.Form):
    """Tags to add and to remove; `tags` are those of the runs."""

    add = forms.CharField(
        label="Tags to add",
        required=False,
        help_text='Separated by commas, up to 50 characters each; one that has a comma in quotation marks: "one, two".',
        widget=UnfoldAdminTextInputWidget,
    )
    remove = Tags(label="Tags to remove", required=False, help_text="They are removed first.")
    remove_others = forms.CharField(
        label="Other tags to remove",
        required=False,
        help_text="Separated by commas: not all of the runs' tags stand above.",
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, data: Any = None, *, tags: Sequence[str] = (), are_all: bool = True) -> None:
        super().__init__(data)
        self.fields["remove"].choices = [(tag, tag if tag.strip() else f"“{tag}” (blank)") for tag in tags]  # type: ignore[attr-defined]
        if not tags:
            self.fields["remove"].widget = forms.MultipleHiddenInput()
        if are_all:
            self.fields["remove_others"].widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        """The tags, by the rules of the API."""
        remove = [*self.cleaned_data.get("remove", ()), *_tags(self.cleaned_data.get("remove_others", ""))]
        given = {"add": _tags(self.cleaned_data.get("add", "")), "remove": remove}
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

    actions = ["compare", "tag", "move", "mark_stale", "delete_runs"]

    def get_actions(self, request: HttpRequest) -> Any:
        """Without Django's deletion, which knows nothing of the repository."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.action(description="Add or remove tags", permissions=["change"])
    def tag(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self._ask(
            request, "tag", queryset, TagsForm, lambda repository, ids, given: repository.tag_runs(ids, **given)
        )

    @admin.action(description="Move to a project", permissions=["change"])
    def move(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self._ask(
            request, "move", queryset, ProjectForm, lambda repository, ids, given: repository.move_runs(ids, **given)
        )

    @admin.action(description="Mark as interrupted", permissions=["change"])
    def mark_stale(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        """The selected runs that are running become errors."""
        return self._ask(
            request, "mark_stale", queryset, Sure, lambda repository, ids, given: repository.mark_stale(ids)
        )

    @admin.action(description="Delete", permissions=["delete"])
    def delete_runs(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self._ask(
            request, "delete_runs", queryset, Sure, lambda repository, ids, given: len(repository.delete_runs(ids)[0])
        )

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page that asks before a run goes; the answer to it is the list's action."""
        if not self.has_delete_permission(request):
            raise PermissionDenied
        key = unquote(object_id)
        return self._page(
            request, "delete_runs", Selection(OptimizationRepository().runs.filter(pk=key), [key]), Sure()
        )

    def _ask(  # called from here alone
        self, request: HttpRequest, action: str, queryset: Any, form_class: type[forms.Form], write: Any
    ) -> HttpResponse:
        """Ask, or do what was asked for and say how many runs it changed."""
        selection = select(request, self, queryset)
        if "confirmed" not in request.POST:
            return self._page(request, action, selection, self._form(form_class, None, selection))
        form, expected = self._form(form_class, request.POST, selection), request.POST["confirmed"]
        if not form.is_valid():
            return self._page(request, action, selection, form)
        try:
            outcome = carry_out(
                selection,
                lambda ids: write(OptimizationRepository(), ids, form.cleaned_data),
                lambda: AGAIN in request.POST or selection.state()[1] == expected,
            )
        except DomainError as refused:
            form.add_error(None, str(refused))
            return self._page(request, action, selection, form, again=isinstance(refused, PreconditionFailed))
        runs = counted(outcome.changed, "run")
        done = {"delete_runs": f"Deleted {runs}.", "mark_stale": f"Marked {runs} as interrupted."}
        messages.success(request, done.get(action, f"Changed {runs}."))
        if outcome.rest is not None:
            if outcome.problem:
                form.add_error(None, f"The runs that follow are as they were. {outcome.problem}")
            return self._page(request, action, outcome.rest, form)
        if request.POST.get("back") == "run" and len(selection.ticked) == 1 and action != "delete_runs":
            return HttpResponseRedirect(keep_filters(request, row_page(Optimization, selection.ticked[0])))
        return HttpResponseRedirect(request.get_full_path())

    @staticmethod
    def _form(form_class: type[forms.Form], data: Any, selection: Selection) -> forms.Form:
        if form_class is not TagsForm:
            return form_class(data)
        with reading_deadline(), read_session():
            keys = selection.keys(MOST_READ + 1)
            runs = OptimizationRepository().summaries(keys[:MOST_READ])
        tags = sorted({tag for run in runs for tag in run["tags"] or ()})
        return TagsForm(data, tags=tags[:MOST_TAGS], are_all=len(keys) <= MOST_READ and len(tags) <= MOST_TAGS)

    def _page(  # called from here alone
        self, request: HttpRequest, action: str, selection: Selection, form: forms.Form, *, again: bool = False
    ) -> HttpResponse:
        with reading_deadline(), read_session():
            count, state = selection.state()
            keys = selection.keys(MOST_NAMED) if selection.is_across else selection.ticked
            runs = OptimizationRepository().summaries(keys[:MOST_NAMED])
            running = selection.only(status=RunStatus.RUNNING).rows.count()
            ids = selection.rows.values("id")
            versions = OptimizationRepository().count_versions(ids) if action == "delete_runs" else 0
            names = _project_names() if action == "move" and may_see_projects(request) else []
        list_address = reverse("admin:optimizations_optimization_changelist")
        is_list = request.path == list_address
        back = request.POST.get("back", "" if is_list else "run")
        target = request.get_full_path() if is_list else keep_filters(request, list_address)
        is_one = len(selection.ticked) == 1 and not selection.is_across
        one = row_page(Optimization, selection.ticked[0]) if is_one else ""
        context = {
            **self.admin_site.each_context(request),
            "title": getattr(self, action).short_description,
            "opts": self.opts,
            "media": self.media,
            "action": action,
            "form": form,
            "hidden": [*selection.hidden, *([(AGAIN, "yes")] if again else [])],
            "state": state,
            "runs": runs,
            "others": max(0, count - len(runs)),
            "count": count,
            "running": running,
            "versions": versions,
            "project_names": names,
            "back": back,
            "target": target,
            "cancel": keep_filters(request, one) if back == "run" and one else target,
            "is_danger": action == "delete_runs",
            "is_pointless": action == "mark_stale" and not running,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, TEMPLATE, context)


def _tags(text: str) -> list[str]:
    """The tags of a line, as in CSV. Raises forms.ValidationError where quotation marks don't fit together."""
    try:
        parts = [part for line in csv.reader([text], skipinitialspace=True, strict=True) for part in line]
    except csv.Error as error:
        raise forms.ValidationError(
            "The quotation marks don't fit together. A tag with a comma stands in two of them, as in "
            '"one, two", three; one of its own is doubled.'
        ) from error
    return [tag for tag in (part.strip() for part in parts) if tag]


def _project_names() -> list[str]:
    active = Project.objects.filter(status=ProjectStatus.ACTIVE)
    return list(active.order_by("name").values_list("name", flat=True).distinct()[:MOST_PROJECTS])
