"""The runs of prompts: how many, and the newest completed one, for many prompts in a handful of queries.

A run is a prompt's by its link or, where it has none, by the text rule: the same text in a project of the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from projects.models import Prompt
from projects.records import ForgeRecord
from projects.repository.rows import moment
from promptadmin import jsontext

COMPLETED = "completed"


@dataclass(slots=True)
class Forges:
    """Of some prompts, by id: the number of runs, and the newest completed one."""

    counts: dict[str, int] = field(default_factory=dict)
    latest: dict[str, ForgeRecord] = field(default_factory=dict)


def unlinked_runs(runs: QuerySet[Any], project_name: str | OuterRef) -> QuerySet[Any]:
    """The runs without a prompt that name this project."""
    return runs.filter(prompt__isnull=True, project=project_name)


def runs_of_prompt(runs: QuerySet[Any], prompt: Prompt, project_name: str) -> QuerySet[Any]:
    """The runs of one prompt, by link and by the text rule."""
    return runs.filter(Q(prompt_id=prompt.id) | Q(prompt__isnull=True, project=project_name, raw_prompt=prompt.content))


def find_forges(
    runs: QuerySet[Any],
    prompts: QuerySet[Prompt],
    project_name: str,
    *,
    owners: Callable[[Iterable[str]], Mapping[str, str]],
) -> Forges:
    """The runs of these prompts of one project.

    `owners` tells for texts of unlinked runs which prompt gets them; it is asked only if there are such runs.
    """
    linked = runs.filter(prompt_id__in=prompts.values("id"))
    found = Forges(
        counts=dict(linked.order_by().values_list("prompt_id").annotate(Count("id"))),
        latest=_latest(linked, "prompt_id"),
    )
    unlinked = unlinked_runs(runs, project_name).filter(raw_prompt__in=prompts.values("content"))
    counts_by_text = dict(unlinked.order_by().values_list("raw_prompt").annotate(Count("id")))
    if counts_by_text:
        latest_by_text = _latest(unlinked, "raw_prompt")
        for text, prompt_id in owners(counts_by_text).items():
            found.counts[prompt_id] = found.counts.get(prompt_id, 0) + counts_by_text[text]
            if text in latest_by_text:
                found.latest.setdefault(prompt_id, latest_by_text[text])
    return found


def newest_forges(runs: QuerySet[Any], *, limit: int, offset: int) -> list[ForgeRecord]:
    """These runs, newest first."""
    rows = runs.order_by("-created_at", "-id").values_list(*ForgeRecord._fields)
    return [_readable(ForgeRecord(*row)) for row in rows[offset : offset + limit]]


def _latest(runs: QuerySet[Any], key: str) -> dict[str, ForgeRecord]:
    """The newest completed run for each value of a column."""
    newest = Window(RowNumber(), partition_by=F(key), order_by=[F("created_at").desc(), F("id").desc()])
    rows = runs.filter(status=COMPLETED).annotate(place=newest).filter(place=1)
    return {value: _readable(ForgeRecord(*row)) for value, *row in rows.values_list(key, *ForgeRecord._fields)}


def _readable(stored: ForgeRecord) -> ForgeRecord:
    """The run with what its columns hold read as what they should hold.

    SQLite keeps what a program put there, whatever a column's type says: what can't be a score is unknown.
    """
    score, improved = stored.overall_score, stored.is_improvement
    return stored._replace(
        created_at=moment(stored.created_at),
        overall_score=score if isinstance(score, int | float) else None,
        is_improvement=improved if isinstance(improved, bool) else None,
        tags=jsontext.read_list(stored.tags, f"optimizations {stored.id} tags") or [],
    )
