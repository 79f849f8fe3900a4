"""What the API answers of runs."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, Field

from projects.api.inputs import PROJECT_ID, PROMPT_ID, RUN_ID, TIME


class RunSummaryOut(BaseModel):
    """A run in a list."""

    id: str = Field(examples=[RUN_ID])
    created_at: dt.datetime | None = Field(examples=[TIME])
    raw_prompt: str = Field(examples=["Summarise this text in three sentences."])
    title: str | None = Field(examples=["Shorter summaries"])
    version: str | None = Field(examples=["v2"])
    task_type: str | None = Field(examples=["writing"])
    complexity: str | None = Field(examples=["simple"])
    project: str | None = Field(examples=["Support"], description="The project's name when the run was made.")
    tags: list[str] | None = Field(examples=[["short"]])
    overall_score: float | None = Field(examples=[0.7179], description="From 0 to 1.")
    strategy: str | None = Field(examples=["chain-of-thought"])
    secondary_frameworks: list[str] | None = Field(examples=[["persona-assignment"]])
    framework_applied: str | None = Field(examples=["chain-of-thought"])
    model_used: str | None = Field(examples=["model-a"])
    status: str = Field(examples=["completed"], description="pending, running, completed, error or cancelled.")
    error_message: str | None = Field(examples=["The model did not answer"])
    prompt_id: str | None = Field(examples=[PROMPT_ID])
    project_id: str | None = Field(
        examples=[PROJECT_ID], description="The project of the run's prompt; without a prompt, the one of its name."
    )
    project_status: str | None = Field(examples=["active"])


class RunOut(BaseModel):
    """A run. Scores are from 0 to 1, durations in milliseconds; null is what nobody knows."""

    id: str = Field(examples=[RUN_ID])
    created_at: dt.datetime | None = Field(examples=[TIME])
    raw_prompt: str = Field(examples=["Summarise this text in three sentences."])
    optimized_prompt: str | None = Field(examples=["Summarise the text below in exactly 3 sentences."])
    task_type: str | None = Field(examples=["writing"])
    complexity: str | None = Field(examples=["simple"])
    weaknesses: list[str] | None = Field(examples=[["vague audience"]])
    strengths: list[str] | None = Field(examples=[["clear role"]])
    changes_made: list[str] | None = Field(examples=[["stated the role"]])
    framework_applied: str | None = Field(examples=["chain-of-thought"])
    optimization_notes: str | None = Field(examples=["Shortened twice."])
    strategy: str | None = Field(examples=["chain-of-thought"])
    strategy_reasoning: str | None = Field(examples=["Chosen for the task type."])
    strategy_confidence: float | None = Field(examples=[0.9])
    secondary_frameworks: list[str] | None = Field(examples=[["persona-assignment"]])
    clarity_score: float | None = Field(examples=[0.8])
    specificity_score: float | None = Field(examples=[0.7])
    structure_score: float | None = Field(examples=[0.6])
    faithfulness_score: float | None = Field(examples=[0.9])
    overall_score: float | None = Field(examples=[0.7179])
    is_improvement: bool | None = Field(examples=[True])
    verdict: str | None = Field(examples=["Clearer than the original."])
    duration_ms: int | None = Field(examples=[23201])
    model_used: str | None = Field(examples=["model-a"])
    input_tokens: int | None = Field(examples=[2014])
    output_tokens: int | None = Field(examples=[2025])
    cache_creation_input_tokens: int | None = Field(examples=[485])
    cache_read_input_tokens: int | None = Field(examples=[1297])
    status: str = Field(examples=["completed"], description="pending, running, completed, error or cancelled.")
    error_message: str | None = Field(examples=["The model did not answer"])
    project: str | None = Field(examples=["Support"], description="The project's name when the run was made.")
    tags: list[str] | None = Field(examples=[["short"]])
    title: str | None = Field(examples=["Shorter summaries"])
    version: str | None = Field(examples=["v2"])
    prompt_id: str | None = Field(examples=[PROMPT_ID])
    project_id: str | None = Field(
        examples=[PROJECT_ID], description="The project of the run's prompt; without a prompt, the one of its name."
    )
    project_status: str | None = Field(examples=["active"])
    codebase_context_snapshot: dict[str, Any] | None = Field(examples=[{"language": "Python"}])


class RunListOut(BaseModel):
    """A page of runs. A page by number says `total` and `page`; one by cursor counts nothing, both are null."""

    items: list[RunSummaryOut]
    total: int | None = Field(examples=[1])
    page: int | None = Field(examples=[1])
    per_page: int = Field(examples=[20])
    next_cursor: str | None = Field(
        examples=["WyJjcmVhdGVkX2F0Il0"], description="Names the page after this one; null on the last."
    )


class RunDeletedOut(BaseModel):
    """What was deleted."""

    message: str = Field(examples=["Optimization deleted"])
    id: str = Field(examples=[RUN_ID])


class HistoryClearedOut(BaseModel):
    """How many runs were deleted."""

    message: str = Field(examples=["Deleted 12 records"])
    deleted_count: int = Field(examples=[12])


class RunsDeletedOut(BaseModel):
    """Which runs were deleted, each once, in the order of the request."""

    deleted_count: int = Field(examples=[1])
    deleted_ids: list[str] = Field(examples=[[RUN_ID]])
    not_found_ids: list[str] = Field(examples=[[]])


class RunCancelledOut(BaseModel):
    """A run's new status."""

    id: str = Field(examples=[RUN_ID])
    status: Literal["cancelled"]


class DuplicateOut(BaseModel):
    """Whether a run has the title."""

    duplicate: bool = Field(examples=[False])


class RunTagsOut(BaseModel):
    """A run's labels, and whether this request changed any."""

    id: str = Field(examples=[RUN_ID])
    tags: list[str] = Field(examples=[["short"]])
    project: str | None = Field(examples=["Support"])
    project_id: str | None = Field(examples=[PROJECT_ID])
    title: str | None = Field(examples=["Shorter summaries"])
    updated: bool = Field(examples=[True])


class ImportedOut(BaseModel):
    """What became of the lines."""

    lines: int = Field(examples=[2])
    imported: int = Field(examples=[1])
    unchanged: int = Field(examples=[1], description="Lines whose run was there already, with the same content.")


class LineErrorOut(BaseModel):
    """Why a line can't be imported."""

    type: str = Field(examples=["conflict"], description="`conflict`: there is a run with this id and other content.")
    loc: list[str | int] = Field(examples=[["body", 2, "id"]], description="body, the line from 1, the field.")
    msg: str = Field(examples=["A run with this id and other content exists"])
    line: int = Field(examples=[2])
    id: str | None = Field(examples=[RUN_ID], description="The run's id, where the line says one.")


class ImportRefusedOut(BaseModel):
    """Why nothing was imported: the first hundred of the errors."""

    detail: list[LineErrorOut]
    error_count: int = Field(examples=[1])


class StrategyOut(BaseModel):
    """A strategy."""

    name: str = Field(examples=["persona-assignment"])
    description: str = Field(examples=["Gives the model an expert's identity and point of view."])
    aliases: list[str] = Field(examples=[["role-based"]], description="Names that older releases wrote.")


class StrategiesOut(BaseModel):
    """All strategies."""

    items: list[StrategyOut]
    total: int = Field(examples=[10])
