"""What the API takes of runs. Limits are PromptForge's, where it had one."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

from ninja import Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from optimizations.strategies import all_aliases, all_strategies, canonical
from projects.api.inputs import PROMPT_ID, RUN_ID, TIME, Given, storable
from projects.texts.forms import is_blank
from promptadmin.conf.limits import (
    ASKED_LENGTH,
    INDEXED_LENGTH,
    PAGE_ROWS,
    PROJECT_NAME_LENGTH,
    PROMPT_LENGTH,
    TAG_LENGTH,
    TEXT_LENGTH,
    TITLE_LENGTH,
)
from promptadmin.db.fields import LARGEST_COUNT, moment_of_text
from promptadmin.http.keys import NewKey

CONTROL_CHARACTERS = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
Status = Literal["pending", "running", "completed", "error", "cancelled"]


def clean_prompt(text: str) -> str:
    """The text without control characters, but for tabs and line ends, if anything is left to see."""
    cleaned = CONTROL_CHARACTERS.sub("", text)
    if is_blank(cleaned):
        raise ValueError("Prompt must not be empty or whitespace-only")
    return cleaned


def known_strategy(name: str) -> str:
    """The canonical name of a strategy."""
    if canonical(name) not in all_strategies():
        raise ValueError(f"Unknown strategy: use one of {', '.join([*all_strategies(), *all_aliases()])}")
    return canonical(name)


def blank_to_null(value: Any) -> Any:
    """None for a blank text; anything else as it is."""
    return None if isinstance(value, str) and is_blank(value) else value


PlainText = Annotated[str, Field(max_length=TEXT_LENGTH), AfterValidator(storable)]
AskedText = Annotated[str, Field(max_length=ASKED_LENGTH), AfterValidator(storable)]
#: Indexed columns: PostgreSQL can't index a long text.
Name = Annotated[str, Field(max_length=INDEXED_LENGTH), AfterValidator(storable)]
ProjectText = Annotated[str, Field(max_length=PROJECT_NAME_LENGTH), AfterValidator(storable)]
PromptText = Annotated[
    str,
    Field(min_length=1, max_length=PROMPT_LENGTH, examples=["Summarise this text in three sentences."]),
    AfterValidator(storable),
    AfterValidator(clean_prompt),
]
RunKeyPath = Annotated[str, AfterValidator(storable), Path(description="The run's id.", example=RUN_ID)]
Score = Annotated[float, Field(ge=0, le=1, strict=True, allow_inf_nan=False, examples=[0.7179])]
Count = Annotated[int, Field(ge=0, le=LARGEST_COUNT, strict=True, examples=[2014])]
Flag = Annotated[bool, Field(strict=True, examples=[True])]
Tag = Annotated[str, Field(max_length=TAG_LENGTH), AfterValidator(storable)]
NewTag = Annotated[str, Field(min_length=1, max_length=TAG_LENGTH), AfterValidator(storable)]
Strategy = Annotated[Name, AfterValidator(known_strategy)]
Framework = Annotated[Name, AfterValidator(canonical)]
Version = Annotated[str, Field(max_length=20, pattern="^v[0-9]+$")]
Moment = Annotated[dt.datetime, BeforeValidator(moment_of_text)]
Title = Annotated[str, Field(max_length=TITLE_LENGTH), AfterValidator(storable)]


class RunFieldsIn(Given):
    """What a run may say beside its prompt and its status."""

    optimized_prompt: PlainText | None = Field(None, examples=["Summarise the text below in exactly 3 sentences."])
    task_type: Name | None = Field(None, examples=["writing"])
    complexity: Name | None = Field(None, examples=["simple"])
    weaknesses: list[PlainText] | None = Field(None, examples=[["vague audience"]])
    strengths: list[PlainText] | None = Field(None, examples=[["clear role"]])
    changes_made: list[PlainText] | None = Field(None, examples=[["stated the role"]])
    framework_applied: Framework | None = Field(None, examples=["chain-of-thought"])
    optimization_notes: PlainText | None = Field(None, examples=["Shortened twice."])
    strategy: Strategy | None = Field(
        None, examples=["chain-of-thought"], description="A canonical name or an alias, which is replaced."
    )
    strategy_reasoning: PlainText | None = Field(None, examples=["Chosen for the task type."])
    strategy_confidence: Score | None = Field(None, examples=[0.9])
    secondary_frameworks: Annotated[list[Strategy], Field(max_length=2)] | None = Field(
        None, examples=[["persona-assignment"]], description="At most two, named as `strategy` is."
    )
    clarity_score: Score | None = None
    specificity_score: Score | None = None
    structure_score: Score | None = None
    faithfulness_score: Score | None = None
    overall_score: Score | None = Field(None, description="From 0 to 1, as every score.")
    is_improvement: Flag | None = None
    verdict: PlainText | None = Field(None, examples=["Clearer than the original."])
    duration_ms: Count | None = Field(None, description="Milliseconds.")
    model_used: PlainText | None = Field(None, examples=["model-a"])
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    error_message: PlainText | None = Field(None, examples=["The model did not answer"])
    project: Annotated[ProjectText | None, BeforeValidator(blank_to_null)] = Field(
        None,
        examples=["Support"],
        description="Stored as it is; finds or makes the project of this name, without the blanks around it.",
    )
    tags: list[NewTag] | None = Field(None, examples=[["short", "draft"]])
    title: Title | None = Field(None, examples=["Shorter summaries"])
    version: Annotated[Version | None, BeforeValidator(blank_to_null)] = Field(
        None, examples=["v2"], description="`v` and digits; a blank text is null."
    )
    prompt_id: Name | None = Field(
        None,
        examples=[PROMPT_ID],
        description="The prompt that was optimised. Without it the text finds or makes the prompt in the project.",
    )
    codebase_context_snapshot: Annotated[dict[str, Any], AfterValidator(storable)] | None = Field(
        None, examples=[{"language": "Python"}]
    )


class RunRecordIn(RunFieldsIn):
    """A run that anyone executed."""

    id: NewKey | None = Field(
        None,
        examples=[RUN_ID],
        description="Without it the run gets a new one. An id that is taken is a conflict; one that no address can "
        "name is refused.",
    )
    created_at: Moment | None = Field(None, examples=[TIME], description="ISO 8601; without it, now.")
    raw_prompt: PromptText
    status: Status = Field("completed", examples=["completed"])


class RunChangeIn(RunFieldsIn):
    """What to change of a run: no field leaves a value, null clears it."""

    raw_prompt: PromptText | None = Field(None, description="null, or no field, leaves it.")
    status: Status | None = Field(None, examples=["completed"], description="null, or no field, leaves it.")

    def changes(self) -> dict[str, Any]:
        """The values that were given."""
        given = self.model_dump(exclude_unset=True)
        kept = [name for name in ("raw_prompt", "status") if name in given and given[name] is None]
        return {name: value for name, value in given.items() if name not in kept}


class RunTagsIn(Given):
    """What to change of a run's labels."""

    add: list[NewTag] = Field([], examples=[["short"]], description="Tags to add; those it has stay where they are.")
    remove: list[Tag] = Field([], examples=[["draft"]], description="Tags to remove; this happens first.")
    project: ProjectText | None = Field(
        None,
        examples=["Support"],
        description="Moves the run to the project of this name, which is found or made; an empty text clears it.",
    )
    title: Title | None = Field(None, examples=["Shorter summaries"], description="An empty text clears it.")


class RunIdsIn(Given):
    """The runs to delete."""

    ids: list[PlainText] = Field(min_length=1, max_length=PAGE_ROWS, examples=[[RUN_ID]])


class FiltersIn(BaseModel):
    """Which runs; an empty text asks for nothing."""

    search: AskedText | None = Field(
        None,
        examples=["summar"],
        description="A part of the prompt before or after, the title, a tag or the project, whatever the case.",
    )
    project: AskedText | None = Field(None, examples=["Support"], description="Exactly the run's project text.")
    project_id: AskedText | None = Field(None, description="The id of the run's project.")
    task_type: AskedText | None = Field(None, examples=["writing"])
    status: AskedText | None = Field(None, examples=["completed"])
    include_archived: bool = Field(
        True, examples=[True], description="false hides the runs of archived and deleted projects."
    )
