"""The arguments of the tools: PromptForge's limits, and the API's rules where it had none."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from optimizations.scores import GREATEST, LEAST
from projects.api.inputs import shown_content, storable, trimmed_name
from promptadmin.conf.limits import DESCRIPTION_LENGTH, PAGE_ROWS, PROJECT_NAME_LENGTH, PROMPT_LENGTH
from promptadmin.db.fields import LARGEST_INTEGER


def _clamped(least: int, most: int) -> Any:
    def clamp(value: Any) -> Any:
        return max(least, min(most, value)) if isinstance(value, int | float) and not isinstance(value, bool) else value

    return BeforeValidator(clamp)


Key = Annotated[str, AfterValidator(storable), Field(description="An id, as list, search or list_projects tell it.")]
Keys = Annotated[list[Key], Field(min_length=1, max_length=PAGE_ROWS)]
Text = Annotated[str, AfterValidator(storable)]
Filter = Annotated[Text | None, Field(description="Exactly this text; without it, any.")]
Limit = Annotated[int, _clamped(1, PAGE_ROWS), Field(description=f"At most this many, from 1 to {PAGE_ROWS}.")]
Offset = Annotated[int, _clamped(0, LARGEST_INTEGER), Field(description="How many to leave out at the beginning.")]
MinScore = Annotated[
    float | None,
    _clamped(1, 10),
    Field(description="From 1 to 10, also 2.5: runs whose stored score is no more than half a point below it."),
]
Score = Annotated[
    float,
    Field(ge=LEAST, le=GREATEST, strict=True, allow_inf_nan=False, description="From 1 to 10, also 7.5."),
    AfterValidator(lambda shown: round(shown / GREATEST, 4)),
]
Whole = Annotated[bool, Field(description="true cuts no text, however long the answer gets.")]
IncludeArchived = Annotated[bool, Field(description="false hides the runs of archived and deleted projects.")]
RunSort = Annotated[
    str,
    Field(
        description="created_at, overall_score, task_type, complexity, status, duration_ms, title or project; "
        "anything else means created_at."
    ),
]
ProjectSort = Annotated[str, Field(description="created_at, updated_at or name; anything else means created_at.")]
Order = Annotated[
    str,
    AfterValidator(lambda order: "asc" if order == "asc" else "desc"),
    Field(description="asc or desc; anything else means desc."),
]
ProjectName = Annotated[
    str, Field(min_length=1, max_length=PROJECT_NAME_LENGTH), AfterValidator(storable), AfterValidator(trimmed_name)
]
Description = Annotated[str, Field(max_length=DESCRIPTION_LENGTH), AfterValidator(storable)]
Content = Annotated[
    str, Field(min_length=1, max_length=PROMPT_LENGTH), AfterValidator(storable), AfterValidator(shown_content)
]
