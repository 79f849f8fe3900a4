"""Langfuse's clients: its public API of prompts, and what its SDK asks to see whether it is let in."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema, Status
from pydantic import AfterValidator, ConfigDict, Field

from projects.api.inputs import Content, storable
from projects.contrib.clients.answers import fetched, messages_of, waiting_words
from projects.contrib.clients.listing import Listed, list_all, list_details
from projects.contrib.registry.api.schemas import PromptName, Tag
from projects.contrib.registry.chat import Message, write_messages
from projects.contrib.registry.names import LATEST
from projects.contrib.registry.records import Resolved
from projects.contrib.registry.repository import RegistryRepository
from projects.contrib.registry.targets import Target
from promptadmin.db.fields import LARGEST_INTEGER
from promptadmin.errors import Invalid, NotFound
from promptadmin.http.responses import ready_answer

router = Router()

ERRORS = {401: "UnauthorizedError", 403: "ForbiddenError", 404: "LangfuseNotFoundError", 409: "LangfuseConflictError"}
PROJECT = {
    "id": "promptadmin",
    "name": "promptadmin",
    "organization": {"id": "promptadmin", "name": "promptadmin"},
    "metadata": {},
}
PROMPTS_ALONE = (
    "promptadmin has Langfuse's prompts alone: no traces, scores or datasets. Switch tracing off with "
    "LANGFUSE_TRACING_ENABLED=false"
)

Storable = AfterValidator(storable)
TextQuery = Annotated[Annotated[str, Storable] | None, Query(None)]
MomentQuery = Annotated[dt.datetime | None, Query(None)]
VersionNumber = Annotated[int, Path(ge=1, le=LARGEST_INTEGER)]
Label = Annotated[str, Storable]


def error_body(status: int, detail: str) -> dict[str, str]:
    """An error as Langfuse says it."""
    return {"message": detail, "error": ERRORS.get(status, "InvalidRequestError" if status < 500 else "InternalError")}


class MessageIn(Schema):
    """A message of a chat, or a placeholder."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["chatmessage", "message", "placeholder"] | None = None
    role: Annotated[str, Storable] | None = None
    content: Annotated[str, Storable] | None = None
    name: Annotated[str, Storable] | None = None


class CreateIn(Schema):
    """A version as Langfuse's clients create it; without a type it is a text."""

    name: Label
    prompt: Content | Annotated[list[MessageIn], Field(min_length=1, max_length=1000)]
    type: Literal["text", "chat"] | None = None
    config: Annotated[Any, Storable] = None
    labels: Annotated[list[Label], Field(max_length=20)] | None = None
    tags: Annotated[list[Tag], Field(max_length=50)] | None = None
    commitMessage: Annotated[str, Storable] | None = None  # noqa: N815  # Langfuse's


class LabelsIn(Schema):
    """Labels that a version gets. The JavaScript client of release 3 repeats the address in the body."""

    name: Label | None = None
    version: Annotated[int, Field(ge=1, le=LARGEST_INTEGER)] | None = None
    newLabels: Annotated[list[Label], Field(max_length=20)]  # noqa: N815  # Langfuse's


@router.get("/projects")
def list_projects(request: HttpRequest) -> dict[str, Any]:
    """What `auth_check()` asks: whoever gets an answer is let in."""
    return {"data": [PROJECT]}


@router.get("/v2/prompts")
def list_prompts(
    request: HttpRequest,
    *,
    name: TextQuery = None,
    label: TextQuery = None,
    tag: TextQuery = None,
    page: Annotated[int, Query(ge=1, le=LARGEST_INTEGER)] = 1,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    fromUpdatedAt: MomentQuery = None,  # noqa: N803  # Langfuse's
    toUpdatedAt: MomentQuery = None,  # noqa: N803
) -> dict[str, Any]:
    """By name, with all versions and labels of each."""
    repository = RegistryRepository()
    found = list_all(repository, name=name, label=label, tag=tag, since=fromUpdatedAt, until=toUpdatedAt)
    shown = list_details(repository, found[(page - 1) * limit : page * limit])
    return {
        "data": [_listed(one) for one in shown],
        "meta": {"page": page, "limit": limit, "totalItems": len(found), "totalPages": -(-len(found) // limit)},
    }


@router.post("/v2/prompts", response={201: Any})
def create_prompt(request: HttpRequest, data: CreateIn) -> HttpResponse:
    """A prompt or its next version; the same content as the current version's makes none, and moves the labels."""
    is_chat = isinstance(data.prompt, list)
    if data.type is not None and is_chat != (data.type == "chat"):
        raise Invalid("The prompt of a chat is a list of messages, and any other is a text")
    saved = RegistryRepository().save(
        name=data.name,
        text=data.prompt if isinstance(data.prompt, str) else write_messages(map(_message, data.prompt)),
        kind="chat" if is_chat else None,
        config=data.config,
        tags=data.tags,
        reason=data.commitMessage or "",
        labels=list(dict.fromkeys(data.labels or ())),
    )
    return ready_answer(prompt_shape(saved.prompt), {}, 201)


@router.patch("/v2/prompts/{path:name}/versions/{version}", response=Any)
def add_labels(request: HttpRequest, name: PromptName, version: VersionNumber, data: LabelsIn) -> HttpResponse:
    """Move these labels to the version; it keeps those that it has."""
    if data.name not in (None, name) or data.version not in (None, version):
        raise Invalid("The body names another version than the address: leave 'name' and 'version' out of it")
    repository = RegistryRepository()
    moves = [
        repository.move_label(name=name, label=label, target=Target.of(version))
        for label in dict.fromkeys(data.newLabels)
    ]
    if words := waiting_words(moves):  # no exception, which would undo the request
        return ready_answer(error_body(409, words), {}, 409)
    return ready_answer(prompt_shape(repository.resolve(name=name, version=version)), {})


@router.get("/v2/prompts/{path:name}", response=Any)
def get_prompt(
    request: HttpRequest,
    *,
    name: PromptName,
    version: Annotated[int | None, Query(None, ge=1, le=LARGEST_INTEGER)] = None,
    label: TextQuery = None,
    resolved: Annotated[bool, Query(True, alias="resolve")] = True,  # no prompt refers to another here
) -> HttpResponse:
    """A version by its number or by a label: production, unless said otherwise."""
    return fetched(request, prompt_shape(RegistryRepository().fetch(name=name, label=label, version=version)))


@router.delete("/v2/prompts/{path:name}", response={204: None})
def delete_prompt(
    request: HttpRequest,
    name: PromptName,
    version: Annotated[str | None, Query(None)] = None,
    label: Annotated[str | None, Query(None)] = None,
) -> Status[None]:
    """The whole prompt. Single versions are kept for ever."""
    if version is not None or label is not None:
        raise Invalid("Single versions can't be deleted: take labels away instead, or delete the whole prompt")
    repository = RegistryRepository()
    repository.prompts.delete_prompt(prompt_id=repository.find(name).prompt_id)
    return Status(204, None)


@router.api_operation(["GET", "POST", "PUT", "PATCH", "DELETE"], "/{path:other}", openapi_extra={"requestBody": {}})
def refuse(request: HttpRequest, other: str) -> None:
    """Everything else that Langfuse has."""
    raise NotFound(PROMPTS_ALONE)


def prompt_shape(found: Resolved) -> dict[str, Any]:
    """A version as Langfuse answers it. It names no `latest` unless that was asked for."""
    messages = messages_of(found)
    moment = found.created_at
    return {
        "id": f"{found.id}:{found.version}",
        "projectId": found.project_id or "",
        "name": found.name,
        "type": "text" if messages is None else "chat",
        "version": found.version,
        "prompt": found.text if messages is None else [_shown(message) for message in messages],
        "config": {} if found.config is None else found.config,
        "labels": [*found.labels, LATEST] if found.label == LATEST else found.labels,
        "tags": found.tags,
        "commitMessage": found.reason,
        "createdAt": moment,
        "updatedAt": moment,
        "createdBy": found.author or "",
        "resolutionGraph": None,
    }


def _listed(one: Listed) -> dict[str, Any]:
    return {
        "name": one.named.name,
        "type": "chat" if one.named.kind == "chat" else "text",
        "versions": one.versions,
        "labels": [*one.labels, LATEST],
        "tags": one.named.tags,
        "lastUpdatedAt": one.updated_at,
        "lastConfig": {} if one.config is None else one.config,
    }


def _shown(message: Message) -> Message:
    return message if message.get("type") == "placeholder" else {"type": "chatmessage", **message}


def _message(given: MessageIn) -> Message:
    """A message as the registry has it, which says what is wrong with it."""
    if given.type == "placeholder":
        return {"type": "placeholder", "name": given.name}
    return {"role": given.role, "content": given.content}
