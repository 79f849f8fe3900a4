"""The lists: which rows are shown, how much of their texts, and the numbers beside each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Substr
from django.http import HttpRequest

from projects.models import Project, ProjectStatus, Prompt
from projects.repository import ProjectRepository
from promptadmin.readonly_admin import PlainChangeList
from promptadmin.sessions import read_session

#: As many characters of a text are read for a list.
BEGINNING = 300

Overviews = Callable[[Sequence[str]], Mapping[str, Any]]


def with_beginnings(rows: QuerySet[Prompt]) -> QuerySet[Prompt]:
    """The prompts with the beginning of their text as `start`, without the whole, which may be long."""
    return rows.defer("content").annotate(start=Substr("content", 1, BEGINNING))


def with_overviews(rows: Iterable[Any], overviews: Overviews) -> list[Any]:
    """The rows of a page, each with what the repository counts for it as `overview`."""
    page = list(rows)
    found = overviews([row.pk for row in page])
    for row in page:
        row.overview = found[row.pk]
    return page


class CountingChangeList(PlainChangeList):
    """Counts for the rows of one page only."""

    def get_results(self, request: HttpRequest) -> None:
        """Give each row its overview."""
        super().get_results(request)
        with read_session():
            self.result_list: list[Any] = with_overviews(self.result_list, self.overviews)

    def overviews(self, keys: Sequence[str]) -> Mapping[str, Any]:
        """Of the rows with these keys."""
        raise NotImplementedError


class ProjectChangeList(CountingChangeList):
    """The list of projects."""

    def overviews(self, keys: Sequence[str]) -> Mapping[str, Any]:
        """The projects'."""
        return ProjectRepository().project_overviews(keys)


class PromptChangeList(CountingChangeList):
    """The list of prompts."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Prompt]:
        """Without the texts themselves."""
        return with_beginnings(super().get_queryset(request, exclude_parameters))

    def overviews(self, keys: Sequence[str]) -> Mapping[str, Any]:
        """The prompts'."""
        return ProjectRepository().prompt_overviews(keys)


class StatusFilter(admin.SimpleListFilter):
    """Deleted projects show when asked for, as in the API."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every status."""
        return [(str(value), str(label).capitalize()) for value, label in ProjectStatus.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Project]) -> QuerySet[Project]:
        """Those of the status; without one, all but the deleted."""
        return queryset.filter(status=self.value()) if self.value() else queryset.exclude(status=ProjectStatus.DELETED)

    def choices(self, changelist: Any) -> Any:
        """Name the first choice for what it is."""
        first, *others = super().choices(changelist)
        return [{**first, "display": "All but deleted"}, *others]
