"""What the API takes of runs. Limits are PromptForge's, where it had one."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

from ninja import Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, create_model

from optimizations.columns import ALL, Column, Kind
from optimizations.strategies import all_aliases, all_strategies, canonical
from projects.api.inputs import RUN_ID, TIME, Given, storable
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


#: By the kind of a column; these of numbers and flags bring an example.
TYPES: dict[Kind, Any] = {
    "text": PlainText,
    "list": list[PlainText],
    "object": Annotated[dict[str, Any], AfterValidator(storable)],
    "score": Score,
    "count": Count,
    "flag": Flag,
}
#: Of those columns that take less than others of their kind.
OWN_TYPES: dict[str, Any] = {
    "task_type": Name,
    "complexity": Name,
    "framework_applied": Framework,
    "strategy": Strategy,
    "secondary_frameworks": Annotated[list[Strategy], Field(max_length=2)],
    "project": Annotated[ProjectText | None, BeforeValidator(blank_to_null)],
    "tags": list[NewTag],
    "title": Title,
    "version": Annotated[Version | None, BeforeValidator(blank_to_null)],
    "prompt_id": Name,
}
NOTES: dict[str, dict[str, Any]] = {
    "strategy": {"description": "A canonical name or an alias, which is replaced."},
    "strategy_confidence": {"examples": [0.9]},
    "secondary_frameworks": {"description": "At most two, named as `strategy` is."},
    "overall_score": {"description": "From 0 to 1, as every score."},
    "duration_ms": {"description": "Milliseconds."},
    "project": {
        "description": "Stored as it is; finds or makes the project of this name, without the blanks around it."
    },
    "tags": {"examples": [["short", "draft"]]},
    "version": {"description": "`v` and digits; a blank text is null."},
    "prompt_id": {
        "description": "The prompt that was optimised. Without it the text finds or makes the prompt in the project."
    },
}


def _taken(column: Column) -> tuple[Any, Any]:
    examples = {} if column.kind in ("score", "count", "flag") else {"examples": [column.example]}
    kind = OWN_TYPES.get(column.name, TYPES[column.kind])
    return kind | None, Field(None, **{**examples, **NOTES.get(column.name, {})})


#: What only a whole record says, or must say.
OF_RECORDS = ("id", "created_at", "raw_prompt", "status")
RunFieldsIn: type[Given] = create_model(  # type: ignore[call-overload]  # mypy can't see the names in a dictionary
    "RunFieldsIn",
    __base__=Given,
    __doc__="What a run may say beside its prompt and its status.",
    **{column.name: _taken(column) for column in ALL if column.name not in OF_RECORDS},
)


class RunRecordIn(RunFieldsIn):  # type: ignore[misc,valid-type]  # made of the columns
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


class RunChangeIn(RunFieldsIn):  # type: ignore[misc,valid-type]  # the same
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
