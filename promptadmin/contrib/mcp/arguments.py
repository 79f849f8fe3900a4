"""The arguments of the tools: PromptForge's limits, and the API's rules where it had none."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from projects.schemas import CONTEXT, DESCRIPTION_LENGTH, shown_content, storable, trimmed_name
from promptadmin.fields import LARGEST_INTEGER

UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def like_a_uuid(key: str) -> str:
    """Refuse what can't be an id, so that an agent that sends a name is told."""
    if not UUID.fullmatch(key):
        raise ValueError(
            f"{key[:60]!r} is no id: ids look like 8663074e-3b65-438e-bb1f-07edf6db0373; list or search first"
        )
    return key


def _clamped(least: int, most: int) -> Any:
    def clamp(value: Any) -> Any:
        return max(least, min(most, value)) if isinstance(value, int | float) and not isinstance(value, bool) else value

    return BeforeValidator(clamp)


Key = Annotated[str, AfterValidator(like_a_uuid)]
Keys = Annotated[list[Key], Field(min_length=1, max_length=100)]
Text = Annotated[str, AfterValidator(storable)]
Filter = Annotated[Text | None, Field(description="Exactly this text; without it, any.")]
Limit = Annotated[int, _clamped(1, 100), Field(description="At most this many, from 1 to 100.")]
Offset = Annotated[int, _clamped(0, LARGEST_INTEGER), Field(description="How many to leave out at the beginning.")]
MinScore = Annotated[
    int | None, _clamped(1, 10), Field(description="The least overall score, from 1 to 10, that a run is shown with.")
]
IncludeArchived = Annotated[bool, Field(description="false hides the runs of archived and deleted projects.")]
RunSort = Literal["created_at", "overall_score", "task_type", "complexity", "status", "duration_ms", "title", "project"]
ProjectSort = Literal["created_at", "updated_at", "name"]
Order = Literal["asc", "desc"]
ProjectName = Annotated[
    str, Field(min_length=1, max_length=100), AfterValidator(storable), AfterValidator(trimmed_name)
]
Description = Annotated[str, Field(max_length=DESCRIPTION_LENGTH), AfterValidator(storable)]
Content = Annotated[
    str, Field(min_length=1, max_length=100_000), AfterValidator(storable), AfterValidator(shown_content)
]
ContextProfile = Annotated[
    dict[str, Any],
    AfterValidator(storable),
    Field(
        examples=[CONTEXT],
        description="language, framework, description, documentation, test_framework (text); conventions, patterns, "
        "code_snippets, test_patterns (lists of text).",
    ),
]
