"""The lists: which rows are shown, how much of their texts, and the numbers beside each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Substr
from django.http import HttpRequest

from projects.admin.plugin_names import names_of
from projects.models import Project, ProjectStatus, Prompt, PromptVersion
from projects.records import ProjectOverview, PromptOverview
from projects.repository import ProjectRepository
from promptadmin.backoffice.plugin_parts import fill_columns
from promptadmin.backoffice.readonly_admin import PlainChangeList
from promptadmin.db.sessions import read_session

#: As many characters of a text are read for a list.
BEGINNING = 300

#: What there is to count of a prompt that another program has left without a key.
NO_PROMPT = PromptOverview(None, 0, 0)

Overviews = Callable[[Sequence[str]], Mapping[str, Any]]


def with_beginnings(rows: QuerySet[Prompt]) -> QuerySet[Prompt]:
    """The prompts with the beginning of their text as `start`, without the whole, which may be long."""
    return rows.defer("content").annotate(start=Substr("content", 1, BEGINNING))


def with_overviews(rows: Iterable[Any], overviews: Overviews, nothing: Any) -> list[Any]:
    """The rows of a page, each with what the repository counts for it as `overview`; `nothing` where it has no key."""
    page = list(rows)
    found = overviews([row.pk for row in page])
    for row in page:
        row.overview = found.get(row.pk, nothing)
    return page


class KeyedChangeList(PlainChangeList):
    """Finds the keys of a page first: what is sorted and skipped on the way to a far page is nothing but keys."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        keys = list(self.result_list.values_list("pk", flat=True))
        with read_session():
            found = {row.pk: row for row in self.rows(keys)}
        self.result_list = [found[key] for key in keys if key in found]

    def rows(self, keys: Sequence[str]) -> Iterable[Any]:
        """The rows with these keys, with all that the list shows of them."""
        raise NotImplementedError


class ProjectChangeList(KeyedChangeList):
    """The list of projects."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        fill_columns(request, "project_columns", self.result_list)

    def rows(self, keys: Sequence[str]) -> Iterable[Any]:
        rows = Project.objects.filter(pk__in=keys)
        return with_overviews(rows, ProjectRepository().project_overviews, ProjectOverview("", 0, 0, None))


class PromptChangeList(KeyedChangeList):
    """The list of prompts."""

    def get_results(self, request: HttpRequest) -> None:
        """Each by the name that plugins give it, if one does."""
        super().get_results(request)
        names = names_of(request.user, [row.pk for row in self.result_list])
        for row in self.result_list:
            row.called = names.get(row.pk, "")
        fill_columns(request, "prompt_columns", self.result_list)

    def rows(self, keys: Sequence[str]) -> Iterable[Any]:
        """With the beginnings of their texts, and their numbers."""
        rows = with_beginnings(Prompt.objects.filter(pk__in=keys))
        return with_overviews(rows, ProjectRepository().prompt_overviews, NO_PROMPT)


class VersionChangeList(KeyedChangeList):
    """The list of earlier texts."""

    def rows(self, keys: Sequence[str]) -> Iterable[Any]:
        """With the beginnings of their texts, and of the prompts' texts as they are now."""
        rows = PromptVersion.objects.filter(pk__in=keys).defer("content")
        return rows.annotate(
            start=Substr("content", 1, BEGINNING), prompt_start=Substr("prompt__content", 1, BEGINNING)
        )


class StatusFilter(admin.SimpleListFilter):
    """Deleted projects show when asked for, as in the API."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label).capitalize()) for value, label in ProjectStatus.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Project]) -> QuerySet[Project]:
        return queryset.filter(status=self.value()) if self.value() else queryset.exclude(status=ProjectStatus.DELETED)

    def choices(self, changelist: Any) -> Any:
        """Name the first choice for what it is."""
        first, *others = super().choices(changelist)
        return [{**first, "display": "All but deleted"}, *others]


class WithoutProjectFilter(admin.SimpleListFilter):
    """The prompts that are in no project; offered where there are some."""

    title = "in a project"
    parameter_name = "in_project"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "No project")] if Prompt.objects.filter(project__isnull=True).exists() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Prompt]) -> QuerySet[Prompt]:
        return queryset.filter(project__isnull=True) if self.value() == "no" else queryset


def may_see_projects(request: HttpRequest) -> bool:
    """Whether the user may read projects' names, as those who may change projects do."""
    return any(request.user.has_perm(f"projects.{verb}_project") for verb in ("view", "change"))
