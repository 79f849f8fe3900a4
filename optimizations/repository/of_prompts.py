"""What projects ask of runs: the answers to `projects.runs`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from django.db import connections
from django.db.models import F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from optimizations.models import Optimization, RunStatus
from projects import runs
from projects.models import Prompt
from projects.records import Page, RunRecord
from projects.runs import Column, RunsFound
from promptadmin.db import json_text
from promptadmin.db.chunks import in_chunks
from promptadmin.db.legacy_values import read_flag, read_moment, read_number, read_text
from promptadmin.db.raw import fetch_all
from promptadmin.db.subqueries import BoundedCount, Newest
from promptadmin.deletions.kinds import Part

KEYS_A_QUERY = 500
#: Of prompts the number of linked runs and the newest completed one. That one is looked up for each, so that no run is
#: sorted: by an expression, or SQLite might walk all completed runs in the order of time until it meets the prompt's.
LINKED = (
    f"SELECT p.id, (SELECT COUNT(*) FROM optimizations c WHERE c.prompt_id = p.id), o.{', o.'.join(RunRecord._fields)} "
    "FROM prompts p LEFT JOIN optimizations o ON o.id = ("
    f"SELECT n.id FROM optimizations n WHERE n.prompt_id = p.id AND n.status = '{RunStatus.COMPLETED}' "
    "ORDER BY COALESCE(n.created_at, n.created_at) DESC, n.id DESC LIMIT 1) WHERE p.{column} = %s"
)
UNLINKED_TEXTS = (
    "SELECT raw_prompt, COUNT(*) FROM optimizations WHERE prompt_id IS NULL AND project = %s "
    "AND raw_prompt IN (SELECT content FROM prompts WHERE {column} = %s) GROUP BY raw_prompt"
)


class Runs(runs.Runs):
    """Answers from the table of runs."""

    def existing(self, run_ids: Iterable[str]) -> set[str]:
        """A query for each 500."""
        rows = self._rows()
        found = (rows.filter(id__in=some).values_list("id", flat=True) for some in in_chunks(run_ids, KEYS_A_QUERY))
        return set(chain.from_iterable(found))

    def linked(self, column: Column, key: str) -> dict[str, RunsFound]:
        """One statement for all prompts."""
        found = fetch_all(connections[self.using], LINKED.format(column=column), [key])
        return {prompt: RunsFound(count, _run(run) if run[0] is not None else None) for prompt, count, *run in found}

    def unlinked(self, column: Column, key: str, name: str | None) -> dict[str, RunsFound]:
        """The runs themselves are only looked for where there are any."""
        if name is None:
            return {}
        counts = fetch_all(connections[self.using], UNLINKED_TEXTS.format(column=column), [name, key])
        if not counts:
            return {}
        contents = Prompt.objects.using(self.using).filter(**{column: key}).values("content")
        latest = _latest_by_text(self._rows().filter(prompt__isnull=True, project=name, raw_prompt__in=contents))
        return {(text := read_text(stored) or ""): RunsFound(count, latest.get(text)) for stored, count in counts}

    def page(self, prompt_id: str, content: str, name: str | None, *, limit: int, offset: int) -> Page[RunRecord]:
        """Of those of one moment, the one with the greatest id comes first."""
        own = Q(prompt_id=prompt_id)
        if name is not None:
            own |= Q(prompt__isnull=True, project=name, raw_prompt=content)
        rows = self._rows().filter(own)
        page = rows.order_by("-created_at", "-id").values_list(*RunRecord._fields)[offset : offset + limit]
        return Page([_run(row) for row in page], rows.count())

    def by_id(self, run_ids: Iterable[str]) -> dict[str, RunRecord]:
        """A query for each 500."""
        rows = self._rows().values_list(*RunRecord._fields)
        found = (_run(row) for some in in_chunks(run_ids, KEYS_A_QUERY) for row in rows.filter(id__in=some))
        return {run.id: run for run in found}

    def texts(self, run_ids: Iterable[str]) -> dict[str, str]:
        """A query for each 500."""
        rows = self._rows().values_list("id", "raw_prompt")
        found = (row for some in in_chunks(run_ids, KEYS_A_QUERY) for row in rows.filter(id__in=some))
        return {key: read_text(text) or "" for key, text in found}

    def count_of_prompt(self, most: int) -> BoundedCount:
        """Through the index of links."""
        return BoundedCount(Optimization.objects.filter(prompt_id=OuterRef("id")).order_by().values("prompt_id")[:most])

    def columns_of_project(self, most: int) -> tuple[Any, Any, Any]:
        """Each through an index of its own."""
        linked = Optimization.objects.filter(prompt__project_id=OuterRef("id")).order_by().values("prompt_id")
        named = Optimization.objects.filter(project=OuterRef("name"))
        unlinked = named.filter(prompt__isnull=True).order_by().values("project")
        return BoundedCount(linked[:most]), BoundedCount(unlinked[:most]), Newest(named, "created_at")

    def parts_of_prompt(self, prompt_id: str, name: str | None) -> list[Part]:
        """Linked or not."""
        text = "raw_prompt = (SELECT content FROM prompts WHERE id = %s)"
        return [
            Part(Optimization, "prompt_id = %s", [prompt_id], "runs"),
            Part(Optimization, f"prompt_id IS NULL AND project = %s AND {text}", [name, prompt_id], "runs"),
        ]

    def parts_of_project(self, project_id: str, name: str | None) -> list[Part]:
        """Those of its prompts, and those that name it and are linked to none."""
        own = "(SELECT id FROM prompts WHERE project_id = %s)"
        return [
            Part(Optimization, f"prompt_id IN {own}", [project_id], "runs"),
            Part(Optimization, "prompt_id IS NULL AND project = %s", [name], "runs"),
        ]

    def _rows(self) -> QuerySet[Optimization]:
        return Optimization.objects.using(self.using)


def _latest_by_text(rows: QuerySet[Optimization]) -> dict[str, RunRecord]:
    """The newest completed run of each text."""
    newest = Window(RowNumber(), partition_by=F("raw_prompt"), order_by=[F("created_at").desc(), F("id").desc()])
    rows = rows.filter(status=RunStatus.COMPLETED).annotate(place=newest).filter(place=1)
    return {text: _run(row) for text, *row in rows.values_list("raw_prompt", *RunRecord._fields)}


def _run(row: Sequence[Any]) -> RunRecord:
    """A run from its columns, with what they hold read as what they should hold."""
    key, created_at, score, framework, improved, status, title, task_type, complexity, tags, version, model = row
    return RunRecord(
        read_text(key) or "",
        read_moment(created_at),
        read_number(score),
        read_text(framework),
        read_flag(improved),
        read_text(status) or "",
        read_text(title),
        read_text(task_type),
        read_text(complexity),
        [] if tags is None else json_text.read_list(tags, f"optimizations {key} tags") or [],
        read_text(version),
        read_text(model),
    )
