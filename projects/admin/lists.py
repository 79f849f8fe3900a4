"""The lists: which rows are shown, how much of their texts, and the numbers beside each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Substr
from django.http import HttpRequest

from projects.admin.plugin_boxes import names_of
from projects.admin.sorting import KeyedChangeList
from projects.models import Project, ProjectStatus, Prompt, PromptVersion
from projects.records import ProjectOverview, PromptOverview
from projects.repository import ProjectRepository, with_twins
from projects.search_index import PROMPTS
from promptadmin.backoffice.plugin_parts import fill_columns
from promptadmin.db.legacy_values import read_text
from promptadmin.db.sessions import read_session
from promptadmin.search.ranking import newest_matches
from promptadmin.search.snippets import Snippet, parts, snippet
from promptadmin.search.words import read_query

#: How a list of prompts is asked for one project.
PROJECT_FILTER = "project__id__exact"
#: As many characters of a text are read for a list; of one that was searched for, to show where words are.
BEGINNING, LOOKED_AT = 300, 50_000

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


class ProjectChangeList(KeyedChangeList):
    """The list of projects."""

    sorts = {
        "sort_prompts": lambda row: row.overview.prompts,
        "sort_runs": lambda row: row.overview.runs,
        "sort_activity": lambda row: row.overview.last_activity,
    }

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        fill_columns(request, "project_columns", self.result_list)

    def rows(self, keys: Sequence[str]) -> Iterable[Any]:
        """With their numbers."""
        rows = Project.objects.filter(pk__in=keys)
        return with_overviews(rows, ProjectRepository().project_overviews, ProjectOverview("", 0, 0, None))


class PromptChangeList(KeyedChangeList):
    """The list of prompts; what was searched for stands best first, unless somebody chose an order."""

    sorts = {
        "sort_text": lambda row: str(row.start).casefold(),
        "sort_project": lambda row: str(row.overview.project or "").casefold(),
        "sort_version": lambda row: row.version,
        "sort_versions": lambda row: row.overview.versions,
        "sort_runs": lambda row: row.overview.runs,
    }

    def get_results(self, request: HttpRequest) -> None:
        """Each by the name that plugins give it, if one does, and with what was found in it."""
        super().get_results(request)
        keys = [row.pk for row in self.result_list]
        names, found = names_of(request.user, keys), self._snippets(keys)
        for row in self.result_list:
            row.called = names.get(row.pk, "")
            row.snippet = found.get(row.pk)
        fill_columns(request, "prompt_columns", self.result_list)

    def keys_in_order(self, request: HttpRequest, first: int, size: int) -> list[Any] | None:
        """As always, or the best first: the newest of those that have all words as words, then all others."""
        terms = read_query(self.query) if self.query and not self.is_ordered else ()
        if not terms:
            return super().keys_in_order(request, first, size)
        with read_session():
            matches = newest_matches(
                self.queryset.order_by(), PROMPTS, terms, weights={}, facets={}, newest="updated_at"
            )
            ranked = [match.key for match in sorted(matches.found, key=lambda match: -match.score)]
            others = self.queryset.exclude(pk__in=ranked).values_list("pk", flat=True)
            start = max(0, first - len(ranked))
            page = ranked[first : first + size]
            return [*page, *others[start : start + size - len(page)]]

    def _snippets(self, keys: Sequence[str]) -> dict[str, Snippet]:
        terms = parts(*self.query.split())
        if not terms:
            return {}
        texts = Prompt.objects.filter(pk__in=keys).values_list("pk", Substr("content", 1, LOOKED_AT))
        return {key: snippet(terms, [read_text(text) or ""]) for key, text in texts}

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


class TwinsFilter(admin.SimpleListFilter):
    """The prompts of a project that have the text of another one of it; offered once a project is chosen."""

    title = "same text in the project"
    parameter_name = "twins"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        self.is_offered = PROJECT_FILTER in request.GET
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Same as another one")] if self.is_offered else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Prompt]) -> QuerySet[Prompt]:
        return with_twins(queryset) if self.is_offered and self.value() == "yes" else queryset


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
