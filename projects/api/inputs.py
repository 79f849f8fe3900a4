"""What clients send about projects and prompts. Limits are PromptForge's; its clients know the texts of the errors."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

from projects.contexts import LIST_FIELDS, TEXT_FIELDS
from projects.texts.forms import is_blank
from promptadmin.conf.limits import DESCRIPTION_LENGTH, JSON_DEPTH, PROJECT_NAME_LENGTH, PROMPT_LENGTH

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
        if depth > JSON_DEPTH:
            raise ValueError(f"Values must not be nested deeper than {JSON_DEPTH} levels")
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
