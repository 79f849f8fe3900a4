"""What the API answers about projects, prompts and versions."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from projects.api.inputs import (
    CONTEXT,
    PROJECT_ID,
    PROMPT_ID,
    RUN_ID,
    TIME,
    VERSION_ID,
)

Time = Annotated[dt.datetime | None, Field(examples=[TIME])]
Score = Annotated[float | None, Field(examples=[0.7179], description="From 0 to 1.")]


#: Absent where no plugin adds anything.
EXTENSIONS: Any = Field(
    None,
    exclude_if=lambda found: found is None,
    examples=[{"notes": {"newest": "For support."}}],
    description="What plugins say of it, by their labels. The ETag doesn't stand for it.",
)


class Answer(BaseModel):
    """The base of what the API gives: read from the repository's records."""

    model_config = ConfigDict(from_attributes=True)


class ProjectSummaryOut(Answer):
    """A project in a list."""

    id: str = Field(examples=[PROJECT_ID])
    name: str = Field(examples=["Field notes"])
    description: str | None = Field(examples=["Notes from the field, since 2022"])
    status: str = Field(examples=["active"], description="active, archived or deleted")
    prompt_count: int = Field(examples=[12])
    has_context: bool = Field(examples=[True])
    created_at: Time
    updated_at: Time
    parent_id: str | None = Field(
        None,
        examples=[None],
        description="The project that it stands in, as in a folder of PromptForge's last release.",
    )
    path: str = Field(
        "",
        examples=["Field notes"],
        description="The names of the projects that it stands in, and its own: `parent / child`.",
    )


class ProjectListOut(Answer):
    """A page of projects; `total` counts all pages."""

    items: list[ProjectSummaryOut]
    total: int = Field(examples=[1])
    page: int = Field(examples=[1])
    per_page: int = Field(examples=[20])


class LatestForgeOut(Answer):
    """The newest completed run of a prompt."""

    id: str = Field(examples=[RUN_ID])
    title: str | None = Field(examples=["Shorter summaries"])
    task_type: str | None = Field(examples=["reasoning"])
    complexity: str | None = Field(examples=["simple"])
    framework_applied: str | None = Field(examples=["chain-of-thought"])
    overall_score: Score
    is_improvement: bool | None = Field(examples=[True])
    tags: list[str] = Field(examples=[["code"]])
    version: str | None = Field(examples=["v2"])


class ForgeOut(Answer):
    """A run of a prompt."""

    id: str = Field(examples=[RUN_ID])
    created_at: Time
    overall_score: Score
    framework_applied: str | None = Field(examples=["chain-of-thought"])
    is_improvement: bool | None = Field(examples=[True])
    status: str = Field(examples=["completed"])
    title: str | None = Field(examples=["Shorter summaries"])
    task_type: str | None = Field(examples=["reasoning"])
    complexity: str | None = Field(examples=["simple"])
    tags: list[str] = Field(examples=[["code"]])
    version: str | None = Field(examples=["v2"])


class ForgeListOut(Answer):
    """Some of a prompt's runs, newest first; `total` counts all."""

    items: list[ForgeOut]
    total: int = Field(examples=[1])


class PromptOut(Answer):
    """A prompt's current text. The answers to a write don't count runs: `forge_count` is 0 there."""

    id: str = Field(examples=[PROMPT_ID])
    content: str = Field(examples=["Summarise this text in three sentences."])
    version: int = Field(examples=[3])
    project_id: str | None = Field(
        examples=[PROJECT_ID],
        description="null for a prompt that is in no project; in addresses, `none` stands for it.",
    )
    order_index: int = Field(examples=[0])
    created_at: Time
    updated_at: Time
    forge_count: int = Field(validation_alias="run_count", examples=[4])
    latest_forge: LatestForgeOut | None = Field(validation_alias="latest_run")
    extensions: dict[str, dict[str, Any]] | None = EXTENSIONS


class PromptListOut(Answer):
    """Some prompts; `total` counts all. They come without their runs: `forge_count` is 0."""

    items: list[PromptOut]
    total: int = Field(examples=[1])


class ProjectOut(Answer):
    """A project with its prompts, in their order."""

    id: str = Field(examples=[PROJECT_ID])
    name: str = Field(examples=["Field notes"])
    description: str | None = Field(examples=["Notes from the field, since 2022"])
    context_profile: dict[str, Any] | None = Field(examples=[CONTEXT])
    status: str = Field(examples=["active"], description="active or archived")
    created_at: Time
    updated_at: Time
    parent_id: str | None = Field(
        None,
        examples=[None],
        description="The project that it stands in, as in a folder of PromptForge's last release.",
    )
    path: str = Field(
        "",
        examples=["Field notes"],
        description="The names of the projects that it stands in, and its own: `parent / child`.",
    )
    prompts: list[PromptOut]


class ProjectStatusOut(Answer):
    """A project's new status."""

    message: str = Field(examples=["Project archived"])
    id: str = Field(examples=[PROJECT_ID])
    status: Literal["active", "archived"]
    updated_at: str = Field(examples=["2026-03-20T09:30:00.123456+00:00"])


class DeletedOut(Answer):
    """What was deleted, and how many runs with it."""

    message: str = Field(examples=["Project deleted"])
    id: str = Field(examples=[PROJECT_ID])
    deleted_optimizations: int = Field(examples=[4])


class FindingOut(Answer):
    """What a check of a plugin says about a prompt's text."""

    plugin: str = Field(examples=["lint"])
    check: str = Field(examples=["unfilled_placeholders"], description="Can be switched off by this name.")
    title: str = Field(examples=["Unfilled placeholders"])
    severity: Literal["error", "warning", "note"]
    message: str = Field(examples=["'TODO' was left in the text."])
    start: int | None = Field(examples=[12], description="Where it begins, in characters; null if it is about all.")
    end: int | None = Field(examples=[16])
    line: int | None = Field(examples=[1], description="The line, from 1, that it begins in.")


class FindingListOut(Answer):
    """What all enabled checks say about a prompt's text, by place in it."""

    items: list[FindingOut]
    total: int = Field(examples=[1])


class PromptOrderOut(Answer):
    """All prompts of a project, in their new order."""

    message: str = Field(examples=["Prompts reordered"])
    prompts: list[PromptOut]


class SupersededVersionOut(Answer):
    """A superseded text of a prompt."""

    id: str = Field(examples=[VERSION_ID])
    prompt_id: str = Field(examples=[PROMPT_ID])
    version: int = Field(examples=[2])
    content: str = Field(examples=["Summarise this text."])
    created_at: Time = Field(description="When another text took its place.")
    optimization_id: str | None = Field(examples=[RUN_ID], description="The run that led to the next text, if known.")


class VersionOut(Answer):
    """A version of a prompt. The current one has `id` and `created_at` null: no other took its place yet."""

    id: str | None = Field(examples=[VERSION_ID])
    prompt_id: str = Field(examples=[PROMPT_ID])
    version: int = Field(examples=[2])
    content: str = Field(examples=["Summarise this text."])
    created_at: Time
    optimization_id: str | None = Field(examples=[RUN_ID])
    current: bool = Field(examples=[False])


class VersionListOut(Answer):
    """Some of a prompt's superseded texts, newest version first; `total` counts all."""

    items: list[SupersededVersionOut]
    total: int = Field(examples=[2])


class DiffStatisticsOut(Answer):
    """A difference in numbers."""

    lines_added: int = Field(examples=[1])
    lines_removed: int = Field(examples=[1])
    lines_unchanged: int = Field(examples=[0])
    similarity: float = Field(examples=[0.4])


class VersionDiffOut(Answer):
    """How two versions of a prompt differ, by lines; `similarity`, from 0 to 1, compares words."""

    prompt_id: str = Field(examples=[PROMPT_ID])
    from_version: int = Field(examples=[1])
    to_version: int = Field(examples=[2])
    diff: str = Field(
        examples=["--- version 1\n+++ version 2\n@@ -1 +1 @@\n-Summarise.\n+Summarise in three sentences."],
        description="A unified diff; empty where the texts are equal.",
    )
    statistics: DiffStatisticsOut
