"""What the project repository hands out: plain values that outlive the session in which they were read."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows of a list, and how many rows the whole list has."""

    items: list[Row]
    total: int


@dataclass(frozen=True, slots=True)
class ProjectInfo:
    """What find-or-create answers: which project, and its status."""

    id: str
    status: str


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """A project in a list. A time is None where the stored value means none.

    `parent_id` is the project that it stands in, as in a folder, and `path` the names from the outermost to its own.
    """

    id: str
    name: str
    description: str | None
    status: str
    prompt_count: int
    has_context: bool
    created_at: dt.datetime | None
    updated_at: dt.datetime | None
    parent_id: str | None
    path: str


class RunRecord(NamedTuple):
    """A run of a prompt. `overall_score` is from 0.0 to 1.0."""

    id: str
    created_at: dt.datetime | None
    overall_score: float | None
    framework_applied: str | None
    is_improvement: bool | None
    status: str
    title: str | None
    task_type: str | None
    complexity: str | None
    tags: list[str]
    version: str | None
    model_used: str | None = None


class PromptRecord(NamedTuple):
    """A prompt's current text. Where nobody asked for its runs, `run_count` is 0.

    `latest_run` is the newest completed run. A prompt that is in no project has no `project_id`.
    """

    id: str
    content: str
    version: int
    project_id: str | None
    order_index: int
    created_at: dt.datetime | None
    updated_at: dt.datetime | None
    run_count: int = 0
    latest_run: RunRecord | None = None


@dataclass(frozen=True, slots=True)
class ProjectDetail:
    """A project with its prompts, in their order."""

    id: str
    name: str
    description: str | None
    context_profile: dict[str, Any] | None
    status: str
    created_at: dt.datetime | None
    updated_at: dt.datetime | None
    parent_id: str | None
    path: str
    prompts: list[PromptRecord]


class VersionRecord(NamedTuple):
    """A version of a prompt. The current one has no row of its own: its `id` and `created_at` are None."""

    id: str | None
    prompt_id: str
    version: int
    content: str
    created_at: dt.datetime | None
    optimization_id: str | None
    current: bool = False


@dataclass(frozen=True, slots=True)
class Contents:
    """How many rows belong to some projects or prompts, and go when they are deleted."""

    prompts: int = 0
    versions: int = 0
    runs: int = 0


@dataclass(frozen=True, slots=True)
class ProjectOverview:
    """What a list shows beside a project. `runs` counts no further than `RUNS_COUNTED` + 1.

    `last_activity` is the newest of its own changes, its prompts' and its runs; None where no stored time means one.
    """

    path: str
    prompts: int
    runs: int
    last_activity: dt.datetime | None


@dataclass(frozen=True, slots=True)
class PromptOverview:
    """What a list shows beside a prompt: project, earlier texts, and its linked runs, counted as a project's.

    `project` is the path of its project; None where it is in none.
    """

    project: str | None
    versions: int
    runs: int


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A version in a prompt's history: the beginning of its text, and how it came. The current one has no `id`.

    `since` is when it became the current text, None where no stored time means one; `optimization_id` names the run
    that it came from, if known. `characters` is the length of the whole text.
    """

    id: str | None
    version: int
    beginning: str
    characters: int
    since: dt.datetime | None
    optimization_id: str | None
    current: bool
