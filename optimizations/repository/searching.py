"""Ranked search over prompts, their earlier texts, and runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from django.db import connections
from django.db.models import QuerySet

from optimizations.lists.filters import RunFilters
from optimizations.repository.reading import Reading
from optimizations.search_index import RUNS
from projects.models import Project, ProjectStatus, Prompt, PromptVersion
from projects.search_index import PROMPTS, VERSIONS
from promptadmin.search.progress import Progress, has_index, index_progress
from promptadmin.search.ranking import newest_matches
from promptadmin.search.snippets import Snippet, snippet
from promptadmin.search.tables import SearchedTable
from promptadmin.search.words import read_query

Kind = Literal["prompt", "version", "run"]
KINDS: tuple[Kind, ...] = ("prompt", "version", "run")
TABLES: Mapping[Kind, SearchedTable] = {"prompt": PROMPTS, "version": VERSIONS, "run": RUNS}
#: How much a word counts in a column; 1 in any other.
WEIGHTS = {"title": 3.0, "tags": 2.0, "project": 0.5}
#: Where words are shown, in this order where as many are found. The others have words, but no sentences.
SHOWN = ("optimized_prompt", "raw_prompt", "content")


@dataclass(frozen=True, slots=True)
class Found:
    """A prompt, an earlier text of one, or a run that answers a query.

    `score` only compares answers to the same query. `version` is the number of a prompt's text.
    """

    kind: Kind
    id: str
    title: str | None
    snippet: Snippet
    score: float
    created_at: dt.datetime | None
    project_id: str | None
    project: str | None
    prompt_id: str | None
    version: int | None
    status: str | None


class SearchPage(NamedTuple):
    """A page of answers, best first.

    Of each kind the newest MOST_RANKED rows that match are ranked; `total` is None where there are more.
    """

    items: list[Found]
    total: int | None
    has_more: bool
    indexed: Progress


class Searching(Reading):
    """Search by words."""

    def search(
        self,
        query: str,
        *,
        kinds: Collection[str] = KINDS,
        filters: RunFilters | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> SearchPage:
        """What has all that the query asks for: words, "words in quotes" in their order, beginnings of words (begin*).

        `filters` are those of runs. Of them, prompts and earlier texts know `project`, the name of theirs; with a task
        type, a status or a strategy, only runs are found. Prompts of deleted projects aren't found.
        """
        terms, filters = read_query(query), filters or RunFilters()
        only_runs = any(getattr(filters, name) for name in RUNS.facets if name != "project")
        of_kind = {
            kind: newest_matches(
                self._rows(kind, filters),
                TABLES[kind],
                terms,
                weights=WEIGHTS,
                facets=self._facets(kind, filters),
                newest="updated_at" if kind == "prompt" else "created_at",
            )
            for kind in KINDS
            if kind in kinds and (kind == "run" or not only_runs)
        }
        ranked = sorted(
            ((match, kind) for kind, matches in of_kind.items() for match in matches.found),
            key=lambda pair: -pair[0].score,
        )
        page = ranked[offset : offset + limit]
        described = {kind: self._described(kind, [match.key for match, its in page if its == kind]) for kind in of_kind}
        items = [
            Found(
                kind=kind,
                id=match.key,
                snippet=snippet(terms, [match.texts[name] for name in SHOWN if name in match.texts]),
                score=round(match.score, 4),
                **described[kind][match.key],
            )
            for match, kind in page
            if match.key in described[kind]
        ]
        is_all = all(matches.is_all for matches in of_kind.values())
        return SearchPage(
            items, len(ranked) if is_all else None, offset + limit < len(ranked), self.search_progress(list(of_kind))
        )

    def search_progress(self, kinds: Collection[Kind] = KINDS) -> Progress:
        """How much of these kinds is indexed; searches read the rest row by row."""
        return index_progress(connections[self.using], [TABLES[kind] for kind in kinds])

    def ranks_quickly(self, filters: RunFilters) -> bool:
        """Whether the index knows all that is asked for beside the text, so that ranking runs looks at few."""
        others = filters.given().keys() - {"search"}
        return others <= set(RUNS.facets) and has_index(connections[self.using], RUNS)

    def _rows(self, kind: Kind, filters: RunFilters) -> QuerySet[Any]:
        if kind == "run":
            return filters.apply(self.runs)
        model, project = (Prompt, "project") if kind == "prompt" else (PromptVersion, "prompt__project")
        rows = model.objects.using(self.using).exclude(**{f"{project}__status": ProjectStatus.DELETED})
        return rows.filter(**{f"{project}__name": filters.project}) if filters.project else rows

    def _facets(self, kind: Kind, filters: RunFilters) -> dict[str, str]:
        """What the index knows of the filters."""
        if kind == "run":
            return {name: value for name in RUNS.facets if (value := getattr(filters, name))}
        if kind == "prompt" and filters.project:
            named = Project.objects.using(self.using).filter(name=filters.project).values_list("id", flat=True)[:2]
            if len(named) == 1:
                return {"project_id": named[0]}
        return {}

    def _described(self, kind: Kind, keys: list[str]) -> dict[str, dict[str, Any]]:
        if not keys:
            return {}
        if kind == "run":
            records = self._records(DESCRIBED, keys).items()
            return {key: {name: record[name] for name in OF_RUNS} | {"version": None} for key, record in records}
        model, project = (Prompt, "project") if kind == "prompt" else (PromptVersion, "prompt__project")
        prompt = "id" if kind == "prompt" else "prompt_id"
        rows = model.objects.using(self.using).filter(id__in=keys)
        names = ("id", "created_at", f"{project}__id", f"{project}__name", f"{project}__status", prompt, "version")
        return {
            row[0]: {
                "title": None,
                "created_at": row[1] if isinstance(row[1], dt.datetime) else None,
                "project_id": row[2],
                "project": row[3] or None,
                "prompt_id": row[5],
                "version": row[6],
                "status": row[4],
            }
            for row in rows.values_list(*names)
        }


DESCRIBED = ("id", "created_at", "title", "project", "status", "prompt_id")
OF_RUNS = (*DESCRIBED[1:], "project_id")
