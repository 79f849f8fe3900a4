"""The runs of prompts: how many, and the newest completed one, for many prompts in a handful of queries.

A run is a prompt's by its link or, where it has none, by the text rule: the same text in a project of the same name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from django.db import connections
from django.db.models import F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from projects.models import Prompt
from projects.records import ForgeRecord, PromptRecord
from projects.repository.rows import as_stored
from promptadmin.db import json_text
from promptadmin.db.legacy_values import read_count, read_flag, read_moment, read_number, read_text
from promptadmin.db.raw import fetch_all

COMPLETED = "completed"
PROMPT_FIELDS = ("id", "content", "version", "project_id", "order_index", "created_at", "updated_at")
#: In a statement's row: a prompt's columns and the number of its runs.
PROMPT_WIDTH = len(PROMPT_FIELDS) + 1
UNLINKED_TEXTS = (
    "SELECT raw_prompt, COUNT(*) FROM optimizations WHERE prompt_id IS NULL AND project = %s "
    "AND raw_prompt IN (SELECT content FROM prompts WHERE {column} = %s) GROUP BY raw_prompt"
)


def unlinked_runs(runs: QuerySet[Any], project_name: str | OuterRef | None) -> QuerySet[Any]:
    """The runs without a prompt that name this project, by what `name_of_runs` says."""
    return runs.none() if project_name is None else runs.filter(prompt__isnull=True, project=project_name)


def runs_of_prompt(runs: QuerySet[Any], prompt: Prompt, project_name: str | None) -> QuerySet[Any]:
    """The runs of one prompt, by link and, with what `name_of_runs` says of its project, by the text rule."""
    if project_name is None:
        return runs.filter(prompt_id=prompt.id)
    return runs.filter(Q(prompt_id=prompt.id) | Q(prompt__isnull=True, project=project_name, raw_prompt=prompt.content))


def read_prompts(
    runs: QuerySet[Any],
    column: Literal["id", "project_id"],
    key: str,
    project_name: str | None,
    *,
    owners: Callable[[Sequence[PromptRecord], Iterable[str]], Mapping[str, str]],
) -> list[PromptRecord]:
    """The prompts of one project with this key in this column, in their order, each with its runs.

    `owners` tells for texts of unlinked runs which prompt gets them; it is asked only if there are such runs.
    """
    connection = connections[runs.db]
    prompts = [_prompt(row) for row in fetch_all(connection, _prompts_with_linked(connection.vendor, column), [key])]
    if not prompts or project_name is None:
        return prompts
    found = fetch_all(connection, UNLINKED_TEXTS.format(column=column), [project_name, key])
    if not found:
        return prompts
    counts: dict[Any, int] = {read_text(text): count for text, count in found}
    contents = Prompt.objects.using(runs.db).filter(**{column: key}).values("content")
    latest = _latest_by_text(unlinked_runs(runs, project_name).filter(raw_prompt__in=contents))
    texts = {prompt_id: text for text, prompt_id in owners(prompts, counts).items()}
    return [
        _with_unlinked(prompt, texts[prompt.id], counts, latest) if prompt.id in texts else prompt for prompt in prompts
    ]


def _with_unlinked(
    prompt: PromptRecord, text: str, counts: Mapping[str, int], latest: Mapping[str, ForgeRecord]
) -> PromptRecord:
    return prompt._replace(
        forge_count=prompt.forge_count + counts[text], latest_forge=prompt.latest_forge or latest.get(text)
    )


def newest_forges(runs: QuerySet[Any], *, limit: int, offset: int) -> list[ForgeRecord]:
    """These runs, newest first."""
    rows = runs.order_by("-created_at", "-id").values_list(*ForgeRecord._fields)
    return [_forge(row) for row in rows[offset : offset + limit]]


@functools.cache
def _prompts_with_linked(vendor: str, column: str) -> str:
    """The statement that reads prompts, each with the number of its linked runs and the newest completed one.

    That one is looked up for each, so that no run is sorted: by an expression, or SQLite might walk all completed runs
    in the order of their time until it meets the prompt's.
    """
    prompt = ", ".join(as_stored("p", name, vendor) for name in PROMPT_FIELDS)
    run = ", ".join(as_stored("o", name, vendor) for name in ForgeRecord._fields)
    return (
        f"SELECT {prompt}, (SELECT COUNT(*) FROM optimizations c WHERE c.prompt_id = p.id), {run} "
        "FROM prompts p LEFT JOIN optimizations o ON o.id = ("
        f"SELECT n.id FROM optimizations n WHERE n.prompt_id = p.id AND n.status = '{COMPLETED}' "
        "ORDER BY COALESCE(n.created_at, n.created_at) DESC, n.id DESC LIMIT 1) "
        f"WHERE p.{column} = %s ORDER BY p.order_index, p.id"
    )


def _prompt(row: Sequence[Any]) -> PromptRecord:
    """A prompt from what the statement answers, with what its columns hold read as what they should hold."""
    key, content, version, project_id, order_index, created_at, updated_at, count = row[:PROMPT_WIDTH]
    values: list[Any] = [
        read_text(key) or "",
        read_text(content) or "",
        read_count(version) or 0,
        read_text(project_id),
        read_count(order_index) or 0,
        read_moment(created_at),
        read_moment(updated_at),
        count,
        None if row[PROMPT_WIDTH] is None else _forge(row[PROMPT_WIDTH:]),
    ]
    return PromptRecord(*values)


def _latest_by_text(runs: QuerySet[Any]) -> dict[str, ForgeRecord]:
    """The newest completed run of each text."""
    newest = Window(RowNumber(), partition_by=F("raw_prompt"), order_by=[F("created_at").desc(), F("id").desc()])
    rows = runs.filter(status=COMPLETED).annotate(place=newest).filter(place=1)
    return {text: _forge(row) for text, *row in rows.values_list("raw_prompt", *ForgeRecord._fields)}


def _forge(row: Sequence[Any]) -> ForgeRecord:
    """A run from its columns, with what they hold read as what they should hold."""
    key, created_at, score, framework, improved, status, title, task_type, complexity, tags, version = row
    values: list[Any] = [
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
    ]
    return ForgeRecord(*values)
