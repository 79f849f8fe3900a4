"""The tools on runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from optimizations.api.inputs import (
    Count,
    Flag,
    Name,
    NewTag,
    PlainText,
    ProjectText,
    PromptText,
    Status,
    Strategy,
    Tag,
    Title,
)
from optimizations.contrib.mcp import shapes
from optimizations.contrib.mcp.arguments import (
    Filter,
    IncludeArchived,
    Key,
    Keys,
    Limit,
    MinScore,
    Offset,
    Order,
    RunSort,
    Score,
    Text,
    Whole,
)
from optimizations.contrib.mcp.registry import tool
from optimizations.models import RunStatus
from optimizations.repository import OptimizationRepository, RunFilters
from optimizations.scores import least_stored
from optimizations.stats import statistics
from optimizations.strategies import all_aliases, all_strategies

COMPLETED = RunFilters(status=RunStatus.COMPLETED)


@tool("get", "Read a run")
def get_run(optimization_id: Key, whole: Whole = False) -> dict[str, Any]:
    """Everything that is known of one optimisation run. Scores are from 1 to 10."""
    shown = shapes.run(OptimizationRepository().get_run(optimization_id))
    return dict(shown) if whole else shown


@tool("record", "Record a run", writes=True)
def record_run(
    *,
    raw_prompt: Annotated[PromptText, Field(description="The text before.")],
    optimized_prompt: Annotated[PlainText | None, Field(description="The text after.")] = None,
    status: Status = "completed",
    project: Annotated[ProjectText | None, Field(description="Its project by name, which is found or made.")] = None,
    prompt_id: Annotated[
        Key | None,
        Field(description="The stored prompt; without it, the one of the project with this text, or a new one."),
    ] = None,
    title: Title | None = None,
    tags: list[NewTag] | None = None,
    task_type: Name | None = None,
    complexity: Name | None = None,
    strategy: Annotated[Strategy | None, Field(description="One that strategies lists.")] = None,
    strengths: list[PlainText] | None = None,
    weaknesses: list[PlainText] | None = None,
    changes_made: list[PlainText] | None = None,
    clarity_score: Score | None = None,
    specificity_score: Score | None = None,
    structure_score: Score | None = None,
    faithfulness_score: Score | None = None,
    overall_score: Score | None = None,
    is_improvement: Flag | None = None,
    verdict: PlainText | None = None,
    model_used: PlainText | None = None,
    duration_ms: Count | None = None,
    input_tokens: Count | None = None,
    output_tokens: Count | None = None,
    error_message: PlainText | None = None,
) -> dict[str, Any]:
    """Keep a run that you or anybody made: what was tried on a prompt, what came of it, and what that is worth."""
    given = {name: value for name, value in locals().items() if value is not None}
    return shapes.run(OptimizationRepository().record_run(given))


@tool("list", "List runs")
def list_runs(
    *,
    project: Filter = None,
    project_id: Key | None = None,
    task_type: Filter = None,
    status: Annotated[
        Literal["completed", "error", "cancelled", "running", "pending", "any"],
        Field(description="error finds those that failed."),
    ] = "completed",
    min_score: MinScore = None,
    search: Annotated[
        Text | None,
        Field(description="A part of the prompt before or after, the title, a tag or the project, whatever the case."),
    ] = None,
    include_archived: IncludeArchived = True,
    limit: Limit = 20,
    offset: Offset = 0,
    sort: RunSort = "created_at",
    order: Order = "desc",
) -> dict[str, Any]:
    """Summaries of runs that pass all filters, a page at a time: completed ones, unless you say another status."""
    filters = RunFilters(
        status=None if status == "any" else status,
        project=project,
        project_id=project_id,
        task_type=task_type,
        min_score=None if min_score is None else least_stored(min_score),
        search=search,
        include_archived=include_archived,
    )
    found = OptimizationRepository().list_runs(filters=filters, sort=sort, order=order, limit=limit, offset=offset)
    return shapes.page([shapes.run_summary(item) for item in found.items], found.total or 0, offset)


@tool("get_by_project", "Read a project's runs")
def get_by_project(
    project: ProjectText, include_prompts: bool = True, limit: Limit = 50, offset: Offset = 0
) -> dict[str, Any]:
    """The completed runs of a project, by its name; whole or, without prompts, as summaries."""
    repository = OptimizationRepository()
    found = repository.list_runs(filters=replace(COMPLETED, project=project), limit=limit, offset=offset)
    if include_prompts:
        items = [shapes.run(item) for item in repository.get_runs([item["id"] for item in found.items])]
    else:
        items = [shapes.run_summary(item) for item in found.items]
    return shapes.page(items, found.total or 0, offset, project=project)


@tool("search", "Search runs")
def search_runs(
    query: Annotated[Text, Field(min_length=2)],
    include_archived: IncludeArchived = True,
    limit: Limit = 20,
    offset: Offset = 0,
) -> dict[str, Any]:
    """Summaries of runs of any status with this text in prompt, result, title, tags or project, whatever the case."""
    filters = RunFilters(search=query, include_archived=include_archived)
    found = OptimizationRepository().list_runs(filters=filters, limit=limit, offset=offset)
    return shapes.page([shapes.run_summary(item) for item in found.items], found.total or 0, offset, query=query)


@tool("stats", "Read statistics")
def read_statistics(project: Filter = None) -> dict[str, Any]:
    """What works: scores (from 1 to 10), improvements, tokens and tags by strategy and task type, of completed runs."""
    return shapes.statistics(statistics(project or None))


@tool("strategies", "List strategies")
def list_strategies() -> dict[str, Any]:
    """The strategies that runs are recorded under, what each does to a prompt, and the older names of some."""
    items = [
        {"name": name, "description": description, "reasoning": description}
        for name, description in all_strategies().items()
    ]
    return {"strategies": items, "count": len(items), "legacy_aliases": dict(all_aliases())}


@tool("tag", "Label a run", writes=True, repeatable=True)
def tag_run(
    optimization_id: Key,
    add_tags: list[NewTag] | None = None,
    remove_tags: list[Tag] | None = None,
    project: Annotated[ProjectText | None, Field(description="Its project is found or made; '' clears it.")] = None,
    title: Annotated[Title | None, Field(description="'' clears it.")] = None,
) -> dict[str, Any]:
    """Remove and then add tags of a run, and set its project and title. What isn't given stays."""
    found = OptimizationRepository().tag_run(
        optimization_id, add=add_tags or (), remove=remove_tags or (), project=project, title=title
    )
    if not project:
        del found["project_id"]
    return found


@tool("delete", "Delete a run", writes=True, destroys=True)
def delete_run(optimization_id: Key) -> dict[str, Any]:
    """Delete a run for good. Versions of prompts that it led to stay."""
    OptimizationRepository().delete_run(optimization_id)
    return {"deleted": True, "id": optimization_id}


@tool("bulk_delete", "Delete runs", writes=True, destroys=True, repeatable=True)
def delete_runs(ids: Keys) -> dict[str, Any]:
    """Delete up to a hundred runs for good. Ids that aren't there are reported."""
    deleted, missing = OptimizationRepository().delete_runs(ids)
    return {"deleted_count": len(deleted), "deleted_ids": deleted, "not_found_ids": missing}


@tool("cancel", "Cancel a run", writes=True, destroys=True)
def cancel_run(optimization_id: Key) -> dict[str, Any]:
    """End a run that is running; no other can be cancelled."""
    OptimizationRepository().cancel_run(optimization_id)
    return {"id": optimization_id, "status": RunStatus.CANCELLED.value}
