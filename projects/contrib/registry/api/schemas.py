"""What the API of named prompts takes and gives."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from ninja import Path
from pydantic import AfterValidator, ConfigDict, Field

from projects.api.inputs import PROJECT_ID, PROMPT_ID, Content, Description, Given, Name, storable
from projects.api.schemas import Answer, Time
from projects.contrib.registry.names import LONGEST_NAME
from projects.contrib.registry.repository.moving import LONGEST_REASON
from promptadmin.conf.limits import TAG_LENGTH
from promptadmin.db.fields import LARGEST_INTEGER

NAME, LABEL = "support/refund", "production"
REASON = "Answers complaints in fewer words."
CONFIG = {"model": "gpt-4.1", "temperature": 0.2}
SHA256 = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
TEXT = "Answer {{customer}} in three sentences."

PromptName = Annotated[
    str, AfterValidator(storable), Path(max_length=1000, description="A name, with its folders.", example=NAME)
]
PromptLabel = Annotated[str, AfterValidator(storable), Path(max_length=1000, description="A label.", example=LABEL)]
Version = Annotated[int, Field(ge=1, le=LARGEST_INTEGER, examples=[2])]
Reason = Annotated[str, Field(max_length=LONGEST_REASON, examples=[REASON]), AfterValidator(storable)]
Tag = Annotated[str, Field(min_length=1, max_length=TAG_LENGTH), AfterValidator(storable)]
Kind = Literal["text", "chat", "skill"]
TemplateFormat = Literal["mustache", "f-string", "none"]
Config = Annotated[dict[str, Any], Field(examples=[CONFIG]), AfterValidator(storable)]


class MessageIn(Given):
    """A message with a role and a content, or a place where a program puts its own messages."""

    type: Literal["message", "placeholder"] = Field("message", examples=["message"])
    role: Literal["system", "developer", "user", "assistant", "tool"] | None = Field(None, examples=["user"])
    content: Annotated[str, AfterValidator(storable)] | None = Field(None, examples=["{{question}}"])
    name: Annotated[str, AfterValidator(storable)] | None = Field(None, examples=["history"])


#: A message as it is read: `role` and `content`, or, of a placeholder, `type` and `name`.
MessageOut = Annotated[dict[str, str], Field(examples=[{"role": "user", "content": "{{question}}"}])]


class VariableIn(Given):
    """What is known of a variable."""

    name: Annotated[str, Field(pattern=r"^\w[\w.-]*$", max_length=100, examples=["customer"])]
    type: Annotated[str, Field(max_length=50, examples=["string"]), AfterValidator(storable)] | None = None
    default: Annotated[Any, AfterValidator(storable)] = Field(None, examples=["the customer"])
    description: Description | None = None


class VariableOut(Answer):
    """A variable of the text, with what is declared of it."""

    model_config = ConfigDict(extra="allow")

    name: str = Field(examples=["customer"])


class PromptIn(Given):
    """A content, and what it is for. What isn't given stays as it is."""

    text: Content | None = Field(None, examples=[TEXT], description="Of a chat its readable form; or `messages`.")
    messages: list[MessageIn] | None = Field(None, min_length=1, max_length=1000)
    kind: Kind | None = Field(None, examples=["text"], description="`messages` alone make a chat.")
    template_format: TemplateFormat | None = Field(None, examples=["mustache"])
    config: Config | None = Field(None, description="null clears it.")
    variables: Annotated[list[VariableIn], Field(max_length=200)] | None = Field(None, description="null clears them.")
    reason: Reason = ""
    labels: list[Annotated[str, AfterValidator(storable)]] = Field(
        [], max_length=20, description="They point to this content afterwards.", examples=[["staging"]]
    )


class PromptSaveIn(PromptIn):
    """The whole of a prompt."""

    description: Description | None = None
    tags: list[Tag] | None = Field(None, max_length=50, examples=[["support"]])
    project: Name | None = Field(
        None, description="Of a new prompt; also made. Without it, the one named like the outermost folder."
    )


class PromptPatchIn(Given):
    """What to change beside the content."""

    name: Annotated[str, Field(max_length=LONGEST_NAME, examples=[NAME])] | None = None
    description: Description | None = None
    tags: list[Tag] | None = Field(None, max_length=50, examples=[["support"]])


class NamedPromptOut(Answer):
    """One version of a prompt. `label` is the one that was asked for; `labels` are all that point to it alone."""

    id: str = Field(examples=[PROMPT_ID])
    name: str = Field(examples=[NAME])
    kind: str = Field(examples=["text"])
    template_format: str = Field(examples=["mustache"])
    description: str | None = Field(examples=["What to answer to those who want money back"])
    tags: list[str] = Field(examples=[["support"]])
    project_id: str | None = Field(examples=[PROJECT_ID])
    version: int = Field(examples=[2])
    label: str | None = Field(examples=[LABEL])
    labels: list[str] = Field(examples=[[LABEL]])
    text: str = Field(examples=[TEXT])
    messages: list[MessageOut] | None = Field(description="Of a chat; null where its text can't be read as one.")
    config: Any = Field(examples=[CONFIG])
    variables: list[VariableOut]
    author: str | None = Field(examples=["user ana"])
    reason: str | None = Field(examples=[REASON])
    sha256: str = Field(examples=[SHA256])
    created_at: Time


class TargetOut(Answer):
    """Where a label points: to a version, or to several by weight."""

    version: int | None = Field(examples=[2])
    weights: dict[str, int] | None = Field(examples=[{"1": 90, "2": 10}])


class ListedPromptOut(Answer):
    """A named prompt in a list."""

    id: str = Field(examples=[PROMPT_ID])
    name: str = Field(examples=[NAME])
    kind: str = Field(examples=["text"])
    description: str | None
    tags: list[str] = Field(examples=[["support"]])
    project_id: str | None = Field(examples=[PROJECT_ID])
    version: int = Field(examples=[2], description="The current one.")
    labels: dict[str, TargetOut]
    last_fetched_at: Time | None


class NamedPromptListOut(Answer):
    """Some named prompts, by name."""

    items: list[ListedPromptOut]
    next_cursor: str | None = Field(examples=["support/refund"])


class EventOut(Answer):
    """One move of a label."""

    id: int = Field(examples=[7])
    prompt_id: str = Field(examples=[PROMPT_ID])
    name: str | None = Field(examples=[NAME])
    label: str = Field(examples=[LABEL])
    position: int = Field(examples=[1], description="Counts the moves of this label of this prompt.")
    from_target: TargetOut | None
    to_target: TargetOut | None
    by: str = Field(examples=["user ana"])
    door: str = Field(examples=["API"])
    reason: str = Field(examples=[REASON])
    approved_by: str | None = Field(examples=["user ben"])
    at: Time


class EventListOut(Answer):
    """Some moves, newest first."""

    items: list[EventOut]
    next_cursor: str | None = Field(examples=["7"])


class RequestOut(Answer):
    """A move that waits for a second person, or did."""

    id: int = Field(examples=[1])
    prompt_id: str = Field(examples=[PROMPT_ID])
    name: str | None = Field(examples=[NAME])
    label: str = Field(examples=[LABEL])
    from_target: TargetOut | None
    to_target: TargetOut | None
    asked_by: str = Field(examples=["user ana"])
    reason: str = Field(examples=[REASON])
    state: str = Field(examples=["open"])
    decided_by: str | None = Field(examples=["user ben"])
    asked_at: Time
    decided_at: Time


class RequestListOut(Answer):
    """Requests of one state, oldest first."""

    items: list[RequestOut]


class LabelMoveIn(Given):
    """Where a label shall point: one of the two."""

    version: int | None = Field(None, ge=1, le=LARGEST_INTEGER, examples=[2])
    weights: dict[str, int] | None = Field(
        None, description='Version → weight, at least one above 0, as in {"1": 90, "2": 10}.'
    )
    reason: Reason = ""


class ReasonIn(Given):
    """Why."""

    reason: Reason = ""


class MovedOut(Answer):
    """Where a label points now; without `event` it stood there already."""

    label: str = Field(examples=[LABEL])
    target: TargetOut | None
    event: EventOut | None


class WaitingOut(Answer):
    """A move that a second person has to approve."""

    detail: str = Field(examples=["A second person has to approve this: see /api/promotion-requests/1"])
    request: RequestOut | None = Field(None, description="Which waits for them.")


class DecidedOut(Answer):
    """A request that was approved, with the move."""

    request: RequestOut
    event: EventOut


class SavedLabelOut(Answer):
    """What became of one label."""

    label: str = Field(examples=["staging"])
    outcome: Literal["moved", "unchanged", "requested"] = Field(examples=["moved"])
    request_id: int | None = Field(examples=[None])


class SavedOut(Answer):
    """What became of a save."""

    outcome: Literal["created", "version", "unchanged"] = Field(examples=["version"])
    prompt: NamedPromptOut
    labels: list[SavedLabelOut]


class BundleOut(Answer):
    """All prompts of a label. `signature` is over the bytes that stand behind it."""

    signature: str = Field(examples=[f"hmac-sha256:{SHA256}"])
    format: Literal[1]
    label: str = Field(examples=[LABEL])
    prefix: str | None = Field(examples=["support/"])
    prompts: list[NamedPromptOut]


class FetchOut(Answer):
    """How often one token fetched one version by one label on one day."""

    day: dt.date = Field(examples=["2026-11-28"])
    label: str | None = Field(examples=[LABEL], description="null where it was fetched by number.")
    version: int = Field(examples=[2])
    token: str = Field(examples=["token pa_3f2a"])
    count: int = Field(examples=[1204])
    last_at: Time


class UsageOut(Answer):
    """Who fetched a prompt in the last days."""

    items: list[FetchOut]
    count: int = Field(examples=[1204])
    last_fetched_at: Time | None


class CompileIn(Given):
    """Which version, as in reading, and what to fill in."""

    label: Annotated[str, AfterValidator(storable)] | None = Field(None, examples=[LABEL])
    version: Version | None = None
    key: Annotated[str, Field(max_length=1000), AfterValidator(storable)] | None = Field(None, examples=["user-17"])
    values: Annotated[dict[str, Any], AfterValidator(storable)] = Field(
        {}, max_length=1000, examples=[{"customer": "Ana"}]
    )
    placeholders: dict[str, list[MessageIn]] = Field({}, max_length=100, examples=[{}])


class CompiledOut(Answer):
    """A text with values in it or, of a chat, messages."""

    name: str = Field(examples=[NAME])
    version: int = Field(examples=[2])
    text: str | None = Field(examples=["Answer Ana in three sentences."])
    messages: list[MessageOut] | None
    missing: list[str] = Field(examples=[[]], description="Variables and placeholders that stayed as they are.")
    unused: list[str] = Field(examples=[[]], description="Values that the prompt has no place for.")
