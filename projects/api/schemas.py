"""What the API takes and gives. Limits are PromptForge's; its clients know the texts of the errors."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from projects.contexts import LIST_FIELDS, TEXT_FIELDS
from projects.texts.forms import is_blank
from promptadmin.conf.limits import DESCRIPTION_LENGTH, PROJECT_NAME_LENGTH, PROMPT_LENGTH

MAX_DEPTH = 50
PROJECT_ID = "8663074e-3b65-438e-bb1f-07edf6db0373"
PROMPT_ID = "4e81901a-67df-4544-b856-a1098e0a755f"
RUN_ID = "e3c72c2e-5383-4a76-8967-becf2adeaa67"
VERSION_ID = "0f1c5d0e-0c1e-4f7e-9d35-2b1c3f1f8a55"
TIME = "2026-03-20T09:30:00.123456Z"
CONTEXT = {"language": "Python", "framework": "Django", "conventions": ["PEP 8"]}


def storable(value: Any) -> Any:
    """Refuse what no database column of ours can hold, however deep it hides."""
    pending = [(value, 0)]
    while pending:
        item, depth = pending.pop()
        if isinstance(item, str) and "\x00" in item:
            raise ValueError("Text must not contain NUL characters")
        if depth > MAX_DEPTH:
            raise ValueError(f"Values must not be nested deeper than {MAX_DEPTH} levels")
        if isinstance(item, dict):
            pending += [(part, depth + 1) for pair in item.items() for part in pair]
        elif isinstance(item, list):
            pending += [(part, depth + 1) for part in item]
    return value


def trimmed_name(name: str) -> str:
    """The name without the blanks around it."""
    if is_blank(name):
        raise ValueError("Project name must not be empty or whitespace-only")
    return name.strip()


def shown_content(content: str) -> str:
    """The text as it is, if it shows anything."""
    if is_blank(content):
        raise ValueError("Prompt content must not be empty or whitespace-only")
    return content


PlainText = Annotated[str, AfterValidator(storable)]
# Limits stand before validators: behind one, pydantic names them as if the text were a list.
Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=PROJECT_NAME_LENGTH,
        examples=["Field notes"],
        description="Blanks around it are dropped.",
    ),
    AfterValidator(storable),
    AfterValidator(trimmed_name),
]
Description = Annotated[
    str, Field(max_length=DESCRIPTION_LENGTH, examples=["Notes from the field, since 2022"]), AfterValidator(storable)
]
Content = Annotated[
    str,
    Field(min_length=1, max_length=PROMPT_LENGTH, examples=["Summarise this text in three sentences."]),
    AfterValidator(storable),
    AfterValidator(shown_content),
]
Context = Annotated[
    dict[str, Any],
    AfterValidator(storable),
    Field(
        examples=[CONTEXT],
        description="Texts, and lists of texts; one text makes a list of one. Empty fields are dropped.",
        json_schema_extra={
            "additionalProperties": False,
            "properties": {
                **{name: {"type": "string"} for name in TEXT_FIELDS},
                **{name: {"type": "array", "items": {"type": "string"}} for name in LIST_FIELDS},
            },
        },
    ),
]
# A stored time that means none reads as null.
Time = Annotated[dt.datetime | None, Field(examples=[TIME])]
Score = Annotated[float | None, Field(examples=[0.7179], description="From 0 to 1.")]


class Given(BaseModel):
    """The base of what the API takes: a JSON object.

    `promptadmin.api.unknown_arguments` refuses fields that it hasn't.
    """


class ProjectCreateIn(Given):
    """A new project."""

    name: Name
    description: Description | None = None
    context_profile: Context | None = None


class ProjectUpdateIn(Given):
    """What to change of a project."""

    name: Name | None = Field(None, description="null, or no field, leaves it.")
    description: Description | None = Field(None, description="null, or no field, leaves it; an empty text clears it.")
    context_profile: Context | None = Field(None, description="No field leaves it; null, or {}, clears it.")


class PromptCreateIn(Given):
    """A new prompt; it goes to the end of its project."""

    content: Content


class PromptUpdateIn(Given):
    """A prompt's new text."""

    content: Content | None = Field(None, description="null, no field, or the same text makes no new version.")


class PromptOrderIn(Given):
    """All prompts of a project, in their new order."""

    prompt_ids: list[PlainText] = Field(min_length=1, examples=[[PROMPT_ID]])


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
